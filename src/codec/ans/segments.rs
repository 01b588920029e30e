//! Many segments at once; each is a job.

use std::borrow::Cow;

use super::lanes::{self, DecodeTable, EncodeTable, START, Stream, Words};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::GROUP;
use crate::pool::{self, Crew};
use crate::stage::{SegmentCode, Segments};

/// Codes each segment.
pub fn encode(
    simd: SimdLevel,
    crew: &Crew,
    tables: &[&EncodeTable],
    segments: Segments<'_>,
    groups: &[[u8; GROUP]],
) -> Result<Vec<SegmentCode<'static>>> {
    segments.check(tables.len(), groups.len())?;
    let mut rest = (segments.tables, groups);
    let mut jobs = Vec::new();
    for &length in segments.lengths {
        let (ids, later_ids) = rest.0.split_at(length);
        let (groups, later_groups) = rest.1.split_at(length);
        rest = (later_ids, later_groups);
        jobs.push((ids, groups));
    }
    pool::map(crew, jobs, |(ids, groups)| {
        let coded: Vec<_> = ids.iter().map(|&id| tables[usize::from(id)]).zip(groups).collect();
        Ok(code(simd, &coded))
    })
}

/// Codes groups with their tables.
pub(in crate::codec) fn code(simd: SimdLevel, coded: &[(&EncodeTable, &[u8; GROUP])]) -> SegmentCode<'static> {
    let (mut states, mut words) = (START, Vec::new());
    lanes::encode(simd, coded, &mut states, &mut Words::default(), &mut words);
    SegmentCode { states, words: Cow::Owned(words) }
}

/// Decodes each segment.
pub fn decode(
    simd: SimdLevel,
    crew: &Crew,
    tables: &[&DecodeTable],
    segments: Segments<'_>,
    codes: &[SegmentCode<'_>],
    groups: &mut [[u8; GROUP]],
) -> Result<()> {
    check_codes(tables.len(), segments, codes, groups.len())?;
    let mut rest = (segments.tables, groups);
    let mut jobs = Vec::new();
    for (&length, code) in segments.lengths.iter().zip(codes) {
        let (ids, later_ids) = rest.0.split_at(length);
        let (groups, later_groups) = rest.1.split_at_mut(length);
        rest = (later_ids, later_groups);
        jobs.push((ids, code, groups));
    }
    pool::for_each(crew, jobs, |(ids, code, groups)| {
        let mut coded: Vec<_> = ids.iter().map(|&id| tables[usize::from(id)]).zip(groups).collect();
        lanes::decode(simd, &mut [Stream::new(&mut coded, code.states, &code.words)])
    })
}

/// Checks what comes from a file before it is decoded.
pub(crate) fn check_codes(
    tables: usize,
    segments: Segments<'_>,
    codes: &[SegmentCode<'_>],
    groups: usize,
) -> Result<()> {
    segments.check(tables, groups)?;
    if codes.len() != segments.lengths.len() {
        return Err(Error::corrupt("segments: not as many codes"));
    }
    codes.iter().try_for_each(check_code)
}

/// Checks that this can be where coders stopped.
pub(crate) fn check_code(code: &SegmentCode<'_>) -> Result<()> {
    if !code.words.len().is_multiple_of(2) || code.states.iter().any(|state| !lanes::STATES.contains(state)) {
        return Err(Error::corrupt("segments: no codes of rANS coders"));
    }
    Ok(())
}

/// Checks where a coder ended that read `taken` of `words` words.
#[cfg(feature = "gpu")]
pub(crate) fn check_ends(states: &[u32], taken: usize, words: usize) -> Result<()> {
    if states == START && taken == words {
        return Ok(());
    }
    Err(lanes::not_a_code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{TileCounts, TileEncoder, TileEncoderTables};
    use crate::frame::{Dtype, FrameFormat, Geometry, Layout, Tiling};
    use crate::stage::TiledFrames;

    /// A segment of tiles ends with what is made of its groups here, whoever makes it.
    #[test]
    fn tiles_are_coded_alike() {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 48, height: 32 }).unwrap();
        let tiling = Tiling::new(&Geometry::new(&format, 1), 1, false);
        let band = &tiling.bands[0];
        let residual =
            |group: usize, at: usize| if group.is_multiple_of(5) { 0 } else { (at * at * group / 97 % 61) as u8 };
        let mut groups: Vec<[u8; GROUP]> =
            (0..4 * band.tiles()).map(|group| std::array::from_fn(|at| residual(group, at))).collect();
        // In a group that the tables are not made from, so that it is escaped.
        groups[2][9] = 250;
        let mut frames = TiledFrames::default();
        frames.extend(&vec![3; band.tiles()], &groups);
        let nonzero = || frames.sums.iter().copied().filter(|&sum| sum > 0);
        let mut counts = TileCounts::new(tiling.sets);
        nonzero().zip(&frames.groups).step_by(3).for_each(|(sum, group)| counts.count(0, sum, group));
        let (tables, classes) = counts.tables();
        let tables = TileEncoderTables::new(&tables, classes);

        let ids: Vec<u16> = nonzero().filter_map(|sum| tables.table_of(0, sum)).collect();
        let segments = Segments { lengths: &[ids.len()], tables: &ids };
        let simd = SimdLevel::detect();
        let code = encode(simd, &Crew::new(1), &tables.all(), segments, &frames.groups).unwrap().remove(0);
        let mut expected: Vec<u8> = code.states.iter().flat_map(|state| state.to_le_bytes()).collect();
        expected.extend(code.words.iter());
        let mut packed = Vec::new();
        TileEncoder::new(simd, &tables, band).encode(&mut frames.clone(), &mut packed).unwrap();
        assert!(packed.ends_with(&expected));
        assert_eq!(packed[4..8], [1, 0, 0, 0], "escaped residuals");
    }
}

//! Many segments at once; each is a job.

use std::borrow::Cow;

use super::lanes::{self, DecodeTable, EncodeTable, START};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::GROUP;
use crate::pool;
use crate::stage::{SegmentCode, Segments};

/// Codes each segment.
pub fn encode(
    simd: SimdLevel,
    threads: usize,
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
    pool::map(threads, jobs, |(ids, groups)| {
        let coded: Vec<_> = ids.iter().map(|&id| tables[usize::from(id)]).zip(groups).collect();
        let (mut states, mut words) = (START, Vec::new());
        lanes::encode(simd, &coded, &mut states, &mut words);
        Ok(SegmentCode { states, words: Cow::Owned(words) })
    })
}

/// Decodes each segment.
pub fn decode(
    simd: SimdLevel,
    threads: usize,
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
    pool::for_each(threads, jobs, |(ids, code, groups)| {
        let mut coded: Vec<_> = ids.iter().map(|&id| tables[usize::from(id)]).zip(groups).collect();
        lanes::decode(simd, &mut coded, &mut code.states.clone(), &code.words)
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
    let wrong = |code: &SegmentCode<'_>| {
        !code.words.len().is_multiple_of(2) || code.states.iter().any(|state| !lanes::STATES.contains(state))
    };
    if codes.len() != segments.lengths.len() || codes.iter().any(wrong) {
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

//! From segments of groups to the commands that code them.

use std::ops::Range;

use super::params;
use super::recording::{Overrides, Recording, Work};
use super::shaders::Kernel;
use crate::codec::{DecodeTable, EncodeTable};
use crate::error::Result;
use crate::frame::GROUP;
use crate::stage::{SegmentCode, Segments};

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// States of a segment and one number more.
const ENDS: usize = 33;

/// Groups in; out, the [`ENDS`] of each segment, then the words as [`words_of`] says.
pub(super) fn encode(tables: &[&EncodeTable], segments: Segments<'_>) -> Result<Recording> {
    let mut recording = Recording::default();
    let (rows, mut params) = Rows::new(segments, tables.iter().map(|table| table.as_array().as_slice()));
    params.second_part = (segments.lengths.len() * ENDS) as u32;
    let bytes = encoded_bytes(segments);
    let groups = recording.buffer(segments.tables.len() * GROUP)?;
    let code = recording.buffer(bytes)?;
    let rows = recording.table(&rows.0)?;

    recording.upload(groups);
    recording.clear(code);
    let work = Work::Workgroups(segments.lengths.len());
    recording.dispatch(Kernel::LanesEncode, OVERRIDES, params, &[groups, code, rows], work);
    recording.download(code, 0..bytes);
    Ok(recording)
}

/// Words in, as many bytes as those of `codes`; out, the groups, then the [`ENDS`] of each segment.
pub(super) fn decode(tables: &[&DecodeTable], segments: Segments<'_>, codes: &[SegmentCode<'_>]) -> Result<Recording> {
    let mut recording = Recording::default();
    let (mut rows, mut params) = Rows::new(segments, tables.iter().map(|table| table.as_array().as_slice()));
    params.first_words = rows.firsts(codes.iter().map(|code| code.words.len() / 2));
    params.states = rows.0.len() as u32;
    codes.iter().for_each(|code| rows.0.extend(code.states));
    params.second_part = (segments.tables.len() * GROUP / 4) as u32;
    let bytes = decoded_bytes(segments);
    let words = recording.buffer(codes.iter().map(|code| code.words.len()).sum())?;
    let out = recording.buffer(bytes)?;
    let rows = recording.table(&rows.0)?;

    recording.upload(words);
    let work = Work::Workgroups(segments.lengths.len());
    recording.dispatch(Kernel::LanesDecode, OVERRIDES, params, &[words, out, rows], work);
    recording.download(out, 0..bytes);
    Ok(recording)
}

/// Length of what [`encode`] downloads: each byte of a group takes at most one word.
pub(super) fn encoded_bytes(segments: Segments<'_>) -> usize {
    segments.lengths.len() * ENDS * 4 + segments.tables.len() * GROUP * 2
}

/// Length of what [`decode`] downloads.
pub(super) fn decoded_bytes(segments: Segments<'_>) -> usize {
    segments.tables.len() * GROUP + segments.lengths.len() * ENDS * 4
}

/// States and the number after them of each segment.
pub(super) fn ends(downloaded: &[u8]) -> impl Iterator<Item = ([u32; 32], usize)> {
    downloaded.as_chunks::<{ ENDS * 4 }>().0.iter().map(|bytes| {
        let numbers: [u32; ENDS] = bytemuck::pod_read_unaligned(bytes);
        (std::array::from_fn(|lane| numbers[lane]), numbers[ENDS - 1] as usize)
    })
}

/// Where the words of a segment lie in what [`encode`] downloads, the first of them being number
/// `first` and the segment ending with group `end`. An empty range if a device says nonsense.
pub(super) fn words_of(segments: Segments<'_>, first: usize, end: usize) -> Range<usize> {
    let start = segments.lengths.len() * ENDS * 4;
    let end = end * GROUP;
    start + 2 * first.min(end)..start + 2 * end
}

/// What the kernels read beside groups and words.
struct Rows(Vec<u32>);

impl Rows {
    fn new<'a>(segments: Segments<'_>, tables: impl Iterator<Item = &'a [u32]>) -> (Self, params::Rans) {
        let mut rows = Self(Vec::new());
        let starts: Vec<u32> = tables
            .map(|table| {
                let start = rows.0.len() as u32;
                rows.0.extend(table);
                start
            })
            .collect();
        let params = params::Rans {
            segments: segments.lengths.len() as u32,
            first_groups: rows.firsts(segments.lengths.iter().copied()),
            group_tables: rows.0.len() as u32,
            ..Default::default()
        };
        rows.0.extend(segments.tables.iter().map(|&table| starts[usize::from(table)]));
        (rows, params)
    }

    /// Appends where each of `lengths` begins and the last one ends. Returns where.
    fn firsts(&mut self, lengths: impl Iterator<Item = usize>) -> u32 {
        let start = self.0.len() as u32;
        let mut first = 0;
        self.0.push(0);
        for length in lengths {
            first += length as u32;
            self.0.push(first);
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{TileCounts, TileDecoderTables, TileEncoderTables};

    #[test]
    fn every_segment_is_a_workgroup() {
        let mut counts = TileCounts::new(1);
        counts.count(0, 64, &[1; GROUP]);
        let (tables, classes) = counts.tables();
        let (encoder, decoder) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
        let segments = Segments { lengths: &[2, 0, 1], tables: &[0; 3] };
        let workgroups =
            |recording: &Recording| recording.dispatches().map(|dispatch| dispatch.workgroups).collect::<Vec<_>>();
        let encode = encode(&encoder.all(), segments).unwrap();
        assert_eq!(workgroups(&encode), [[3, 1]]);
        assert_eq!(encode.download_bytes(), 3 * 33 * 4 + 3 * 64 * 2);
        let code = SegmentCode { states: [0; 32], words: vec![0; 6].into() };
        let decode = decode(&decoder.all(), segments, &[code.clone(), code.clone(), code]).unwrap();
        assert_eq!(workgroups(&decode), [[3, 1]]);
        assert_eq!(decode.download_bytes(), 3 * 33 * 4 + 3 * 64);
    }

    #[test]
    fn nonsense_of_a_device_stays_within_bounds() {
        let segments = Segments { lengths: &[2, 1], tables: &[0; 3] };
        assert_eq!(words_of(segments, 100, 2), 2 * 33 * 4 + 200..2 * 33 * 4 + 256);
        assert!(words_of(segments, usize::MAX, 3).is_empty());
        assert_eq!(words_of(segments, 0, 3).end, encoded_bytes(segments));
    }
}

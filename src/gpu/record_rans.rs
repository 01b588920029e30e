//! From segments of groups to the commands that code them.

use std::ops::Range;

use super::params;
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::codec::{DecodeTable, EncodeTable};
use crate::error::{Error, Result};
use crate::frame::GROUP;
use crate::stage::{SegmentCode, Segments};

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Most 16-bit words of a group: a byte adds at most log2(4096 * 9 / 8) bits to the state of its coder, because that is
/// at least 8 times the frequency, and a word takes 16.
const MOST_WORDS: usize = GROUP * 13 / 16;
/// Numbers that the encoder gives for a code: states, and where its words and escaped bytes begin and end.
const ENCODED_ENDS: usize = 36;
/// Numbers that the decoder gives for a code: states, words that it took, and escaped bytes.
const DECODED_ENDS: usize = 34;
/// Numbers of a code that the decoder is given besides states.
const ROW: usize = 6;

/// An entry of a list has the number of a table above that of a group.
const TABLE_SHIFT: u32 = 25;

/// What the encoder says of a code.
pub(super) struct EncodedEnd {
    pub states: [u32; 32],
    /// Bytes of [`Code::buffer`].
    pub words: Range<usize>,
    /// Bytes of the buffer of groups.
    pub escapes: Range<usize>,
}

impl EncodedEnd {
    /// Whether the code has no groups: escaped bytes would be in the last of them.
    pub fn is_empty(&self) -> bool {
        self.escapes.end == 0
    }
}

/// Where codes are put by the encoder: their ends, then words.
pub(super) struct Code {
    pub buffer: Slot,
    pub codes: usize,
}

impl Code {
    /// Length of the buffer for `codes` codes of `groups` groups.
    pub fn bytes(codes: usize, groups: usize) -> usize {
        codes * ENCODED_ENDS * 4 + groups * MOST_WORDS * 2
    }

    /// The part of the buffer that [`ends`](Self::ends) reads.
    pub fn head(&self) -> Range<usize> {
        0..self.codes * ENCODED_ENDS * 4
    }

    /// Reads the head.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if it cannot be of codes of `groups` groups.
    pub fn ends(&self, head: &[u8], groups: usize) -> Result<Vec<EncodedEnd>> {
        let end = |bytes: &[u8; ENCODED_ENDS * 4]| {
            let numbers: [u32; ENCODED_ENDS] = bytemuck::pod_read_unaligned(bytes);
            let [first_word, end_word, first_escape, end_escape] = [32, 33, 34, 35].map(|at| numbers[at] as usize);
            if first_word > end_word || end_word > groups * MOST_WORDS {
                return Err(nonsense("words"));
            }
            if first_escape > end_escape || end_escape > groups * GROUP {
                return Err(nonsense("escaped bytes"));
            }
            Ok(EncodedEnd {
                states: std::array::from_fn(|lane| numbers[lane]),
                words: self.head().end + 2 * first_word..self.head().end + 2 * end_word,
                escapes: first_escape..end_escape,
            })
        };
        head.as_chunks().0.iter().map(end).collect()
    }
}

/// Codes the groups of `list`, which begins with the first entry of each code and the one after its last. `groups` gets
/// what is escaped; from byte `halvings` on it says of each group how its residuals lie there.
pub(super) fn encode_list(
    recording: &mut Recording,
    tables: &[[u32; 256]],
    [list, groups]: [Slot; 2],
    halvings: usize,
    code: &Code,
) -> Result<()> {
    let tables = recording.table(tables)?;
    let params = params::Rans {
        codes: code.codes as u32,
        entries: 2 * code.codes as u32,
        most_words: MOST_WORDS as u32,
        words: (code.codes * ENCODED_ENDS) as u32,
        halvings: (halvings / 4) as u32,
        ..Default::default()
    };
    let storage = [list, groups, code.buffer, tables];
    recording.dispatch(Kernel::LanesEncode, OVERRIDES, params, &storage, Work::Workgroups(code.codes));
    Ok(())
}

/// Groups in; out, the buffer of codes, of which each segment has one.
pub(super) fn encode(tables: &[&EncodeTable], segments: Segments<'_>) -> Result<(Recording, Code)> {
    let mut recording = Recording::default();
    let tables: Vec<_> = tables.iter().map(|table| *table.as_array()).collect();
    let group_bytes = segments.tables.len() * GROUP;
    let halvings = group_bytes..group_bytes + segments.tables.len().next_multiple_of(4);
    let groups = recording.buffer(halvings.end)?;
    let mut list: Vec<u32> = entry_ranges(segments).flat_map(|range| [range.start as u32, range.end as u32]).collect();
    list.extend(entries(segments)?);
    let list = recording.table(&list)?;
    let codes = segments.lengths.len();
    let bytes = Code::bytes(codes, segments.tables.len());
    let code = Code { buffer: recording.buffer(bytes)?, codes };

    recording.upload(groups);
    // Residuals are bytes.
    recording.clear_part(groups, halvings);
    encode_list(&mut recording, &tables, [list, groups], group_bytes, &code)?;
    recording.download(code.buffer, 0..bytes);
    Ok((recording, code))
}

/// A code to be decoded.
pub(super) struct Row<'a> {
    /// Entries of the list.
    pub entries: Range<usize>,
    /// 16-bit words of the buffer of words.
    pub words: Range<usize>,
    /// Where the places of its escaped bytes go in the buffer of the list.
    pub places: Range<usize>,
    pub states: &'a [u32; 32],
}

/// What is decoded: bytes of these go after the list in its buffer.
pub(super) struct Ends {
    /// First of them, as a 32-bit word.
    pub first: usize,
    pub codes: usize,
}

impl Ends {
    /// 32-bit words of the ends of `codes` codes.
    pub const fn words(codes: usize) -> usize {
        codes * DECODED_ENDS
    }

    /// The bytes that [`read`](Self::read) reads.
    pub fn bytes(&self) -> Range<usize> {
        4 * self.first..4 * (self.first + Self::words(self.codes))
    }

    /// States, words taken, and escaped bytes of each code.
    pub fn read(bytes: &[u8]) -> impl Iterator<Item = ([u32; 32], usize, usize)> {
        bytes.as_chunks::<{ DECODED_ENDS * 4 }>().0.iter().map(|bytes| {
            let numbers: [u32; DECODED_ENDS] = bytemuck::pod_read_unaligned(bytes);
            (std::array::from_fn(|lane| numbers[lane]), numbers[32] as usize, numbers[33] as usize)
        })
    }
}

/// Decodes the groups of `list`, whose entries begin with word `entries`.
pub(super) fn decode_list<'a>(
    recording: &mut Recording,
    tables: &[&DecodeTable],
    rows: impl Iterator<Item = Row<'a>>,
    [words, groups, list]: [Slot; 3],
    entries: usize,
    ends: &Ends,
) -> Result<()> {
    let mut numbers: Vec<u32> = tables.iter().flat_map(|table| table.as_array()).copied().collect();
    let params = params::Rans {
        codes: ends.codes as u32,
        entries: entries as u32,
        rows: numbers.len() as u32,
        ends: ends.first as u32,
        ..Default::default()
    };
    for Row { entries, words, places, states } in rows {
        let row: [usize; ROW] =
            [entries.start, entries.end, words.start, words.end, places.start, places.end - places.start];
        numbers.extend(row.map(|number| number as u32));
        numbers.extend(states);
    }
    let tables = recording.table(&numbers)?;
    let storage = [words, groups, list, tables];
    recording.dispatch(Kernel::LanesDecode, OVERRIDES, params, &storage, Work::Workgroups(ends.codes));
    Ok(())
}

/// Words in, as many bytes as those of `codes`; out, the groups, then the [`Ends`] of each segment.
pub(super) fn decode(tables: &[&DecodeTable], segments: Segments<'_>, codes: &[SegmentCode<'_>]) -> Result<Recording> {
    let mut recording = Recording::default();
    let group_bytes = segments.tables.len() * GROUP;
    let words = recording.buffer(codes.iter().map(|code| code.words.len()).sum())?;
    let groups = recording.buffer(group_bytes)?;
    let mut list = entries(segments)?;
    let ends = Ends { first: list.len(), codes: codes.len() };
    list.resize(list.len() + Ends::words(codes.len()), 0);
    let list = recording.table(&list)?;

    recording.upload(words);
    let mut next = 0;
    let rows = entry_ranges(segments).zip(codes).map(|(entries, code)| {
        let first = next;
        next += code.words.len() / 2;
        Row { entries, words: first..next, places: 0..0, states: &code.states }
    });
    decode_list(&mut recording, tables, rows, [words, groups, list], 0, &ends)?;
    recording.download(groups, 0..group_bytes);
    recording.download_to(group_bytes, list, ends.bytes());
    Ok(recording)
}

/// The entries of each segment.
fn entry_ranges(segments: Segments<'_>) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    segments.lengths.iter().map(move |length| {
        let first = next;
        next += length;
        first..next
    })
}

/// Every group with its table.
fn entries(segments: Segments<'_>) -> Result<Vec<u32>> {
    check_entries(segments.tables.len(), segments.tables.iter().max().map_or(0, |&last| usize::from(last) + 1))?;
    let entry = |(group, &table): (u32, &u16)| u32::from(table) << TABLE_SHIFT | group;
    Ok((0..).zip(segments.tables).map(entry).collect())
}

/// Checks that entries have room for the numbers of groups and tables.
pub(super) fn check_entries(groups: usize, tables: usize) -> Result<()> {
    if groups > 1 << TABLE_SHIFT || tables > 1 << (u32::BITS - TABLE_SHIFT) {
        return Err(Error::gpu(format!("batch too large: {groups} groups and {tables} tables")));
    }
    Ok(())
}

fn nonsense(what: &str) -> Error {
    Error::gpu(format!("the device says of a code that its {what} are where there are none"))
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
        let (encode, _) = encode(&encoder.all(), segments).unwrap();
        assert_eq!(workgroups(&encode), [[3, 1]]);
        assert_eq!(encode.download_bytes(), 3 * 36 * 4 + 3 * 52 * 2);
        let code = SegmentCode { states: [0; 32], words: vec![0; 6].into() };
        let decode = decode(&decoder.all(), segments, &[code.clone(), code.clone(), code]).unwrap();
        assert_eq!(workgroups(&decode), [[3, 1]]);
        assert_eq!(decode.download_bytes(), 3 * 34 * 4 + 3 * 64);
    }

    /// Where a symbol has the least frequency and the state of its coder is the least that does not give a word first,
    /// or what is left after a word.
    #[test]
    fn a_group_has_room_for_its_words() {
        for state in [8u64, 9, 1 << 15] {
            let grown = (state << 12) + 4095;
            assert!(grown < state << 13);
        }
        assert!(MOST_WORDS * 16 >= GROUP * 13 && MOST_WORDS.is_multiple_of(2));
    }

    #[test]
    fn nonsense_of_a_device_is_an_error() {
        let code = Code { buffer: Slot(0), codes: 1 };
        let ends = |changed: Option<(usize, u32)>| {
            let mut numbers = [0u32; ENCODED_ENDS];
            numbers[33] = 2 * MOST_WORDS as u32;
            numbers[35] = 2 * GROUP as u32;
            if let Some((at, number)) = changed {
                numbers[at] = number;
            }
            code.ends(bytemuck::bytes_of(&numbers), 2)
        };
        let whole = ends(None).unwrap().remove(0);
        assert_eq!((whole.words.end, whole.escapes.end), (Code::bytes(1, 2), 2 * GROUP));
        for changed in [(32, u32::MAX), (33, 2 * MOST_WORDS as u32 + 1), (34, u32::MAX), (35, 2 * GROUP as u32 + 1)] {
            assert!(ends(Some(changed)).is_err(), "{changed:?}");
        }
    }

    #[test]
    fn entries_have_room_for_their_numbers() {
        assert!(check_entries(1 << 25, 128).is_ok());
        assert!(check_entries((1 << 25) + 1, 1).is_err());
        assert!(check_entries(1, 129).is_err());
    }
}

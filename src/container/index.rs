//! The index at the end of a file: where each record is, and how many frames there are. A
//! convenience: everything in it can be found again by walking the records.

use std::io::Read;

use super::checksum::checksum;
use super::prefix::PREFIX_BYTES;
use super::wire::{Appender, Cursor, read_exactly};
use crate::error::{BatchLocation, Error, Result};

pub(super) const INDEX_MAGIC: [u8; 4] = *b"FPKI";

pub(super) const END_MAGIC: [u8; 4] = *b"FPKE";

/// Bytes of the footer that ends a file.
pub(super) const FOOTER_BYTES: u64 = 12;

const ENTRY_BYTES: u64 = 24;

/// Bytes of an index without entries.
const EMPTY_BYTES: u64 = 28;

const WHAT: &str = "index";

/// Where one batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchEntry {
    /// Number of the batch in its file.
    pub number: u64,
    /// Position of its record in the file.
    pub offset: u64,
    /// First frame of the batch.
    pub first_frame: u64,
    /// Frames of the batch.
    pub frames: u64,
}

impl BatchEntry {
    /// The batch, for messages.
    pub fn location(&self) -> BatchLocation {
        BatchLocation { batch: self.number, first_frame: self.first_frame, frames: self.frames }
    }

    /// The frame after the last.
    pub(super) fn end(&self) -> u64 {
        self.first_frame.saturating_add(self.frames)
    }
}

/// Index and footer for records at `entries`, to be written at `offset`.
pub(super) fn to_bytes(entries: &[BatchEntry], offset: u64) -> Vec<u8> {
    let mut out = Appender::default();
    out.bytes(&INDEX_MAGIC);
    out.u64(entries.len() as u64);
    for entry in entries {
        out.u64(entry.offset);
        out.u64(entry.first_frame);
        out.u64(entry.frames);
    }
    out.u64(entries.last().map_or(0, BatchEntry::end));
    out.u64(checksum(out.as_bytes()));
    out.u64(offset);
    out.bytes(&END_MAGIC);
    out.into_bytes()
}

/// Reads an index, whose magic has been read already and whose checksum has to hold: the number of its
/// batches, and its bytes up to the checksum, of which there may be `most_bytes`.
fn read_checked(input: &mut impl Read, most_bytes: u64) -> Result<(u64, Vec<u8>)> {
    let mut bytes = INDEX_MAGIC.to_vec();
    read_exactly(input, WHAT, 8, &mut bytes)?;
    let count = Cursor::new(WHAT, &bytes[INDEX_MAGIC.len()..]).u64("batches")?;
    let rest =
        count.checked_mul(ENTRY_BYTES).and_then(|table| table.checked_add(16)).filter(|&rest| rest <= most_bytes);
    let rest = rest.ok_or_else(|| Error::corrupt(format!("{WHAT}: {count} batches are too many")))?;
    read_exactly(input, WHAT, rest, &mut bytes)?;
    let stored = Cursor::new(WHAT, &bytes[bytes.len() - 8..]).u64("checksum")?;
    bytes.truncate(bytes.len() - 8);
    let found = checksum(&bytes);
    if stored != found {
        return Err(Error::corrupt(format!("{WHAT}: checksum: expected {stored:016x}, found {found:016x}")));
    }
    Ok((count, bytes))
}

/// The frames that an index counts, and its length. Its magic has been read already; the footer need not be there.
pub(super) fn read_total(input: &mut impl Read, most_bytes: u64) -> Result<(u64, u64)> {
    let (count, covered) = read_checked(input, most_bytes)?;
    let total = Cursor::new(WHAT, &covered[covered.len() - 8..]).u64("frames")?;
    Ok((total, EMPTY_BYTES + ENTRY_BYTES * count))
}

/// Reads index and footer, whose magic has been read already and lies at `offset`, for a file whose
/// header has `header_bytes` bytes.
pub(super) fn read_after_magic(input: &mut impl Read, offset: u64, header_bytes: u64) -> Result<Vec<BatchEntry>> {
    let (count, covered) = read_checked(input, u64::MAX)?;
    let mut fields = Cursor::new(WHAT, &covered[INDEX_MAGIC.len() + 8..]);
    // `count` entries have been read, so this many are there.
    let mut entries = Vec::new();
    let (mut earliest, mut frame) = (header_bytes, 0);
    for number in 0..count {
        let entry = BatchEntry {
            number,
            offset: fields.u64("offset")?,
            first_frame: fields.u64("first frame")?,
            frames: fields.u64("frames")?,
        };
        let record_end = entry.offset.checked_add(PREFIX_BYTES as u64).filter(|&end| end <= offset);
        let end_frame = entry.first_frame.checked_add(entry.frames);
        match (record_end, end_frame) {
            (Some(record_end), Some(end_frame))
                if entry.offset >= earliest && entry.first_frame == frame && entry.frames > 0 =>
            {
                (earliest, frame) = (record_end, end_frame);
            }
            _ => return Err(Error::corrupt(format!("{WHAT}: batch {number} is out of order or out of range"))),
        }
        entries.push(entry);
    }
    let total = fields.u64("frames")?;
    if total != frame {
        return Err(Error::corrupt(format!("{WHAT}: frames: expected {frame}, found {total}")));
    }
    fields.finish()?;

    let mut footer = Vec::new();
    read_exactly(input, "footer", FOOTER_BYTES, &mut footer)?;
    if footer_offset(&footer)? != offset {
        return Err(Error::corrupt(format!("footer: expected the offset {offset} of the index")));
    }
    Ok(entries)
}

/// The position of the index, from the bytes of a footer.
pub(super) fn footer_offset(footer: &[u8]) -> Result<u64> {
    let mut fields = Cursor::new("footer", footer);
    let offset = fields.u64("offset of the index")?;
    let magic = fields.bytes("end magic", END_MAGIC.len())?;
    if magic != END_MAGIC {
        return Err(Error::corrupt(format!("footer: expected the end magic {END_MAGIC:02x?}, found {magic:02x?}")));
    }
    fields.finish()?;
    Ok(offset)
}

/// Bytes of index and footer for `count` batches.
pub(super) fn length(count: usize) -> u64 {
    EMPTY_BYTES + ENTRY_BYTES * count as u64 + FOOTER_BYTES
}

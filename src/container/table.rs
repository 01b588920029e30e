//! Where the records of a file are.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::header::FileHeader;
use super::index::{self, BatchEntry, FOOTER_BYTES, INDEX_MAGIC};
use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix};
use super::scan;
use super::sequence::Sequence;
use super::wire::{read_exactly, read_up_to};
use crate::error::{Error, ErrorKind, Result};

/// Header and batches of a file. The batches come from the index, or, where that is missing or damaged, from walking the
/// records.
#[derive(Debug)]
pub struct BatchTable {
    header: FileHeader,
    entries: Vec<BatchEntry>,
    /// Where the last record ends at most.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "only stores are asked for whole records"))]
    end: u64,
    damage: Vec<Error>,
}

impl BatchTable {
    /// Reads the file header and the index, or walks the records.
    ///
    /// # Errors
    /// As [`FileHeader::read`], and errors of `input`. Damage after the file header is no error
    /// here: see [`BatchTable::damage`].
    pub fn read(input: &mut (impl Read + Seek), limits: &Limits) -> Result<Self> {
        let file_bytes = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let (header, header_bytes) = FileHeader::read(input, limits)?;
        match read_index(input, header_bytes, file_bytes) {
            Ok((entries, end)) => Ok(Self { header, entries, end, damage: Vec::new() }),
            Err(error) if error.kind() == ErrorKind::Io => Err(error),
            Err(error) => {
                let mut table = Self { header, entries: Vec::new(), end: file_bytes, damage: vec![error] };
                table.walk(input, header_bytes, file_bytes)?;
                Ok(table)
            }
        }
    }

    /// The same of a file whose records cannot be walked: where each is would be a request of its own.
    ///
    /// # Errors
    /// As [`FileHeader::read`]; [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] without an intact index.
    #[cfg(feature = "object-store")]
    pub fn read_indexed(input: &mut (impl Read + Seek), limits: &Limits) -> Result<Self> {
        let file_bytes = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let (header, header_bytes) = FileHeader::read(input, limits)?;
        let (entries, end) = read_index(input, header_bytes, file_bytes)?;
        Ok(Self { header, entries, end, damage: Vec::new() })
    }

    /// Where the record at a position in [`BatchTable::batches`] is; it may end before that does.
    #[cfg(feature = "object-store")]
    pub fn record_range(&self, at: usize) -> Range<u64> {
        let end = self.entries.get(at + 1).map_or(self.end, |next| next.offset);
        self.entries[at].offset..end
    }

    /// Lists the records from their prefixes.
    fn walk(&mut self, input: &mut (impl Read + Seek), header_bytes: u64, file_bytes: u64) -> Result<()> {
        let mut position = header_bytes;
        let mut sequence = Sequence::default();
        input.seek(SeekFrom::Start(position))?;
        while position < file_bytes {
            let mut window = Vec::new();
            read_up_to(&mut *input, PREFIX_BYTES as u64, &mut window)?;
            if window.starts_with(&INDEX_MAGIC) {
                return Ok(());
            }
            let prefix = match Prefix::parse(&window) {
                Ok(prefix) => prefix,
                Err(error) => {
                    self.damage.push(error);
                    sequence.lose();
                    let Some((skipped, prefix)) = scan::next_prefix(&mut *input, window)? else {
                        return Ok(());
                    };
                    position += skipped;
                    prefix
                }
            };
            let end = prefix.end(position);
            if end > file_bytes {
                let (expected, left) = (end - position, file_bytes - position);
                self.damage.push(
                    Error::truncated(format!("batch record: expected {expected} bytes, found {left}"))
                        .at(prefix.location()),
                );
                return Ok(());
            }
            match sequence.admit(&prefix) {
                Ok(()) => self.entries.push(BatchEntry {
                    number: prefix.number,
                    offset: position,
                    first_frame: prefix.first_frame,
                    frames: prefix.frames,
                }),
                Err(error) => self.damage.push(error.at(prefix.location())),
            }
            // What is buffered is not read again.
            match i64::try_from(prefix.body_bytes()) {
                Ok(body_bytes) => input.seek_relative(body_bytes)?,
                Err(_) => input.seek(SeekFrom::Start(end)).map(drop)?,
            }
            position = end;
        }
        Ok(())
    }

    /// The file header.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// What was wrong with the index, and what was met on the walk that replaced it. Damage within
    /// the records of the table is found when they are read.
    pub fn damage(&self) -> &[Error] {
        &self.damage
    }

    /// The batches that were found, in order. Without an intact index some may be missing between
    /// them.
    pub fn batches(&self) -> &[BatchEntry] {
        &self.entries
    }

    /// The frame after the last that was found.
    pub fn total_frames(&self) -> u64 {
        self.entries.last().map_or(0, BatchEntry::end)
    }

    /// Position in [`BatchTable::batches`] of the batch that holds `frame`.
    pub fn find(&self, frame: u64) -> Option<usize> {
        let after = self.entries.partition_point(|entry| entry.first_frame <= frame);
        let at = after.checked_sub(1)?;
        (frame < self.entries[at].end()).then_some(at)
    }

    /// The positions in [`BatchTable::batches`] of the batches that hold the frames of `range`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the range is not within the file; [`ErrorKind::Corrupt`] if some of its frames are
    /// lost.
    pub fn batches_of_frames(&self, range: &Range<u64>) -> Result<Range<usize>> {
        if range.start > range.end || range.end > self.total_frames() {
            return Err(Error::invalid(format!(
                "frames {}..{}: expected a range within 0..{}",
                range.start,
                range.end,
                self.total_frames()
            )));
        }
        let mut frame = range.start;
        let first = self.find(frame);
        let mut batches = first.unwrap_or(0)..first.unwrap_or(0);
        while frame < range.end {
            let at = self.find(frame).ok_or_else(|| Error::corrupt(format!("frame {frame} is lost")))?;
            frame = self.entries[at].end();
            batches.end = at + 1;
        }
        Ok(batches)
    }
}

/// Reads the index at the end of a file of `file_bytes` bytes: the batches, and where it begins.
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] if there is none that is intact; errors of `input`.
pub fn read_index(
    input: &mut (impl Read + Seek),
    header_bytes: u64,
    file_bytes: u64,
) -> Result<(Vec<BatchEntry>, u64)> {
    let missing = || Error::truncated("the file ends without its index");
    let footer_at = file_bytes.checked_sub(FOOTER_BYTES).filter(|&at| at >= header_bytes).ok_or_else(missing)?;
    input.seek(SeekFrom::Start(footer_at))?;
    let mut footer = Vec::new();
    read_exactly(input, "footer", FOOTER_BYTES, &mut footer)?;
    let offset = index::footer_offset(&footer)?;
    if offset < header_bytes || offset > footer_at {
        return Err(Error::corrupt(format!("footer: the offset {offset} of the index is outside the file")));
    }
    input.seek(SeekFrom::Start(offset))?;
    let mut magic = Vec::new();
    read_exactly(input, "index", INDEX_MAGIC.len() as u64, &mut magic)?;
    if magic != INDEX_MAGIC {
        return Err(Error::corrupt(format!("index: expected the magic {INDEX_MAGIC:02x?}, found {magic:02x?}")));
    }
    let entries = index::read_after_magic(input, offset, header_bytes)?;
    if offset.checked_add(index::length(entries.len())) != Some(file_bytes) {
        return Err(Error::corrupt("index: it does not end where the file does"));
    }
    Ok((entries, offset))
}

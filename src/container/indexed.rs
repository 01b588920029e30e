//! Reading the records of a file in any order.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::header::FileHeader;
use super::index::{self, BatchEntry, FOOTER_BYTES, INDEX_MAGIC};
use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix};
use super::record::{BatchRecord, RecordHead};
use super::scan;
use super::sequence::Sequence;
use super::wire::{read_exactly, read_up_to};
use crate::error::{Error, ErrorKind, Result};

/// Reads any record of a file that can be sought. The table of batches comes from the index, or,
/// where that is missing or damaged, from walking the records.
#[derive(Debug)]
pub struct IndexedReader<R> {
    input: BufReader<R>,
    header: FileHeader,
    limits: Limits,
    entries: Vec<BatchEntry>,
    damage: Vec<Error>,
}

impl<R: Read + Seek> IndexedReader<R> {
    /// Reads the file header and the index, or walks the records.
    ///
    /// # Errors
    /// As [`FileHeader::read`], and errors of `input`. Damage after the file header is no error
    /// here: see [`IndexedReader::damage`].
    pub fn open(input: R, limits: Limits) -> Result<Self> {
        let mut input = BufReader::new(input);
        let file_bytes = input.seek(SeekFrom::End(0))?;
        input.seek(SeekFrom::Start(0))?;
        let (header, header_bytes) = FileHeader::read(&mut input, &limits)?;
        let mut reader = Self { input, header, limits, entries: Vec::new(), damage: Vec::new() };
        match read_index(&mut reader.input, header_bytes, file_bytes) {
            Ok(entries) => reader.entries = entries,
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Err(error) => {
                reader.damage.push(error);
                reader.walk(header_bytes, file_bytes)?;
            }
        }
        Ok(reader)
    }

    /// Lists the records from their prefixes.
    fn walk(&mut self, header_bytes: u64, file_bytes: u64) -> Result<()> {
        let mut position = header_bytes;
        let mut sequence = Sequence::default();
        while position < file_bytes {
            self.input.seek(SeekFrom::Start(position))?;
            let mut window = Vec::new();
            read_up_to(&mut self.input, PREFIX_BYTES as u64, &mut window)?;
            if window.starts_with(&INDEX_MAGIC) {
                return Ok(());
            }
            let prefix = match Prefix::parse(&window) {
                Ok(prefix) => prefix,
                Err(error) => {
                    self.damage.push(error);
                    sequence.lose();
                    let Some((skipped, prefix)) = scan::next_prefix(&mut self.input, window)? else {
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

    /// Position in [`IndexedReader::batches`] of the batch that holds `frame`.
    pub fn find(&self, frame: u64) -> Option<usize> {
        let after = self.entries.partition_point(|entry| entry.first_frame <= frame);
        let at = after.checked_sub(1)?;
        (frame < self.entries[at].end()).then_some(at)
    }

    /// Reads the record at a position in [`IndexedReader::batches`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if there is no such position; otherwise as
    /// [`RecordReader::next`](super::RecordReader::next), with the location of the batch.
    pub fn read_record(&mut self, at: usize) -> Result<BatchRecord> {
        let prefix = self.prefix_at(at)?;
        BatchRecord::read_body(&prefix, &mut self.input, &self.header.format, &self.limits)
    }

    /// Reads the record at a position in [`IndexedReader::batches`] without its payload.
    ///
    /// # Errors
    /// As [`IndexedReader::read_record`].
    pub fn read_head(&mut self, at: usize) -> Result<RecordHead> {
        let prefix = self.prefix_at(at)?;
        RecordHead::read(&prefix, &mut self.input, &self.header.format, &self.limits)
    }

    /// Reads a prefix and leaves the input at what follows it.
    fn prefix_at(&mut self, at: usize) -> Result<Prefix> {
        let Some(&entry) = self.entries.get(at) else {
            return Err(Error::invalid(format!("batch: expected less than {}, found {at}", self.entries.len())));
        };
        let mut read = || {
            self.input.seek(SeekFrom::Start(entry.offset))?;
            let mut bytes = Vec::new();
            read_exactly(&mut self.input, "batch record", PREFIX_BYTES as u64, &mut bytes)?;
            let prefix = Prefix::parse(&bytes)?;
            if prefix.location() != entry.location() {
                return Err(Error::corrupt(format!(
                    "batch record: expected the batch of the index, found batch {} from frame {}",
                    prefix.number, prefix.first_frame
                )));
            }
            Ok(prefix)
        };
        read().map_err(|error| error.at(entry.location()))
    }
}

/// Reads the index at the end of a file of `file_bytes` bytes.
///
/// # Errors
/// [`ErrorKind::Corrupt`] or [`ErrorKind::Truncated`] if there is none that is intact; errors of `input`.
pub fn read_index(input: &mut (impl Read + Seek), header_bytes: u64, file_bytes: u64) -> Result<Vec<BatchEntry>> {
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
    Ok(entries)
}

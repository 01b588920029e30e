//! Where writing can go on at the end of a file.

use std::io::{Read, Seek, SeekFrom};

use super::header::FileHeader;
use super::index::{self, BatchEntry, INDEX_MAGIC};
use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix, RECORD_MAGIC};
use super::search::{Finding, Search};
use super::table::read_index;
use super::wire::read_up_to;
use crate::error::{Error, ErrorKind, Result};

/// What a file holds, and where its records end.
#[derive(Debug)]
pub struct Resumption {
    /// The file header.
    pub header: FileHeader,
    pub(super) entries: Vec<BatchEntry>,
    /// The end of the last record: an index follows, or what is left of an index or of a record.
    pub position: u64,
    /// Whether the index is there and intact.
    pub(super) indexed: bool,
}

impl Resumption {
    /// Looks at a file that is whole, or was cut while its last record or its index was written.
    ///
    /// # Errors
    /// As [`FileHeader::read`]; [`ErrorKind::Corrupt`] if anything else is wrong with
    /// the file, so that more than what was cut would be lost.
    pub fn find(mut file: impl Read + Seek, limits: Limits) -> Result<Self> {
        let file_bytes = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let (header, header_bytes) = FileHeader::read(&mut file, &limits)?;
        match read_index(&mut file, header_bytes, file_bytes) {
            Ok((entries, _)) => {
                let position = match entries.last() {
                    Some(last) => prefix_at(&mut file, last.offset)?.map_or(0, |prefix| prefix.end(last.offset)),
                    None => header_bytes,
                };
                // Between the records and the index of a file there is nothing.
                if position.checked_add(index::length(entries.len())) == Some(file_bytes) {
                    return Ok(Self { header, entries, position, indexed: true });
                }
            }
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Err(_) => {}
        }
        let (entries, position) = chain(&mut file, header_bytes, file_bytes)?;
        if !is_cut(&mut file, position, file_bytes, entries.len(), limits)? {
            return Err(Error::corrupt(format!(
                "the file is damaged, not merely cut after its {} batches; recover it before frames are appended",
                entries.len()
            )));
        }
        Ok(Self { header, entries, position, indexed: false })
    }
}

/// The prefix at a position, if there is one.
fn prefix_at(file: &mut (impl Read + Seek), position: u64) -> Result<Option<Prefix>> {
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    read_up_to(file, PREFIX_BYTES as u64, &mut bytes)?;
    Ok(Prefix::parse(&bytes).ok())
}

/// The records that follow one another from the header on, and where the last of them ends.
fn chain(file: &mut (impl Read + Seek), header_bytes: u64, file_bytes: u64) -> Result<(Vec<BatchEntry>, u64)> {
    let (mut entries, mut position, mut first_frame) = (Vec::new(), header_bytes, 0);
    while let Some(prefix) = prefix_at(file, position)? {
        let number = entries.len() as u64;
        let end = prefix.end(position);
        if (prefix.number, prefix.first_frame) != (number, first_frame) || end > file_bytes {
            break;
        }
        entries.push(BatchEntry { number, offset: position, first_frame, frames: prefix.frames });
        first_frame += prefix.frames;
        position = end;
    }
    Ok((entries, position))
}

/// Whether what follows the last of `count` records is nothing but the start of a record or an index, or an index.
fn is_cut(file: &mut (impl Read + Seek), position: u64, file_bytes: u64, count: usize, limits: Limits) -> Result<bool> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(position))?;
    read_up_to(file, PREFIX_BYTES as u64, &mut head)?;
    let magic = &head[..head.len().min(RECORD_MAGIC.len())];
    let is_index = INDEX_MAGIC.starts_with(magic) && file_bytes - position <= index::length(count);
    let is_record = RECORD_MAGIC.starts_with(magic)
        && (head.len() < PREFIX_BYTES || Prefix::parse(&head).is_ok_and(|prefix| prefix.end(position) > file_bytes));
    if !is_index && !is_record {
        return Ok(false);
    }
    // The start of a record may hide another file.
    let mut search = Search::new(file, position + 1, limits)?;
    while let Some(finding) = search.next()? {
        if matches!(finding, Finding::Header { .. } | Finding::Record(_)) {
            return Ok(false);
        }
    }
    Ok(true)
}

//! Finding every header, record and index that is intact, wherever in a file they are: between other
//! bytes, after a cut, behind another file.
//!
//! What is intact is passed over as a whole, so that files within files stay what they are. A damaged
//! record is passed over too if what may follow it begins where it says that it ends. Otherwise its length is not
//! trusted and the search goes on inside it, where the rest of the file may be if it was cut.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::header::{FileHeader, MAGIC};
use super::index::{self, END_MAGIC, FOOTER_BYTES, INDEX_MAGIC};
use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix, RECORD_MAGIC};
use super::record::BatchRecord;
use super::wire::read_up_to;
use crate::error::{BatchLocation, Error, ErrorKind, Result};
use crate::frame::FrameFormat;

/// Bytes read at a time where nothing is intact.
const WINDOW_BYTES: u64 = 1 << 18;

/// Bytes that all magics have.
const MAGIC_BYTES: usize = 4;

/// Something that the search came to.
#[derive(Debug)]
pub enum Finding {
    /// An intact file header: another file begins. The search is where it ends.
    Header { header: FileHeader, bytes: u64 },
    /// A record whose prefix is intact.
    Record(FoundRecord),
    /// An index. Its number of frames is unknown, and none of its bytes are intact, if it is damaged or cut.
    Index { frames: Option<u64>, bytes: u64 },
}

/// A record whose prefix is intact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundRecord {
    position: u64,
    prefix: Prefix,
}

impl FoundRecord {
    /// What the record says of itself.
    pub fn location(&self) -> BatchLocation {
        self.prefix.location()
    }

    /// Position of the record.
    pub fn start(&self) -> u64 {
        self.position
    }

    /// Where the record says that it ends.
    pub fn end(&self) -> u64 {
        self.prefix.end(self.position)
    }
}

/// A search from front to back.
#[derive(Debug)]
pub struct Search<R> {
    input: R,
    limits: Limits,
    file_bytes: u64,
    position: u64,
    /// Bytes that may still be read in vain and then searched. When they are spent, what is damaged is
    /// passed over as far as it says it reaches, so that the time stays linear in the length of the file.
    spare_bytes: u64,
    window: Vec<u8>,
    /// Position of the window.
    window_start: u64,
    header_error: Option<Error>,
}

impl<R: Read + Seek> Search<R> {
    /// A search from `position` on.
    ///
    /// # Errors
    /// Errors of `input`.
    pub fn new(mut input: R, position: u64, limits: Limits) -> Result<Self> {
        let file_bytes = input.seek(SeekFrom::End(0))?;
        Ok(Self {
            input,
            limits,
            file_bytes,
            position,
            spare_bytes: file_bytes,
            window: Vec::new(),
            window_start: 0,
            header_error: None,
        })
    }

    /// Bytes of the file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// Where the search is.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The first intact file header; then the search starts again from the front.
    ///
    /// # Errors
    /// What is wrong with the header where one ought to be; errors of the input.
    pub fn first_header(&mut self) -> Result<FileHeader> {
        while let Some(finding) = self.next()? {
            match finding {
                Finding::Header { header, .. } => {
                    self.position = 0;
                    self.spare_bytes = self.file_bytes;
                    return Ok(header);
                }
                Finding::Record(record) => self.pass(&record)?,
                Finding::Index { .. } => {}
            }
        }
        if let Some(error) = self.header_error.take() {
            return Err(error);
        }
        // There is none: what is at the front instead says how.
        self.input.seek(SeekFrom::Start(0))?;
        FileHeader::read(&mut self.input, &self.limits).map(|(header, _)| header)
    }

    /// What comes next, or `None` at the end. A record is to be read or passed.
    ///
    /// # Errors
    /// Errors of the input.
    #[allow(clippy::should_implement_trait, reason = "`?` works on this order of Result and Option")]
    pub fn next(&mut self) -> Result<Option<Finding>> {
        let in_place = self.position;
        while let Some(magic) = self.next_magic()? {
            let finding = match magic {
                Magic::Header => self.header()?,
                Magic::Record => self.record()?,
                Magic::Index => self.index(self.position == in_place)?,
            };
            if finding.is_some() {
                return Ok(finding);
            }
        }
        Ok(None)
    }

    fn record(&mut self) -> Result<Option<Finding>> {
        self.fill(PREFIX_BYTES)?;
        let Some(prefix) = self.ahead().get(..PREFIX_BYTES).and_then(|bytes| Prefix::parse(bytes).ok()) else {
            self.position += 1;
            return Ok(None);
        };
        let found = FoundRecord { position: self.position, prefix };
        self.position += PREFIX_BYTES as u64;
        Ok(Some(Finding::Record(found)))
    }

    /// An index that is damaged is one only where it ought to be.
    fn index(&mut self, in_place: bool) -> Result<Option<Finding>> {
        let start = self.position;
        self.input.seek(SeekFrom::Start(start + INDEX_MAGIC.len() as u64))?;
        match index::read_total(&mut self.input, self.limits.max_header_bytes) {
            Ok((frames, bytes)) => {
                let mut footer = Vec::new();
                read_up_to(&mut self.input, FOOTER_BYTES, &mut footer)?;
                let has_footer = footer.len() as u64 == FOOTER_BYTES && footer.ends_with(&END_MAGIC);
                let bytes = bytes + if has_footer { FOOTER_BYTES } else { 0 };
                self.position = start + bytes;
                Ok(Some(Finding::Index { frames: Some(frames), bytes }))
            }
            Err(error) if error.kind() == ErrorKind::Io => Err(error),
            Err(_) => {
                self.retreat(start + 1)?;
                Ok(in_place.then_some(Finding::Index { frames: None, bytes: 0 }))
            }
        }
    }

    fn header(&mut self) -> Result<Option<Finding>> {
        let start = self.position;
        self.input.seek(SeekFrom::Start(start))?;
        match FileHeader::read(&mut self.input, &self.limits) {
            Ok((header, bytes)) => {
                self.position = start + bytes;
                Ok(Some(Finding::Header { header, bytes }))
            }
            Err(error) if error.kind() == ErrorKind::Io => Err(error),
            Err(error) => {
                self.retreat(start + 1)?;
                self.header_error.get_or_insert(error);
                Ok(None)
            }
        }
    }

    /// Reads a record, and goes on after it.
    ///
    /// # Errors
    /// As [`RecordReader::next`](super::RecordReader::next), with the location of the batch.
    pub fn read_record(&mut self, found: &FoundRecord, format: &FrameFormat) -> Result<BatchRecord> {
        let body = found.position + PREFIX_BYTES as u64;
        if found.end() > self.file_bytes {
            self.position = body;
            return Err(Error::truncated(format!(
                "batch record: expected {} bytes, found {} before the end",
                found.end() - found.position,
                self.file_bytes - found.position
            ))
            .at(found.location()));
        }
        self.input.seek(SeekFrom::Start(body))?;
        let mut input = BufReader::new(&mut self.input);
        let result = BatchRecord::read_body(&found.prefix, &mut input, format, &self.limits);
        match &result {
            Ok(_) => self.position = found.end(),
            Err(error) if error.kind() == ErrorKind::Io => {}
            Err(_) => self.pass(found)?,
        }
        result
    }

    /// Goes on after a record that is not wanted: after its end if what may follow it begins there, and
    /// within it otherwise.
    ///
    /// # Errors
    /// Errors of the input.
    pub fn pass(&mut self, found: &FoundRecord) -> Result<()> {
        let body = found.position + PREFIX_BYTES as u64;
        if found.end() > self.file_bytes {
            self.position = body;
            return Ok(());
        }
        self.position = found.end();
        self.fill(PREFIX_BYTES)?;
        let next = self.ahead();
        let begins = next.is_empty()
            || next.starts_with(&MAGIC)
            || next.starts_with(&INDEX_MAGIC)
            || next.get(..PREFIX_BYTES).is_some_and(|bytes| follows(bytes, found));
        if !begins {
            self.go_back(body);
        }
        Ok(())
    }

    /// Goes back to `position` from where something that is no good says that it ends, while bytes to spare are left.
    fn go_back(&mut self, position: u64) {
        if let Some(left) = self.spare_bytes.checked_sub(self.position - position) {
            self.spare_bytes = left;
            self.position = position;
        }
    }

    /// Goes back to `position` within what turned out to be no header or index, whose reading ended where the input
    /// is now.
    fn retreat(&mut self, position: u64) -> Result<()> {
        self.position = self.input.stream_position()?.max(position);
        self.go_back(position);
        Ok(())
    }

    /// Goes to the next place that has a magic.
    fn next_magic(&mut self) -> Result<Option<Magic>> {
        loop {
            self.fill(MAGIC_BYTES)?;
            let ahead = self.ahead();
            if ahead.len() < MAGIC_BYTES {
                self.position = self.file_bytes;
                return Ok(None);
            }
            let mut places = ahead.windows(MAGIC_BYTES).enumerate();
            if let Some((at, magic)) = places.find_map(|(at, bytes)| Some((at, Magic::of(bytes)?))) {
                self.position += at as u64;
                return Ok(Some(magic));
            }
            self.position += (ahead.len() - (MAGIC_BYTES - 1)) as u64;
        }
    }

    /// Bytes of the window from the position on.
    fn ahead(&self) -> &[u8] {
        let from = self.position.checked_sub(self.window_start).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.window.get(from..)).unwrap_or_default()
    }

    /// Makes sure that `bytes` bytes are ahead, or all that are left.
    fn fill(&mut self, bytes: usize) -> Result<()> {
        let left = self.file_bytes.saturating_sub(self.position);
        if self.ahead().len() as u64 >= left.min(bytes as u64) {
            return Ok(());
        }
        self.input.seek(SeekFrom::Start(self.position))?;
        self.window.clear();
        self.window_start = self.position;
        read_up_to(&mut self.input, WINDOW_BYTES, &mut self.window)
    }
}

/// Whether these bytes are the prefix of the record after `before`.
fn follows(bytes: &[u8], before: &FoundRecord) -> bool {
    Prefix::parse(bytes).is_ok_and(|prefix| prefix.number == before.prefix.number + 1)
}

/// What the first bytes of something say that it is.
enum Magic {
    Header,
    Record,
    Index,
}

impl Magic {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            _ if *bytes == RECORD_MAGIC => Some(Self::Record),
            _ if *bytes == INDEX_MAGIC => Some(Self::Index),
            _ if *bytes == MAGIC[..MAGIC_BYTES] => Some(Self::Header),
            _ => None,
        }
    }
}

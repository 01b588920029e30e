//! Reading a file from front to back, from a pipe too.

use std::io::{self, BufReader, Read};

use super::header::FileHeader;
use super::index::{self, BatchEntry, INDEX_MAGIC};
use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix, RECORD_MAGIC};
use super::record::BatchRecord;
use super::scan;
use super::sequence::Sequence;
use super::wire::{Input, read_up_to};
use crate::error::{Error, ErrorKind, Result};

/// Reads the records of a file in order.
#[derive(Debug)]
pub struct RecordReader<I> {
    input: I,
    header: FileHeader,
    header_bytes: u64,
    limits: Limits,
    position: u64,
    state: State,
    sequence: Sequence,
    entries: Vec<BatchEntry>,
    /// Raw bytes of the records so far.
    raw_bytes: u64,
    /// Whether an error has been reported, so that the index may know more than was read.
    damaged: bool,
}

#[derive(Debug)]
enum State {
    /// At the start of a record or of the index.
    Record,
    /// Within damage: these bytes have been read and do not start a record.
    Searching(Vec<u8>),
    Ended,
}

impl<R: Read> RecordReader<BufReader<R>> {
    /// Reads the file header.
    ///
    /// # Errors
    /// As [`FileHeader::read`].
    pub fn new(input: R, limits: Limits) -> Result<Self> {
        Self::of(BufReader::new(input), limits)
    }
}

impl<'f> RecordReader<&'f [u8]> {
    /// The same of a file in memory, where payloads stay.
    ///
    /// # Errors
    /// As [`FileHeader::read`].
    pub fn in_memory(file: &'f [u8], limits: Limits) -> Result<Self> {
        Self::of(file, limits)
    }
}

impl<I: Input> RecordReader<I> {
    fn of(mut input: I, limits: Limits) -> Result<Self> {
        let (header, header_bytes) = FileHeader::read(&mut input, &limits)?;
        Ok(Self {
            input,
            header,
            header_bytes,
            limits,
            position: header_bytes,
            state: State::Record,
            sequence: Sequence::default(),
            entries: Vec::new(),
            raw_bytes: 0,
            damaged: false,
        })
    }

    /// The file header.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// The next record, or `None` at the end of the file.
    ///
    /// An error does not end the reading: call again for the records after the damage, until
    /// `None`.
    ///
    /// # Errors
    /// - [`ErrorKind::Corrupt`] with the location of the batch where it is known: damage within a
    ///   record, or between records.
    /// - [`ErrorKind::Truncated`]: the file ends within a record, or without its index. Nothing
    ///   follows.
    /// - [`ErrorKind::Limit`], [`ErrorKind::Unsupported`]: the record cannot be taken.
    /// - [`ErrorKind::Io`]: nothing follows.
    #[allow(clippy::should_implement_trait, reason = "`?` works on this order of Result and Option")]
    pub fn next(&mut self) -> Result<Option<BatchRecord<I::Payload>>> {
        let result = self.advance();
        if let Err(error) = &result {
            self.damaged = true;
            if matches!(error.kind(), ErrorKind::Truncated | ErrorKind::Io) {
                self.state = State::Ended;
            }
        }
        result
    }

    fn advance(&mut self) -> Result<Option<BatchRecord<I::Payload>>> {
        let prefix = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return Ok(None),
            State::Record => self.prefix()?,
            State::Searching(window) => scan::next_prefix(&mut self.input, window)?.map(|(skipped, prefix)| {
                self.position = self.position.saturating_add(skipped);
                prefix
            }),
        };
        let Some(prefix) = prefix else { return Ok(None) };
        self.state = State::Record;
        self.record(&prefix).map(Some)
    }

    /// The prefix of the next record, or `None` after a good index.
    fn prefix(&mut self) -> Result<Option<Prefix>> {
        let mut window = Vec::new();
        read_up_to(&mut self.input, INDEX_MAGIC.len() as u64, &mut window)?;
        if window == INDEX_MAGIC {
            return self.index().map(|()| None);
        }
        if window.is_empty() {
            return Err(Error::truncated(format!(
                "the file ends without its index, after {} batches",
                self.entries.len()
            )));
        }
        read_up_to(&mut self.input, (PREFIX_BYTES - window.len()) as u64, &mut window)?;
        match Prefix::parse(&window) {
            Ok(prefix) => Ok(Some(prefix)),
            Err(_) if is_cut(&window) => Err(Error::truncated(format!(
                "batch record: expected {PREFIX_BYTES} bytes, found {} before the end",
                window.len()
            ))),
            Err(error) => {
                self.sequence.lose();
                self.state = State::Searching(window);
                Err(error)
            }
        }
    }

    fn record(&mut self, prefix: &Prefix) -> Result<BatchRecord<I::Payload>> {
        let entry = BatchEntry {
            number: prefix.number,
            offset: self.position,
            first_frame: prefix.first_frame,
            frames: prefix.frames,
        };
        self.position = prefix.end(self.position);
        let mut body = (&mut self.input).take(prefix.body_bytes());
        let raw_bytes = self.raw_bytes.saturating_add(prefix.raw_bytes);
        let admitted = self.sequence.admit(prefix).and_then(|()| self.limits.check_output(raw_bytes));
        let admitted = admitted.map_err(|error| error.at(prefix.location()));
        let result =
            admitted.and_then(|()| BatchRecord::read_body(prefix, &mut body, &self.header.format, &self.limits));
        match result {
            Ok(_) => {
                self.entries.push(entry);
                self.raw_bytes = raw_bytes;
            }
            Err(_) => drop(io::copy(&mut body, &mut io::sink())?),
        }
        result
    }

    /// Checks the index, whose magic has been read, against the records, and that the file ends
    /// with it.
    fn index(&mut self) -> Result<()> {
        let entries = index::read_after_magic(&mut self.input, self.position, self.header_bytes)?;
        if !self.damaged && entries != self.entries {
            return Err(Error::corrupt(format!(
                "index: it lists {} batches, other than the {} in the file",
                entries.len(),
                self.entries.len()
            )));
        }
        let mut beyond = Vec::new();
        read_up_to(&mut self.input, 1, &mut beyond)?;
        if !beyond.is_empty() {
            return Err(Error::corrupt("footer: expected the end of the file, found more bytes"));
        }
        Ok(())
    }
}

/// Whether a window that is shorter than a prefix is the start of one.
fn is_cut(window: &[u8]) -> bool {
    let magic = &window[..window.len().min(RECORD_MAGIC.len())];
    window.len() < PREFIX_BYTES && RECORD_MAGIC.starts_with(magic)
}

//! Writing a file from front to back.

use std::io::Write;

use super::header::FileHeader;
use super::index::{self, BatchEntry};
use super::record::BatchRecord;
use super::resume::Resumption;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::FrameFormat;

/// Writes records one after another, and the index at the end. Nothing written is changed later, so
/// a pipe will do, and what has been written when a crash comes can be read.
#[derive(Debug)]
pub struct RecordWriter<W> {
    output: W,
    format: FrameFormat,
    entries: Vec<BatchEntry>,
    position: u64,
    /// Whether the output has the index of these records already.
    indexed: bool,
    /// Whether the output may end within a record.
    cut: bool,
}

impl<W: Write> RecordWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// As [`FileHeader::to_bytes`], and errors of `output`.
    pub fn new(mut output: W, header: &FileHeader) -> Result<Self> {
        let bytes = header.to_bytes()?;
        output.write_all(&bytes)?;
        let format = header.format.clone();
        Ok(Self { output, format, entries: Vec::new(), position: bytes.len() as u64, indexed: false, cut: false })
    }

    /// Goes on with a file. What is written must go to its [`Resumption::position`].
    pub fn resume(output: W, file: Resumption) -> Self {
        let Resumption { header, entries, position, indexed } = file;
        Self { output, format: header.format, entries, position, indexed, cut: false }
    }

    /// Writes the next batch, and flushes: readers may wait for it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a record that readers would
    /// refuse: out of order, without frames, or with parts that do not fit each other. Nothing is
    /// written then. Errors of `output`, after which the file is cut within this record and nothing
    /// more can be written.
    pub fn write(&mut self, record: &BatchRecord) -> Result<()> {
        self.check_whole()?;
        let (number, frame) = (self.batches(), self.frames());
        if record.number != number || record.first_frame != frame {
            return Err(Error::invalid(format!(
                "batch record: expected batch {number} from frame {frame}, found batch {} from frame {}",
                record.number, record.first_frame
            )));
        }
        let (prefix, head) = record.head(&self.format)?;
        (self.indexed, self.cut) = (false, true);
        self.output.write_all(&head)?;
        self.output.write_all(&record.payload)?;
        self.output.flush()?;
        self.cut = false;
        let entry = BatchEntry { number, offset: self.position, first_frame: frame, frames: prefix.frames };
        self.entries.push(entry);
        self.position += (head.len() + record.payload.len()) as u64;
        Ok(())
    }

    /// Batches written so far.
    pub fn batches(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.entries.last().map_or(0, BatchEntry::end)
    }

    /// Writes the index, unless it is there, and hands the output back.
    ///
    /// # Errors
    /// Errors of `output`, now or when a batch was written.
    pub fn finish(mut self) -> Result<W> {
        self.check_whole()?;
        if !self.indexed {
            self.output.write_all(&index::to_bytes(&self.entries, self.position))?;
        }
        self.output.flush()?;
        Ok(self.output)
    }

    fn check_whole(&self) -> Result<()> {
        match self.cut {
            true => Err(Error::new(ErrorKind::Io, "a batch could not be written before; the file ends within it")),
            false => Ok(()),
        }
    }
}

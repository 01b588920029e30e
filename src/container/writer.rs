//! Writing a file from front to back.

use std::io::Write;

use super::header::FileHeader;
use super::index::{self, BatchEntry};
use super::record::BatchRecord;
use crate::error::{Error, Result};
use crate::frame::FrameFormat;

/// Writes records one after another, and the index at the end. Nothing written is changed later, so
/// a pipe will do, and what has been written when a crash comes can be read.
#[derive(Debug)]
pub struct RecordWriter<W> {
    output: W,
    format: FrameFormat,
    entries: Vec<BatchEntry>,
    position: u64,
}

impl<W: Write> RecordWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// As [`FileHeader::to_bytes`], and errors of `output`.
    pub fn new(mut output: W, header: &FileHeader) -> Result<Self> {
        let bytes = header.to_bytes()?;
        output.write_all(&bytes)?;
        Ok(Self { output, format: header.format.clone(), entries: Vec::new(), position: bytes.len() as u64 })
    }

    /// Writes the next batch.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a record that readers would
    /// refuse: out of order, without frames, or with parts that do not fit each other. Nothing is
    /// written then. Errors of `output`, after which the file is cut within this record.
    pub fn write(&mut self, record: &BatchRecord) -> Result<()> {
        let (number, frame) = (self.entries.len() as u64, self.frames());
        if record.number != number || record.first_frame != frame {
            return Err(Error::invalid(format!(
                "batch record: expected batch {number} from frame {frame}, found batch {} from frame {}",
                record.number, record.first_frame
            )));
        }
        let (prefix, head) = record.head(&self.format)?;
        self.output.write_all(&head)?;
        self.output.write_all(&record.payload)?;
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

    /// Writes the index and hands the output back.
    ///
    /// # Errors
    /// Errors of `output`.
    pub fn finish(mut self) -> Result<W> {
        self.output.write_all(&index::to_bytes(&self.entries, self.position))?;
        self.output.flush()?;
        Ok(self.output)
    }
}

//! Reading the records of a file in any order.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::limits::Limits;
use super::prefix::{PREFIX_BYTES, Prefix};
use super::record::{BatchRecord, RecordHead};
use super::table::BatchTable;
use super::wire::read_exactly;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Result};

/// Reads any record of a file that can be sought.
#[derive(Debug)]
pub struct IndexedReader<R> {
    input: BufReader<R>,
    limits: Limits,
    table: Arc<BatchTable>,
}

impl<R: Read + Seek> IndexedReader<R> {
    /// Reads where the records are.
    ///
    /// # Errors
    /// As [`BatchTable::read`].
    pub fn open(input: R, limits: Limits) -> Result<Self> {
        let mut input = BufReader::new(input);
        let table = Arc::new(BatchTable::read(&mut input, &limits)?);
        Ok(Self { input, limits, table })
    }

    /// Reads a file whose records are where `table` says.
    pub fn of_table(input: R, limits: Limits, table: Arc<BatchTable>) -> Self {
        Self { input: BufReader::new(input), limits, table }
    }

    /// Where the records are.
    pub fn table(&self) -> &Arc<BatchTable> {
        &self.table
    }

    /// Reads the record at a position in [`BatchTable::batches`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if there is no such position; otherwise as
    /// [`RecordReader::next`](super::RecordReader::next), with the location of the batch.
    pub fn read_record(&mut self, at: usize) -> Result<BatchRecord> {
        let prefix = self.prefix_at(at)?;
        BatchRecord::read_body(&prefix, &mut self.input, &self.table.header().format, &self.limits)
    }

    /// Reads the record at a position in [`BatchTable::batches`] without its payload.
    ///
    /// # Errors
    /// As [`IndexedReader::read_record`].
    pub fn read_head(&mut self, at: usize) -> Result<RecordHead> {
        let prefix = self.prefix_at(at)?;
        RecordHead::read(&prefix, &mut self.input, &self.table.header().format, &self.limits)
    }

    /// Reads a prefix and leaves the input at what follows it.
    fn prefix_at(&mut self, at: usize) -> Result<Prefix> {
        let batches = self.table.batches();
        let Some(&entry) = batches.get(at) else {
            return Err(Error::invalid(format!("batch: expected less than {}, found {at}", batches.len())));
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

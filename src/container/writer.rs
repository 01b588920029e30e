//! Writing a file from front to back.

use std::io::{self, IoSlice, Write};
use std::iter;

use super::header::FileHeader;
use super::index::{self, BatchEntry};
use super::record::{BatchRecord, Payload};
use super::resume::Resumption;
use super::sync::{SyncData, SyncPolicy};
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
    sync_policy: SyncPolicy,
    /// Brings the output to the disk.
    sync: fn(&mut W) -> io::Result<()>,
}

impl<W: Write> RecordWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// As [`FileHeader::to_bytes`], and errors of `output`.
    pub fn new(mut output: W, header: &FileHeader) -> Result<Self> {
        let bytes = header.to_bytes()?;
        output.write_all(&bytes)?;
        Ok(Self::at(output, header.format.clone(), Vec::new(), bytes.len() as u64, false))
    }

    /// Goes on with a file. What is written must go to its [`Resumption::position`].
    pub fn resume(output: W, file: Resumption) -> Self {
        let Resumption { header, entries, position, indexed } = file;
        Self::at(output, header.format, entries, position, indexed)
    }

    fn at(output: W, format: FrameFormat, entries: Vec<BatchEntry>, position: u64, indexed: bool) -> Self {
        let (sync_policy, sync): (_, fn(&mut W) -> _) = (SyncPolicy::Never, |_| Ok(()));
        Self { output, format, entries, position, indexed, cut: false, sync_policy, sync }
    }

    /// Says when the output is brought to the disk.
    pub fn set_sync(&mut self, policy: SyncPolicy)
    where
        W: SyncData,
    {
        (self.sync_policy, self.sync) = (policy, W::sync_data);
    }

    /// Writes the next batch, and flushes: readers may wait for it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for a record that readers would
    /// refuse: out of order, without frames, or with parts that do not fit each other. Nothing is
    /// written then. Errors of `output`, after which the file is cut within this record and nothing
    /// more can be written.
    pub fn write<P: Payload>(&mut self, record: &BatchRecord<P>) -> Result<()> {
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
        let mut pieces: Vec<_> = iter::once(head.as_slice()).chain(record.payload.pieces()).map(IoSlice::new).collect();
        write_pieces(&mut self.output, &mut pieces)?;
        self.output.flush()?;
        if self.sync_policy == SyncPolicy::EachBatch {
            (self.sync)(&mut self.output)?;
        }
        self.cut = false;
        let entry = BatchEntry { number, offset: self.position, first_frame: frame, frames: prefix.frames };
        self.entries.push(entry);
        self.position += head.len() as u64 + prefix.payload_bytes;
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
        if self.sync_policy != SyncPolicy::Never {
            (self.sync)(&mut self.output)?;
        }
        Ok(self.output)
    }

    fn check_whole(&self) -> Result<()> {
        match self.cut {
            true => Err(Error::new(ErrorKind::Io, "a batch could not be written before; the file ends within it")),
            false => Ok(()),
        }
    }
}

/// Writes one after another, with as few calls as the output takes: memory grows once then.
fn write_pieces(output: &mut impl Write, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Those that are empty are none.
    IoSlice::advance_slices(&mut pieces, 0);
    while !pieces.is_empty() {
        match output.write_vectored(pieces) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut pieces, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Limits;
    use crate::container::tests::{file, header_and_records};

    /// A log of what was done, with the bytes that were there by then.
    #[derive(Default)]
    struct Log {
        bytes: Vec<u8>,
        flushed: Vec<usize>,
        synced: Vec<usize>,
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushed.push(self.bytes.len());
            Ok(())
        }
    }

    impl SyncData for Log {
        fn sync_data(&mut self) -> io::Result<()> {
            self.synced.push(self.bytes.len());
            Ok(())
        }
    }

    #[test]
    fn batches_are_flushed_and_brought_to_the_disk_as_asked() {
        let (header, records) = header_and_records();
        let whole = file(&header, &records);
        let ends: Vec<usize> =
            (1..=records.len()).map(|count| file(&header, &records[..count]).len() - 40 - 24 * count).collect();
        let all = [&ends[..], &[whole.len()]].concat();
        for (policy, synced) in
            [(SyncPolicy::Never, &[][..]), (SyncPolicy::AtEnd, &[whole.len()]), (SyncPolicy::EachBatch, &all)]
        {
            let mut writer = RecordWriter::new(Log::default(), &header).unwrap();
            writer.set_sync(policy);
            for record in &records {
                writer.write(record).unwrap();
            }
            let log = writer.finish().unwrap();
            assert_eq!((log.bytes, log.flushed, &log.synced[..]), (whole.clone(), all.clone(), synced), "{policy:?}");
        }
    }

    /// An output that is full after some bytes.
    #[derive(Debug)]
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = bytes.len().min(self.1 - self.0.len());
            self.0.extend_from_slice(&bytes[..written]);
            if written == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(written) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An index behind half a record would say that the record is whole.
    #[test]
    fn nothing_is_written_after_a_record_that_was_cut() {
        let (header, records) = header_and_records();
        let first = file(&header, &records[..1]).len() - 40 - 24;
        let mut full = Full(Vec::new(), first + 30);
        let mut writer = RecordWriter::new(&mut full, &header).unwrap();
        writer.write(&records[0]).unwrap();
        assert_eq!(writer.write(&records[1]).unwrap_err().kind(), ErrorKind::Io);
        writer.output.1 += 10_000;
        assert_eq!(writer.write(&records[1]).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(full.0, file(&header, &records)[..first + 30]);
        let reader = crate::container::IndexedReader::open(io::Cursor::new(full.0), Limits::default()).unwrap();
        assert_eq!(reader.table().batches().len(), 1);
    }
}

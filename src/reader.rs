//! Reading a file: as a stream, or by frame.

use std::io::{Read, Seek};
use std::ops::Range;

use crate::batch_info::BatchInfo;
use crate::container::{BatchRecord, IndexedReader, RecordReader};
use crate::decompressor::Decompressor;
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Frames, Origin};
use crate::pipeline::in_order;

/// One batch of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedBatch {
    /// Number of its first frame in the file.
    pub first_frame: u64,
    /// The frames.
    pub frames: Frames,
    /// What the original file needs besides the frames to be restored; usually empty.
    pub side: Vec<u8>,
    /// When each frame was taken, in nanoseconds; empty if that is not known.
    pub timestamps: Vec<i64>,
}

impl DecodedBatch {
    /// Positions within the batch of its frames that are in `range` of the file.
    pub fn positions(&self, range: &Range<u64>) -> Range<usize> {
        // A position is at most the number of frames in memory.
        let position = |frame: u64| frame.saturating_sub(self.first_frame).min(self.frames.frames() as u64) as usize;
        position(range.start)..position(range.end)
    }
}

/// Reads a `.fpk` file as a stream, batch by batch.
///
/// After an error that names a batch ([`Error::location`](crate::Error::location)) reading can go on with the next one.
///
/// ```
/// use framepress::{Decompressor, Reader, Settings, compress};
/// # let file = compress(ndarray::Array3::<u8>::zeros((10, 4, 5)).view(), &Settings::new())?;
/// let decompressor = Decompressor::default();
/// let mut reader = Reader::new(file.as_slice(), &decompressor)?;
/// while let Some(batch) = reader.next_batch()? {
///     assert_eq!(batch.frames.shape()[1..], [4, 5]);
/// }
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct Reader<'a, R: Read> {
    records: RecordReader<R>,
    decompressor: &'a Decompressor,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), [`ErrorKind::Truncated`](crate::ErrorKind::Truncated),
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) or [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn new(input: R, decompressor: &'a Decompressor) -> Result<Self> {
        Ok(Self { records: RecordReader::new(input, decompressor.limits())?, decompressor })
    }

    /// Format of the frames.
    pub fn format(&self) -> &FrameFormat {
        &self.records.header().format
    }

    /// Where the frames came from.
    pub fn origin(&self) -> &Origin {
        &self.records.header().origin
    }

    /// The next batch, or `None` after the last. Nothing beyond it is read.
    ///
    /// # Errors
    /// As [`Decompressor::decompress`]. The error names the batch if that batch alone is damaged.
    pub fn next_batch(&mut self) -> Result<Option<DecodedBatch>> {
        let Some(record) = self.records.next()? else { return Ok(None) };
        self.decompressor.unpack(&self.records.header().format, record).map(Some)
    }

    /// Calls `each` with every batch that is left, in order, while later ones are read and decompressed. A batch is
    /// handed over as soon as it is there, on whatever thread has it. `each` gets the errors of
    /// [`next_batch`](Self::next_batch) as well, and goes on by returning `Ok`.
    ///
    /// # Errors
    /// What `each` returns, after which it is not called again.
    pub fn read_batches(&mut self, each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send) -> Result<()> {
        let format = self.records.header().format.clone();
        decode_ahead(self.decompressor, &format, || self.records.next().transpose(), each)
    }
}

/// Reads frames of a `.fpk` file by their number. Only the batches that hold them are read.
///
/// ```
/// use std::io::Cursor;
/// use framepress::{Decompressor, SeekReader, Settings, compress};
/// # let frames = ndarray::Array3::from_shape_fn((10, 4, 5), |(f, _, _)| f as u8);
/// # let file = compress(frames.view(), &Settings::new())?;
/// let decompressor = Decompressor::default();
/// let mut reader = SeekReader::new(Cursor::new(file), &decompressor)?;
/// assert_eq!(reader.frames(), 10);
/// let two = reader.read_frames(6..8)?;
/// assert_eq!(two.as_bytes()[..3], [6, 6, 6]);
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct SeekReader<'a, R: Read + Seek> {
    records: IndexedReader<R>,
    decompressor: &'a Decompressor,
}

impl<'a, R: Read + Seek> SeekReader<'a, R> {
    /// Reads the header and the index; without an intact index, the heads of all batches.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn new(input: R, decompressor: &'a Decompressor) -> Result<Self> {
        Ok(Self { records: IndexedReader::open(input, decompressor.limits())?, decompressor })
    }

    /// Format of the frames.
    pub fn format(&self) -> &FrameFormat {
        &self.records.header().format
    }

    /// Where the frames came from.
    pub fn origin(&self) -> &Origin {
        &self.records.header().origin
    }

    /// Frames in the file.
    pub fn frames(&self) -> u64 {
        self.records.total_frames()
    }

    /// Batches in the file.
    pub fn batches(&self) -> usize {
        self.records.batches().len()
    }

    /// What was found wrong with the file's index and, if that had to be replaced by a walk over the
    /// batches, on that walk. Frames may be missing then; batches that are there can be read.
    pub fn damage(&self) -> &[Error] {
        self.records.damage()
    }

    /// The batches that hold the frames of `range`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the range is not within the file;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if some of its frames are lost.
    pub fn batches_of_frames(&self, range: Range<u64>) -> Result<Range<usize>> {
        if range.start > range.end || range.end > self.frames() {
            return Err(Error::invalid(format!(
                "frames {}..{}: expected a range within 0..{}",
                range.start,
                range.end,
                self.frames()
            )));
        }
        let mut frame = range.start;
        let first = self.records.find(frame);
        let mut batches = first.unwrap_or(0)..first.unwrap_or(0);
        while frame < range.end {
            let at = self.records.find(frame).ok_or_else(|| Error::corrupt(format!("frame {frame} is lost")))?;
            let entry = &self.records.batches()[at];
            frame = entry.first_frame + entry.frames;
            batches.end = at + 1;
        }
        Ok(batches)
    }

    /// One batch by its position.
    ///
    /// # Errors
    /// As [`Decompressor::decompress`].
    pub fn read_batch(&mut self, batch: usize) -> Result<DecodedBatch> {
        let record = self.records.read_record(batch)?;
        self.decompressor.unpack(&self.records.header().format, record)
    }

    /// Calls `each` with the batches at these positions, in order, while later ones are read and decompressed, as
    /// [`Reader::read_batches`] does.
    ///
    /// # Errors
    /// What `each` returns, after which it is not called again.
    pub fn read_batches(
        &mut self,
        mut batches: Range<usize>,
        each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        let format = self.format().clone();
        let entries = self.records.batches().get(batches.clone()).unwrap_or_default();
        let frames = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.frames));
        self.decompressor.limits().check_output(frames.saturating_mul(format.frame_bytes() as u64))?;
        decode_ahead(self.decompressor, &format, || batches.next().map(|at| self.records.read_record(at)), each)
    }

    /// What is recorded of a batch besides its frames.
    ///
    /// # Errors
    /// As [`Decompressor::decompress`].
    pub fn batch_info(&mut self, batch: usize) -> Result<BatchInfo> {
        self.records.read_head(batch).map(|head| BatchInfo::of(&head))
    }

    /// The frames of `range`.
    ///
    /// # Errors
    /// As [`SeekReader::batches_of_frames`] and [`Decompressor::decompress`].
    pub fn read_frames(&mut self, range: Range<u64>) -> Result<Frames> {
        let mut parts = Vec::new();
        self.read_batches(self.batches_of_frames(range.clone())?, |batch| {
            let batch = batch?;
            parts.push(batch.frames.part(batch.positions(&range))?);
            Ok(())
        })?;
        Frames::concatenated(self.format().clone(), parts)
    }
}

/// Decompresses the records that `next` gives, several at a time, and hands them to `each` in order.
fn decode_ahead(
    decompressor: &Decompressor,
    format: &FrameFormat,
    mut next: impl FnMut() -> Option<Result<BatchRecord>>,
    each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
) -> Result<()> {
    let next = || {
        let record = next()?;
        let raw_bytes = record.as_ref().map_or(0, |record| record.raw_bytes);
        Some((record, raw_bytes))
    };
    let unpack = |record: Result<BatchRecord>| decompressor.unpack(format, record?);
    in_order(decompressor.window(), next, unpack, each)
}

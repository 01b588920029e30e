//! Reading a file: as a stream, or by frame.

use std::io::{BufReader, Read, Seek};
use std::ops::Range;

use crate::batch_info::BatchInfo;
use crate::container::{BatchRecord, IndexedReader, RecordReader};
use crate::decompressor::Decompressor;
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Frames, Origin, Rectangle};
use crate::pipeline::in_order;
use crate::selection::Selection;

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
    records: RecordReader<BufReader<R>>,
    decompressor: &'a Decompressor,
    selection: Selection,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), [`ErrorKind::Truncated`](crate::ErrorKind::Truncated),
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) or [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn new(input: R, decompressor: &'a Decompressor) -> Result<Self> {
        let records = RecordReader::new(input, decompressor.limits())?;
        Ok(Self { records, decompressor, selection: Selection::all() })
    }

    /// Gives `rectangle` of every frame instead of all of it, as [`SeekReader::with_region`] does.
    ///
    /// # Errors
    /// As [`FrameFormat::cropped`].
    pub fn with_region(mut self, rectangle: Rectangle) -> Result<Self> {
        self.selection = self.selection.with_region(&self.records.header().format, rectangle)?;
        Ok(self)
    }

    /// Format of the frames that are given.
    pub fn format(&self) -> &FrameFormat {
        self.selection.format(&self.records.header().format)
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
        self.decompressor.unpack(&self.records.header().format, record, &self.selection).map(Some)
    }

    /// Calls `each` with every batch that is left, in order, while later ones are read and decompressed. A batch is
    /// handed over as soon as it is there, on whatever thread has it. `each` gets the errors of
    /// [`next_batch`](Self::next_batch) as well, and goes on by returning `Ok`.
    ///
    /// # Errors
    /// What `each` returns, after which it is not called again.
    pub fn read_batches(&mut self, each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send) -> Result<()> {
        let format = self.records.header().format.clone();
        let unpack = |record| self.decompressor.unpack(&format, record, &self.selection);
        decode_ahead(self.decompressor, || self.records.next().transpose(), unpack, each)
    }
}

/// Reads frames of a `.fpk` file by their number. Only the batches that hold them are read, and only what is needed of
/// these is decoded where their method allows.
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
    selection: Selection,
}

impl<'a, R: Read + Seek> SeekReader<'a, R> {
    /// Reads the header and the index; without an intact index, the heads of all batches.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn new(input: R, decompressor: &'a Decompressor) -> Result<Self> {
        let records = IndexedReader::open(input, decompressor.limits())?;
        Ok(Self::over(records, decompressor, Selection::all()))
    }

    pub(crate) fn over(records: IndexedReader<R>, decompressor: &'a Decompressor, selection: Selection) -> Self {
        Self { records, decompressor, selection }
    }

    /// Gives `rectangle` of every frame instead of all of it.
    ///
    /// Of batches in tiles, in strips, or recovered planes in either, only the rows are decoded that it needs, and of tiles
    /// only the frames up to the last one that is asked for; other batches are decoded whole and cut. The checksum of the
    /// frames of a batch is that of all of them, so it is not checked where less is decoded. That of the packed bytes
    /// always is, so damage is found.
    ///
    /// # Errors
    /// As [`FrameFormat::cropped`].
    ///
    /// ```
    /// use std::io::Cursor;
    /// use framepress::{Decompressor, SeekReader, Settings, compress};
    /// # let frames = ndarray::Array3::from_shape_fn((10, 40, 50), |(f, y, x)| (f + 2 * y + x) as u8);
    /// # let file = compress(frames.view(), &Settings::new())?;
    /// let decompressor = Decompressor::default();
    /// let mut reader = SeekReader::new(Cursor::new(file), &decompressor)?.with_region("8x4+30+20".parse()?)?;
    /// assert_eq!(reader.read_frames(6..8)?.shape(), [2, 4, 8]);
    /// # Ok::<(), framepress::Error>(())
    /// ```
    pub fn with_region(mut self, rectangle: Rectangle) -> Result<Self> {
        self.selection = self.selection.with_region(&self.records.table().header().format, rectangle)?;
        Ok(self)
    }

    /// Format of the frames that are given.
    pub fn format(&self) -> &FrameFormat {
        self.selection.format(self.whole_format())
    }

    fn whole_format(&self) -> &FrameFormat {
        &self.records.table().header().format
    }

    /// Where the frames came from.
    pub fn origin(&self) -> &Origin {
        &self.records.table().header().origin
    }

    /// Frames in the file.
    pub fn frames(&self) -> u64 {
        self.records.table().total_frames()
    }

    /// Batches in the file.
    pub fn batches(&self) -> usize {
        self.records.table().batches().len()
    }

    /// What was found wrong with the file's index and, if that had to be replaced by a walk over the
    /// batches, on that walk. Frames may be missing then; batches that are there can be read.
    pub fn damage(&self) -> &[Error] {
        self.records.table().damage()
    }

    /// The batches that hold the frames of `range`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the range is not within the file;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if some of its frames are lost.
    pub fn batches_of_frames(&self, range: Range<u64>) -> Result<Range<usize>> {
        self.records.table().batches_of_frames(&range)
    }

    /// One batch by its position.
    ///
    /// # Errors
    /// As [`Decompressor::decompress`].
    pub fn read_batch(&mut self, batch: usize) -> Result<DecodedBatch> {
        let record = self.records.read_record(batch)?;
        self.decompressor.unpack(self.whole_format(), record, &self.selection)
    }

    /// Calls `each` with the batches at these positions, in order, while later ones are read and decompressed, as
    /// [`Reader::read_batches`] does.
    ///
    /// # Errors
    /// What `each` returns, after which it is not called again.
    pub fn read_batches(
        &mut self,
        batches: Range<usize>,
        each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        self.read_selected(batches, &self.selection.clone(), each)
    }

    /// Calls `each` with the frames of `range`, batch by batch, as [`read_batches`](Self::read_batches) does. Of the first
    /// and the last batch it gets only those that are in the range.
    ///
    /// # Errors
    /// As [`SeekReader::batches_of_frames`], and what `each` returns, after which it is not called again.
    pub fn read_range(
        &mut self,
        range: Range<u64>,
        each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        let batches = self.batches_of_frames(range.clone())?;
        self.read_selected(batches, &self.selection.of_frames(range), each)
    }

    fn read_selected(
        &mut self,
        mut batches: Range<usize>,
        selection: &Selection,
        each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
    ) -> Result<()> {
        let format = self.whole_format().clone();
        // Whole batches: what is needed of them is not known yet.
        let entries = self.records.table().batches().get(batches.clone()).unwrap_or_default();
        let frames = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.frames));
        self.decompressor.limits().check_output(frames.saturating_mul(format.frame_bytes() as u64))?;
        let unpack = |record| self.decompressor.unpack(&format, record, selection);
        decode_ahead(self.decompressor, || batches.next().map(|at| self.records.read_record(at)), unpack, each)
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
        self.read_range(range, |batch| {
            parts.push(batch?.frames);
            Ok(())
        })?;
        Frames::concatenated(self.format().clone(), parts)
    }
}

/// Does `unpack` with the records that `next` gives, several at a time, and hands the results to `each` in order.
fn decode_ahead(
    decompressor: &Decompressor,
    mut next: impl FnMut() -> Option<Result<BatchRecord>>,
    unpack: impl Fn(BatchRecord) -> Result<DecodedBatch> + Sync,
    each: impl FnMut(Result<DecodedBatch>) -> Result<()> + Send,
) -> Result<()> {
    let next = || {
        let record = next()?;
        let raw_bytes = record.as_ref().map_or(0, |record| record.raw_bytes);
        Some((record, raw_bytes))
    };
    in_order(decompressor.window(), next, |record: Result<BatchRecord>| unpack(record?), each)
}

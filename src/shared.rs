//! One file, many readers.

use std::ops::Range;
use std::sync::Arc;

use crate::container::{BatchTable, IndexedReader};
use crate::decompressor::Decompressor;
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Frames, Origin, Rectangle};
use crate::read_at::{Positioned, ReadAt};
use crate::reader::SeekReader;
use crate::selection::Selection;

/// Reads frames of a `.fpk` file by their number, from any number of threads at once. They share the index and nothing
/// that one of them would wait for.
///
/// ```
/// use framepress::{Decompressor, Settings, SharedReader, compress};
/// # let frames = ndarray::Array3::from_shape_fn((10, 4, 5), |(f, _, _)| f as u8);
/// # let file = compress(frames.view(), &Settings::new())?;
/// let decompressor = Decompressor::default();
/// // A `std::fs::File` will do as well, and bytes of a file that is mapped into memory.
/// let reader = SharedReader::new(file, &decompressor)?;
/// std::thread::scope(|scope| {
///     for frame in 0..reader.frames() {
///         let reader = &reader;
///         scope.spawn(move || {
///             let one = reader.read_frames(frame..frame + 1).expect("a frame of the file");
///             assert_eq!(one.as_bytes()[0], frame as u8);
///         });
///     }
/// });
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct SharedReader<'a, S> {
    source: S,
    table: Arc<BatchTable>,
    decompressor: &'a Decompressor,
    selection: Selection,
}

impl<'a, S: ReadAt> SharedReader<'a, S> {
    /// Reads the header and the index; without an intact index, the heads of all batches.
    ///
    /// # Errors
    /// As [`Reader::new`](crate::Reader::new).
    pub fn new(source: S, decompressor: &'a Decompressor) -> Result<Self> {
        let table = Arc::clone(IndexedReader::open(Positioned::new(&source), decompressor.limits())?.table());
        Ok(Self { source, table, decompressor, selection: Selection::all() })
    }

    /// Gives `rectangle` of every frame instead of all of it, as [`SeekReader::with_region`] does.
    ///
    /// # Errors
    /// As [`FrameFormat::cropped`].
    pub fn with_region(mut self, rectangle: Rectangle) -> Result<Self> {
        self.selection = self.selection.with_region(&self.table.header().format, rectangle)?;
        Ok(self)
    }

    /// A reader for one thread, which has all that [`SeekReader`] has. The file is not looked at for that.
    pub fn reader(&self) -> SeekReader<'a, Positioned<&S>> {
        let (source, limits) = (Positioned::new(&self.source), self.decompressor.limits());
        let records = IndexedReader::of_table(source, limits, Arc::clone(&self.table));
        SeekReader::over(records, self.decompressor, self.selection.clone())
    }

    /// Format of the frames that are given.
    pub fn format(&self) -> &FrameFormat {
        self.selection.format(&self.table.header().format)
    }

    /// Where the frames came from.
    pub fn origin(&self) -> &Origin {
        &self.table.header().origin
    }

    /// Frames in the file.
    pub fn frames(&self) -> u64 {
        self.table.total_frames()
    }

    /// As [`SeekReader::damage`].
    pub fn damage(&self) -> &[Error] {
        self.table.damage()
    }

    /// The frames of `range`.
    ///
    /// # Errors
    /// As [`SeekReader::read_frames`].
    pub fn read_frames(&self, range: Range<u64>) -> Result<Frames> {
        self.reader().read_frames(range)
    }
}

//! Writing a file, batch by batch.

use std::io::Write;

use ndarray::{ArrayView, Dimension};

use crate::compressor::Compressor;
use crate::container::{BatchRecord, FileHeader, RecordWriter, SyncData, SyncPolicy};
use crate::error::{Error, Result};
use crate::frame::{Element, FrameFormat, Origin, bytes_of_view};

/// Writes a `.fpk` file to anything that takes bytes. Frames are gathered to batches; each batch is
/// whole in the file once it is written.
///
/// ```
/// use framepress::frame::{Dtype, FrameFormat};
/// use framepress::{Compressor, Settings, Writer, decompress};
///
/// let format = FrameFormat::from_shape(Dtype::U8, &[48, 64, 3])?;
/// let compressor = Compressor::new(Settings::new())?;
/// let mut writer = Writer::new(Vec::new(), format, &compressor)?;
/// for brightness in 0..5u8 {
///     writer.write_frames(1, &[brightness; 48 * 64 * 3])?;
/// }
/// let file = writer.finish()?;
/// assert_eq!(decompress(&file)?.frames(), 5);
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct Writer<'a, W: Write> {
    compressor: &'a Compressor,
    records: RecordWriter<W>,
    format: FrameFormat,
    batch_frames: usize,
    pending: Vec<u8>,
    pending_frames: usize,
    batches: u64,
    frames: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Starts a file of frames of `format`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the header cannot be written.
    pub fn new(output: W, format: FrameFormat, compressor: &'a Compressor) -> Result<Self> {
        Self::with_origin(output, format, Origin::default(), compressor)
    }

    /// Starts a file that remembers where its frames came from.
    ///
    /// # Errors
    /// As [`Writer::new`].
    pub fn with_origin(output: W, format: FrameFormat, origin: Origin, compressor: &'a Compressor) -> Result<Self> {
        let records = RecordWriter::new(output, &FileHeader { format: format.clone(), origin })?;
        Ok(Self::on(records, format, compressor))
    }

    /// Writes records after those that are there.
    pub(crate) fn on(records: RecordWriter<W>, format: FrameFormat, compressor: &'a Compressor) -> Self {
        Self {
            compressor,
            batch_frames: compressor.batch_frames(&format),
            format,
            pending: Vec::new(),
            pending_frames: 0,
            batches: records.batches(),
            frames: records.frames(),
            records,
        }
    }

    /// Says when what is written has to be on the disk; never, unless this is called.
    #[must_use]
    pub fn with_sync(mut self, policy: SyncPolicy) -> Self
    where
        W: SyncData,
    {
        self.records.set_sync(policy);
        self
    }

    /// Format of the frames.
    pub fn format(&self) -> &FrameFormat {
        &self.format
    }

    /// Frames in a whole batch.
    pub fn batch_frames(&self) -> usize {
        self.batch_frames
    }

    /// Appends `frames` frames, little-endian bytes in C order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if `bytes` is not that many frames;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if a batch is too large;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if writing fails.
    pub fn write_frames(&mut self, mut frames: usize, mut bytes: &[u8]) -> Result<()> {
        let frame_bytes = self.format.frame_bytes();
        self.format.check_frames(frames, bytes.len())?;
        while frames > 0 {
            let taken = frames.min(self.batch_frames - self.pending_frames);
            let (head, tail) = bytes.split_at(taken * frame_bytes);
            if taken == self.batch_frames {
                self.write_batch(taken, head, &[])?;
            } else {
                self.pending.extend_from_slice(head);
                self.pending_frames += taken;
                if self.pending_frames == self.batch_frames {
                    self.flush()?;
                }
            }
            (frames, bytes) = (frames - taken, tail);
        }
        Ok(())
    }

    /// Appends the frames of an array of any strides, whose first axis is the frame.
    ///
    /// # Errors
    /// As [`Writer::write_frames`]; the array's dtype and frame shape must be the file's.
    pub fn write<T: Element, D: Dimension>(&mut self, frames: ArrayView<'_, T, D>) -> Result<()> {
        let expected = self.format.shape();
        match frames.shape().split_first() {
            Some((&count, shape)) if shape == expected && T::DTYPE == self.format.dtype() => {
                self.write_frames(count, &bytes_of_view(frames))
            }
            _ => Err(Error::invalid(format!(
                "array: expected frames of {} {expected:?}, found {} {:?} with the frame axis first",
                self.format.dtype(),
                T::DTYPE,
                frames.shape()
            ))),
        }
    }

    /// Writes one batch of exactly these frames, with what the original file needs besides them to
    /// be restored ([`InputBatch::side`](crate::input::InputBatch)). Frames given before go first,
    /// into a batch of their own.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn write_batch(&mut self, frames: usize, raw: &[u8], side: &[u8]) -> Result<()> {
        self.flush()?;
        self.pack(frames, raw, side)
    }

    fn pack(&mut self, frames: usize, raw: &[u8], side: &[u8]) -> Result<()> {
        let packed = self.compressor.pack(&self.format, frames, raw)?;
        self.records.write(&BatchRecord {
            number: self.batches,
            first_frame: self.frames,
            frames: frames as u64,
            raw_bytes: raw.len() as u64,
            raw_checksum: packed.raw_checksum,
            method: packed.method,
            blocks: packed.blocks,
            side: side.to_vec(),
            payload: packed.payload,
        })?;
        self.batches += 1;
        self.frames += frames as u64;
        Ok(())
    }

    /// Writes the frames gathered so far as a batch.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn flush(&mut self) -> Result<()> {
        if self.pending_frames == 0 {
            return Ok(());
        }
        let frames = std::mem::take(&mut self.pending_frames);
        let mut raw = std::mem::take(&mut self.pending);
        let result = self.pack(frames, &raw, &[]);
        raw.clear();
        self.pending = raw;
        result
    }

    /// Writes what is left and the index, and returns the output. A writer that is dropped instead
    /// leaves a file that ends after its last batch.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn finish(mut self) -> Result<W> {
        self.flush()?;
        self.records.finish()
    }
}

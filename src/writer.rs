//! Writing a file, batch by batch.

use std::io::Write;

use ndarray::{ArrayView, Dimension};

use crate::compressor::{Compressor, PackedBatch};
use crate::container::{BatchRecord, FileHeader, RecordWriter, SyncData, SyncPolicy};
use crate::error::{Error, Result};
use crate::frame::{Element, FrameFormat, Origin, bytes_of_view};
use crate::input::InputBatch;
use crate::pipeline::in_order;

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
pub struct Writer<'a, W: Write + Send> {
    pub(crate) compressor: &'a Compressor,
    records: RecordWriter<W>,
    format: FrameFormat,
    batch_frames: usize,
    /// Frames that are less than a batch.
    pending: InputBatch,
}

impl<'a, W: Write + Send> Writer<'a, W> {
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
            pending: InputBatch::default(),
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
    pub fn write_frames(&mut self, frames: usize, bytes: &[u8]) -> Result<()> {
        self.gather(frames, bytes, &[])
    }

    /// Appends a frame for each of `timestamps`, which say when it was taken, in nanoseconds from whatever start. They
    /// come back in [`DecodedBatch::timestamps`](crate::DecodedBatch).
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn write_frames_at(&mut self, timestamps: &[i64], bytes: &[u8]) -> Result<()> {
        self.gather(timestamps.len(), bytes, timestamps)
    }

    /// Appends frames with as many timestamps, or without.
    fn gather(&mut self, frames: usize, mut bytes: &[u8], mut timestamps: &[i64]) -> Result<()> {
        let (frame_bytes, batch_frames) = (self.format.frame_bytes(), self.batch_frames);
        self.format.check_frames(frames, bytes.len())?;
        if self.pending.timestamps.is_empty() != timestamps.is_empty() {
            self.flush()?;
        }
        let mut left = frames;
        if self.pending.frames > 0 {
            let taken = left.min(batch_frames - self.pending.frames);
            left -= taken;
            self.pend(taken, take(&mut bytes, taken * frame_bytes), take(&mut timestamps, taken));
            if self.pending.frames == batch_frames {
                self.flush()?;
            }
        }
        let rest = left % batch_frames;
        if left > rest {
            let (bytes, timestamps) =
                (take(&mut bytes, (left - rest) * frame_bytes), take(&mut timestamps, left - rest));
            self.write_batches(cut(batch_frames, frame_bytes, left - rest, bytes, timestamps), |_| Ok(()))?;
        }
        self.pend(rest, bytes, timestamps);
        Ok(())
    }

    /// Appends frames of which there are no more to come: those that are less than a batch need not be kept.
    pub(crate) fn write_all(&mut self, frames: usize, bytes: &[u8]) -> Result<()> {
        self.format.check_frames(frames, bytes.len())?;
        self.write_batches(cut(self.batch_frames, self.format.frame_bytes(), frames, bytes, &[]), |_| Ok(()))
    }

    fn pend(&mut self, frames: usize, bytes: &[u8], timestamps: &[i64]) {
        self.pending.frames += frames;
        self.pending.bytes.extend_from_slice(bytes);
        self.pending.timestamps.extend_from_slice(timestamps);
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

    /// Writes one batch of exactly these frames. Frames given before go first, into a batch of their own.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn write_batch<B: AsRef<[u8]>>(&mut self, batch: &InputBatch<B>) -> Result<()> {
        self.flush()?;
        self.pack(batch)
    }

    /// Writes batches of exactly these frames, as [`write_batch`](Self::write_batch) does, several of them in work at a
    /// time, within [the memory limit](crate::Settings::with_memory_limit). `batches` is asked for the next one on this
    /// thread. `written` gets each back once it is in the file, in order, on whatever thread has written it; an error of
    /// either ends it.
    ///
    /// # Errors
    /// As [`Writer::write_frames`], and what `batches` and `written` return.
    pub fn write_batches<B: AsRef<[u8]> + Send>(
        &mut self,
        batches: impl IntoIterator<Item = Result<InputBatch<B>>>,
        mut written: impl FnMut(InputBatch<B>) -> Result<()> + Send,
    ) -> Result<()> {
        self.flush()?;
        let (compressor, format) = (self.compressor, &self.format);
        let records = &mut self.records;
        let mut batches = batches.into_iter();
        let next = || {
            let batch = batches.next()?;
            let raw_bytes = batch.as_ref().map_or(0, |batch| batch.bytes.as_ref().len() as u64);
            Some((batch, raw_bytes))
        };
        let pack = |batch: Result<InputBatch<B>>| {
            let batch = batch?;
            compressor.pack(format, batch.frames, batch.bytes.as_ref()).map(|packed| (batch, packed))
        };
        in_order(compressor.window(format), next, pack, |packed: Result<_>| {
            let (batch, packed): (InputBatch<B>, _) = packed?;
            write(compressor, records, packed, &batch)?;
            written(batch)
        })
    }

    fn pack<B: AsRef<[u8]>>(&mut self, batch: &InputBatch<B>) -> Result<()> {
        let packed = self.compressor.pack(&self.format, batch.frames, batch.bytes.as_ref())?;
        write(self.compressor, &mut self.records, packed, batch)
    }

    /// Writes a batch of frames that are elsewhere.
    #[cfg(feature = "gpu")]
    pub(crate) fn write_packed(&mut self, frames: usize, packed: PackedBatch) -> Result<()> {
        let batch = InputBatch { frames, bytes: (), side: Vec::new(), timestamps: Vec::new() };
        write(self.compressor, &mut self.records, packed, &batch)
    }

    /// Writes the frames gathered so far as a batch.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn flush(&mut self) -> Result<()> {
        if self.pending.frames == 0 {
            return Ok(());
        }
        let mut batch = std::mem::take(&mut self.pending);
        let result = self.pack(&batch);
        // Its memory serves the next one.
        batch.bytes.clear();
        self.pending.bytes = batch.bytes;
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

/// Writes a batch as the next record.
fn write<B>(
    compressor: &Compressor,
    records: &mut RecordWriter<impl Write>,
    packed: PackedBatch,
    batch: &InputBatch<B>,
) -> Result<()> {
    let record = BatchRecord {
        number: records.batches(),
        first_frame: records.frames(),
        frames: batch.frames as u64,
        raw_bytes: packed.raw_bytes as u64,
        raw_checksum: packed.raw_checksum,
        method: packed.method,
        blocks: packed.blocks,
        side: batch.side.clone(),
        timestamps: batch.timestamps.clone(),
        payload: packed.payload,
    };
    records.write(&record)?;
    compressor.give_back(record.payload.into_memory());
    Ok(())
}

/// Frames in batches of so many, the last one of what is left.
fn cut<'b>(
    batch_frames: usize,
    frame_bytes: usize,
    frames: usize,
    mut bytes: &'b [u8],
    mut timestamps: &'b [i64],
) -> impl Iterator<Item = Result<InputBatch<&'b [u8]>>> {
    (0..frames).step_by(batch_frames).map(move |first| {
        let frames = batch_frames.min(frames - first);
        let bytes = take(&mut bytes, frames * frame_bytes);
        Ok(InputBatch { frames, bytes, side: Vec::new(), timestamps: take(&mut timestamps, frames).to_vec() })
    })
}

/// The first `count` of what is left, or all.
fn take<'s, T>(left: &mut &'s [T], count: usize) -> &'s [T] {
    let (taken, later) = left.split_at(count.min(left.len()));
    *left = later;
    taken
}

//! Decompression: batch records to raw frames.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use crate::codec::{CodecId, Decoder, Surroundings};
use crate::container::{self, BatchRecord, Limits};
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Frames, Geometry, WorkBuffer};
use crate::plan::DeviceChoice;
use crate::pool;
use crate::reader::{DecodedBatch, Reader};
use crate::schedule::{BatchCounts, Scheduler};

/// Decompresses batches. Reusable, and usable from many threads at once; it holds working memory
/// and the device.
pub struct Decompressor {
    scheduler: Scheduler,
    threads: usize,
    limits: Limits,
    decoders: Mutex<Vec<Decoder>>,
    buffers: Mutex<Vec<WorkBuffer>>,
}

impl Decompressor {
    /// A decompressor on `device`, using at most `threads` threads per call (`None`: the whole
    /// process-wide pool), that refuses what is above `limits`.
    ///
    /// # Errors
    /// As [`Compressor::new`](crate::Compressor::new).
    pub fn new(device: &DeviceChoice, threads: Option<NonZeroUsize>, limits: Limits) -> Result<Self> {
        Ok(Self::on(Scheduler::new(device, threads)?, threads, limits))
    }

    pub(crate) fn on(scheduler: Scheduler, threads: Option<NonZeroUsize>, limits: Limits) -> Self {
        let threads = pool::threads(threads);
        Self { scheduler, threads, limits, decoders: Mutex::default(), buffers: Mutex::default() }
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Where batches ran so far.
    pub fn counts(&self) -> BatchCounts {
        self.scheduler.counts()
    }

    /// Decompresses a whole file in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) or
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) for damaged data,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a file of a later version,
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) for a batch above the limits.
    pub fn decompress(&self, file: &[u8]) -> Result<Frames> {
        let mut reader = Reader::new(file, self)?;
        let format = reader.format().clone();
        let (mut frames, mut bytes) = (0, Vec::new());
        while let Some(batch) = reader.next_batch()? {
            frames += batch.frames.frames();
            if bytes.is_empty() {
                bytes = batch.frames.into_bytes();
            } else {
                bytes.extend_from_slice(batch.frames.as_bytes());
            }
        }
        Frames::new(format, frames, bytes)
    }

    /// Restores the frames of a record.
    pub(crate) fn unpack(&self, format: &FrameFormat, record: BatchRecord) -> Result<DecodedBatch> {
        let location = record.location();
        self.restore(format, &record)
            .map(|frames| DecodedBatch { first_frame: record.first_frame, frames, side: record.side })
            .map_err(|error| error.at(location))
    }

    fn restore(&self, format: &FrameFormat, record: &BatchRecord) -> Result<Frames> {
        let frames = usize::try_from(record.frames).map_err(|_| Error::limit("batch: too many frames"))?;
        let geometry = Geometry::new(format, frames);
        let mut raw = vec![0; geometry.raw_bytes()];
        let mut residuals = pool::lock(&self.buffers).pop().unwrap_or_default();
        let result = self.scheduler.run(&geometry, |backend| {
            residuals.resize_for_overwrite(geometry.work_bytes());
            self.decode(&geometry, record, &mut residuals)?;
            backend.inverse(&geometry, &record.plan, &mut residuals, &mut raw)?;
            record.plan.values.restore(&geometry, &mut raw)?;
            let found = container::checksum(&raw);
            if found != record.raw_checksum {
                return Err(Error::corrupt(format!(
                    "checksum of the frames: expected {:016x}, found {found:016x}",
                    record.raw_checksum
                )));
            }
            Ok(())
        });
        pool::lock(&self.buffers).push(residuals);
        result.and_then(|()| Frames::new(format.clone(), frames, raw))
    }

    fn decode(&self, geometry: &Geometry, record: &BatchRecord, residuals: &mut WorkBuffer) -> Result<()> {
        let mut spans: Vec<Span<'_>> = Vec::new();
        let mut packed = record.payload.as_slice();
        let mut rest = residuals.as_bytes_mut();
        let mut start = 0;
        for (entry, place) in record.blocks.iter().zip(container::blocks(geometry, record.plan.span_samples)) {
            let (coded, later) = packed
                .split_at_checked(entry.packed_bytes as usize)
                .ok_or_else(|| Error::corrupt("payload: shorter than its blocks"))?;
            let (_, tail) = rest.split_at_mut(place.bytes.start - start);
            let (block, tail) = tail.split_at_mut(place.bytes.len());
            if place.higher + 1 == geometry.sample_bytes {
                spans.push(Span { width: geometry.planes[place.plane].width, blocks: Vec::new() });
            }
            if let Some(span) = spans.last_mut() {
                span.blocks.push((entry.codec, coded, block));
            }
            (packed, rest, start) = (later, tail, place.bytes.end);
        }
        pool::for_each(self.threads, spans, |span| {
            let mut decoder = pool::lock(&self.decoders).pop().unwrap_or_default();
            let result = span.decode(&mut decoder);
            pool::lock(&self.decoders).push(decoder);
            result
        })
    }
}

/// The blocks of a span, that of the lowest bytes first, with what they are decoded from.
struct Span<'a> {
    width: usize,
    blocks: Vec<(CodecId, &'a [u8], &'a mut [u8])>,
}

impl Span<'_> {
    /// Decodes the highest bytes first: they may be the context of lower ones.
    fn decode(self, decoder: &mut Decoder) -> Result<()> {
        let mut higher: Vec<&[u8]> = Vec::new();
        for (codec, coded, block) in self.blocks.into_iter().rev() {
            decoder.decode(codec, coded, Surroundings { width: self.width, higher: &higher }, block)?;
            higher.insert(0, block);
        }
        Ok(())
    }
}

impl Default for Decompressor {
    /// A decompressor on the CPU with the default limits.
    fn default() -> Self {
        Self::on(Scheduler::on_cpu(None), None, Limits::default())
    }
}

/// Decompresses a whole file in memory, on the CPU, with the default limits.
///
/// # Errors
/// As [`Decompressor::decompress`].
pub fn decompress(file: &[u8]) -> Result<Frames> {
    Decompressor::default().decompress(file)
}

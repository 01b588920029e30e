//! Decompression: batch records to raw frames.

use std::num::NonZeroUsize;
use std::ops::Range;

use crate::codec::{Decoder, Surroundings, discrete, exceptions};
use crate::container::{self, BatchRecord, Limits, RecordReader};
use crate::cpu::frame_sums::{self, Output};
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Frames, Geometry, Rectangle, WorkBuffer};
use crate::input;
use crate::packed::{CodedBlock, Span, bytes_of};
use crate::part::Part;
use crate::pipeline::{self, Window, in_order};
use crate::plan::{self, DeviceChoice, Method, PatchedPlan, Plan, Policy, RecoveredPlan, Shuffle, StripPlan};
use crate::pool::{self, Crew, Spares};
use crate::reader::{DecodedBatch, Reader};
use crate::schedule::work::Work;
use crate::schedule::{BatchCounts, RunStatistics, Scheduler};
use crate::selection::Selection;
use crate::shared::SharedReader;
use crate::stage::Backend;
use crate::telemetry::{self, BatchWatch};
use crate::{patched, planes, recovered, strips, tiled};

/// Decompresses batches. Reusable, and usable from many threads at once; it holds working memory
/// and the device.
pub struct Decompressor {
    pub(crate) scheduler: Scheduler,
    limits: Limits,
    decoders: Spares<Decoder>,
    buffers: Spares<WorkBuffer>,
    /// Spans before their shuffle is undone.
    shuffled: Spares<Vec<u8>>,
    reusable: Spares<Vec<u8>>,
}

/// A batch of a file in memory, and where its frames go.
type Cut<'f, 'r> = (Geometry, BatchRecord<&'f [u8]>, &'r mut [u8]);

/// The blocks of recovered planes; places and pixels of what they do not make, as bytes.
type WithExceptions<'b, 'f> = (&'b [CodedBlock<&'f [u8]>], [Vec<u8>; 2]);

impl Decompressor {
    /// A decompressor on `device`, using at most `threads` threads per call (`None`: the whole
    /// process-wide pool), that refuses what is above `limits`.
    ///
    /// # Errors
    /// As [`Compressor::new`](crate::Compressor::new).
    pub fn new(device: &DeviceChoice, threads: Option<NonZeroUsize>, limits: Limits) -> Result<Self> {
        Ok(Self::on(Scheduler::new(device, threads, Policy::Throughput)?, limits))
    }

    pub(crate) fn on(mut scheduler: Scheduler, limits: Limits) -> Self {
        scheduler.set_staging_bytes(pipeline::staging_bytes(limits.working_bytes));
        let (decoders, buffers, shuffled, reusable) = Default::default();
        Self { scheduler, limits, decoders, buffers, shuffled, reusable }
    }

    /// The most threads that one call uses.
    pub fn threads(&self) -> usize {
        self.crew().threads()
    }

    pub(crate) fn crew(&self) -> &Crew {
        self.scheduler.cpu().crew()
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Name of the GPU that was asked for. `None` for the CPU, and for a device that is chosen batch by batch.
    pub fn device_name(&self) -> Option<&str> {
        self.scheduler.device_name()
    }

    /// Where batches ran so far.
    pub fn counts(&self) -> BatchCounts {
        self.statistics().counts()
    }

    /// Where batches ran so far, why, and how long they took.
    pub fn statistics(&self) -> RunStatistics {
        self.scheduler.statistics()
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
        let mut parts = Vec::new();
        reader.read_batches(|batch| {
            parts.push(batch?.frames);
            Ok(())
        })?;
        Frames::concatenated(format, parts)
    }

    /// Decompresses a whole file in memory to `raw`, which must have room for its frames and for nothing else. Memory
    /// that is used again saves the page faults of fresh memory, which take longer than copying it would.
    ///
    /// ```
    /// use framepress::{Decompressor, Settings, compress};
    ///
    /// let frames = ndarray::Array3::from_shape_fn((10, 4, 5), |(f, _, _)| f as u8);
    /// let packed = compress(frames.view(), &Settings::new())?;
    /// let mut raw = vec![0; frames.len()];
    /// Decompressor::default().decompress_into(&packed, &mut raw)?;
    /// assert!(raw.iter().eq(&frames));
    /// # Ok::<(), framepress::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Decompressor::decompress`], and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless `raw` is
    /// as long as the frames. After an error the content of `raw` is unspecified.
    pub fn decompress_into(&self, file: &[u8], raw: &mut [u8]) -> Result<()> {
        let mut records = RecordReader::in_memory(file, self.limits)?;
        let format = records.header().format.clone();
        let room = raw.len();
        let wrong_size = |found: &str| Error::invalid(format!("output: has {room} bytes, the frames have {found}"));
        let mut rest = raw;
        let mut cut = || {
            let Some(record) = records.next()? else { return Ok(None) };
            let geometry = Geometry::new(&format, frame_count(&record)?);
            let (batch, later) = std::mem::take(&mut rest)
                .split_at_mut_checked(geometry.raw_bytes())
                .ok_or_else(|| wrong_size("more"))?;
            rest = later;
            Ok(Some((geometry, record, batch)))
        };
        let next = || {
            let cut = cut().transpose()?;
            let raw_bytes = cut.as_ref().map_or(0, |(geometry, ..)| geometry.raw_bytes() as u64);
            Some((cut, raw_bytes))
        };
        let restore = |cut: Result<Cut<'_, '_>>| {
            let (geometry, record, batch) = cut?;
            self.restore(&geometry, &record, batch).map_err(|error| error.at(record.location()))
        };
        in_order(self.window(), next, restore, |restored| restored)?;
        if rest.is_empty() { Ok(()) } else { Err(wrong_size(&(room - rest.len()).to_string())) }
    }

    /// A rectangle of the frames of `range` of a whole file in memory, as
    /// [`SeekReader::with_region`](crate::SeekReader::with_region) gives it.
    ///
    /// # Errors
    /// As [`SeekReader::read_frames`](crate::SeekReader::read_frames) and [`FrameFormat::cropped`].
    pub fn decompress_region(&self, file: &[u8], range: Range<u64>, rectangle: Rectangle) -> Result<Frames> {
        SharedReader::new(file, self)?.with_region(rectangle)?.read_frames(range)
    }

    /// Hands back the bytes of frames that are done with: a later batch is restored into their memory. Fresh memory
    /// costs several times what copying does.
    pub fn reuse(&self, bytes: Vec<u8>) {
        // More cannot be wanted at a time.
        self.reusable.give_up_to(self.threads(), bytes);
    }

    /// What may be in work at a time.
    pub(crate) fn window(&self) -> Window {
        Window::new(self.threads(), self.limits.working_bytes)
    }

    /// Restores what `selection` takes of a record. The rest is not decoded where the method of the batch allows; the
    /// checksum of the frames is checked where all of them are.
    pub(crate) fn unpack(
        &self,
        format: &FrameFormat,
        record: BatchRecord,
        selection: &Selection,
    ) -> Result<DecodedBatch> {
        let location = record.location();
        self.select(format, record, selection).map_err(|error| error.at(location))
    }

    fn select(&self, format: &FrameFormat, record: BatchRecord, selection: &Selection) -> Result<DecodedBatch> {
        let count = frame_count(&record)?;
        let geometry = Geometry::new(format, count);
        let positions = selection.positions(record.first_frame, count);
        let part = Part::of(format, &geometry, &positions, selection.rectangle());
        let mut raw = self.memory(geometry.raw_bytes());
        // A device does all of a batch.
        if part.is_whole(&geometry) || !record.method.has_parts() || self.device_name().is_some() {
            self.restore(&geometry, &record, &mut raw)?;
        } else {
            self.restore_part(&geometry, &record, &part, &mut raw)?;
        }
        let mut frames = Frames::new(format.clone(), count, raw)?;
        let BatchRecord { mut first_frame, mut side, mut timestamps, .. } = record;
        if let Some(cut) = selection.cut(&frames, &positions)? {
            self.reuse(std::mem::replace(&mut frames, cut).into_bytes());
        }
        if positions.len() < count {
            first_frame += positions.start as u64;
            timestamps = timestamps.get(positions.clone()).unwrap_or_default().to_vec();
            side = input::side_of_part(&side, positions);
        }
        Ok(DecodedBatch { first_frame, frames, side, timestamps })
    }

    /// Memory of so many bytes for frames. Its content is unspecified.
    fn memory(&self, bytes: usize) -> Vec<u8> {
        let mut raw = self.reusable.take().unwrap_or_default();
        if raw.capacity() < bytes {
            // Not grown: pages that nobody writes to take no memory.
            raw = vec![0; bytes];
        }
        raw.resize(bytes, 0);
        raw
    }

    pub(crate) fn restore<P: AsRef<[u8]> + Sync>(
        &self,
        geometry: &Geometry,
        record: &BatchRecord<P>,
        raw: &mut [u8],
    ) -> Result<()> {
        let (whole, cpu) = (Part::whole(geometry), self.scheduler.cpu());
        let work = |backend: &dyn Backend| {
            let sums = cpu.take_sums(raw, container::summed_blocks(raw.len()));
            let output = Output { raw: &mut *raw, sums: Some(&sums) };
            self.restore_method(geometry, &record.method, &record.coded_blocks()?, &whole, backend, output)?;
            let found = container::checksum_of_frames(raw, &sums, cpu.crew())?;
            cpu.give_back_sums(sums);
            check_frames(record, found)
        };
        let describe = || Work::decompress(geometry, &record.method, record.payload.as_ref().len());
        self.watched(geometry, record, || {
            self.scheduler.run(geometry.raw_bytes(), describe, work, |()| record.method != Method::Discrete)
        })
    }

    /// Restores a part of a record: on the CPU, because a device does all of a batch.
    fn restore_part<P: AsRef<[u8]> + Sync>(
        &self,
        geometry: &Geometry,
        record: &BatchRecord<P>,
        part: &Part,
        raw: &mut [u8],
    ) -> Result<()> {
        let raw_bytes = geometry.raw_bytes();
        let work = |cpu: &dyn Backend| {
            self.restore_method(geometry, &record.method, &record.coded_blocks()?, part, cpu, raw.into())
        };
        self.watched(geometry, record, || self.scheduler.run_on_cpu(raw_bytes, work))
    }

    fn watched<P: AsRef<[u8]> + Sync>(
        &self,
        geometry: &Geometry,
        record: &BatchRecord<P>,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let _seat = self.crew().enter();
        let _span =
            tracing::debug_span!("decompress", first_frame = record.first_frame, frames = record.frames).entered();
        let (watch, _in_work) = (BatchWatch::decompress(), telemetry::in_work());
        work()?;
        watch.done(&record.method, geometry.raw_bytes(), record.payload.as_ref().len());
        Ok(())
    }

    /// Restores a part of the frames of a batch, without a look at its checksum. What is in the output besides that part is
    /// unspecified.
    pub(crate) fn restore_method(
        &self,
        geometry: &Geometry,
        method: &Method,
        blocks: &[CodedBlock<&[u8]>],
        part: &Part,
        backend: &dyn Backend,
        output: Output<'_>,
    ) -> Result<()> {
        match method {
            Method::Planes(plan) => self.restore_planes(geometry, plan, blocks, backend, output),
            Method::Tiles(plan) => {
                tiled::decode(geometry, plan, &bytes_of(blocks), part, output, backend, self.scheduler.cpu())
            }
            Method::Strips(plan) => self.restore_strips(geometry, plan, &bytes_of(blocks), part, backend, output.raw),
            Method::Discrete => {
                let picture = plan::picture(geometry).ok_or_else(|| Error::corrupt("discrete coding of no picture"))?;
                discrete::decode(picture, self.crew(), blocks.first().map_or(&[], |block| block.bytes), output.raw)
            }
            Method::Recovered(plan) => self.restore_recovered(geometry, plan, blocks, part, backend, output),
            Method::Patched(plan) => self.restore_patched(geometry, plan, blocks, part, backend, output.raw),
        }
    }

    fn restore_patched(
        &self,
        geometry: &Geometry,
        PatchedPlan { patch, recovered, method }: &PatchedPlan,
        blocks: &[CodedBlock<&[u8]>],
        part: &Part,
        backend: &dyn Backend,
        raw: &mut [u8],
    ) -> Result<()> {
        let count = container::recovered_count(recovered, geometry).min(blocks.len());
        let (blocks, of_patch) = blocks.split_at(count);
        self.restore_recovered(geometry, recovered, blocks, part, backend, (&mut *raw).into())?;
        let Some(part) = part.within(&patch.rows()) else { return Ok(()) };
        let patch_geometry = patch.geometry(geometry);
        let mut pixels = self.buffers.take().unwrap_or_default();
        pixels.resize_for_overwrite(patch_geometry.raw_bytes());
        let result = self
            .restore_method(&patch_geometry, method, of_patch, &part, backend, pixels.as_bytes_mut().into())
            .and_then(|()| patched::put_over(geometry, patch, pixels.as_bytes(), raw, self.scheduler.cpu()));
        self.buffers.give(pixels);
        result
    }

    fn restore_recovered(
        &self,
        geometry: &Geometry,
        plan: &RecoveredPlan,
        blocks: &[CodedBlock<&[u8]>],
        part: &Part,
        backend: &dyn Backend,
        Output { raw, sums }: Output<'_>,
    ) -> Result<()> {
        let (blocks, of_exceptions) = self.exceptions_after(plan, blocks)?;
        let of_exceptions = of_exceptions.each_ref().map(Vec::as_slice);
        let planes_geometry = plan.making.planes(geometry);
        let mut planes = self.buffers.take().unwrap_or_default();
        let converts = !backend.is_cpu() || part.is_whole(geometry) && tiled::converts(&planes_geometry);
        let result = match &*plan.method {
            Method::Tiles(tiles) if converts => {
                let (making, cpu) = ((geometry, &plan.making), self.scheduler.cpu());
                let output = Output { raw: &mut *raw, sums };
                tiled::decode_to_pixels(making, tiles, &bytes_of(blocks), &mut planes, output, backend, cpu)
                    .and_then(|()| exceptions::put(of_exceptions, geometry.planes.len(), Output { raw, sums }))
            }
            method => {
                planes.resize_for_overwrite(planes_geometry.raw_bytes());
                self.restore_method(&planes_geometry, method, blocks, part, backend, planes.as_bytes_mut().into())
                    .and_then(|()| {
                        recovered::convert(geometry, &plan.making, planes.as_bytes(), part, of_exceptions, raw, backend)
                    })
            }
        };
        self.buffers.give(planes);
        result
    }

    /// Tells the blocks of planes from those of exceptions, which it decodes.
    pub(crate) fn exceptions_after<'b, 'f>(
        &self,
        plan: &RecoveredPlan,
        blocks: &'b [CodedBlock<&'f [u8]>],
    ) -> Result<WithExceptions<'b, 'f>> {
        let lengths: Vec<u64> = plan.exception_blocks().collect();
        let (blocks, exception_blocks) = blocks.split_at(blocks.len().saturating_sub(lengths.len()));
        let mut of_exceptions = [Vec::new(), Vec::new()];
        let mut decoder = self.decoders.take().unwrap_or_default();
        for ((block, &length), bytes) in exception_blocks.iter().zip(&lengths).zip(&mut of_exceptions) {
            bytes.resize(usize::try_from(length).map_err(|_| Error::limit("exceptions: too many"))?, 0);
            decoder.decode(block.codec, block.bytes, Surroundings::default(), bytes)?;
        }
        self.decoders.give(decoder);
        Ok((blocks, of_exceptions))
    }

    fn restore_planes(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        blocks: &[CodedBlock<&[u8]>],
        backend: &dyn Backend,
        Output { raw, sums }: Output<'_>,
    ) -> Result<()> {
        // Values are put in the place of what is restored here.
        let sums = sums.filter(|_| plan.values.is_empty());
        if backend.is_cpu() && plan.leaves_samples(geometry) {
            self.decode_unshuffled(geometry, plan, blocks, Output { raw: &mut *raw, sums })?;
            return plan.values.restore(geometry, raw);
        }
        let mut residuals = self.buffers.take().unwrap_or_default();
        let result = if backend.is_cpu() {
            residuals.resize_for_overwrite(geometry.work_bytes());
            self.decode_unshuffled(geometry, plan, blocks, residuals.as_bytes_mut().into())
                .and_then(|()| {
                    let output = Output { raw: &mut *raw, sums };
                    self.scheduler.cpu().restore_unshuffled(geometry, plan, &mut residuals, output)
                })
                .and_then(|()| plan.values.restore(geometry, raw))
        } else {
            self.decode(geometry, plan, blocks, &mut residuals)
                .and_then(|()| planes::inverse(geometry, plan, backend, &mut residuals, raw))
        };
        self.buffers.give(residuals);
        result
    }

    /// Decodes the blocks of a batch to planes and undoes the shuffle, span by span, while these are in the cache.
    fn decode_unshuffled(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        blocks: &[CodedBlock<&[u8]>],
        Output { raw: planes, sums }: Output<'_>,
    ) -> Result<()> {
        let cpu = self.scheduler.cpu();
        self.decode_spans(Span::all(geometry, plan, blocks, planes), |span, decoder, bytes| {
            match span.shuffle {
                Shuffle::None => span.decode(decoder, bytes)?,
                Shuffle::Byte => {
                    return span.decode_parts(decoder, |samples, lanes| {
                        let start = samples.start * geometry.sample_bytes;
                        let end = cpu.interleave(lanes, bytes, start);
                        frame_sums::add_next(sums, &bytes[..end], start);
                    });
                }
                Shuffle::Bit => {
                    let mut shuffled = self.shuffled.take().unwrap_or_default();
                    shuffled.resize(bytes.len(), 0);
                    span.decode(decoder, &mut shuffled)?;
                    cpu.unshuffle(span.shuffle, geometry.sample_bytes, &shuffled, bytes);
                    self.shuffled.give(shuffled);
                }
            }
            frame_sums::add(sums, bytes);
            Ok(())
        })
    }

    fn restore_strips(
        &self,
        geometry: &Geometry,
        plan: &StripPlan,
        strips: &[&[u8]],
        part: &Part,
        backend: &dyn Backend,
        raw: &mut [u8],
    ) -> Result<()> {
        let mut planes = self.buffers.take().unwrap_or_default();
        let result = strips::decode(geometry, plan, strips, part, &mut planes, self.scheduler.cpu())
            .and_then(|()| planes::inverse(geometry, &plan.planes(geometry), backend, &mut planes, raw));
        self.buffers.give(planes);
        result
    }

    /// Decodes the blocks of a batch to its residuals. Public for `framepress bench` alone.
    #[doc(hidden)]
    pub fn decode(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        blocks: &[CodedBlock<&[u8]>],
        residuals: &mut WorkBuffer,
    ) -> Result<()> {
        residuals.resize_for_overwrite(geometry.work_bytes());
        let spans = Span::all(geometry, plan, blocks, residuals.as_bytes_mut());
        self.decode_spans(spans, |span, decoder, bytes| span.decode(decoder, bytes))
    }

    /// Has `decode` fill the place of each span.
    fn decode_spans(
        &self,
        spans: Vec<(Span<'_>, &mut [u8])>,
        decode: impl Fn(Span<'_>, &mut Decoder, &mut [u8]) -> Result<()> + Sync,
    ) -> Result<()> {
        pool::for_each(self.crew(), spans, |(span, bytes)| {
            let mut decoder = self.decoders.take().unwrap_or_default();
            let result = decode(span, &mut decoder, bytes);
            self.decoders.give(decoder);
            result
        })
    }
}

/// Checks the checksum of the frames of a batch.
pub(crate) fn check_frames<P>(record: &BatchRecord<P>, found: u64) -> Result<()> {
    if found == record.raw_checksum {
        return Ok(());
    }
    let expected = record.raw_checksum;
    Err(Error::corrupt(format!("checksum of the frames: expected {expected:016x}, found {found:016x}")))
}

pub(crate) fn frame_count<P>(record: &BatchRecord<P>) -> Result<usize> {
    usize::try_from(record.frames).map_err(|_| Error::limit("batch: too many frames"))
}

impl Default for Decompressor {
    /// A decompressor on the CPU with the default limits.
    fn default() -> Self {
        Self::on(Scheduler::on_cpu(None), Limits::default())
    }
}

/// Decompresses a whole file in memory, on the CPU, with the default limits.
///
/// # Errors
/// As [`Decompressor::decompress`].
pub fn decompress(file: &[u8]) -> Result<Frames> {
    Decompressor::default().decompress(file)
}

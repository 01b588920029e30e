//! The stages on the CPU: one file per shader, vectorised by run-time dispatch.

mod ahead;
pub mod bit_shuffle;
pub mod block_sums;
pub mod byte_shuffle;
#[cfg(target_arch = "x86_64")]
mod channels;
pub mod colour;
pub mod copy;
pub mod entropy;
pub mod frame_sums;
pub mod histogram;
#[cfg(test)]
mod oracle;
pub mod pages;
pub mod predict;
pub mod recover;
pub mod rows;
pub mod sample;
#[allow(unsafe_code)]
pub(crate) mod simd;
pub mod temporal;
#[cfg(test)]
mod tests;
pub mod tiles;

use std::sync::Arc;

pub use simd::{SIMD_VARIABLE, SimdLevel};

use self::frame_sums::{FrameSums, Output};
use self::predict::Prediction;
use self::sample::{Sample, with_sample};
use crate::codec::{self, DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, WorkBuffer};
use crate::motion::{self, Field, Filter, Filters, Motion, SearchEffort};
use crate::plan::{Candidate, Colour, Making, Plan, PlanePlan, Predictor, Shuffle, TileCut, TilePlan};
use crate::pool::{self, Crew, Spares};
use crate::stage::{
    self, Backend, CodedTiles, PackedTiles, Restored, SegmentCode, Segments, SolvedPlanes, TileBatch, TileEffort,
};

/// Samples of a frame that one job of the temporal inverse takes through all frames.
const TEMPORAL_BAND_SAMPLES: usize = 1 << 16;

/// The CPU as a [`Backend`].
pub struct CpuBackend {
    simd: SimdLevel,
    crew: Arc<Crew>,
    /// Buffers to use again: a fresh one costs a page fault per 4 KiB.
    spare: Spares<WorkBuffer>,
    /// The same of sums.
    spare_sums: Spares<FrameSums>,
    /// The same of what was packed and is written.
    spare_blocks: Spares<Vec<u8>>,
    /// The same of planes that a search looks at.
    spare_planes: Spares<Vec<u8>>,
}

impl CpuBackend {
    /// A backend that uses `simd` on at most `threads` threads.
    pub fn new(simd: SimdLevel, threads: usize) -> Self {
        Self::on(simd, Arc::new(Crew::new(threads)))
    }

    /// Another one, on threads of the same crew.
    pub(crate) fn of_crew(&self) -> Self {
        Self::on(self.simd, Arc::clone(&self.crew))
    }

    fn on(simd: SimdLevel, crew: Arc<Crew>) -> Self {
        let (spare, spare_sums, spare_blocks, spare_planes) = Default::default();
        Self { simd, crew, spare, spare_sums, spare_blocks, spare_planes }
    }

    /// Runs `work` with a buffer of `bytes` unspecified bytes.
    fn with_buffer<R>(&self, bytes: usize, work: impl FnOnce(&mut WorkBuffer) -> Result<R>) -> Result<R> {
        let mut buffer = self.take_buffer(bytes);
        let result = work(&mut buffer);
        self.give_back(buffer);
        result
    }

    /// Has `tiles` restore what was tiled, and makes frames of it if they are made.
    fn restore(
        &self,
        Restored { geometry, making }: Restored<'_>,
        raw: &mut [u8],
        tiles: impl FnOnce(&Geometry, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let Some(making) = making else { return tiles(geometry, raw) };
        let tiled = making.planes(geometry);
        self.with_buffer(tiled.raw_bytes(), |planes| {
            tiles(&tiled, planes.as_bytes_mut())?;
            self.convert(geometry, making, planes.as_bytes(), raw)
        })
    }

    /// A buffer of `bytes` unspecified bytes.
    pub(crate) fn take_buffer(&self, bytes: usize) -> WorkBuffer {
        let mut buffer = self.spare.take().unwrap_or_default();
        buffer.resize_for_overwrite(bytes);
        buffer
    }

    /// Keeps a buffer to use it again.
    pub(crate) fn give_back(&self, buffer: WorkBuffer) {
        self.spare.give(buffer);
    }

    /// Sums of the first `count` blocks of frames, of which none is known.
    pub(crate) fn take_sums(&self, raw: &[u8], count: usize) -> FrameSums {
        let mut sums = self.spare_sums.take().unwrap_or_else(|| FrameSums::new(self.simd));
        sums.begin(raw, count);
        sums
    }

    /// Keeps sums to use their memory again.
    pub(crate) fn give_back_sums(&self, sums: FrameSums) {
        self.spare_sums.give(sums);
    }

    /// Memory for packed bytes.
    pub(crate) fn take_block(&self) -> Vec<u8> {
        self.spare_blocks.take().unwrap_or_default()
    }

    /// Keeps memory of the packed bytes of a batch that are written, and lets go of what it had of earlier ones: it is never
    /// more than twice what the batch came to.
    pub(crate) fn give_back_blocks(&self, mut blocks: Vec<Vec<u8>>) {
        blocks.retain(|block| block.capacity() <= 2 * block.len());
        blocks.iter_mut().for_each(Vec::clear);
        self.spare_blocks.replace(blocks);
    }

    /// Memory for a plane of so many unspecified samples.
    pub(crate) fn take_plane(&self, samples: usize) -> Vec<u8> {
        let mut plane = self.spare_planes.take().unwrap_or_default();
        plane.resize(samples, 0);
        plane
    }

    /// Keeps memory of a plane to use it again.
    pub(crate) fn give_back_plane(&self, plane: Vec<u8>) {
        self.spare_planes.give(plane);
    }

    /// How many buffers it keeps.
    #[cfg(test)]
    pub(crate) fn spare_buffers(&self) -> usize {
        self.spare.len()
    }

    /// The instructions it uses.
    pub fn simd(&self) -> SimdLevel {
        self.simd
    }

    /// Threads that one call may use.
    pub fn threads(&self) -> usize {
        self.crew.threads()
    }

    /// The threads that it shares with all that works for the same compressor or decompressor.
    pub fn crew(&self) -> &Crew {
        &self.crew
    }

    /// `residuals` as one span, shuffled.
    pub fn shuffled(&self, shuffle: Shuffle, sample_bytes: usize, residuals: &[u8]) -> Vec<u8> {
        let mut span = vec![0; residuals.len()];
        self.shuffle_to(shuffle, sample_bytes, residuals, &mut span);
        span
    }

    /// Raw frames to all tiles of a batch. Callers have checked the cut ([`TileCut::check`]).
    pub fn tiles_forward(&self, batch: Batch<'_>, cut: TileCut, effort: TileEffort, out: &mut TileBatch) -> Result<()> {
        tiles::forward(self.simd, &self.crew, (batch, None), cut, effort, out)
    }

    /// The way back.
    ///
    /// # Errors
    /// Corrupt if `tiles` are not as many as those of the cut, or have predictors that there are not.
    pub fn tiles_inverse(&self, geometry: &Geometry, cut: TileCut, tiles: &TileBatch, raw: &mut [u8]) -> Result<()> {
        tiles::inverse(self.simd, &self.crew, (geometry, None), cut, tiles, raw)
    }

    /// Stage 1, forward.
    fn split<T: Sample>(&self, batch: Batch<'_>, colour: Colour, planar: &mut WorkBuffer) -> Result<()> {
        let geometry = batch.geometry;
        if batch.raw.is_empty() {
            return Ok(());
        }
        let raws = batch.raw.chunks_exact(geometry.frame_samples * T::BYTES);
        let jobs = raws.zip(frames_of_planes::<T>(geometry, planar)).collect();
        pool::for_each(&self.crew, jobs, |(raw, mut out): (&[u8], Vec<&mut [T]>)| {
            colour::forward(self.simd, colour, &geometry.planes, raw, &mut out);
            Ok(())
        })
    }

    /// Stages 2 and 3, forward, of one frame of a plane.
    fn residual<T: Sample>(&self, frame: FrameOfPlane<'_, T>, out: &mut [T], difference: &mut Vec<T>) {
        let FrameOfPlane { current, previous, prediction } = frame;
        if let Some(previous) = previous {
            difference.resize(current.len(), T::ZERO);
            temporal::forward(self.simd, current, previous, difference);
            predict::forward(self.simd, prediction, difference, out);
        } else {
            predict::forward(self.simd, prediction, current, out);
        }
    }

    /// Stages 1 to 3, forward, of consecutive frames from `first`. Frame by frame, so that the planes
    /// between the stages stay in the cache.
    fn residuals_of_frames<T: Sample>(&self, batch: Batch<'_>, plan: &Plan, first: usize, outs: Vec<Vec<&mut [T]>>) {
        let geometry = batch.geometry;
        let planes = || geometry.planes.iter().map(|plane| vec![T::ZERO; plane.frame_samples()]).collect::<Vec<_>>();
        let (mut current, mut previous, mut difference) = (planes(), planes(), Vec::new());
        let split = |at: usize, planes: &mut [Vec<T>]| {
            let frame_bytes = geometry.frame_samples * T::BYTES;
            let raw = &batch.raw[at * frame_bytes..][..frame_bytes];
            let mut planes: Vec<&mut [T]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
            colour::forward(self.simd, plan.colour, &geometry.planes, raw, &mut planes);
        };
        if first > 0 && plan.planes.iter().any(|plane| plane.temporal) {
            split(first - 1, &mut current);
        }
        for (at, outs) in (first..).zip(outs) {
            std::mem::swap(&mut current, &mut previous);
            split(at, &mut current);
            for (plane, out) in outs.into_iter().enumerate() {
                let frames = (current[plane].as_slice(), previous[plane].as_slice());
                let frame = FrameOfPlane::new(geometry, plan.colour, &plan.planes[plane], plane, at, frames);
                self.residual(frame, out, &mut difference);
            }
        }
    }

    fn forward_samples<T: Sample>(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        let geometry = batch.geometry;
        if batch.raw.is_empty() {
            return Ok(());
        }
        if plan.leaves_samples(geometry) {
            return self.shuffle_raw(batch, plan, out);
        }
        // Twice as many runs as threads: one of them may be held up.
        let run = geometry.frames.div_ceil(2 * self.threads());
        let mut outs = frames_of_planes::<T>(geometry, out).into_iter();
        let jobs = (0..geometry.frames).step_by(run).map(|first| (first, outs.by_ref().take(run).collect())).collect();
        pool::for_each(&self.crew, jobs, |(first, outs): (usize, Vec<Vec<&mut [T]>>)| {
            self.residuals_of_frames(batch, plan, first, outs);
            Ok(())
        })?;
        self.shuffle(geometry, plan, out, Direction::Forward)
    }

    /// Stages 3 to 1, inverse: residuals that are shuffled no more to raw frames.
    pub(crate) fn restore_unshuffled(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        residuals: &mut WorkBuffer,
        output: Output<'_>,
    ) -> Result<()> {
        with_sample!(geometry.sample_bytes, T => self.inverse_samples::<T>(geometry, plan, residuals, output))
    }

    fn inverse_samples<T: Sample>(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        residuals: &mut WorkBuffer,
        output: Output<'_>,
    ) -> Result<()> {
        if output.raw.is_empty() {
            return Ok(());
        }
        let Output { raw, sums } = output;
        let frames = frames_of_planes::<T>(geometry, residuals).into_iter().enumerate();
        let jobs = frames
            .flat_map(|(at, planes)| planes.into_iter().enumerate().map(move |(plane, samples)| (at, plane, samples)));
        pool::for_each(&self.crew, jobs.collect(), |(at, plane, samples): (usize, usize, &mut [T])| {
            let (temporal, predictor) = plan.planes[plane].of_frame(at);
            let prediction = prediction(geometry, plan.colour, plane, temporal, predictor);
            predict::inverse(self.simd, prediction, samples);
            Ok(())
        })?;
        pool::for_each(&self.crew, temporal_bands::<T>(geometry, plan, residuals), |band: Vec<&mut [T]>| {
            let mut frames = band.into_iter();
            let Some(mut previous) = frames.next() else { return Ok(()) };
            for frame in frames {
                temporal::inverse(self.simd, frame, previous);
                previous = frame;
            }
            Ok(())
        })?;
        let raws = raw.chunks_exact_mut(geometry.frame_samples * T::BYTES);
        let jobs = raws.zip(frames_of_planes::<T>(geometry, residuals)).collect();
        pool::for_each(&self.crew, jobs, |(raw, planes): (&mut [u8], Vec<&mut [T]>)| {
            let planes: Vec<&[T]> = planes.into_iter().map(|plane| &*plane).collect();
            colour::inverse(self.simd, plan.colour, &geometry.planes, &planes, raw);
            frame_sums::add(sums, raw);
            Ok(())
        })
    }

    /// Stage 4, forward, of samples that nothing else is done to: from where they are.
    fn shuffle_raw(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        let span_bytes = plan.span_samples as usize * batch.geometry.sample_bytes;
        let jobs = batch.raw.chunks(span_bytes).zip(out.as_bytes_mut().chunks_mut(span_bytes)).collect();
        pool::for_each(&self.crew, jobs, |(span, out): (&[u8], &mut [u8])| {
            self.shuffle_to(plan.planes[0].shuffle, batch.geometry.sample_bytes, span, &mut out[..span.len()]);
            Ok(())
        })
    }

    /// Stage 4, either way, span by span in place.
    pub(crate) fn shuffle(
        &self,
        geometry: &Geometry,
        plan: &Plan,
        buffer: &mut WorkBuffer,
        direction: Direction,
    ) -> Result<()> {
        let span_bytes = plan.span_samples as usize * geometry.sample_bytes;
        let mut jobs = Vec::new();
        for (plane, bytes) in bytes_of_planes(geometry, buffer).into_iter().enumerate() {
            let shuffle = plan.planes[plane].shuffle;
            if shuffle != Shuffle::None {
                jobs.extend(bytes.chunks_mut(span_bytes).map(|span| (shuffle, span)));
            }
        }
        pool::for_each(&self.crew, jobs, |(shuffle, span): (Shuffle, &mut [u8])| {
            self.shuffle_span(shuffle, direction, geometry.sample_bytes, span);
            Ok(())
        })
    }

    fn shuffle_span(&self, shuffle: Shuffle, direction: Direction, sample_bytes: usize, span: &mut [u8]) {
        let input = span.to_vec();
        match direction {
            Direction::Forward => self.shuffle_to(shuffle, sample_bytes, &input, span),
            Direction::Inverse => self.unshuffle(shuffle, sample_bytes, &input, span),
        }
    }

    /// A span of samples, shuffled, into `out`.
    fn shuffle_to(&self, shuffle: Shuffle, sample_bytes: usize, span: &[u8], out: &mut [u8]) {
        match shuffle {
            Shuffle::None => out.copy_from_slice(span),
            Shuffle::Byte => byte_shuffle::forward(self.simd, sample_bytes, span, out),
            Shuffle::Bit => bit_shuffle::forward(self.simd, sample_bytes, span, out),
        }
    }

    /// The way back.
    pub(crate) fn unshuffle(&self, shuffle: Shuffle, sample_bytes: usize, shuffled: &[u8], out: &mut [u8]) {
        match shuffle {
            Shuffle::None => out.copy_from_slice(shuffled),
            Shuffle::Byte => byte_shuffle::inverse(self.simd, sample_bytes, shuffled, out),
            Shuffle::Bit => bit_shuffle::inverse(self.simd, sample_bytes, shuffled, out),
        }
    }

    /// The way back of some samples whose bytes of equal significance are in `lanes`, to `out` from `start` on. Says where they
    /// end; the memory after that is fetched, for those that come next.
    pub(crate) fn interleave(&self, lanes: &[&[u8]], out: &mut [u8], start: usize) -> usize {
        let bytes: usize = lanes.iter().map(|lane| lane.len()).sum();
        let (done, later) = out.split_at_mut(start + bytes);
        ahead::fetch(&later[..bytes.min(later.len())]);
        byte_shuffle::interleave(self.simd, lanes, &mut done[start..]);
        start + bytes
    }

    /// Costs of `candidates`, which share one colour transform, into `costs`.
    fn costs_samples<T: Sample>(&self, batch: Batch<'_>, colour: Colour, jobs: Vec<CostJob<'_>>) -> Result<()> {
        let geometry = batch.geometry;
        self.with_buffer(geometry.work_bytes(), |planar| {
            self.split::<T>(batch, colour, planar)?;
            pool::for_each(&self.crew, jobs, |CostJob { candidate, plane, cost }| {
                let plane_plan = stage::candidate_plane(candidate);
                let samples = samples_of_plane::<T>(geometry, planar, plane);
                let mut residuals = vec![T::ZERO; geometry.planes[plane].frame_samples()];
                let mut bins = vec![0; T::BYTES * histogram::BINS];
                let mut difference = Vec::new();
                for at in counted_frames(geometry.frames) {
                    let frame_samples = residuals.len();
                    let frame_at = |at: usize| &samples[at * frame_samples..][..frame_samples];
                    let frames = (frame_at(at), frame_at(at.saturating_sub(1)));
                    let frame = FrameOfPlane::new(geometry, colour, &plane_plan, plane, at, frames);
                    self.residual(frame, &mut residuals, &mut difference);
                    histogram::forward(T::BYTES, bytemuck::cast_slice(&residuals), &mut bins);
                }
                *cost = entropy::forward(&bins);
                Ok(())
            })
        })
    }
}

impl Backend for CpuBackend {
    fn is_cpu(&self) -> bool {
        true
    }

    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        out.resize_for_overwrite(batch.geometry.work_bytes());
        with_sample!(batch.geometry.sample_bytes, T => self.forward_samples::<T>(batch, plan, out))
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.shuffle(geometry, plan, residuals, Direction::Inverse)?;
        self.restore_unshuffled(geometry, plan, residuals, raw.into())
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>> {
        let planes = batch.geometry.planes.len();
        let mut costs = vec![0; candidates.len() * planes];
        for &colour in Colour::ALL {
            let rows =
                candidates.iter().zip(costs.chunks_mut(planes)).filter(|(candidate, _)| candidate.colour == colour);
            let jobs: Vec<_> = rows
                .flat_map(|(&candidate, row)| {
                    row.iter_mut().enumerate().map(move |(plane, cost)| CostJob { candidate, plane, cost })
                })
                .collect();
            if !jobs.is_empty() {
                with_sample!(batch.geometry.sample_bytes, T => self.costs_samples::<T>(batch, colour, jobs))?;
            }
        }
        Ok(costs)
    }

    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        tiles::pack(self.simd, &self.crew, batch, plan, effort)
    }

    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.restore(restored, raw, |tiled, raw| tiles::unpack(self.simd, &self.crew, tiled, plan, packed, raw))
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>> {
        tiles::encode(self.simd, &self.crew, (batch, motion), plan, effort, tables)
    }

    fn tiles_decode(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        motion: Option<&Motion>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.restore(restored, raw, |tiled, raw| {
            tiles::decode(self.simd, &self.crew, (tiled, motion), plan, tables, coded, raw)
        })
    }

    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
        motion::expect(self.simd, &self.crew, batch, motion, out)
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        recover::batch::forward(self.simd, &self.crew, batch, making, out)
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        recover::batch::inverse(self.simd, &self.crew, geometry, making, planes, raw.into())
    }

    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>> {
        let mut fields: Vec<Field> = Vec::with_capacity(frames.len());
        for pair in frames.windows(2) {
            let last = fields.last().or(last);
            fields.push(motion::search([pair[0], pair[1]], width, Filters::one(filter), last, effort, self)?);
        }
        Ok(fields)
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        codec::rans_encode(self.simd, &self.crew, tables, segments, groups)
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        codec::rans_decode(self.simd, &self.crew, tables, segments, codes, groups)
    }
}

/// Frames whose residuals count towards a cost.
pub(crate) fn counted_frames(frames: usize) -> std::ops::Range<usize> {
    usize::from(frames > 1)..frames
}

#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Forward,
    Inverse,
}

struct CostJob<'a> {
    candidate: Candidate,
    plane: usize,
    cost: &'a mut u64,
}

/// One frame of a plane with what is done to it.
struct FrameOfPlane<'a, T> {
    current: &'a [T],
    /// The frame before, for a temporal difference.
    previous: Option<&'a [T]>,
    prediction: Prediction,
}

impl<'a, T> FrameOfPlane<'a, T> {
    /// Frame `at` of plane `plane`; `frames` are its samples and those of the frame before.
    fn new(
        geometry: &Geometry,
        colour: Colour,
        plan: &PlanePlan,
        plane: usize,
        at: usize,
        frames: (&'a [T], &'a [T]),
    ) -> Self {
        let (temporal, predictor) = plan.of_frame(at);
        let prediction = prediction(geometry, colour, plane, temporal, predictor);
        Self { current: frames.0, previous: temporal.then_some(frames.1), prediction }
    }
}

fn prediction(geometry: &Geometry, colour: Colour, plane: usize, temporal: bool, predictor: Predictor) -> Prediction {
    Prediction {
        predictor,
        order: stage::order(geometry, colour != Colour::None, plane, temporal),
        zigzag: stage::zigzag(temporal, predictor),
        width: geometry.planes[plane].width,
    }
}

fn samples_of_plane<'a, T: Sample>(geometry: &Geometry, buffer: &'a WorkBuffer, plane: usize) -> &'a [T] {
    bytemuck::cast_slice(&buffer.as_bytes()[geometry.plane_range(plane)])
}

/// The bytes of each plane, all frames.
fn bytes_of_planes<'a>(geometry: &Geometry, buffer: &'a mut WorkBuffer) -> Vec<&'a mut [u8]> {
    let mut rest = buffer.as_bytes_mut();
    let mut start = 0;
    let mut planes = Vec::with_capacity(geometry.planes.len());
    for plane in 0..geometry.planes.len() {
        let range = geometry.plane_range(plane);
        let (_, tail) = rest.split_at_mut(range.start - start);
        let (bytes, tail) = tail.split_at_mut(range.len());
        planes.push(bytes);
        start = range.end;
        rest = tail;
    }
    planes
}

/// For each frame, its samples of every plane.
fn frames_of_planes<'a, T: Sample>(geometry: &Geometry, buffer: &'a mut WorkBuffer) -> Vec<Vec<&'a mut [T]>> {
    let mut frames: Vec<Vec<&mut [T]>> = Vec::new();
    frames.resize_with(geometry.frames, Vec::new);
    for (plane, bytes) in geometry.planes.iter().zip(bytes_of_planes(geometry, buffer)) {
        let mut samples: &mut [T] = bytemuck::cast_slice_mut(bytes);
        for frame in &mut frames {
            let (head, tail) = samples.split_at_mut(plane.frame_samples());
            frame.push(head);
            samples = tail;
        }
    }
    frames
}

/// Bands of the planes that have temporal differences: each is the same span of every frame.
fn temporal_bands<'a, T: Sample>(
    geometry: &Geometry,
    plan: &Plan,
    buffer: &'a mut WorkBuffer,
) -> Vec<Vec<&'a mut [T]>> {
    let mut bands = Vec::new();
    for (plane, bytes) in bytes_of_planes(geometry, buffer).into_iter().enumerate() {
        let frame_samples = geometry.planes[plane].frame_samples();
        if !plan.planes[plane].temporal || frame_samples == 0 {
            continue;
        }
        let first = bands.len();
        bands.resize_with(first + frame_samples.div_ceil(TEMPORAL_BAND_SAMPLES), Vec::new);
        let samples: &mut [T] = bytemuck::cast_slice_mut(bytes);
        for frame in samples.chunks_exact_mut(frame_samples) {
            for (band, part) in bands[first..].iter_mut().zip(frame.chunks_mut(TEMPORAL_BAND_SAMPLES)) {
                band.push(part);
            }
        }
    }
    bands
}

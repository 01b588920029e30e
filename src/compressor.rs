//! Compression: batches of raw frames to batch records.

use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use ndarray::{ArrayView, Dimension};

use crate::codec::discrete::{self, Picture};
use crate::codec::{CodecId, Encoder, Surroundings, surroundings};
use crate::container::{self, BlockEntry, Limits, Payload, Pieces};
use crate::cpu::frame_sums::FrameSums;
use crate::decompressor::Decompressor;
use crate::error::{Error, Result};
use crate::frame::{Batch, Element, FrameFormat, Frames, Geometry, WorkBuffer, bytes_of_view, format_of_view};
use crate::motion::OrderedMotion;
use crate::packed::{CodedBlock, packed_bytes};
use crate::part::Part;
use crate::patched::Patched;
use crate::pipeline::{self, FOOTPRINT, WORKING_BYTES, Window};
use crate::plan::{
    self, LevelParameters, Making, Method, MethodChoice, PatchedPlan, Plan, RecoveredPlan, Settings, Shuffle,
    StripPlan, TileChoice, TilePlan,
};
use crate::pool::{self, Spares};
use crate::recovered::{Excepted, Recovered};
use crate::schedule::work::Work;
use crate::schedule::{BatchCounts, RunStatistics, Scheduler};
use crate::stage::{Backend, SolvedThere};
use crate::telemetry::{self, BatchWatch};
use crate::writer::Writer;
use crate::{planes, strips, tiled};

/// Raw bytes of a batch unless the caller sets its frames.
const BATCH_BYTES: usize = 64 << 20;

/// Batches that are read but not in work yet.
const READ_AHEAD: u64 = 2;

/// Compresses frames. Reusable, and usable from many threads at once; it holds working memory and
/// the device.
///
/// ```
/// use framepress::{Compressor, Settings, decompress};
/// use ndarray::Array4;
///
/// let compressor = Compressor::new(Settings::new().with_level(3)?)?;
/// let frames = Array4::<u8>::zeros((10, 48, 64, 3));
/// let packed = compressor.compress(frames.view())?;
/// assert!(packed.len() < 1000);
/// assert_eq!(decompress(&packed)?.to_array::<u8>()?, frames.into_dyn());
/// # Ok::<(), framepress::Error>(())
/// ```
pub struct Compressor {
    pub(crate) settings: Settings,
    pub(crate) scheduler: Arc<Scheduler>,
    spare: Spare,
    pub(crate) verifier: Option<Decompressor>,
    /// Those of levels from 1 on, for batches that would be late at the level of the settings.
    lower: [OnceLock<Box<Compressor>>; 9],
}

/// Things that are costly to make anew for each batch.
#[derive(Default)]
struct Spare {
    encoders: Spares<Encoder>,
    buffers: Spares<WorkBuffer>,
}

/// A batch as it is recorded, without its place in a file.
pub(crate) struct PackedBatch {
    pub method: Method,
    pub raw_bytes: usize,
    pub raw_checksum: u64,
    pub blocks: Vec<BlockEntry>,
    pub payload: Pieces,
}

impl PackedBatch {
    /// A batch that came to these blocks.
    pub fn new((method, blocks, payload): Recorded, raw_bytes: usize, raw_checksum: u64) -> Self {
        Self { method, raw_bytes, raw_checksum, blocks, payload }
    }
}

/// Method and blocks of a batch as they are recorded.
type Recorded = (Method, Vec<BlockEntry>, Pieces);

/// The same of what was packed.
///
/// # Errors
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if a block has more than 4 GiB.
pub(crate) fn recorded((method, blocks): Packed) -> Result<Recorded> {
    let entries = blocks.iter().map(BlockEntry::of).collect::<Result<_>>()?;
    Ok((method, entries, Pieces::new(blocks.into_iter().map(|block| block.bytes).collect())))
}

/// Method and blocks of a batch.
pub(crate) type Packed = PackedBy<Method>;
/// The same by a method whose plan is a `P`.
type PackedBy<P> = (P, Vec<CodedBlock>);

impl Compressor {
    /// A compressor with these settings.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the settings ask for a GPU and none is usable, or name one that is
    /// not there; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if this build has no GPU support.
    pub fn new(settings: Settings) -> Result<Self> {
        let scheduler = Scheduler::new(settings.device(), settings.threads(), settings.policy())?;
        Ok(Self::on(settings, scheduler))
    }

    pub(crate) fn on(settings: Settings, mut scheduler: Scheduler) -> Self {
        scheduler.set_staging_bytes(pipeline::staging_bytes(working_bytes(&settings)));
        Self::beside(settings, Arc::new(scheduler))
    }

    fn beside(settings: Settings, scheduler: Arc<Scheduler>) -> Self {
        let verifier = settings.verification().then(|| Decompressor::on(scheduler.cpu_alone(), Limits::default()));
        Self { settings, scheduler, spare: Spare::default(), verifier, lower: Default::default() }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where batches ran so far.
    pub fn counts(&self) -> BatchCounts {
        self.statistics().counts()
    }

    /// Where batches ran so far, why, and how long they took.
    pub fn statistics(&self) -> RunStatistics {
        self.scheduler.statistics()
    }

    /// The most threads that one call uses.
    pub fn threads(&self) -> usize {
        self.scheduler.cpu().threads()
    }

    /// Frames of `format` that go into one batch.
    pub fn batch_frames(&self, format: &FrameFormat) -> usize {
        let most =
            self.settings.memory_limit().map_or(usize::MAX, |bytes| (bytes.get() / (FOOTPRINT + READ_AHEAD)) as usize);
        let fitting = BATCH_BYTES.min(most) / format.frame_bytes().max(1);
        self.settings.batch_frames().map_or(fitting.max(1), |frames| frames.get())
    }

    /// What may be in work at a time, of batches of `format`.
    pub(crate) fn window(&self, format: &FrameFormat) -> Window {
        let memory = working_bytes(&self.settings);
        let batch_bytes = self.batch_frames(format).saturating_mul(format.frame_bytes()) as u64;
        Window::new(self.threads(), memory.saturating_sub(READ_AHEAD.saturating_mul(batch_bytes)))
    }

    /// Refuses a batch that takes more memory than there may be.
    pub(crate) fn check_memory(&self, raw_bytes: u64) -> Result<()> {
        let Some(limit) = self.settings.memory_limit().map(NonZeroU64::get) else { return Ok(()) };
        let needed = raw_bytes.saturating_mul(FOOTPRINT);
        if needed > limit {
            return Err(Error::limit(format!(
                "batch: {raw_bytes} raw bytes take up to {needed} bytes of memory, the limit is {limit}; compress fewer \
                 frames at a time, or raise the limit"
            )));
        }
        Ok(())
    }

    /// Compresses an array of any strides, whose first axis is the frame, to a whole file in memory.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a 0-dimensional array;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if one frame is too large for a batch.
    pub fn compress<T: Element, D: Dimension>(&self, frames: ArrayView<'_, T, D>) -> Result<Vec<u8>> {
        let (format, count) = format_of_view(&frames)?;
        self.compress_bytes(format, count, &bytes_of_view(frames))
    }

    /// Compresses frames to a whole file in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if one frame is too large for a batch.
    pub fn compress_frames(&self, frames: &Frames) -> Result<Vec<u8>> {
        self.compress_bytes(frames.format().clone(), frames.frames(), frames.as_bytes())
    }

    fn compress_bytes(&self, format: FrameFormat, frames: usize, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new(), format, self)?;
        writer.write_all(frames, bytes)?;
        writer.finish()
    }

    /// Compresses one batch to a record, without its place in a file.
    pub(crate) fn pack(&self, format: &FrameFormat, frames: usize, raw: &[u8]) -> Result<PackedBatch> {
        format.check_frames(frames, raw.len())?;
        let geometry = Geometry::new(format, frames);
        geometry.check_samples()?;
        self.check_memory(raw.len() as u64)?;
        let _seat = self.scheduler.cpu().crew().enter();
        let _span = tracing::debug_span!("compress", frames, level = self.settings.level()).entered();
        let (watch, _in_work) = (BatchWatch::compress(), telemetry::in_work());
        let batch = Batch { geometry: &geometry, raw };
        let packed = match self.scheduler.level_in_time(|| Work::compress(batch, &self.settings)) {
            Some(level) if level < self.settings.level() => self.at_level(level)?.pack_batch(batch),
            _ => self.pack_batch(batch),
        }?;
        watch.done(&packed.method, raw.len(), packed.payload.bytes());
        Ok(packed)
    }

    /// Takes memory of packed bytes back that are written: batches to come use it again.
    pub(crate) fn give_back(&self, blocks: Vec<Vec<u8>>) {
        self.scheduler.cpu().give_back_blocks(blocks);
    }

    /// The same on the same devices, at another level.
    fn at_level(&self, level: u8) -> Result<&Self> {
        let settings = self.settings.clone().with_level(level)?;
        let lower = &self.lower[usize::from(level) - 1];
        Ok(lower.get_or_init(|| Box::new(Self::beside(settings, Arc::clone(&self.scheduler)))))
    }

    fn pack_batch(&self, batch: Batch<'_>) -> Result<PackedBatch> {
        let raw = batch.raw;
        let cpu = self.scheduler.cpu();
        let pack = |backend: &dyn Backend| {
            if !backend.is_cpu() {
                // There is time for it meanwhile.
                let checksum = || container::checksum(raw);
                let (checksum, packed) = pool::beside(cpu.crew(), checksum, || self.pack_on(batch, backend, None));
                return Ok(PackedBatch::new(recorded(packed?)?, raw.len(), checksum));
            }
            let sums = cpu.take_sums(raw, container::summed_blocks(raw.len()));
            let packed = self.pack_on(batch, backend, Some(&sums))?;
            let checksum = || container::checksum_of_frames(raw, &sums, cpu.crew());
            let (checksum, recorded) = pool::beside(cpu.crew(), checksum, || recorded(packed));
            cpu.give_back_sums(sums);
            Ok(PackedBatch::new(recorded?, raw.len(), checksum?))
        };
        let describe = || Work::compress(batch, &self.settings);
        self.scheduler.run(raw.len(), describe, pack, |packed: &PackedBatch| packed.method != Method::Discrete)
    }

    /// Compresses a batch on a backend. Where the CPU goes over all of it, `sums` are taken on the way.
    fn pack_on(&self, batch: Batch<'_>, backend: &dyn Backend, sums: Option<&FrameSums>) -> Result<Packed> {
        let mut smallest: Option<Packed> = None;
        for choice in plan::choose_methods(batch, &self.settings, backend, self.scheduler.cpu(), sums)? {
            let packed = self.pack_choice(batch, choice, backend, sums)?;
            let before = smallest.as_ref().map_or(batch.raw.len() + 1, |(_, blocks)| packed_bytes(blocks));
            smallest = packed.filter(|(_, blocks)| packed_bytes(blocks) < before).or(smallest);
        }
        let packed = match smallest {
            Some(packed) => packed,
            // Noise: as planes it takes no more than its own length.
            None => self.pack_planes(batch, Plan::identity(batch.geometry), self.scheduler.cpu())?,
        };
        self.verify(batch, &packed)?;
        Ok(packed)
    }

    /// Restores the frames again, if that was asked for.
    fn verify(&self, batch: Batch<'_>, (method, blocks): &Packed) -> Result<()> {
        let Some(verifier) = &self.verifier else { return Ok(()) };
        let mut restored = self.spare.buffers.take().unwrap_or_default();
        restored.resize_for_overwrite(batch.raw.len());
        let cpu = self.scheduler.cpu();
        let found: Vec<_> = blocks.iter().map(CodedBlock::as_found).collect();
        let result = verifier
            .restore_method(
                batch.geometry,
                method,
                &found,
                &Part::whole(batch.geometry),
                cpu,
                restored.as_bytes_mut().into(),
            )
            .map_err(|error| error.context("verification"))
            .and_then(|()| match restored.as_bytes() == batch.raw {
                true => Ok(()),
                false => Err(Error::corrupt("verification: other frames came back than were packed")),
            });
        self.spare.buffers.give(restored);
        result
    }

    /// `None` if that takes more than the raw bytes.
    fn pack_choice(
        &self,
        batch: Batch<'_>,
        choice: MethodChoice<'_>,
        backend: &dyn Backend,
        sums: Option<&FrameSums>,
    ) -> Result<Option<Packed>> {
        match choice {
            MethodChoice::Tiles(choice) => self.pack_tiles(batch, choice, backend, sums),
            MethodChoice::Discrete(picture) => self.pack_discrete(batch, picture),
            MethodChoice::Strips(plan, motion) => self.pack_strips(batch, plan, motion.as_deref(), backend),
            MethodChoice::Planes(plan) => self.pack_planes(batch, plan, backend).map(Some),
            MethodChoice::Recovered(recovered, choice) => {
                let packed = self.pack_recovered(&recovered, *choice, backend)?;
                if let Some(recovered) = Arc::into_inner(recovered) {
                    self.scheduler.cpu().give_back(recovered.planes);
                }
                Ok(packed.map(|(plan, blocks)| (Method::Recovered(plan), blocks)))
            }
            MethodChoice::RecoveredThere(recovered, choice) => self.pack_there(*recovered, choice),
            MethodChoice::Patched(patched, planes, rest) => {
                let packed = self.pack_patched(&patched, *planes, *rest, backend)?;
                if let Some(Patched { recovered, pixels, .. }) = Arc::into_inner(patched) {
                    self.scheduler.cpu().give_back(recovered.planes);
                    self.scheduler.cpu().give_back(pixels);
                }
                Ok(packed.filter(|(_, blocks)| packed_bytes(blocks) <= batch.raw.len()))
            }
        }
    }

    /// `None` if either part takes more than its raw bytes.
    fn pack_patched(
        &self,
        patched: &Patched,
        planes: MethodChoice<'_>,
        rest: MethodChoice<'_>,
        backend: &dyn Backend,
    ) -> Result<Option<Packed>> {
        let packed = self.pack_recovered(&patched.recovered, planes, backend)?;
        let of_patch = self.pack_choice(patched.batch(), rest, backend, None)?;
        let Some(((recovered, mut blocks), (method, blocks_of_patch))) = packed.zip(of_patch) else { return Ok(None) };
        blocks.extend(blocks_of_patch);
        let plan = PatchedPlan { patch: patched.patch.clone(), recovered, method: Box::new(method) };
        Ok(Some((Method::Patched(plan), blocks)))
    }

    /// `None` if that takes more than the raw bytes.
    fn pack_recovered(
        &self,
        recovered: &Recovered,
        choice: MethodChoice<'_>,
        backend: &dyn Backend,
    ) -> Result<Option<PackedBy<RecoveredPlan>>> {
        let packed = self.pack_choice(recovered.batch(), choice, backend, None)?;
        packed.map(|planes| self.pack_excepted(recovered.making, planes, &recovered.excepted)).transpose()
    }

    /// Packs planes as tiles where they are; `None` if tiles take more than the planes.
    pub(crate) fn pack_there(
        &self,
        recovered: Recovered<SolvedThere<'_>>,
        choice: TileChoice,
    ) -> Result<Option<Packed>> {
        let Recovered { making, geometry, planes, excepted } = recovered;
        let (plan, segments) = tiled::encode_resident(&geometry, &*planes.there, choice, self.scheduler.cpu())?;
        let Some(packed) = packed_tiles(geometry.raw_bytes(), plan, segments) else { return Ok(None) };
        let (plan, blocks) = self.pack_excepted(making, packed, &excepted)?;
        Ok(Some((Method::Recovered(plan), blocks)))
    }

    /// Adds to packed planes what is not made of them.
    fn pack_excepted(
        &self,
        making: Making,
        (method, mut blocks): Packed,
        excepted: &Excepted,
    ) -> Result<PackedBy<RecoveredPlan>> {
        let [places, _] = &excepted.bytes;
        let plan = RecoveredPlan {
            making,
            exceptions: excepted.pixels as u32,
            place_bytes: u32::try_from(places.len())
                .map_err(|_| Error::limit("exceptions: more than 4 GiB of places"))?,
            method: Box::new(method),
        };
        let mut encoder = self.encoder()?;
        for bytes in excepted.bytes.iter().filter(|bytes| !bytes.is_empty()) {
            let mut packed = Vec::new();
            let codec = encoder.encode(bytes, Surroundings::default(), &mut packed);
            blocks.push(CodedBlock { codec, bytes: packed });
        }
        self.spare.encoders.give(encoder);
        Ok((plan, blocks))
    }

    fn pack_planes(&self, batch: Batch<'_>, plan: Plan, backend: &dyn Backend) -> Result<Packed> {
        let mut residuals = self.spare.buffers.take().unwrap_or_default();
        let coded = planes::forward(batch, &plan, backend, &mut residuals)
            .and_then(|()| self.encode(batch.geometry, &plan, &residuals));
        self.spare.buffers.give(residuals);
        coded.map(|blocks| (Method::Planes(plan), blocks))
    }

    /// `None` if tiles take more than the raw bytes.
    fn pack_tiles(
        &self,
        batch: Batch<'_>,
        choice: TileChoice,
        backend: &dyn Backend,
        sums: Option<&FrameSums>,
    ) -> Result<Option<Packed>> {
        let (plan, segments) = tiled::encode(batch, choice, backend, self.scheduler.cpu(), sums)?;
        Ok(packed_tiles(batch.raw.len(), plan, segments))
    }

    /// `None` if strips take more than the raw bytes.
    fn pack_strips(
        &self,
        batch: Batch<'_>,
        plan: StripPlan,
        motion: Option<&OrderedMotion>,
        backend: &dyn Backend,
    ) -> Result<Option<Packed>> {
        let mut planes = self.spare.buffers.take().unwrap_or_default();
        let strips = planes::forward(batch, &plan.planes(batch.geometry), backend, &mut planes)
            .and_then(|()| strips::encode(batch.geometry, &plan, motion, &planes, backend, self.scheduler.cpu()));
        self.spare.buffers.give(planes);
        let block = |bytes| CodedBlock { codec: CodecId::Model, bytes };
        let blocks: Vec<_> = strips?.into_iter().map(block).collect();
        Ok((packed_bytes(&blocks) <= batch.raw.len()).then_some((Method::Strips(plan), blocks)))
    }

    /// `None` if that takes more than the raw bytes.
    fn pack_discrete(&self, batch: Batch<'_>, picture: Picture) -> Result<Option<Packed>> {
        let effort = LevelParameters::of(self.settings.level()).discrete;
        let mut packed = Vec::new();
        if !discrete::encode(picture, effort, self.scheduler.cpu().crew(), batch.raw, &mut packed) {
            return Ok(None);
        }
        Ok(Some((Method::Discrete, vec![CodedBlock { codec: CodecId::Discrete, bytes: packed }])))
    }

    /// Codes the residuals of a batch, block by block. Public for `framepress bench` alone.
    #[doc(hidden)]
    pub fn encode(&self, geometry: &Geometry, plan: &Plan, residuals: &WorkBuffer) -> Result<Vec<CodedBlock>> {
        let bytes = residuals.as_bytes();
        let crew = self.scheduler.cpu().crew();
        pool::map(crew, container::blocks(geometry, plan.span_samples).collect(), |block| {
            let mut encoder = self.encoder()?;
            let mut packed = Vec::new();
            let higher = block.higher_blocks(bytes);
            let around = match plan.planes[block.plane].shuffle {
                Shuffle::Byte => surroundings(geometry, block.plane, &higher),
                Shuffle::None | Shuffle::Bit => Surroundings::default(),
            };
            let codec = encoder.encode(&bytes[block.bytes], around, &mut packed);
            self.spare.encoders.give(encoder);
            Ok(CodedBlock { codec, bytes: packed })
        })
    }

    fn encoder(&self) -> Result<Encoder> {
        if let Some(encoder) = self.spare.encoders.take() {
            return Ok(encoder);
        }
        let level = LevelParameters::of(self.settings.level());
        let encoder = Encoder::new(level.codec(self.settings.codec()), level.zstd_level, level.thorough)?;
        Ok(encoder.with_contexts(level.contexts).with_adaptive(level.model))
    }
}

/// `None` if the segments of tiles take more than the raw bytes.
pub(crate) fn packed_tiles(raw_bytes: usize, plan: TilePlan, segments: Vec<Vec<u8>>) -> Option<Packed> {
    let block = |(at, bytes)| CodedBlock { codec: container::tile_codec(&plan, at), bytes };
    let blocks: Vec<_> = segments.into_iter().enumerate().map(block).collect();
    (packed_bytes(&blocks) <= raw_bytes).then_some((Method::Tiles(plan), blocks))
}

/// Memory of batches in work.
fn working_bytes(settings: &Settings) -> u64 {
    settings.memory_limit().map_or(WORKING_BYTES, NonZeroU64::get)
}

/// Compresses an array of any strides, whose first axis is the frame, to a whole file in memory.
///
/// ```
/// use framepress::{Settings, compress, decompress};
/// use ndarray::Array3;
///
/// let depth = Array3::from_shape_fn((4, 30, 40), |(f, y, x)| (1000 + 3 * x + y + f) as u16);
/// let packed = compress(depth.view(), &Settings::new())?;
/// assert_eq!(decompress(&packed)?.to_array::<u16>()?, depth.into_dyn());
/// # Ok::<(), framepress::Error>(())
/// ```
///
/// # Errors
/// As [`Compressor::new`] and [`Compressor::compress`].
pub fn compress<T: Element, D: Dimension>(frames: ArrayView<'_, T, D>, settings: &Settings) -> Result<Vec<u8>> {
    Compressor::new(settings.clone())?.compress(frames)
}

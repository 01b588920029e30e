//! Compression: batches of raw frames to batch records.

use std::sync::Mutex;

use ndarray::{ArrayView, Dimension};

use crate::codec::{CodecId, Encoder, Surroundings, neighbour_width};
use crate::container::{self, BlockEntry};
use crate::error::{Error, Result};
use crate::frame::{Batch, Element, FrameFormat, Frames, Geometry, WorkBuffer};
use crate::plan::{self, LevelParameters, Plan, Settings, Shuffle};
use crate::pool;
use crate::schedule::{BatchCounts, Scheduler};
use crate::writer::Writer;

/// Raw bytes of a batch unless the caller sets its frames.
const BATCH_BYTES: usize = 64 << 20;

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
    settings: Settings,
    scheduler: Scheduler,
    spare: Spare,
}

/// Things that are costly to make anew for each batch.
#[derive(Default)]
struct Spare {
    encoders: Mutex<Vec<Encoder>>,
    buffers: Mutex<Vec<WorkBuffer>>,
}

/// A batch as it is recorded, without its place in a file.
pub(crate) struct PackedBatch {
    pub plan: Plan,
    pub raw_checksum: u64,
    pub blocks: Vec<BlockEntry>,
    pub payload: Vec<u8>,
}

impl Compressor {
    /// A compressor with these settings.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the settings ask for a GPU and none is usable, or name one that is
    /// not there; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if this build has no GPU support.
    pub fn new(settings: Settings) -> Result<Self> {
        let scheduler = Scheduler::new(settings.device(), settings.threads())?;
        Ok(Self::on(settings, scheduler))
    }

    pub(crate) fn on(settings: Settings, scheduler: Scheduler) -> Self {
        Self { settings, scheduler, spare: Spare::default() }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where batches ran so far.
    pub fn counts(&self) -> BatchCounts {
        self.scheduler.counts()
    }

    /// Frames of `format` that go into one batch.
    pub fn batch_frames(&self, format: &FrameFormat) -> usize {
        let fitting = BATCH_BYTES / format.frame_bytes().max(1);
        self.settings.batch_frames().map_or(fitting.max(1), |frames| frames.get())
    }

    /// Compresses an array of any strides, whose first axis is the frame, to a whole file in memory.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a 0-dimensional array;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if one frame is too large for a batch.
    pub fn compress<T: Element, D: Dimension>(&self, frames: ArrayView<'_, T, D>) -> Result<Vec<u8>> {
        self.compress_frames(&Frames::from_array(frames)?)
    }

    /// Compresses frames to a whole file in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if one frame is too large for a batch.
    pub fn compress_frames(&self, frames: &Frames) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new(), frames.format().clone(), self)?;
        writer.write_frames(frames.frames(), frames.as_bytes())?;
        writer.finish()
    }

    /// Compresses one batch to a record, without its place in a file.
    pub(crate) fn pack(&self, format: &FrameFormat, frames: usize, raw: &[u8]) -> Result<PackedBatch> {
        format.check_frames(frames, raw.len())?;
        let geometry = Geometry::new(format, frames);
        let batch = Batch { geometry: &geometry, raw };
        let mut residuals = pool::lock(&self.spare.buffers).pop().unwrap_or_default();
        let packed = self.scheduler.run(&geometry, |backend| {
            let plan = plan::choose(batch, &self.settings, backend, self.scheduler.cpu())?;
            if plan.values.is_empty() {
                backend.forward(batch, &plan, &mut residuals)?;
            } else {
                let places = plan.values.places(batch);
                backend.forward(Batch { raw: &places, ..batch }, &plan, &mut residuals)?;
            }
            Ok(plan)
        });
        let packed = packed.and_then(|plan| self.encode(&geometry, plan, &residuals, raw));
        pool::lock(&self.spare.buffers).push(residuals);
        packed
    }

    fn encode(&self, geometry: &Geometry, plan: Plan, residuals: &WorkBuffer, raw: &[u8]) -> Result<PackedBatch> {
        let bytes = residuals.as_bytes();
        let threads = pool::threads(self.settings.threads());
        let blocks = pool::map(threads, container::blocks(geometry, plan.span_samples).collect(), |block| {
            let mut encoder = self.encoder()?;
            let mut packed = Vec::new();
            let higher = block.higher_blocks(bytes);
            let around = match plan.planes[block.plane].shuffle {
                Shuffle::Byte => Surroundings { width: neighbour_width(geometry, block.plane), higher: &higher },
                Shuffle::None | Shuffle::Bit => Surroundings::default(),
            };
            let codec = encoder.encode(&bytes[block.bytes], around, &mut packed);
            pool::lock(&self.spare.encoders).push(encoder);
            Ok((codec, packed))
        })?;
        let entry = |(codec, packed): &(CodecId, Vec<u8>)| {
            let packed_bytes = u32::try_from(packed.len()).map_err(|_| Error::limit("block: more than 4 GiB"))?;
            Ok(BlockEntry { codec: *codec, packed_bytes })
        };
        let entries = blocks.iter().map(entry).collect::<Result<_>>()?;
        let mut payload = Vec::with_capacity(blocks.iter().map(|(_, packed)| packed.len()).sum());
        blocks.iter().for_each(|(_, packed)| payload.extend_from_slice(packed));
        Ok(PackedBatch { plan, raw_checksum: container::checksum(raw), blocks: entries, payload })
    }

    fn encoder(&self) -> Result<Encoder> {
        if let Some(encoder) = pool::lock(&self.spare.encoders).pop() {
            return Ok(encoder);
        }
        let level = LevelParameters::of(self.settings.level());
        let encoder = Encoder::new(level.codec(self.settings.codec()), level.zstd_level, level.thorough)?;
        Ok(encoder.with_contexts(level.contexts))
    }
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

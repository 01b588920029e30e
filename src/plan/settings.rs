//! What the caller asks for.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use crate::error::{Error, Result};

/// Which codec codes a batch. Any but `Auto` leaves out the methods that have none of it: the coder of pictures of few
/// values and the adaptive model always, tiles unless it is `Ans` or `Pack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CodecChoice {
    /// By measurement: the method for each batch, the codec for each block.
    #[default]
    Auto,
    /// None: residuals are stored.
    Store,
    /// LZ4 blocks.
    Lz4,
    /// Zstandard.
    Zstd,
    /// framepress's own entropy coder: rANS with a table per class, of tiles or of whole planes.
    Ans,
    /// framepress's own bit packing, of tiles or of whole planes: the fastest that still shrinks residuals.
    Pack,
}

/// Where batches are transformed. The bytes are the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum DeviceChoice {
    /// Where each batch should be done first, by what was measured and by how earlier batches went. Software adapters
    /// are never chosen.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first usable GPU, hardware before software.
    Gpu,
    /// The adapter with this index, PCI bus id, or part of a name, as `framepress devices` lists
    /// them.
    Named(String),
}

/// What matters where batches are placed. The bytes are the same with any but [`Policy::Deadline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// That all batches together are done soon.
    #[default]
    Throughput,
    /// That each batch is done soon, and surely so.
    Latency,
    /// That a batch takes no longer than this, if that can be: its level is lowered until its predicted time fits, down to
    /// level 1. Frames come back bit for bit as ever, but **the packed bytes depend on the machine and on what else
    /// it does**: this is the only setting of which that is true.
    Deadline(Duration),
}

/// How to compress. The defaults are a good trade of ratio and speed.
///
/// The packed bytes depend on the input, the level, the codec choice and the batch length (which a memory limit may
/// shorten), and on nothing else; unless the level may be lowered to be in time ([`Policy::Deadline`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    level: u8,
    codec: CodecChoice,
    device: DeviceChoice,
    batch_frames: Option<NonZeroUsize>,
    threads: Option<NonZeroUsize>,
    memory_limit: Option<NonZeroU64>,
    verification: bool,
    policy: Policy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Self::DEFAULT_LEVEL,
            codec: CodecChoice::Auto,
            device: DeviceChoice::Auto,
            batch_frames: None,
            threads: None,
            memory_limit: None,
            verification: false,
            policy: Policy::Throughput,
        }
    }
}

impl Settings {
    /// The level unless another is set.
    pub const DEFAULT_LEVEL: u8 = 4;

    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the level, 1 (fastest) to 9 (smallest). `docs/LEVELS.md` says what each does. Level 9, and level 8 where frames
    /// do not move, take about as long to decompress as to compress where the adaptive model is smallest; those below decompress faster.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for any other level.
    pub fn with_level(mut self, level: u8) -> Result<Self> {
        if !(1..=9).contains(&level) {
            return Err(Error::invalid(format!("level: expected 1 to 9, found {level}")));
        }
        self.level = level;
        Ok(self)
    }

    /// Sets the codec.
    #[must_use]
    pub fn with_codec(mut self, codec: CodecChoice) -> Self {
        self.codec = codec;
        self
    }

    /// Sets the device.
    #[must_use]
    pub fn with_device(mut self, device: DeviceChoice) -> Self {
        self.device = device;
        self
    }

    /// Sets the number of frames that are compressed together: more give a better ratio, fewer a
    /// quicker access to single frames, for which the whole batch is decompressed. `None` (the default) takes as many as
    /// fit 64 MiB, at least one.
    #[must_use]
    pub fn with_batch_frames(mut self, frames: Option<NonZeroUsize>) -> Self {
        self.batch_frames = frames;
        self
    }

    /// Sets the most threads one call may use at a time. `None` (the default) uses the whole of the
    /// process-wide pool.
    #[must_use]
    pub fn with_threads(mut self, threads: Option<NonZeroUsize>) -> Self {
        self.threads = threads;
        self
    }

    /// Limits the working memory, in bytes. Batches are then as long as six times their raw bytes fit, unless
    /// [their length is set](Self::with_batch_frames); as many are compressed at a time as four times their raw bytes
    /// fit; and one that alone needs more is refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit). With `None` (the
    /// default) several batches are compressed at a time within 1 GiB, and one alone may take what it needs.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: Option<NonZeroU64>) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Sets whether every batch is decompressed again, on the CPU, and compared with its frames before it is handed on.
    /// What a device packed wrongly is packed by the CPU then. It takes about as long as decompressing does.
    #[must_use]
    pub fn with_verification(mut self, verification: bool) -> Self {
        self.verification = verification;
        self
    }

    /// Sets what matters where batches are placed.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The level.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The codec.
    pub fn codec(&self) -> CodecChoice {
        self.codec
    }

    /// The device.
    pub fn device(&self) -> &DeviceChoice {
        &self.device
    }

    /// Frames per batch as asked.
    pub fn batch_frames(&self) -> Option<NonZeroUsize> {
        self.batch_frames
    }

    /// Threads as asked.
    pub fn threads(&self) -> Option<NonZeroUsize> {
        self.threads
    }

    /// Whether batches are verified.
    pub fn verification(&self) -> bool {
        self.verification
    }

    /// The memory limit as asked.
    pub fn memory_limit(&self) -> Option<NonZeroU64> {
        self.memory_limit
    }

    /// What matters where batches are placed.
    pub fn policy(&self) -> Policy {
        self.policy
    }
}

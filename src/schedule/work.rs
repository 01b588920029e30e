//! What is to be done with a batch, as far as the time that it takes depends on it.

use super::content::{self, Content};
use crate::frame::{Batch, Geometry};
use crate::plan::{CodecChoice, Method, Settings};

/// There or back, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// At a level, with a codec.
    Compress {
        /// 1 to 9.
        level: u8,
        /// As asked.
        codec: CodecChoice,
    },
    /// By the method that is recorded.
    Decompress(Coded),
}

/// A method without its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coded {
    /// Whole planes.
    Planes,
    /// Tiles.
    Tiles,
    /// The adaptive model.
    Strips,
    /// Pictures of few values.
    Discrete,
    /// Recovered planes.
    Recovered,
    /// Recovered planes of a part of the picture.
    Patched,
    /// Tiles of frames that move, which are restored one after another.
    Moving,
    /// Recovered planes whose tiles are such.
    RecoveredMoving,
}

impl Coded {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Planes,
        Self::Tiles,
        Self::Strips,
        Self::Discrete,
        Self::Recovered,
        Self::Patched,
        Self::Moving,
        Self::RecoveredMoving,
    ];

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planes => "planes",
            Self::Tiles => "tiles",
            Self::Strips => "strips",
            Self::Discrete => "discrete",
            Self::Recovered => "recovered",
            Self::Patched => "patched",
            Self::Moving => "moving tiles",
            Self::RecoveredMoving => "moving recovered",
        }
    }

    fn of(method: &Method) -> Self {
        match method {
            Method::Planes(_) => Self::Planes,
            Method::Tiles(plan) if plan.moves => Self::Moving,
            Method::Tiles(_) => Self::Tiles,
            Method::Strips(_) => Self::Strips,
            Method::Discrete => Self::Discrete,
            Method::Recovered(plan) if Self::of(&plan.method) == Self::Moving => Self::RecoveredMoving,
            Method::Recovered(_) => Self::Recovered,
            Method::Patched(_) => Self::Patched,
        }
    }
}

/// One batch to be compressed or decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// What is done.
    pub task: Task,
    /// Length of the frames.
    pub raw_bytes: usize,
    /// Bytes of a sample: 1, 2, 4 or 8.
    pub sample_bytes: usize,
    /// Whether pixels have several channels side by side.
    pub packed: bool,
    /// What the samples are like.
    pub content: Content,
}

/// A part of the time of a run that is learnt by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything, where the CPU does everything.
    Cpu,
    /// What an accelerator does, transfers included.
    Device,
    /// What the CPU does beside an accelerator.
    Remainder,
}

/// A set of works that take alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32);

/// Sets that a work is in.
pub const SETS: usize = 6;

/// Raw bytes of a batch that can be one thread's job, about.
const JOB_BYTES: usize = 1 << 17;

impl Work {
    /// A batch that is to be compressed.
    pub fn compress(batch: Batch<'_>, settings: &Settings) -> Self {
        let task = Task::Compress { level: settings.level(), codec: settings.codec() };
        Self::of(batch.geometry, task, content::look(batch))
    }

    /// A batch that is to be restored from `packed_bytes`.
    pub fn decompress(geometry: &Geometry, method: &Method, packed_bytes: usize) -> Self {
        let content = content::of_ratio(geometry.raw_bytes(), packed_bytes);
        Self::of(geometry, Task::Decompress(Coded::of(method)), content)
    }

    fn of(geometry: &Geometry, task: Task, content: Content) -> Self {
        Self {
            task,
            raw_bytes: geometry.raw_bytes(),
            sample_bytes: geometry.sample_bytes,
            packed: geometry.planes.first().is_some_and(|plane| plane.step > 1),
            content,
        }
    }

    /// The same at another level, if it has one.
    pub fn at_level(self, level: u8) -> Self {
        match self.task {
            Task::Compress { codec, .. } => Self { task: Task::Compress { level, codec }, ..self },
            Task::Decompress(_) => self,
        }
    }

    /// The level, unless it is decompressed.
    pub fn level(&self) -> Option<u8> {
        match self.task {
            Task::Compress { level, .. } => Some(level),
            Task::Decompress(_) => None,
        }
    }

    /// Threads that it keeps busy, of so many.
    pub fn demand(&self, threads: usize) -> usize {
        (1 + self.raw_bytes / JOB_BYTES).min(threads)
    }

    /// The set of all works of the same task.
    pub fn of_task(&self, part: Part) -> Key {
        let [_, _, of_task, ..] = self.keys(part);
        of_task
    }

    /// How far the content is from the middle, and to which side: -1 for what is still, 1 for noise.
    pub fn leaning(&self) -> f64 {
        f64::from(self.content.0) / f64::from(Content::NOISE.0) * 2.0 - 1.0
    }

    /// The sets that one part of it is in: those of the same direction, twice: for what they have in common, and for what
    /// depends on the content ([`Work::leaning`]); of the same task; of the same kind of frames besides; of about the same length
    /// besides; of both.
    pub fn keys(&self, part: Part) -> [Key; SETS] {
        let task = match self.task {
            Task::Compress { level, codec } => u32::from(level) << 3 | codec as u32,
            Task::Decompress(coded) => 1 << 7 | coded as u32,
        };
        let frames = self.sample_bytes.trailing_zeros() << 1 | u32::from(self.packed);
        let kind = 1 << 6 | frames << 3 | u32::from(self.content.0);
        let length = 1 << 6 | (usize::BITS - self.raw_bytes.leading_zeros());
        let key = |task: u32, kind: u32, length: u32| Key((((part as u32) << 9 | task) << 7 | kind) << 7 | length);
        let of_task = 1 << 8 | task;
        [
            key(task & 1 << 7, 0, 0),
            key(task & 1 << 7, 1, 0),
            key(of_task, 0, 0),
            key(of_task, kind, 0),
            key(of_task, 0, length),
            key(of_task, kind, length),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = Work {
        task: Task::Compress { level: 4, codec: CodecChoice::Auto },
        raw_bytes: 1 << 20,
        sample_bytes: 1,
        packed: true,
        content: Content(2),
    };

    /// Works that differ share the sets that they have in common and no others.
    #[test]
    fn sets() {
        let common = |other: Work, part| {
            let (these, others) = (WORK.keys(Part::Cpu), other.keys(part));
            these.iter().zip(&others).filter(|(this, other)| this == other).count()
        };
        assert_eq!(common(WORK, Part::Cpu), SETS);
        assert_eq!(common(Work { raw_bytes: 1 << 24, ..WORK }, Part::Cpu), 4);
        assert_eq!(common(Work { content: Content(7), ..WORK }, Part::Cpu), 4);
        assert_eq!(common(Work { sample_bytes: 8, ..WORK }, Part::Cpu), 4);
        assert_eq!(common(Work { packed: false, ..WORK }, Part::Cpu), 4);
        assert_eq!(common(Work { packed: false, raw_bytes: 1, ..WORK }, Part::Cpu), 3);
        assert_eq!(common(WORK.at_level(9), Part::Cpu), 2);
        let zstd = Task::Compress { level: 4, codec: CodecChoice::Zstd };
        assert_eq!(common(Work { task: zstd, ..WORK }, Part::Cpu), 2);
        assert_eq!(common(Work { task: Task::Decompress(Coded::Tiles), ..WORK }, Part::Cpu), 0);
        assert_eq!(common(WORK, Part::Device), 0);
        assert_eq!(common(WORK, Part::Remainder), 0);
        let mut keys = WORK.keys(Part::Remainder).to_vec();
        keys.dedup();
        assert_eq!(keys.len(), SETS, "all different");
    }

    #[test]
    fn small_batches_keep_one_thread_busy() {
        assert_eq!(Work { raw_bytes: 1000, ..WORK }.demand(8), 1);
        assert_eq!(Work { raw_bytes: 64 << 20, ..WORK }.demand(8), 8);
        assert_eq!(WORK.demand(2), 2);
    }
}

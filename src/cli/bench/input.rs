//! The whole input in memory.

use std::path::Path;

use framepress::frame::{FrameFormat, Origin};
use framepress::input::{self, InputBatch, RawSpec, side_of_part};
use framepress::{Error, Result};

/// Frames with what else `framepress compress` would write of them.
pub struct Input {
    pub format: FrameFormat,
    pub origin: Origin,
    pub frames: usize,
    pub raw: Vec<u8>,
    side: Vec<u8>,
}

impl Input {
    pub fn read(name: &str, raw: Option<RawSpec>) -> Result<Self> {
        let mut reader = input::open(Path::new(name), raw)?;
        let description = reader.description().clone();
        let batch = reader.read_batch(usize::MAX).map_err(|error: Error| error.context(name))?;
        let (frames, raw, side) = batch.map_or_else(Default::default, |all| (all.frames, all.bytes, all.side));
        Ok(Self { format: description.format, origin: description.origin, frames, raw, side })
    }

    /// The batches of at most `frames` frames.
    pub fn parts(&self, frames: usize) -> impl Iterator<Item = InputBatch<&[u8]>> {
        let frame_bytes = self.format.frame_bytes();
        (0..self.frames).step_by(frames).map(move |first| {
            let end = self.frames.min(first.saturating_add(frames));
            let bytes = &self.raw[first * frame_bytes..end * frame_bytes];
            InputBatch {
                frames: end - first,
                bytes,
                side: side_of_part(&self.side, first..end),
                timestamps: Vec::new(),
            }
        })
    }
}

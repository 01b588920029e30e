//! What a reader gives of a file.

use std::ops::Range;

use crate::error::Result;
use crate::frame::{FrameFormat, Frames, Rectangle};

/// Frames of a file, or a rectangle of each of them.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    frames: Range<u64>,
    /// With the format of what is cut out.
    region: Option<(Rectangle, FrameFormat)>,
}

impl Selection {
    /// All of every frame.
    pub fn all() -> Self {
        Self { frames: 0..u64::MAX, region: None }
    }

    /// `rectangle` of frames of `format`.
    pub fn with_region(self, format: &FrameFormat, rectangle: Rectangle) -> Result<Self> {
        Ok(Self { region: Some((rectangle, format.cropped(&rectangle)?)), ..self })
    }

    /// The same of these frames alone.
    pub fn of_frames(&self, frames: Range<u64>) -> Self {
        Self { frames, region: self.region.clone() }
    }

    pub fn rectangle(&self) -> Option<&Rectangle> {
        self.region.as_ref().map(|(rectangle, _)| rectangle)
    }

    /// The format of what is given of frames of `whole`.
    pub fn format<'a>(&'a self, whole: &'a FrameFormat) -> &'a FrameFormat {
        self.region.as_ref().map_or(whole, |(_, format)| format)
    }

    /// Positions within a batch of its frames that are wanted.
    pub fn positions(&self, first_frame: u64, frames: usize) -> Range<usize> {
        // A position is at most the number of frames in memory.
        let position = |frame: u64| frame.saturating_sub(first_frame).min(frames as u64) as usize;
        position(self.frames.start)..position(self.frames.end)
    }

    /// What is wanted of the frames of a batch; `None` if that is all of it.
    pub fn cut(&self, batch: &Frames, positions: &Range<usize>) -> Result<Option<Frames>> {
        let Some((rectangle, format)) = &self.region else {
            let all = positions.len() == batch.frames();
            return if all { Ok(None) } else { batch.part(positions.clone()).map(Some) };
        };
        let mut bytes = Vec::with_capacity(positions.len() * format.frame_bytes());
        // A frame with a rectangle in it has at least one byte.
        for frame in
            batch.as_bytes().chunks_exact(batch.format().frame_bytes()).take(positions.end).skip(positions.start)
        {
            batch.format().crop(rectangle, frame, &mut bytes);
        }
        Frames::new(format.clone(), positions.len(), bytes).map(Some)
    }
}

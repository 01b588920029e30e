//! What is known of one of the files that a damaged file consists of.

use std::ops::Range;

use super::LostFrames;
use super::ranges::Ranges;

/// A file within the file: usually the only one.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub number: u64,
    /// Why its frames are left out, if they are.
    pub left_out: Option<String>,
    /// Frames that its index counts or its original had.
    pub counted: Option<u64>,
    /// Whether its index was the last that has been met.
    pub ended: bool,
    /// The frame after the last that a record is known of.
    pub frames_end: u64,
    /// Position up to which it is known what there is.
    known_end: u64,
    taken: Ranges,
    damaged: Vec<(Range<u64>, String)>,
}

impl Part {
    /// A part that begins with a record or header that ends at `known_end`.
    pub fn new(number: u64, known_end: u64) -> Self {
        Self { number, known_end, ..Self::default() }
    }

    /// Notes frames of an intact record that ends at `end`. Returns whether some of them were there already.
    pub fn take(&mut self, frames: Range<u64>, end: u64) -> bool {
        self.reach(&frames, end);
        self.taken.insert(frames)
    }

    /// Notes frames of a record that cannot be taken.
    pub fn lose(&mut self, frames: Range<u64>, end: u64, reason: String) {
        self.reach(&frames, end);
        match self.damaged.last_mut() {
            Some((before, the_same)) if before.end == frames.start && *the_same == reason => before.end = frames.end,
            _ => self.damaged.push((frames, reason)),
        }
    }

    fn reach(&mut self, frames: &Range<u64>, end: u64) {
        self.known_end = self.known_end.max(end);
        self.frames_end = self.frames_end.max(frames.end);
    }

    /// The frames that are lost, now that the next part or the end of the file is known to be at `position`.
    pub fn lost(self, position: u64) -> Vec<LostFrames> {
        let Self { number, counted, ended, frames_end, known_end, taken: mut accounted, damaged, .. } = self;
        let mut lost = Vec::new();
        let mut lose = |frames: Range<u64>, reason: &str| {
            let (first_frame, frames) = (frames.start, Some(frames.end - frames.start));
            lost.push(LostFrames { part: number, first_frame, frames, reason: reason.to_owned() });
        };
        for (frames, reason) in damaged {
            accounted.gaps(frames.clone()).into_iter().for_each(|gap| lose(gap, &reason));
            accounted.insert(frames);
        }
        let end = frames_end.max(counted.unwrap_or(0));
        accounted.gaps(0..end).into_iter().for_each(|gap| lose(gap, "no record of them is left"));
        lost.sort_by_key(|lost| lost.first_frame);
        let beyond = position.saturating_sub(known_end);
        if counted.is_none() && !ended && beyond > 0 {
            let reason = format!("nothing is intact in the last {beyond} bytes; how many frames they had is not known");
            lost.push(LostFrames { part: number, first_frame: end, frames: None, reason });
        }
        lost
    }
}

//! In which order frames are coded, so that some can refer to a later one.

/// Most frames between two anchors.
pub const MOST_BETWEEN: usize = 7;

/// The order in which the frames of a batch are coded. An *anchor* refers to the anchor before, and the first frame and the
/// last one are anchors. Of the frames between two anchors the middle one refers to both; on either side of it that goes on
/// in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whether each frame is between two anchors.
    between: Vec<bool>,
}

/// A frame, and those that it refers to: one before it, if it is not the first one, and perhaps one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The frame.
    pub frame: usize,
    /// The one before it.
    pub earlier: Option<usize>,
    /// The one after it.
    pub later: Option<usize>,
}

impl Order {
    /// Of `frames` frames whose anchors are decided one after another, of those that may be none: by whether the next frame is
    /// between anchors, of which so many in a row are known to be.
    pub fn by(frames: usize, mut is_between: impl FnMut(usize, usize) -> bool) -> Self {
        let mut between = vec![false; frames];
        let mut run = 0;
        for (frame, between) in between.iter_mut().enumerate().take(frames.saturating_sub(1)).skip(1) {
            *between = run < MOST_BETWEEN && is_between(frame, run);
            run = if *between { run + 1 } else { 0 };
        }
        Self { between }
    }

    /// Of frames one after another.
    pub fn in_turn(frames: usize) -> Self {
        Self { between: vec![false; frames] }
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.between.len()
    }

    /// Whether a frame is between two anchors.
    pub fn is_between(&self, frame: usize) -> bool {
        self.between[frame]
    }

    /// Whether all frames are anchors.
    pub fn is_in_turn(&self) -> bool {
        !self.between.contains(&true)
    }

    /// The frames as they are coded, one after another.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.between.len());
        let mut last = None;
        for (frame, _) in self.between.iter().enumerate().filter(|(_, between)| !**between) {
            steps.push(Step { frame, earlier: last, later: None });
            if let Some(last) = last {
                halve(last, frame, &mut |step| steps.push(step));
            }
            last = Some(frame);
        }
        steps
    }
}

/// The frames between two that are known, in order.
pub fn halve(earlier: usize, later: usize, take: &mut impl FnMut(Step)) {
    let frame = usize::midpoint(earlier, later);
    if frame > earlier {
        take(Step { frame, earlier: Some(earlier), later: Some(later) });
        halve(earlier, frame, take);
        halve(frame, later, take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is asked for: each frame once, after those that it refers to, which are around it.
    #[test]
    fn references_come_first() {
        for frames in 1..30 {
            for pattern in 0..64_usize {
                let order = Order::by(frames, |frame, _| pattern >> (frame % 6) & 1 == 1);
                let steps = order.steps();
                let mut known = vec![false; frames];
                for Step { frame, earlier, later } in steps {
                    assert_eq!(earlier.is_none(), frame == 0);
                    assert_eq!(later.is_some(), order.is_between(frame));
                    assert!(earlier.is_none_or(|earlier| earlier < frame && known[earlier]));
                    assert!(later.is_none_or(|later| later > frame && known[later]));
                    assert!(!std::mem::replace(&mut known[frame], true));
                }
                assert!(!known.contains(&false), "{frames} {pattern}");
                let most = (0..frames).map(|first| (first..frames).take_while(|&at| order.is_between(at)).count());
                assert!(most.max().unwrap_or(0) <= MOST_BETWEEN);
            }
        }
    }

    #[test]
    fn the_middle_comes_first() {
        let order = Order::by(7, |frame, _| frame < 5);
        let frames: Vec<usize> = order.steps().iter().map(|step| step.frame).collect();
        assert_eq!(frames, [0, 5, 2, 1, 3, 4, 6]);
        assert!(Order::in_turn(4) == Order::by(4, |_, _| false) && !order.is_in_turn());
    }
}

//! Batches beyond what a device can bind: some frames at a time.
//!
//! A part begins with the frame before its own where that is needed to predict. What becomes of that one is known from the
//! part before.

use std::ops::Range;

use crate::frame::Geometry;

/// Frames of a batch that are worked on at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Frames before its own: none or one.
    pub lead: usize,
    /// Its own.
    pub frames: Range<usize>,
}

impl Part {
    /// All frames of a batch.
    pub fn whole(frames: usize) -> Self {
        Self { lead: 0, frames: 0..frames }
    }

    /// Its own frames with the one before.
    pub fn with_lead(&self) -> Range<usize> {
        self.frames.start - self.lead..self.frames.end
    }

    /// The geometry of those.
    pub fn geometry(&self, batch: &Geometry) -> Geometry {
        with_frames(batch, self.with_lead().len())
    }

    /// Where those are in a buffer of whole frames of `frame_bytes` bytes.
    pub fn bytes(&self, frame_bytes: usize) -> Range<usize> {
        let Range { start, end } = self.with_lead();
        start * frame_bytes..end * frame_bytes
    }
}

/// The same batch with another number of frames.
pub(super) fn with_frames(batch: &Geometry, frames: usize) -> Geometry {
    let planes = batch.planes.clone();
    Geometry { frames, ..batch.clone() }.with_planes(planes)
}

/// The same batch with the least frames that [`parts`] can have.
pub(super) fn with_least_frames(batch: &Geometry, step: usize, lead: usize) -> Geometry {
    with_frames(batch, batch.frames.min(step + lead))
}

/// Cuts a batch into parts of which each `fits` the device, by the number of its frames, and has a multiple of `step` of
/// them but for the last. The whole batch if it fits. None if there are no such parts.
pub(super) fn parts(frames: usize, step: usize, lead: usize, fits: impl Fn(usize) -> bool) -> Option<Vec<Part>> {
    if fits(frames) {
        return Some(vec![Part::whole(frames)]);
    }
    let (mut fitting, mut least_not) = (0, frames.div_ceil(step));
    while least_not - fitting > 1 {
        let steps = fitting.midpoint(least_not);
        *(if fits(steps * step + lead) { &mut fitting } else { &mut least_not }) = steps;
    }
    if fitting == 0 {
        return None;
    }
    let part = |start: usize| Part { lead: lead.min(start), frames: start..frames.min(start + fitting * step) };
    Some((0..frames).step_by(fitting * step).map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_long_as_fits() {
        let part = |lead, frames| Part { lead, frames };
        let of_most = |frames, step, lead, most| parts(frames, step, lead, |frames| frames <= most).unwrap_or_default();
        assert_eq!(of_most(10, 1, 1, 10), [Part::whole(10)]);
        assert_eq!(of_most(10, 1, 1, 5), [part(0, 0..4), part(1, 4..8), part(1, 8..10)]);
        assert_eq!(of_most(10, 4, 1, 9), [part(0, 0..8), part(1, 8..10)]);
        assert_eq!(of_most(3, 1, 0, 1), [part(0, 0..1), part(0, 1..2), part(0, 2..3)]);
        for frames in 1..40 {
            for most in 2..frames {
                let parts = of_most(frames, 1, 1, most);
                assert!(parts.iter().all(|part| (1..=most).contains(&part.with_lead().len())));
                assert!(parts.iter().flat_map(|part| part.frames.clone()).eq(0..frames));
            }
        }
    }

    #[test]
    fn what_has_no_parts_that_fit_is_not_cut() {
        assert_eq!(parts(10, 1, 1, |frames| frames <= 1), None);
        assert_eq!(parts(1, 1, 1, |_| false), None);
        assert_eq!(parts(0, 1, 1, |_| false), None);
        assert_eq!(parts(10, 20, 1, |frames| frames < 10), None);
    }
}

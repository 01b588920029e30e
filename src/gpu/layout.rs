//! Planes as the kernels see them: in units, dense or padded, and in runs of frames.

use super::params::MOST_PLANES;
use crate::error::{Error, Result};
use crate::frame::{Geometry, PlaneGeometry};
use crate::plan::{PlanePlan, Predictor};
use crate::stage::{self, Order};

/// One plane, not empty. A unit is 4 bytes, or 8 where samples have 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plane {
    pub index: usize,
    pub width: usize,
    pub height: usize,
    pub frames: usize,
    /// First unit where rows are dense.
    pub base: usize,
    /// First unit where each row starts a unit.
    pub padded_base: usize,
    /// Units of a padded row.
    pub pitch: usize,
}

/// The planes of a batch that have samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planes {
    pub planes: Vec<Plane>,
    /// Samples in a unit.
    pub unit_samples: usize,
    /// Bytes of all padded planes.
    pub padded_bytes: usize,
}

impl Planes {
    pub fn new(geometry: &Geometry) -> Self {
        let unit_samples = (4 / geometry.sample_bytes).max(1);
        let unit_bytes = unit_samples * geometry.sample_bytes;
        let mut padded_units = 0usize;
        let mut planes = Vec::new();
        for (index, &PlaneGeometry { width, height, base, .. }) in geometry.planes.iter().enumerate() {
            if geometry.plane_samples(index) > 0 {
                let pitch = width.div_ceil(unit_samples);
                let frames = geometry.frames;
                let base = base / unit_bytes;
                planes.push(Plane { index, width, height, frames, base, padded_base: padded_units, pitch });
                // Padding at most quadruples a size that fits memory.
                padded_units = padded_units.saturating_add((pitch * height).saturating_mul(frames));
            }
        }
        Self { planes, unit_samples, padded_bytes: padded_units.saturating_mul(unit_bytes) }
    }
}

impl Plane {
    /// Samples of a frame.
    pub fn frame_samples(&self) -> usize {
        self.width * self.height
    }

    /// Samples of all frames.
    pub fn samples(&self) -> usize {
        self.frame_samples() * self.frames
    }
}

/// Consecutive frames of a plane that are predicted in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub first_frame: usize,
    pub frames: usize,
    pub temporal: bool,
    pub predictor: Predictor,
    pub zigzag: bool,
    /// Bits, low and high word, that turn the order of samples into unsigned order.
    pub sign: [u32; 2],
}

impl Phase {
    /// How `plan` treats frame `frame` of plane `plane`.
    pub fn of_frame(geometry: &Geometry, has_colour: bool, plane: usize, plan: &PlanePlan, frame: usize) -> Self {
        let (temporal, predictor) = plan.of_frame(frame);
        let ordered = matches!(predictor, Predictor::Average | Predictor::Median);
        let sign = match stage::order(geometry, has_colour, plane, temporal) {
            Order::Signed if ordered && geometry.sample_bytes == 8 => [0, 1 << 31],
            Order::Signed if ordered => [1 << (8 * geometry.sample_bytes - 1), 0],
            _ => [0, 0],
        };
        let zigzag = stage::zigzag(temporal, predictor);
        Self { first_frame: frame, frames: 1, temporal, predictor, zigzag, sign }
    }

    /// The first frame and the others of plane `plane`, in one phase if they are treated alike.
    pub fn all(geometry: &Geometry, has_colour: bool, plane: usize, plan: &PlanePlan) -> Vec<Self> {
        let first = Self::of_frame(geometry, has_colour, plane, plan, 0);
        if geometry.frames < 2 {
            return vec![first];
        }
        let others = Self { frames: geometry.frames - 1, ..Self::of_frame(geometry, has_colour, plane, plan, 1) };
        let joined = Self { frames: geometry.frames, ..first };
        if (Self { first_frame: 0, frames: geometry.frames, ..others }) == joined {
            vec![joined]
        } else {
            vec![first, others]
        }
    }
}

/// Planes of one size that take turns in a stretch of the raw frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub planes: usize,
    pub width: usize,
    pub height: usize,
}

/// The groups of which a raw frame is made.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) for planes that are laid out otherwise, or are too many.
pub(super) fn groups(geometry: &Geometry) -> Result<Vec<Group>> {
    let unfit = || Error::gpu("planes: their arrangement in a raw frame is not one that the kernels know");
    let mut groups = Vec::new();
    let mut start = 0;
    let mut planes = geometry.planes.as_slice();
    if planes.len() > MOST_PLANES {
        return Err(unfit());
    }
    while let [first, ..] = planes {
        let (members, rest) = planes.split_at_checked(first.step).ok_or_else(unfit)?;
        let take_turns = members.iter().enumerate().all(|(at, plane)| {
            (plane.offset, plane.step) == (start + at, first.step)
                && (plane.width, plane.height) == (first.width, first.height)
        });
        if members.is_empty() || first.frame_samples() == 0 || !take_turns {
            return Err(unfit());
        }
        groups.push(Group { planes: members.len(), width: first.width, height: first.height });
        start += members.len() * first.frame_samples();
        planes = rest;
    }
    if start == geometry.frame_samples { Ok(groups) } else { Err(unfit()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::Shuffle;

    fn geometry(dtype: Dtype, layout: Layout, frames: usize) -> Geometry {
        Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), frames)
    }

    fn sizes(layout: Layout) -> Vec<(usize, usize, usize)> {
        let groups = groups(&geometry(Dtype::U8, layout, 2)).unwrap();
        groups.iter().map(|group| (group.planes, group.width, group.height)).collect()
    }

    #[test]
    fn raw_frames_fall_into_groups() {
        let yuv = |chroma| Layout::Yuv { width: 5, height: 3, sampling: ChromaSampling::Cs420, chroma };
        assert_eq!(sizes(Layout::Packed { width: 4, height: 2, order: ChannelOrder::Bgra }), [(4, 4, 2)]);
        assert_eq!(sizes(yuv(ChromaOrder::Planar)), [(1, 5, 3), (1, 3, 2), (1, 3, 2)]);
        assert_eq!(sizes(yuv(ChromaOrder::VuInterleaved)), [(1, 5, 3), (2, 3, 2)]);
        assert_eq!(sizes(Layout::Array { shape: vec![2, 3, 7] }), [(1, 7, 6)]);
    }

    #[test]
    fn unknown_arrangements_are_refused() {
        let mut swapped = geometry(Dtype::U8, Layout::Packed { width: 4, height: 2, order: ChannelOrder::Rgb }, 1);
        swapped.planes.swap(0, 1);
        assert!(groups(&swapped).is_err());
    }

    #[test]
    fn padded_rows_start_units() {
        let planes = Planes::new(&geometry(Dtype::U16, Layout::Gray { width: 5, height: 3 }, 2));
        assert_eq!((planes.unit_samples, planes.planes[0].pitch, planes.padded_bytes), (2, 3, 3 * 3 * 2 * 4));
    }

    #[test]
    fn frames_that_are_treated_alike_are_one_phase() {
        let geometry = geometry(Dtype::U8, Layout::Gray { width: 5, height: 3 }, 4);
        let plane = |temporal, inter| PlanePlan { intra: Predictor::Up, temporal, inter, shuffle: Shuffle::None };
        assert_eq!(Phase::all(&geometry, false, 0, &plane(false, Predictor::Up)).len(), 1);
        assert_eq!(Phase::all(&geometry, false, 0, &plane(true, Predictor::Up)).len(), 2);
        let phases = Phase::all(&geometry, false, 0, &plane(false, Predictor::Median));
        assert_eq!((phases[0].frames, phases[1].first_frame, phases[1].frames), (1, 1, 3));
    }
}

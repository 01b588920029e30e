//! Whether frames move: a part of a few of them is coded both ways.

use super::{Colour, StripPlan, Values};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Geometry, PlaneGeometry, WorkBuffer};
use crate::motion::{KEPT, Share, may_keep, shares};
use crate::stage::Backend;
use crate::strips;

/// Runs of consecutive frames that are taken, and frames of each: how well a frame can be expected changes from one to the
/// next.
const RUNS: usize = 3;
const FRAMES: usize = 3;
/// Width and height of the part of the first plane. Bands of a [`Sample`](super::Sample) are too narrow to move.
const SIZE: (usize, usize) = (384, 192);

/// Motion has to save one part in so many, because a decoder has more to do.
const LEAST_GAIN: u64 = 32;

/// Whether motion makes enough less of what is so long without it.
pub(super) fn pays(still: u64, moving: u64) -> bool {
    moving < still - still / LEAST_GAIN
}

/// Bytes of the part.
pub(super) struct Trial {
    /// If nothing moves.
    pub still: usize,
    /// If everything does.
    pub moving: usize,
}

/// How planes move, if they can, and if a search keeps to what a batch in work may take.
pub(super) fn searched(geometry: &Geometry) -> Option<Vec<Share>> {
    let first = geometry.planes.first()?;
    shares(geometry).filter(|_| may_keep(first.frame_samples() * KEPT, geometry.raw_bytes()))
}

/// What a part of a batch takes with motion and without; `None` if the batch cannot move.
pub(super) fn try_motion(batch: Batch<'_>, cpu: &CpuBackend) -> Result<Option<Trial>> {
    let Some(shares) = searched(batch.geometry) else { return Ok(None) };
    let (geometry, raw) = part(batch, &shares);
    let plan = StripPlan { values: Values::default(), colour: Colour::None, strips: 1, moves: false };
    let mut planes = WorkBuffer::default();
    cpu.forward(Batch { geometry: &geometry, raw: &raw }, &plan.planes(&geometry), &mut planes)?;
    let bytes = |moves: bool| -> Result<usize> {
        let coded = strips::encode(&geometry, &StripPlan { moves, ..plan.clone() }, None, &planes, cpu, cpu)?;
        Ok(coded.iter().map(Vec::len).sum())
    };
    Ok(Some(Trial { still: bytes(false)?, moving: bytes(true)? }))
}

/// A rectangle from the middle of all planes of some frames, as a planar batch of its own.
fn part(batch: Batch<'_>, shares: &[Share]) -> (Geometry, Vec<u8>) {
    let whole = batch.geometry;
    let first = &whole.planes[0];
    let (width, height) = (first.width.min(SIZE.0), first.height.min(SIZE.1));
    // Even, so that samples of planes of half the size belong to it.
    let (left, top) = ((first.width - width) / 4 * 2, (first.height - height) / 4 * 2);
    let run = whole.frames.min(FRAMES);
    // No frame twice.
    let runs = (whole.frames / run).min(RUNS);
    let mut offset = 0;
    let mut planes = Vec::with_capacity(shares.len());
    for share in shares {
        let (width, height) = (width.div_ceil(1 << share.across), height.div_ceil(1 << share.down));
        planes.push(PlaneGeometry { width, height, offset, step: 1, base: 0 });
        offset += width * height;
    }
    let frames = runs * run;
    let mut raw = Vec::with_capacity(frames * offset);
    // The middles of as many parts of the batch.
    let first = |at: usize| at * whole.frames / runs + (whole.frames / runs - run) / 2;
    for frame in (0..runs).flat_map(|at| first(at)..first(at) + run) {
        for ((from, to), share) in whole.planes.iter().zip(&planes).zip(shares) {
            for row in 0..to.height {
                let place = ((top >> share.down) + row) * from.width + (left >> share.across);
                let samples = &batch.raw[frame * whole.frame_samples + from.offset + place * from.step..];
                raw.extend(samples.iter().step_by(from.step).take(to.width));
            }
        }
    }
    (Geometry { frames, frame_samples: offset, ..whole.clone() }.with_planes(planes), raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

    /// Frames of whatever number: each in one run at most, whole, from the middle.
    #[test]
    fn parts_of_batches() {
        let sampling = ChromaSampling::Cs420;
        let layout = Layout::Yuv { width: 391, height: 17, sampling, chroma: ChromaOrder::Planar };
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        for frames in 2..40 {
            let whole = Geometry::new(&format, frames);
            // The number of the frame, but for the first column and the last one, which are not in the part.
            let sample = |at: usize| if [0, 390].contains(&(at % 391)) { 255 } else { (at / (391 * 17)) as u8 };
            let mut raw = Vec::new();
            for frame in 0..frames {
                raw.extend((0..391 * 17).map(|at| sample(at + frame * 391 * 17)));
                raw.extend(std::iter::repeat_n(frame as u8, whole.frame_samples - 391 * 17));
            }
            let shares = shares(&whole).unwrap();
            let (geometry, part) = part(Batch { geometry: &whole, raw: &raw }, &shares);
            assert_eq!(part.len(), geometry.raw_bytes());
            assert_eq!(
                geometry.frames,
                frames.min(RUNS * FRAMES) / FRAMES.min(frames) * FRAMES.min(frames),
                "{frames}"
            );
            let mut seen = Vec::new();
            for frame in part.chunks_exact(geometry.frame_samples) {
                assert!(frame.iter().all(|sample| *sample == frame[0]), "{frames}");
                seen.push(frame[0]);
            }
            assert!(seen.is_sorted_by(|a, b| a < b), "{frames}: {seen:?}");
        }
    }
}

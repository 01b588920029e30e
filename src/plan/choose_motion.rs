//! Whether frames move: a part of a few of them is coded both ways.

use super::{Colour, StripPlan, Values};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Geometry, PlaneGeometry, WorkBuffer};
use crate::motion::{Share, shares};
use crate::stage::Backend;
use crate::strips;

/// Frames that are taken.
const FRAMES: usize = 3;
/// Width and height of the part of the first plane. Bands of a [`Sample`](super::Sample) are too narrow to move.
const SIZE: (usize, usize) = (384, 192);

/// Samples that the search keeps for each of the first plane: those between them.
const KEPT: usize = 17;
/// What it may keep of any batch; of long ones twice as much as their raw bytes.
const LITTLE: usize = 1 << 23;

/// Bytes of the part.
pub(super) struct Trial {
    /// If nothing moves.
    pub still: usize,
    /// If everything does.
    pub moving: usize,
}

/// What a part from the middle of a batch takes with motion and without; `None` if the batch cannot move.
pub(super) fn try_motion(batch: Batch<'_>, cpu: &CpuBackend) -> Result<Option<Trial>> {
    let Some(shares) = shares(batch.geometry) else { return Ok(None) };
    // A batch in work has its bounds.
    if batch.geometry.planes[0].frame_samples() * KEPT > LITTLE.max(2 * batch.raw.len()) {
        return Ok(None);
    }
    let (geometry, raw) = part(batch, &shares);
    let plan = StripPlan { values: Values::default(), colour: Colour::None, strips: 1, moves: false };
    let mut planes = WorkBuffer::default();
    cpu.forward(Batch { geometry: &geometry, raw: &raw }, &plan.planes(&geometry), &mut planes)?;
    let bytes = |moves: bool| -> Result<usize> {
        let coded = strips::encode(&geometry, &StripPlan { moves, ..plan.clone() }, &planes, cpu)?;
        Ok(coded.iter().map(Vec::len).sum())
    };
    Ok(Some(Trial { still: bytes(false)?, moving: bytes(true)? }))
}

/// A rectangle of all planes from the middle of the frames in the middle, as a planar batch of its own.
fn part(batch: Batch<'_>, shares: &[Share]) -> (Geometry, Vec<u8>) {
    let whole = batch.geometry;
    let first = &whole.planes[0];
    let (width, height) = (first.width.min(SIZE.0), first.height.min(SIZE.1));
    // Even, so that samples of planes of half the size belong to it.
    let (left, top) = ((first.width - width) / 4 * 2, (first.height - height) / 4 * 2);
    let frames = whole.frames.min(FRAMES);
    let mut offset = 0;
    let mut planes = Vec::with_capacity(shares.len());
    for share in shares {
        let (width, height) = (width.div_ceil(1 << share.across), height.div_ceil(1 << share.down));
        planes.push(PlaneGeometry { width, height, offset, step: 1, base: 0 });
        offset += width * height;
    }
    let mut raw = Vec::with_capacity(frames * offset);
    for frame in (whole.frames - frames) / 2..(whole.frames + frames) / 2 {
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

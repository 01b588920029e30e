//! Residuals of a tile, zigzag-mapped, in the order of its groups.

use super::buffer::PlaneBuffer;
use super::rules::{Seen, wide};
use crate::cpu::sample::Sample;
use crate::frame::{GROUP, TILE, TILE_GROUPS};
use crate::plan::TilePredictor;

/// The groups of a tile.
pub(super) type Groups = [[u8; GROUP]; TILE_GROUPS];

/// Residuals of the tile whose first sample is at index `at`.
#[inline(always)]
pub(super) fn residual(
    predictor: TilePredictor,
    current: &PlaneBuffer,
    previous: &PlaneBuffer,
    at: usize,
    groups: &mut Groups,
) {
    match predictor {
        TilePredictor::Previous => tile::<0>(current, previous, at, groups),
        TilePredictor::PreviousLeft => tile::<1>(current, previous, at, groups),
        TilePredictor::PreviousUp => tile::<2>(current, previous, at, groups),
        TilePredictor::PreviousGradient => tile::<3>(current, previous, at, groups),
        TilePredictor::Left => tile::<4>(current, previous, at, groups),
        TilePredictor::Up => tile::<5>(current, previous, at, groups),
        TilePredictor::Gradient => tile::<6>(current, previous, at, groups),
        TilePredictor::HalfGradient => tile::<7>(current, previous, at, groups),
        TilePredictor::Slope => tile::<8>(current, previous, at, groups),
        TilePredictor::PreviousHalfGradient => tile::<9>(current, previous, at, groups),
        TilePredictor::PreviousAndUp => tile::<10>(current, previous, at, groups),
        TilePredictor::PreviousHalfUp => tile::<11>(current, previous, at, groups),
    }
}

#[inline(always)]
fn tile<const RULE: usize>(current: &PlaneBuffer, previous: &PlaneBuffer, at: usize, groups: &mut Groups) {
    let stride = current.stride;
    let seen = |at: usize| Seen::<TILE>::at(&current.samples, &previous.samples, at);
    let mut above = seen(at - stride);
    for y in 0..TILE {
        let at = at + y * stride;
        let row = seen(at);
        let mut above_right: [u8; TILE] = wide(&current.samples, at - stride + 1);
        above_right[TILE - 1] = current.samples[at - stride + TILE - 1];
        let mut zigzag = [0; TILE];
        for (lane, zigzag) in zigzag.iter_mut().enumerate() {
            *zigzag = row.residuals(&above, &above_right, lane)[RULE].zigzag();
        }
        let (upper, within) = (y / 8 * 2, y % 8 * 8);
        for (group, part) in groups[upper..].iter_mut().zip(zigzag.as_chunks::<8>().0) {
            group[within..within + 8].copy_from_slice(part);
        }
        above = row;
    }
}

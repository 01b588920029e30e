//! Residuals of a tile, zigzag-mapped, in the order of its groups.

use super::buffer::PlaneBuffer;
use super::rules::{Neighbours, residuals};
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
    let row = |samples: &[u8], at: usize| -> [u8; TILE] { samples[at..at + TILE].try_into().unwrap_or([0; TILE]) };
    for y in 0..TILE {
        let at = at + y * stride;
        let (x, w) = (row(&current.samples, at), row(&current.samples, at - 1));
        let (n, nw) = (row(&current.samples, at - stride), row(&current.samples, at - stride - 1));
        let (p, pw) = (row(&previous.samples, at), row(&previous.samples, at - 1));
        let (pn, pnw) = (row(&previous.samples, at - stride), row(&previous.samples, at - stride - 1));
        let mut ne = row(&current.samples, at - stride + 1);
        ne[TILE - 1] = n[TILE - 1];
        let mut zigzag = [0; TILE];
        for lane in 0..TILE {
            let neighbours = Neighbours {
                w: w[lane],
                n: n[lane],
                nw: nw[lane],
                ne: ne[lane],
                p: p[lane],
                pw: pw[lane],
                pn: pn[lane],
                pnw: pnw[lane],
            };
            zigzag[lane] = residuals(x[lane], neighbours)[RULE].zigzag();
        }
        let (upper, within) = (y / 8 * 2, y % 8 * 8);
        for (group, part) in groups[upper..].iter_mut().zip(zigzag.as_chunks::<8>().0) {
            group[within..within + 8].copy_from_slice(part);
        }
    }
}

//! Tiles of a coded plane: predictors are chosen and residuals made for some tiles at a time, while their samples are in
//! the first-level cache.

use super::buffer::PlaneBuffer;
use super::choose::{self, EXACT};
use super::residual::{self, Groups};
use crate::cpu::ahead::Ahead;
use crate::cpu::simd::{Kernel, SimdLevel};
use crate::frame::{CodedPlane, GROUP, TILE, TILE_GROUPS};
use crate::plan::TilePredictor;
use crate::stage::{TileEffort, TiledFrames};

/// Tiles at a time, side by side.
const STRIP: usize = 16;

/// Appends the tiles of a frame, row by row.
pub(super) fn predict(
    simd: SimdLevel,
    effort: TileEffort,
    frame: (&CodedPlane, &PlaneBuffer, &PlaneBuffer),
    ahead: &mut Ahead<'_>,
    out: &mut TiledFrames,
) {
    match effort {
        TileEffort::Few => simd.run(Predict::<{ choose::mask(TileEffort::Few) }> { frame, ahead, out }),
        TileEffort::Some => simd.run(Predict::<{ choose::mask(TileEffort::Some) }> { frame, ahead, out }),
        TileEffort::All => simd.run(Predict::<{ choose::mask(TileEffort::All) }> { frame, ahead, out }),
    }
}

/// Steps of fetching ahead while a plane is predicted.
pub(super) fn steps(plane: &CodedPlane) -> usize {
    plane.rows() * plane.columns().div_ceil(choose::TILES)
}

struct Predict<'a, 'm, const SET: u32> {
    /// The plane, its samples, and those of the frame before.
    frame: (&'a CodedPlane, &'a PlaneBuffer, &'a PlaneBuffer),
    ahead: &'a mut Ahead<'m>,
    out: &'a mut TiledFrames,
}

impl<const SET: u32> Kernel for Predict<'_, '_, SET> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { frame: (plane, current, previous), ahead, out } = self;
        let columns = plane.columns();
        let mut strip: [Groups; STRIP] = [[[0; GROUP]; TILE_GROUPS]; STRIP];
        let mut kept = [[0; GROUP]; STRIP * TILE_GROUPS];
        for row in 0..plane.rows() {
            for column in (0..columns).step_by(STRIP) {
                let at = current.at(column * TILE, row * TILE);
                let mut predictors = [0; STRIP];
                let predictors = &mut predictors[..STRIP.min(columns - column)];
                choose::choose::<SET>(current, previous, at, ahead, predictors);
                // Sums are not taken before all of a strip is stored: a group is stored in parts, and who loads it at once
                // waits for them.
                for ((at, &predictor), groups) in (at..).step_by(TILE).zip(&*predictors).zip(&mut strip) {
                    if predictor & EXACT == 0 {
                        let predictor = TilePredictor::ALL[usize::from(predictor)];
                        residual::residual(predictor, current, previous, at, groups);
                    }
                }
                let mut count = 0;
                for (&predictor, strip) in predictors.iter().zip(&strip) {
                    out.predictors.push(predictor & !EXACT);
                    if predictor & EXACT != 0 {
                        out.sums.extend([0; TILE_GROUPS]);
                        continue;
                    }
                    let mut of_tile = [0; TILE_GROUPS];
                    for (group, sum) in strip.iter().zip(&mut of_tile) {
                        let total: u32 = group.iter().map(|&residual| u32::from(residual)).sum();
                        *sum = total as u16;
                        // A group of zeros is overwritten by the next.
                        kept[count] = *group;
                        count += usize::from(total > 0);
                    }
                    out.sums.extend(of_tile);
                }
                out.groups.extend_from_slice(&kept[..count]);
            }
        }
    }
}

//! The predictor of each tile: the one with the smallest sum of residual magnitudes, each counted
//! up to [`MOST`]. The earliest wins a tie.

use super::buffer::PlaneBuffer;
use super::rules::{Seen, wide};
use crate::cpu::ahead::Ahead;
use crate::cpu::simd::sum;
use crate::frame::TILE;
use crate::plan::TilePredictor;
use crate::stage::TileEffort;

/// Magnitude above which residuals cost alike: eight of them fit a byte.
const MOST: u8 = 31;

/// Samples side by side in a step: four tiles.
const WIDE: usize = 64;

/// Tiles side by side in a step.
pub(super) const TILES: usize = WIDE / TILE;

/// Whether a lane has a neighbour above right within its tile.
const HAS_RIGHT: [u8; WIDE] = {
    let mut mask = [0xFF; WIDE];
    let mut at = TILE - 1;
    while at < WIDE {
        mask[at] = 0;
        at += TILE;
    }
    mask
};

/// Marks a tile whose residuals are all zero.
pub(super) const EXACT: u8 = 0x80;

/// A bit for each predictor of an effort.
pub(super) const fn mask(effort: TileEffort) -> u32 {
    let predictors = effort.predictors();
    let (mut mask, mut at) = (0, 0);
    while at < predictors.len() {
        mask |= 1 << predictors[at] as u32;
        at += 1;
    }
    mask
}

/// The predictors of some tiles side by side, the first sample of which is at index `at`, with [`EXACT`] where it is.
#[inline(always)]
pub(super) fn choose<const SET: u32>(
    current: &PlaneBuffer,
    previous: &PlaneBuffer,
    at: usize,
    ahead: &mut Ahead<'_>,
    predictors: &mut [u8],
) {
    let stride = current.stride;
    for (at, predictors) in (at..).step_by(WIDE).zip(predictors.chunks_mut(TILES)) {
        ahead.step();
        if still(&current.samples, &previous.samples, at, stride) {
            predictors.fill(TilePredictor::Previous as u8 | EXACT);
            continue;
        }
        let costs = costs::<SET>(&current.samples, &previous.samples, at, stride);
        for (predictor, costs) in predictors.iter_mut().zip(&costs) {
            let mut best = (u32::MAX, 0);
            for (at, &cost) in (0..).zip(costs) {
                if SET >> at & 1 == 1 && cost < best.0 {
                    best = (cost, at);
                }
            }
            *predictor = if best.0 == 0 { best.1 | EXACT } else { best.1 };
        }
    }
}

/// Whether four tiles are what they were in the frame before.
#[inline(always)]
fn still(current: &[u8], previous: &[u8], at: usize, stride: usize) -> bool {
    (0..TILE).all(|y| {
        let at = at + y * stride;
        let (current, previous) = (&current[at..at + WIDE], &previous[at..at + WIDE]);
        current.iter().zip(previous).fold(0, |changed, (current, previous)| changed | (current ^ previous)) == 0
    })
}

const RULES: usize = TilePredictor::ALL.len();

/// The cost of each rule on four tiles.
#[inline(always)]
fn costs<const SET: u32>(current: &[u8], previous: &[u8], at: usize, stride: usize) -> [[u32; RULES]; TILES] {
    let mut costs = [[0; RULES]; TILES];
    let mut above = Seen::<WIDE>::at(current, previous, at - stride);
    for half in 0..2 {
        let mut sums = [[0u8; WIDE]; RULES];
        for y in 0..TILE / 2 {
            let at = at + (half * TILE / 2 + y) * stride;
            let row = Seen::at(current, previous, at);
            let (samples, right) = (wide::<WIDE>(current, at - stride), wide::<WIDE>(current, at - stride + 1));
            let mut above_right = [0; WIDE];
            for lane in 0..WIDE {
                above_right[lane] = (right[lane] & HAS_RIGHT[lane]) | (samples[lane] & !HAS_RIGHT[lane]);
            }
            for lane in 0..WIDE {
                let residuals = row.residuals(&above, &above_right, lane);
                for (rule, (sums, residual)) in sums.iter_mut().zip(residuals).enumerate() {
                    if SET >> rule & 1 == 1 {
                        sums[lane] += residual.min(residual.wrapping_neg()).min(MOST);
                    }
                }
            }
            above = row;
        }
        for (rule, sums) in sums.iter().enumerate().filter(|(rule, _)| SET >> rule & 1 == 1) {
            for (costs, &sums) in costs.iter_mut().zip(sums.as_chunks::<TILE>().0) {
                costs[rule] += sum(sums);
            }
        }
    }
    costs
}

//! The predictor of each tile: the one with the smallest sum of residual magnitudes, each counted
//! up to [`MOST`]. The earliest wins a tie.

use super::buffer::PlaneBuffer;
use super::rules::{Neighbours, residuals};
use crate::cpu::simd::{Kernel, SimdLevel, sum};
use crate::frame::{CodedPlane, TILE};
use crate::plan::TilePredictor;
use crate::stage::TileEffort;

/// Magnitude above which residuals cost alike: eight of them fit a byte.
const MOST: u8 = 31;

/// Samples side by side in a step: four tiles.
const WIDE: usize = 64;

const TILES: usize = WIDE / TILE;

/// Whether a lane has a neighbour above right within its tile.
const HAS_NE: [u8; WIDE] = {
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

/// The predictor of every tile of a frame, row by row, appended to `predictors`, with [`EXACT`] where
/// it is.
pub(super) fn choose(
    simd: SimdLevel,
    effort: TileEffort,
    plane: &CodedPlane,
    current: &PlaneBuffer,
    previous: &PlaneBuffer,
    predictors: &mut Vec<u8>,
) {
    match effort {
        TileEffort::Few => simd.run(Choose::<{ mask(TileEffort::Few) }> { plane, current, previous, predictors }),
        TileEffort::Some => simd.run(Choose::<{ mask(TileEffort::Some) }> { plane, current, previous, predictors }),
        TileEffort::All => simd.run(Choose::<{ mask(TileEffort::All) }> { plane, current, previous, predictors }),
    }
}

/// A bit for each predictor of an effort.
const fn mask(effort: TileEffort) -> u32 {
    let predictors = effort.predictors();
    let (mut mask, mut at) = (0, 0);
    while at < predictors.len() {
        mask |= 1 << predictors[at] as u32;
        at += 1;
    }
    mask
}

struct Choose<'a, const SET: u32> {
    plane: &'a CodedPlane,
    current: &'a PlaneBuffer,
    previous: &'a PlaneBuffer,
    predictors: &'a mut Vec<u8>,
}

impl<const SET: u32> Kernel for Choose<'_, SET> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { plane, current, previous, predictors } = self;
        let columns = plane.columns();
        for row in 0..plane.rows() {
            for column in (0..columns).step_by(TILES) {
                let at = current.at(column * TILE, row * TILE);
                let tiles = TILES.min(columns - column);
                if still(&current.samples, &previous.samples, at, current.stride) {
                    predictors.extend([TilePredictor::Previous as u8 | EXACT; TILES].iter().take(tiles));
                    continue;
                }
                let costs = costs::<SET>(&current.samples, &previous.samples, at, current.stride);
                for costs in costs.iter().take(tiles) {
                    let mut best = (u32::MAX, 0);
                    for (at, &cost) in (0..).zip(costs) {
                        if SET >> at & 1 == 1 && cost < best.0 {
                            best = (cost, at);
                        }
                    }
                    predictors.push(if best.0 == 0 { best.1 | EXACT } else { best.1 });
                }
            }
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
    for half in 0..2 {
        let mut sums = [[0u8; WIDE]; RULES];
        for y in 0..TILE / 2 {
            let at = at + (half * TILE / 2 + y) * stride;
            row_costs::<SET>(current, previous, at, stride, &mut sums);
        }
        for (rule, sums) in sums.iter().enumerate().filter(|(rule, _)| SET >> rule & 1 == 1) {
            for (costs, &sums) in costs.iter_mut().zip(sums.as_chunks::<TILE>().0) {
                costs[rule] += sum(sums);
            }
        }
    }
    costs
}

/// Adds the magnitudes of one row.
#[inline(always)]
fn row_costs<const SET: u32>(
    current: &[u8],
    previous: &[u8],
    at: usize,
    stride: usize,
    sums: &mut [[u8; WIDE]; RULES],
) {
    let wide = |samples: &[u8], at: usize| -> [u8; WIDE] { samples[at..at + WIDE].try_into().unwrap_or([0; WIDE]) };
    let (x, w) = (wide(current, at), wide(current, at - 1));
    let (n, nw, ne) = (wide(current, at - stride), wide(current, at - stride - 1), wide(current, at - stride + 1));
    let (p, pw) = (wide(previous, at), wide(previous, at - 1));
    let (pn, pnw) = (wide(previous, at - stride), wide(previous, at - stride - 1));
    for lane in 0..WIDE {
        let neighbours = Neighbours {
            w: w[lane],
            n: n[lane],
            nw: nw[lane],
            ne: (ne[lane] & HAS_NE[lane]) | (n[lane] & !HAS_NE[lane]),
            p: p[lane],
            pw: pw[lane],
            pn: pn[lane],
            pnw: pnw[lane],
        };
        let residuals = residuals(x[lane], neighbours);
        for rule in 0..RULES {
            if SET >> rule & 1 == 1 {
                let residual = residuals[rule];
                sums[rule][lane] += residual.min(residual.wrapping_neg()).min(MOST);
            }
        }
    }
}

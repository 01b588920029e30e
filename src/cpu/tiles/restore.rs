//! Tiles from their residuals, row by row.
//!
//! Rules that refer to the frame before are those that do not, applied to the difference from it.
//! Those that refer to the left neighbour are running sums: of the residuals, or for the gradient of
//! the horizontal differences, which themselves follow from those of the row above.

use super::buffer::PlaneBuffer;
use super::residual::Groups;
use super::row::{Row, add, broadcast, halves, prefix_sum, shift_in, sub};
use crate::frame::TILE;
use crate::plan::TilePredictor;

/// Restores the tile whose first sample is at index `at`. Its residuals are not zigzag-mapped any more.
#[inline(always)]
pub(super) fn restore(
    predictor: TilePredictor,
    groups: &Groups,
    current: &mut PlaneBuffer,
    previous: &PlaneBuffer,
    at: usize,
) {
    use TilePredictor::*;
    let mut tile = Tile { current, previous, groups, at };
    match predictor {
        Previous => tile.rows::<true>(|_, residual| residual),
        PreviousLeft => tile.rows::<true>(|above, residual| add(prefix_sum(residual), broadcast(above.left))),
        PreviousUp => tile.rows::<true>(|above, residual| add(above.row, residual)),
        PreviousGradient => tile.gradient::<true>(),
        Left => tile.rows::<false>(|above, residual| add(prefix_sum(residual), broadcast(above.left))),
        Up => tile.rows::<false>(|above, residual| add(above.row, residual)),
        Gradient => tile.gradient::<false>(),
        HalfGradient => tile.rows::<false>(half_gradient),
        Slope => tile.rows::<false>(|above, residual| {
            let above_right = shift_out(above.row);
            let step = halves(sub(above_right, shift_in(above.row, above.left_above)));
            add(prefix_sum(add(residual, step)), broadcast(above.left))
        }),
        PreviousHalfGradient => tile.rows::<true>(half_gradient),
        PreviousAndUp => tile.previous_and_up(),
        PreviousHalfUp => tile.rows::<true>(|above, residual| add(halves(above.row), residual)),
    }
}

/// Restores a tile that is what it was in the frame before.
#[inline(always)]
pub(super) fn copy(current: &mut PlaneBuffer, previous: &PlaneBuffer, at: usize) {
    for at in (at..).step_by(current.stride).take(TILE) {
        current.samples[at..at + TILE].copy_from_slice(&previous.samples[at..at + TILE]);
    }
}

/// What a row sees of its neighbours.
struct Above {
    row: Row,
    /// Left of the row above.
    left_above: u8,
    /// Left of this row.
    left: u8,
}

#[inline(always)]
fn half_gradient(above: &Above, residual: Row) -> Row {
    let step = halves(sub(above.row, shift_in(above.row, above.left_above)));
    add(prefix_sum(add(residual, step)), broadcast(above.left))
}

/// Each sample's right neighbour; the last is its own.
#[inline(always)]
fn shift_out(row: Row) -> Row {
    std::array::from_fn(|lane| row[(lane + 1).min(TILE - 1)])
}

struct Tile<'a> {
    current: &'a mut PlaneBuffer,
    previous: &'a PlaneBuffer,
    groups: &'a Groups,
    at: usize,
}

impl Tile<'_> {
    /// Restores row after row; with `TEMPORAL`, as differences from the frame before.
    #[inline(always)]
    fn rows<const TEMPORAL: bool>(&mut self, rule: impl Fn(&Above, Row) -> Row) {
        let stride = self.current.stride;
        let mut above = Above {
            row: self.difference::<TEMPORAL>(self.at - stride),
            left_above: 0,
            left: self.left::<TEMPORAL>(self.at - stride),
        };
        for y in 0..TILE {
            let at = self.at + y * stride;
            above.left_above = above.left;
            above.left = self.left::<TEMPORAL>(at);
            let row = rule(&above, self.residual(y));
            self.put::<TEMPORAL>(at, row);
            above.row = row;
        }
    }

    #[inline(always)]
    fn gradient<const TEMPORAL: bool>(&mut self) {
        let stride = self.current.stride;
        let above = self.difference::<TEMPORAL>(self.at - stride);
        let mut steps = sub(above, shift_in(above, self.left::<TEMPORAL>(self.at - stride)));
        for y in 0..TILE {
            let at = self.at + y * stride;
            steps = add(steps, self.residual(y));
            let row = add(prefix_sum(steps), broadcast(self.left::<TEMPORAL>(at)));
            self.put::<TEMPORAL>(at, row);
        }
    }

    #[inline(always)]
    fn previous_and_up(&mut self) {
        let stride = self.current.stride;
        let mut above = row(&self.current.samples, self.at - stride);
        for y in 0..TILE {
            let at = self.at + y * stride;
            let previous = row(&self.previous.samples, at);
            above = add(add(previous, halves(sub(above, previous))), self.residual(y));
            self.put::<false>(at, above);
        }
    }

    #[inline(always)]
    fn residual(&self, y: usize) -> Row {
        let (upper, within) = (y / 8 * 2, y % 8 * 8);
        let mut residual = [0; TILE];
        for (part, group) in residual.as_chunks_mut::<8>().0.iter_mut().zip(&self.groups[upper..]) {
            part.copy_from_slice(&group[within..within + 8]);
        }
        residual
    }

    #[inline(always)]
    fn difference<const TEMPORAL: bool>(&self, at: usize) -> Row {
        let current = row(&self.current.samples, at);
        if TEMPORAL { sub(current, row(&self.previous.samples, at)) } else { current }
    }

    #[inline(always)]
    fn left<const TEMPORAL: bool>(&self, at: usize) -> u8 {
        let current = self.current.samples[at - 1];
        if TEMPORAL { current.wrapping_sub(self.previous.samples[at - 1]) } else { current }
    }

    #[inline(always)]
    fn put<const TEMPORAL: bool>(&mut self, at: usize, samples: Row) {
        let samples = if TEMPORAL { add(samples, row(&self.previous.samples, at)) } else { samples };
        self.current.samples[at..at + TILE].copy_from_slice(&samples);
    }
}

#[inline(always)]
fn row(samples: &[u8], at: usize) -> Row {
    samples[at..at + TILE].try_into().unwrap_or([0; TILE])
}

//! What blocks take over from their neighbours, and where they fall into units.

use super::filter::SIDE;
use super::search::{Found, Searched, is_best};
use super::{BLOCK_UNITS, Field, UNIT, Vector, expected};

/// What it costs that a block falls into units.
const SPLIT_COST: u32 = 64;
/// Vectors that are known: of the block, what is expected, and of those around it.
const KNOWN: usize = 10;

impl Searched<'_> {
    /// What the units of a block move by, once it is known what all blocks found.
    #[inline(always)]
    pub fn settle(&self, found: &Field, column: usize, row: usize) -> [Vector; 4] {
        let block = self.own(column, row, SIDE);
        let (unit_column, unit_row) = (column * BLOCK_UNITS, row * BLOCK_UNITS);
        let around = |right: usize, down: usize| {
            let at = |at: usize, by: usize| (at + by * BLOCK_UNITS).checked_sub(BLOCK_UNITS);
            found.get(at(unit_column, right), at(unit_row, down))
        };
        let beside = expected(found, unit_column, unit_row, BLOCK_UNITS);
        let mut best = None;
        self.try_vector(beside, beside, &block, &mut best);
        if is_best(best) {
            return [beside; 4];
        }
        let own = around(1, 1).unwrap_or_default();
        let mut known = [own; KNOWN];
        let mut count = 1;
        let others = (0..9).filter(|&place| place != 4).filter_map(|place| around(place % 3, place / 3));
        for vector in [beside].into_iter().chain(others) {
            // Neighbours mostly move alike.
            if !known[..count].contains(&vector) {
                known[count] = vector;
                count += 1;
            }
        }
        let known = &known[..count];
        best = None;
        for &vector in known {
            self.try_vector(vector, beside, &block, &mut best);
        }
        let Some(best) = best else { return [Vector::default(); 4] };
        if best.difference <= SPLIT_COST || block.area.columns < SIDE || block.area.rows < SIDE {
            return [best.vector; 4];
        }
        // What a vector leaves of all units is known at once, if it does not lead the block too far outside.
        let mut of_units = [None; KNOWN];
        for (of_units, &vector) in of_units.iter_mut().zip(known) {
            *of_units = self.differences_of_units(vector, &block);
        }
        let mut units = [best.vector; 4];
        let mut sum = SPLIT_COST;
        for (place, unit) in units.iter_mut().enumerate() {
            let own = self.own(unit_column + place % 2, unit_row + place / 2, UNIT);
            let mut of_unit = None;
            self.try_vector(best.vector, best.vector, &own, &mut of_unit);
            if !is_best(of_unit) {
                for (&vector, of_units) in known.iter().zip(of_units).filter(|&(&vector, _)| vector != best.vector) {
                    match of_units {
                        Some(of_units) => take(Found::new(vector, best.vector, of_units[place]), &mut of_unit),
                        None => self.try_vector(vector, best.vector, &own, &mut of_unit),
                    }
                }
                if !self.follows() {
                    self.refine(best.vector, &own, &mut of_unit);
                }
            }
            if let Some(of_unit) = of_unit {
                *unit = of_unit.vector;
                sum += of_unit.cost;
            }
        }
        if sum < best.difference { units } else { [best.vector; 4] }
    }
}

/// Takes what is found if it is better than the best.
#[inline(always)]
fn take(found: Found, best: &mut Option<Found>) {
    if best.is_none_or(|best| found.cost < best.cost) {
        *best = Some(found);
    }
}

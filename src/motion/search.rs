//! The search for vectors. It is a part of what a level is, not of what a device does: whoever searches finds the same, devices
//! too (`shaders/motion/search.wgsl`, `settle.wgsl`). What cannot be better is left out here, which never changes what is found.
//!
//! Blocks are searched without a look at what others found ([`Searched::block`]): from where the block went the last time and
//! from nowhere, in whole samples all around the best of these, then in halves and quarters. After that
//! ([`Searched::settle`]) each takes over what its neighbours found if that is as good, for vectors that are expected cost
//! nothing, and falls into its units where they move apart.
//!
//! A light search goes downhill in small diamonds where a full one looks all around (S. Zhu and K.-K. Ma, "A new diamond search
//! algorithm for fast block-matching motion estimation", IEEE Transactions on Image Processing 9(2), 2000), and lets units choose
//! only among what is known. It follows what moved before, so it has to begin with a full one.

use std::ops::Range;

use super::between::{BEYOND, Between, Earlier, Rows};
use super::difference::{Area, Own};
use super::filter::{Filter, SIDE};
use super::sums::PLACES;
use super::{BLOCK_UNITS, Field, Filters, Vector};
use crate::cpu::CpuBackend;
use crate::cpu::simd::Kernel;
use crate::error::Result;
use crate::pool;

/// Whole samples in each direction from the best of what is known beforehand.
const RANGE: i16 = 12;
/// Steps of a light search by whole samples, in quarters of one.
const STEPS: [i16; 3] = [16, 8, 4];
/// How often a light search goes on by steps of a size.
const TIMES: usize = 2;
/// Bound of a vector, in quarters of a sample.
const LONGEST: u16 = 1 << 13;
/// What a bit of a vector costs, in sums of differences of samples.
const BIT_COST: u32 = 4;

/// How far a search looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEffort {
    /// A few steps from where blocks went in the frame before; all around where that is not known.
    Light,
    /// All around.
    Full,
}

/// A frame and an earlier one, ready to be compared.
pub(super) struct Searched<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
    /// The earlier one.
    between: Between<'a>,
    /// Where units went in the frame before, if that is known.
    last: Option<&'a Field>,
    effort: SearchEffort,
}

/// A vector with what is left of a block, and with what it costs besides.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub vector: Vector,
    pub difference: u32,
    pub cost: u32,
}

impl Found {
    /// A vector that leaves so much, beside another one.
    #[inline(always)]
    pub fn new(vector: Vector, beside: Vector, difference: u32) -> Self {
        Self { vector, difference, cost: difference + BIT_COST * bits(vector, beside) }
    }
}

/// Whether what was found where it was expected leaves nothing, so that nothing can be better.
#[inline(always)]
pub(super) fn is_best(found: Option<Found>) -> bool {
    found.is_some_and(|found| found.difference == 0)
}

/// Bits of a vector beside another one, about.
#[inline(always)]
fn bits(vector: Vector, other: Vector) -> u32 {
    let bits = |distance: i32| 2 * (32 - distance.unsigned_abs().leading_zeros()) + 1;
    bits(i32::from(vector.x) - i32::from(other.x)) + bits(i32::from(vector.y) - i32::from(other.y))
}

impl<'a> Searched<'a> {
    pub fn new(
        earlier: &'a Earlier<'_>,
        filter: Filter,
        samples: &'a [u8],
        width: usize,
        last: Option<&'a Field>,
        effort: SearchEffort,
        cpu: &'a CpuBackend,
    ) -> Result<Self> {
        let between = Between::new(earlier, filter, cpu)?;
        Ok(Self { samples, width, height: samples.len() / width, between, last, effort })
    }

    /// Whether what moved before is followed.
    #[inline(always)]
    pub fn follows(&self) -> bool {
        self.effort == SearchEffort::Light && self.last.is_some()
    }

    /// The sum of the differences of an area from where a vector leads; `None` if that is too far away, or `limit` or more.
    #[inline(always)]
    fn difference(&self, vector: Vector, own: &Own, limit: u32) -> Option<u32> {
        let (first, second) = self.rows(vector, own.area)?;
        own.difference(first, second, limit)
    }

    /// The rows that a vector leads an area to; `None` if that is too far away.
    #[inline(always)]
    fn rows(&self, vector: Vector, area: Area) -> Option<(Rows<'_>, Option<Rows<'_>>)> {
        if self.reaches(vector, area) { self.between.rows(vector, area.at(vector)) } else { None }
    }

    /// Whether a vector is not too long, and does not lead an area too far outside.
    #[inline(always)]
    pub fn reaches(&self, vector: Vector, area: Area) -> bool {
        let is_short = vector.x.unsigned_abs().max(vector.y.unsigned_abs()) <= LONGEST;
        is_short && self.is_near(area.at(vector), (area.columns, area.rows))
    }

    /// Whether so many columns and rows from a place on are not too far outside.
    #[inline(always)]
    fn is_near(&self, (x, y): (i32, i32), (columns, rows): (usize, usize)) -> bool {
        let beyond = BEYOND as i32;
        let reaches =
            |at: i32, count: usize, length: usize| at >= -beyond && at + count as i32 <= length as i32 + beyond;
        reaches(x, columns, self.width) && reaches(y, rows, self.height)
    }

    /// Takes a vector if it is better than the best.
    #[inline(always)]
    pub fn try_vector(&self, vector: Vector, beside: Vector, own: &Own, best: &mut Option<Found>) {
        let of_vector = BIT_COST * bits(vector, beside);
        let limit = best.map_or(u32::MAX, |best| best.cost).saturating_sub(of_vector);
        if let Some(difference) = self.difference(vector, own, limit) {
            *best = Some(Found { vector, difference, cost: difference + of_vector });
        }
    }

    /// What a vector leaves of the units of a whole block; `None` if it is too long for that, or leads too far outside.
    #[inline(always)]
    pub fn differences_of_units(&self, vector: Vector, own: &Own) -> Option<[u32; 4]> {
        let (first, second) = self.rows(vector, own.area)?;
        own.differences_of_units(first, second)
    }

    /// Goes on from the best, in halves of a sample and quarters.
    #[inline(always)]
    pub fn refine(&self, beside: Vector, own: &Own, best: &mut Option<Found>) {
        let mut done = None;
        for step in self.between.filter.steps() {
            let Some(Found { vector: Vector { x, y }, .. }) = *best else { return };
            // What is around has been tried.
            if done == Some((step, x, y)) {
                return;
            }
            done = Some((step, x, y));
            let around = (-1..=1).flat_map(|down| (-1..=1).map(move |right| (right, down)));
            for (right, down) in around.filter(|&to| to != (0, 0)) {
                self.try_vector(Vector { x: x + right * step, y: y + down * step }, beside, own, best);
            }
        }
    }

    /// Goes on from the best to whatever is better a step away, right, left, up or down.
    #[inline(always)]
    fn descend(&self, steps: &[i16], beside: Vector, own: &Own, best: &mut Option<Found>) {
        for step in steps {
            for _ in 0..TIMES {
                let Some(Found { vector, .. }) = *best else { return };
                for (right, down) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
                    let next = Vector { x: vector.x + right * step, y: vector.y + down * step };
                    self.try_vector(next, beside, own, best);
                }
                if best.is_some_and(|best| best.vector == vector) {
                    break;
                }
            }
        }
    }

    /// Blocks side by side, and below each other.
    pub fn blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(SIDE), self.height.div_ceil(SIDE))
    }

    /// A block or unit of this size.
    #[inline(always)]
    pub fn own(&self, column: usize, row: usize, size: usize) -> Own {
        let (left, top) = (column * size, row * size);
        let area = Area { left, top, columns: size.min(self.width - left), rows: size.min(self.height - top) };
        Own::of(self.samples, self.width, area)
    }

    /// What a block finds by itself.
    #[inline(always)]
    pub fn block(&self, column: usize, row: usize) -> Vector {
        let own = self.own(column, row, SIDE);
        let mut best = None;
        let last = |right: usize, down: usize| {
            let at = |at: usize, by: usize| (at * BLOCK_UNITS + by).checked_sub(BLOCK_UNITS);
            self.last.and_then(|last| last.get(at(column, right), at(row, down))).unwrap_or_default()
        };
        // The block and those around it, by how far they are away in units, and one block back.
        let seeds = [last(2, 2), last(0, 2), last(4, 2), last(2, 0), last(2, 4)];
        let beside = Vector::default();
        self.try_vector(beside, beside, &own, &mut best);
        if is_best(best) {
            return beside;
        }
        for seed in seeds {
            self.try_vector(self.whole_enough(seed), beside, &own, &mut best);
        }
        let Some(Found { vector: seed, difference, .. }) = best else { return Vector::default() };
        if difference > 0 {
            if self.follows() {
                self.descend(&STEPS, beside, &own, &mut best);
                self.descend(self.between.filter.steps(), beside, &own, &mut best);
            } else {
                self.try_all_around(seed, &own, &mut best);
                self.refine(beside, &own, &mut best);
            }
        }
        best.map(|found| found.vector).unwrap_or_default()
    }

    /// Tries all whole samples around a vector for a block, in rows from the top.
    #[inline(always)]
    fn try_all_around(&self, seed: Vector, own: &Own, best: &mut Option<Found>) {
        let (beside, earlier) = (Vector::default(), self.between.earlier);
        let sums = own.unit_sums().map(|sums| (sums, earlier.sums()));
        let (x, y) = (seed.x & !3, seed.y & !3);
        for down in -RANGE..=RANGE {
            let first = Vector { x: x - 4 * RANGE, y: y + 4 * down };
            let left = own.area.left as i32 + i32::from(first.x >> 2);
            let top = own.area.top as i32 + i32::from(first.y >> 2);
            let mut may_be_better = [true; PLACES];
            if let Some((of_own, of_all)) = sums.filter(|_| self.is_near((left, top), (SIDE + PLACES, SIDE))) {
                let limit = best.map_or(u16::MAX, |best| best.cost.min(u16::MAX.into()) as u16);
                may_be_better = of_all.may_be_below(of_own, earlier.index(left, top), limit);
                if may_be_better == [false; PLACES] {
                    continue;
                }
            }
            for (right, _) in (0..=2 * RANGE).zip(may_be_better).filter(|&(_, may_be_better)| may_be_better) {
                self.try_vector(Vector { x: first.x + 4 * right, ..first }, beside, own, best);
            }
        }
    }

    /// What all blocks find by themselves, or, once that is known, what they settle for.
    fn field(&self, found: Option<&Field>, cpu: &CpuBackend) -> Result<Field> {
        let (across, down) = self.blocks();
        let rows = pool::map(cpu.crew(), (0..down).collect(), |row| {
            Ok(cpu.simd().run(Blocks { searched: self, columns: 0..across, row, found }))
        })?;
        Ok(of_blocks(self.between.filter, across * BLOCK_UNITS, &rows))
    }

    /// A vector of another filter, as this one would have it.
    fn whole_enough(&self, vector: Vector) -> Vector {
        let (right, down) = self.between.filter.phase(vector.x, vector.y);
        Vector { x: (vector.x & !3) + right as i16, y: (vector.y & !3) + down as i16 }
    }
}

/// One row of blocks, or some blocks, compiled for a SIMD level.
struct Blocks<'a> {
    searched: &'a Searched<'a>,
    /// Columns of a row.
    columns: Range<usize>,
    row: usize,
    /// What all blocks found, if it is time to settle.
    found: Option<&'a Field>,
}

impl Kernel for Blocks<'_> {
    type Output = Vec<[Vector; 4]>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { searched, columns, row, found } = self;
        let mut vectors = Vec::with_capacity(columns.len());
        for column in columns {
            vectors.push(match found {
                Some(found) => searched.settle(found, column, row),
                None => [searched.block(column, row); 4],
            });
        }
        vectors
    }
}

/// How the first plane of a frame, `width` samples a row, has moved since an earlier one. `last` is how the frame before it did,
/// if that is known.
pub fn search(
    pair: [&[u8]; 2],
    width: usize,
    filters: Filters,
    last: Option<&Field>,
    effort: SearchEffort,
    cpu: &CpuBackend,
) -> Result<Field> {
    look(pair, width, filters, last, effort, cpu, |searched| {
        let found = searched.field(None, cpu)?;
        searched.field(Some(&found), cpu)
    })
}

/// About the same: what blocks find by themselves in a light search.
pub fn glance(pair: [&[u8]; 2], width: usize, filters: Filters, last: &Field, cpu: &CpuBackend) -> Result<Field> {
    look(pair, width, filters, Some(last), SearchEffort::Light, cpu, |searched| searched.field(None, cpu))
}

/// What is found in a frame and an earlier one, if they are not equal.
fn look(
    [earlier, samples]: [&[u8]; 2],
    width: usize,
    filters: Filters,
    last: Option<&Field>,
    effort: SearchEffort,
    cpu: &CpuBackend,
    find: impl FnOnce(&Searched<'_>) -> Result<Field>,
) -> Result<Field> {
    if samples == earlier {
        return Ok(Field::still(width, samples.len() / width));
    }
    let earlier = Earlier::new(earlier, width, cpu);
    let filter = filters.of_pair(&earlier, samples, width, last, cpu)?;
    find(&Searched::new(&earlier, filter, samples, width, last, effort, cpu)?)
}

/// A field of the four units of each block.
fn of_blocks(filter: Filter, across: usize, rows: &[Vec<[Vector; 4]>]) -> Field {
    let mut vectors = Vec::with_capacity(rows.len() * BLOCK_UNITS * across);
    for row in rows {
        for half in [0, 2] {
            vectors.extend(row.iter().flat_map(|block| [block[half], block[half + 1]]));
        }
    }
    Field { filter, across, vectors }
}

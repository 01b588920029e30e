//! The search for vectors. It is a part of what a level is, not of what a device does: whoever searches finds the same.
//!
//! Blocks are searched without a look at what others found ([`Searched::block`]): from where the block went the last time and
//! from nowhere, in whole samples all around the best of these, then in halves and quarters. After that
//! ([`Searched::settle`]) each takes over what its neighbours found if that is as good, for vectors that are expected cost
//! nothing, and falls into its units where they move apart.

use std::ops::Range;

use super::filter::{AFTER, BEFORE, Filter, Phase, Source, interpolate};
use super::picture::Picture;
use super::{BLOCK_UNITS, Field, UNIT, Vector, expected};
use crate::cpu::CpuBackend;
use crate::cpu::simd::{self, Kernel};
use crate::error::Result;
use crate::pool;

/// Whole samples in each direction from the best of what is known beforehand.
const RANGE: i16 = 12;
/// Samples beyond the edges to which blocks reach.
const BEYOND: i32 = 48;
/// Bound of a vector, in quarters of a sample.
const LONGEST: u16 = 1 << 13;
/// Side of a block.
const BLOCK: usize = UNIT * BLOCK_UNITS;
/// What a bit of a vector costs, in sums of differences of samples.
const BIT_COST: u32 = 4;
/// What it costs that a block falls into units.
const SPLIT_COST: u32 = 64;
/// Pairs of frames that show which filters fit, and one block in so many of them.
const PAIRS: usize = 4;
const SHOWN: usize = 23;
/// Filters of one stream.
const FAMILIES: [&[Filter]; 2] = [&[Filter::Quarter], &[Filter::Half, Filter::HalfDown]];

/// A frame and an earlier one, ready to be compared.
struct Searched<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
    filter: Filter,
    /// What is at each phase of the earlier frame, in the order of the filter's phases.
    phases: Vec<Picture>,
    /// Where units went in the frame before.
    last: &'a Field,
}

/// A vector with what is left of a block, and with what it costs besides.
#[derive(Clone, Copy)]
struct Found {
    vector: Vector,
    difference: u32,
    cost: u32,
}

/// Part of a frame: its first column and row, and how wide and high it is.
#[derive(Clone, Copy)]
struct Area {
    left: usize,
    top: usize,
    columns: usize,
    rows: usize,
}

/// Bits of a vector beside another one, about.
#[inline(always)]
fn bits(vector: Vector, other: Vector) -> u32 {
    let bits = |distance: i32| 2 * (32 - distance.unsigned_abs().leading_zeros()) + 1;
    bits(i32::from(vector.x) - i32::from(other.x)) + bits(i32::from(vector.y) - i32::from(other.y))
}

impl Searched<'_> {
    /// The sum of the differences of an area from where a vector leads; `None` if that is too far away, or `limit` or more.
    #[inline(always)]
    fn difference(&self, vector: Vector, area: Area, limit: u32) -> Option<u32> {
        if vector.x.unsigned_abs().max(vector.y.unsigned_abs()) > LONGEST {
            return None;
        }
        let (x, y) = (area.left as i32 + i32::from(vector.x >> 2), area.top as i32 + i32::from(vector.y >> 2));
        let inside =
            |at: i32, count: usize, length: usize| at >= -BEYOND && at + count as i32 <= length as i32 + BEYOND;
        if !inside(x, area.columns, self.width) || !inside(y, area.rows, self.height) {
            return None;
        }
        let picture = self.phases.get(self.filter.place(self.filter.phase(vector.x, vector.y)))?;
        let at = |at: i32| (at + picture.margin as i32) as usize;
        let from = (&picture.samples[at(y) * picture.stride + at(x)..], picture.stride);
        let own = (&self.samples[area.top * self.width + area.left..], self.width);
        let sum = match area.columns {
            16 => sum(own, from, area.rows, limit, |row| row.first_chunk().copied()),
            8 => sum(own, from, area.rows, limit, |row| row.first_chunk::<8>().map(half_a_row)),
            columns => sum(own, from, area.rows, limit, |row| {
                let mut samples = [0; 16];
                samples[..columns].copy_from_slice(row.get(..columns)?);
                Some(samples)
            }),
        };
        (sum < limit).then_some(sum)
    }

    /// Takes a vector if it is better than the best.
    #[inline(always)]
    fn try_vector(&self, vector: Vector, beside: Vector, area: Area, best: &mut Option<Found>) {
        let of_vector = BIT_COST * bits(vector, beside);
        let limit = best.map_or(u32::MAX, |best| best.cost).saturating_sub(of_vector);
        if let Some(difference) = self.difference(vector, area, limit) {
            *best = Some(Found { vector, difference, cost: difference + of_vector });
        }
    }

    /// Goes on from the best, in halves of a sample and quarters.
    #[inline(always)]
    fn refine(&self, beside: Vector, area: Area, best: &mut Option<Found>) {
        let steps: &[i16] = match self.filter {
            Filter::Whole => &[],
            Filter::Half | Filter::HalfDown => &[2],
            Filter::Quarter => &[2, 1, 1],
        };
        for step in steps {
            let Some(Found { vector: Vector { x, y }, .. }) = *best else { return };
            for (right, down) in (-1..=1).flat_map(|down| (-1..=1).map(move |right| (right, down))) {
                self.try_vector(Vector { x: x + right * step, y: y + down * step }, beside, area, best);
            }
        }
    }

    /// Blocks side by side, and below each other.
    fn blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(BLOCK), self.height.div_ceil(BLOCK))
    }

    /// How well the filter fits: the length of what is left of some blocks, in bits, so that nothing counts for much less than
    /// little.
    fn left(&self, cpu: &CpuBackend) -> Result<u32> {
        let (across, down) = self.blocks();
        let shown = (0..across * down).step_by(SHOWN).collect();
        let bits = pool::map(cpu.crew(), shown, |block| {
            let (column, row) = (block % across, block / across);
            let found = cpu.simd().run(Blocks { searched: self, columns: column..column + 1, row, found: None });
            let left = found
                .first()
                .and_then(|[vector, ..]| self.difference(*vector, self.area(column, row, BLOCK), u32::MAX));
            Ok(left.map_or(0, |left| 32 - left.leading_zeros()))
        })?;
        Ok(bits.into_iter().sum())
    }

    fn area(&self, column: usize, row: usize, size: usize) -> Area {
        let (left, top) = (column * size, row * size);
        Area { left, top, columns: size.min(self.width - left), rows: size.min(self.height - top) }
    }

    /// What a block finds by itself.
    #[inline(always)]
    fn block(&self, column: usize, row: usize) -> Vector {
        let area = self.area(column, row, BLOCK);
        let mut best = None;
        let last = |right: usize, down: usize| {
            let at = |at: usize, by: usize| (at * BLOCK_UNITS + by).checked_sub(BLOCK_UNITS);
            self.last.get(at(column, right), at(row, down)).unwrap_or_default()
        };
        // The block and those around it, by how far they are away in units, and one block back.
        let seeds = [last(2, 2), last(0, 2), last(4, 2), last(2, 0), last(2, 4)];
        let beside = Vector::default();
        self.try_vector(beside, beside, area, &mut best);
        seeds.into_iter().for_each(|seed| self.try_vector(self.whole_enough(seed), beside, area, &mut best));
        let Some(Found { vector: seed, difference, .. }) = best else { return Vector::default() };
        if difference > 0 {
            let (x, y) = (seed.x & !3, seed.y & !3);
            for (right, down) in (-RANGE..=RANGE).flat_map(|down| (-RANGE..=RANGE).map(move |right| (right, down))) {
                self.try_vector(Vector { x: x + 4 * right, y: y + 4 * down }, beside, area, &mut best);
            }
            self.refine(beside, area, &mut best);
        }
        best.map(|found| found.vector).unwrap_or_default()
    }

    /// A vector of another filter, as this one would have it.
    fn whole_enough(&self, vector: Vector) -> Vector {
        let (right, down) = self.filter.phase(vector.x, vector.y);
        Vector { x: (vector.x & !3) + right as i16, y: (vector.y & !3) + down as i16 }
    }

    /// What the units of a block move by, once it is known what all blocks found.
    #[inline(always)]
    fn settle(&self, found: &Field, column: usize, row: usize) -> [Vector; 4] {
        let area = self.area(column, row, BLOCK);
        let (unit_column, unit_row) = (column * BLOCK_UNITS, row * BLOCK_UNITS);
        let around = |right: usize, down: usize| {
            let at = |at: usize, by: usize| (at + by * BLOCK_UNITS).checked_sub(BLOCK_UNITS);
            found.get(at(unit_column, right), at(unit_row, down))
        };
        let beside = expected(found, unit_column, unit_row, BLOCK_UNITS);
        let own = around(1, 1).unwrap_or_default();
        let others = (0..9).filter(|&place| place != 4).filter_map(|place| around(place % 3, place / 3));
        let mut best = None;
        for vector in [own, beside].into_iter().chain(others.clone()) {
            self.try_vector(vector, beside, area, &mut best);
        }
        let Some(best) = best else { return [Vector::default(); 4] };
        if best.difference <= SPLIT_COST || area.columns < BLOCK || area.rows < BLOCK {
            return [best.vector; 4];
        }
        let mut units = [best.vector; 4];
        let mut sum = SPLIT_COST;
        for (place, unit) in units.iter_mut().enumerate() {
            let area = self.area(unit_column + place % 2, unit_row + place / 2, UNIT);
            let mut of_unit = None;
            for vector in [best.vector, beside].into_iter().chain(others.clone()) {
                self.try_vector(vector, best.vector, area, &mut of_unit);
            }
            self.refine(best.vector, area, &mut of_unit);
            if let Some(of_unit) = of_unit {
                *unit = of_unit.vector;
                sum += of_unit.cost;
            }
        }
        if sum < best.difference { units } else { [best.vector; 4] }
    }
}

/// A row of 8 samples, with zeros.
#[inline(always)]
fn half_a_row(row: &[u8; 8]) -> [u8; 16] {
    let mut samples = [0; 16];
    samples[..8].copy_from_slice(row);
    samples
}

/// The sum of the differences of rows with their strides, or some sum that is not below `limit` either.
#[inline(always)]
fn sum(
    own: (&[u8], usize),
    from: (&[u8], usize),
    rows: usize,
    limit: u32,
    of_row: impl Fn(&[u8]) -> Option<[u8; 16]>,
) -> u32 {
    let mut sum = 0;
    let (mut own_rest, mut from_rest) = (own.0, from.0);
    for row in 0..rows {
        if let (Some(own), Some(from)) = (of_row(own_rest), of_row(from_rest)) {
            sum += simd::differences(own, from);
        }
        if row % 4 == 3 && sum >= limit {
            break;
        }
        (own_rest, from_rest) =
            (own_rest.get(own.1..).unwrap_or_default(), from_rest.get(from.1..).unwrap_or_default());
    }
    sum
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

/// An earlier frame between its samples.
struct Between<'a> {
    filter: Filter,
    phase: Phase,
    earlier: &'a Picture,
}

impl Kernel for Between<'_> {
    type Output = Picture;

    #[inline(always)]
    fn run(self) -> Picture {
        let Picture { margin, stride, samples } = self.earlier;
        let columns = stride - BEFORE - AFTER;
        let mut out = vec![0; columns * (self.earlier.rows() - BEFORE - AFTER)];
        interpolate(self.filter, self.phase, Source { samples, stride: *stride }, columns, &mut out, columns);
        Picture { margin: margin - BEFORE, stride: columns, samples: out }
    }
}

/// An earlier frame with all that blocks reach and filters look at.
fn reached(earlier: &[u8], width: usize) -> Picture {
    Picture::new(earlier, width, BEYOND as usize + BEFORE.max(AFTER))
}

/// A frame and an earlier one, which is [`reached`], at all phases of a filter.
fn compared<'a>(
    (earlier, samples): (&Picture, &'a [u8]),
    width: usize,
    filter: Filter,
    last: &'a Field,
    cpu: &CpuBackend,
) -> Result<Searched<'a>> {
    let phases = pool::map(cpu.crew(), filter.phases().to_vec(), |phase| {
        Ok(cpu.simd().run(Between { filter, phase, earlier }))
    })?;
    Ok(Searched { samples, width, height: samples.len() / width, filter, phases, last })
}

/// Filters that a stream goes through: one, or both that round halves up and down by turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filters(&'static [Filter]);

impl Filters {
    /// Those that fit the first planes of some frames best, of `width` samples a row: they are compared where some
    /// pairs of frames show.
    pub fn choose(frames: &[&[u8]], width: usize, cpu: &CpuBackend) -> Result<Self> {
        let pairs = frames.len().saturating_sub(1);
        let mut left = [0; 2];
        for pair in (0..PAIRS).map(|part| (2 * part + 1) * pairs / (2 * PAIRS)) {
            let Some(&[earlier, samples]) = frames.get(pair..).and_then(|frames| frames.first_chunk::<2>()) else {
                continue;
            };
            let (earlier, last) = (reached(earlier, width), Field::still(width, samples.len() / width));
            for (left, filters) in left.iter_mut().zip(FAMILIES) {
                let of = |filter| compared((&earlier, samples), width, filter, &last, cpu)?.left(cpu);
                let best = filters.iter().map(|&filter| of(filter)).collect::<Result<Vec<u32>>>()?;
                *left += best.into_iter().min().unwrap_or(0);
            }
        }
        Ok(Self(FAMILIES[usize::from(left[1] < left[0])]))
    }
}

/// How the first plane of a frame, `width` samples a row, has moved since an earlier one. `last` is how the frame before it did.
pub fn search(
    [earlier, samples]: [&[u8]; 2],
    width: usize,
    filters: Filters,
    last: &Field,
    cpu: &CpuBackend,
) -> Result<Field> {
    let still = Field::still(width, samples.len() / width);
    if samples == earlier {
        return Ok(still);
    }
    let earlier = reached(earlier, width);
    let mut best: Option<(u32, Searched<'_>)> = None;
    for &filter in filters.0 {
        let compared = compared((&earlier, samples), width, filter, last, cpu)?;
        let left = if filters.0.len() > 1 { compared.left(cpu)? } else { 0 };
        if best.as_ref().is_none_or(|&(least, _)| left < least) {
            best = Some((left, compared));
        }
    }
    let Some((_, searched)) = best else { return Ok(still) };
    let rows = |found: Option<&Field>| {
        let (across, down) = searched.blocks();
        let rows = pool::map(cpu.crew(), (0..down).collect(), |row| {
            Ok(cpu.simd().run(Blocks { searched: &searched, columns: 0..across, row, found }))
        })?;
        Ok(of_blocks(searched.filter, still.across, &rows))
    };
    rows(Some(&rows(None)?))
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

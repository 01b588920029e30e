//! How much a block, or a unit of one, differs from others.

use super::between::Rows;
use super::filter::{SIDE, mean};
use super::{UNIT, Vector};
use crate::cpu::simd;

/// Rows that are compared at a time.
const FOUR: usize = 4;

/// Part of a frame: its first column and row, and how wide and high it is, at most [`SIDE`] each.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub left: usize,
    pub top: usize,
    pub columns: usize,
    pub rows: usize,
}

impl Area {
    /// Where a vector leads, in whole samples.
    #[inline(always)]
    pub fn at(self, vector: Vector) -> (i32, i32) {
        (self.left as i32 + i32::from(vector.x >> 2), self.top as i32 + i32::from(vector.y >> 2))
    }
}

/// An area with its samples, in rows that are filled up with zeros.
pub(super) struct Own {
    pub area: Area,
    rows: [[u8; SIDE]; SIDE],
    /// The rows of a unit, two side by side.
    pairs: [[u8; SIDE]; FOUR],
}

impl Own {
    /// An area of a frame of `width` samples a row.
    #[inline(always)]
    pub fn of(samples: &[u8], width: usize, area: Area) -> Self {
        let mut rows = [[0; SIDE]; SIDE];
        for (to, row) in rows.iter_mut().zip(samples.chunks_exact(width).skip(area.top)).take(area.rows) {
            to[..area.columns].copy_from_slice(&row[area.left..][..area.columns]);
        }
        let mut pairs = [[0; SIDE]; FOUR];
        for (unit_row, row) in pairs.as_flattened_mut().as_chunks_mut::<UNIT>().0.iter_mut().zip(&rows) {
            unit_row.copy_from_slice(&row[..UNIT]);
        }
        Self { area, rows, pairs }
    }

    /// The sums of the four units of a block, if it is a whole one.
    #[inline(always)]
    pub fn unit_sums(&self) -> Option<[u16; 4]> {
        let mut sums = [0; 4];
        for (y, row) in self.rows.iter().enumerate() {
            for (x, unit) in row.as_chunks::<UNIT>().0.iter().enumerate() {
                sums[y / UNIT * 2 + x] += unit.iter().map(|&sample| u16::from(sample)).sum::<u16>();
            }
        }
        ((self.area.columns, self.area.rows) == (SIDE, SIDE)).then_some(sums)
    }

    /// The sum of the differences from rows, or from the mean of two; `None` if that is `limit` or more, or if there are not so
    /// many rows.
    #[inline(always)]
    #[expect(clippy::redundant_closure, reason = "a function is called without the instructions of the SIMD level")]
    pub fn difference(&self, first: Rows<'_>, second: Option<Rows<'_>>, limit: u32) -> Option<u32> {
        match self.area {
            Area { columns: SIDE, rows, .. } if rows % FOUR == 0 => self.of_block(first, second, limit),
            Area { columns: UNIT, rows: UNIT, .. } => {
                let [left, right] = simd::differences(&self.pairs, &mean_of(|rows| pairs(rows), first, second)?);
                Some(left + right).filter(|&sum| sum < limit)
            }
            _ => self.sum_at_edge(first, second).filter(|&sum| sum < limit),
        }
    }

    #[inline(always)]
    fn of_block(&self, first: Rows<'_>, second: Option<Rows<'_>>, limit: u32) -> Option<u32> {
        let mut sum = 0;
        for (at, own) in self.rows.as_chunks::<FOUR>().0.iter().enumerate().take(self.area.rows / FOUR) {
            let [left, right] = simd::differences(own, &mean_of(|rows| four_rows(rows, at), first, second)?);
            sum += left + right;
            if sum >= limit {
                return None;
            }
        }
        Some(sum)
    }

    /// The sums of the differences of the four units of a whole block from rows, or from the mean of two; `None` if there are
    /// not so many rows.
    #[inline(always)]
    pub fn differences_of_units(&self, first: Rows<'_>, second: Option<Rows<'_>>) -> Option<[u32; 4]> {
        let mut sums = [[0; 2]; 2];
        for (at, own) in self.rows.as_chunks::<FOUR>().0.iter().enumerate() {
            let [left, right] = simd::differences(own, &mean_of(|rows| four_rows(rows, at), first, second)?);
            let of_units = &mut sums[at * FOUR / UNIT];
            *of_units = [of_units[0] + left, of_units[1] + right];
        }
        let [[a, b], [c, d]] = sums;
        Some([a, b, c, d])
    }

    /// How long the differences from as many rows are in bits, cell by cell of 4 x 4, so that little counts for much more than
    /// nothing.
    #[inline(always)]
    pub fn bits(&self, (samples, stride): Rows<'_>) -> u32 {
        let mut bits = 0;
        for y in (FOUR..=self.area.rows).step_by(FOUR) {
            let mut columns = [0_u16; SIDE];
            for (own, row) in self.rows[..y].iter().zip(samples.chunks(stride)).skip(y - FOUR) {
                for (sum, (own, sample)) in columns.iter_mut().zip(own.iter().zip(row)) {
                    *sum += u16::from(own.abs_diff(*sample));
                }
            }
            for [a, b, c, d] in columns.as_chunks::<FOUR>().0.iter().take(self.area.columns / FOUR) {
                bits += 16 - (a + b + c + d).leading_zeros();
            }
        }
        bits
    }

    fn sum_at_edge(&self, first: Rows<'_>, second: Option<Rows<'_>>) -> Option<u32> {
        let Area { columns, rows, .. } = self.area;
        let mut sum = 0;
        for (y, own) in self.rows.iter().enumerate().take(rows) {
            let row = |(samples, stride): Rows<'_>| -> Option<[u8; SIDE]> {
                let mut row = [0; SIDE];
                row[..columns].copy_from_slice(samples.get(y * stride..)?.get(..columns)?);
                Some(row)
            };
            let mut expected = row(first)?;
            if let Some(second) = second {
                mean(&mut expected, &row(second)?);
            }
            sum += own.iter().zip(expected).map(|(own, expected)| u32::from(own.abs_diff(expected))).sum::<u32>();
        }
        Some(sum)
    }
}

/// What is taken of rows, or the mean of what is taken of two.
#[inline(always)]
fn mean_of(
    take: impl Fn(Rows<'_>) -> Option<[[u8; SIDE]; FOUR]>,
    first: Rows<'_>,
    second: Option<Rows<'_>>,
) -> Option<[[u8; SIDE]; FOUR]> {
    let mut samples = take(first)?;
    if let Some(second) = second {
        mean(samples.as_flattened_mut(), take(second)?.as_flattened());
    }
    Some(samples)
}

/// Four rows, four times `at` further down.
#[inline(always)]
fn four_rows((samples, stride): Rows<'_>, at: usize) -> Option<[[u8; SIDE]; FOUR]> {
    let samples = samples.get(FOUR * at * stride..)?.get(..(FOUR - 1) * stride + SIDE)?;
    let mut rows = [[0; SIDE]; FOUR];
    for (y, row) in rows.iter_mut().enumerate() {
        row.copy_from_slice(&samples[y * stride..][..SIDE]);
    }
    Some(rows)
}

/// The rows of a unit, two side by side.
#[inline(always)]
fn pairs((samples, stride): Rows<'_>) -> Option<[[u8; SIDE]; FOUR]> {
    let samples = samples.get(..(UNIT - 1) * stride + UNIT)?;
    let mut pairs = [[0; SIDE]; FOUR];
    for (y, row) in pairs.as_flattened_mut().as_chunks_mut::<UNIT>().0.iter_mut().enumerate() {
        row.copy_from_slice(&samples[y * stride..][..UNIT]);
    }
    Some(pairs)
}

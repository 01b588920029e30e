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
}

impl Own {
    /// An area of a frame of `width` samples a row.
    #[inline(always)]
    pub fn of(samples: &[u8], width: usize, area: Area) -> Self {
        let mut rows = [[0; SIDE]; SIDE];
        for (to, row) in rows.iter_mut().zip(samples.chunks_exact(width).skip(area.top)).take(area.rows) {
            to[..area.columns].copy_from_slice(&row[area.left..][..area.columns]);
        }
        Self { area, rows }
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
    pub fn difference(&self, first: Rows<'_>, second: Option<Rows<'_>>, limit: u32) -> Option<u32> {
        let Area { columns, rows, .. } = self.area;
        match columns {
            SIDE if rows % FOUR == 0 => self.sum::<SIDE>(first, second, limit),
            UNIT if rows % FOUR == 0 => self.sum::<UNIT>(first, second, limit),
            _ => self.sum_at_edge(first, second).filter(|&sum| sum < limit),
        }
    }

    #[inline(always)]
    fn sum<const COLUMNS: usize>(&self, first: Rows<'_>, second: Option<Rows<'_>>, limit: u32) -> Option<u32> {
        let mut sum = 0;
        for (at, own) in self.rows.as_chunks::<FOUR>().0.iter().enumerate().take(self.area.rows / FOUR) {
            let mut expected = four_rows::<COLUMNS>(first, at)?;
            if let Some(second) = second {
                mean(expected.as_flattened_mut(), four_rows::<COLUMNS>(second, at)?.as_flattened());
            }
            sum += simd::differences(own, &expected);
            if sum >= limit {
                return None;
            }
        }
        Some(sum)
    }

    /// How long the differences from as many rows are in bits, cell by cell of 4 x 4, so that little counts for much more than
    /// nothing.
    #[inline(always)]
    pub fn bits(&self, rows: &[[u8; SIDE]; SIDE]) -> u32 {
        let mut bits = 0;
        for y in (FOUR..=self.area.rows).step_by(FOUR) {
            let mut columns = [0_u16; SIDE];
            for (own, row) in self.rows[..y].iter().zip(&rows[..y]).skip(y - FOUR) {
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

/// Four rows, four times `at` further down, filled up with zeros.
#[inline(always)]
fn four_rows<const COLUMNS: usize>((samples, stride): Rows<'_>, at: usize) -> Option<[[u8; SIDE]; FOUR]> {
    let samples = samples.get(FOUR * at * stride..)?.get(..(FOUR - 1) * stride + COLUMNS)?;
    let mut rows = [[0; SIDE]; FOUR];
    for (y, row) in rows.iter_mut().enumerate() {
        row[..COLUMNS].copy_from_slice(&samples[y * stride..][..COLUMNS]);
    }
    Some(rows)
}

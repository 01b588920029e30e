//! Arithmetic on a row of a tile, modulo 256.

use super::rules::half;
use crate::frame::TILE;

pub(super) type Row = [u8; TILE];

#[inline(always)]
pub(super) fn add(a: Row, b: Row) -> Row {
    std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
}

#[inline(always)]
pub(super) fn sub(a: Row, b: Row) -> Row {
    std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
}

#[inline(always)]
pub(super) fn halves(row: Row) -> Row {
    row.map(half)
}

#[inline(always)]
pub(super) fn broadcast(sample: u8) -> Row {
    [sample; TILE]
}

/// Each sample's left neighbour, that of the first being `left`.
#[inline(always)]
pub(super) fn shift_in(row: Row, left: u8) -> Row {
    std::array::from_fn(|lane| if lane == 0 { left } else { row[lane - 1] })
}

/// The sum of each sample and all before it.
#[inline(always)]
pub(super) fn prefix_sum(row: Row) -> Row {
    #[cfg(target_arch = "x86_64")]
    {
        crate::cpu::simd::prefix_sum(row)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let mut sum = 0u8;
        row.map(|sample| {
            sum = sum.wrapping_add(sample);
            sum
        })
    }
}

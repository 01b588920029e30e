//! Frames that refer to an earlier and to a later one: each unit to one of them, or to the mean of what becomes of both.

use std::ops::Range;

use super::filter::mean;
use super::{Compensation, Field, Reference, Share, UNIT};
use crate::cpu::SimdLevel;

/// Which of two frames a unit refers to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// The earlier one.
    #[default]
    Earlier,
    /// The later one.
    Later,
    /// The mean of both.
    Both,
}

/// How a frame is made of those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// How it has moved since the earlier one.
    pub earlier: Field,
    /// What it takes from the later one, if it refers to one.
    pub later: Option<Later>,
}

/// Fills `out`, `stride` samples from one row to the next, with `rows` of a plane, made of an earlier frame and, if there is one, of a
/// later one.
///
/// # Panics
/// As [`Compensation::put`].
pub fn put_expected(
    simd: SimdLevel,
    share: Share,
    (field, earlier): (&Field, Reference<'_>),
    later: Option<(&Later, Reference<'_>)>,
    rows: Range<usize>,
    out: &mut [u8],
    stride: usize,
) {
    let of_earlier = Compensation { field, share, earlier };
    match later {
        None => of_earlier.put(simd, rows, out, stride),
        Some((of_later, later)) => {
            let wanted = |unit: usize| of_later.sides[unit] != Side::Later;
            of_earlier.put_wanted(simd, wanted, rows.clone(), out, stride);
            of_later.put_over(simd, share, later, rows, out, stride);
        }
    }
}

/// What a frame takes from a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// How it moves until then, backwards.
    pub field: Field,
    /// The side of each unit.
    pub sides: Vec<Side>,
}

impl Later {
    /// Nothing.
    pub fn still(field: &Field) -> Self {
        Self { field: field.clone(), sides: vec![Side::Earlier; field.vectors.len()] }
    }

    /// Puts over `rows` of a plane, as they are made of the earlier frame, what is made of the later one.
    fn put_over(
        &self,
        simd: SimdLevel,
        share: Share,
        later: Reference<'_>,
        rows: Range<usize>,
        out: &mut [u8],
        stride: usize,
    ) {
        let width = later.width;
        let mut made = vec![0; rows.len() * width];
        let wanted = |unit: usize| self.sides[unit] != Side::Earlier;
        Compensation { field: &self.field, share, earlier: later }.put_wanted(
            simd,
            wanted,
            rows.clone(),
            &mut made,
            width,
        );
        let lines = made.chunks_exact(width).zip(out.chunks_mut(stride));
        for (row, (made, out)) in rows.zip(lines) {
            let sides = &self.sides[(row << share.down) / UNIT * self.field.across..];
            let units = made.chunks(UNIT >> share.across).zip(out[..width].chunks_mut(UNIT >> share.across));
            for (&side, (made, out)) in sides.iter().zip(units) {
                match side {
                    Side::Earlier => {}
                    Side::Later => out.copy_from_slice(made),
                    Side::Both => mean(out, made),
                }
            }
        }
    }
}

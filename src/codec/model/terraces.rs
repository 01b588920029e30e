//! Pictures of flat areas a few steps apart: depth in few steps, contours, drawings.
//!
//! What a sample is there depends on which of its neighbours are above and below the median of three of
//! them, not on their weighted mean, and noise is a step or two. So the difference from the median is coded as
//! it is, in two patterns of neighbours: many of them roughly, and few of them more exactly.

use super::adaptive::{Bit, Distribution, code_symbol};
use super::lanes::Lanes;
use super::rans::Coder;
use super::run::{bound, code_escape};

/// Neighbours of which only the side of the median is looked at.
const ROUGH: usize = 8;
/// Neighbours of which up to [`STEPS`] steps either way are.
const EXACT: usize = 5;
const STEPS: i32 = 3;

pub(super) struct Terraces {
    rough: Vec<Distribution>,
    exact: Vec<Distribution>,
    escapes: [Bit; 16],
}

impl Terraces {
    pub(super) fn new() -> Self {
        let prior = Distribution::of([30, 40, 60, 100, 200, 500, 3000, 24878, 3000, 500, 200, 100, 60, 40, 30, 30]);
        Self {
            rough: vec![prior; 3usize.pow(ROUGH as u32)],
            exact: vec![prior; (2 * STEPS as usize + 1).pow(EXACT as u32)],
            escapes: [Bit::EVEN; 16],
        }
    }
}

/// Samples `from` to `to` of a row. Rows begin with their margins.
pub(super) struct Run<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether there are no samples of the row to the left of `from`.
    pub(super) begins: bool,
    pub(super) bits: u32,
    pub(super) shift: u32,
    pub(super) now: &'a mut [i16],
    pub(super) north: &'a [i16],
    pub(super) north2: &'a [i16],
    /// The row of the frame before; that above in the first frame.
    pub(super) before: &'a [i16],
}

impl Run<'_> {
    #[inline(always)]
    pub(super) fn code<L: Lanes, C: Coder>(self, lanes: L, coder: &mut C, terraces: &mut Terraces) {
        let Run { from, to, begins, bits, shift, now, north, north2, before } = self;
        let half = 1i32 << (bits - 1);
        let wrap = |value: i32| ((value + half) & (2 * half - 1)) - half;
        let left = |back: usize| i32::from(if begins { north[from] } else { now[from - back] });
        let (mut w, mut ww, mut www) = (left(1), left(2), left(3));
        let count = to - from;
        // So that bounds are checked once.
        let (north, north2) = (&north[from - 2..][..count + 4], &north2[from - 1..][..count + 2]);
        let (now, before) = (&mut now[from..to], &before[from..to]);
        for x in 0..count {
            let [nww, nw, n, ne, nee] = [0, 1, 2, 3, 4].map(|at| i32::from(north[x + at]));
            let [nnw, _, nne] = [0, 1, 2].map(|at| i32::from(north2[x + at]));
            let p = i32::from(before[x]);
            let (low, high) = if w < n { (w, n) } else { (n, w) };
            let median = bound(w + n - nw, low, high);
            let side = |all: usize, value: i32| all * 3 + ((value - median).signum() + 1) as usize;
            let rough = [nee, nww, nnw, nne, www, n, w, p].into_iter().fold(0, side);
            let step = |all: usize, value: i32| {
                all * (2 * STEPS as usize + 1) + (bound((value - median) >> shift, -STEPS, STEPS) + STEPS) as usize
            };
            let exact = [w, ww, n, ne, p].into_iter().fold(0, step);

            let wanted = if C::ENCODES { wrap((i32::from(now[x]) - median) >> shift) } else { 0 };
            let symbol = if (-7..=7).contains(&wanted) { (wanted + 7) as usize } else { 15 };
            let symbol = code_symbol(lanes, coder, &mut terraces.rough[rough], &mut terraces.exact[exact], symbol);
            let got = if symbol < 15 { symbol as i32 - 7 } else { code_escape(coder, &mut terraces.escapes, wanted) };
            let sample = wrap((median >> shift) + got) << shift;
            now[x] = sample as i16;
            (w, ww, www) = (sample, w, ww);
        }
    }
}

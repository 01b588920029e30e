//! Sums of units, by which most places are known to be no better without a look at their samples.
//!
//! The differences of a block's samples add up to at least the differences of the sums of its units (W. Li and E. Salari,
//! "Successive elimination algorithm for motion estimation", IEEE Transactions on Image Processing 4(1), 1995; by units: X. Q.
//! Gao, C. J. Duanmu and C. R. Zou, "A multilevel successive elimination algorithm", 9(3), 2000). Whoever skips the others finds
//! what a full search does.

use super::UNIT;
use super::picture::Picture;
use crate::cpu::simd::{Kernel, SimdLevel};

/// Places side by side that are looked at at a time.
pub(super) const PLACES: usize = 32;

/// The sum of the unit that begins at each sample of a picture, with the picture's stride. Where a unit would not be whole, there
/// is no sum to speak of.
pub(super) struct Sums {
    stride: usize,
    sums: Vec<u16>,
}

impl Sums {
    pub fn new(picture: &Picture<'_>, simd: SimdLevel) -> Self {
        simd.run(Job { picture })
    }

    /// Whether the samples of the block at each of so many places from index `at` of the picture on may differ by less than
    /// `limit` from one whose units sum up to `own`. There are as many places as that in the row.
    #[inline(always)]
    pub fn may_be_below(&self, own: [u16; 4], at: usize, limit: u16) -> [bool; PLACES] {
        // Four differences of at most 64 * 255 fit 16 bits.
        let mut least = [0; PLACES];
        let units = [at, at + UNIT, at + UNIT * self.stride, at + UNIT * self.stride + UNIT];
        for (own, unit) in own.into_iter().zip(units) {
            for (least, sum) in least.iter_mut().zip(&self.sums[unit..][..PLACES]) {
                *least += own.abs_diff(*sum);
            }
        }
        let mut below = [false; PLACES];
        for (below, least) in below.iter_mut().zip(least) {
            *below = least < limit;
        }
        below
    }
}

struct Job<'a> {
    picture: &'a Picture<'a>,
}

impl Kernel for Job<'_> {
    type Output = Sums;

    #[inline(always)]
    fn run(self) -> Sums {
        let Picture { stride, samples, .. } = self.picture;
        let stride = *stride;
        let rows = self.picture.rows();
        // Beyond the end as far as places are looked at together.
        let mut sums = vec![0; rows * stride + PLACES];
        let mut columns = vec![0; stride];
        for row in samples.chunks_exact(stride).take(UNIT - 1) {
            columns.iter_mut().zip(row).for_each(|(sum, &sample)| *sum += u16::from(sample));
        }
        for y in 0..(rows + 1).saturating_sub(UNIT) {
            let row = |y: usize| &samples[y * stride..][..stride];
            columns.iter_mut().zip(row(y + UNIT - 1)).for_each(|(sum, &sample)| *sum += u16::from(sample));
            let out = &mut sums[y * stride..][..stride - (UNIT - 1)];
            for (x, out) in out.iter_mut().enumerate() {
                *out = columns[x..x + UNIT].iter().sum();
            }
            columns.iter_mut().zip(row(y)).for_each(|(sum, &sample)| *sum -= u16::from(sample));
        }
        Sums { stride, sums }
    }
}

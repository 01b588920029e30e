//! All phases of a plane: what filters that go across and then down make between its samples, for a search.

use super::filter::{AFTER, BEFORE};

/// Samples that such a filter looks at in each direction.
pub(super) const TAPS: usize = BEFORE + 1 + AFTER;
/// Phases of a sample to the right, and down.
const QUARTERS: usize = 4;
/// All of them.
pub(super) const PHASES: usize = QUARTERS * QUARTERS;
/// Pictures of what is between samples.
pub(super) const PICTURES: usize = PHASES - 1;

/// Which picture of all phases has what a vector leads to; 0 are the samples.
#[inline(always)]
pub(super) fn picture((right, down): (usize, usize)) -> usize {
    down * QUARTERS + right
}

/// A filter that goes across and then down, by quarters of a sample.
pub(super) trait Separable {
    /// What is there between the two.
    type Across: Copy + Default;

    /// A row across, from one that begins [`BEFORE`] samples earlier.
    fn row_across(&self, quarters: usize, row: &[u8], out: &mut [Self::Across]);

    /// A row down, from rows across that begin [`BEFORE`] rows further up.
    fn row_down(&self, quarters: usize, rows: [&[Self::Across]; TAPS], out: &mut [u8]);
}

#[inline(always)]
pub(super) fn eight_rows<'a, T>(row: impl Fn(usize) -> &'a [T]) -> [&'a [T]; TAPS] {
    [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)]
}

/// Rows of all phases but whole samples, as of [`super::filter::all_between`].
#[inline(always)]
pub(super) fn all_phases<F: Separable>(filter: &F, source: &[u8], stride: usize, out: &mut [&mut [u8]]) {
    let columns = stride - BEFORE - AFTER;
    let row = |y: usize| &source[y * stride..][..stride];
    // Eight rows across of each phase, which take turns.
    let mut across = [(); QUARTERS].map(|()| [(); TAPS].map(|()| vec![F::Across::default(); columns]));
    for (right, across) in across.iter_mut().enumerate() {
        for (y, across) in across.iter_mut().enumerate().take(TAPS - 1) {
            filter.row_across(right, row(y), across);
        }
    }
    for y in 0..out.first().map_or(0, |out| out.len() / columns) {
        for (right, across) in across.iter_mut().enumerate() {
            filter.row_across(right, row(y + TAPS - 1), &mut across[(y + TAPS - 1) % TAPS]);
            for down in 0..QUARTERS {
                let Some(at) = picture((right, down)).checked_sub(1) else { continue };
                let out = &mut out[at][y * columns..][..columns];
                filter.row_down(down, eight_rows(|tap| &across[(y + tap) % TAPS][..]), out);
            }
        }
    }
}

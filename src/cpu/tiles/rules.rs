//! The predictors of tiles, row by row.
//!
//! A prediction is made from the neighbours left, above, above left and above right (in the last
//! column of a tile, above again) and from the same places of the frame before, all modulo 256.
//! Every rule is one whose inverse needs no sample of its own row, or is a running sum along it, so
//! that a whole row is restored at a time.
//!
//! What a row needs of the one above it is what that one made of its own samples, so each sample is
//! loaded once, however many rules look at it.

/// Samples side by side, and how they differ from those next to them.
#[derive(Clone, Copy)]
pub(super) struct Seen<const WIDE: usize> {
    samples: [u8; WIDE],
    /// Those of the frame before.
    previous: [u8; WIDE],
    /// From the frame before.
    change: [u8; WIDE],
    /// From the left neighbour.
    step: [u8; WIDE],
    /// From the change of the left neighbour.
    change_step: [u8; WIDE],
}

impl<const WIDE: usize> Seen<WIDE> {
    /// Those from index `at` on.
    #[inline(always)]
    pub fn at(current: &[u8], previous: &[u8], at: usize) -> Self {
        let (samples, left) = (wide(current, at), wide(current, at - 1));
        let (previous, previous_left) = (wide(previous, at), wide(previous, at - 1));
        let (change, step) = (sub(samples, previous), sub(samples, left));
        Self { samples, previous, change, step, change_step: sub(step, sub(previous, previous_left)) }
    }

    /// Residuals of lane `lane` under every rule, in the order of [`TilePredictor`](crate::plan::TilePredictor), with
    /// the row above and what is above to the right.
    #[inline(always)]
    pub fn residuals(&self, above: &Self, above_right: &[u8; WIDE], lane: usize) -> [u8; 12] {
        let sub = u8::wrapping_sub;
        let (x, change, step, change_step) =
            (self.samples[lane], self.change[lane], self.step[lane], self.change_step[lane]);
        let above_left = sub(above.samples[lane], above.step[lane]);
        [
            change,
            change_step,
            sub(change, above.change[lane]),
            sub(change_step, above.change_step[lane]),
            step,
            sub(x, above.samples[lane]),
            sub(step, above.step[lane]),
            sub(step, half(above.step[lane])),
            sub(step, half(sub(above_right[lane], above_left))),
            sub(change_step, half(above.change_step[lane])),
            sub(change, half(sub(above.samples[lane], self.previous[lane]))),
            sub(change, half(above.change[lane])),
        ]
    }
}

/// Half of a difference, rounded down.
#[inline(always)]
pub(super) fn half(difference: u8) -> u8 {
    (difference as i8 >> 1) as u8
}

/// The samples from index `at` on.
#[inline(always)]
pub(super) fn wide<const WIDE: usize>(samples: &[u8], at: usize) -> [u8; WIDE] {
    samples[at..at + WIDE].try_into().unwrap_or([0; WIDE])
}

#[inline(always)]
fn sub<const WIDE: usize>(a: [u8; WIDE], b: [u8; WIDE]) -> [u8; WIDE] {
    let mut difference = [0; WIDE];
    for lane in 0..WIDE {
        difference[lane] = a[lane].wrapping_sub(b[lane]);
    }
    difference
}

//! MPEG-4's quarter samples (ISO/IEC 14496-2, 7.6.2.2): eight taps halfway between two samples, and the mean of that and the
//! nearer one in quarters of the way; across, and then down.
//!
//! Taps see no more than a block and a column and a row beyond it: what is further away is [mirrored](super::room::Room::mirror).
//! A search does without that, so that pictures of all phases do for all blocks.

use super::filter::{BEFORE, Filter, Phase};
use super::phases::{Separable, TAPS, eight_rows};
use super::room::{Room, STEP, steps};

/// The filter.
#[derive(Clone, Copy)]
pub(super) struct QuartersOfMpeg4 {
    /// 1 where halves are rounded down.
    down: u16,
}

impl Filter {
    /// MPEG-4's quarters, if it is one of theirs.
    #[inline(always)]
    pub(super) fn mpeg4(self) -> Option<QuartersOfMpeg4> {
        match self {
            Self::Mpeg4Quarter | Self::Mpeg4QuarterDown => Some(QuartersOfMpeg4 { down: self.down() }),
            _ => None,
        }
    }
}

/// Eight taps, not yet rounded: between the fourth and the fifth. They fit 16 bits.
#[inline(always)]
fn eight(tap: impl Fn(usize) -> i16) -> i16 {
    20 * (tap(3) + tap(4)) - 6 * (tap(2) + tap(5)) + 3 * (tap(1) + tap(6)) - (tap(0) + tap(7))
}

impl QuartersOfMpeg4 {
    /// What is added to sums of taps before they are divided by 32.
    pub fn round(self) -> i16 {
        16 - self.down as i16
    }

    /// So many quarters of the way from each sample to the next one, which are those of the fourth and the fifth row.
    #[inline(always)]
    fn between(self, quarters: usize, rows: [&[u8]; TAPS], out: &mut [u8]) {
        let count = out.len();
        let rows = eight_rows(|tap| &rows[tap][..count]);
        let nearer = rows[BEFORE + quarters / 3];
        if quarters == 0 {
            return out.copy_from_slice(nearer);
        }
        let round = self.round();
        for (x, out) in out.iter_mut().enumerate() {
            *out = ((eight(|tap| rows[tap][x].into()) + round) >> 5).clamp(0, 255) as u8;
        }
        if quarters % 2 == 1 {
            for (out, &nearer) in out.iter_mut().zip(nearer) {
                *out = ((u16::from(*out) + u16::from(nearer) + 1 - self.down) >> 1) as u8;
            }
        }
    }

    /// Makes the first `rows` rows of a block between the samples of a window.
    #[inline(always)]
    pub fn block(self, (right, down): Phase, rows: usize, room: &mut Room) {
        let Room { stride, window, block, other, .. } = room;
        for from in steps((TAPS - 1 + rows) * *stride) {
            self.between(right, eight_rows(|tap| &window[from + tap..]), &mut other[from..][..STEP]);
        }
        for from in steps(rows * *stride) {
            self.between(down, eight_rows(|tap| &other[from + tap * *stride..]), &mut block[from..][..STEP]);
        }
    }
}

impl Separable for QuartersOfMpeg4 {
    type Across = u8;

    #[inline(always)]
    fn row_across(&self, quarters: usize, row: &[u8], out: &mut [u8]) {
        self.between(quarters, eight_rows(|tap| &row[tap..]), out);
    }

    #[inline(always)]
    fn row_down(&self, quarters: usize, rows: [&[u8]; TAPS], out: &mut [u8]) {
        self.between(quarters, rows, out);
    }
}

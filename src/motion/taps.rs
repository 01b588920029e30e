//! Filters of eight taps, across and then down: HEVC's, VP9's and AV1's. FORMAT.md has their numbers too.

use super::filter::{AFTER, BEFORE, Eighths, Filter};
use super::phases::{Separable, TAPS, eight_rows};
use super::room::{Room, STEP, steps};

/// Taps of the places between two samples, from the first of these to halfway; beyond, those of the other side are mirrored.
type Table = &'static [[i16; TAPS]];

/// What AV1 has filters of four taps for.
const NARROW: usize = 4;

/// A filter.
pub(super) struct Taps {
    /// Of the first plane.
    pub first: Table,
    /// Of other planes.
    pub other: Table,
    /// Of those where what moves is at most [`NARROW`] samples wide, or high.
    pub narrow: Table,
    /// Log2 of what taps sum up to.
    pub bits: u32,
    /// By how many bits sums across are rounded; those down by what is left.
    pub across: u32,
    /// Whether sums across are bounded like samples.
    pub is_bounded: bool,
}

/// ITU-T H.265, 8.5.3.3.3: nothing is rounded but the end.
const HEVC: Taps =
    Taps { first: HEVC_FIRST, other: HEVC_OTHER, narrow: HEVC_OTHER, bits: 6, across: 0, is_bounded: false };
const HEVC_FIRST: Table =
    &[[0, 0, 0, 64, 0, 0, 0, 0], [-1, 4, -10, 58, 17, -5, 1, 0], [-1, 4, -11, 40, 40, -11, 4, -1]];
const HEVC_OTHER: Table = &[
    [0, 0, 0, 64, 0, 0, 0, 0],
    [0, 0, -2, 58, 10, -2, 0, 0],
    [0, 0, -4, 54, 16, -2, 0, 0],
    [0, 0, -6, 46, 28, -4, 0, 0],
    [0, 0, -4, 36, 36, -4, 0, 0],
];

/// VP9 Bitstream & Decoding Process Specification, 8.5.2.4: samples across, and samples down.
const fn vp9(table: Table) -> Taps {
    Taps { first: table, other: table, narrow: table, bits: 7, across: 7, is_bounded: true }
}

/// AV1 Bitstream & Decoding Process Specification, 7.11.3.4, without a second frame.
const fn av1(table: Table, narrow: Table) -> Taps {
    Taps { first: table, other: table, narrow, bits: 7, across: 3, is_bounded: false }
}

const VP9_REGULAR: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-1, 3, -10, 122, 18, -6, 2, 0],
    [-1, 4, -16, 112, 37, -11, 4, -1],
    [-1, 5, -19, 97, 58, -16, 5, -1],
    [-1, 6, -19, 78, 78, -19, 6, -1],
];
const VP9_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, -2, 29, 63, 41, 2, -3, 0],
    [-2, -3, 24, 62, 46, 5, -4, 0],
    [-1, -4, 18, 59, 51, 9, -4, 0],
    [-1, -4, 14, 55, 55, 14, -4, -1],
];
const VP9_SHARP: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, 5, -13, 125, 17, -6, 3, -1],
    [-4, 9, -20, 115, 37, -13, 6, -2],
    [-4, 10, -24, 100, 59, -19, 9, -3],
    [-4, 11, -23, 80, 80, -23, 11, -4],
];
const AV1_REGULAR: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 2, -10, 122, 18, -4, 0, 0],
    [0, 2, -14, 110, 38, -10, 2, 0],
    [0, 2, -16, 94, 58, -12, 2, 0],
    [0, 2, -14, 76, 76, -14, 2, 0],
];
const AV1_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, 26, 62, 36, 4, 0, 0],
    [0, 0, 20, 60, 42, 6, 0, 0],
    [0, 0, 16, 56, 46, 10, 0, 0],
    [0, -2, 14, 52, 52, 14, -2, 0],
];
const AV1_SHARP: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, 6, -12, 124, 16, -6, 4, -2],
    [-4, 10, -22, 116, 38, -14, 6, -2],
    [-4, 10, -24, 100, 60, -20, 8, -2],
    [-4, 12, -24, 80, 80, -24, 12, -4],
];
const AV1_NARROW: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, -8, 122, 18, -4, 0, 0],
    [0, 0, -12, 110, 38, -8, 0, 0],
    [0, 0, -14, 94, 58, -10, 0, 0],
    [0, 0, -12, 76, 76, -12, 0, 0],
];
const AV1_NARROW_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, 26, 62, 36, 4, 0, 0],
    [0, 0, 20, 60, 42, 6, 0, 0],
    [0, 0, 16, 56, 46, 10, 0, 0],
    [0, 0, 12, 52, 52, 12, 0, 0],
];

impl Filter {
    /// The taps, if it has eight.
    #[inline(always)]
    pub(super) fn taps(self) -> Option<&'static Taps> {
        const OF_VP9: [Taps; 3] = [vp9(VP9_REGULAR), vp9(VP9_SMOOTH), vp9(VP9_SHARP)];
        const OF_AV1: [Taps; 3] =
            [av1(AV1_REGULAR, AV1_NARROW), av1(AV1_SMOOTH, AV1_NARROW_SMOOTH), av1(AV1_SHARP, AV1_NARROW)];
        match self {
            Self::Hevc => Some(&HEVC),
            Self::Vp9Regular => Some(&OF_VP9[0]),
            Self::Vp9Smooth => Some(&OF_VP9[1]),
            Self::Vp9Sharp => Some(&OF_VP9[2]),
            Self::Av1Regular => Some(&OF_AV1[0]),
            Self::Av1Smooth => Some(&OF_AV1[1]),
            Self::Av1Sharp => Some(&OF_AV1[2]),
            _ => None,
        }
    }
}

/// The taps of a place between two samples; none for a sample itself.
#[inline(always)]
pub(super) fn at(table: Table, eighths: usize) -> Option<[i16; TAPS]> {
    let halfway = table.len() - 1;
    let at = eighths * halfway / 4;
    match at {
        0 => None,
        _ if at <= halfway => Some(table[at]),
        _ => {
            let [a, b, c, d, e, f, g, h] = table[2 * halfway - at];
            Some([h, g, f, e, d, c, b, a])
        }
    }
}

/// The sum of what the taps make of samples.
#[inline(always)]
fn weighted(taps: [i16; TAPS], sample: impl Fn(usize) -> i32) -> i32 {
    let of = |tap: usize| i32::from(taps[tap]) * sample(tap);
    of(0) + of(1) + of(2) + of(3) + of(4) + of(5) + of(6) + of(7)
}

impl Taps {
    /// A row across, from one that begins [`BEFORE`] samples earlier.
    #[inline(always)]
    fn row_across(&self, taps: Option<[i16; TAPS]>, row: &[u8], out: &mut [i16]) {
        let count = out.len();
        let Some(taps) = taps else {
            let gain = self.bits - self.across;
            for (out, &sample) in out.iter_mut().zip(&row[BEFORE..]) {
                *out = i16::from(sample) << gain;
            }
            return;
        };
        let row = &row[..count + TAPS - 1];
        let round = (1 << self.across) >> 1;
        for (x, out) in out.iter_mut().enumerate() {
            let sum = round + weighted(taps, |tap| row[x + tap].into());
            // At most 182 * 255 / 8, 88 * 255, or a sample.
            *out = (sum >> self.across) as i16;
        }
        if self.is_bounded {
            for out in out {
                *out = (*out).clamp(0, 255);
            }
        }
    }

    /// A row down, from rows across.
    #[inline(always)]
    fn row_down(&self, taps: Option<[i16; TAPS]>, rows: [&[i16]; TAPS], out: &mut [u8]) {
        let count = out.len();
        let Some(taps) = taps else {
            let shift = self.bits - self.across;
            let round = (1 << shift) >> 1;
            let row = &rows[BEFORE][..count];
            for (out, &sum) in out.iter_mut().zip(row) {
                *out = ((sum + round) >> shift).clamp(0, 255) as u8;
            }
            return;
        };
        let rows = eight_rows(|tap| &rows[tap][..count]);
        let shift = 2 * self.bits - self.across;
        let round = (1 << shift) >> 1;
        for (x, out) in out.iter_mut().enumerate() {
            let sum = round + weighted(taps, |tap| rows[tap][x].into());
            *out = (sum >> shift).clamp(0, 255) as u8;
        }
    }

    /// Makes the first `rows` rows of a block of the first plane, so many eighths of a sample to the right and below a window's.
    #[inline(always)]
    pub fn block(&self, (right, down): Eighths, rows: usize, room: &mut Room) {
        self.make([at(self.first, right), at(self.first, down)], rows, room);
    }

    /// The same of another plane, where what moves is so wide and high.
    #[inline(always)]
    pub fn block_of_other(&self, (right, down): Eighths, size: (usize, usize), rows: usize, room: &mut Room) {
        let table = |length| if length > NARROW { self.other } else { self.narrow };
        self.make([at(table(size.0), right), at(table(size.1), down)], rows, room);
    }

    #[inline(always)]
    fn make(&self, [right, down]: [Option<[i16; TAPS]>; 2], rows: usize, room: &mut Room) {
        let Room { stride, window, sums, block, .. } = room;
        for from in steps((BEFORE + rows + AFTER) * *stride) {
            self.row_across(right, &window[from..], &mut sums[from..][..STEP]);
        }
        for from in steps(rows * *stride) {
            self.row_down(down, eight_rows(|tap| &sums[tap * *stride + from..]), &mut block[from..][..STEP]);
        }
    }
}

impl Separable for Taps {
    type Across = i16;

    #[inline(always)]
    fn row_across(&self, quarters: usize, row: &[u8], out: &mut [i16]) {
        self.row_across(at(self.first, 2 * quarters), row, out);
    }

    #[inline(always)]
    fn row_down(&self, quarters: usize, rows: [&[i16]; TAPS], out: &mut [u8]) {
        self.row_down(at(self.first, 2 * quarters), rows, out);
    }
}

//! What is between samples: the interpolation filters of video coders, exact in integers.
//!
//! | filter | whose | first plane | other planes |
//! |---|---|---|---|
//! | whole | any coder's that knows no fractions | the nearest sample to the left and above | bilinear, in eighths |
//! | half | H.263, MPEG-4 Visual (ISO/IEC 14496-2, 7.6.2), MS-MPEG4: bilinear, halves up | in halves | in halves, of vectors that keep a half |
//! | half down | the same with rounding control, halves down | in halves | in halves |
//! | quarter | H.264 (ITU-T H.264, 8.4.2.2): six taps, then bilinear | in quarters | bilinear, in eighths |
//! | HEVC | HEVC (ITU-T H.265, 8.5.3.3.3): across and down | eight taps, in quarters | four taps, in eighths |
//! | VP9 regular, smooth, sharp | VP9 (its specification, 8.5.2.4): across and down | eight taps, in quarters | the same, in eighths |
//! | AV1 regular, smooth, sharp | AV1 (its specification, 7.11.3.4): across and down | eight taps, in quarters | the same, in eighths; four taps for units |
//! | MPEG-2 | MPEG-1 and MPEG-2 (ITU-T H.262, 7.6.3.7 and 7.6.4): bilinear, halves up | in halves | in halves, of vectors rounded towards 0 |
//! | MPEG-4 half, half down | as half and half down | in halves | in halves; one vector where a block falls apart |
//! | MPEG-4 quarter | MPEG-4 Visual (ISO/IEC 14496-2, 7.6.2.2): eight taps within a block, then bilinear, halves up; across and down | in quarters | in halves, of vectors rounded towards 0 that keep a half; one vector where a block falls apart |
//! | MPEG-4 quarter down | the same with rounding control, halves down | in quarters | in halves |
//!
//! Those of HEVC, VP9 and AV1 are in [`taps`](super::taps), MPEG-4's quarters in [`mpeg4`](super::mpeg4).

use super::phases::{self, all_phases};
use super::room::{Room, STEP, steps};
use super::{BLOCK_UNITS, UNIT};

/// A filter. Its number is what files say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Filter {
    /// Of whole samples.
    Whole = 0,
    /// Bilinear, of half samples; halves are rounded up.
    Half = 1,
    /// The same, halves are rounded down.
    HalfDown = 2,
    /// Six taps, of quarter samples.
    Quarter = 3,
    /// HEVC's eight taps, of quarter samples.
    Hevc = 4,
    /// VP9's eight taps.
    Vp9Regular = 5,
    /// Those that blur.
    Vp9Smooth = 6,
    /// Those that keep edges.
    Vp9Sharp = 7,
    /// AV1's eight taps.
    Av1Regular = 8,
    /// Those that blur.
    Av1Smooth = 9,
    /// Those that keep edges.
    Av1Sharp = 10,
    /// As [`Half`](Self::Half), but for vectors of other planes.
    Mpeg2 = 11,
    /// MPEG-4's eight taps, of quarter samples; halves are rounded up.
    Mpeg4Quarter = 12,
    /// The same, halves are rounded down.
    Mpeg4QuarterDown = 13,
    /// As [`Half`](Self::Half), but a block has one vector of other planes.
    Mpeg4Half = 14,
    /// The same, halves are rounded down.
    Mpeg4HalfDown = 15,
}

/// Samples to the left and above that a filter looks at.
pub(super) const BEFORE: usize = 3;
/// And to the right and below.
pub(super) const AFTER: usize = 4;
/// Those of them that six taps do not look at.
const SPARE: usize = 1;

/// Somewhere between samples, in quarters: right and down.
pub(super) type Phase = (usize, usize);
/// The same in eighths.
pub(super) type Eighths = (usize, usize);

impl Filter {
    /// Each of them, by its number.
    pub const ALL: [Self; 16] = [
        Self::Whole,
        Self::Half,
        Self::HalfDown,
        Self::Quarter,
        Self::Hevc,
        Self::Vp9Regular,
        Self::Vp9Smooth,
        Self::Vp9Sharp,
        Self::Av1Regular,
        Self::Av1Smooth,
        Self::Av1Sharp,
        Self::Mpeg2,
        Self::Mpeg4Quarter,
        Self::Mpeg4QuarterDown,
        Self::Mpeg4Half,
        Self::Mpeg4HalfDown,
    ];

    /// Whether it makes halves of the first plane from the samples next to them.
    pub(super) fn is_bilinear(self) -> bool {
        matches!(self, Self::Half | Self::HalfDown | Self::Mpeg2 | Self::Mpeg4Half | Self::Mpeg4HalfDown)
    }

    /// Whether planes of half the width and height move block by block, by what the vectors of its units add up to.
    pub(super) fn moves_blocks(self) -> bool {
        matches!(self, Self::Mpeg4Quarter | Self::Mpeg4QuarterDown | Self::Mpeg4Half | Self::Mpeg4HalfDown)
    }

    /// Pictures that all phases are made from: halves, or all of them.
    pub(crate) fn pictures(self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Quarter => 3,
            _ if self.is_bilinear() => 3,
            _ => phases::PICTURES,
        }
    }

    /// Whether there is a picture of each phase.
    pub(super) fn has_all_phases(self) -> bool {
        self.pictures() == phases::PICTURES
    }

    /// The phase that a vector's ends are taken for.
    pub(super) fn phase(self, x: i16, y: i16) -> Phase {
        ((x & self.phases()) as usize, (y & self.phases()) as usize)
    }

    /// Bits of a vector that say which phase it is.
    pub(crate) fn phases(self) -> i16 {
        match self {
            Self::Whole => 0,
            _ if self.is_bilinear() => 2,
            _ => 3,
        }
    }

    /// The steps of a search between whole samples, in quarters of one.
    pub(crate) fn steps(self) -> &'static [i16] {
        match self {
            Self::Whole => &[],
            _ if self.is_bilinear() => &[2],
            _ => &[2, 1, 1],
        }
    }

    /// 1 where halves are rounded down.
    pub(super) fn down(self) -> u16 {
        u16::from(matches!(self, Self::HalfDown | Self::Mpeg4HalfDown | Self::Mpeg4QuarterDown))
    }
}

/// Side of a block.
pub(super) const SIDE: usize = UNIT * BLOCK_UNITS;

/// Six taps, not yet rounded: between the third and the fourth. They fit 16 bits.
#[inline(always)]
fn six(tap: impl Fn(usize) -> i16) -> i16 {
    tap(0) + tap(5) - 5 * (tap(1) + tap(4)) + 20 * (tap(2) + tap(3))
}

/// Along a row that begins [`BEFORE`] samples earlier: `out[x]` is between samples x and x + 1.
#[inline(always)]
fn six_across(row: &[u8], out: &mut [i16]) {
    let count = out.len();
    let row = &row[SPARE..][..count + 5];
    for (x, out) in out.iter_mut().enumerate() {
        *out = six(|tap| row[x + tap].into());
    }
}

/// Halves across, from their taps.
#[inline(always)]
fn rounded(sums: &[i16], out: &mut [u8]) {
    for (out, &sum) in out.iter_mut().zip(sums) {
        *out = ((sum + 16) >> 5).clamp(0, 255) as u8;
    }
}

/// Halves down, from six rows.
#[inline(always)]
fn down(rows: [&[u8]; 6], out: &mut [u8]) {
    let count = out.len();
    let rows = six_rows(|tap| &rows[tap][..count]);
    for (x, out) in out.iter_mut().enumerate() {
        *out = ((six(|tap| rows[tap][x].into()) + 16) >> 5).clamp(0, 255) as u8;
    }
}

/// Halves both ways, from the taps of six rows.
#[inline(always)]
fn centre(rows: [&[i16]; 6], out: &mut [u8]) {
    let count = out.len();
    let rows = six_rows(|tap| &rows[tap][..count]);
    for (x, out) in out.iter_mut().enumerate() {
        let tap = |tap: usize| i32::from(rows[tap][x]);
        let sum = tap(0) + tap(5) - 5 * (tap(1) + tap(4)) + 20 * (tap(2) + tap(3));
        *out = ((sum + 512) >> 10).clamp(0, 255) as u8;
    }
}

#[inline(always)]
pub(super) fn mean(out: &mut [u8], other: &[u8]) {
    for (out, &other) in out.iter_mut().zip(other) {
        *out = ((u16::from(*out) + u16::from(other) + 1) >> 1) as u8;
    }
}

/// Halves by MPEG-4's filter, from the rows that they are between, as far as they are: each from the sample to their left on.
#[inline(always)]
fn bilinear(filter: Filter, (right, below): Phase, rows: [&[u8]; 2], out: &mut [u8]) {
    let count = out.len();
    let [above, below] = [rows[0], rows[below / 2]];
    let [a, b, c, d] = [&above[..count], &above[right / 2..][..count], &below[..count], &below[right / 2..][..count]];
    for (x, out) in out.iter_mut().enumerate() {
        let [a, b, c, d] = [a[x], b[x], c[x], d[x]].map(u16::from);
        // Between two, each of them is there twice, and the sum rounds alike.
        *out = ((a + b + c + d + 2 - filter.down()) >> 2) as u8;
    }
}

/// Where a row is that a row of quarter samples is made from.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Which picture: 0 the samples, and the halves 1 to their right, 2 below them, 3 both; or the phase.
    pub picture: usize,
    /// Columns further to the right.
    pub right: usize,
    /// Rows further down.
    pub down: usize,
}

/// What a phase is made from: a row, or the mean of two. For H.264 as 8.4.2.2.1 has it.
#[inline(always)]
pub(super) fn places(filter: Filter, (right, down): Phase) -> (Place, Option<Place>) {
    let place = |picture: usize, right: usize, down: usize| Place { picture, right, down };
    let (after, below) = (usize::from(right == 3), usize::from(down == 3));
    match (right, down) {
        (_, _) if filter.has_all_phases() => (place(phases::picture((right, down)), 0, 0), None),
        (_, _) if filter != Filter::Quarter => (place(right / 2 + down, 0, 0), None),
        (0, 0) => (place(0, 0, 0), None),
        (2, 0) => (place(1, 0, 0), None),
        (0, 2) => (place(2, 0, 0), None),
        (2, 2) => (place(3, 0, 0), None),
        (_, 0) => (place(1, 0, 0), Some(place(0, after, 0))),
        (0, _) => (place(2, 0, 0), Some(place(0, 0, below))),
        (2, _) => (place(3, 0, 0), Some(place(1, 0, below))),
        (_, 2) => (place(3, 0, 0), Some(place(2, after, 0))),
        (_, _) => (place(1, 0, below), Some(place(2, after, 0))),
    }
}

/// Makes the first `rows` rows of a block between the samples of a window.
#[inline(always)]
pub(super) fn block(filter: Filter, phase: Phase, rows: usize, room: &mut Room) {
    if let Some(taps) = filter.taps() {
        return taps.block((2 * phase.0, 2 * phase.1), rows, room);
    }
    if let Some(quarters) = filter.mpeg4() {
        return quarters.block(phase, rows, room);
    }
    let Room { stride, window, sums, block, other } = room;
    let made = rows * *stride;
    if filter != Filter::Quarter {
        for from in steps(made) {
            let rows = [0, 1].map(|down| &window[(BEFORE + down) * *stride + BEFORE + from..]);
            bilinear(filter, phase, rows, &mut block[from..][..STEP]);
        }
        return;
    }
    let (first, second) = places(filter, phase);
    picture(first, (window, *stride), made, sums, block);
    if let Some(second) = second {
        picture(second, (window, *stride), made, sums, other);
        for from in steps(made) {
            mean(&mut block[from..][..STEP], &other[from..][..STEP]);
        }
    }
}

/// Makes so many samples of one of the pictures that quarters are made from, with the stride of the window. `sums` are
/// overwritten.
#[inline(always)]
fn picture(
    Place { picture, right, down: below }: Place,
    (window, stride): (&[u8], usize),
    made: usize,
    sums: &mut [i16],
    out: &mut [u8],
) {
    match picture {
        0 => {
            for from in steps(made) {
                let window = &window[(BEFORE + below) * stride + BEFORE + right + from..];
                out[from..][..STEP].copy_from_slice(&window[..STEP]);
            }
        }
        1 => {
            for from in steps(made) {
                six_across(&window[(BEFORE + below) * stride + from..], &mut sums[..STEP]);
                rounded(&sums[..STEP], &mut out[from..][..STEP]);
            }
        }
        2 => {
            for from in steps(made) {
                let row = |tap: usize| &window[(SPARE + tap) * stride + BEFORE + right + from..];
                down(six_rows(row), &mut out[from..][..STEP]);
            }
        }
        _ => {
            for from in steps(made + 5 * stride) {
                six_across(&window[SPARE * stride + from..], &mut sums[from..][..STEP]);
            }
            for from in steps(made) {
                centre(six_rows(|tap| &sums[tap * stride + from..]), &mut out[from..][..STEP]);
            }
        }
    }
}

#[inline(always)]
fn six_rows<'a, T>(row: impl Fn(usize) -> &'a [T]) -> [&'a [T]; 6] {
    [row(0), row(1), row(2), row(3), row(4), row(5)]
}

/// Rows of all pictures of a filter, each one whole `out` of its own: halves across, down, both ways, or phases. `source` has all rows that they
/// are made from, from [`BEFORE`] above the first on, of `stride` samples; made are as many less those that filters look at
/// besides.
#[inline(always)]
pub(super) fn all_between(filter: Filter, source: &[u8], stride: usize, out: &mut [&mut [u8]]) {
    if let Some(taps) = filter.taps() {
        return all_phases(taps, source, stride, out);
    }
    if let Some(quarters) = filter.mpeg4() {
        return all_phases(&quarters, source, stride, out);
    }
    let [across, downwards, both] = out else { return };
    let columns = stride - BEFORE - AFTER;
    let row = |y: usize| &source[y * stride..][..stride];
    let rows = across.chunks_exact_mut(columns).zip(downwards.chunks_exact_mut(columns));
    let rows = rows.zip(both.chunks_exact_mut(columns)).enumerate();
    if filter != Filter::Quarter {
        for (y, ((across, downwards), both)) in rows {
            let sources = [&row(y + BEFORE)[BEFORE..], &row(y + BEFORE + 1)[BEFORE..]];
            for (phase, out) in [(2, 0), (0, 2), (2, 2)].into_iter().zip([across, downwards, both]) {
                bilinear(filter, phase, sources, out);
            }
        }
        return;
    }
    // The taps of six rows, which take turns.
    let mut taps: [Vec<i16>; 6] = std::array::from_fn(|y| {
        let mut taps = vec![0; columns];
        six_across(row(y + SPARE), &mut taps);
        taps
    });
    for (y, ((across, downwards), both)) in rows {
        if y > 0 {
            six_across(row(y + SPARE + 5), &mut taps[(y + 5) % 6]);
        }
        let tap = |at: usize| &taps[(y + at) % 6][..];
        rounded(tap(BEFORE - SPARE), across);
        down(six_rows(|tap| &row(y + SPARE + tap)[BEFORE..]), downwards);
        centre(six_rows(tap), both);
    }
}

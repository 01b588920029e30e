//! What is between samples: the interpolation filters of video coders, exact in integers.
//!
//! | filter | whose | first plane | other planes |
//! |---|---|---|---|
//! | whole | any coder's that knows no fractions | the nearest sample to the left and above | bilinear, in eighths |
//! | half | MPEG-1, MPEG-2, H.263, MPEG-4 Visual (ISO/IEC 14496-2, 7.6.2), MS-MPEG4: bilinear, halves up | in halves | in halves |
//! | half down | the same with rounding control, halves down | in halves | in halves |
//! | quarter | H.264 (ITU-T H.264, 8.4.2.2): six taps, then bilinear | in quarters | bilinear, in eighths |

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
}

/// Samples to the left and above that a filter looks at.
pub(super) const BEFORE: usize = 2;
/// And to the right and below.
pub(super) const AFTER: usize = 3;

/// Somewhere between samples, in quarters: right and down.
pub(super) type Phase = (usize, usize);

impl Filter {
    /// The filter of a number of two bits.
    pub fn of_bits(bits: u32) -> Self {
        [Self::Whole, Self::Half, Self::HalfDown, Self::Quarter][(bits & 3) as usize]
    }

    /// The places between samples that it tells apart.
    pub(super) fn phases(self) -> &'static [Phase] {
        const HALVES: [Phase; 4] = [(0, 0), (2, 0), (0, 2), (2, 2)];
        const QUARTERS: [Phase; 16] = {
            let mut phases = [(0, 0); 16];
            let mut at = 0;
            while at < 16 {
                phases[at] = (at % 4, at / 4);
                at += 1;
            }
            phases
        };
        match self {
            Self::Whole => &HALVES[..1],
            Self::Half | Self::HalfDown => &HALVES,
            Self::Quarter => &QUARTERS,
        }
    }

    /// The phase that a vector's ends are taken for.
    pub(super) fn phase(self, x: i16, y: i16) -> Phase {
        let mask = match self {
            Self::Whole => 0,
            Self::Half | Self::HalfDown => 2,
            Self::Quarter => 3,
        };
        ((x & mask) as usize, (y & mask) as usize)
    }

    /// The place of a phase among all.
    pub(super) fn place(self, (right, down): Phase) -> usize {
        match self {
            Self::Whole => 0,
            Self::Half | Self::HalfDown => down + right / 2,
            Self::Quarter => 4 * down + right,
        }
    }

    /// 1 where halves are rounded down.
    pub(super) fn down(self) -> u16 {
        u16::from(self == Self::HalfDown)
    }
}

/// Samples with a stride; the first has [`BEFORE`] samples to its left and above it, the last [`AFTER`] to its right and below.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub samples: &'a [u8],
    pub stride: usize,
}

impl Source<'_> {
    /// `count` samples of row `y` from column `x`, either of them less than 0 by [`BEFORE`] at most.
    #[inline(always)]
    fn row(&self, x: isize, y: isize, count: usize) -> &[u8] {
        let (x, y) = ((x + BEFORE as isize) as usize, (y + BEFORE as isize) as usize);
        &self.samples[y * self.stride + x..][..count]
    }
}

/// Six taps, not yet rounded, on place `x` of six rows.
#[inline(always)]
fn six_of<T: Copy + Into<i32>>(rows: &[&[T]; 6], x: usize) -> i32 {
    let [a, b, c, d, e, f] = rows;
    let outer = a[x].into() + f[x].into();
    let middle = b[x].into() + e[x].into();
    outer - 5 * middle + 20 * (c[x].into() + d[x].into())
}

/// Six taps along a row, not yet rounded: `out[x]` is between samples x and x + 1.
#[inline(always)]
fn six_across(source: Source<'_>, y: isize, out: &mut [i16]) {
    let count = out.len();
    let taps = [-2, -1, 0, 1, 2, 3].map(|x| source.row(x, y, count));
    for (x, out) in out.iter_mut().enumerate() {
        *out = six_of(&taps, x) as i16;
    }
}

#[inline(always)]
fn round(sum: i32, shift: u32) -> u8 {
    ((sum + (1 << (shift - 1))) >> shift).clamp(0, 255) as u8
}

/// Samples between those of `source`, row by row into `out`.
#[inline(always)]
pub(super) fn interpolate(
    filter: Filter,
    phase: Phase,
    source: Source<'_>,
    columns: usize,
    out: &mut [u8],
    stride: usize,
) {
    match (filter, phase) {
        (_, (0, 0)) => {
            for (y, out) in out.chunks_mut(stride).enumerate() {
                out[..columns].copy_from_slice(source.row(0, y as isize, columns));
            }
        }
        (Filter::Quarter, phase) => quarter(phase, source, columns, out, stride),
        (_, (right, down)) => {
            let (right, below) = ((right / 2) as isize, (down / 2) as isize);
            for (y, out) in out.chunks_mut(stride).enumerate() {
                let y = y as isize;
                let [a, b] = [0, right].map(|x| source.row(x, y, columns));
                let [c, d] = [0, right].map(|x| source.row(x, y + below, columns));
                for x in 0..columns {
                    let [a, b, c, d] = [a[x], b[x], c[x], d[x]].map(u16::from);
                    // Between two, each of them is there twice, and the sum rounds alike.
                    out[x] = ((a + b + c + d + 2 - filter.down()) >> 2) as u8;
                }
            }
        }
    }
}

/// One of the two rows that a quarter sample is the mean of.
#[derive(Clone, Copy)]
enum Half {
    /// Samples, from a column and a row on.
    Whole(isize, isize),
    /// Between two of a row, from a row on.
    Across(isize),
    /// Between two of a column, from a column on.
    Down(isize),
    /// Between both.
    Centre,
}

/// H.264's luma samples: 8.4.2.2.1.
#[inline(always)]
fn quarter((right, down): Phase, source: Source<'_>, columns: usize, out: &mut [u8], stride: usize) {
    let (after, below) = (isize::from(right == 3), isize::from(down == 3));
    let halves = match (right, down) {
        (0, 2) => (Half::Down(0), None),
        (2, 0) => (Half::Across(0), None),
        (2, 2) => (Half::Centre, None),
        (_, 0) => (Half::Across(0), Some(Half::Whole(after, 0))),
        (0, _) => (Half::Down(0), Some(Half::Whole(0, below))),
        (2, _) => (Half::Centre, Some(Half::Across(below))),
        (_, 2) => (Half::Centre, Some(Half::Down(after))),
        (_, _) => (Half::Across(below), Some(Half::Down(after))),
    };
    let rows = out.len().div_ceil(stride);
    let mut sums = Vec::new();
    if matches!(halves.0, Half::Centre) {
        sums = vec![0; (rows + BEFORE + AFTER) * columns];
        for (y, sums) in sums.chunks_exact_mut(columns).enumerate() {
            six_across(source, y as isize - BEFORE as isize, sums);
        }
    }
    let mut other = vec![0; columns];
    for (y, out) in out.chunks_mut(stride).enumerate() {
        let out = &mut out[..columns];
        half(halves.0, source, y, &sums, out);
        if let Some(second) = halves.1 {
            half(second, source, y, &sums, &mut other);
            for (out, &other) in out.iter_mut().zip(&other) {
                *out = ((u16::from(*out) + u16::from(other) + 1) >> 1) as u8;
            }
        }
    }
}

#[inline(always)]
fn half(half: Half, source: Source<'_>, y: usize, sums: &[i16], out: &mut [u8]) {
    let (at, count) = (y as isize, out.len());
    match half {
        Half::Whole(x, y) => out.copy_from_slice(source.row(x, at + y, count)),
        Half::Across(y) => {
            let taps = [-2, -1, 0, 1, 2, 3].map(|x| source.row(x, at + y, count));
            for (x, out) in out.iter_mut().enumerate() {
                *out = round(six_of(&taps, x), 5);
            }
        }
        Half::Down(x) => {
            let taps = [-2, -1, 0, 1, 2, 3].map(|y| source.row(x, at + y, count));
            for (x, out) in out.iter_mut().enumerate() {
                *out = round(six_of(&taps, x), 5);
            }
        }
        Half::Centre => {
            let taps = [0, 1, 2, 3, 4, 5].map(|tap| &sums[(y + tap) * count..][..count]);
            for (x, out) in out.iter_mut().enumerate() {
                *out = round(six_of(&taps, x), 10);
            }
        }
    }
}

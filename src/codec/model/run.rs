//! A run of samples of one row: prediction, contexts, and the coding of residuals.

use std::hint::select_unpredictable;

use super::adaptive::{Bit, Distribution, code_symbol};
use super::lanes::Lanes;
use super::picture::PAD;
use super::rans::Coder;

/// Bits of a weight behind the point.
const POINT: u32 = 13;
/// Bound of a tap: the sum of 32 squares fits in an `i32`.
const BOUND: i16 = 8190;
/// Bound of a magnitude that is kept.
const MAGNITUDE: u32 = 4095;
const SPATIAL: usize = 24;
const CROSS: usize = 8;

pub(super) struct Models {
    spatial: [[i16; 16]; 4],
    temporal: [[[i16; 16]; 2]; 16],
    one: Vec<Distribution>,
    two: Vec<Distribution>,
    escapes: [Bit; 16],
    low: [Bit; 16 * 16],
    same: [Bit; 64 * 8],
    flat: [Bit; 8 * 4 * 4],
}

impl Models {
    pub(super) fn new() -> Self {
        let mut start = [0i16; 16];
        start[0] = 6144;
        start[5] = 4096;
        start[4] = -2048;
        let prior = Distribution::of([
            300, 500, 800, 1200, 1800, 2600, 4000, 8768, 4000, 2600, 1800, 1200, 1200, 900, 600, 500,
        ]);
        Self {
            spatial: [start; 4],
            temporal: [[start, [0; 16]]; 16],
            one: vec![prior; 13 * SPATIAL * CROSS],
            two: vec![prior; 81 * 4 * 16],
            escapes: [Bit::EVEN; 16],
            low: [Bit::EVEN; 16 * 16],
            same: [Bit::EVEN; 64 * 8],
            flat: [Bit::EVEN; 8 * 4 * 4],
        }
    }
}

/// What is known of a row before its samples are coded, each at the sample's place in the row.
pub(super) struct Scratch {
    near: Vec<u16>,
    early: Vec<u16>,
    other: Vec<u16>,
    context: Vec<u8>,
    votes: Vec<u8>,
    /// Errors of the two predictions, of even and odd rows.
    errors: [[Vec<u16>; 2]; 2],
    /// Sums of errors in the row above.
    sums: [Vec<u16>; 2],
}

impl Scratch {
    pub(super) fn new(stride: usize) -> Self {
        let words = || vec![0u16; stride];
        Self {
            near: words(),
            early: words(),
            other: words(),
            context: vec![0; stride],
            votes: vec![0; stride],
            errors: [[words(), words()], [words(), words()]],
            sums: [words(), words()],
        }
    }

    /// Before the first row of a picture: there is nothing above.
    pub(super) fn advance(&mut self) {
        for errors in self.errors.iter_mut().flatten() {
            errors.fill(0);
        }
    }

    /// No errors from `from` to `to` of row `y`.
    pub(super) fn clear(&mut self, y: usize, from: usize, to: usize) {
        for errors in &mut self.errors[y & 1] {
            errors[from + PAD..to + PAD].fill(0);
        }
    }

    #[inline(always)]
    pub(super) fn magnitudes(&mut self, from: usize, to: usize, [n, nn, a, b, p, ps]: [&[u16]; 6]) {
        let count = to - from;
        let near = &mut self.near[from..to];
        let (n0, n1, n2, nn) =
            (&n[from - 1..][..count], &n[from..][..count], &n[from + 1..][..count], &nn[from..][..count]);
        for i in 0..count {
            near[i] = 2 * n1[i] + n0[i] + n2[i] + nn[i];
        }
        let other = &mut self.other[from..to];
        let (a0, a1, a2, b) =
            (&a[from - 1..][..count], &a[from..][..count], &a[from + 1..][..count], &b[from..][..count]);
        for i in 0..count {
            other[i] = 2 * a1[i] + a0[i] + a2[i] + 2 * b[i];
        }
        let early = &mut self.early[from..to];
        let (p1, p2, ps) = (&p[from..][..count], &p[from + 1..][..count], &ps[from..][..count]);
        for i in 0..count {
            early[i] = 2 * p1[i] + p2[i] + ps[i];
        }
    }

    #[inline(always)]
    pub(super) fn sames(&mut self, from: usize, to: usize, n: &[u8], a: &[u8], b: &[u8], p: &[u8]) {
        let count = to - from;
        let (n0, n1, n2) = (&n[from - 1..][..count], &n[from..][..count], &n[from + 1..][..count]);
        let (a, b, p) = (&a[from..to], &b[from..to], &p[from..to]);
        let (context, votes) = (&mut self.context[from..to], &mut self.votes[from..to]);
        for i in 0..count {
            context[i] = n1[i] << 1 | n0[i] << 2 | n2[i] << 3 | a[i] << 4 | p[i] << 5;
            votes[i] = n0[i] + n1[i] + n2[i] + (a[i] | b[i]);
        }
    }

    #[inline(always)]
    pub(super) fn errors(&mut self, y: usize, from: usize, to: usize) {
        let count = to - from;
        for (sums, up) in self.sums.iter_mut().zip(&self.errors[1 - (y & 1)]) {
            let sums = &mut sums[from..to];
            let (u0, u1, u2) = (&up[from - 1..][..count], &up[from..][..count], &up[from + 1..][..count]);
            for i in 0..count {
                sums[i] = 2 * u1[i] + u0[i] + u2[i];
            }
        }
    }
}

/// Rows and places of a run. Rows begin with their margins.
pub(super) struct Run<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) y: usize,
    pub(super) first: bool,
    pub(super) bits: u32,
    pub(super) shift: u32,
    pub(super) phases: bool,
    pub(super) now: &'a mut [i16],
    pub(super) north: &'a [i16],
    pub(super) north2: &'a [i16],
    /// The row above, the row and the row below of the frame before.
    pub(super) before: [&'a [i16]; 3],
    pub(super) cross: [&'a [i16]; 2],
    pub(super) residual: &'a mut [i16],
    pub(super) magnitude: &'a mut [u16],
    pub(super) same: &'a mut [u8],
}

/// About two steps per octave.
#[inline(always)]
fn octaves(value: u32) -> usize {
    let value = 2 * value + 2;
    let log = 31 - value.leading_zeros();
    (2 * log + (value >> (log - 1) & 1) - 2) as usize
}

/// Like `clamp`, and never by jumps: what is clamped here is noise, and would be predicted wrong.
#[inline(always)]
pub(super) fn bound(value: i32, low: i32, high: i32) -> i32 {
    let value = select_unpredictable(value < low, low, value);
    select_unpredictable(value > high, high, value)
}

/// Log2 in quarters, about.
#[inline(always)]
fn fine(value: u32) -> i32 {
    let value = value + 4;
    let log = 31 - value.leading_zeros();
    (4 * log + (value >> (log - 2) & 3)) as i32
}

/// 256 / (1 + 2^(-i / 2)) for i from -20.
static SIGMOID: [u16; 41] = [
    0, 0, 1, 1, 1, 1, 2, 3, 4, 6, 8, 11, 15, 21, 28, 38, 51, 67, 85, 106, 128, 150, 171, 189, 205, 218, 228, 235, 241,
    245, 248, 250, 252, 253, 254, 255, 255, 255, 255, 256, 256,
];

#[inline(always)]
fn quad(row: &[i16], at: usize) -> u64 {
    let window: &[i16; 4] = row[at..at + 4].try_into().expect("4");
    bytemuck::cast(*window)
}

#[inline(always)]
fn word(quad: u64, i: u32) -> i32 {
    i32::from((quad >> (16 * i)) as i16)
}

/// All ones where the reference is taken from a tap.
const REFERRED: [[i16; 16]; 2] = [
    [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0],
    [0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1],
];

/// The step that moves weights against `error`.
#[inline(always)]
fn gain(energy: i32, error: i32) -> i16 {
    let magnitude = 31 - (energy | 256).leading_zeros();
    let gain = i64::from(error) << 21 >> magnitude;
    let gain = select_unpredictable(gain < -32767, -32767, gain);
    select_unpredictable(gain > 32767, 32767, gain) as i16
}

impl Run<'_> {
    #[inline(always)]
    pub(super) fn code<const EIGHT: bool, L: Lanes, C: Coder>(
        self,
        lanes: L,
        coder: &mut C,
        models: &mut Models,
        scratch: &mut Scratch,
    ) {
        let Run {
            from,
            to,
            y,
            first,
            bits,
            shift,
            phases,
            now,
            north,
            north2,
            before,
            cross,
            residual,
            magnitude,
            same,
        } = self;
        let (bits, shift) = if EIGHT { (8, 4) } else { (bits, shift) };
        let half = 1i32 << (bits - 1);
        let (low, high) = (-half << shift, (half - 1) << shift);
        let round = (1i32 << shift) >> 1;
        let wrap = |value: i32| ((value + half) & (2 * half - 1)) - half;
        let count = to - from;
        let Scratch { near, early, other, context, votes, errors, sums, .. } = scratch;
        let [error_s, error_t] = &mut errors[y & 1];
        let referred = [lanes.load(&REFERRED[0]), lanes.load(&REFERRED[1])];
        let mut hist = if from == PAD {
            u64::from(north[PAD] as u16) * 0x0001_0001_0001_0001
        } else {
            let w = |i: usize| u64::from(now[from - i] as u16);
            w(1) | w(2) << 16 | w(3) << 32 | w(4) << 48
        };
        let (mut m_w, mut m_ww) = (u32::from(magnitude[from - 1]), u32::from(magnitude[from - 2]));
        let mut same_w = same[from - 1];
        let mut e_s = [u32::from(error_s[from - 1]), u32::from(error_s[from - 2])];
        let mut e_t = [u32::from(error_t[from - 1]), u32::from(error_t[from - 2])];
        let (near, early, other) = (&near[from..][..count], &early[from..][..count], &other[from..][..count]);
        let (context, votes) = (&context[from..][..count], &votes[from..][..count]);
        let (sum_s, sum_t) = (&sums[0][from..][..count], &sums[1][from..][..count]);
        let (error_s, error_t) = (&mut error_s[from..][..count], &mut error_t[from..][..count]);
        let (now, residual) = (&mut now[from..][..count], &mut residual[from..][..count]);
        let (magnitude, same) = (&mut magnitude[from..][..count], &mut same[from..][..count]);
        let around = from - 1..to + 2;
        let (north, north2) = (&north[around.clone()], &north2[around.clone()]);
        let [above, before, below] =
            [&before[0][around.clone()], &before[1][around.clone()], &before[2][around.clone()]];
        let cross = [&cross[0][around.clone()], &cross[1][around]];
        let (north, north2) = (&north[..count + 3], &north2[..count + 3]);
        let (above, before, below) = (&above[..count + 3], &before[..count + 3], &below[..count + 3]);
        let cross = [&cross[0][..count + 3], &cross[1][..count + 3]];
        for x in 0..count {
            let p4 = quad(before, x);
            let p = word(p4, 1);
            let level_s = 2 * m_w + m_ww + u32::from(near[x]);
            let q_s = octaves(level_s);

            if !first && same_w + votes[x] >= 4 {
                let bit = &mut models.same[usize::from(same_w | context[x]) * 8 + q_s.min(7)];
                if bit.code(coder, i32::from(now[x]) == p) {
                    now[x] = p as i16;
                    residual[x] = 0;
                    magnitude[x] = 0;
                    same[x] = 1;
                    error_s[x] = 0;
                    error_t[x] = 0;
                    hist = hist << 16 | u64::from(p as u16);
                    (m_w, m_ww, same_w) = (0, m_w, 1);
                    e_s = [0, e_s[0]];
                    e_t = [0, e_t[0]];
                    continue;
                }
            }

            let n4 = quad(north, x);
            let n = word(n4, 1);
            let flat = word(hist, 0) == n && word(n4, 0) == n && word(n4, 2) == n;
            if flat && level_s < 8 {
                let context = octaves(u32::from(other[x])).min(7) * 4 + (level_s as usize).div_ceil(3);
                let still = !first && p == n;
                let bit = &mut models.flat[context * 4 + 2 * usize::from(still) + usize::from(word(p4, 2) == n)];
                if bit.code(coder, i32::from(now[x]) == n) {
                    now[x] = n as i16;
                    residual[x] = 0;
                    magnitude[x] = 0;
                    same_w = u8::from(still);
                    same[x] = same_w;
                    error_s[x] = 0;
                    error_t[x] = 0;
                    hist = hist << 16 | u64::from(n as u16);
                    (m_w, m_ww) = (0, m_w);
                    e_s = [0, e_s[0]];
                    e_t = [0, e_t[0]];
                    continue;
                }
            }
            let reference = lanes.splat(n as i16);
            let spread = u64::from(n as u16) * 0x0001_0001_0001_0001;
            let (pn4, ps4) = (quad(above, x), quad(below, x));
            let (p4t, ps4t, pn4t) = if first { (spread, spread, spread) } else { (p4, ps4, pn4) };
            let taps = [
                lanes.quads([hist, n4, quad(north2, x), quad(cross[0], x)]),
                lanes.quads([quad(cross[1], x), p4t, ps4t, pn4t]),
            ];
            let taps = [
                lanes.clamp(lanes.sub_saturating(taps[0], lanes.and(reference, referred[0])), BOUND),
                lanes.clamp(lanes.sub_saturating(taps[1], lanes.and(reference, referred[1])), BOUND),
            ];
            let [w, nw, ne] = [word(hist, 0), word(n4, 0), word(n4, 2)];
            let (pw, pn) = (word(p4, 0), word(pn4, 1));
            let set = if first {
                0
            } else {
                let over_time = (w - pw).abs() + (n - pn).abs();
                let over_space = (w - nw).abs() + (n - nw).abs();
                1 + usize::from(2 * over_time > over_space) + usize::from(over_time > 2 * over_space)
            };
            let phase = if phases { (from + x) & 1 | (y & 1) << 1 } else { 0 };
            let spatial = &mut models.spatial[phase];
            let temporal = &mut models.temporal[set * 4 + phase];
            let weights = [lanes.load(spatial), lanes.load(&temporal[0]), lanes.load(&temporal[1])];
            let (dot_s, dot_t) = lanes.dots((weights[0], taps[0]), [(weights[1], taps[0]), (weights[2], taps[1])]);
            let exact_s = n + (dot_s >> POINT);
            let exact_t = n + (dot_t >> POINT);
            let of = |e: [u32; 2], sums: &[u16]| fine(2 * e[0] + e[1] + u32::from(sums[x]));
            let ratio = of(e_s, sum_s) - of(e_t, sum_t);
            let share = i32::from(SIGMOID[(bound(ratio, -20, 20) + 20) as usize]);
            let exact = bound(exact_s + (((exact_t - exact_s) * share + 128) >> 8), low, high);
            let prediction = ((exact + round) >> shift).min(half - 1);
            let fraction = if shift >= 2 { (exact >> (shift - 2) & 3) as usize } else { 0 };

            let level_p = u32::from(early[x]);
            let level_a = u32::from(other[x]);
            let level_o = select_unpredictable(level_p > level_a, level_p, level_a);
            let level = (level_s + select_unpredictable(level_o > level_s, level_o, level_s)) / 2;
            let k = (31 - (level | 1).leading_zeros()).saturating_sub(3).min(12);
            let one = (k as usize * SPATIAL + q_s.min(SPATIAL - 1)) * CROSS + (octaves(level_a) / 2).min(CROSS - 1);
            let (least, most) = (select_unpredictable(w < n, w, n), select_unpredictable(w < n, n, w));
            let median = bound(w + n - nw, least, most);
            let trend = if first { (n + ne) >> 1 } else { p + (((w - pw) + (n - pn)) >> 1) };
            let off = |value: i32| bound(((value + round) >> shift) - prediction, -4, 4) + 4;
            let offs = (off(median) * 9 + off(trend)) as usize;
            let two = (offs * 4 + fraction) * 16 + (octaves(level) / 2).min(15);

            let wanted = if C::ENCODES { wrap((i32::from(now[x]) >> shift) - prediction) } else { 0 };
            let bucket = wanted >> k;
            let symbol = select_unpredictable((bucket + 7) as u32 > 14, 15, bucket + 7) as usize;
            let symbol = code_symbol(lanes, coder, &mut models.one[one], &mut models.two[two], symbol);
            let bucket = if symbol < 15 { symbol as i32 - 7 } else { code_escape(coder, &mut models.escapes, bucket) };
            let mut got = bucket << k;
            if k > 0 {
                let top = models.low[k as usize * 16 + symbol].code(coder, wanted >> (k - 1) & 1 != 0);
                got |= i32::from(top) << (k - 1);
                if k > 1 {
                    got |= coder.plain(k - 1, wanted as u32 & ((1 << (k - 1)) - 1)) as i32;
                }
            }
            let sample = if C::ENCODES { now[x] } else { (wrap(got + prediction) << shift) as i16 };

            let error = |exact: i32| bound(i32::from(sample) - exact, -i32::from(BOUND), i32::from(BOUND));
            let (off_s, off_t) = (error(exact_s), error(exact_t));
            let (energy_s, energy_t) = lanes.dots((taps[0], taps[0]), [(taps[0], taps[0]), (taps[1], taps[1])]);
            let (gain_s, gain_t) = (lanes.splat(gain(energy_s, off_s)), lanes.splat(gain(energy_t, off_t)));
            lanes.store(lanes.add_saturating(weights[0], lanes.scale(taps[0], gain_s)), spatial);
            lanes.store(lanes.add_saturating(weights[1], lanes.scale(taps[0], gain_t)), &mut temporal[0]);
            lanes.store(lanes.add_saturating(weights[2], lanes.scale(taps[1], gain_t)), &mut temporal[1]);

            now[x] = sample;
            residual[x] = error(exact) as i16;
            let m = got.unsigned_abs();
            let m = select_unpredictable(m > MAGNITUDE, MAGNITUDE, m);
            magnitude[x] = m as u16;
            same_w = u8::from(i32::from(sample) == p && !first);
            same[x] = same_w;
            e_s = [off_s.unsigned_abs(), e_s[0]];
            e_t = [off_t.unsigned_abs(), e_t[0]];
            error_s[x] = e_s[0] as u16;
            error_t[x] = e_t[0] as u16;
            hist = hist << 16 | u64::from(sample as u16);
            (m_w, m_ww) = (m, m_w);
        }
    }
}

/// A bucket beyond the 15 in the middle: the sign, and the distance beyond by an adaptive Elias gamma code.
#[cold]
#[inline(never)]
pub(super) fn code_escape<C: Coder>(coder: &mut C, models: &mut [Bit; 16], bucket: i32) -> i32 {
    let negative = coder.bit(1 << 14, bucket < 0);
    let beyond = if C::ENCODES { bucket.unsigned_abs() - 7 } else { 0 };
    let wanted = 31 - (beyond | 1).leading_zeros();
    let mut length = 0;
    while length < 15 && models[length as usize].code(coder, length < wanted) {
        length += 1;
    }
    let low = if length > 0 { coder.plain(length, beyond & ((1 << length) - 1)) } else { 0 };
    let magnitude = ((1 << length) | low) as i32 + 7;
    if negative { -magnitude } else { magnitude }
}

//! A conversion undone, but for rounding.

use crate::plan::{Conversion, Term};

/// Bits of a fraction of channels in fixed point.
pub const FRACTION: u32 = 16;
/// Bits of a fraction of chroma.
const CHROMA_FRACTION: u32 = 6;
/// Bits that parts of differences are shifted by: they stay within 16 bits.
const PART_SHIFT: u32 = 3;
/// Bits of a fraction of luma.
const LUMA_FRACTION: u32 = 20;
/// Bits of what chroma adds to luma that are kept to undo it.
const TERM_BITS: u32 = 14;

/// Differences are averaged over the pixels of a block in parts of this, which 1, 2, 3 and 4 divide.
pub const PARTS: i16 = 12;

/// Linear functions in fixed point; they include half of a unit, to round to the nearest.
#[derive(Debug, Clone, Copy)]
pub struct Estimates {
    /// Of U, from parts of R - G and of B - G: two scales and an offset.
    pub u: [i16; 3],
    /// Of V, from the same.
    pub v: [i16; 3],
    /// Of Y, from any channel.
    pub luma: i32,
    /// What a channel's term of chroma takes from Y, without its lowest bits: the bits, the scale, the offset.
    pub term: (u32, i32, i32),
    /// What U, V and 1 add to R, G and B.
    pub channels: [[i32; 3]; 3],
}

/// The chroma that a difference of two channels leaves open: where `by_u * U + by_v * V` is `sum`.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    by_u: i64,
    by_v: i64,
    sum: i64,
}

impl Line {
    /// V that goes with a U, and U that goes with a V, where the line is steep enough to tell.
    pub fn through(self, u: i32, v: i32) -> impl Iterator<Item = [u8; 2]> {
        let solve = |by: i64, rest: i64| {
            let steep = by.abs() >= 1 << (FRACTION - 1);
            steep.then(|| ((2 * rest + by).div_euclid(2 * by)).clamp(0, 255) as u8)
        };
        let v_of_u = solve(self.by_v, self.sum - self.by_u * i64::from(u)).map(|v| [u as u8, v]);
        let u_of_v = solve(self.by_u, self.sum - self.by_v * i64::from(v)).map(|u| [u, v as u8]);
        v_of_u.into_iter().chain(u_of_v)
    }
}

/// What is dropped of a term on average over `inputs`.
pub fn mean_lost(term: Term, shift: u8, inputs: impl Iterator<Item = i32>) -> f64 {
    let (mut lost, mut count) = (0.0, 0.0);
    for input in inputs {
        lost += f64::from(term.at(input) & ((1 << (shift & 31)) - 1));
        count += 1.0;
    }
    lost / count
}

/// What a step of the input makes up in a term, and what the term is at 0, on average over `inputs`.
fn line(term: Term, shift: u8, inputs: impl Iterator<Item = i32>) -> (f64, f64) {
    let unit = f64::from(1u32 << (shift & 31));
    (f64::from(term.scale) / unit, (f64::from(term.offset) - mean_lost(term, shift, inputs)) / unit)
}

/// The upper half of a product.
#[inline(always)]
pub fn high(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

impl Estimates {
    /// Those of `conversion`. Floating point does here what it does everywhere: only products, sums and quotients.
    pub fn of(conversion: &Conversion) -> Self {
        let chroma = |term| line(term, conversion.chroma_shift, 0..256);
        // Sums of luma and chroma that are nothing special.
        let sums = (0..256).map(|y| conversion.luma(y).wrapping_add(conversion.chroma(y, 37 * y % 256).red));
        let (output, output_offset) = line(conversion.output, conversion.output_shift, sums);
        let (luma, luma_offset) = line(conversion.luma, conversion.luma_shift, 0..256);
        let (red, green_u, green_v, blue) =
            (chroma(conversion.red), chroma(conversion.green_u), chroma(conversion.green_v), chroma(conversion.blue));
        // A channel is (luma * Y + luma_offset + term) * output + output_offset.
        let one = f64::from(1u32 << LUMA_FRACTION);
        let widest =
            (0..256).map(|at| conversion.chroma(at, at)).flat_map(|terms| [terms.red, terms.green, terms.blue]);
        let bits = widest.map(|term| 32 - term.unsigned_abs().leading_zeros()).max().unwrap_or(0);
        let dropped = bits.saturating_sub(TERM_BITS);
        let half_dropped = f64::from((1u32 << dropped) - 1) / 2.0;
        let term_offset = 0.5 - (output_offset / output + luma_offset + half_dropped) / luma;
        let term =
            (dropped, (-f64::from(1u32 << dropped) / luma * one).round() as i32, (term_offset * one).round() as i32);
        let channel = |by_u: f64, by_v: f64, offset: f64| {
            [by_u * output, by_v * output, (offset + luma_offset) * output + output_offset]
        };
        let [r, g, b] = [
            channel(0.0, red.0, red.1),
            channel(green_u.0, green_v.0, green_u.1 + green_v.1),
            channel(blue.0, 0.0, blue.1),
        ];
        let difference = |a: [f64; 3]| [a[0] - g[0], a[1] - g[1], a[2] - g[2]];
        let (rg, bg) = (difference(r), difference(b));
        let determinant = rg[0] * bg[1] - rg[1] * bg[0];
        let fixed = |value: f64| (value * f64::from(1u32 << FRACTION)).round() as i32;
        let solved = |of_rg: f64, of_bg: f64| {
            let unit = f64::from(1u32 << CHROMA_FRACTION);
            let scale = |of: f64| (of / f64::from(PARTS) * unit * f64::from(1u32 << (16 - PART_SHIFT))).round() as i16;
            // Half a unit to round to the nearest, and what is lost of two products on average.
            let offset = (0.5 - of_rg * rg[2] - of_bg * bg[2]) * unit + 1.0;
            [scale(of_rg), scale(of_bg), offset.round() as i16]
        };
        Self {
            u: solved(bg[1] / determinant, -rg[1] / determinant),
            v: solved(-bg[0] / determinant, rg[0] / determinant),
            luma: (one / (luma * output)).round() as i32,
            term,
            channels: [r, g, b].map(|channel| channel.map(fixed)),
        }
    }

    /// The chroma that a pixel with two channels leaves open.
    pub fn line(&self, pixel: [Option<i32>; 3]) -> Option<Line> {
        [(0, 1), (2, 1), (0, 2)].into_iter().find_map(|(a, b)| {
            let difference = pixel[a]? - pixel[b]?;
            let [by_u, by_v, offset] =
                std::array::from_fn(|at| i64::from(self.channels[a][at]) - i64::from(self.channels[b][at]));
            Some(Line { by_u, by_v, sum: (i64::from(difference) << FRACTION) - offset })
        })
    }

    /// U and V from parts of differences.
    #[inline(always)]
    pub fn chroma(&self, red_green: i16, blue_green: i16) -> [u8; 2] {
        [self.u, self.v].map(|[of_rg, of_bg, offset]| {
            let sum = high(red_green << PART_SHIFT, of_rg)
                .wrapping_add(high(blue_green << PART_SHIFT, of_bg))
                .wrapping_add(offset);
            (sum >> CHROMA_FRACTION).clamp(0, 255) as u8
        })
    }

    /// What a channel's term of chroma takes from Y.
    #[inline(always)]
    pub fn luma_term(&self, term: i32) -> i32 {
        let (dropped, scale, offset) = self.term;
        (term >> (dropped & 31)).wrapping_mul(scale).wrapping_add(offset)
    }

    /// Y from a channel and what its chroma takes.
    #[inline(always)]
    pub fn luma(&self, channel: i32, term: i32) -> i32 {
        (channel.wrapping_mul(self.luma).wrapping_add(term) >> LUMA_FRACTION).clamp(0, 255)
    }
}

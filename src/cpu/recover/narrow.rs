//! Conversions whose every step fits 16 bits, as those of FFmpeg on x86 do: twice as many at a time.

use super::estimates::{high, mean_lost};
use super::phases::CHUNK;
use super::solve::{Pixels, inside};
use crate::plan::{Conversion, Term};

/// Bits that inputs are shifted by.
pub const INPUT_SHIFT: u32 = 3;
/// Bits of a fraction of luma.
const FRACTION: u32 = 4;
/// Bits that sums are shifted by to undo luma.
const SUM_SHIFT: u32 = 6;

/// A channel.
#[inline(always)]
fn made(base: i16, term: i16) -> u8 {
    (base + term).clamp(0, 255) as u8
}

/// A term with 16 bits dropped: the upper half of `(value << INPUT_SHIFT) + offset` times `scale`.
#[derive(Debug, Clone, Copy)]
pub struct NarrowTerm {
    /// What sums are multiplied by.
    pub scale: i16,
    /// What is added to shifted values.
    pub offset: i16,
}

impl NarrowTerm {
    fn of(term: Term) -> Option<Self> {
        let unit = 1 << INPUT_SHIFT;
        let scale = i16::try_from(term.scale / unit)
            .ok()
            .filter(|&scale| scale != 0 && i32::from(scale) * unit == term.scale)?;
        let offset = i16::try_from(term.offset / i32::from(scale)).ok()?;
        // All of the sum fits if its ends do.
        let fits =
            i32::from(offset) * i32::from(scale) == term.offset && offset.checked_add(255 << INPUT_SHIFT).is_some();
        fits.then_some(Self { scale, offset })
    }

    #[inline(always)]
    fn at(self, value: i16) -> i16 {
        high((value << INPUT_SHIFT) + self.offset, self.scale)
    }

    /// The largest magnitude of any value, which one of the ends has.
    fn largest(self) -> i32 {
        [0, 255].map(|end| i32::from(self.at(end)).abs()).into_iter().fold(0, i32::max)
    }
}

/// A conversion without a step at the end, in 16 bits.
#[derive(Debug, Clone, Copy)]
pub struct Narrow {
    /// Of Y, to every channel.
    pub luma: NarrowTerm,
    /// Of V, to R.
    pub red: NarrowTerm,
    /// Of U, to G.
    pub green_u: NarrowTerm,
    /// Of V, to G.
    pub green_v: NarrowTerm,
    /// Of U, to B.
    pub blue: NarrowTerm,
    /// Undo luma: scale and offset.
    pub inverse: (i16, i16),
}

impl Narrow {
    /// `None` if more bits are needed.
    pub fn of(conversion: &Conversion) -> Option<Self> {
        if !conversion.is_plain() || (conversion.luma_shift, conversion.chroma_shift) != (16, 16) {
            return None;
        }
        let Term { scale, offset } = conversion.luma;
        let unit = f64::from(1 << 16);
        let lost = mean_lost(conversion.luma, 16, 0..256);
        let one = f64::from(1 << FRACTION);
        let of_sum = one * unit / f64::from(scale);
        // Half a unit to round to the nearest, and half of the last bit.
        let inverse_offset = one / 2.0 + 0.5 + of_sum * (lost - f64::from(offset)) / unit;
        let inverse_scale = of_sum * f64::from(1u32 << (16 - SUM_SHIFT));
        let fits = |value: f64| (value.abs() < f64::from(i16::MAX)).then_some(value.round() as i16);
        let narrow = Self {
            luma: NarrowTerm::of(conversion.luma)?,
            red: NarrowTerm::of(conversion.red)?,
            green_u: NarrowTerm::of(conversion.green_u)?,
            green_v: NarrowTerm::of(conversion.green_v)?,
            blue: NarrowTerm::of(conversion.blue)?,
            inverse: (fits(inverse_scale)?, fits(inverse_offset)?),
        };
        // Conversions of files may be anything.
        let green = narrow.green_u.largest() + narrow.green_v.largest();
        let largest = narrow.luma.largest() + green.max(narrow.red.largest()).max(narrow.blue.largest());
        (largest <= i16::MAX.into()).then_some(narrow)
    }

    /// What U and V add to R, G and B.
    #[inline(always)]
    pub fn chroma(&self, u: u8, v: u8) -> [i16; 3] {
        let (u, v) = (i16::from(u), i16::from(v));
        [self.red.at(v), self.green_u.at(u) + self.green_v.at(v), self.blue.at(u)]
    }

    /// Y from a channel that is not clipped.
    #[inline(always)]
    pub fn luma(&self, [red, green, blue]: Pixels<'_>, blocks: &NarrowBlocks, luma: &mut [u8; CHUNK]) {
        for at in 0..CHUNK {
            let [r, g, b] = [red[at], green[at], blue[at]].map(i16::from);
            let mut sum = b - blocks.blue[at];
            sum = if inside(red[at]) { r - blocks.red[at] } else { sum };
            sum = if inside(green[at]) { g - blocks.green[at] } else { sum };
            luma[at] = self.undo_luma(sum) as u8;
        }
    }

    /// Sets `bit` of `misfits` where something else is made of Y, U and V.
    #[inline(always)]
    pub fn compare(
        &self,
        [red, green, blue]: Pixels<'_>,
        blocks: &NarrowBlocks,
        luma: &[u8; CHUNK],
        bit: u8,
        misfits: &mut [u8; CHUNK],
    ) {
        for at in 0..CHUNK {
            let base = self.luma.at(luma[at].into());
            let fits = (made(base, blocks.red[at]) == red[at])
                & (made(base, blocks.green[at]) == green[at])
                & (made(base, blocks.blue[at]) == blue[at]);
            misfits[at] |= if fits { 0 } else { bit };
        }
    }

    /// R, G and B of Y and of what chroma adds.
    #[inline(always)]
    pub fn pixel(&self, y: u8, terms: [i16; 3]) -> [u8; 3] {
        let base = self.luma.at(y.into());
        terms.map(|term| made(base, term))
    }

    /// Y that adds `sum`.
    #[inline(always)]
    fn undo_luma(&self, sum: i16) -> i16 {
        (high(sum << SUM_SHIFT, self.inverse.0).wrapping_add(self.inverse.1) >> FRACTION).clamp(0, 255)
    }
}

/// What U and V add to the channels.
pub struct NarrowBlocks {
    red: [i16; CHUNK],
    green: [i16; CHUNK],
    blue: [i16; CHUNK],
}

impl NarrowBlocks {
    #[inline(always)]
    pub fn of(narrow: &Narrow, u: &[u8; CHUNK], v: &[u8; CHUNK]) -> Self {
        let mut blocks = Self { red: [0; CHUNK], green: [0; CHUNK], blue: [0; CHUNK] };
        for at in 0..CHUNK {
            [blocks.red[at], blocks.green[at], blocks.blue[at]] = narrow.chroma(u[at], v[at]);
        }
        blocks
    }
}

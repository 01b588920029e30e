//! How RGB frames were made from YUV: an exact function of integers.

use super::KNOWN;
use crate::error::{Error, Result};

/// A linear function, `value * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term {
    /// Factor.
    pub scale: i32,
    /// What is added to the product.
    pub offset: i32,
}

impl Term {
    /// `value * scale + offset`.
    pub const fn new(scale: i32, offset: i32) -> Self {
        Self { scale, offset }
    }

    /// The value at `value`, modulo 2^32.
    #[inline(always)]
    pub fn at(self, value: i32) -> i32 {
        value.wrapping_mul(self.scale).wrapping_add(self.offset)
    }

    /// Whether no value from `low` to `high` leaves the range, and what becomes of them.
    fn range(self, (low, high): (i64, i64)) -> Option<(i64, i64)> {
        let ends = [low, high].map(|end| end * i64::from(self.scale) + i64::from(self.offset));
        let range = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        fits(range).then_some(range)
    }
}

/// How a pixel of 8-bit R, G and B is made from 8-bit Y, U and V:
///
/// ```text
/// y = luma(Y) >> luma_shift
/// r = red(V) >> chroma_shift
/// g = (green_u(U) >> chroma_shift) + (green_v(V) >> chroma_shift)
/// b = blue(U) >> chroma_shift
/// R, G, B = clip(output(y + r) >> output_shift), likewise of g and b
/// ```
///
/// Shifts round down, `clip` brings what is below 0 to 0 and what is above 255 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conversion {
    /// Of Y.
    pub luma: Term,
    /// Bits dropped of luma, at most 31.
    pub luma_shift: u8,
    /// Of V, for R.
    pub red: Term,
    /// Of U, for G.
    pub green_u: Term,
    /// Of V, for G.
    pub green_v: Term,
    /// Of U, for B.
    pub blue: Term,
    /// Bits dropped of each chroma term, at most 31.
    pub chroma_shift: u8,
    /// Of the sums.
    pub output: Term,
    /// Bits dropped at the end, at most 31.
    pub output_shift: u8,
}

/// What U and V add to the channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChromaTerms {
    /// To R.
    pub red: i32,
    /// To G.
    pub green: i32,
    /// To B.
    pub blue: i32,
}

impl Conversion {
    /// What U and V add.
    #[inline(always)]
    pub fn chroma(&self, u: i32, v: i32) -> ChromaTerms {
        let shift = |sum: i32| sum >> (self.chroma_shift & 31);
        ChromaTerms {
            red: shift(self.red.at(v)),
            green: shift(self.green_u.at(u)).wrapping_add(shift(self.green_v.at(v))),
            blue: shift(self.blue.at(u)),
        }
    }

    /// What Y adds to every channel.
    #[inline(always)]
    pub fn luma(&self, y: i32) -> i32 {
        self.luma.at(y) >> (self.luma_shift & 31)
    }

    /// A channel of a pixel from what luma and chroma add to it.
    #[inline(always)]
    pub fn channel(&self, luma: i32, chroma: i32) -> i32 {
        (self.output.at(luma.wrapping_add(chroma)) >> (self.output_shift & 31)).clamp(0, 255)
    }

    /// R, G and B of a pixel.
    pub fn pixel(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let (luma, chroma) = (self.luma(y.into()), self.chroma(u.into(), v.into()));
        [chroma.red, chroma.green, chroma.blue].map(|chroma| self.channel(luma, chroma) as u8)
    }

    /// Whether sums are channels as they are.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.output == Term::new(1, 0) && self.output_shift == 0
    }

    /// The name of a conversion that is known: what does it, the matrix, and the range of Y.
    pub fn name(&self) -> Option<&'static str> {
        KNOWN.iter().find(|known| known.conversion == *self).map(|known| known.name)
    }

    /// Checks that no intermediate result leaves the range of 32 bits.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if one does.
    pub fn check(&self) -> Result<()> {
        let shifted = |range: Option<(i64, i64)>, shift: u8| {
            range.filter(|_| shift < 32).map(|(low, high)| (low >> shift, high >> shift))
        };
        let add = |a: Option<(i64, i64)>, b: Option<(i64, i64)>| {
            a.zip(b).map(|(a, b)| (a.0 + b.0, a.1 + b.1)).filter(|&range| fits(range))
        };
        let of_byte = |term: Term, shift: u8| shifted(term.range((0, 255)), shift);
        let luma = of_byte(self.luma, self.luma_shift);
        let [red, green_u, green_v, blue] =
            [self.red, self.green_u, self.green_v, self.blue].map(|term| of_byte(term, self.chroma_shift));
        let stays = |chroma: Option<(i64, i64)>| {
            let sum = add(luma, chroma).and_then(|sum| self.output.range(sum));
            shifted(sum, self.output_shift).is_some()
        };
        if [red, add(green_u, green_v), blue].into_iter().all(stays) {
            return Ok(());
        }
        Err(Error::corrupt("conversion: its results leave the range of 32 bits"))
    }
}

fn fits((low, high): (i64, i64)) -> bool {
    low >= i64::from(i32::MIN) && high <= i64::from(i32::MAX)
}

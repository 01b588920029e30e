//! Pixels that have no channel that tells Y.

use super::phases::CHUNK;
use super::solve::{Pixels, inside};
use crate::plan::{ChromaTerms, Conversion};

/// What Y of a pixel is if all of its channels are clipped: the least that clips what is 255, or else the largest
/// that clips what is 0.
#[derive(Debug, Clone)]
pub struct Clipped {
    /// The least sum of luma and chroma that makes 255, and the largest that makes 0.
    pub ends: [i32; 2],
    /// What each Y adds.
    luma: [i32; 256],
    /// How many Y add less than each sum from that of the first to that of the last, if these are not many.
    below: Vec<u8>,
}

/// Most sums that [`Clipped`] has a table of.
const MOST_SUMS: usize = 1024;

impl Clipped {
    pub fn of(conversion: &Conversion) -> Self {
        let (scale, offset) = (i64::from(conversion.output.scale).max(1), i64::from(conversion.output.offset));
        let unit = 1i64 << (conversion.output_shift & 31);
        let least = (255 * unit - offset).div_euclid(scale) + i64::from((255 * unit - offset).rem_euclid(scale) != 0);
        let largest = (unit - 1 - offset).div_euclid(scale);
        let luma: [i32; 256] = std::array::from_fn(|y| conversion.luma(y as i32));
        let (first, last) = (i64::from(luma[0]), i64::from(luma[255]));
        let sums =
            (first..=last).take(MOST_SUMS + 1).map(|sum| luma.partition_point(|&luma| i64::from(luma) < sum) as u8);
        let below: Vec<u8> = if last - first < MOST_SUMS as i64 { sums.collect() } else { Vec::new() };
        Self { ends: [least as i32, largest as i32], luma, below }
    }

    /// Y of a pixel whose channels are all clipped. Luma rises with Y.
    pub fn pixel(&self, pixel: [u8; 3], chroma: ChromaTerms) -> u8 {
        let terms = [chroma.red, chroma.green, chroma.blue];
        let [least, largest] = self.ends;
        let white = pixel.into_iter().zip(terms).filter(|&(channel, _)| channel == 255);
        match white.map(|(_, term)| least.wrapping_sub(term)).max() {
            Some(least) => self.below(least).min(255) as u8,
            None => {
                let largest = terms.into_iter().map(|term| largest.wrapping_sub(term)).min().unwrap_or(0);
                self.below(largest.saturating_add(1)).saturating_sub(1) as u8
            }
        }
    }

    /// How many Y add less than `sum`.
    fn below(&self, sum: i32) -> usize {
        let place = sum.wrapping_sub(self.luma[0]);
        match self.below.get(place as usize) {
            Some(&below) => below.into(),
            None => self.luma.partition_point(|&luma| luma < sum),
        }
    }

    /// What `y`, which is in range, adds.
    pub fn luma_of(&self, y: i32) -> i32 {
        self.luma[y as usize & 255]
    }

    /// The same as [`pixel`](Self::pixel) of many; those that have another channel keep what they have.
    #[inline(always)]
    pub fn luma(
        &self,
        conversion: &Conversion,
        pixels: Pixels<'_>,
        u: &[u8; CHUNK],
        v: &[u8; CHUNK],
        luma: &mut [u8; CHUNK],
    ) {
        let [red, green, blue] = pixels;
        let mut some = 0u8;
        for at in 0..CHUNK {
            some |= u8::from(!(inside(red[at]) | inside(green[at]) | inside(blue[at])));
        }
        if some == 0 {
            return;
        }
        let mut last = None;
        for at in 0..CHUNK {
            let pixel = [red[at], green[at], blue[at]];
            if pixel.iter().any(|&channel| inside(channel)) {
                continue;
            }
            let key = (pixel, u[at], v[at]);
            luma[at] = match last {
                Some((known, y)) if known == key => y,
                _ => self.pixel(pixel, conversion.chroma(u[at].into(), v[at].into())),
            };
            last = Some((key, luma[at]));
        }
    }
}

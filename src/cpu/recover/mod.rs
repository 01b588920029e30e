//! **What**: RGB frames that were made from YUV, back to YUV planes.
//!
//! **Forward**: U and V of a block of pixels that share them follow from the differences of its channels,
//! Y of each pixel from a channel that is not clipped: a linear estimate in fixed point, which is then
//! converted and compared. A block without such a pixel is given the chroma of the one to its left. Blocks that come out otherwise are [repaired](repair): other chroma is tried,
//! and pixels that no YUV gives are *exceptions*.
//!
//! **Inverse**: the conversion ([`Conversion`]). Exceptions are put in afterwards.
//!
//! **Wire parameters**: the conversion, the sampling of chroma, the order of channels
//! ([`RecoveredPlan`](crate::plan::RecoveredPlan)).
//!
//! **Twin**: `shaders/recover`.

mod clipped;
mod convert;
mod estimates;
mod narrow;
mod phases;
mod repair;
mod solve;
#[cfg(test)]
mod tests;
mod trial;

pub use convert::Converter;
pub use repair::Exceptions;
pub use trial::{Candidate, Trial};

use self::clipped::Clipped;
use self::estimates::Estimates;
use self::narrow::Narrow;
use self::phases::{PHASES, PixelRows};
use self::repair::Repair;
use self::solve::Solve;
use super::simd::SimdLevel;
use crate::frame::ChromaSampling;
use crate::plan::Conversion;

/// Packed rows of a frame, and the planes that they become.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Channels of a pixel: the first three are colour.
    pub channels: usize,
    /// Whether the first channel is blue and the third one red.
    pub blue_first: bool,
    /// How many pixels share U and V.
    pub sampling: ChromaSampling,
}

impl Picture {
    /// Columns and rows of a block of pixels that share U and V.
    pub fn block(&self) -> (usize, usize) {
        self.sampling.block()
    }
}

/// Rows of the planes Y, U and V.
pub struct PlaneRows<'a> {
    /// Y.
    pub y: &'a mut [u8],
    /// U.
    pub u: &'a mut [u8],
    /// V.
    pub v: &'a mut [u8],
}

/// The same rows of the frame before, recovered.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// Packed pixels.
    pub raw: &'a [u8],
    /// Y.
    pub y: &'a [u8],
    /// U.
    pub u: &'a [u8],
    /// V.
    pub v: &'a [u8],
}

/// Recovers YUV from packed pixels.
pub struct Recovery<'a> {
    simd: SimdLevel,
    conversion: &'a Conversion,
    estimates: Estimates,
    clipped: Clipped,
    narrow: Option<Narrow>,
    picture: Picture,
    pixels: PixelRows,
    luma: [Vec<u8>; PHASES],
    chroma: [Vec<u8>; 2],
    misfits: Vec<u8>,
}

impl<'a> Recovery<'a> {
    /// For pictures like `picture` that `conversion` may have made.
    pub fn new(simd: SimdLevel, conversion: &'a Conversion, picture: Picture) -> Self {
        let pixels = PixelRows::new(simd, picture);
        let blocks = pixels.padded_blocks();
        Self {
            simd,
            conversion,
            estimates: Estimates::of(conversion),
            clipped: Clipped::of(conversion),
            narrow: Narrow::of(conversion),
            picture,
            pixels,
            luma: std::array::from_fn(|_| vec![0; blocks]),
            chroma: std::array::from_fn(|_| vec![0; blocks]),
            misfits: vec![0; blocks],
        }
    }

    /// Recovers the planes of some rows, which know nothing of those above. Blocks that are the same as in `before` are
    /// repaired in the same way. Pixels that are not made of the planes are appended to `exceptions`, counted from `first_pixel`. Gives up, and returns false, when `repair`
    /// says so of a number of blocks to be repaired.
    pub fn recover(
        &mut self,
        raw: &[u8],
        before: Option<Before<'_>>,
        first_pixel: usize,
        planes: PlaneRows<'_>,
        repair: impl Fn(usize) -> bool,
        exceptions: &mut Exceptions,
    ) -> bool {
        let Picture { width, channels, .. } = self.picture;
        let (columns, rows) = self.picture.block();
        let chroma_width = width.div_ceil(columns);
        let row_bytes = width * channels;
        let mut above: Option<(&[u8], &[u8])> = None;
        let block_rows = raw
            .chunks(rows * row_bytes)
            .zip(planes.y.chunks_mut(rows * width))
            .zip(planes.u.chunks_exact_mut(chroma_width).zip(planes.v.chunks_exact_mut(chroma_width)));
        for (at, ((raw, y), (u, v))) in block_rows.enumerate() {
            self.solve(raw);
            // What the row is filled up with is no block.
            let misfits = &self.misfits[..self.pixels.blocks()];
            if !repair(misfits.iter().filter(|&&misfits| misfits != 0).count()) {
                return false;
            }
            let before = before.map(|Before { raw: before, y, u, v }| Before {
                raw: &before[at * rows * row_bytes..][..raw.len()],
                y: &y[at * rows * width..],
                u: &u[at * chroma_width..],
                v: &v[at * chroma_width..],
            });
            let mut repair = Repair {
                raw,
                before,
                conversion: self.conversion,
                estimates: &self.estimates,
                clipped: &self.clipped,
                picture: self.picture,
                pixels: &self.pixels,
                above,
                first_pixel: first_pixel + at * rows * width,
                luma: &mut self.luma,
                chroma: &mut self.chroma,
            };
            repair.row(&self.misfits, raw.len() / row_bytes, exceptions);
            u.copy_from_slice(&self.chroma[0][..chroma_width]);
            v.copy_from_slice(&self.chroma[1][..chroma_width]);
            self.pixels.join_luma(&self.luma, y);
            above = Some((u, v));
        }
        true
    }

    /// The estimates of a row of blocks, and which of their pixels come out otherwise.
    fn solve(&mut self, raw: &[u8]) {
        self.pixels.load(raw);
        self.simd.run(Solve {
            conversion: self.conversion,
            estimates: &self.estimates,
            clipped: &self.clipped,
            narrow: self.narrow,
            pixels: self.pixels.phases(),
            luma: &mut self.luma,
            chroma: &mut self.chroma,
            misfits: &mut self.misfits,
        });
    }
}

//! A row of blocks on its way to Y, U and V, and what undoes a conversion.

use super::Picture;
use super::clipped::Clipped;
use super::estimates::Estimates;
use super::narrow::Narrow;
use super::phases::{CHUNK, PHASES, PixelRows};
use super::solve::Solve;
use crate::cpu::ahead::Ahead;
use crate::cpu::simd::SimdLevel;
use crate::plan::Conversion;

/// A conversion with what undoes it.
pub struct Inverse<'a> {
    pub conversion: &'a Conversion,
    pub estimates: Estimates,
    pub clipped: Clipped,
    pub narrow: Option<Narrow>,
}

impl<'a> Inverse<'a> {
    /// Of any conversion that has passed its [check](Conversion::check).
    pub fn of(conversion: &'a Conversion) -> Self {
        let (estimates, clipped, narrow) = (Estimates::of(conversion), Clipped::of(conversion), Narrow::of(conversion));
        Self { conversion, estimates, clipped, narrow }
    }
}

/// One row of blocks: its pixels, and what was found for them.
pub struct BlockRow {
    simd: SimdLevel,
    pub(super) pixels: PixelRows,
    /// Y of each pixel of the blocks.
    pub(super) luma: [Vec<u8>; PHASES],
    /// U and V of the blocks.
    pub(super) chroma: [Vec<u8>; 2],
    /// A bit for each pixel of a block that the conversion makes otherwise.
    pub(super) misfits: Vec<u8>,
}

impl BlockRow {
    /// For pictures like `picture`.
    pub fn new(simd: SimdLevel, picture: Picture) -> Self {
        let pixels = PixelRows::new(simd, picture);
        let blocks = pixels.padded_blocks();
        Self {
            simd,
            pixels,
            luma: std::array::from_fn(|_| vec![0; blocks]),
            chroma: std::array::from_fn(|_| vec![0; blocks]),
            misfits: vec![0; blocks],
        }
    }

    /// Takes the packed rows of one row of blocks.
    pub fn load(&mut self, raw: &[u8]) {
        self.pixels.load(raw);
    }

    /// Finds estimates for the pixels, and which of them come out otherwise. What comes next needs memory `soon`.
    pub fn solve(&mut self, inverse: &Inverse<'_>, soon: [&[u8]; 4]) {
        let ahead = Ahead::in_steps(soon, self.pixels.padded_blocks() / CHUNK);
        self.simd.run(Solve {
            inverse,
            ahead,
            pixels: self.pixels.phases(),
            luma: &mut self.luma,
            chroma: &mut self.chroma,
            misfits: &mut self.misfits,
        });
    }

    /// Of each block, the pixels that come out otherwise. What the row is filled up with is no block.
    pub fn misfits(&self) -> &[u8] {
        &self.misfits[..self.pixels.blocks()]
    }
}

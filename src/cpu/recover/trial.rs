//! Which of many conversions made some blocks of pixels.

use super::Picture;
use super::clipped::Clipped;
use super::estimates::Estimates;
use super::narrow::Narrow;
use super::phases::{PHASES, PixelRows};
use super::solve::Solve;
use crate::cpu::simd::SimdLevel;
use crate::plan::Conversion;

/// A conversion with what undoes it.
pub struct Candidate {
    conversion: &'static Conversion,
    estimates: Estimates,
    clipped: Clipped,
    narrow: Option<Narrow>,
}

impl Candidate {
    /// A conversion that is known.
    pub fn new(conversion: &'static Conversion) -> Self {
        let (estimates, clipped, narrow) = (Estimates::of(conversion), Clipped::of(conversion), Narrow::of(conversion));
        Self { conversion, estimates, clipped, narrow }
    }
}

/// One row of blocks, taken apart once for all conversions.
pub struct Trial {
    simd: SimdLevel,
    pixels: PixelRows,
    luma: [Vec<u8>; PHASES],
    chroma: [Vec<u8>; 2],
    misfits: Vec<u8>,
}

impl Trial {
    /// On the blocks of `raw`, which is a whole picture and one block high.
    pub fn new(simd: SimdLevel, picture: Picture, raw: &[u8]) -> Self {
        let mut pixels = PixelRows::new(simd, picture);
        pixels.load(raw);
        let blocks = pixels.padded_blocks();
        Self {
            simd,
            luma: std::array::from_fn(|_| vec![0; blocks]),
            chroma: std::array::from_fn(|_| vec![0; blocks]),
            misfits: vec![0; blocks],
            pixels,
        }
    }

    /// Blocks that a conversion makes of its estimates, without repair.
    pub fn fitting(&mut self, candidate: &Candidate) -> usize {
        self.simd.run(Solve {
            conversion: candidate.conversion,
            estimates: &candidate.estimates,
            clipped: &candidate.clipped,
            narrow: candidate.narrow,
            pixels: self.pixels.phases(),
            luma: &mut self.luma,
            chroma: &mut self.chroma,
            misfits: &mut self.misfits,
        });
        self.misfits[..self.pixels.blocks()].iter().filter(|&&misfits| misfits == 0).count()
    }
}

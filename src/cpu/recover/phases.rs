//! Rows of packed pixels by their place in a block: what belongs to neighbouring blocks is side by side.

use super::Picture;
#[cfg(target_arch = "x86_64")]
use crate::cpu::channels;
use crate::cpu::colour;
use crate::cpu::simd::{Kernel, SimdLevel};
use crate::frame::PlaneGeometry;
use crate::plan::Colour;

/// Most pixels of a block.
pub const PHASES: usize = 4;
/// Blocks that are worked on at a time.
pub const CHUNK: usize = 64;

/// One row of blocks.
pub struct PixelRows {
    simd: SimdLevel,
    picture: Picture,
    /// The channels of a row, as the colour transform sees them.
    planes: Vec<PlaneGeometry>,
    /// Red, green and blue (and alpha) of a row.
    rows: Vec<Vec<u8>>,
    /// R, G and B of each pixel of the blocks, row by row.
    phases: Vec<[Vec<u8>; 3]>,
}

impl PixelRows {
    pub fn new(simd: SimdLevel, picture: Picture) -> Self {
        let Picture { width, channels, .. } = picture;
        let plane = |offset| PlaneGeometry { width, height: 1, offset, step: channels, base: 0 };
        let (columns, rows) = picture.block();
        let blocks = width.div_ceil(columns);
        let padded = blocks.next_multiple_of(CHUNK);
        Self {
            simd,
            picture,
            planes: (0..channels).map(plane).collect(),
            rows: vec![vec![0; blocks * columns]; channels],
            phases: vec![std::array::from_fn(|_| vec![0; padded]); columns * rows],
        }
    }

    /// Blocks in a row.
    pub fn blocks(&self) -> usize {
        self.picture.blocks()
    }

    /// Blocks in a row that there is room for.
    pub fn padded_blocks(&self) -> usize {
        self.blocks().next_multiple_of(CHUNK)
    }

    /// R, G and B of each pixel of the blocks.
    pub fn phases(&self) -> &[[Vec<u8>; 3]] {
        &self.phases
    }

    /// Takes the rows of one row of blocks. A column or row that is missing repeats the one before.
    pub fn load(&mut self, raw: &[u8]) {
        let Picture { width, channels, blue_first, .. } = self.picture;
        let (columns, _) = self.picture.block();
        let blocks = self.blocks();
        let row_bytes = width * channels;
        let last_row = raw.len() / row_bytes - 1;
        for (at, phases) in self.phases.chunks_exact_mut(columns).enumerate() {
            let first = at.min(last_row) * row_bytes;
            #[cfg(target_arch = "x86_64")]
            if let (Some(proof), [even, odd]) = (self.simd.avx512_vbmi2().filter(|_| channels == 3), &mut *phases) {
                let [even, odd] = [even, odd].map(|phase| {
                    let mut rows = phase.each_mut().map(|channel| &mut channel[..blocks]);
                    if blue_first {
                        rows.reverse();
                    }
                    rows
                });
                channels::deal(proof, &raw[first..first + row_bytes], even, odd);
                continue;
            }
            let mut rows: Vec<&mut [u8]> = self.rows.iter_mut().map(|row| &mut row[..width]).collect();
            colour::forward::<u8>(self.simd, Colour::None, &self.planes, &raw[first..first + row_bytes], &mut rows);
            for channel in 0..3 {
                let row = &mut self.rows[if blue_first { 2 - channel } else { channel }];
                if width % columns != 0 {
                    row[width] = row[width - 1];
                }
                match phases {
                    [even, odd] => {
                        let (even, odd) = (&mut even[channel][..blocks], &mut odd[channel][..blocks]);
                        self.simd.run(Deal { row, even, odd });
                    }
                    _ => phases[0][channel][..blocks].copy_from_slice(row),
                }
            }
        }
    }

    /// Rows of Y from those of the pixels of blocks.
    pub fn join_luma(&self, luma: &[Vec<u8>; PHASES], y: &mut [u8]) {
        let (columns, _) = self.picture.block();
        for (row, phases) in y.chunks_exact_mut(self.picture.width).zip(luma.chunks_exact(columns)) {
            match phases {
                [even, odd] => self.simd.run(Weave { even, odd, row }),
                _ => row.copy_from_slice(&phases[0][..self.picture.width]),
            }
        }
    }
}

/// Even and odd samples of a row.
pub struct Deal<'a> {
    pub row: &'a [u8],
    pub even: &'a mut [u8],
    pub odd: &'a mut [u8],
}

impl Kernel for Deal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((pair, even), odd) in self.row.as_chunks::<2>().0.iter().zip(self.even).zip(self.odd) {
            [*even, *odd] = *pair;
        }
    }
}

/// A row of its even and odd samples.
pub struct Weave<'a> {
    pub even: &'a [u8],
    pub odd: &'a [u8],
    pub row: &'a mut [u8],
}

impl Kernel for Weave<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (pairs, last) = self.row.as_chunks_mut::<2>();
        if let [last] = last {
            *last = self.even[pairs.len()];
        }
        for ((pair, even), odd) in pairs.iter_mut().zip(self.even).zip(self.odd) {
            *pair = [*even, *odd];
        }
    }
}

//! Lower bytes of samples of which many are zero: features after a rectifier, depth with holes.
//!
//! Where all higher bytes of a sample are zero, so is this one, or the codec is not used. The bytes of the other samples
//! follow one another as a shorter block of another codec. A decoder has the higher bytes, so nothing says which they
//! are.

#[cfg(target_arch = "x86_64")]
mod avx512;

use super::{CodecId, ans};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// Bytes that are done together where there are instructions for it.
const PIECE: usize = 64;
type Piece = [u8; PIECE];

/// Of each sample of a block all `higher` bytes together: 0 where all of them are.
pub struct Marks {
    simd: SimdLevel,
    marks: Vec<u8>,
    kept: usize,
}

impl Marks {
    /// Marks of a block of `length` bytes, as long as those of the `higher` ones.
    pub fn of(simd: SimdLevel, length: usize, higher: &[&[u8]]) -> Self {
        let mut marks = vec![0; length];
        higher.iter().for_each(|bytes| simd.run(Mark { marks: &mut marks, bytes }));
        let kept = simd.run(Count(&marks));
        Self { simd, marks, kept }
    }

    /// How many bytes are kept.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// The bytes of `block` that are marked; `None` if another one is not zero.
    pub fn compact(&self, block: &[u8]) -> Option<Vec<u8>> {
        // More than are kept is written, and written over.
        let mut kept = vec![0; self.kept + PIECE];
        let (pieces, rest) = block.as_chunks();
        let (marks, marks_of_rest) = self.marks.as_chunks();
        let count = compact(self.simd, pieces, marks, &mut kept)?;
        portable::compact(rest, marks_of_rest, &mut kept[count..])?;
        kept.truncate(self.kept);
        Some(kept)
    }

    /// Puts the bytes that were kept back into their places in `block`.
    ///
    /// # Errors
    /// Corrupt if they are not as many as there are places.
    pub fn spread(&self, mut kept: Vec<u8>, block: &mut [u8]) -> Result<()> {
        if kept.len() != self.kept || block.len() != self.marks.len() {
            return Err(Error::corrupt("sparse block: not as many bytes as places"));
        }
        // What is read beyond those that are left.
        kept.resize(self.kept + PIECE, 0);
        let (pieces, rest) = block.as_chunks_mut();
        let (marks, marks_of_rest) = self.marks.as_chunks();
        let count = spread(self.simd, &kept, marks, pieces);
        portable::spread(&kept[count..], marks_of_rest, rest);
        Ok(())
    }
}

/// Puts the bytes that are marked to the front of `kept`, where there is room for a piece more than these, and says how
/// many they are; nothing if one that is not marked is not zero.
fn compact(simd: SimdLevel, block: &[Piece], marks: &[Piece], kept: &mut [u8]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = simd.avx512_vbmi2() {
        return avx512::compact(proof, block, marks, kept);
    }
    let _ = simd;
    portable::compact(block.as_flattened(), marks.as_flattened(), kept)
}

/// The inverse of [`compact`]: there is a piece more in `kept` than is marked.
fn spread(simd: SimdLevel, kept: &[u8], marks: &[Piece], block: &mut [Piece]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = simd.avx512_vbmi2() {
        return avx512::spread(proof, kept, marks, block);
    }
    let _ = simd;
    portable::spread(kept, marks.as_flattened(), block.as_flattened_mut())
}

/// The same byte by byte.
mod portable {
    pub fn compact(block: &[u8], marks: &[u8], kept: &mut [u8]) -> Option<usize> {
        let (mut count, mut lost) = (0, 0);
        for (&byte, &mark) in block.iter().zip(marks) {
            kept[count] = byte;
            count += usize::from(mark != 0);
            lost |= byte & !all_ones(mark);
        }
        (lost == 0).then_some(count)
    }

    pub fn spread(kept: &[u8], marks: &[u8], block: &mut [u8]) -> usize {
        let mut count = 0;
        for (byte, &mark) in block.iter_mut().zip(marks) {
            *byte = kept[count] & all_ones(mark);
            count += usize::from(mark != 0);
        }
        count
    }

    /// 255 for what is not 0. There is no telling what comes next, so it is done without a branch.
    #[inline(always)]
    fn all_ones(mark: u8) -> u8 {
        0u8.wrapping_sub(u8::from(mark != 0))
    }
}

/// Codecs that what is kept may have: those that look at no other bytes.
pub const CODECS: [CodecId; 5] = [CodecId::Store, CodecId::Lz4, CodecId::Zstd, CodecId::Ans, CodecId::Pack];

/// Appends a block of `length` bytes of which `kept` are left if it is shorter: those by `ans`, if they `may_shrink`, or
/// as they are.
pub fn encode(simd: SimdLevel, kept: &[u8], may_shrink: bool, length: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.push(CodecId::Ans as u8);
    if !may_shrink || !ans::encode(simd, kept, out) {
        out.truncate(start);
        out.push(CodecId::Store as u8);
        out.extend_from_slice(kept);
    }
    out.len() - start < length
}

struct Mark<'a> {
    marks: &'a mut [u8],
    bytes: &'a [u8],
}

impl Kernel for Mark<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.marks.iter_mut().zip(self.bytes).for_each(|(mark, byte)| *mark |= byte);
    }
}

struct Count<'a>(&'a [u8]);

impl Kernel for Count<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        // So few that a byte counts them.
        let of_piece = |piece: &[u8]| usize::from(piece.iter().map(|&mark| u8::from(mark != 0)).sum::<u8>());
        self.0.chunks(128).map(of_piece).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for length in [1, 7, 8, 9, 63, 64, 65, 128, 1000, 5000] {
            let highest: Vec<u8> = (0..length).map(|at| if at / 20 % 3 == 0 { noise() % 3 } else { 0 }).collect();
            let middle: Vec<u8> = highest.iter().map(|&byte| if byte == 0 { 0 } else { noise() }).collect();
            let block: Vec<u8> = highest.iter().map(|&byte| if byte == 0 { 0 } else { noise() }).collect();
            let expected: Vec<u8> =
                block.iter().zip(&highest).filter(|&(_, &mark)| mark > 0).map(|(&byte, _)| byte).collect();
            for simd in SimdLevel::available() {
                let marks = Marks::of(simd, length, &[&middle, &highest]);
                let kept = marks.compact(&block).unwrap();
                assert!(kept == expected, "{length}, {simd:?}");
                assert_eq!(kept.len(), marks.kept());
                let mut spread = vec![1; length];
                marks.spread(kept.clone(), &mut spread).unwrap();
                assert!(spread == block, "{length}, {simd:?}");

                assert!(marks.spread([kept.as_slice(), &[1]].concat(), &mut spread).is_err());
                assert!(marks.spread(kept.clone(), &mut [spread.as_slice(), &[0]].concat()).is_err());
                if let [_, fewer @ ..] = kept.as_slice() {
                    assert!(marks.spread(fewer.to_vec(), &mut spread).is_err());
                }
                for zero in (0..length).filter(|&at| highest[at] == 0) {
                    let mut other = block.clone();
                    other[zero] = 1;
                    assert!(marks.compact(&other).is_none(), "{zero} of {length}, {simd:?}");
                }
            }
        }
    }
}

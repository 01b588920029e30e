//! Lower bytes of samples of which many are zero: features after a rectifier, depth with holes.
//!
//! Where all higher bytes of a sample are zero, so is this one, or the codec is not used. The bytes of the other samples
//! follow one another as a shorter block of another codec. A decoder has the higher bytes, so nothing says which they
//! are.

use super::{CodecId, ans};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// Of each sample of a block all `higher` bytes together: 0 where all of them are.
pub struct Marks {
    marks: Vec<u8>,
    kept: usize,
}

impl Marks {
    /// Marks of a block of `length` bytes, as long as those of the `higher` ones.
    pub fn of(simd: SimdLevel, length: usize, higher: &[&[u8]]) -> Self {
        let mut marks = vec![0; length];
        higher.iter().for_each(|bytes| simd.run(Mark { marks: &mut marks, bytes }));
        let kept = simd.run(Count(&marks));
        Self { marks, kept }
    }

    /// How many bytes are kept.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// The bytes of `block` that are marked; `None` if another one is not zero.
    pub fn compact(&self, block: &[u8]) -> Option<Vec<u8>> {
        // One more than are kept is written, and written over.
        let mut kept = vec![0; block.len() + 1];
        let (mut count, mut lost) = (0, 0);
        for (&byte, &mark) in block.iter().zip(&self.marks) {
            kept[count] = byte;
            count += usize::from(mark != 0);
            lost |= byte & !all_ones(mark);
        }
        kept.truncate(count);
        (lost == 0).then_some(kept)
    }

    /// Puts the bytes that were kept back into their places in `block`.
    ///
    /// # Errors
    /// Corrupt if they are not as many as there are places.
    pub fn spread(&self, mut kept: Vec<u8>, block: &mut [u8]) -> Result<()> {
        if kept.len() != self.kept {
            return Err(Error::corrupt("sparse block: not as many bytes as places"));
        }
        // What is read where nothing is marked any more.
        kept.push(0);
        let mut count = 0;
        for (byte, &mark) in block.iter_mut().zip(&self.marks) {
            *byte = kept[count] & all_ones(mark);
            count += usize::from(mark != 0);
        }
        Ok(())
    }
}

/// 255 for what is not 0. There is no telling what comes next, so it is done without a branch.
#[inline(always)]
fn all_ones(mark: u8) -> u8 {
    0u8.wrapping_sub(u8::from(mark != 0))
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
        for length in [1, 7, 8, 9, 64, 1000] {
            let highest: Vec<u8> = (0..length).map(|at| if at / 20 % 3 == 0 { noise() % 3 } else { 0 }).collect();
            let middle: Vec<u8> = highest.iter().map(|&byte| if byte == 0 { 0 } else { noise() }).collect();
            let marks = Marks::of(SimdLevel::detect(), length, &[&middle, &highest]);
            let block: Vec<u8> = highest.iter().map(|&byte| if byte == 0 { 0 } else { noise() }).collect();
            let kept = marks.compact(&block).unwrap();
            assert_eq!(kept.len(), highest.iter().filter(|&&byte| byte > 0).count());
            assert_eq!(kept.len(), marks.kept());
            let mut spread = vec![1; length];
            marks.spread(kept.clone(), &mut spread).unwrap();
            assert_eq!(spread, block);

            assert!(marks.spread([kept.as_slice(), &[1]].concat(), &mut spread).is_err());
            if let [_, fewer @ ..] = kept.as_slice() {
                assert!(marks.spread(fewer.to_vec(), &mut spread).is_err());
            }
            if let Some(zero) = highest.iter().position(|&byte| byte == 0) {
                let mut other = block;
                other[zero] = 1;
                assert!(marks.compact(&other).is_none());
            }
        }
    }
}

//! Blocks of which many bytes are 0, without these: those that are kept follow one another as a shorter block of another
//! codec.
//!
//! *Sparse* are lower bytes of samples many of which are 0: features after a rectifier, depth with holes. Where all higher
//! bytes of a sample are 0, so is this one, or the codec is not used. A decoder has the higher bytes, so nothing says which
//! they are. *Mapped* are any others, such as the highest bytes of the same samples: a map (the significance map of image
//! and video coders) says which are not 0.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod places;

use std::cell::OnceCell;

pub use self::places::{PIECE, Places, map_bytes};
use super::{CodecId, ans};
use crate::cpu::SimdLevel;

/// Codecs that maps and what is kept may have: those that look at no other bytes.
pub const CODECS: [CodecId; 5] = [CodecId::Store, CodecId::Lz4, CodecId::Zstd, CodecId::Ans, CodecId::Pack];

/// What a block is without its zeros.
pub struct WithoutZeros {
    /// Says which bytes are kept, if the higher ones do not.
    map: Option<Vec<u8>>,
    kept: Vec<u8>,
    /// Computed when it is first asked for.
    estimate: OnceCell<usize>,
}

/// Whether so few of `length` bytes are 0 that it does not pay to leave them out.
fn are_few(kept: usize, length: usize) -> bool {
    kept > length / 8 * 7
}

impl WithoutZeros {
    /// A block without the bytes of samples whose `higher` bytes are all 0; `None` if one of these is not 0, or if they are
    /// few or all there are.
    pub fn sparse(simd: SimdLevel, block: &[u8], higher: &[&[u8]]) -> Option<Self> {
        Self::of(block, &Places::of(simd, block.len(), higher), None)
    }

    /// A block without all of its zeros, unless they are few or all there are.
    pub fn mapped(simd: SimdLevel, block: &[u8]) -> Option<Self> {
        let places = Places::of(simd, block.len(), &[block]);
        Self::of(block, &places, Some(places.map()))
    }

    fn of(block: &[u8], places: &Places, map: Option<Vec<u8>>) -> Option<Self> {
        if places.count() == 0 || are_few(places.count(), block.len()) {
            return None;
        }
        Some(Self { map, kept: places.compact(block)?, estimate: OnceCell::new() })
    }

    /// Whether it has a map.
    pub fn is_mapped(&self) -> bool {
        self.map.is_some()
    }

    /// What is kept.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// About the bytes that it adds to a larger block like it.
    pub fn estimate(&self) -> usize {
        let of_map = || self.map.as_ref().map_or(0, |map| ans::estimate(map));
        *self.estimate.get_or_init(|| ans::estimate(&self.kept) + of_map())
    }

    /// Appends a block of `length` bytes if it is shorter. What is kept may be shorter by `ans` only if it `may_shrink`.
    pub fn encode(&self, simd: SimdLevel, may_shrink: bool, length: usize, out: &mut Vec<u8>) -> Option<CodecId> {
        let start = out.len();
        let codec = match &self.map {
            None => CodecId::Sparse,
            Some(map) => {
                out.extend([0; 4]);
                encode(simd, map, true, out);
                let map_bytes = u32::try_from(out.len() - start - 4).ok()?;
                out[start..][..4].copy_from_slice(&map_bytes.to_le_bytes());
                CodecId::Mapped
            }
        };
        encode(simd, &self.kept, may_shrink, out);
        (out.len() - start < length).then_some(codec)
    }
}

/// Appends bytes and, before them, whether they are by `ans`.
fn encode(simd: SimdLevel, bytes: &[u8], may_shrink: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(CodecId::Ans as u8);
    if !may_shrink || !ans::encode(simd, bytes, out) {
        out.truncate(start);
        out.push(CodecId::Store as u8);
        out.extend_from_slice(bytes);
    }
}

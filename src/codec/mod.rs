//! Codecs: they change the size of a block of bytes.
//!
//! A block's decoded length is known from the geometry and the plan, so no codec stores it. A block
//! that its codec cannot shrink is stored.

mod ans;
mod lz4;
mod tiles;
mod zstd;

#[doc(hidden)]
pub use ans::lanes::{DecodeTable, EncodeTable};
#[cfg(feature = "gpu")]
pub(crate) use ans::segments::{check_codes, check_ends};
pub(crate) use ans::segments::{decode as rans_decode, encode as rans_encode};
#[doc(hidden)]
pub use tiles::{
    DecodedTiles, TileClasses, TileCounts, TileDecoder, TileDecoderTables, TileEncoder, TileEncoderTables, TileTables,
};

use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::plan::CodecChoice;

/// A codec by its id on the wire. The ids are append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CodecId {
    /// The bytes as they are.
    Store = 0,
    /// An LZ4 block (without LZ4's frame).
    Lz4 = 1,
    /// One Zstandard frame (RFC 8878).
    Zstd = 2,
    /// Interleaved rANS with a table per class of groups.
    Ans = 3,
}

impl CodecId {
    /// Every codec, in order of id.
    pub const ALL: [CodecId; 4] = [Self::Store, Self::Lz4, Self::Zstd, Self::Ans];

    /// The codec with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for an id of a later version.
    pub fn from_id(id: u8) -> Result<Self> {
        Self::ALL.get(usize::from(id)).copied().ok_or_else(|| {
            Error::unsupported(format!("codec: id {id} is not known to this version; update framepress"))
        })
    }

    /// The name that `--codec` takes.
    pub const fn name(self) -> &'static str {
        match self {
            CodecId::Store => "store",
            CodecId::Lz4 => "lz4",
            CodecId::Zstd => "zstd",
            CodecId::Ans => "ans",
        }
    }
}

/// Codes blocks in one way. Not for use by two threads at once; cheap to use again.
pub struct Encoder {
    choice: CodecChoice,
    zstd: Option<zstd::Encoder>,
    thorough: bool,
    simd: SimdLevel,
}

/// Bytes of a block on which Zstandard is tried before it gets the whole block.
const PROBE_BYTES: usize = 1 << 14;

/// What Zstandard makes of a whole block, from what it made of a part that has less to refer to.
const fn of_whole(packed_bytes: usize) -> usize {
    packed_bytes / 8 * 7
}

/// What a probe says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    Ans,
    Either,
    Zstd,
}

impl Encoder {
    /// An encoder of `choice`, with Zstandard at `zstd_level`. With [`CodecChoice::Auto`] a block goes to
    /// `ans` or to Zstandard, whichever does much better on a part of it; if neither does, or the
    /// encoder is `thorough`, to both, and the smaller result stays.
    pub fn new(choice: CodecChoice, zstd_level: i32, thorough: bool) -> Result<Self> {
        let zstd = match choice {
            CodecChoice::Zstd | CodecChoice::Auto => Some(zstd::Encoder::new(zstd_level)?),
            CodecChoice::Store | CodecChoice::Lz4 | CodecChoice::Ans => None,
        };
        Ok(Self { choice, zstd, thorough, simd: SimdLevel::detect() })
    }

    /// Appends the coded `block` to `out`: never more than the block's own length.
    pub fn encode(&mut self, block: &[u8], out: &mut Vec<u8>) -> CodecId {
        let start = out.len();
        let coded = match self.choice {
            CodecChoice::Store => None,
            CodecChoice::Lz4 => lz4::encode(block, out).then_some(CodecId::Lz4),
            CodecChoice::Zstd => self.zstd(block, out).then_some(CodecId::Zstd),
            CodecChoice::Ans => ans::encode(self.simd, block, out).then_some(CodecId::Ans),
            CodecChoice::Auto => self.smaller(block, out),
        };
        coded.unwrap_or_else(|| {
            out.truncate(start);
            out.extend_from_slice(block);
            CodecId::Store
        })
    }

    fn smaller(&mut self, block: &[u8], out: &mut Vec<u8>) -> Option<CodecId> {
        let guess = if self.thorough { Guess::Either } else { self.guess(block) };
        let start = out.len();
        let by_ans = guess != Guess::Zstd && ans::encode(self.simd, block, out);
        if !by_ans {
            out.truncate(start);
        }
        if guess != Guess::Ans {
            let (ans_bytes, middle) = (if by_ans { out.len() - start } else { block.len() }, out.len());
            if self.zstd(block, out) && out.len() - middle < ans_bytes {
                out.drain(start..middle);
                return Some(CodecId::Zstd);
            }
            out.truncate(middle);
        }
        by_ans.then_some(CodecId::Ans)
    }

    /// Which codec a part from the middle of `block` speaks for.
    fn guess(&mut self, block: &[u8]) -> Guess {
        let start = block.len().saturating_sub(PROBE_BYTES) / 2;
        let part = &block[start..block.len().min(start + PROBE_BYTES)];
        let mut packed = Vec::new();
        let by_zstd = if self.zstd(part, &mut packed) { of_whole(packed.len()) } else { part.len() };
        let by_ans = ans::estimate(part);
        if by_zstd >= by_ans {
            Guess::Ans
        } else if by_zstd > by_ans / 2 || by_ans < part.len() / 64 {
            Guess::Either
        } else {
            Guess::Zstd
        }
    }

    /// About the bytes that `block` adds to a larger one like it.
    pub fn estimate(&mut self, block: &[u8]) -> usize {
        let mut packed = Vec::new();
        match self.choice {
            CodecChoice::Ans => ans::estimate(block),
            CodecChoice::Auto => {
                let by_zstd = self.zstd(block, &mut packed);
                let estimate = ans::estimate(block);
                if by_zstd { packed.len().min(estimate) } else { estimate }
            }
            _ => {
                self.encode(block, &mut packed);
                packed.len()
            }
        }
    }

    fn zstd(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
        self.zstd.as_mut().is_some_and(|zstd| zstd.encode(block, out))
    }
}

/// Decodes blocks of every codec. Not for use by two threads at once; cheap to use again.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<zstd::Decoder>,
}

impl Decoder {
    /// Decodes `packed` into exactly `block`.
    pub fn decode(&mut self, codec: CodecId, packed: &[u8], block: &mut [u8]) -> Result<()> {
        let decoded = match codec {
            CodecId::Store if packed.len() == block.len() => {
                block.copy_from_slice(packed);
                block.len()
            }
            CodecId::Store => packed.len(),
            CodecId::Lz4 => lz4::decode(packed, block)?,
            CodecId::Ans => {
                ans::decode(SimdLevel::detect(), packed, block)?;
                block.len()
            }
            CodecId::Zstd => match &mut self.zstd {
                Some(zstd) => zstd.decode(packed, block)?,
                none => none.insert(zstd::Decoder::new()?).decode(packed, block)?,
            },
        };
        if decoded != block.len() {
            return Err(Error::corrupt(format!(
                "{} block: expected {} bytes decoded, found {decoded}",
                codec.name(),
                block.len()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn round_trips_never_expand() {
        for choice in [CodecChoice::Store, CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans, CodecChoice::Auto] {
            let mut encoder = Encoder::new(choice, 3, true).unwrap();
            for length in [0, 1, 2, 12, 13, 100, 70_000] {
                for block in
                    [vec![7; length], noise(length), [noise(length / 2), vec![0; length - length / 2]].concat()]
                {
                    let mut packed = b"before".to_vec();
                    let codec = encoder.encode(&block, &mut packed);
                    let packed = packed.strip_prefix(b"before").unwrap();
                    assert!(packed.len() <= block.len());
                    let mut decoded = vec![1; length];
                    Decoder::default().decode(codec, packed, &mut decoded).unwrap();
                    assert_eq!(decoded, block, "{choice:?} {length}");
                }
            }
        }
    }

    #[test]
    fn hostile_blocks_are_refused() {
        let block = [noise(50), vec![3; 500], noise(50)].concat();
        for choice in [CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans] {
            let mut packed = Vec::new();
            let codec = Encoder::new(choice, 1, false).unwrap().encode(&block, &mut packed);
            let decode = |packed: &[u8], length| Decoder::default().decode(codec, packed, &mut vec![0; length]);
            // `ans` fills the last group up with zeros: only the container knows the length.
            let group = if choice == CodecChoice::Ans { 256 } else { 1 };
            assert!(decode(&packed, (block.len() + 1).next_multiple_of(group) + 1).is_err(), "too little");
            assert!(decode(&packed, block.len() - 1).is_err(), "too much");
            for cut in 0..packed.len() {
                assert!(decode(&packed[..cut], block.len()).is_err(), "cut at {cut}");
            }
            for bit in 0..8 * packed.len() {
                let mut flipped = packed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                // Any outcome but a panic: checksums are the container's.
                let _ = decode(&flipped, block.len());
            }
        }
    }
}

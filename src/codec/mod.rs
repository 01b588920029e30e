//! Codecs: they change the size of a block of bytes.
//!
//! A block's decoded length is known from the geometry and the plan, so no codec stores it. A block
//! that its codec cannot shrink is stored.

mod ans;
mod lz4;
mod zstd;

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
}

impl Encoder {
    /// An encoder of `choice` (which is not [`CodecChoice::Auto`]), with Zstandard at `zstd_level`.
    pub fn new(choice: CodecChoice, zstd_level: i32) -> Result<Self> {
        let zstd = match choice {
            CodecChoice::Zstd | CodecChoice::Auto => Some(zstd::Encoder::new(zstd_level)?),
            CodecChoice::Store | CodecChoice::Lz4 | CodecChoice::Ans => None,
        };
        Ok(Self { choice, zstd })
    }

    /// Appends the coded `block` to `out`: never more than the block's own length.
    pub fn encode(&mut self, block: &[u8], out: &mut Vec<u8>) -> CodecId {
        let start = out.len();
        let coded = match (self.choice, &mut self.zstd) {
            (CodecChoice::Lz4, _) => lz4::encode(block, out).then_some(CodecId::Lz4),
            (CodecChoice::Ans, _) => ans::encode(SimdLevel::detect(), block, out).then_some(CodecId::Ans),
            (_, Some(zstd)) => zstd.encode(block, out).then_some(CodecId::Zstd),
            (_, None) => None,
        };
        coded.unwrap_or_else(|| {
            out.truncate(start);
            out.extend_from_slice(block);
            CodecId::Store
        })
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
        for choice in [CodecChoice::Store, CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans] {
            let mut encoder = Encoder::new(choice, 3).unwrap();
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
            let codec = Encoder::new(choice, 1).unwrap().encode(&block, &mut packed);
            let decode = |packed: &[u8], length| Decoder::default().decode(codec, packed, &mut vec![0; length]);
            assert!(decode(&packed, block.len() + 1).is_err(), "too little");
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

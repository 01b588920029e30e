//! Blocks of every codec to bytes.

use super::ans::contexts::{self, Surroundings};
use super::{CodecId, ans, lz4, model, pack, sparse, zstd};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// Decodes blocks of every codec. Not for use by two threads at once; cheap to use again.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<zstd::Decoder>,
}

impl Decoder {
    /// Decodes `packed` into exactly `block`.
    pub fn decode(&mut self, codec: CodecId, packed: &[u8], around: Surroundings<'_>, block: &mut [u8]) -> Result<()> {
        let decoded = match codec {
            CodecId::Discrete | CodecId::Model => {
                return Err(Error::corrupt(format!("{} code where a block of a plane is expected", codec.name())));
            }
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
            CodecId::Pack => {
                pack::decode(SimdLevel::detect(), packed, block)?;
                block.len()
            }
            CodecId::Contexts => {
                contexts::decode(SimdLevel::detect(), packed, around, block)?;
                block.len()
            }
            CodecId::Adaptive => {
                model::bytes::decode(SimdLevel::detect(), packed, around, block)?;
                block.len()
            }
            CodecId::Sparse => {
                self.sparse(packed, around, block)?;
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

    fn sparse(&mut self, packed: &[u8], around: Surroundings<'_>, block: &mut [u8]) -> Result<()> {
        let (&id, packed) = packed.split_first().ok_or_else(|| Error::corrupt("sparse block: it is empty"))?;
        let codec = CodecId::from_id(id)?;
        if around.higher.is_empty() || !sparse::CODECS.contains(&codec) {
            return Err(Error::corrupt(format!("sparse block: of the highest bytes, or by {}", codec.name())));
        }
        let marks = sparse::Marks::of(SimdLevel::detect(), block.len(), around.higher);
        let mut kept = vec![0; marks.kept()];
        self.decode(codec, packed, Surroundings::default(), &mut kept)?;
        marks.spread(kept, block)
    }
}

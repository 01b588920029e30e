//! Blocks of every codec to bytes.

use super::ans::contexts::{self, Surroundings};
use super::sparse::{self, Places};
use super::{CodecId, ans, lz4, model, pack, zstd};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// Decodes blocks of every codec. Not for use by two threads at once; cheap to use again.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<zstd::Decoder>,
    /// Memory for what is kept of a block without its zeros.
    kept: Vec<u8>,
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
            CodecId::Mapped => {
                self.mapped(packed, block)?;
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
        if around.higher.is_empty() {
            return Err(Error::corrupt("sparse block: of the highest bytes"));
        }
        let places = Places::of(SimdLevel::detect(), block.len(), around.higher);
        self.spread(&places, packed, block)
    }

    fn mapped(&mut self, packed: &[u8], block: &mut [u8]) -> Result<()> {
        let short = || Error::corrupt("mapped block: it ends within its map");
        let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
        let (packed_map, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
        let mut map = vec![0; sparse::map_bytes(block.len())];
        self.part(packed_map, &mut map)?;
        let places = Places::of_map(SimdLevel::detect(), block.len(), &map)?;
        self.spread(&places, rest, block)
    }

    /// Decodes the bytes that are kept and puts them back.
    fn spread(&mut self, places: &Places, packed: &[u8], block: &mut [u8]) -> Result<()> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.resize(places.memory(), 0);
        let result = self.part(packed, &mut kept[..places.count()]);
        if result.is_ok() {
            places.spread(&kept, block);
        }
        self.kept = kept;
        result
    }

    /// Decodes a part of a block by the codec that it begins with.
    fn part(&mut self, packed: &[u8], bytes: &mut [u8]) -> Result<()> {
        let (&id, packed) = packed.split_first().ok_or_else(|| Error::corrupt("block without zeros: it is empty"))?;
        let codec = CodecId::from_id(id)?;
        if !sparse::CODECS.contains(&codec) {
            return Err(Error::corrupt(format!("block without zeros: by {}", codec.name())));
        }
        self.decode(codec, packed, Surroundings::default(), bytes)
    }
}

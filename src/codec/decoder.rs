//! Blocks of every codec to bytes.

use std::ops::Range;
use std::sync::Arc;

use super::ans::contexts::{self, Surroundings};
use super::lane::{self, Lane};
use super::sparse::{self, Places};
use super::{CodecId, ans, lz4, model, pack, zstd};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// Decodes blocks of every codec. Not for use by two threads at once; cheap to use again.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<zstd::Decoder>,
    /// Memory for what is kept of a block without its zeros, or for a block that gets them back.
    spare: Vec<u8>,
    /// The same for the blocks of a span.
    lanes: Vec<Lane>,
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

    /// Decodes the blocks of a span, that of the lowest bytes first, each of `length` bytes, and gives the bytes of some samples at
    /// a time, those of each block by themselves. The highest bytes are decoded first: they may be the context of lower ones.
    pub fn decode_span(
        &mut self,
        blocks: &[(CodecId, &[u8])],
        length: usize,
        around: Surroundings<'_>,
        give: impl FnMut(Range<usize>, &[&[u8]]),
    ) -> Result<()> {
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.resize_with(blocks.len(), Lane::default);
        let decoded = blocks.iter().enumerate().rev().try_for_each(|(at, &(codec, packed))| {
            let (lanes, higher) = lanes.split_at_mut(at + 1);
            self.decode_lane(codec, packed, length, around, higher, &mut lanes[at])
        });
        if decoded.is_ok() {
            lane::each_part(&lanes, give);
        }
        self.lanes = lanes;
        decoded
    }

    fn decode_lane(
        &mut self,
        codec: CodecId,
        packed: &[u8],
        length: usize,
        around: Surroundings<'_>,
        higher: &mut [Lane],
        lane: &mut Lane,
    ) -> Result<()> {
        match codec {
            CodecId::Sparse if !higher.is_empty() => {
                let places = lane::places(SimdLevel::detect(), higher, length, &mut self.spare);
                self.part(packed, lane.kept(length, places, true))
            }
            CodecId::Mapped => {
                let (places, packed) = self.places(packed, length)?;
                self.part(packed, lane.kept(length, Arc::new(places), false))
            }
            codec if sparse::CODECS.contains(&codec) => self.decode(codec, packed, around, lane.block(length)),
            _ => {
                let higher: Vec<&[u8]> = higher.iter_mut().map(|lane| lane.complete(&mut self.spare)).collect();
                self.decode(codec, packed, Surroundings { higher: &higher, ..around }, lane.block(length))
            }
        }
    }

    fn sparse(&mut self, packed: &[u8], around: Surroundings<'_>, block: &mut [u8]) -> Result<()> {
        if around.higher.is_empty() {
            return Err(Error::corrupt("sparse block: of the highest bytes"));
        }
        let places = Places::of(SimdLevel::detect(), block.len(), around.higher);
        self.spread(&places, packed, block)
    }

    fn mapped(&mut self, packed: &[u8], block: &mut [u8]) -> Result<()> {
        let (places, packed) = self.places(packed, block.len())?;
        self.spread(&places, packed, block)
    }

    /// Decodes the map of a block of `length` bytes. What follows it is of the bytes that are kept.
    fn places<'p>(&mut self, packed: &'p [u8], length: usize) -> Result<(Places, &'p [u8])> {
        let short = || Error::corrupt("mapped block: it ends within its map");
        let (map_bytes, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
        let (packed_map, rest) = rest.split_at_checked(u32::from_le_bytes(*map_bytes) as usize).ok_or_else(short)?;
        let mut map = vec![0; sparse::map_bytes(length)];
        self.part(packed_map, &mut map)?;
        Ok((Places::of_map(SimdLevel::detect(), length, &map)?, rest))
    }

    /// Decodes the bytes that are kept and puts them back.
    fn spread(&mut self, places: &Places, packed: &[u8], block: &mut [u8]) -> Result<()> {
        let mut kept = std::mem::take(&mut self.spare);
        kept.resize(kept.len().max(places.memory()), 0);
        let result = self.part(packed, &mut kept[..places.count()]);
        if result.is_ok() {
            places.spread(&kept, block);
        }
        self.spare = kept;
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

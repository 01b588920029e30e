//! The packed bytes of a batch, block by block.

use crate::codec::{CodecId, Decoder, Surroundings};
use crate::container::BlockEntry;
use crate::error::{Error, Result};

/// Blocks of a batch, and their packed bytes one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a> {
    pub blocks: &'a [BlockEntry],
    pub payload: &'a [u8],
}

impl<'a> Packed<'a> {
    /// The first `blocks` blocks, or as many as there are, and the others.
    pub fn split_at(self, blocks: usize) -> Result<(Self, Self)> {
        let (blocks, later) = self.blocks.split_at(blocks.min(self.blocks.len()));
        let bytes = blocks.iter().map(|block| block.packed_bytes as usize).sum();
        let (payload, rest) = self.payload.split_at_checked(bytes).ok_or_else(short)?;
        Ok((Self { blocks, payload }, Self { blocks: later, payload: rest }))
    }

    /// The packed bytes of each block.
    pub fn each(self) -> Result<Vec<&'a [u8]>> {
        let mut rest = self.payload;
        let cut = |entry: &BlockEntry| {
            let (packed, later) = rest.split_at_checked(entry.packed_bytes as usize).ok_or_else(short)?;
            rest = later;
            Ok(packed)
        };
        self.blocks.iter().map(cut).collect()
    }
}

fn short() -> Error {
    Error::corrupt("payload: shorter than its blocks")
}

/// The blocks of a span of a plane, that of the lowest bytes first, with what they are decoded from.
pub(crate) struct Span<'a> {
    pub width: usize,
    pub picture: usize,
    pub blocks: Vec<(CodecId, &'a [u8], &'a mut [u8])>,
}

impl Span<'_> {
    /// Decodes the highest bytes first: they may be the context of lower ones.
    pub fn decode(self, decoder: &mut Decoder) -> Result<()> {
        let mut higher: Vec<&[u8]> = Vec::new();
        for (codec, coded, block) in self.blocks.into_iter().rev() {
            let around = Surroundings { width: self.width, picture: self.picture, higher: &higher };
            decoder.decode(codec, coded, around, block)?;
            higher.insert(0, block);
        }
        Ok(())
    }
}

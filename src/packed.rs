//! The coded blocks of a batch.

use crate::codec::{CodecId, Decoder, Surroundings};
use crate::container::BlockEntry;
use crate::error::{Error, Result};

/// A coded block: what is made by an encoder, or found in a record.
#[derive(Debug, Clone, Copy)]
pub struct CodedBlock<B = Vec<u8>> {
    /// Its codec.
    pub codec: CodecId,
    /// Its packed bytes.
    pub bytes: B,
}

impl CodedBlock {
    /// The same, as it is found in a record.
    pub fn as_found(&self) -> CodedBlock<&[u8]> {
        CodedBlock { codec: self.codec, bytes: &self.bytes }
    }
}

/// The packed bytes of all blocks.
pub fn packed_bytes<B: AsRef<[u8]>>(blocks: &[CodedBlock<B>]) -> usize {
    blocks.iter().map(|block| block.bytes.as_ref().len()).sum()
}

/// The packed bytes of each block.
pub(crate) fn bytes_of<'p>(blocks: &[CodedBlock<&'p [u8]>]) -> Vec<&'p [u8]> {
    blocks.iter().map(|block| block.bytes).collect()
}

/// The blocks that a payload has one after another.
pub(crate) fn cut<'p>(entries: &[BlockEntry], mut payload: &'p [u8]) -> Result<Vec<CodedBlock<&'p [u8]>>> {
    let block = |entry: &BlockEntry| {
        let bytes = payload.split_off(..entry.packed_bytes as usize);
        let bytes = bytes.ok_or_else(|| Error::corrupt("payload: shorter than its blocks"))?;
        Ok(CodedBlock { codec: entry.codec, bytes })
    };
    entries.iter().map(block).collect()
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

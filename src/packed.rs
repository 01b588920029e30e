//! The coded blocks of a batch.

use std::ops::Range;

use crate::codec::{CodecId, Decoder, Surroundings};
use crate::container::{self, BlockEntry};
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::plan::{Plan, Shuffle};

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

/// A span of a plane, to be decoded.
pub(crate) struct Span<'p> {
    /// How its samples are shuffled.
    pub shuffle: Shuffle,
    /// Samples in a row of the plane, and in one frame of it.
    width: usize,
    picture: usize,
    /// Its blocks, that of the lowest bytes first, and how long each of them is.
    blocks: Vec<(CodecId, &'p [u8])>,
    block_bytes: usize,
}

impl<'p> Span<'p> {
    /// The spans of a batch, each with its place in `planes`, which are laid out as `geometry` says.
    pub fn all<'r>(
        geometry: &Geometry,
        plan: &Plan,
        blocks: &[CodedBlock<&'p [u8]>],
        planes: &'r mut [u8],
    ) -> Vec<(Self, &'r mut [u8])> {
        let mut spans: Vec<(Self, &mut [u8])> = Vec::new();
        let (mut rest, mut start) = (planes, 0);
        for (coded, place) in blocks.iter().zip(container::blocks(geometry, plan.span_samples)) {
            let (range, sample_bytes) = (place.bytes, geometry.sample_bytes);
            if place.higher + 1 == sample_bytes {
                let plane = &geometry.planes[place.plane];
                let span = Self {
                    shuffle: plan.planes[place.plane].shuffle,
                    width: plane.width,
                    picture: plane.frame_samples(),
                    blocks: Vec::with_capacity(sample_bytes),
                    block_bytes: range.len(),
                };
                let (_, tail) = rest.split_at_mut(range.start - start);
                let (bytes, tail) = tail.split_at_mut(range.len() * sample_bytes);
                start = range.start + bytes.len();
                rest = tail;
                spans.push((span, bytes));
            }
            if let Some((span, _)) = spans.last_mut() {
                span.blocks.push((coded.codec, coded.bytes));
            }
        }
        spans
    }

    /// Decodes the blocks, one after another, to `bytes`. The highest bytes come first: they may be the context of lower ones.
    pub fn decode(&self, decoder: &mut Decoder, bytes: &mut [u8]) -> Result<()> {
        let mut higher: Vec<&[u8]> = Vec::new();
        for (&(codec, coded), block) in self.blocks.iter().zip(bytes.chunks_exact_mut(self.block_bytes)).rev() {
            let around = Surroundings { width: self.width, picture: self.picture, higher: &higher };
            decoder.decode(codec, coded, around, block)?;
            higher.insert(0, block);
        }
        Ok(())
    }

    /// Decodes the blocks and gives the bytes of some samples at a time, those of each block by themselves.
    pub fn decode_parts(&self, decoder: &mut Decoder, give: impl FnMut(Range<usize>, &[&[u8]])) -> Result<()> {
        let around = Surroundings { width: self.width, picture: self.picture, higher: &[] };
        decoder.decode_span(&self.blocks, self.block_bytes, around, give)
    }
}

//! Zstandard (RFC 8878), one frame per block, without content size and checksum: the container has
//! both.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::{Error, Result};

pub(super) struct Encoder(Compressor<'static>);

impl Encoder {
    pub fn new(level: i32) -> Result<Self> {
        let mut compressor = Compressor::new(level)?;
        compressor.set_parameter(CParameter::ContentSizeFlag(false))?;
        compressor.set_parameter(CParameter::ChecksumFlag(false))?;
        Ok(Self(compressor))
    }

    /// Appends the coded block if it is shorter than `block`.
    pub fn encode(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        // One byte less than the block: a frame that would not shrink it fails for want of room.
        out.resize(start + block.len().saturating_sub(1), 0);
        match self.0.compress_to_buffer(block, &mut out[start..]) {
            Ok(length) => {
                out.truncate(start + length);
                true
            }
            Err(_) => false,
        }
    }
}

pub(super) struct Decoder(Decompressor<'static>);

impl Decoder {
    pub fn new() -> Result<Self> {
        Ok(Self(Decompressor::new()?))
    }

    pub fn decode(&mut self, packed: &[u8], block: &mut [u8]) -> Result<usize> {
        self.0.decompress_to_buffer(packed, block).map_err(|error| Error::corrupt(format!("zstd block: {error}")))
    }
}

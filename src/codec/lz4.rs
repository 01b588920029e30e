//! LZ4 blocks (the block format of lz4.org, as `lz4_flex` codes it).

use crate::error::{Error, Result};

/// Appends the coded block if it is shorter than `block`.
pub(super) fn encode(block: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.resize(start + lz4_flex::block::get_maximum_output_size(block.len()), 0);
    match lz4_flex::block::compress_into(block, &mut out[start..]) {
        Ok(length) if length < block.len() => {
            out.truncate(start + length);
            true
        }
        _ => false,
    }
}

pub(super) fn decode(packed: &[u8], block: &mut [u8]) -> Result<usize> {
    lz4_flex::block::decompress_into(packed, block).map_err(|error| Error::corrupt(format!("lz4 block: {error}")))
}

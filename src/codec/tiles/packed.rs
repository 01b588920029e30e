//! The quick coding of a segment: no tables, no contexts. A byte per tile says its predictor and which
//! of its groups are not zero; those are bit-packed ([`pack`](crate::codec::pack)).

use super::DecodedTiles;
use crate::codec::pack::{self, Packer, Unpacker};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::{GROUP, TILE_GROUPS};
use crate::plan::TilePredictor;
use crate::stage::TiledFrames;

/// Groups of the packer in a group of a tile.
const PARTS: usize = GROUP / pack::GROUP;

/// Appends the code of a segment.
pub fn encode(simd: SimdLevel, frames: &TiledFrames, out: &mut Vec<u8>) {
    let sums = frames.sums.as_chunks::<TILE_GROUPS>().0;
    out.extend(frames.predictors.iter().zip(sums).map(|(&predictor, sums)| {
        (0..TILE_GROUPS).fold(predictor, |byte, group| byte | u8::from(sums[group] > 0) << (4 + group))
    }));
    let mut packer = Packer::new(simd, out);
    packer.append(bytemuck::cast_slice(&frames.groups));
    // Whether that is shorter than the raw rows is for the batch to say.
    let _ = packer.finish();
}

/// Decodes a segment of `tiles` tiles.
///
/// # Errors
/// Corrupt if `packed` is not such a segment.
pub fn decode(simd: SimdLevel, packed: &[u8], tiles: usize, out: &mut DecodedTiles) -> Result<()> {
    let (bytes, packed) =
        packed.split_at_checked(tiles).ok_or_else(|| Error::corrupt("tiles: the segment ends too early"))?;
    out.predictors.clear();
    out.predictors.extend(bytes.iter().map(|byte| byte & 15));
    if let Some(id) = out.predictors.iter().find(|&&id| usize::from(id) >= TilePredictor::ALL.len()) {
        return Err(Error::corrupt(format!("tiles: {id} is no predictor")));
    }
    out.classes.resize(tiles * TILE_GROUPS, 0);
    for (classes, byte) in out.classes.as_chunks_mut::<TILE_GROUPS>().0.iter_mut().zip(bytes) {
        *classes = [byte >> 4 & 1, byte >> 5 & 1, byte >> 6 & 1, byte >> 7];
    }
    let groups: u32 = bytes.iter().map(|byte| (byte >> 4).count_ones()).sum();
    out.groups.resize(groups as usize, [0; GROUP]);
    let mut unpacker = Unpacker::new(simd, packed, groups as usize * PARTS)?;
    unpacker.unpack(bytemuck::cast_slice_mut(&mut out.groups))?;
    unpacker.finish()
}

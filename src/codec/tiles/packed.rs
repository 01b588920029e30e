//! The quick coding of a segment: no tables, no contexts. A byte per tile says its predictor and which
//! of its groups are not zero; those are bit-packed ([`pack`](crate::codec::pack)).
//!
//! **Twin**: `shaders/tiles/packed.wgsl`, but for how widths are written, which is left to the CPU.

use super::DecodedTiles;
use crate::codec::pack::{self, Packer, Unpacker};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::{GROUP, TILE_GROUPS};
use crate::plan::TilePredictor;
use crate::stage::{PackedSegment, TiledFrames};

/// Groups of the packer in a group of a tile.
const PARTS: usize = GROUP / pack::GROUP;

/// Appends the code of a segment.
pub fn encode(simd: SimdLevel, frames: &TiledFrames, out: &mut Vec<u8>) {
    begin(&frames.predictors, &frames.sums, out);
    let mut packer = Packer::new(simd, out);
    packer.append(bytemuck::cast_slice(&frames.groups));
    // Whether that is shorter than the raw rows is for the batch to say.
    let _ = packer.finish();
}

/// Appends the code of a segment that is packed.
pub fn put(simd: SimdLevel, segment: PackedSegment<'_>, out: &mut Vec<u8>) {
    begin(segment.predictors, segment.widths, out);
    let widths: Vec<u8> = segment.widths.iter().filter(|&&widths| widths > 0).flat_map(|&it| parts(it)).collect();
    pack::put(simd, &widths, segment.numbers, out);
}

/// Appends what a segment has before its groups, whose mark (sum or widths) is 0 for those of zeros.
fn begin(predictors: &[u8], marks: &[u16], out: &mut Vec<u8>) {
    out.extend(predictors.iter().zip(marks.as_chunks::<TILE_GROUPS>().0).map(|(&predictor, marks)| {
        (0..TILE_GROUPS).fold(predictor, |byte, group| byte | u8::from(marks[group] > 0) << (4 + group))
    }));
}

/// Decodes a segment of `tiles` tiles.
///
/// # Errors
/// Corrupt if `packed` is not such a segment.
pub fn decode(simd: SimdLevel, packed: &[u8], tiles: usize, out: &mut DecodedTiles) -> Result<()> {
    let Head { bytes, groups, rest } = Head::read(packed, tiles)?;
    out.predictors.clear();
    out.predictors.extend(bytes.iter().map(|byte| byte & 15));
    out.classes.resize(tiles * TILE_GROUPS, 0);
    for (classes, &byte) in out.classes.as_chunks_mut::<TILE_GROUPS>().0.iter_mut().zip(bytes) {
        *classes = marks(byte);
    }
    out.groups.resize(groups, [0; GROUP]);
    let mut unpacker = Unpacker::new(simd, rest, groups * PARTS)?;
    unpacker.unpack(bytemuck::cast_slice_mut(&mut out.groups))?;
    unpacker.finish()
}

/// Appends the predictors and widths of a segment of `tiles` tiles, and finds its numbers.
///
/// # Errors
/// Corrupt if `packed` is not such a segment.
pub fn read<'p>(
    simd: SimdLevel,
    packed: &'p [u8],
    tiles: usize,
    predictors: &mut Vec<u8>,
    widths: &mut Vec<u16>,
) -> Result<&'p [u8]> {
    let Head { bytes, groups, rest } = Head::read(packed, tiles)?;
    let (of_parts, numbers) = pack::take(simd, rest, groups * PARTS)?;
    predictors.extend(bytes.iter().map(|byte| byte & 15));
    let mut of_groups = of_parts.as_chunks::<PARTS>().0.iter().map(|&parts| joined(parts));
    let mut of_group = |mark: u8| if mark > 0 { of_groups.next().unwrap_or(0) } else { 0 };
    widths.extend(bytes.iter().flat_map(|&byte| marks(byte)).map(&mut of_group));
    Ok(numbers)
}

/// What a segment begins with.
struct Head<'a> {
    /// Of each tile.
    bytes: &'a [u8],
    /// Groups that are not zero.
    groups: usize,
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(packed: &'a [u8], tiles: usize) -> Result<Self> {
        let short = || Error::corrupt("tiles: the segment ends too early");
        let (bytes, rest) = packed.split_at_checked(tiles).ok_or_else(short)?;
        if let Some(id) = bytes.iter().map(|byte| byte & 15).find(|&id| usize::from(id) >= TilePredictor::ALL.len()) {
            return Err(Error::corrupt(format!("tiles: {id} is no predictor")));
        }
        let groups: u32 = bytes.iter().map(|byte| (byte >> 4).count_ones()).sum();
        Ok(Self { bytes, groups: groups as usize, rest })
    }
}

/// Which groups of a tile are not zero.
fn marks(byte: u8) -> [u8; TILE_GROUPS] {
    [byte >> 4 & 1, byte >> 5 & 1, byte >> 6 & 1, byte >> 7]
}

/// The widths of the parts of a group.
fn parts(widths: u16) -> [u8; PARTS] {
    std::array::from_fn(|part| (widths >> (4 * part) & 15) as u8)
}

/// What [`parts`] took apart.
fn joined(parts: [u8; PARTS]) -> u16 {
    parts.iter().rev().fold(0, |widths, &width| widths << 4 | u16::from(width))
}

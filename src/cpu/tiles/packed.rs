//! All tiles of a batch with their residuals packed, and back; segments are jobs.
//!
//! What the pipeline does on the CPU band by band, by way of whole segments of a file, so that no other backend is needed
//! to compare one with.

use super::batch;
use crate::codec::{DecodedTiles, packed_tiles};
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, Geometry};
use crate::plan::TilePlan;
use crate::pool::{self, Crew};
use crate::stage::{PackedTiles, TileBatch, TileEffort, TiledFrames, spread};

/// Raw frames to packed tiles.
pub fn pack(
    simd: SimdLevel,
    crew: &Crew,
    raw: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
) -> Result<PackedTiles<'static>> {
    let geometry = raw.geometry;
    if raw.raw.is_empty() {
        return Ok(PackedTiles::default());
    }
    let tiling = &plan.tiling(geometry);
    let mut tiles = TileBatch::default();
    batch::forward(simd, crew, (raw, None), plan.cut(), effort, &mut tiles)?;
    let segments = pool::map(crew, tiles.segments(geometry, plan, tiling), |(_, (predictors, groups))| {
        let mut frames = TiledFrames::default();
        frames.extend(predictors, groups);
        let (mut packed, mut predictors, mut widths) = (Vec::new(), Vec::new(), Vec::new());
        packed_tiles::encode(simd, &frames, &mut packed);
        let tiles = frames.predictors.len();
        let numbers = packed_tiles::read(simd, &packed, tiles, &mut predictors, &mut widths)?.to_vec();
        Ok((predictors, widths, numbers))
    })?;
    let mut packed = PackedTiles::default();
    for (predictors, widths, numbers) in segments {
        packed.predictors.extend(predictors);
        packed.widths.extend(widths);
        packed.numbers.push(numbers.into());
    }
    Ok(packed)
}

/// Packed tiles to raw frames.
pub fn unpack(
    simd: SimdLevel,
    crew: &Crew,
    geometry: &Geometry,
    plan: &TilePlan,
    packed: &PackedTiles<'_>,
    raw: &mut [u8],
) -> Result<()> {
    let tiling = &plan.tiling(geometry);
    packed.check(geometry, plan, tiling)?;
    if raw.is_empty() {
        return Ok(());
    }
    let mut tiles = TileBatch::default();
    tiles.resize_for_overwrite(tiling.tiles() * geometry.frames);
    let (predictors, mut groups) = tiles.parts_mut();
    predictors.copy_from_slice(&packed.predictors);
    let mut jobs = Vec::new();
    for segment in packed.bands(geometry, plan, tiling).into_iter().flatten() {
        let its_groups = groups.split_off_mut(..segment.widths.len()).unwrap_or_default();
        jobs.push((segment, its_groups));
    }
    pool::for_each(crew, jobs, |(segment, groups)| {
        let (mut code, mut decoded) = (Vec::new(), DecodedTiles::default());
        let tiles = segment.predictors.len();
        packed_tiles::put(simd, segment, &mut code);
        packed_tiles::decode(simd, &code, tiles, &mut decoded)?;
        spread(&decoded.classes, &mut decoded.groups.iter(), groups);
        Ok(())
    })?;
    batch::inverse(simd, crew, (geometry, None), plan.cut(), &tiles, raw)
}

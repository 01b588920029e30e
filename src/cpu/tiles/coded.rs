//! All tiles of a batch with their residuals coded; segments are jobs.
//!
//! What the pipeline does on the CPU band by band, so that no other backend is needed to compare one with.

use super::batch;
use crate::codec::TileEncoderTables;
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, TILE_GROUPS};
use crate::plan::TilePlan;
use crate::pool;
use crate::stage::{CodedTiles, TileBatch, TileEffort, TiledFrames};

/// Raw frames to coded tiles.
pub fn encode(
    simd: SimdLevel,
    threads: usize,
    raw: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
    tables: &TileEncoderTables,
) -> Result<CodedTiles<'static>> {
    let geometry = raw.geometry;
    let tiling = &plan.tiling(geometry);
    let mut tiles = TileBatch::default();
    batch::forward(simd, threads, raw, plan.cut(), effort, &mut tiles)?;
    let mut jobs = Vec::new();
    for (band, (mut predictors, mut groups)) in tiling.bands.iter().zip(tiles.bands(tiling, geometry.frames)) {
        for tiles in plan.segment_lengths(geometry).map(|frames| frames * band.tiles()) {
            let of_segment = predictors.split_off(..tiles).unwrap_or_default();
            jobs.push((band, of_segment, groups.split_off(..tiles * TILE_GROUPS).unwrap_or_default()));
        }
    }
    let coded = pool::map(threads, jobs, |(band, predictors, groups)| {
        let mut frames = TiledFrames::default();
        frames.extend(predictors, groups);
        Ok(tables.code(simd, band, &frames))
    })?;
    let (classes, segments): (Vec<_>, Vec<_>) = coded.into_iter().unzip();
    Ok(CodedTiles { predictors: tiles.predictors().to_vec(), classes: classes.concat(), segments })
}

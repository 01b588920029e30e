//! All tiles of a batch with their residuals coded, and back; segments are jobs.
//!
//! What the pipeline does on the CPU band by band, so that no other backend is needed to compare one with.

use super::batch;
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, Geometry, TILE_GROUPS};
use crate::motion::Motion;
use crate::plan::TilePlan;
use crate::pool::{self, Crew};
use crate::stage::{CodedTiles, TileBatch, TileEffort, TiledFrames, spread};

/// Raw frames to coded tiles.
pub fn encode(
    simd: SimdLevel,
    crew: &Crew,
    (raw, motion): (Batch<'_>, Option<&Motion>),
    plan: &TilePlan,
    effort: TileEffort,
    tables: &TileEncoderTables,
) -> Result<CodedTiles<'static>> {
    let geometry = raw.geometry;
    let tiling = &plan.tiling(geometry);
    let mut tiles = TileBatch::default();
    batch::forward(simd, crew, (raw, motion), plan.cut(), effort, &mut tiles)?;
    let coded = pool::map(crew, tiles.segments(geometry, plan, tiling), |(band, (predictors, groups))| {
        let mut frames = TiledFrames::default();
        frames.extend(predictors, groups);
        Ok(tables.code(simd, band, &frames))
    })?;
    let (classes, segments): (Vec<_>, Vec<_>) = coded.into_iter().unzip();
    Ok(CodedTiles { predictors: tiles.predictors().to_vec(), classes: classes.concat(), segments })
}

/// Coded tiles to raw frames.
pub fn decode(
    simd: SimdLevel,
    crew: &Crew,
    (geometry, motion): (&Geometry, Option<&Motion>),
    plan: &TilePlan,
    tables: &TileDecoderTables,
    coded: &CodedTiles<'_>,
    raw: &mut [u8],
) -> Result<()> {
    let tiling = &plan.tiling(geometry);
    coded.check(geometry, plan, tiling, tables)?;
    let mut tiles = TileBatch::default();
    tiles.resize_for_overwrite(tiling.tiles() * geometry.frames);
    let (predictors, mut groups) = tiles.parts_mut();
    predictors.copy_from_slice(&coded.predictors);
    let mut classes = coded.classes.as_slice();
    let mut segments = coded.segments.iter();
    let mut jobs = Vec::new();
    for band in &tiling.bands {
        for tiles in plan.segment_lengths(geometry).map(|frames| frames * band.tiles()) {
            let of_segment = classes.split_off(..tiles * TILE_GROUPS).unwrap_or_default();
            let its_groups = groups.split_off_mut(..tiles * TILE_GROUPS).unwrap_or_default();
            jobs.extend(segments.next().map(|segment| (band, of_segment, segment, its_groups)));
        }
    }
    pool::for_each(crew, jobs, |(band, classes, segment, groups)| {
        let mut decoded = Vec::new();
        tables.decode(simd, band, classes, segment, &mut decoded)?;
        spread(classes, &mut decoded.iter(), groups);
        Ok(())
    })?;
    batch::inverse(simd, crew, (geometry, motion), plan.cut(), &tiles, raw)
}

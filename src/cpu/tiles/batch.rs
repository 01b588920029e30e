//! All tiles of a batch; bands are jobs.

use super::BandState;
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, Geometry, TILE_GROUPS};
use crate::plan::{TileCut, band_slices};
use crate::pool::{self, Crew};
use crate::stage::{TileBatch, TileEffort, TiledFrames, spread};

/// Raw frames to tiles.
pub fn forward(
    simd: SimdLevel,
    crew: &Crew,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
    out: &mut TileBatch,
) -> Result<()> {
    let geometry = batch.geometry;
    let tiling = &cut.tiling(geometry);
    out.resize_for_overwrite(tiling.tiles() * geometry.frames);
    let jobs = tiling.bands.iter().zip(out.bands_mut(tiling, geometry.frames)).collect();
    pool::for_each(crew, jobs, |(band, (predictors, groups))| {
        let tiles = band.tiles();
        let mut state = BandState::new(simd, cut.colour, geometry, tiling, band);
        let mut coded = TiledFrames::default();
        let outs = predictors.chunks_exact_mut(tiles).zip(groups.chunks_exact_mut(tiles * TILE_GROUPS));
        for (frame, (predictors, groups)) in outs.enumerate() {
            coded.clear();
            state.forward(effort, &band_slices(geometry, tiling, band, batch.raw, frame), &mut coded);
            predictors.copy_from_slice(&coded.predictors);
            spread(&coded.sums, &mut coded.groups.iter(), groups);
        }
        Ok(())
    })
}

/// Tiles to raw frames.
pub fn inverse(
    simd: SimdLevel,
    crew: &Crew,
    geometry: &Geometry,
    cut: TileCut,
    tiles: &TileBatch,
    raw: &mut [u8],
) -> Result<()> {
    let tiling = &cut.tiling(geometry);
    tiles.check(tiling, geometry.frames)?;
    let (mut predictors, mut groups) = (tiles.predictors(), tiles.groups());
    let mut jobs = Vec::new();
    for (band, frames) in tiling.bands.iter().zip(tiling.rows_mut(geometry.frame_samples, raw)) {
        let tiles = band.tiles() * geometry.frames;
        let of_band = predictors.split_off(..tiles).unwrap_or_default();
        jobs.push((band, frames, of_band, groups.split_off(..tiles * TILE_GROUPS).unwrap_or_default()));
    }
    pool::for_each(crew, jobs, |(band, frames, predictors, groups)| {
        let mut state = BandState::new(simd, cut.colour, geometry, tiling, band);
        let mut groups = groups.iter();
        // Groups of zeros are among the groups here, so none is marked.
        let marks = vec![1; band.tiles() * TILE_GROUPS];
        for (mut rows, predictors) in frames.into_iter().zip(predictors.chunks_exact(band.tiles())) {
            state.inverse(predictors, &marks, &mut groups, &mut rows);
        }
        Ok(())
    })
}

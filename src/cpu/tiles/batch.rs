//! All tiles of a batch; bands are jobs.

use super::BandState;
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, Geometry, TILE_GROUPS};
use crate::motion::Motion;
use crate::plan::{TileCut, band_slices};
use crate::pool::{self, Crew};
use crate::stage::{TileBatch, TileEffort, TiledFrames, spread};

/// Raw frames to tiles.
pub fn forward(
    simd: SimdLevel,
    crew: &Crew,
    (batch, motion): (Batch<'_>, Option<&Motion>),
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
            if let Some(expected) = motion.and_then(|motion| motion.expectation(geometry, frame, batch.raw)) {
                state.expect(geometry, &expected);
            }
            state.forward(effort, &band_slices(geometry, tiling, band, batch.raw, frame), &[], &mut coded);
            predictors.copy_from_slice(&coded.predictors);
            spread(&coded.sums, &mut coded.groups.iter(), groups);
        }
        Ok(())
    })
}

/// Tiles to raw frames, all at once unless they move: what is expected of a band is made from all bands of the frame before.
pub fn inverse(
    simd: SimdLevel,
    crew: &Crew,
    (geometry, motion): (&Geometry, Option<&Motion>),
    cut: TileCut,
    tiles: &TileBatch,
    raw: &mut [u8],
) -> Result<()> {
    let tiling = &cut.tiling(geometry);
    tiles.check(tiling, geometry.frames)?;
    let (mut predictors, mut groups) = (tiles.predictors(), tiles.groups());
    let mut bands = Vec::new();
    for band in &tiling.bands {
        let tiles = band.tiles() * geometry.frames;
        let of_band = predictors.split_off(..tiles).unwrap_or_default();
        let its_groups = groups.split_off(..tiles * TILE_GROUPS).unwrap_or_default();
        let state = BandState::new(simd, cut.colour, geometry, tiling, band);
        bands.push((band, state, of_band.chunks_exact(band.tiles()), its_groups.iter()));
    }
    let at_once = if motion.is_some() { 1 } else { geometry.frames.max(1) };
    for first in (0..geometry.frames).step_by(at_once) {
        let (restored, rest) = raw.split_at_mut(first * geometry.frame_samples);
        let rows = tiling.rows_mut(geometry.frame_samples, &mut rest[..at_once * geometry.frame_samples]);
        pool::for_each(crew, bands.iter_mut().zip(rows).collect(), |((band, state, predictors, groups), frames)| {
            // Groups of zeros are among the groups here, so none is marked.
            let marks = vec![1; band.tiles() * TILE_GROUPS];
            if let Some(expected) = motion.and_then(|motion| motion.expectation(geometry, first, restored)) {
                state.expect(geometry, &expected);
            }
            for (mut rows, predictors) in frames.into_iter().zip(predictors) {
                state.inverse(predictors, &marks, groups, &mut rows);
            }
            Ok(())
        })?;
    }
    Ok(())
}

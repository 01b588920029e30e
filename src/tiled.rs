//! The tiled path: bands are jobs of their own, from raw rows to packed segments and back.

use crate::codec::{DecodedTiles, TileDecoder, TileDecoderTables, TileEncoder, TileEncoderTables};
use crate::cpu::CpuBackend;
use crate::cpu::tiles::BandState;
use crate::error::{Error, Result};
use crate::frame::{Batch, Geometry, TILE_GROUPS};
use crate::plan::{TileChoice, TilePlan, band_slices};
use crate::pool;
use crate::stage::TiledFrames;

/// The packed segments of a batch, band by band, and the plan.
pub(crate) fn encode(batch: Batch<'_>, choice: TileChoice, cpu: &CpuBackend) -> Result<(TilePlan, Vec<Vec<u8>>)> {
    let TileChoice { plan, classes, effort, .. } = choice;
    let geometry = batch.geometry;
    let tiling = plan.tiling(geometry);
    let tables = TileEncoderTables::new(&plan.tables, classes);
    let bands = pool::map(cpu.threads(), tiling.bands.iter().collect(), |band| {
        let mut state = BandState::new(cpu.simd(), plan.colour, geometry, &tiling, band);
        let mut encoder = TileEncoder::new(cpu.simd(), &tables, band);
        let mut frames = TiledFrames::default();
        let mut segments = Vec::new();
        let all: Vec<usize> = (0..geometry.frames).collect();
        for segment in all.chunks(plan.segment_frames as usize) {
            frames.clear();
            for &frame in segment {
                state.forward(effort, &band_slices(geometry, &tiling, band, batch.raw, frame), &mut frames);
            }
            let mut packed = Vec::new();
            encoder.encode(&mut frames, &mut packed)?;
            segments.push(packed);
        }
        Ok(segments)
    })?;
    Ok((plan, bands.into_iter().flatten().collect()))
}

/// Restores the raw frames of a batch from its segments.
///
/// # Errors
/// Corrupt if a segment is not what the plan says.
pub fn decode(
    geometry: &Geometry,
    plan: &TilePlan,
    segments: &[&[u8]],
    raw: &mut [u8],
    cpu: &CpuBackend,
) -> Result<()> {
    let tiling = plan.tiling(geometry);
    if plan.tables.sets() != tiling.sets {
        return Err(Error::corrupt("tile plan: as many sets of tables as of statistics"));
    }
    let tables = TileDecoderTables::new(&plan.tables);
    let per_band = plan.segments(geometry);
    let mut bands: Vec<Vec<Vec<&mut [u8]>>> = tiling.bands.iter().map(|_| Vec::new()).collect();
    for frame in raw.chunks_exact_mut(geometry.frame_samples) {
        let mut rest = frame;
        for band in &mut bands {
            band.push(Vec::new());
        }
        for (at, region) in tiling.regions.iter().enumerate() {
            for (band, out) in tiling.bands.iter().zip(&mut bands) {
                let (rows, tail) = rest.split_at_mut(band.rows[at].len() * region.row_samples);
                rest = tail;
                if let Some(frame) = out.last_mut() {
                    frame.push(rows);
                }
            }
        }
    }
    let jobs = tiling.bands.iter().zip(segments.chunks(per_band.max(1))).zip(bands).collect();
    pool::for_each(cpu.threads(), jobs, |((band, segments), mut frames)| {
        let mut state = BandState::new(cpu.simd(), plan.colour, geometry, &tiling, band);
        let mut decoder = TileDecoder::new(cpu.simd(), &tables, band);
        let mut tiles = DecodedTiles::default();
        for (segment, frames) in segments.iter().zip(frames.chunks_mut(plan.segment_frames as usize)) {
            decoder.decode(segment, frames.len(), &mut tiles)?;
            let mut groups = tiles.groups.iter();
            let predictors = tiles.predictors.chunks(band.tiles().max(1));
            let classes = tiles.classes.chunks((band.tiles() * TILE_GROUPS).max(1));
            for ((frame, predictors), classes) in frames.iter_mut().zip(predictors).zip(classes) {
                state.inverse(predictors, classes, &mut groups, frame);
            }
        }
        Ok(())
    })
}

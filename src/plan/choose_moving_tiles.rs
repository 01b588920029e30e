//! The plan of tiles that move: whether they do shows on some pairs of frames, which are counted both ways.

use std::sync::Arc;

use super::choose_motion::pays;
use super::choose_tiles::{Pieces, count, pieces};
use super::{TileChoice, TileCoding, TilePlan};
use crate::codec::model::vectors;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::Batch;
use crate::motion::{Field, Filters, Motion, Share, first_planes, search, search_all};

/// Pairs of frames that motion is tried on.
const TRIED_PAIRS: usize = 6;

/// The same with motion, if that pays.
pub(crate) fn with_motion(
    batch: Batch<'_>,
    still: TileChoice,
    shares: Vec<Share>,
    cpu: &CpuBackend,
) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let Some(frames) = first_planes(batch).filter(|_| still.plan.has_tables()) else { return Ok(still) };
    let width = geometry.planes[0].width;
    let filters = Filters::choose(&frames, width, cpu)?;
    if !pairs_gain(batch, &still, &frames, filters, cpu)? {
        return Ok(still);
    }
    let motion = Motion { shares, fields: search_all(&frames, width, filters, cpu)? };
    let Pieces { bands, band_bytes, of_tables, .. } = Pieces::of(geometry, false);
    let tiling = still.plan.tiling(geometry);
    let pieces = pieces(geometry, bands, of_tables).collect();
    let counts = count(batch, &tiling, still.plan.colour, still.effort, Some(&motion), pieces, cpu)?;
    let (tables, classes) = counts.tables();
    let sampled_bytes = of_tables * band_bytes;
    let of_vectors = bits(&motion.fields, cpu) * sampled_bytes as u64 / geometry.raw_bytes() as u64;
    Ok(TileChoice {
        plan: TilePlan { moves: true, coding: TileCoding::Tables(tables), ..still.plan },
        classes: Some(classes),
        motion: Some(Arc::new(motion)),
        bits: counts.bits() + of_vectors,
        sampled_bytes,
        ..still
    })
}

/// Whether motion saves enough of some pairs of frames.
fn pairs_gain(
    batch: Batch<'_>,
    still: &TileChoice,
    frames: &[&[u8]],
    filters: Filters,
    cpu: &CpuBackend,
) -> Result<bool> {
    let Some(mut motion) = Motion::still(batch.geometry) else { return Ok(false) };
    let first = &batch.geometry.planes[0];
    let nothing = Field::still(first.width, first.height);
    let count_of_pairs = frames.len() - 1;
    let mut pairs: Vec<usize> = (0..TRIED_PAIRS).map(|at| (2 * at + 1) * count_of_pairs / (2 * TRIED_PAIRS)).collect();
    pairs.dedup();
    for &pair in &pairs {
        motion.fields[pair] = search([frames[pair], frames[pair + 1]], first.width, filters, &nothing, cpu)?;
    }
    let tiling = still.plan.tiling(batch.geometry);
    let bands = 0..tiling.bands.len();
    let pieces: Vec<_> = pairs.iter().flat_map(|pair| bands.clone().map(move |band| (band, pair + 1))).collect();
    let bits_of = |motion, pieces| {
        count(batch, &tiling, still.plan.colour, still.effort, motion, pieces, cpu).map(|counts| counts.bits())
    };
    let of_vectors = bits(&pairs.iter().map(|&pair| motion.fields[pair].clone()).collect::<Vec<_>>(), cpu);
    let (moving, still) = (bits_of(Some(&motion), pieces.clone())? + of_vectors, bits_of(None, pieces)?);
    Ok(pays(still, moving))
}

/// What vectors take.
fn bits(fields: &[Field], cpu: &CpuBackend) -> u64 {
    8 * vectors::encode(cpu.simd(), fields).len() as u64
}

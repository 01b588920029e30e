//! The plan of tiles that move: whether they do shows on some pairs of frames, which are counted both ways.

use std::sync::Arc;

use super::choose_motion::pays;
use super::choose_tiles::{Pieces, count, pieces};
use super::{TileChoice, TileCoding, TilePlan};
use crate::codec::model::vectors;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::Batch;
use crate::motion::{Field, Filters, Motion, SearchEffort, Share, first_planes, search, search_all};

/// Pairs of frames that motion is tried on. They are searched all around, whatever the effort.
fn tried_pairs(effort: SearchEffort) -> usize {
    match effort {
        SearchEffort::Light => 3,
        SearchEffort::Full => 6,
    }
}

/// The same with motion, if that pays.
pub(crate) fn with_motion(
    batch: Batch<'_>,
    still: TileChoice,
    shares: Vec<Share>,
    effort: SearchEffort,
    cpu: &CpuBackend,
) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let Some(frames) = first_planes(batch).filter(|_| still.plan.has_tables()) else { return Ok(still) };
    let width = geometry.planes[0].width;
    let filters = Filters::choose(&frames, width, cpu)?;
    let tried = search_some(&frames, width, filters, effort, cpu)?;
    if !gain(batch, &still, &tried, cpu)? {
        return Ok(still);
    }
    // A full search finds more if it goes on from what moved before.
    let known = |pair| match effort {
        SearchEffort::Light => tried.iter().find(|&&(tried, _)| tried == pair).map(|(_, field)| field.clone()),
        SearchEffort::Full => None,
    };
    let motion = Motion { shares, fields: search_all(&frames, width, filters, known, effort, cpu)? };
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

/// Some pairs of frames, each by the number of its first one, and how they have moved.
fn search_some(
    frames: &[&[u8]],
    width: usize,
    filters: Filters,
    effort: SearchEffort,
    cpu: &CpuBackend,
) -> Result<Vec<(usize, Field)>> {
    let (pairs, tried) = (frames.len() - 1, tried_pairs(effort));
    let mut places: Vec<usize> = (0..tried).map(|at| (2 * at + 1) * pairs / (2 * tried)).collect();
    places.dedup();
    let search = |pair| Ok((pair, search([frames[pair], frames[pair + 1]], width, filters, None, effort, cpu)?));
    places.into_iter().map(search).collect()
}

/// Whether motion saves enough of the pairs that were `tried`.
fn gain(batch: Batch<'_>, still: &TileChoice, tried: &[(usize, Field)], cpu: &CpuBackend) -> Result<bool> {
    let Some(mut motion) = Motion::still(batch.geometry) else { return Ok(false) };
    for (pair, field) in tried {
        motion.fields[*pair].clone_from(field);
    }
    let tiling = still.plan.tiling(batch.geometry);
    let bands = 0..tiling.bands.len();
    let pieces: Vec<_> = tried.iter().flat_map(|(pair, _)| bands.clone().map(move |band| (band, pair + 1))).collect();
    let bits_of = |motion, pieces| {
        count(batch, &tiling, still.plan.colour, still.effort, motion, pieces, cpu).map(|counts| counts.bits())
    };
    let of_vectors = bits(&tried.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>(), cpu);
    let (moving, still) = (bits_of(Some(&motion), pieces.clone())? + of_vectors, bits_of(None, pieces)?);
    Ok(pays(still, moving))
}

/// What vectors take.
fn bits(fields: &[Field], cpu: &CpuBackend) -> u64 {
    8 * vectors::encode(cpu.simd(), fields).len() as u64
}

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
    let Some(filters) = filters_that_pay(batch, &still, &frames, cpu)? else { return Ok(still) };
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

/// The filters with which motion saves enough of some pairs of frames, if there are any.
fn filters_that_pay(
    batch: Batch<'_>,
    still: &TileChoice,
    frames: &[&[u8]],
    cpu: &CpuBackend,
) -> Result<Option<Filters>> {
    let Some(mut motion) = Motion::still(batch.geometry) else { return Ok(None) };
    let first = &batch.geometry.planes[0];
    let nothing = Field::still(first.width, first.height);
    let count_of_pairs = frames.len() - 1;
    let mut pairs: Vec<usize> = (0..TRIED_PAIRS).map(|at| (2 * at + 1) * count_of_pairs / (2 * TRIED_PAIRS)).collect();
    pairs.dedup();
    let tiling = still.plan.tiling(batch.geometry);
    let bands = 0..tiling.bands.len();
    let pieces: Vec<_> = pairs.iter().flat_map(|pair| bands.clone().map(move |band| (band, pair + 1))).collect();
    let bits_of = |motion: Option<&Motion>| {
        count(batch, &tiling, still.plan.colour, still.effort, motion, pieces.clone(), cpu).map(|counts| counts.bits())
    };
    let mut bits_with = |filters| -> Result<u64> {
        for &pair in &pairs {
            motion.fields[pair] = search([frames[pair], frames[pair + 1]], first.width, filters, &nothing, cpu)?;
        }
        let of_vectors = bits(&pairs.iter().map(|&pair| motion.fields[pair].clone()).collect::<Vec<_>>(), cpu);
        Ok(bits_of(Some(&motion))? + of_vectors)
    };
    let mut filters = Filters::choose(frames, first.width, cpu)?;
    let mut moving = bits_with(filters)?;
    // The choice has seen the first planes alone.
    if filters.have_eight_taps() {
        let usual = bits_with(Filters::USUAL)?;
        if usual < moving {
            (filters, moving) = (Filters::USUAL, usual);
        }
    }
    Ok(pays(bits_of(None)?, moving).then_some(filters))
}

/// What vectors take.
fn bits(fields: &[Field], cpu: &CpuBackend) -> u64 {
    8 * vectors::encode(cpu.simd(), fields).len() as u64
}

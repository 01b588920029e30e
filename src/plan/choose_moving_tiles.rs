//! The plan of tiles that move: whether they do shows on some pairs of frames, which are counted both ways.

use std::sync::Arc;

use super::choose_motion::pays;
use super::choose_order::order_motion;
use super::choose_tiles::{Pieces, count, pieces};
use super::{TileChoice, TileCoding, TilePlan};
use crate::codec::model::vectors;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::Batch;
use crate::motion::{Field, Filters, Motion, OrderedMotion, SearchEffort, Share, first_planes, search_all, spread};
use crate::stage::Backend;

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
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let Some(frames) = first_planes(batch).filter(|_| still.plan.has_tables()) else { return Ok(still) };
    let width = geometry.planes[0].width;
    let Some((filters, tried)) = filters_that_pay(batch, &still, &frames, effort, backend, cpu)? else {
        return Ok(still);
    };
    // A full search finds more if it goes on from what moved before.
    let known = |pair| match effort {
        SearchEffort::Light => tried.iter().find(|&&(tried, _)| tried == pair).map(|(_, field)| field),
        SearchEffort::Full => None,
    };
    let motion = Motion { shares, fields: search_all(&frames, width, filters, known, effort, backend, cpu)? };
    moving(batch, still, Arc::new(OrderedMotion::in_turn(motion)), cpu)
}

/// The same with frames in the order in which they are coded best, if that is smaller; and this order.
pub(crate) fn with_order(
    batch: Batch<'_>,
    in_turn: TileChoice,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<(TileChoice, Option<Arc<OrderedMotion>>)> {
    let turns = in_turn.motion.as_ref().and_then(|motion| motion.turns());
    let Some((motion, frames)) = turns.zip(first_planes(batch)) else { return Ok((in_turn, None)) };
    let ordered = Arc::new(order_motion(&frames, batch.geometry.planes[0].width, motion, backend, cpu)?);
    if ordered.order().is_in_turn() {
        return Ok((in_turn, Some(ordered)));
    }
    let choice = moving(batch, in_turn.clone(), Arc::clone(&ordered), cpu)?;
    Ok((if choice.bits < in_turn.bits { choice } else { in_turn }, Some(ordered)))
}

/// The same with this motion.
fn moving(batch: Batch<'_>, choice: TileChoice, motion: Arc<OrderedMotion>, cpu: &CpuBackend) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let Pieces { bands, band_bytes, of_tables, .. } = Pieces::of(geometry, false);
    let tiling = choice.plan.tiling(geometry);
    let pieces = pieces(geometry, bands, of_tables).collect();
    let counts = count(batch, &tiling, choice.plan.colour, choice.effort, Some(&motion), pieces, cpu)?;
    let (tables, classes) = counts.tables();
    let sampled_bytes = of_tables * band_bytes;
    let packed = vectors::encode_ordered(cpu.simd(), motion.order(), motion.moved.clone()).0;
    let of_vectors = 8 * packed.len() as u64 * sampled_bytes as u64 / geometry.raw_bytes() as u64;
    Ok(TileChoice {
        plan: TilePlan { moves: true, coding: TileCoding::Tables(tables), ..choice.plan },
        classes: Some(classes),
        motion: Some(motion),
        bits: counts.bits() + of_vectors,
        sampled_bytes,
        ..choice
    })
}

/// A pair of frames by the number of its first one, and how they have moved.
type Tried = (usize, Field);

/// The filters with which motion saves enough of some pairs of frames, if there are any, and how these have moved.
fn filters_that_pay(
    batch: Batch<'_>,
    still: &TileChoice,
    frames: &[&[u8]],
    effort: SearchEffort,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Option<(Filters, Vec<Tried>)>> {
    let Some(mut motion) = OrderedMotion::still(batch.geometry) else { return Ok(None) };
    let width = batch.geometry.planes[0].width;
    let pairs = spread(frames.len() - 1, tried_pairs(effort));
    let tiling = still.plan.tiling(batch.geometry);
    let bands = 0..tiling.bands.len();
    let pieces: Vec<_> = pairs.iter().flat_map(|pair| bands.clone().map(move |band| (band, pair + 1))).collect();
    let bits_of = |motion: Option<&OrderedMotion>| {
        count(batch, &tiling, still.plan.colour, still.effort, motion, pieces.clone(), cpu).map(|counts| counts.bits())
    };
    let mut bits_with = |filters| -> Result<(u64, Vec<Tried>)> {
        let mut tried: Vec<Tried> = Vec::with_capacity(pairs.len());
        for &pair in &pairs {
            let found = search_all(&frames[pair..=pair + 1], width, filters, |_| None, effort, backend, cpu)?;
            tried.extend(found.into_iter().map(|field| (pair, field)));
        }
        for (pair, field) in &tried {
            motion.moved[*pair].earlier.clone_from(field);
        }
        let of_vectors = bits(&tried.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>(), cpu);
        Ok((bits_of(Some(&motion))? + of_vectors, tried))
    };
    let mut filters = Filters::choose(frames, width, cpu)?;
    let (mut moving, mut tried) = bits_with(filters)?;
    // The choice has seen the first planes alone.
    if filters.have_eight_taps() {
        let (usual, tried_usually) = bits_with(Filters::USUAL)?;
        if usual < moving {
            (filters, moving, tried) = (Filters::USUAL, usual, tried_usually);
        }
    }
    Ok(pays(bits_of(None)?, moving).then_some((filters, tried)))
}

/// What vectors take.
fn bits(fields: &[Field], cpu: &CpuBackend) -> u64 {
    8 * vectors::encode(cpu.simd(), fields).len() as u64
}

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
    let search = |filters| -> Result<Vec<Tried>> {
        let mut tried: Vec<Tried> = Vec::with_capacity(pairs.len());
        for &pair in &pairs {
            let found = search_all(&frames[pair..=pair + 1], width, filters, |_| None, effort, backend, cpu)?;
            tried.extend(found.into_iter().map(|field| (pair, field)));
        }
        Ok(tried)
    };
    let mut bits_with = |tried: &[Tried]| -> Result<u64> {
        for (pair, field) in tried {
            motion.moved[*pair].earlier.clone_from(field);
        }
        let of_vectors = bits(&tried.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>(), cpu);
        Ok(bits_of(Some(&motion))? + of_vectors)
    };
    let (mut filters, rival) = Filters::choose_two(frames, width, cpu)?;
    let mut tried = search(filters)?;
    let mut moving = bits_with(&tried)?;
    // The choice has seen the first planes alone.
    let other = match (filters.twin(), rival) {
        (Some(twin), _) => {
            let with_twin = |(pair, field): Tried| (pair, Field { filter: twin, ..field });
            Some((Filters::one(twin), tried.iter().cloned().map(with_twin).collect()))
        }
        (None, Some(rival)) => Some((rival, search(rival)?)),
        (None, None) => None,
    };
    if let Some((others, tried_with_others)) = other {
        let moving_with_others = bits_with(&tried_with_others)?;
        if moving_with_others < moving {
            (filters, moving, tried) = (others, moving_with_others, tried_with_others);
        }
    }
    Ok(pays(bits_of(None)?, moving).then_some((filters, tried)))
}

/// What vectors take.
fn bits(fields: &[Field], cpu: &CpuBackend) -> u64 {
    8 * vectors::encode(cpu.simd(), fields).len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::SimdLevel;
    use crate::frame::{ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout};
    use crate::motion::{Compensation, Filter, Reference, Vector, shares};
    use crate::plan::choose_tiles::choose_tiles;
    use crate::stage::TileEffort;

    /// What luma does not tell apart chroma does.
    #[test]
    fn chroma_tells_mpeg_2_from_mpeg_4() {
        let sampling = ChromaSampling::Cs420;
        let layout = Layout::Yuv { width: 192, height: 128, sampling, chroma: ChromaOrder::Planar };
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        let geometry = Geometry::new(&format, 3);
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        for filter in [Filter::Mpeg4Half, Filter::Mpeg2] {
            let mut raw: Vec<u8> = (0..geometry.frame_samples as u32)
                .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 / 4 + (at % 96) as u8)
                .collect();
            for frame in 1..3 {
                let earlier = raw[(frame - 1) * geometry.frame_samples..].to_vec();
                let mut still = OrderedMotion::still(&geometry).unwrap();
                let field = &mut still.moved[frame - 1].earlier;
                field.filter = filter;
                field.vectors.fill(Vector { x: 6, y: -10 });
                for (plane, &share) in geometry.planes.iter().zip(&still.shares) {
                    let of = Compensation { field, share, earlier: Reference::of(plane, &earlier) };
                    let mut made = vec![0; plane.frame_samples()];
                    of.put(cpu.simd(), 0..plane.height, &mut made, plane.width);
                    raw.extend(made);
                }
            }
            let batch = Batch { geometry: &geometry, raw: &raw };
            let still = choose_tiles(batch, TileEffort::All, false, &cpu).unwrap();
            let shares = shares(&geometry).unwrap();
            let choice = with_motion(batch, still, shares, SearchEffort::Full, &cpu, &cpu).unwrap();
            let motion = choice.motion.unwrap();
            assert!(motion.moved.iter().all(|moved| moved.earlier.filter == filter), "{filter:?}");
        }
    }
}

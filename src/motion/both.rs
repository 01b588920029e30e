//! How frames are made of an earlier and a later one. Vectors to either are searched for by themselves, and, for means, once
//! more for what the other one leaves to be made: twice the frame, less what is made of the other.

use super::frames::search_pair;
use super::order::{Order, Step};
use super::sides::{Later, Moved, Side};
use super::{BLOCK_UNITS, Compensation, Field, Filters, Reference, SearchEffort, Share, UNIT, Vector};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::stage::Backend;

/// What the sum of [`bits`] of a block has to be less by, for its vectors to the later frame, and for means, in [`BIT`]s.
const OF_LATER: u32 = 20 * BIT;
const OF_BOTH: u32 = 40 * BIT;
/// And if units of a block have sides of their own.
const OF_UNITS: u32 = 12 * BIT;

/// One bit of [`bits`].
pub const BIT: u32 = 64;

/// About what a difference takes: log2(1 + 2 d), straight between the powers of two.
const BITS: [u32; 256] = {
    let mut bits = [0; 256];
    let mut difference = 0;
    while difference < 256 {
        let value = 1 + 2 * difference as u32;
        bits[difference] = BIT * value.ilog2() + ((BIT * value) >> value.ilog2()) - BIT;
        difference += 1;
    }
    bits
};

/// About what the differences of a unit take, in a picture of `width` samples a row.
fn bits(own: &[u8], made: &[u8], width: usize, (column, row): (usize, usize)) -> u32 {
    let columns = (column * UNIT).min(width)..((column + 1) * UNIT).min(width);
    let rows = own.chunks_exact(width).zip(made.chunks_exact(width)).skip(row * UNIT).take(UNIT);
    rows.map(|(own, made)| -> u32 {
        let pairs = own[columns.clone()].iter().zip(&made[columns.clone()]);
        pairs.map(|(own, made)| BITS[usize::from(own.abs_diff(*made))]).sum()
    })
    .sum()
}

/// About what the differences of each unit take.
pub fn bits_of_units(own: &[u8], made: &[u8], width: usize, field: &Field) -> Vec<u32> {
    (0..field.vectors.len()).map(|unit| bits(own, made, width, (unit % field.across, unit / field.across))).collect()
}

/// What vectors make of the first plane of a frame.
pub fn made_of(reference: &[u8], width: usize, field: &Field, cpu: &CpuBackend) -> Vec<u8> {
    let mut made = vec![0; reference.len()];
    let earlier = Reference { samples: reference, width, height: reference.len() / width, step: 1 };
    let share = Share { is_first: true, across: 0, down: 0 };
    Compensation { field, share, earlier }.put(cpu.simd(), 0..earlier.height, &mut made, width);
    made
}

/// The mean of two pictures.
pub fn mean_of(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut mean = one.to_vec();
    super::filter::mean(&mut mean, other);
    mean
}

/// A field that goes on at the same pace over `frames` frames, backwards if that is negative.
pub fn scaled(field: &Field, frames: isize) -> Field {
    let way = |way: i16| (i32::from(way) * frames as i32).clamp(-8000, 8000) as i16;
    let vectors = field.vectors.iter().map(|v| Vector { x: way(v.x), y: way(v.y) }).collect();
    Field { vectors, ..field.clone() }
}

/// Something that units may be made of: a side, and what the units of a frame take if they are.
pub struct Candidate {
    /// The side.
    pub side: Side,
    /// What units take.
    pub bits: Vec<u32>,
}

/// The best of candidates for each unit, of which blocks take one if that is not much worse, and what all units take then.
pub fn best_of(candidates: &[Candidate], across: usize) -> (Vec<usize>, u64) {
    let besides = |at: usize| match candidates[at].side {
        Side::Earlier => 0,
        Side::Later => OF_LATER,
        Side::Both => OF_BOTH,
    };
    let units = candidates.first().map_or(0, |candidate| candidate.bits.len());
    let (mut best, mut sum) = (vec![0; units], 0);
    let best_at = |bits: &dyn Fn(usize) -> u32| (0..candidates.len()).map(|at| (bits(at), at)).min().unwrap_or((0, 0));
    for block in 0..units / (BLOCK_UNITS * BLOCK_UNITS) {
        let blocks_across = across / BLOCK_UNITS;
        let first = block / blocks_across * BLOCK_UNITS * across + block % blocks_across * BLOCK_UNITS;
        let units = [0, 1, across, across + 1].map(|to| first + to);
        let of_unit = |unit: usize, at: usize| candidates[at].bits[unit];
        let whole = best_at(&|at| units.iter().map(|&unit| of_unit(unit, at)).sum::<u32>() + besides(at));
        let each = units.map(|unit| best_at(&|at| of_unit(unit, at) + besides(at) / 2));
        let apart = each.iter().map(|(bits, _)| bits).sum::<u32>() + OF_UNITS;
        sum += u64::from(apart.min(whole.0));
        for (unit, (_, each)) in units.into_iter().zip(each) {
            best[unit] = if apart < whole.0 { each } else { whole.1 };
        }
    }
    (best, sum)
}

/// How frames are made of those that they refer to, in an order, the first one left out. `in_turn` is how each has moved since
/// the one before.
pub fn search_ordered(
    frames: &[&[u8]],
    width: usize,
    order: &Order,
    in_turn: &[Field],
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Vec<Moved>> {
    let filters = Filters::of(in_turn);
    let one_way = |frame: usize, reference: usize| match in_turn.get(reference) {
        Some(known) if reference + 1 == frame => Ok(known.clone()),
        _ => {
            let away = frame as isize - reference as isize;
            let next = if away > 0 { frame - 1 } else { frame };
            let last = in_turn.get(next).map(|field| scaled(field, away));
            let pair = [frames[reference], frames[frame]];
            search_pair(pair, width, filters, last.as_ref(), SearchEffort::Full, backend, cpu)
        }
    };
    let mut moved = Vec::with_capacity(frames.len());
    for Step { frame, earlier, later } in order.steps() {
        let Some(earlier) = earlier else { continue };
        let field = one_way(frame, earlier)?;
        moved.push(match later {
            None => Moved { earlier: field, later: None },
            Some(later) => {
                let pair = [(frames[earlier], field), (frames[later], one_way(frame, later)?)];
                search_both(frames[frame], width, pair, backend, cpu)?
            }
        });
    }
    Ok(moved)
}

/// How a frame is made of an earlier and a later one, to each of which there is a field already.
fn search_both(
    own: &[u8],
    width: usize,
    [(earlier, from), (later, to)]: [(&[u8], Field); 2],
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Moved> {
    let again = |reference: &[u8], field: &Field, other: &[u8]| -> Result<(Field, Vec<u8>)> {
        let left = |(&own, &other): (&u8, &u8)| (2 * i16::from(own) - i16::from(other)).clamp(0, 255) as u8;
        let wanted: Vec<u8> = own.iter().zip(other).map(left).collect();
        let filters = Filters::one(field.filter);
        let found = search_pair([reference, &wanted], width, filters, Some(field), SearchEffort::Full, backend, cpu)?;
        // Equal pictures have no filter, and are the same with any.
        let found = Field { filter: field.filter, ..found };
        let made = made_of(reference, width, &found, cpu);
        Ok((found, made))
    };
    let of_earlier = (made_of(earlier, width, &from, cpu), from);
    let of_later = (made_of(later, width, &to, cpu), to);
    let (to_again, later_again) = again(later, &of_later.1, &of_earlier.0)?;
    let (from_again, earlier_again) = again(earlier, &of_earlier.1, &of_later.0)?;
    let (from_last, earlier_last) = again(earlier, &of_earlier.1, &later_again)?;
    let (earlier, from) = of_earlier;
    let (later, to) = of_later;
    let tried = [
        (Side::Earlier, earlier.clone(), [&from, &to]),
        (Side::Later, later.clone(), [&from, &to]),
        (Side::Both, mean_of(&earlier, &later), [&from, &to]),
        (Side::Both, mean_of(&earlier, &later_again), [&from, &to_again]),
        (Side::Both, mean_of(&earlier_again, &later), [&from_again, &to]),
        (Side::Both, mean_of(&earlier_last, &later_again), [&from_last, &to_again]),
    ];
    let candidates: Vec<Candidate> = tried
        .iter()
        .map(|(side, made, _)| Candidate { side: *side, bits: bits_of_units(own, made, width, &from) })
        .collect();
    let (best, _) = best_of(&candidates, from.across);
    let vectors = |way: usize| best.iter().enumerate().map(|(unit, &at)| tried[at].2[way].vectors[unit]).collect();
    let sides = best.iter().map(|&at| tried[at].0).collect();
    let later = Later { field: Field { vectors: vectors(1), ..to.clone() }, sides };
    Ok(Moved { earlier: Field { vectors: vectors(0), ..from.clone() }, later: Some(later) })
}

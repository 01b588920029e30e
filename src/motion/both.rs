//! How frames are made of an earlier and a later one. Vectors to either are searched for by themselves, and, for means, once
//! more for what the other one leaves to be made: twice the frame, less what is made of the other.

use super::frames::search_pair;
use super::order::{Order, Step};
use super::sides::{Later, Moved, Side};
use super::{BLOCK_UNITS, Compensation, Field, Filters, Reference, SearchEffort, Share, UNIT, Vector};
use crate::cpu::CpuBackend;
use crate::cpu::simd::Kernel;
use crate::error::Result;
use crate::stage::Backend;

/// What the sum of the bits of a block has to be less by, for its vectors to the later frame, and for means, in [`BIT`]s.
const OF_LATER: u32 = 20 * BIT;
const OF_BOTH: u32 = 40 * BIT;
/// And if units of a block have sides of their own.
const OF_UNITS: u32 = 12 * BIT;

/// One bit.
pub const BIT: u32 = 64;

/// About what a difference takes: log2(1 + 2 d), straight between the powers of two, so the least of all lines through two of
/// these that follow each other.
#[inline(always)]
fn bits(difference: u8) -> u16 {
    let value = BIT as u16 * (1 + 2 * u16::from(difference));
    let line = |power: u16| BIT as u16 * power + (value >> power);
    // Two by two: compilers make branches of a chain of them, and no vectors.
    let least = |first: u16| line(first).min(line(first + 1));
    least(0).min(least(2)).min(least(4).min(least(6))).min(line(8)) - BIT as u16
}

/// About what the differences of each unit take, between two pictures of `width` samples a row.
pub fn bits_of_units(pictures: [&[u8]; 2], width: usize, cpu: &CpuBackend) -> Vec<u32> {
    cpu.simd().run(BitsOfUnits { pictures, width })
}

struct BitsOfUnits<'a> {
    pictures: [&'a [u8]; 2],
    width: usize,
}

impl Kernel for BitsOfUnits<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run(self) -> Vec<u32> {
        let Self { pictures: [own, made], width } = self;
        let Field { across, vectors, .. } = Field::still(width, own.len() / width);
        let mut units = vec![0; vectors.len()];
        let mut columns = vec![0_u16; width];
        let rows = own.chunks(UNIT * width).zip(made.chunks(UNIT * width));
        for (units, (own, made)) in units.chunks_exact_mut(across).zip(rows) {
            columns.fill(0);
            for (own, made) in own.chunks_exact(width).zip(made.chunks_exact(width)) {
                for (sum, (own, made)) in columns.iter_mut().zip(own.iter().zip(made)) {
                    *sum += bits(own.abs_diff(*made));
                }
            }
            for (unit, columns) in units.iter_mut().zip(columns.chunks(UNIT)) {
                *unit = columns.iter().map(|&bits| u32::from(bits)).sum();
            }
        }
        units
    }
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
        let found = search_pair([reference, &wanted], width, filters, Some(field), SearchEffort::Light, backend, cpu)?;
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
        .map(|(side, made, _)| Candidate { side: *side, bits: bits_of_units([own, made], width, cpu) })
        .collect();
    let (best, _) = best_of(&candidates, from.across);
    let vectors = |way: usize| best.iter().enumerate().map(|(unit, &at)| tried[at].2[way].vectors[unit]).collect();
    let sides = best.iter().map(|&at| tried[at].0).collect();
    let later = Later { field: Field { vectors: vectors(1), ..to.clone() }, sides };
    Ok(Moved { earlier: Field { vectors: vectors(0), ..from.clone() }, later: Some(later) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_take_their_logarithms() {
        for difference in 0..=255 {
            let value = 1 + 2 * u32::from(difference);
            let power = value.ilog2();
            assert_eq!(u32::from(bits(difference)), BIT * power + ((BIT * value) >> power) - BIT);
        }
    }
}

//! In which order frames are coded that move: whether some refer to a later one, as B frames of video coders do. How well each
//! can be made of frames around it shows in the middle of the picture.

use crate::codec::model::vectors;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::motion::both::{BIT, Candidate, best_of, bits_of_units, made_of, mean_of, scaled, search_ordered};
use crate::motion::order::{MOST_BETWEEN, Order, halve};
use crate::motion::{BLOCK_UNITS, Field, Filters, Motion, OrderedMotion, Side, UNIT, glance};
use crate::stage::Backend;

/// Width and height of the part of the first plane.
const SIZE: (usize, usize) = (320, 160);
/// Side of a block.
const BLOCK: usize = UNIT * BLOCK_UNITS;
/// Frames from an anchor to the next one, at most.
const FARTHEST: usize = MOST_BETWEEN + 1;
/// Frames from one between anchors to those that it refers to, at most.
const NEAR: usize = FARTHEST / 2;
/// Frames between anchors have to save one part in so many of those that they follow.
const LEAST_GAIN: u64 = 16;

/// What a frame takes, in [`BIT`]s.
struct Costs {
    /// As an anchor, by how many frames before it the last one is.
    anchor: [u64; FARTHEST + 1],
    /// Between two frames, by how many frames they are away.
    between: [[u64; NEAR + 1]; NEAR + 1],
}

/// The motion of frames whose first planes have `width` samples a row, in the order in which they are coded best. `in_turn` is
/// how each has moved since the one before.
pub(crate) fn order_motion(
    frames: &[&[u8]],
    width: usize,
    in_turn: Motion,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<OrderedMotion> {
    let Motion { shares, fields } = in_turn;
    let order = choose_order(frames, width, &fields, cpu)?;
    let moved = search_ordered(frames, width, &order, &fields, backend, cpu)?;
    // As they are decoded.
    let (_, moved) = vectors::encode_ordered(cpu.simd(), &order, moved);
    Ok(OrderedMotion::new(shares, order, moved))
}

/// The order for frames whose first planes have `width` samples a row. `in_turn` is how each has moved since the one before.
fn choose_order(frames: &[&[u8]], width: usize, in_turn: &[Field], cpu: &CpuBackend) -> Result<Order> {
    let filters = Filters::of(in_turn);
    let Middle { frames, width, in_turn } = Middle::of(frames, width, in_turn);
    let mut costs = Vec::with_capacity(frames.len());
    for (frame, own) in frames.iter().enumerate() {
        let made_from = |reference: usize| -> Result<(Vec<u8>, u64)> {
            let away = frame as isize - reference as isize;
            let next = &in_turn[if away > 0 { frame - 1 } else { frame }];
            let pair = [&frames[reference][..], own];
            let field = match away {
                1 => next.clone(),
                _ => glance(pair, width, filters, &scaled(next, away), cpu)?,
            };
            let of_vectors = 8 * vectors::encode(cpu.simd(), std::slice::from_ref(&field)).len() as u64;
            Ok((made_of(pair[0], width, &field, cpu), u64::from(BIT) * of_vectors))
        };
        let earlier = (1..=FARTHEST.min(frame)).map(|away| made_from(frame - away)).collect::<Result<Vec<_>>>()?;
        let later = (frame + 1..frames.len().min(frame + NEAR + 1)).map(made_from).collect::<Result<Vec<_>>>()?;
        costs.push(costs_of(own, width, [&earlier, &later], cpu));
    }
    Ok(cheapest(&costs))
}

/// The middle of pictures.
struct Middle {
    frames: Vec<Vec<u8>>,
    width: usize,
    in_turn: Vec<Field>,
}

impl Middle {
    fn of(frames: &[&[u8]], width: usize, in_turn: &[Field]) -> Self {
        let height = frames.first().map_or(0, |frame| frame.len() / width);
        let (columns, rows) = (width.min(SIZE.0), height.min(SIZE.1));
        // Whole blocks.
        let start = |whole: usize, part: usize| (whole - part) / 2 / BLOCK * BLOCK;
        let (left, top) = (start(width, columns), start(height, rows));
        let of_frame = |frame: &&[u8]| -> Vec<u8> {
            let lines = frame.chunks_exact(width).skip(top).take(rows);
            lines.flat_map(|row| &row[left..left + columns]).copied().collect()
        };
        let of_field = |field: &Field| {
            let still = Field::still(columns, rows);
            let lines =
                field.vectors.chunks_exact(field.across).skip(top / UNIT).take(still.vectors.len() / still.across);
            let vectors = lines.flat_map(|row| &row[left / UNIT..][..still.across]).copied().collect();
            Field { filter: field.filter, vectors, ..still }
        };
        let in_turn = in_turn.iter().map(of_field).collect();
        Self { frames: frames.iter().map(of_frame).collect(), width: columns, in_turn }
    }
}

/// A picture as it is predicted from its neighbours (LOCO-I): the model makes as much of what no other frame has. The first row stays.
fn median(own: &[u8], width: usize) -> Vec<u8> {
    let mut predicted = own.to_vec();
    for at in width + 1..own.len() {
        let [a, b, c] = [own[at - 1], own[at - width], own[at - width - 1]].map(i16::from);
        predicted[at] = (a + b - c).clamp(a.min(b), a.max(b)) as u8;
    }
    predicted
}

/// By what is made of frames before and after, nearest first, with what their vectors take.
fn costs_of(own: &[u8], width: usize, [earlier, later]: [&[(Vec<u8>, u64)]; 2], cpu: &CpuBackend) -> Costs {
    let across = Field::still(width, own.len() / width).across;
    let by_neighbours = bits_of_units([own, &median(own, width)], width, cpu);
    let bits = |made: &[u8]| -> Vec<u32> {
        let of_units = bits_of_units([own, made], width, cpu).into_iter().zip(&by_neighbours);
        of_units.map(|(bits, &by_neighbours)| bits.min(by_neighbours)).collect()
    };
    let units = |made: &[(Vec<u8>, u64)]| -> Vec<Vec<u32>> { made.iter().map(|(made, _)| bits(made)).collect() };
    let (of_earlier, of_later) = (units(earlier), units(later));
    let mut costs = Costs { anchor: [0; FARTHEST + 1], between: [[0; NEAR + 1]; NEAR + 1] };
    for (away, (bits, (_, of_vectors))) in (1..).zip(of_earlier.iter().zip(earlier)) {
        costs.anchor[away] = bits.iter().map(|&bits| u64::from(bits)).sum::<u64>() + of_vectors;
    }
    for (before, (bits_before, (made_before, of_vectors))) in (1..=NEAR).zip(of_earlier.iter().zip(earlier)) {
        for (after, (bits_after, (made_after, _))) in (1..=NEAR).zip(of_later.iter().zip(later)) {
            // Halves of a distance are one apart at most.
            if before.abs_diff(after) <= 1 && before <= after {
                let candidates = [
                    Candidate { side: Side::Earlier, bits: bits_before.clone() },
                    Candidate { side: Side::Later, bits: bits_after.clone() },
                    Candidate { side: Side::Both, bits: bits(&mean_of(made_before, made_after)) },
                ];
                costs.between[before][after] = best_of(&candidates, across).1 + of_vectors;
            }
        }
    }
    costs
}

/// The order that takes least.
fn cheapest(costs: &[Costs]) -> Order {
    // What frames take up to an anchor, and how many before it the last one is.
    let mut best: Vec<(u64, usize)> = vec![(0, 0)];
    for anchor in 1..costs.len() {
        let of = |distance: usize| {
            let last = anchor - distance;
            let mut cost = costs[anchor].anchor[distance];
            halve(last, anchor, &mut |step| {
                let away = [step.earlier, step.later].map(|at| at.map_or(0, |at| at.abs_diff(step.frame)));
                cost += costs[step.frame].between[away[0]][away[1]];
            });
            let dearer = if distance > 1 { cost / LEAST_GAIN } else { 0 };
            (best[last].0 + cost + dearer, distance)
        };
        best.push((1..=FARTHEST.min(anchor)).map(of).min().unwrap_or((0, 1)));
    }
    let mut is_anchor = vec![false; costs.len()];
    let mut at = costs.len().saturating_sub(1);
    while at > 0 {
        is_anchor[at] = true;
        at -= best[at].1.max(1);
    }
    Order::by(costs.len(), |frame, _| !is_anchor[frame])
}

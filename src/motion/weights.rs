//! All filters as weighted sums, in a table that devices read (`shaders/motion/between.wgsl`).
//!
//! A sample of a filter is a sum of eight samples across, of which eight are summed up down: other filters than those of eight
//! taps have weights of 0. Quarter samples of H.264 are means of two such. MPEG-4's, of which each direction is a mean, have a
//! shader of their own (`shaders/motion/mpeg4.wgsl`).

use super::compensate::{added_below_zero, eighths};
use super::filter::{Filter, Place, places};
use super::phases::TAPS;
use super::taps::at;

/// Phases of a sample of the first plane, in each direction.
const QUARTERS: i16 = 4;
/// Places between two samples, the first of which included.
const EIGHTHS: usize = 8;

/// Weights of samples side by side, or below each other: from three before the one in question on.
type Weights = [i16; TAPS];

/// The six taps of H.264, halfway.
const SIX: Weights = [0, 1, -5, 20, 20, -5, 1, 0];

/// How sums are rounded.
struct Rounding {
    /// By how many bits those across.
    across: u32,
    /// Whether they are bounded like samples.
    is_bounded: bool,
    /// By how many bits those down.
    down: u32,
    /// What is added to the latter before.
    half: u32,
}

/// The words of all filters, by their numbers.
pub fn words() -> Vec<u32> {
    Filter::ALL.into_iter().flat_map(of_filter).collect()
}

fn of_filter(filter: Filter) -> Vec<u32> {
    let mut words = Vec::new();
    for y in 0..QUARTERS {
        words.extend((0..QUARTERS).map(|x| places_of_phase(filter, x, y)));
    }
    for share in 0..2 {
        let ends = 0..4 << share;
        words.push(ends.fold(0, |word, end| word | ((eighths(filter, end, share).1 as u32) << (4 * end))));
    }
    words.extend((0..2).map(|share| added_below_zero(filter, share) as u32));
    words.push(filter.moves_blocks().into());
    words.push(filter.mpeg4().map_or(0, |quarters| quarters.round() as u32));
    for Rounding { across, is_bounded, down, half } in [of_first_plane(filter), of_other_planes(filter)] {
        words.extend([across, is_bounded.into(), down, half]);
    }
    let pair = |pair: &[i16; 2]| u32::from(pair[0] as u16) | (u32::from(pair[1] as u16) << 16);
    for plane in [WeightsOf::First, WeightsOf::Others, WeightsOf::Narrow] {
        for eighths in 0..EIGHTHS {
            words.extend(weights(filter, plane, eighths).as_chunks().0.iter().map(pair));
        }
    }
    words
}

/// Between which samples of the first plane a vector with this end leads: two places, which are the same unless they are averaged.
fn places_of_phase(filter: Filter, x: i16, y: i16) -> u32 {
    let (right, down) = filter.phase(x, y);
    // Eighths to the right and down, and samples further to the right and down.
    let word = |[eighths_right, eighths_down, right, down]: [usize; 4]| {
        (eighths_right | (eighths_down << 3) | (right << 6) | (down << 7)) as u32
    };
    let (first, second) = if filter == Filter::Quarter {
        let place = |Place { picture, right, down }: Place| word([picture % 2 * 4, picture / 2 * 4, right, down]);
        let (first, second) = places(filter, (right, down));
        (place(first), place(second.unwrap_or(first)))
    } else {
        let place = word([2 * right, 2 * down, 0, 0]);
        (place, place)
    };
    first | (second << 8)
}

fn of_first_plane(filter: Filter) -> Rounding {
    if filter == Filter::Quarter {
        return Rounding { across: 0, is_bounded: false, down: 10, half: 1 << 9 };
    }
    of_other_planes(filter)
}

fn of_other_planes(filter: Filter) -> Rounding {
    match filter.taps() {
        Some(taps) => {
            let down = 2 * taps.bits - taps.across;
            Rounding { across: taps.across, is_bounded: taps.is_bounded, down, half: 1 << (down - 1) }
        }
        // Bilinear.
        None => {
            Rounding { across: 0, is_bounded: false, down: 6, half: if filter.down() == 1 { 1 << 4 } else { 1 << 5 } }
        }
    }
}

/// What has weights of its own.
#[derive(Clone, Copy)]
enum WeightsOf {
    First,
    Others,
    /// Other planes, where what moves is narrow.
    Narrow,
}

fn weights(filter: Filter, plane: WeightsOf, eighths: usize) -> Weights {
    match (filter.taps(), plane) {
        (Some(taps), plane) => {
            let table = match plane {
                WeightsOf::First => taps.first,
                WeightsOf::Others => taps.other,
                WeightsOf::Narrow => taps.narrow,
            };
            // Tables of quarters have no odd eighths, which no vector leads to.
            at(table, eighths).unwrap_or([0, 0, 0, 1 << taps.bits, 0, 0, 0, 0])
        }
        (None, WeightsOf::First) if filter == Filter::Quarter => {
            if eighths == 0 {
                [0, 0, 0, 1 << 5, 0, 0, 0, 0]
            } else {
                SIX
            }
        }
        (None, _) => [0, 0, 0, 8 - eighths as i16, eighths as i16, 0, 0, 0],
    }
}

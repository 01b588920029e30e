//! What the coder of units knows: counters by context, and memories of what followed what.

use super::counter::{Coder, Counter, Reliability};
use super::window::{LEFT, Window};

/// Neighbours in a template: in the picture, then in the reference.
const TEMPLATE_BITS: u32 = 12;
const TEMPLATES: usize = 1 << TEMPLATE_BITS;
const FLAT: usize = TEMPLATES - 1;
/// The template bits of the reference.
const OF_REFERENCE: usize = 31;

/// The longest run that is one decision.
const LONGEST_RUN: usize = 4096;
/// Lengths up to [`LONGEST_RUN`], by their number of bits.
const LENGTHS: usize = 14;

/// Where a unit that is not its left neighbour may come from, besides memories.
const CANDIDATES: usize = 6;

/// A pattern's successor gives way to another below this probability of 4096.
const UNRELIABLE: u32 = 2500;

/// Larger units are not remembered as successors.
pub(super) const PATTERN_BYTES: usize = 4;

const MULTIPLIER: u64 = 0xD6E8_FEB8_6659_FD93;

/// Odd numbers without a pattern: those of a linear congruential generator (Knuth's MMIX).
const WEIGHTS: [u64; 11] = {
    let mut weights = [0; 11];
    let (mut at, mut state) = (0, MULTIPLIER);
    while at < 11 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        weights[at] = state | 1;
        at += 1;
    }
    weights
};

/// A hash of units that are looked at from weight `from` on, as a sum: parts of it add up.
fn part<const UNITS: usize>(units: [u64; UNITS], from: usize) -> u64 {
    let mut sum = 0u64;
    for (at, unit) in units.into_iter().enumerate() {
        sum = sum.wrapping_add((unit ^ unit >> 29).wrapping_add(1).wrapping_mul(WEIGHTS[from + at]));
    }
    sum
}

fn finish(sum: u64) -> u64 {
    let hash = (sum ^ sum >> 32).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 32
}

/// The place of a value in the palette.
pub(super) fn place(unit: u64) -> usize {
    (unit.wrapping_mul(MULTIPLIER) >> 56) as usize
}

/// What followed a large pattern the last time, and how often that held.
#[derive(Clone, Copy, Default)]
struct Successor {
    unit: u32,
    /// Tells patterns of one place apart; 0 if the place is empty.
    check: u16,
    holds: Reliability,
}

/// What followed a small pattern, and how well it did lately; 0 if the place is empty.
#[derive(Clone, Copy, Default)]
struct Recent {
    unit: u64,
    score: u8,
}

const BEST_SCORE: u8 = 15;

/// Units that a unit is known to differ from.
struct Excluded {
    units: [u64; MOST_EXCLUDED],
    count: usize,
}

const MOST_EXCLUDED: usize = CANDIDATES + 4;

impl Excluded {
    fn has(&self, unit: u64) -> bool {
        self.units[..self.count].contains(&unit)
    }

    fn add(&mut self, unit: u64) {
        self.units[self.count] = unit;
        self.count += 1;
    }
}

/// The neighbours of a unit that is to be coded.
struct Neighbours {
    west: u64,
    north: u64,
    north_west: u64,
    north_east: u64,
    west_west: u64,
    reference: u64,
    reference_east: u64,
}

pub(super) struct Model {
    templates: Vec<Counter>,
    runs: [[Counter; LENGTHS]; 2],
    halves: [[Counter; LENGTHS]; LENGTHS],
    /// Empty if large patterns are not remembered.
    successors: Vec<Successor>,
    successor_bits: u32,
    holds: Vec<Counter>,
    candidates: Vec<Counter>,
    recent: [Vec<Recent>; 2],
    recent_bits: u32,
    scores: [[Counter; BEST_SCORE as usize + 1]; 2],
    palette: [u64; 256],
    in_palette: Counter,
    places: Vec<Counter>,
    literals: Vec<Counter>,
}

impl Model {
    /// For pictures of so many units, each of `unit_bytes`.
    pub fn new(units: usize, unit_bytes: usize, patterns: bool) -> Self {
        // About as many places as units, within limits.
        let bits = (usize::BITS - units.leading_zeros() - 1).clamp(8, 18);
        let recent_bits = bits.min(16);
        Self {
            templates: vec![Counter::default(); 2 * TEMPLATES],
            runs: Default::default(),
            halves: Default::default(),
            successors: if patterns { vec![Successor::default(); 1 << bits] } else { Vec::new() },
            successor_bits: bits,
            holds: vec![Counter::default(); 8 * 16 * 8],
            candidates: vec![Counter::default(); CANDIDATES * 8 * 2 * 4],
            recent: std::array::from_fn(|_| vec![Recent::default(); 1 << recent_bits]),
            recent_bits,
            scores: Default::default(),
            palette: [0; 256],
            in_palette: Counter::default(),
            places: vec![Counter::default(); 256 * 256],
            literals: vec![Counter::default(); unit_bytes * 256],
        }
    }

    /// Codes the units of row `y` of a window, from left to right.
    pub fn row<C: Coder, const REFERENCE: bool>(&mut self, coder: &mut C, window: &mut Window, y: usize) {
        let stride = window.stride;
        let start = window.start(y);
        let end = start + window.width;
        let to_reference = start - window.reference_start(y);
        let (units, others) = (&mut window.units[..], &window.reference[..]);
        let mut at = start;
        while at < end {
            let there = at - to_reference;
            let row: [u64; 3] = around(units, at - 3);
            let above: [u64; 5] = around(units, at - stride - 2);
            let two_above: [u64; 3] = around(units, at - 2 * stride - 1);
            let west = row[2];
            let mut template = 0;
            for unit in [above[2], row[1], above[1], above[3], two_above[1], above[4], above[0]] {
                template = template << 1 | usize::from(unit == west);
            }
            let mut reference = [0; 2];
            if REFERENCE {
                let [left, here, right]: [u64; 3] = around(others, there - 1);
                for other in [here, right, left, others[there + stride], others[there - stride]] {
                    template = template << 1 | usize::from(other == west);
                }
                reference = [here, right];
            } else {
                template = template << 5 | OF_REFERENCE;
            }
            let neighbours = Neighbours {
                west,
                north: above[2],
                north_west: above[1],
                north_east: above[3],
                west_west: row[1],
                reference: reference[0],
                reference_east: reference[1],
            };
            if template == FLAT {
                let ahead = flat_length::<REFERENCE>(units, others, at, there, end, stride);
                let same = units[at..at + ahead].iter().take_while(|&&unit| unit == west).count();
                let same = self.run(coder, ahead, same, REFERENCE);
                units[at..at + same].fill(west);
                at += same;
                if same < ahead {
                    // All its neighbours are as those of the first unit.
                    units[at] = self.other::<C, REFERENCE>(coder, &neighbours, [west; 2], 1, units[at]);
                    at += 1;
                }
                continue;
            }
            units[at] = if self.successors.is_empty() {
                self.by_template::<C, REFERENCE>(coder, &neighbours, template, None, units[at])
            } else {
                let pattern = part(row, 0).wrapping_add(part(above, 3)).wrapping_add(part(two_above, 8));
                self.by_pattern::<C, REFERENCE>(coder, &neighbours, template, finish(pattern), units[at])
            };
            at += 1;
        }
    }

    /// Codes how many of the `ahead` units are as the one before them.
    fn run<C: Coder>(&mut self, coder: &mut C, ahead: usize, same: usize, reference: bool) -> usize {
        let length = bit_length(ahead);
        if coder.bit(&mut self.runs[usize::from(reference)][length], same == ahead) {
            return ahead;
        }
        let (mut from, mut left) = (0, ahead);
        while left > 1 {
            let half = left / 2;
            if coder.bit(&mut self.halves[length][bit_length(left)], same < from + half) {
                left = half;
            } else {
                from += half;
                left -= half;
            }
        }
        from
    }

    /// First by what followed this pattern before, a hash of which is given.
    #[inline]
    fn by_pattern<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        template: usize,
        pattern: u64,
        unit: u64,
    ) -> u64 {
        let at = (pattern >> (u64::BITS - self.successor_bits)) as usize;
        let check = pattern as u16 | 1;
        let Successor { unit: expected, check: found, holds } = self.successors[at];
        let expected = u64::from(expected);
        let mut tried = None;
        if found == check {
            let agreement = usize::from(expected == neighbours.west)
                | usize::from(REFERENCE && expected == neighbours.reference) << 1
                | usize::from(expected == neighbours.north) << 2;
            let context = holds.context() * 8 + agreement;
            let holds = coder.bit(&mut self.holds[context], unit == expected);
            let successor = &mut self.successors[at];
            successor.holds.learn(holds);
            if holds {
                return expected;
            }
            tried = Some(expected);
        }
        let unit = self.by_template::<C, REFERENCE>(coder, neighbours, template, tried, unit);
        let successor = &mut self.successors[at];
        if found != check || successor.holds.probability() < UNRELIABLE {
            *successor = Successor { unit: unit as u32, check, holds: Reliability::default() };
        }
        unit
    }

    /// First by its left neighbour, in the context of those neighbours that are equal to that, unless
    /// that is what was `tried`.
    #[inline]
    fn by_template<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        template: usize,
        tried: Option<u64>,
        unit: u64,
    ) -> u64 {
        let west = neighbours.west;
        if tried != Some(west) {
            let counter = &mut self.templates[usize::from(REFERENCE) * TEMPLATES + template];
            if coder.bit(counter, unit == west) {
                return west;
            }
        }
        let (tried, count) = match tried {
            Some(tried) if tried != west => ([tried, west], 2),
            _ => ([west; 2], 1),
        };
        self.other::<C, REFERENCE>(coder, neighbours, tried, count, unit)
    }

    /// By its other neighbours, small patterns, the palette, or itself. It differs from the first `count`
    /// units of `tried`.
    #[inline(never)]
    fn other<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        tried: [u64; 2],
        count: usize,
        unit: u64,
    ) -> u64 {
        let mut excluded = Excluded { units: [0; MOST_EXCLUDED], count };
        excluded.units[..2].copy_from_slice(&tried);
        let n = neighbours;
        let level = usize::from(n.north == n.north_west);
        let candidates = [n.north, n.reference, n.north_east, n.north_west, n.west_west, n.reference_east];
        for (at, candidate) in candidates.into_iter().enumerate() {
            if (!REFERENCE && (at == 1 || at == 5)) || excluded.has(candidate) {
                continue;
            }
            let agreement =
                usize::from(candidate == n.north_east) | usize::from(REFERENCE && candidate == n.reference) << 1;
            let context = ((at * 8 + excluded.count) * 2 + level) * 4 + agreement;
            if coder.bit(&mut self.candidates[context], unit == candidate) {
                return candidate;
            }
            excluded.add(candidate);
        }
        let small = part([n.west, n.north], 0);
        let patterns = [finish(small.wrapping_add(part([n.north_west, n.north_east], 2))), finish(small)];
        let places = patterns.map(|pattern| (pattern >> (u64::BITS - self.recent_bits)) as usize);
        let mut found = None;
        // Places that will hold the unit once it is known.
        let mut wrong = [false; 2];
        for at in 0..2 {
            let recent = &mut self.recent[at][places[at]];
            if recent.score == 0 {
                wrong[at] = true;
            } else if !excluded.has(recent.unit) {
                if coder.bit(&mut self.scores[at][usize::from(recent.score)], unit == recent.unit) {
                    recent.score = (recent.score + 1).min(BEST_SCORE);
                    found = Some(recent.unit);
                    break;
                }
                recent.score /= 2;
                wrong[at] = recent.score == 0;
                excluded.add(recent.unit);
            }
        }
        let unit = found.unwrap_or_else(|| self.novel(coder, place(n.west), unit));
        for at in 0..2 {
            if wrong[at] {
                self.recent[at][places[at]] = Recent { unit, score: 1 };
            }
        }
        unit
    }

    /// By its place in the palette, in the context of its left neighbour's, or byte by byte.
    fn novel<C: Coder>(&mut self, coder: &mut C, west: usize, unit: u64) -> u64 {
        if coder.bit(&mut self.in_palette, self.palette[place(unit)] == unit) {
            return self.palette[coder.tree(&mut self.places[west * 256..][..256], place(unit), 8)];
        }
        let bytes = unit.to_le_bytes();
        let mut coded = [0; 8];
        for (at, counters) in self.literals.chunks_exact_mut(256).enumerate() {
            coded[at] = coder.tree(counters, usize::from(bytes[at]), 8) as u8;
        }
        let unit = u64::from_le_bytes(coded);
        self.palette[place(unit)] = unit;
        unit
    }
}

fn around<const UNITS: usize>(units: &[u64], from: usize) -> [u64; UNITS] {
    let mut found = [0; UNITS];
    found.copy_from_slice(&units[from..from + UNITS]);
    found
}

fn bit_length(length: usize) -> usize {
    (usize::BITS - length.leading_zeros()) as usize
}

/// How far the neighbours of the units from `at` on are all as the unit before `at`, if those units
/// are too: at least 1, as the template of the first one is flat.
#[inline(always)]
fn flat_length<const REFERENCE: bool>(
    units: &[u64],
    others: &[u64],
    at: usize,
    there: usize,
    end: usize,
    stride: usize,
) -> usize {
    let west = units[at - 1];
    let most = (end - at).min(LONGEST_RUN);
    // What comes into the template with the next unit.
    let north = &units[at - stride + 2..][..most];
    let north_north = &units[at - 2 * stride..][..most];
    let (east, above, below) =
        (&others[there + 1..][..most], &others[there - stride..][..most], &others[there + stride..][..most]);
    let differs = |at: usize| {
        let mut all = (north[at] ^ west) | (north_north[at] ^ west);
        if REFERENCE {
            all |= (east[at] ^ west) | (above[at] ^ west) | (below[at] ^ west);
        }
        all
    };
    let mut length = 0;
    while length + 8 <= most && (0..8).fold(0, |all, at| all | differs(length + at)) == 0 {
        length += 8;
    }
    while length < most && differs(length) == 0 {
        length += 1;
    }
    length
}

const _: () = assert!(LEFT >= 3);

//! What the coder of units knows: counters by context, and memories of what followed what.

use super::counter::{Coder, Counter};
use super::window::{Window, LEFT};

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

/// A pattern's successor counts as wrong, and gives way to another, below this probability.
const UNRELIABLE: u16 = 40_000;

const MULTIPLIER: u64 = 0xD6E8_FEB8_6659_FD93;
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

fn hash(units: &[u64]) -> u64 {
    units.iter().fold(SEED, |hash, unit| {
        let hash = (hash ^ unit).wrapping_mul(MULTIPLIER);
        hash ^ hash >> 32
    })
}

/// The place of a value in the palette.
pub(super) fn place(unit: u64) -> usize {
    (unit.wrapping_mul(MULTIPLIER) >> 56) as usize
}

/// What followed a large pattern the last time, and how often that held.
#[derive(Clone, Copy, Default)]
struct Successor {
    unit: u64,
    /// Tells patterns of one place apart; 0 if the place is empty.
    check: u32,
    holds: Counter,
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
    units: [u64; CANDIDATES + 4],
    count: usize,
}

impl Excluded {
    const NONE: Self = Self { units: [0; CANDIDATES + 4], count: 0 };

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
        // As many places as units, within limits.
        let bits = (usize::BITS - units.leading_zeros()).clamp(8, 18);
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
        let reference = window.reference_start(y);
        let end = start + window.width;
        let shift = start - reference;
        let mut at = start;
        while at < end {
            let (units, others) = (&mut window.units[..], &window.reference[..]);
            let there = at - shift;
            let west = units[at - 1];
            let mut template = 0;
            for back in [stride, 2, stride + 1, stride - 1, 2 * stride, stride - 2, stride + 2] {
                template = template << 1 | usize::from(units[at - back] == west);
            }
            if REFERENCE {
                for other in
                    [others[there], others[there + 1], others[there - 1], others[there + stride], others[there - stride]]
                {
                    template = template << 1 | usize::from(other == west);
                }
            } else {
                template = template << 5 | OF_REFERENCE;
            }
            let neighbours = Neighbours {
                west,
                north: units[at - stride],
                north_west: units[at - stride - 1],
                north_east: units[at - stride + 1],
                west_west: units[at - 2],
                reference: others[there],
                reference_east: others[there + 1],
            };
            if template == FLAT {
                let ahead = flat_length::<REFERENCE>(units, others, at, there, end, stride);
                let same = units[at..at + ahead].iter().take_while(|&&unit| unit == west).count();
                let same = self.run(coder, ahead, same, REFERENCE);
                units[at..at + same].fill(west);
                at += same;
                if same < ahead {
                    let mut excluded = Excluded::NONE;
                    excluded.add(west);
                    // All its neighbours are as those of the first unit.
                    units[at] = self.other::<C, REFERENCE>(coder, &neighbours, excluded, units[at]);
                    at += 1;
                }
                continue;
            }
            let unit = units[at];
            units[at] = if self.successors.is_empty() {
                self.by_template::<C, REFERENCE>(coder, &neighbours, template, Excluded::NONE, unit)
            } else {
                let pattern = hash(&[
                    west,
                    neighbours.north,
                    neighbours.west_west,
                    neighbours.north_west,
                    neighbours.north_east,
                    units[at - 2 * stride],
                    units[at - stride + 2],
                    units[at - stride - 2],
                    units[at - 3],
                    units[at - 2 * stride - 1],
                    units[at - 2 * stride + 1],
                ]);
                self.by_pattern::<C, REFERENCE>(coder, &neighbours, template, pattern, unit)
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

    /// First by what followed this pattern before.
    fn by_pattern<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        template: usize,
        pattern: u64,
        unit: u64,
    ) -> u64 {
        let at = (pattern >> (u64::BITS - self.successor_bits)) as usize;
        let check = pattern as u32 | 1;
        let Successor { unit: expected, check: found, holds } = self.successors[at];
        let mut excluded = Excluded::NONE;
        if found == check {
            let agreement = usize::from(expected == neighbours.west)
                | usize::from(REFERENCE && expected == neighbours.reference) << 1
                | usize::from(expected == neighbours.north) << 2;
            let context = (holds.seen().min(7) * 16 + usize::from(holds.probability() >> 12)) * 8 + agreement;
            let holds = coder.bit(&mut self.holds[context], unit == expected);
            let successor = &mut self.successors[at];
            successor.holds.learn(holds);
            if holds {
                return expected;
            }
            excluded.add(expected);
        }
        let unit = self.by_template::<C, REFERENCE>(coder, neighbours, template, excluded, unit);
        let successor = &mut self.successors[at];
        if found != check || successor.holds.probability() < UNRELIABLE {
            *successor = Successor { unit, check, holds: Counter::default() };
        }
        unit
    }

    /// First by its left neighbour, in the context of those neighbours that are equal to that.
    fn by_template<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        template: usize,
        mut excluded: Excluded,
        unit: u64,
    ) -> u64 {
        let west = neighbours.west;
        if !excluded.has(west) {
            let counter = &mut self.templates[usize::from(REFERENCE) * TEMPLATES + template];
            if coder.bit(counter, unit == west) {
                return west;
            }
            excluded.add(west);
        }
        self.other::<C, REFERENCE>(coder, neighbours, excluded, unit)
    }

    /// By its other neighbours, small patterns, the palette, or itself.
    #[inline(never)]
    fn other<C: Coder, const REFERENCE: bool>(
        &mut self,
        coder: &mut C,
        neighbours: &Neighbours,
        mut excluded: Excluded,
        unit: u64,
    ) -> u64 {
        let n = neighbours;
        let level = usize::from(n.north == n.north_west);
        let candidates = [n.north, n.reference, n.north_east, n.north_west, n.west_west, n.reference_east];
        for (at, candidate) in candidates.into_iter().enumerate() {
            if (!REFERENCE && (at == 1 || at == 5)) || excluded.has(candidate) {
                continue;
            }
            let agreement = usize::from(candidate == n.north_east)
                | usize::from(REFERENCE && candidate == n.reference) << 1;
            let context = ((at * 8 + excluded.count) * 2 + level) * 4 + agreement;
            if coder.bit(&mut self.candidates[context], unit == candidate) {
                return candidate;
            }
            excluded.add(candidate);
        }
        let patterns = [hash(&[n.west, n.north, n.north_west, n.north_east]), hash(&[n.west, n.north])];
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

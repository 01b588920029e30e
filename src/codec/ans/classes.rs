//! Groups of bytes by how large their bytes are, one frequency table per class.

use super::GROUP;
use super::table::SCALE_BITS;

/// Classes of groups, that of nothing but zeros included.
pub(in crate::codec) const CLASSES: usize = 16;
/// Levels of the sum of a group that are told apart before classes are merged.
pub(in crate::codec) const LEVELS: usize = 32;
/// Level of a group of nothing but zeros.
const ZEROS: u8 = 0;
/// What a table costs on the wire, in bits with [`FRACTION_BITS`] fraction bits, about: for what does not occur and for the time
/// to make it, and for each symbol.
const TABLE_COST: u64 = 300 << FRACTION_BITS;
const SYMBOL_COST: u64 = 5 << FRACTION_BITS;
pub(in crate::codec) const FRACTION_BITS: u32 = 8;

/// How often each byte value occurs.
pub(in crate::codec) type Counts = [u32; 256];

/// The class of each group, and the counts of each class. Class 0 has none.
pub(in crate::codec) struct Classes {
    pub groups: Vec<u8>,
    pub counts: Vec<Counts>,
}

impl Classes {
    /// Groups `block` in a way that costs little.
    pub fn of(block: &[u8]) -> Self {
        let mut counts = vec![[[0; 256]; 2]; LEVELS];
        let levels: Vec<u8> = block
            .chunks(GROUP)
            .map(|group| {
                let sum: u32 = group.iter().map(|&byte| u32::from(byte)).sum();
                if sum == 0 {
                    return ZEROS;
                }
                let level = level(sum);
                count(group, &mut counts[level]);
                // The last group is filled up with zeros.
                counts[level][0][0] += (GROUP - group.len()) as u32;
                level as u8 + 1
            })
            .collect();
        let (merged, counts) = merge(counts.iter().map(|[even, odd]| sum(even, odd)), CLASSES, cost);
        let groups =
            levels.iter().map(|&level| if level == ZEROS { 0 } else { merged[usize::from(level) - 1] }).collect();
        Self { groups, counts }
    }

    /// Bytes that the symbols need, about.
    pub fn payload_bytes(&self) -> usize {
        let bits: u64 = self.counts.iter().map(payload_cost).sum();
        (bits >> (FRACTION_BITS + 3)) as usize
    }
}

fn sum(a: &Counts, b: &Counts) -> Counts {
    std::array::from_fn(|at| a[at] + b[at])
}

/// Two levels an octave, from 1 to 2^16.
pub(in crate::codec) fn level(sum: u32) -> usize {
    let exponent = 31 - sum.leading_zeros();
    let half = if exponent == 0 { 0 } else { sum >> (exponent - 1) & 1 };
    ((exponent << 1 | half) as usize).min(LEVELS - 1)
}

/// Counts into two sets in turn, and zeros eight at a time: equal neighbours would otherwise wait for
/// each other's store.
fn count(group: &[u8], [even, odd]: &mut [Counts; 2]) {
    let (words, rest) = group.as_chunks::<8>();
    for word in words {
        if *word == [0; 8] {
            even[0] += 8;
            continue;
        }
        for pair in word.as_chunks::<2>().0 {
            even[usize::from(pair[0])] += 1;
            odd[usize::from(pair[1])] += 1;
        }
    }
    for &byte in rest {
        even[usize::from(byte)] += 1;
    }
}

/// Merges neighbouring levels as long as that saves bits or there are not fewer than `most`. Returns the class of
/// each level (from 1) and the counts of each class.
pub(in crate::codec) fn merge(
    counts: impl Iterator<Item = Counts>,
    most: usize,
    cost: impl Fn(&Counts) -> u64,
) -> (Vec<u8>, Vec<Counts>) {
    struct Part {
        levels: usize,
        counts: Counts,
        cost: u64,
    }
    let mut parts: Vec<Part> = Vec::new();
    for counts in counts {
        // A level without groups costs nothing in any class.
        match parts.last_mut() {
            Some(last) if counts.iter().all(|&count| count == 0) => last.levels += 1,
            _ => parts.push(Part { levels: 1, cost: cost(&counts), counts }),
        }
    }
    let joined = |a: &Part, b: &Part| -> (u64, Counts) {
        let counts = sum(&a.counts, &b.counts);
        (cost(&counts), counts)
    };
    let gain = |a: &Part, b: &Part| (a.cost + b.cost) as i64 - joined(a, b).0 as i64;
    let mut gains: Vec<i64> = parts.windows(2).map(|pair| gain(&pair[0], &pair[1])).collect();
    while let Some((at, &best)) = gains.iter().enumerate().max_by_key(|&(at, &gain)| (gain, std::cmp::Reverse(at))) {
        if best < 0 && parts.len() < most {
            break;
        }
        let other = parts.remove(at + 1);
        let (cost, counts) = joined(&parts[at], &other);
        parts[at] = Part { levels: parts[at].levels + other.levels, counts, cost };
        gains.remove(at);
        if at > 0 {
            gains[at - 1] = gain(&parts[at - 1], &parts[at]);
        }
        if at < gains.len() {
            gains[at] = gain(&parts[at], &parts[at + 1]);
        }
    }
    let classes = parts.iter().enumerate().flat_map(|(class, part)| vec![class as u8 + 1; part.levels]).collect();
    let counts = parts.into_iter().map(|part| part.counts).filter(|counts| counts.iter().any(|&count| count > 0));
    (classes, counts.collect())
}

/// Bits for the symbols and their table, with [`FRACTION_BITS`] fraction bits.
pub(in crate::codec) fn cost(counts: &Counts) -> u64 {
    let symbols = counts.iter().filter(|&&count| count > 0).count() as u64;
    payload_cost(counts) + symbols.min(1) * TABLE_COST + symbols * SYMBOL_COST
}

/// Bits for the symbols, with [`FRACTION_BITS`] fraction bits.
pub(in crate::codec) fn payload_cost(counts: &Counts) -> u64 {
    let total: u32 = counts.iter().sum();
    if total == 0 {
        return 0;
    }
    let log_total = log2(total);
    let most = SCALE_BITS << FRACTION_BITS;
    let symbols = counts.iter().filter(|&&count| count > 0);
    symbols.map(|&count| u64::from(count) * u64::from((log_total - log2(count)).min(most))).sum()
}

/// log2 with [`FRACTION_BITS`] fraction bits, interpolated between the powers of two.
pub(super) fn log2(value: u32) -> u32 {
    let exponent = 31 - value.leading_zeros();
    let fraction = ((u64::from(value) << FRACTION_BITS) >> exponent) as u32 - (1 << FRACTION_BITS);
    // The chord is below the curve by at most 0.086; a parabola through the middle mends most of that.
    let mend = (fraction * ((1 << FRACTION_BITS) - fraction) * 88) >> (2 * FRACTION_BITS);
    (exponent << FRACTION_BITS) + fraction + mend
}

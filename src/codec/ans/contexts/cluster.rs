//! Contexts to classes.

use super::super::classes::{self, Counts, FRACTION_BITS};
use super::{CLASSES, EQUALS, Ranks, all_equal};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;

/// Parts that contexts are sorted into before these are merged to classes.
const PARTS: usize = 64;
/// A context that does not occur.
const NO_ROW: u16 = u16::MAX;
/// How often every context is given to the class that suits it best.
const ROUNDS: usize = 4;

/// The classes of the contexts of a block.
pub(super) struct Clusters {
    /// The class of each context.
    pub classes: Vec<u8>,
    /// Bytes of each class.
    pub runs: Vec<usize>,
    /// How often each rank occurs in each class.
    pub counts: Vec<Counts>,
}

impl Clusters {
    /// Sorts the contexts of `block`, which are below `count`.
    pub fn of(simd: SimdLevel, block: &[u8], ranks: &Ranks, keys: &[u16], count: usize) -> Self {
        // Only contexts that occur get counters: most do not, and all of them would not fit the cache.
        let mut row_of = vec![NO_ROW; count];
        keys.iter().for_each(|&key| row_of[usize::from(key)] = 0);
        let live: Vec<usize> = (0..count).filter(|&key| row_of[key] != NO_ROW).collect();
        live.iter().zip(0..).for_each(|(&key, row)| row_of[key] = row);
        let mut by_key = vec![[0u32; 256]; live.len()];
        let mut add = |byte: u8, key: u16, times| {
            by_key[usize::from(row_of[usize::from(key)])][usize::from(ranks.of[usize::from(byte)])] += times;
        };
        let ((bytes, last_bytes), (keys, last_keys)) = (block.as_chunks::<EQUALS>(), keys.as_chunks::<EQUALS>());
        for (bytes, keys) in bytes.iter().zip(keys) {
            // Equal ones at once: they would wait for each other's store.
            if all_equal(bytes) && all_equal(keys) {
                add(bytes[0], keys[0], EQUALS as u32);
            } else {
                bytes.iter().zip(keys).for_each(|(&byte, &key)| add(byte, key, 1));
            }
        }
        last_bytes.iter().zip(last_keys).for_each(|(&byte, &key)| add(byte, key, 1));
        let used = by_key.iter().map(used).max().unwrap_or(0);
        let contexts: Vec<Context> = by_key.iter().map(Context::of).collect();
        let mut counts = merged(&contexts);
        let mut of_live = Vec::new();
        for _ in 0..ROUNDS {
            of_live = assigned(simd, &by_key, &counts, used);
            counts = summed(&by_key, &of_live, counts.len());
        }
        // Classes that nothing was given to are dropped.
        let mut names = vec![0u8; counts.len()];
        let mut kept = 0;
        for (name, counts) in names.iter_mut().zip(&counts) {
            *name = kept;
            kept += u8::from(counts.iter().any(|&count| count > 0));
        }
        counts.retain(|counts| counts.iter().any(|&count| count > 0));
        let mut classes = vec![None; count];
        live.iter().zip(of_live).for_each(|(&key, class)| classes[key] = Some(names[class]));
        // One that does not occur is like the one before: that is what costs least to say.
        let mut before = 0;
        let classes =
            classes.into_iter().map(|class| *class.as_ref().inspect(|&&class| before = class).unwrap_or(&before));
        let classes = classes.collect();
        let runs = counts.iter().map(|counts| counts.iter().map(|&count| count as usize).sum()).collect();
        Self { classes, runs, counts }
    }

    /// Bytes for the symbols, about.
    pub fn payload_bytes(&self) -> usize {
        bytes(self.counts.iter().map(classes::payload_cost).sum())
    }

    /// Bytes for tables, classes of contexts and filling up, about.
    pub fn overhead_bytes(&self) -> usize {
        let changes = self.classes.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
        bytes(self.counts.iter().map(|counts| cost(counts) - classes::payload_cost(counts)).sum())
            + bytes((changes * 6) << FRACTION_BITS)
            + 4
    }
}

fn bytes(cost: u64) -> usize {
    (cost >> (FRACTION_BITS + 3)) as usize
}

/// A context that occurs.
struct Context<'a> {
    counts: &'a Counts,
    total: u32,
    /// Mean rank, with 8 fraction bits.
    mean: u32,
}

impl<'a> Context<'a> {
    fn of(counts: &'a Counts) -> Self {
        let total: u32 = counts.iter().sum();
        let sum: u64 = (0u64..).zip(counts).map(|(rank, &count)| rank * u64::from(count)).sum();
        Self { counts, total, mean: ((sum << 8) / u64::from(total.max(1))) as u32 }
    }
}

/// Ranks up to the last that occurs.
fn used(counts: &Counts) -> usize {
    counts.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1)
}

fn add(sum: &mut Counts, counts: &Counts) {
    sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

/// Classes of contexts of like means.
fn merged(contexts: &[Context<'_>]) -> Vec<Counts> {
    let mut sorted: Vec<&Context<'_>> = contexts.iter().collect();
    sorted.sort_by_key(|context| context.mean);
    let total: u64 = contexts.iter().map(|context| u64::from(context.total)).sum();
    let mut parts = vec![[0; 256]; PARTS];
    let mut before = 0;
    for context in sorted {
        let middle = before + u64::from(context.total) / 2;
        add(&mut parts[(middle * PARTS as u64 / total) as usize], context.counts);
        before += u64::from(context.total);
    }
    classes::merge(parts.into_iter(), CLASSES + 1, cost).1
}

/// The class in which each context costs least.
fn assigned(simd: SimdLevel, by_key: &[Counts], counts: &[Counts], used: usize) -> Vec<usize> {
    // The costs of a rank in all classes are side by side, so that they are summed as one vector.
    let mut costs = vec![[0; CLASSES]; used.next_multiple_of(STEP)];
    for (class, counts) in counts.iter().enumerate() {
        let log = classes::log2(counts.iter().sum::<u32>().max(1));
        for (cost, &count) in costs.iter_mut().zip(counts) {
            // A symbol that the class does not have yet can be had for that much.
            cost[class] = if count == 0 { log + (4 << FRACTION_BITS) } else { log - classes::log2(count) };
        }
    }
    let class = |by_rank: &Counts| {
        let sums = simd.run(Sums { costs: &costs, by_rank });
        (0..counts.len()).min_by_key(|&class| sums[class]).unwrap_or(0)
    };
    by_key.iter().map(class).collect()
}

/// Most occurrences of a context whose costs add up in 32 bits: none costs 2^14, with the fraction bits.
const SMALL: u32 = 1 << 18;
/// Ranks that are looked at together.
const STEP: usize = 4;

/// What a context costs in each class.
struct Sums<'a> {
    costs: &'a [[u32; CLASSES]],
    by_rank: &'a Counts,
}

impl Kernel for Sums<'_> {
    type Output = [u64; CLASSES];

    #[inline(always)]
    fn run(self) -> [u64; CLASSES] {
        if self.by_rank.iter().sum::<u32>() <= SMALL {
            let mut sums = [0u32; CLASSES];
            for (costs, counts) in self.costs.as_chunks::<STEP>().0.iter().zip(self.by_rank.as_chunks::<STEP>().0) {
                if counts[0] | counts[1] | counts[2] | counts[3] == 0 {
                    continue;
                }
                for at in 0..STEP {
                    for class in 0..CLASSES {
                        sums[class] += counts[at] * costs[at][class];
                    }
                }
            }
            return sums.map(u64::from);
        }
        let mut sums = [0; CLASSES];
        for (costs, &count) in self.costs.iter().zip(self.by_rank).filter(|(_, count)| **count > 0) {
            for (sum, &cost) in sums.iter_mut().zip(costs) {
                *sum += u64::from(count) * u64::from(cost);
            }
        }
        sums
    }
}

fn summed(by_key: &[Counts], of_key: &[usize], classes: usize) -> Vec<Counts> {
    let mut counts = vec![[0; 256]; classes];
    for (by_rank, &class) in by_key.iter().zip(of_key) {
        add(&mut counts[class], by_rank);
    }
    counts
}

/// Bits for the symbols, their table and filling up a run, with [`FRACTION_BITS`] fraction bits.
fn cost(counts: &Counts) -> u64 {
    let total: u32 = counts.iter().sum();
    let most = counts.iter().max().copied().unwrap_or(0);
    if most == 0 {
        return 0;
    }
    let filling = u64::from(classes::log2(total) - classes::log2(most)) * super::RUN as u64 / 2;
    classes::cost(counts) + filling
}

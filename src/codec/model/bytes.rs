//! Blocks of bytes by distributions that adapt: the highest bytes of numbers, exponents above all.
//!
//! Static tables (`contexts`) pay for every context that they tell apart, and know nothing of how a plane
//! changes on its way. Here a byte is one symbol of 16, or two where the block has more values, each coded by
//! the mean of two distributions: which of the neighbours are how large, and their sums.

use super::adaptive::{Distribution, code_symbol_at};
use super::lanes::{Lanes, Portable};
use super::rans::{Coder, Decoder, Encoder};
use crate::codec::Surroundings;
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// A bit for each byte value.
const PRESENT_BYTES: usize = 32;
/// Values that one symbol tells apart.
const SYMBOLS: usize = 16;
/// Sizes that neighbours are told apart by.
const SIZES: usize = 9;
/// Sums of neighbours in the picture, and in the one before.
const SUMS: [usize; 2] = [64, 32];

/// How slow the two distributions of a symbol become.
const RATES: [u32; 2] = [6, 7];

/// The byte values of a block, by rank.
fn present(map: &[u8; PRESENT_BYTES]) -> Vec<u8> {
    (0..=255).filter(|&byte| map[usize::from(byte / 8)] >> (byte % 8) & 1 == 1).collect()
}

/// Ranks, after as many zeros as neighbours are away.
struct Values {
    ranks: Vec<u8>,
    /// Distances of the sample above, and of that in the picture before.
    above: usize,
    before: usize,
    /// Place of the first byte.
    start: usize,
    /// Ranks of a size, as a power of two; and whether a rank is one symbol.
    shift: u32,
    single: bool,
}

impl Values {
    fn new(around: Surroundings<'_>, length: usize, count: usize) -> Self {
        // What is before the first sample is as good as any such.
        let [above, before] = [around.width, around.picture].map(|distance| distance.clamp(2, length.max(2) + 1));
        let start = above.max(before) + 1;
        let single = count <= SYMBOLS;
        Self { ranks: vec![0; start + length], above, before, start, shift: if single { 1 } else { 5 }, single }
    }
}

struct Models {
    sizes: Vec<Distribution>,
    sums: Vec<Distribution>,
    lower_sizes: Vec<Distribution>,
    lower: Vec<Distribution>,
}

impl Models {
    fn new() -> Self {
        let even = |count| vec![Distribution::of([2048; SYMBOLS]); count];
        Self {
            sizes: even(4 * SIZES * SIZES * SIZES),
            sums: even(SUMS[0] * SUMS[1]),
            lower_sizes: even(SIZES * SIZES * SYMBOLS),
            lower: even(SYMBOLS),
        }
    }
}

struct Job<'a, L, C> {
    lanes: L,
    coder: &'a mut C,
    values: &'a mut Values,
}

impl<L: Lanes, C: Coder> Kernel for Job<'_, L, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, coder, values } = self;
        let Values { ranks, above, before, start, shift, single } = values;
        let (above, before, shift) = (*above, *before, *shift);
        let mut models = Models::new();
        for at in *start..ranks.len() {
            if at % 4096 == 0 && coder.is_spent() {
                return;
            }
            let rank = |back: usize| usize::from(ranks[at - back]);
            let [w, n, nw, ne] = [1, above, above + 1, above - 1].map(rank);
            let [p, pe] = [before, before - 1].map(rank);
            let size = |rank: usize| ((rank + (1 << shift) - 1) >> shift).min(SIZES - 1);
            let near = size(w) * SIZES + size(n);
            let sizes = ((near * SIZES + size(p)) * 2 + usize::from(nw > 0)) * 2 + usize::from(ne > 0);
            let sums =
                ((2 * w + 2 * n + nw + ne) >> 1).min(SUMS[0] - 1) * SUMS[1] + ((2 * p + pe) >> 1).min(SUMS[1] - 1);
            let (sizes, sums) = (&mut models.sizes[sizes], &mut models.sums[sums]);
            let wanted = usize::from(ranks[at]);
            if *single {
                ranks[at] = code_symbol_at(lanes, coder, [sizes, sums], RATES, wanted) as u8;
                continue;
            }
            let upper = code_symbol_at(lanes, coder, [sizes, sums], RATES, wanted / SYMBOLS);
            let (sizes, lower) = (&mut models.lower_sizes[near * SYMBOLS + upper], &mut models.lower[upper]);
            let lower = code_symbol_at(lanes, coder, [sizes, lower], RATES, wanted % SYMBOLS);
            ranks[at] = (upper * SYMBOLS + lower) as u8;
        }
    }
}

fn run<C: Coder>(simd: SimdLevel, coder: &mut C, values: &mut Values) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(Job { lanes, coder, values });
    }
    simd.run(Job { lanes: Portable, coder, values });
}

/// Appends the coded block if that is shorter than `block`; otherwise returns false, and `out` may have grown.
pub(in crate::codec) fn encode(simd: SimdLevel, block: &[u8], around: Surroundings<'_>, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let mut map = [0; PRESENT_BYTES];
    block.iter().for_each(|byte| map[usize::from(byte / 8)] |= 1 << (byte % 8));
    let present = present(&map);
    let mut rank_of = [0; 256];
    // There are 256 at most.
    present.iter().enumerate().for_each(|(rank, &byte)| rank_of[usize::from(byte)] = rank as u8);
    let mut values = Values::new(around, block.len(), present.len());
    let ranks = &mut values.ranks[values.start..];
    ranks.iter_mut().zip(block).for_each(|(rank, &byte)| *rank = rank_of[usize::from(byte)]);
    let mut encoder = Encoder::default();
    run(simd, &mut encoder, &mut values);
    out.extend(map);
    encoder.finish(out);
    out.len() - start < block.len()
}

/// Decodes exactly `block`.
pub(in crate::codec) fn decode(
    simd: SimdLevel,
    packed: &[u8],
    around: Surroundings<'_>,
    block: &mut [u8],
) -> Result<()> {
    let wrong = |what: &str| Err(Error::corrupt(format!("adaptive block: {what}")));
    let Some((map, words)) = packed.split_first_chunk() else { return wrong("it ends within its head") };
    let present = present(map);
    let mut values = Values::new(around, block.len(), present.len());
    let mut decoder = Decoder::new(words);
    run(simd, &mut decoder, &mut values);
    if !decoder.finish() {
        return wrong("its words do not end as they should");
    }
    for (byte, &rank) in block.iter_mut().zip(&values.ranks[values.start..]) {
        match present.get(usize::from(rank)) {
            Some(&value) => *byte = value,
            None => return wrong("a byte that is not among its values"),
        }
    }
    Ok(())
}

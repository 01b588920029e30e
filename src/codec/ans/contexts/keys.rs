//! Contexts as numbers.

use super::{ContextKind, EQUALS, Runs, Surroundings};
use crate::codec::bits::{BitDecoder, BitEncoder, Nibble};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// Contexts of the higher bytes: none that is not 0, or the next higher byte.
pub(super) const HIGHER_KEYS: usize = 257;

/// Steps into which the sum of two neighbours is rounded.
const STEPS: usize = 48;
/// Which of four neighbours are 0.
const PATTERNS: usize = 16;
/// Sums of two neighbours, rounded up to a power of two.
const SUMS: usize = 512;
/// Contexts of neighbours.
pub(super) const NEIGHBOUR_KEYS: usize = 2 * PATTERNS * STEPS;

/// The context of every byte of a block, below `count`.
pub(super) struct Keys {
    pub keys: Vec<u16>,
    pub count: usize,
}

/// Byte values by their place among those that a block has, so that neighbours in value are near.
pub(super) struct Ranks {
    /// The rank of each byte value.
    pub of: [u8; 256],
    /// The byte value of each rank.
    pub bytes: [u8; 256],
    present: [bool; 256],
}

impl Ranks {
    /// The ranks of the bytes of `block`. Only neighbours need any.
    pub fn of(block: &[u8], kind: ContextKind) -> Self {
        let mut present = [kind == ContextKind::Higher; 256];
        if kind == ContextKind::Neighbours {
            block.iter().for_each(|&byte| present[usize::from(byte)] = true);
        }
        Self::new(present)
    }

    fn new(present: [bool; 256]) -> Self {
        let (mut of, mut bytes) = ([0; 256], [0; 256]);
        for (rank, byte) in (0..=255u8).filter(|&byte| present[usize::from(byte)]).enumerate() {
            // There are 256 at most.
            of[usize::from(byte)] = rank as u8;
            bytes[rank] = byte;
        }
        Self { of, bytes, present }
    }

    pub fn write(&self, kind: ContextKind, out: &mut BitEncoder<'_>) {
        if kind == ContextKind::Neighbours {
            let mut set = Nibble::default();
            for four in self.present.as_chunks::<4>().0 {
                out.nibble(&mut set, four.iter().fold(0, |bits, &present| bits << 1 | u32::from(present)));
            }
        }
    }

    pub fn read(kind: ContextKind, input: &mut BitDecoder<'_>) -> Result<Self> {
        let mut present = [kind == ContextKind::Higher; 256];
        if kind == ContextKind::Neighbours {
            let mut set = Nibble::default();
            for four in present.as_chunks_mut::<4>().0 {
                let bits = input.nibble(&mut set);
                *four = std::array::from_fn(|at| bits >> (3 - at) & 1 == 1);
            }
            if !present.contains(&true) {
                return Err(Error::corrupt("contexts block: it has no byte values"));
            }
        }
        Ok(Self::new(present))
    }
}

/// Contexts of the higher bytes of each sample. `higher` are their blocks, the lowest first.
pub(super) fn higher(simd: SimdLevel, higher: &[&[u8]], length: usize) -> Keys {
    let large = large(simd, higher, length);
    let mut keys = vec![0; length];
    if let [next, ..] = higher {
        simd.run(HigherKeys { next, large: &large, keys: &mut keys });
    }
    Keys { keys, count: HIGHER_KEYS }
}

struct HigherKeys<'a> {
    next: &'a [u8],
    large: &'a [u8],
    keys: &'a mut [u16],
}

impl Kernel for HigherKeys<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((key, &next), &large) in self.keys.iter_mut().zip(self.next).zip(self.large) {
            *key = (u16::from(next) + 1) * u16::from(large & 1);
        }
    }
}

/// 255 for samples with a higher byte that is not 0, 0 for others.
fn large(simd: SimdLevel, higher: &[&[u8]], length: usize) -> Vec<u8> {
    let mut large = vec![0; length];
    simd.run(Large { higher, large: &mut large });
    large
}

struct Large<'a> {
    higher: &'a [&'a [u8]],
    large: &'a mut [u8],
}

impl Kernel for Large<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for block in self.higher {
            self.large.iter_mut().zip(*block).for_each(|(large, &byte)| *large |= byte);
        }
        self.large.iter_mut().for_each(|large| *large = if *large == 0 { 0 } else { u8::MAX });
    }
}

/// Contexts of neighbours, of a whole block.
pub(super) fn neighbours(simd: SimdLevel, block: &[u8], ranks: &Ranks, around: Surroundings<'_>) -> Keys {
    let mut neighbours = Neighbours::new(simd, around, block.len());
    let values = &mut neighbours.values[neighbours.above + 1..];
    for ((value, &byte), &large) in values.iter_mut().zip(block).zip(&neighbours.large) {
        *value = ranks.of[usize::from(byte)] | large;
    }
    let mut keys = vec![0; block.len()];
    simd.run(NeighbourKeys { neighbours: &neighbours, keys: &mut keys });
    Keys { keys, count: NEIGHBOUR_KEYS }
}

struct NeighbourKeys<'a> {
    neighbours: &'a Neighbours,
    keys: &'a mut [u16],
}

impl Kernel for NeighbourKeys<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Neighbours { values, large, above } = self.neighbours;
        let (length, left) = (self.keys.len(), &values[*above..]);
        let (above_left, above, above_right) = (&values[..length], &values[1..][..length], &values[2..][..length]);
        let neighbours = above_left.iter().zip(above).zip(above_right).zip(left).zip(large);
        for (key, ((((&above_left, &above), &above_right), &left), &large)) in self.keys.iter_mut().zip(neighbours) {
            let row = row(large, left, above, above_left, above_right);
            *key = row * STEPS as u16 + step(u16::from(left) + u16::from(above));
        }
    }
}

/// Which of the neighbours are 0, and whether the sample is large.
#[inline(always)]
fn row(large: u8, left: u8, above: u8, above_left: u8, above_right: u8) -> u16 {
    let bit = |value: u8| u16::from(value > 0);
    bit(left) | bit(above) << 1 | bit(above_left) << 2 | bit(above_right) << 3 | bit(large) << 4
}

/// A sum of two bytes rounded: exact below 32, then four steps an octave.
#[inline(always)]
fn step(sum: u16) -> u16 {
    // Exponent and upper fraction bits of a float count the steps, and vectorise; those of 32 are 528.
    let steps = (f32::from(sum).to_bits() >> 21) as u16;
    if sum < 32 { sum } else { steps - (((127 + 5) << 2) - 32) }
}

/// Ranks of the bytes so far, 255 where a sample is larger than its byte.
pub(super) struct Neighbours {
    /// What is before the block is 0.
    values: Vec<u8>,
    large: Vec<u8>,
    /// Distance of the sample above.
    above: usize,
}

impl Neighbours {
    pub fn new(simd: SimdLevel, around: Surroundings<'_>, length: usize) -> Self {
        // A row further up than the block's first sample is as good as any such.
        let above = around.width.clamp(2, length.max(2) + 1);
        Self { values: vec![0; above + 1 + length], large: large(simd, around.higher, length), above }
    }

    /// Takes every byte of `block` from the run of its context.
    pub fn decode(mut self, ranks: &Ranks, runs: &mut Runs<'_>, block: &mut [u8]) {
        // By the sum itself rather than its step: one dependent load less for every byte.
        let classes: Vec<[u8; SUMS]> = runs
            .classes
            .chunks(STEPS)
            .map(|row| std::array::from_fn(|sum| row[usize::from(step((sum as u16).min(2 * 255)))]))
            .collect();
        let mut left = 0;
        // Short enough that what is above a chunk is before it.
        let chunk = self.above - 1;
        for (number, (block, large)) in block.chunks_mut(chunk).zip(self.large.chunks(chunk)).enumerate() {
            let (before, values) = self.values.split_at_mut(number * chunk + self.above + 1);
            let above = &before[number * chunk..][..block.len() + 2];
            let mut at = 0;
            while at < block.len() {
                let quiet = |bytes: &[u8]| bytes.first_chunk() == Some(&[0; EQUALS]);
                let zeros = left == 0 && quiet(&above[at..]) && quiet(&above[at + 2..]) && quiet(&large[at..]);
                if zeros && runs.skip_zeros(classes[0][0]) {
                    // Values are 0 already.
                    block[at..at + EQUALS].fill(ranks.bytes[0]);
                    at += EQUALS;
                    continue;
                }
                let row = usize::from(row(large[at], left, above[at + 1], above[at], above[at + 2]));
                let class = classes[row][usize::from(left) + usize::from(above[at + 1])];
                let rank = runs.take(class);
                block[at] = ranks.bytes[usize::from(rank)];
                left = rank | large[at];
                values[at] = left;
                at += 1;
            }
        }
    }
}

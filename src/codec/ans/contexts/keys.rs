//! Contexts as numbers.

use super::super::bits::{BitDecoder, BitEncoder, Nibble};
use super::{ContextKind, Runs, Surroundings};
use crate::error::{Error, Result};

/// Contexts of the higher bytes: none that is not 0, or the next higher byte.
pub(super) const HIGHER_KEYS: usize = 257;

/// Steps into which the sum of two neighbours is rounded.
const STEPS: usize = 48;
/// Which of four neighbours are 0.
const PATTERNS: usize = 16;
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
pub(super) fn higher(higher: &[&[u8]], length: usize) -> Keys {
    let mut keys = match higher {
        [next, ..] => next.iter().map(|&byte| u16::from(byte) + 1).collect(),
        [] => vec![0; length],
    };
    for (key, large) in keys.iter_mut().zip(large(higher, length)) {
        *key &= u16::from_ne_bytes([large; 2]);
    }
    Keys { keys, count: HIGHER_KEYS }
}

/// 255 for samples with a higher byte that is not 0, 0 for others.
fn large(higher: &[&[u8]], length: usize) -> Vec<u8> {
    let mut large = vec![0; length];
    for block in higher {
        large.iter_mut().zip(*block).for_each(|(large, byte)| *large |= byte);
    }
    large.iter_mut().for_each(|large| *large = if *large == 0 { 0 } else { u8::MAX });
    large
}

/// Contexts of neighbours, of a whole block.
pub(super) fn neighbours(block: &[u8], ranks: &Ranks, around: Surroundings<'_>) -> Keys {
    let mut neighbours = Neighbours::new(around, block.len());
    let mut keys = Vec::with_capacity(block.len());
    for (at, &byte) in block.iter().enumerate() {
        keys.push(neighbours.key(at));
        neighbours.set(at, ranks.of[usize::from(byte)]);
    }
    Keys { keys, count: NEIGHBOUR_KEYS }
}

/// Ranks of the bytes so far, 255 where a sample is larger than its byte.
pub(super) struct Neighbours {
    /// What is before the block is 0.
    values: Vec<u8>,
    large: Vec<u8>,
    /// Distance of the sample above.
    above: usize,
    steps: [u8; 511],
}

impl Neighbours {
    pub fn new(around: Surroundings<'_>, length: usize) -> Self {
        // A row further up than the block's first sample is as good as any such.
        let above = around.width.clamp(2, length.max(2) + 1);
        Self {
            values: vec![0; above + 1 + length],
            large: large(around.higher, length),
            above,
            steps: std::array::from_fn(step),
        }
    }

    #[inline(always)]
    fn key(&self, at: usize) -> u16 {
        let before = &self.values[at..at + self.above + 1];
        let (above_left, above, above_right, left) = (before[0], before[1], before[2], before[self.above]);
        let patterns = [left, above, above_left, above_right];
        let pattern = patterns.iter().rev().fold(0, |bits, &value| bits << 1 | usize::from(value > 0));
        let step = self.steps[usize::from(left) + usize::from(above)];
        let large = usize::from(self.large[at] & 1);
        ((large * PATTERNS + pattern) * STEPS + usize::from(step)) as u16
    }

    #[inline(always)]
    fn set(&mut self, at: usize, rank: u8) {
        self.values[at + self.above + 1] = rank | self.large[at];
    }

    /// Takes every byte of `block` from the run of its context.
    pub fn decode(mut self, ranks: &Ranks, runs: &mut Runs<'_>, block: &mut [u8]) {
        for (at, byte) in block.iter_mut().enumerate() {
            let rank = runs.take(self.key(at));
            *byte = ranks.bytes[usize::from(rank)];
            self.set(at, rank);
        }
    }
}

/// A sum rounded: exact below 32, then four steps an octave.
fn step(sum: usize) -> u8 {
    let bits = usize::BITS - sum.leading_zeros();
    match bits {
        0..=5 => sum as u8,
        _ => (32 + 4 * (bits - 6) + (sum >> (bits - 3) & 3) as u32) as u8,
    }
}

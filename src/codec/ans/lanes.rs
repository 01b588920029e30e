//! 32 interleaved rANS coders.
//!
//! rANS is Jarek Duda's ("Asymmetric numeral systems", 2013); states of 31 bits are renormalised by
//! 16-bit words as in Fabian Giesen's "Interleaved entropy coders" (2014). Lane `l` codes every 32nd
//! byte of a group, from byte `l`. At each step, lanes that run low take their words in the order of
//! the lanes.

use super::table::{Frequencies, SCALE, SCALE_BITS};
use super::{GROUP, LANES};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// States are at least this, and below 2^16 times this.
const LOW_BITS: u32 = 15;

pub(super) type States = [u32; LANES];

/// Where every lane begins.
pub(super) const START: States = [1 << LOW_BITS; LANES];

/// Frequency and start of each byte value, packed for encoding.
pub(super) struct EncodeTable([u32; 256]);

impl EncodeTable {
    pub fn new(frequencies: &Frequencies) -> Self {
        let mut start = 0;
        Self(frequencies.as_array().map(|frequency| {
            let entry = start << 16 | u32::from(frequency);
            start += u32::from(frequency);
            entry
        }))
    }
}

/// Byte value, frequency less one and position within it of each slot, packed for decoding.
pub(super) struct DecodeTable(Box<[u32; SCALE as usize]>);

impl DecodeTable {
    pub fn new(frequencies: &Frequencies) -> Self {
        let mut slots = Vec::with_capacity(SCALE as usize);
        for (symbol, &frequency) in (0u32..).zip(frequencies.as_array()) {
            let frequency = u32::from(frequency);
            slots.extend((0..frequency).map(|at| at << 20 | (frequency - 1) << 8 | symbol));
        }
        // Frequencies sum to SCALE.
        slots.resize(SCALE as usize, 0);
        Self(slots.into_boxed_slice().try_into().expect("SCALE slots"))
    }
}

/// Encodes groups, last first, and appends the words in the order in which they are read.
pub(super) fn encode(simd: SimdLevel, groups: &[(&EncodeTable, &[u8])], states: &mut States, out: &mut Vec<u8>) {
    // Each byte takes at most one word.
    let mut words = vec![0; groups.len() * GROUP + LANES];
    let mut at = words.len();
    for &(table, group) in groups.iter().rev() {
        let mut padded = [0; GROUP];
        padded[..group.len()].copy_from_slice(group);
        at = simd.run(EncodeGroup { table, group: &padded, states, words: &mut words, at });
    }
    out.extend(words[at..].iter().flat_map(|word: &u16| word.to_le_bytes()));
}

struct EncodeGroup<'a> {
    table: &'a EncodeTable,
    group: &'a [u8; GROUP],
    states: &'a mut States,
    words: &'a mut [u16],
    at: usize,
}

impl Kernel for EncodeGroup<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Self { table, group, states, words, mut at } = self;
        for symbols in group.as_chunks::<LANES>().0.iter().rev() {
            let entries: [u32; LANES] = symbols.map(|symbol| table.0[usize::from(symbol)]);
            for lane in (0..LANES).rev() {
                let full = states[lane] >= (entries[lane] & 0xFFFF) << (31 - SCALE_BITS);
                words[at - 1] = states[lane] as u16;
                at -= usize::from(full);
                states[lane] >>= u32::from(full) * 16;
            }
            for lane in 0..LANES {
                let (frequency, start) = (entries[lane] & 0xFFFF, entries[lane] >> 16);
                let quotient = states[lane] / frequency;
                states[lane] = (quotient << SCALE_BITS) + (states[lane] - quotient * frequency) + start;
            }
        }
        at
    }
}

/// Decodes groups in order. `words` are little-endian; all of them must be used, and all lanes end
/// where they began.
pub(super) fn decode(
    simd: SimdLevel,
    groups: Vec<(&DecodeTable, &mut [u8])>,
    states: &mut States,
    words: &[u8],
) -> Result<()> {
    // A step takes at most a word per lane: with these zeros it needs no check.
    let mut padded: Vec<u16> = words.as_chunks::<2>().0.iter().map(|&word| u16::from_le_bytes(word)).collect();
    let count = padded.len();
    padded.resize(count + LANES, 0);
    let mut at = 0;
    for (table, group) in groups {
        let mut whole = [0; GROUP];
        at = simd.run(DecodeGroup { table, group: &mut whole, states, words: &padded, at: at.min(count) });
        group.copy_from_slice(&whole[..group.len()]);
    }
    if at != count || *states != START {
        return Err(Error::corrupt("ans block: its words do not lead back to the start"));
    }
    Ok(())
}

struct DecodeGroup<'a> {
    table: &'a DecodeTable,
    group: &'a mut [u8; GROUP],
    states: &'a mut States,
    words: &'a [u16],
    at: usize,
}

impl Kernel for DecodeGroup<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        let Self { table, group, states, words, mut at } = self;
        for symbols in group.as_chunks_mut::<LANES>().0 {
            let entries: [u32; LANES] = states.map(|state| table.0[(state % SCALE) as usize]);
            for lane in 0..LANES {
                symbols[lane] = entries[lane] as u8;
                let frequency = (entries[lane] >> 8 & 0xFFF) + 1;
                states[lane] = frequency * (states[lane] >> SCALE_BITS) + (entries[lane] >> 20);
            }
            // Past the end zeros are read, and the count of words says so afterwards.
            let ahead: &[u16; LANES] = words[at.min(words.len() - LANES)..].first_chunk().unwrap_or(&[0; LANES]);
            let mut taken = 0;
            for state in states.iter_mut() {
                let low = *state < 1 << LOW_BITS;
                let refilled = *state << 16 | u32::from(ahead[taken % LANES]);
                *state = if low { refilled } else { *state };
                taken += usize::from(low);
            }
            at += taken;
        }
        at
    }
}

//! 32 interleaved rANS coders.
//!
//! rANS is Jarek Duda's ("Asymmetric numeral systems", 2013); states of 31 bits are renormalised by
//! 16-bit words as in Fabian Giesen's "Interleaved entropy coders" (2014). Lane `l` codes every 32nd
//! byte of a group, from byte `l`. At each step, lanes that run low take their words in the order of
//! the lanes.
//!
//! **Twin**: `shaders/ans/lanes.wgsl`.

use std::ops::Range;

use super::portable;
use super::table::{Frequencies, SCALE};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// rANS coders side by side.
pub(in crate::codec) const LANES: usize = 32;

/// States are at least this, and below 2^16 times this.
pub(in crate::codec) const LOW_BITS: u32 = 15;

/// Every state between two steps.
pub(in crate::codec) const STATES: std::ops::Range<u32> = 1 << LOW_BITS..1 << (LOW_BITS + 16);

pub(in crate::codec) type States = [u32; LANES];

/// Where every lane begins.
pub(in crate::codec) const START: States = [1 << LOW_BITS; LANES];

/// Byte values that vector registers hold a table of.
pub(in crate::codec) const NEAR: usize = 64;

/// Frequency and start of each byte value, packed for encoding.
pub struct EncodeTable {
    pub(in crate::codec) entries: [u32; 256],
    /// A little less than one by the frequency, if all byte values from the last of these on have the same entry.
    pub(in crate::codec) reciprocals: Option<[f32; NEAR]>,
}

impl EncodeTable {
    /// For each byte value, the start of its interval (upper half) and its frequency.
    pub fn as_array(&self) -> &[u32; 256] {
        &self.entries
    }

    pub(in crate::codec) fn new(frequencies: &Frequencies) -> Self {
        let mut start = 0;
        Self::of(frequencies.as_array().map(|frequency| {
            let entry = start << 16 | u32::from(frequency);
            start += u32::from(frequency);
            entry
        }))
    }

    /// The same, but byte values that are `escaped` have the entry of `escape`.
    pub(in crate::codec) fn with_escape(frequencies: &Frequencies, escape: u8, escaped: &[bool; 256]) -> Self {
        let mut entries = Self::new(frequencies).entries;
        let escape = entries[usize::from(escape)];
        entries.iter_mut().zip(escaped).filter(|&(_, &escaped)| escaped).for_each(|(entry, _)| *entry = escape);
        Self::of(entries)
    }

    fn of(entries: [u32; 256]) -> Self {
        let is_near = entries[NEAR..].iter().all(|&entry| entry == entries[NEAR - 1]);
        let reciprocal = |at: usize| match entries[at] as u16 {
            0 => 0.0,
            frequency => (1.0 - f32::EPSILON * 2.0) / f32::from(frequency),
        };
        Self { entries, reciprocals: is_near.then(|| std::array::from_fn(reciprocal)) }
    }
}

/// Byte value, frequency less one and position within it of each slot, packed for decoding.
pub struct DecodeTable(pub(in crate::codec) Box<[u32; SCALE as usize]>);

impl DecodeTable {
    /// For each slot, from the lowest bit: byte value (8 bits), frequency less one (12), position.
    pub fn as_array(&self) -> &[u32; SCALE as usize] {
        &self.0
    }

    pub(in crate::codec) fn new(frequencies: &Frequencies) -> Self {
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

/// Working memory of encoders, which is kept from one code to the next.
#[derive(Default)]
pub(in crate::codec) struct Words(Vec<u16>);

/// Encodes groups, last first, and appends the words in the order in which they are read.
pub(in crate::codec) fn encode<const N: usize>(
    simd: SimdLevel,
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    words: &mut Words,
    out: &mut Vec<u8>,
) {
    // Each byte takes at most one word; kernels may write a few below the first.
    let most = LANES + groups.len() * N;
    if words.0.len() < most {
        words.0.resize(most, 0);
    }
    let words = &mut words.0[..most];
    let at = encode_words(simd, groups, states, words);
    out.extend(words[at..].iter().flat_map(|word| word.to_le_bytes()));
}

fn encode_words<const N: usize>(
    simd: SimdLevel,
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    words: &mut [u16],
) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512() {
            return avx512::encode(proof, groups, states, words);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::encode(proof, groups, states, words);
        }
    }
    let _ = simd;
    portable::encode(groups, states, words)
}

/// A code, and the groups that it decodes to, in order.
pub(in crate::codec) struct Stream<'a, 'b, const N: usize> {
    pub(super) groups: &'a mut [(&'b DecodeTable, &'b mut [u8; N])],
    pub(super) states: States,
    /// The words, and one more per lane: a step takes at most so many.
    pub(super) words: Vec<u16>,
    /// Words that were read.
    pub(super) taken: usize,
}

impl<'a, 'b, const N: usize> Stream<'a, 'b, N> {
    /// `words` are little-endian.
    pub fn new(groups: &'a mut [(&'b DecodeTable, &'b mut [u8; N])], states: States, words: &[u8]) -> Self {
        let words = words.as_chunks::<2>().0.iter().map(|&word| u16::from_le_bytes(word));
        Self { groups, states, words: words.chain([0; LANES]).collect(), taken: 0 }
    }

    /// Whether all of the code was read, and all lanes ended where they began.
    fn is_finished(&self) -> bool {
        self.taken + LANES == self.words.len() && self.states == START
    }
}

/// Decodes streams, two at a time, so that one has work while the other waits for its states.
pub(in crate::codec) fn decode<const N: usize>(simd: SimdLevel, streams: &mut [Stream<'_, '_, N>]) -> Result<()> {
    for streams in streams.chunks_mut(2) {
        let mut decoded = 0;
        if let [one, other] = streams {
            decoded = one.groups.len().min(other.groups.len());
            decode_words(simd, [one, other], 0..decoded).ok_or_else(not_a_code)?;
        }
        for stream in streams {
            let rest = decoded..stream.groups.len();
            decode_words(simd, [&mut *stream], rest).ok_or_else(not_a_code)?;
            if !stream.is_finished() {
                return Err(not_a_code());
            }
        }
    }
    Ok(())
}

pub(super) fn not_a_code() -> Error {
    Error::corrupt("ans block: its words do not lead back to the start")
}

/// Decodes some groups of streams that have so many; `None` as soon as there are too few words.
fn decode_words<const N: usize, const S: usize>(
    simd: SimdLevel,
    streams: [&mut Stream<'_, '_, N>; S],
    groups: Range<usize>,
) -> Option<()> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512() {
            return avx512::decode(proof, streams, groups);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::decode(proof, streams, groups);
        }
    }
    let _ = simd;
    streams.into_iter().try_for_each(|stream| portable::decode(stream, groups.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernels do it: where quotients change, and where they are largest.
    #[test]
    fn a_reciprocal_gives_the_quotient_or_one_less() {
        for frequency in 1..=SCALE {
            let mut entries = [0; 256];
            entries[0] = frequency;
            let reciprocal = EncodeTable::of(entries).reciprocals.unwrap()[0];
            let most = (1u32 << 19) - 1;
            for quotient in (0..200).chain((1..20).map(|bits| (1 << bits) - 1)).chain(most - 200..=most) {
                for state in [quotient * frequency, quotient * frequency + frequency - 1] {
                    let estimate = (state as f32 * reciprocal) as u32;
                    assert!(estimate == quotient || estimate + 1 == quotient, "{state} by {frequency}: {estimate}");
                }
            }
        }
    }

    #[test]
    fn tables_are_near_where_all_larger_values_are_alike() {
        let near = |used: &[usize]| {
            let mut counts = [0; 256];
            used.iter().for_each(|&value| counts[value] = 5);
            EncodeTable::new(&Frequencies::of(&counts)).reciprocals.is_some()
        };
        assert!(near(&[0, 1, 62]) && !near(&[0, 63]) && !near(&[255]));
        let mut counts = [0; 256];
        (counts[0], counts[255]) = (9, 1);
        let frequencies = Frequencies::of(&counts);
        let escaped = std::array::from_fn(|value| value > 60);
        assert!(EncodeTable::with_escape(&frequencies, 255, &escaped).reciprocals.is_some());
    }
}

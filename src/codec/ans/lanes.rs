//! 32 interleaved rANS coders.
//!
//! rANS is Jarek Duda's ("Asymmetric numeral systems", 2013); states of 31 bits are renormalised by
//! 16-bit words as in Fabian Giesen's "Interleaved entropy coders" (2014). Lane `l` codes every 32nd
//! byte of a group, from byte `l`. At each step, lanes that run low take their words in the order of
//! the lanes.
//!
//! **Twin**: `shaders/ans/lanes.wgsl`.

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

/// Frequency and start of each byte value, packed for encoding.
pub struct EncodeTable(pub(in crate::codec) [u32; 256]);

impl EncodeTable {
    /// For each byte value, the start of its interval (upper half) and its frequency.
    pub fn as_array(&self) -> &[u32; 256] {
        &self.0
    }

    pub(in crate::codec) fn new(frequencies: &Frequencies) -> Self {
        let mut start = 0;
        Self(frequencies.as_array().map(|frequency| {
            let entry = start << 16 | u32::from(frequency);
            start += u32::from(frequency);
            entry
        }))
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

/// Encodes groups, last first, and appends the words in the order in which they are read.
pub(in crate::codec) fn encode<const N: usize>(
    simd: SimdLevel,
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    out: &mut Vec<u8>,
) {
    // Each byte takes at most one word; kernels may write a few below the first.
    let mut words = vec![0; LANES + groups.len() * N];
    let at = encode_words(simd, groups, states, &mut words);
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

/// Decodes groups in order. `words` are little-endian; all of them must be used, and all lanes must
/// end where they began.
pub(in crate::codec) fn decode<const N: usize>(
    simd: SimdLevel,
    groups: &mut [(&DecodeTable, &mut [u8; N])],
    states: &mut States,
    words: &[u8],
) -> Result<()> {
    let mut padded: Vec<u16> = words.as_chunks::<2>().0.iter().map(|&word| u16::from_le_bytes(word)).collect();
    let count = padded.len();
    // A step takes at most a word per lane.
    padded.resize(count + LANES, 0);
    if decode_words(simd, groups, states, &padded) != Some(count) || *states != START {
        return Err(not_a_code());
    }
    Ok(())
}

pub(super) fn not_a_code() -> Error {
    Error::corrupt("ans block: its words do not lead back to the start")
}

/// Words read; `None` as soon as there are too few.
fn decode_words<const N: usize>(
    simd: SimdLevel,
    groups: &mut [(&DecodeTable, &mut [u8; N])],
    states: &mut States,
    words: &[u16],
) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512() {
            return avx512::decode(proof, groups, states, words);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::decode(proof, groups, states, words);
        }
    }
    let _ = simd;
    portable::decode(groups, states, words)
}

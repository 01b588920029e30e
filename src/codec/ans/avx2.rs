//! The lanes as four AVX2 vectors.
//!
//! Invariants of the unsafe code, besides S1 of `cpu::simd`, which the proof carries:
//!
//! - A1: an index of a gather is below the length of its table: a byte into 256 entries, or 12 bits
//!   into 4096.
//! - A2: a load or store lies within the array or the slice it is made from, whose length was checked.

#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::lanes::{DecodeTable, EncodeTable, LANES, LOW_BITS, States, Stream};
use super::table::{SCALE, SCALE_BITS};
use crate::cpu::simd::Avx2;

/// For each mask, the lanes that are set, moved to the upper end.
static COMPRESS_UP: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut to) = (8, 8);
        while lane > 0 {
            lane -= 1;
            if mask >> lane & 1 == 1 {
                to -= 1;
                table[mask][to] = lane as u8;
            }
        }
        mask += 1;
    }
    table
};

/// For each mask, the position among the words of each lane that is set.
static EXPAND: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut from) = (0, 0);
        while lane < 8 {
            table[mask][lane] = from;
            from += (mask >> lane & 1) as u8;
            lane += 1;
        }
        mask += 1;
    }
    table
};

/// As [`portable::encode`](super::portable::encode).
pub(super) fn encode<const N: usize>(
    _proof: Avx2,
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    words: &mut [u16],
) -> usize {
    // SAFETY: the proof.
    unsafe { encode_groups(groups, states, words) }
}

/// As [`portable::decode`](super::portable::decode), of streams side by side.
pub(super) fn decode<const N: usize, const S: usize>(
    _proof: Avx2,
    streams: [&mut Stream<'_, '_, N>; S],
    groups: Range<usize>,
) -> Option<()> {
    // SAFETY: the proof.
    unsafe { decode_groups(streams, groups) }
}

type Vectors = [__m256i; LANES / 8];

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn load(states: &States) -> Vectors {
    // SAFETY: A2, 8 words of 32 bits.
    std::array::from_fn(|at| unsafe { _mm256_loadu_si256(states[8 * at..8 * at + 8].as_ptr().cast()) })
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn store(vectors: Vectors, states: &mut States) {
    for (part, vector) in states.as_chunks_mut::<8>().0.iter_mut().zip(vectors) {
        // SAFETY: A2, 8 words of 32 bits.
        unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), vector) };
    }
}

/// A mask with a bit per lane that is all ones.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn lanes_of(vector: __m256i) -> usize {
    _mm256_movemask_ps(_mm256_castsi256_ps(vector)) as usize
}

/// Moves lanes as a row of [`COMPRESS_UP`] or [`EXPAND`] says.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn permute(vector: __m256i, row: &[u8; 8]) -> __m256i {
    let row = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(*row)));
    _mm256_permutevar8x32_epi32(vector, row)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn encode_groups<const N: usize>(groups: &[(&EncodeTable, &[u8; N])], states: &mut States, words: &mut [u16]) -> usize {
    let mut vectors = load(states);
    let mut at = words.len();
    for (table, group) in groups.iter().rev() {
        for symbols in group.as_chunks::<LANES>().0.iter().rev() {
            for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks::<8>().0).rev() {
                let symbols = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(*symbols)));
                // SAFETY: A1, bytes into 256 entries.
                let entries = unsafe { _mm256_i32gather_epi32::<4>(table.entries.as_ptr().cast(), symbols) };
                let frequency = _mm256_and_si256(entries, _mm256_set1_epi32(0xFFFF));
                let start = _mm256_srli_epi32::<16>(entries);

                // States are below 2^31: signed numbers. The bound can be 2^31, less one is not.
                let bound = _mm256_slli_epi32::<{ 31 - SCALE_BITS as i32 }>(frequency);
                let full = _mm256_cmpgt_epi32(*state, _mm256_sub_epi32(bound, _mm256_set1_epi32(1)));
                let mask = lanes_of(full);
                let low = _mm256_and_si256(*state, _mm256_set1_epi32(0xFFFF));
                let taken = permute(low, &COMPRESS_UP[mask]);
                let packed = _mm_packus_epi32(_mm256_castsi256_si128(taken), _mm256_extracti128_si256::<1>(taken));
                // Words below those that count are written over later.
                let room = &mut words[at - 8..at];
                // SAFETY: A2, 8 words of 16 bits.
                unsafe { _mm_storeu_si128(room.as_mut_ptr().cast(), packed) };
                at -= mask.count_ones() as usize;
                let shifted = _mm256_srli_epi32::<16>(*state);
                *state = _mm256_blendv_epi8(*state, shifted, full);

                // The quotient is below 2^19, so rounding is off by less than one, either way.
                let estimate = _mm256_div_ps(_mm256_cvtepi32_ps(*state), _mm256_cvtepi32_ps(frequency));
                let mut quotient = _mm256_cvttps_epi32(estimate);
                let mut rest = _mm256_sub_epi32(*state, _mm256_mullo_epi32(quotient, frequency));
                let above = _mm256_srai_epi32::<31>(rest);
                quotient = _mm256_add_epi32(quotient, above);
                rest = _mm256_add_epi32(rest, _mm256_and_si256(above, frequency));
                let below = _mm256_cmpgt_epi32(rest, _mm256_sub_epi32(frequency, _mm256_set1_epi32(1)));
                quotient = _mm256_sub_epi32(quotient, below);
                rest = _mm256_sub_epi32(rest, _mm256_and_si256(below, frequency));

                let shifted = _mm256_slli_epi32::<{ SCALE_BITS as i32 }>(quotient);
                *state = _mm256_add_epi32(_mm256_add_epi32(shifted, rest), start);
            }
        }
    }
    store(vectors, states);
    at
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn decode_groups<const N: usize, const S: usize>(
    streams: [&mut Stream<'_, '_, N>; S],
    groups: Range<usize>,
) -> Option<()> {
    let mut vectors = streams.each_ref().map(|stream| load(&stream.states));
    let mut streams = streams
        .map(|stream| (&mut stream.groups[groups.clone()], &mut stream.states, &stream.words[..], &mut stream.taken));
    for group in 0..groups.len() {
        for part in 0..N / LANES {
            for ((groups, _, words, taken), vectors) in streams.iter_mut().zip(&mut vectors) {
                let (table, group) = &mut groups[group];
                decode_symbols(vectors, table, &mut group.as_chunks_mut::<LANES>().0[part], words, taken)?;
            }
        }
    }
    for ((_, states, ..), vectors) in streams.into_iter().zip(vectors) {
        store(vectors, states);
    }
    Some(())
}

/// One symbol of each lane.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn decode_symbols(
    vectors: &mut Vectors,
    table: &DecodeTable,
    symbols: &mut [u8; LANES],
    words: &[u16],
    taken: &mut usize,
) -> Option<()> {
    let ahead: &[u16; LANES] = words.get(*taken..)?.first_chunk()?;
    let mut read = 0;
    for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks_mut::<8>().0) {
        let slots = _mm256_and_si256(*state, _mm256_set1_epi32(SCALE as i32 - 1));
        // SAFETY: A1, 12 bits into 4096 entries.
        let entries = unsafe { _mm256_i32gather_epi32::<4>(table.0.as_ptr().cast(), slots) };
        let low_bytes = _mm256_and_si256(entries, _mm256_set1_epi32(0xFF));
        let pairs = _mm_packus_epi32(_mm256_castsi256_si128(low_bytes), _mm256_extracti128_si256::<1>(low_bytes));
        *symbols = _mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)).to_le_bytes();
        let field = _mm256_and_si256(_mm256_srli_epi32::<8>(entries), _mm256_set1_epi32(0xFFF));
        let frequency = _mm256_add_epi32(field, _mm256_set1_epi32(1));
        let upper = _mm256_srli_epi32::<{ SCALE_BITS as i32 }>(*state);
        let product = _mm256_mullo_epi32(frequency, upper);
        let next = _mm256_add_epi32(product, _mm256_srli_epi32::<20>(entries));

        // As unsigned numbers: a state read from a damaged block can be anything.
        let low = _mm256_cmpeq_epi32(_mm256_srli_epi32::<{ LOW_BITS as i32 }>(next), _mm256_setzero_si256());
        let mask = lanes_of(low);
        // Each vector takes at most 8 words, so 8 are left for the last.
        let window = &ahead[read..read + 8];
        // SAFETY: A2, 8 words of 16 bits.
        let window = _mm256_cvtepu16_epi32(unsafe { _mm_loadu_si128(window.as_ptr().cast()) });
        let refill = permute(window, &EXPAND[mask]);
        let refilled = _mm256_or_si256(_mm256_slli_epi32::<16>(next), refill);
        *state = _mm256_blendv_epi8(next, refilled, low);
        read += mask.count_ones() as usize;
    }
    *taken += read;
    Some(())
}

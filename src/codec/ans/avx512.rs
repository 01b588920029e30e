//! The lanes as two AVX-512 vectors.
//!
//! Invariants of the unsafe code, besides S1 of `cpu::simd`, which the proof carries:
//!
//! - A1: an index of a gather is below the length of its table: a byte into 256 entries, or 12 bits
//!   into 4096.
//! - A2: a load or store lies within the array or the slice it is made from, whose length was checked.

#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::lanes::{DecodeTable, EncodeTable, LANES, LOW_BITS, NEAR, States, Stream};
use super::table::{SCALE, SCALE_BITS};
use crate::cpu::simd::Avx512;

/// As [`portable::encode`](super::portable::encode).
pub(super) fn encode<const N: usize>(
    _proof: Avx512,
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    words: &mut [u16],
) -> usize {
    // SAFETY: the proof.
    unsafe { encode_groups(groups, states, words) }
}

/// As [`portable::decode`](super::portable::decode), of streams side by side.
pub(super) fn decode<const N: usize, const S: usize>(
    _proof: Avx512,
    streams: [&mut Stream<'_, '_, N>; S],
    groups: Range<usize>,
) -> Option<()> {
    // SAFETY: the proof.
    unsafe { decode_groups(streams, groups) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn load(states: &States) -> [__m512i; 2] {
    // SAFETY: A2, 16 words of 32 bits.
    std::array::from_fn(|at| unsafe { _mm512_loadu_si512(states[16 * at..16 * at + 16].as_ptr().cast()) })
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn store(vectors: [__m512i; 2], states: &mut States) {
    for (half, vector) in states.as_chunks_mut::<16>().0.iter_mut().zip(vectors) {
        // SAFETY: A2, 16 words of 32 bits.
        unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), vector) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn encode_groups<const N: usize>(groups: &[(&EncodeTable, &[u8; N])], states: &mut States, words: &mut [u16]) -> usize {
    let mut vectors = load(states);
    let mut at = words.len();
    for (table, group) in groups.iter().rev() {
        let near = table.reciprocals.as_ref().map(|reciprocals| Near::load(&table.entries, reciprocals));
        for symbols in group.as_chunks::<LANES>().0.iter().rev() {
            for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks::<16>().0).rev() {
                // SAFETY: A2, 16 bytes.
                let symbols = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(symbols.as_ptr().cast()) });
                match &near {
                    Some(near) => {
                        let (entries, reciprocals) = near.look_up(symbols);
                        let frequency = give_words(state, entries, words, &mut at);
                        *state = encode_by_reciprocal(*state, entries, frequency, reciprocals);
                    }
                    None => {
                        // SAFETY: A1, bytes into 256 entries.
                        let entries = unsafe { _mm512_i32gather_epi32::<4>(symbols, table.entries.as_ptr().cast()) };
                        let frequency = give_words(state, entries, words, &mut at);
                        *state = encode_by_division(*state, entries, frequency);
                    }
                }
            }
        }
    }
    store(vectors, states);
    at
}

/// A table in registers: gathers take several times as long.
struct Near {
    entries: [__m512i; NEAR / 16],
    reciprocals: [__m512; NEAR / 16],
}

impl Near {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn load(entries: &[u32; 256], reciprocals: &[f32; NEAR]) -> Self {
        Self {
            // SAFETY: A2, 16 words of 32 bits.
            entries: std::array::from_fn(|at| unsafe {
                _mm512_loadu_si512(entries[16 * at..16 * at + 16].as_ptr().cast())
            }),
            // SAFETY: A2, 16 numbers of 32 bits.
            reciprocals: std::array::from_fn(|at| unsafe {
                _mm512_loadu_ps(reciprocals[16 * at..16 * at + 16].as_ptr())
            }),
        }
    }

    /// Entries and reciprocals of 16 byte values. All from the last one on have the same entry.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn look_up(&self, symbols: __m512i) -> (__m512i, __m512) {
        let symbols = _mm512_min_epu32(symbols, _mm512_set1_epi32(NEAR as i32 - 1));
        let upper = _mm512_test_epi32_mask(symbols, _mm512_set1_epi32(NEAR as i32 / 2));
        let [e0, e1, e2, e3] = self.entries;
        let [r0, r1, r2, r3] = self.reciprocals;
        let entries = _mm512_mask_mov_epi32(
            _mm512_permutex2var_epi32(e0, symbols, e1),
            upper,
            _mm512_permutex2var_epi32(e2, symbols, e3),
        );
        let reciprocals =
            _mm512_mask_mov_ps(_mm512_permutex2var_ps(r0, symbols, r1), upper, _mm512_permutex2var_ps(r2, symbols, r3));
        (entries, reciprocals)
    }
}

/// Takes a word from every state that has no room for its symbol; returns the frequencies.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn give_words(state: &mut __m512i, entries: __m512i, words: &mut [u16], at: &mut usize) -> __m512i {
    let frequency = _mm512_and_si512(entries, _mm512_set1_epi32(0xFFFF));
    let full = _mm512_cmpge_epu32_mask(*state, _mm512_slli_epi32::<{ 31 - SCALE_BITS }>(frequency));
    let taken = _mm512_maskz_compress_epi32(full, *state);
    let count = full.count_ones() as usize;
    let room = &mut words[*at - count..*at];
    // SAFETY: A2, the mask has as many bits as there is room.
    unsafe {
        _mm256_mask_storeu_epi16(room.as_mut_ptr().cast(), ((1u32 << count) - 1) as u16, _mm512_cvtepi32_epi16(taken));
    }
    *at -= count;
    *state = _mm512_mask_srli_epi32::<16>(*state, full, *state);
    frequency
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn encode_by_reciprocal(state: __m512i, entries: __m512i, frequency: __m512i, reciprocals: __m512) -> __m512i {
    // The quotient is below 2^19, and reciprocals are less by more than all roundings can add: the estimate
    // is never above it, and below it by less than one.
    let quotient = _mm512_cvttps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(state), reciprocals));
    let rest = _mm512_sub_epi32(state, _mm512_mullo_epi32(quotient, frequency));
    let below = _mm512_cmpge_epu32_mask(rest, frequency);
    let next = _mm512_add_epi32(_mm512_slli_epi32::<SCALE_BITS>(quotient), rest);
    let next = _mm512_add_epi32(next, _mm512_srli_epi32::<16>(entries));
    let step = _mm512_sub_epi32(_mm512_set1_epi32(SCALE as i32), frequency);
    _mm512_mask_add_epi32(next, below, next, step)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn encode_by_division(state: __m512i, entries: __m512i, frequency: __m512i) -> __m512i {
    // The quotient is below 2^19, so rounding is off by less than one, either way.
    let estimate = _mm512_div_ps(_mm512_cvtepu32_ps(state), _mm512_cvtepu32_ps(frequency));
    let mut quotient = _mm512_cvttps_epu32(estimate);
    let mut rest = _mm512_sub_epi32(state, _mm512_mullo_epi32(quotient, frequency));
    let above = _mm512_movepi32_mask(rest);
    quotient = _mm512_mask_sub_epi32(quotient, above, quotient, _mm512_set1_epi32(1));
    rest = _mm512_mask_add_epi32(rest, above, rest, frequency);
    let below = _mm512_cmpge_epu32_mask(rest, frequency);
    quotient = _mm512_mask_add_epi32(quotient, below, quotient, _mm512_set1_epi32(1));
    rest = _mm512_mask_sub_epi32(rest, below, rest, frequency);
    let shifted = _mm512_slli_epi32::<SCALE_BITS>(quotient);
    _mm512_add_epi32(_mm512_add_epi32(shifted, rest), _mm512_srli_epi32::<16>(entries))
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
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
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn decode_symbols(
    vectors: &mut [__m512i; 2],
    table: &DecodeTable,
    symbols: &mut [u8; LANES],
    words: &[u16],
    taken: &mut usize,
) -> Option<()> {
    let ahead: &[u16; LANES] = words.get(*taken..)?.first_chunk()?;
    let mut read = 0;
    for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks_mut::<16>().0) {
        let slots = _mm512_and_si512(*state, _mm512_set1_epi32(SCALE as i32 - 1));
        // SAFETY: A1, 12 bits into 4096 entries.
        let entries = unsafe { _mm512_i32gather_epi32::<4>(slots, table.0.as_ptr().cast()) };
        // SAFETY: A2, 16 bytes.
        unsafe { _mm_storeu_si128(symbols.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(entries)) };
        let field = _mm512_and_si512(_mm512_srli_epi32::<8>(entries), _mm512_set1_epi32(0xFFF));
        let frequency = _mm512_add_epi32(field, _mm512_set1_epi32(1));
        let upper = _mm512_srli_epi32::<SCALE_BITS>(*state);
        let next = _mm512_add_epi32(_mm512_mullo_epi32(frequency, upper), _mm512_srli_epi32::<20>(entries));

        let low = _mm512_cmplt_epu32_mask(next, _mm512_set1_epi32(1 << LOW_BITS));
        // The first vector takes at most 16 words, so 16 are left for the second.
        let window = &ahead[read..read + 16];
        // SAFETY: A2, 16 words of 16 bits.
        let window = unsafe { _mm256_loadu_si256(window.as_ptr().cast()) };
        let refill = _mm512_maskz_expand_epi32(low, _mm512_cvtepu16_epi32(window));
        let refilled = _mm512_or_si512(_mm512_slli_epi32::<16>(next), refill);
        *state = _mm512_mask_mov_epi32(next, low, refilled);
        read += low.count_ones() as usize;
    }
    *taken += read;
    Some(())
}

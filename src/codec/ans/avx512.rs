//! The lanes as two AVX-512 vectors.
//!
//! Invariants of the unsafe code, besides S1 of `cpu::simd`, which the proof carries:
//!
//! - A1: an index of a gather is below the length of its table: a byte into 256 entries, or 12 bits
//!   into 4096.
//! - A2: a load or store lies within the array or the slice it is made from, whose length was checked.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::lanes::{DecodeTable, EncodeTable, LANES, LOW_BITS, States};
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

/// As [`portable::decode`](super::portable::decode).
pub(super) fn decode<const N: usize>(
    _proof: Avx512,
    groups: &mut [(&DecodeTable, &mut [u8; N])],
    states: &mut States,
    words: &[u16],
) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { decode_groups(groups, states, words) }
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
    let low16 = _mm512_set1_epi32(0xFFFF);
    for (table, group) in groups.iter().rev() {
        for symbols in group.as_chunks::<LANES>().0.iter().rev() {
            for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks::<16>().0).rev() {
                // SAFETY: A2, 16 bytes.
                let symbols = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(symbols.as_ptr().cast()) });
                // SAFETY: A1, bytes into 256 entries.
                let entries = unsafe { _mm512_i32gather_epi32::<4>(symbols, table.0.as_ptr().cast()) };
                let frequency = _mm512_and_si512(entries, low16);
                let start = _mm512_srli_epi32::<16>(entries);

                let full = _mm512_cmpge_epu32_mask(*state, _mm512_slli_epi32::<{ 31 - SCALE_BITS }>(frequency));
                let taken = _mm512_maskz_compress_epi32(full, *state);
                let count = full.count_ones() as usize;
                let room = &mut words[at - count..at];
                // SAFETY: A2, the mask has as many bits as there is room.
                unsafe {
                    _mm256_mask_storeu_epi16(
                        room.as_mut_ptr().cast(),
                        ((1u32 << count) - 1) as u16,
                        _mm512_cvtepi32_epi16(taken),
                    );
                }
                at -= count;
                *state = _mm512_mask_srli_epi32::<16>(*state, full, *state);

                // The quotient is below 2^19, so rounding is off by less than one, either way.
                let estimate = _mm512_div_ps(_mm512_cvtepu32_ps(*state), _mm512_cvtepu32_ps(frequency));
                let mut quotient = _mm512_cvttps_epu32(estimate);
                let mut rest = _mm512_sub_epi32(*state, _mm512_mullo_epi32(quotient, frequency));
                let above = _mm512_movepi32_mask(rest);
                quotient = _mm512_mask_sub_epi32(quotient, above, quotient, _mm512_set1_epi32(1));
                rest = _mm512_mask_add_epi32(rest, above, rest, frequency);
                let below = _mm512_cmpge_epu32_mask(rest, frequency);
                quotient = _mm512_mask_add_epi32(quotient, below, quotient, _mm512_set1_epi32(1));
                rest = _mm512_mask_sub_epi32(rest, below, rest, frequency);

                let shifted = _mm512_slli_epi32::<SCALE_BITS>(quotient);
                *state = _mm512_add_epi32(_mm512_add_epi32(shifted, rest), start);
            }
        }
    }
    store(vectors, states);
    at
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
fn decode_groups<const N: usize>(
    groups: &mut [(&DecodeTable, &mut [u8; N])],
    states: &mut States,
    words: &[u16],
) -> Option<usize> {
    let mut vectors = load(states);
    let mut at = 0;
    let slot_mask = _mm512_set1_epi32(SCALE as i32 - 1);
    for (table, group) in groups {
        for symbols in group.as_chunks_mut::<LANES>().0 {
            let ahead: &[u16; LANES] = words.get(at..)?.first_chunk()?;
            let mut taken = 0;
            for (state, symbols) in vectors.iter_mut().zip(symbols.as_chunks_mut::<16>().0) {
                let slots = _mm512_and_si512(*state, slot_mask);
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
                let window = &ahead[taken..taken + 16];
                // SAFETY: A2, 16 words of 16 bits.
                let window = unsafe { _mm256_loadu_si256(window.as_ptr().cast()) };
                let refill = _mm512_maskz_expand_epi32(low, _mm512_cvtepu16_epi32(window));
                let refilled = _mm512_or_si512(_mm512_slli_epi32::<16>(next), refill);
                *state = _mm512_mask_mov_epi32(next, low, refilled);
                taken += low.count_ones() as usize;
            }
            at += taken;
        }
    }
    store(vectors, states);
    Some(at)
}

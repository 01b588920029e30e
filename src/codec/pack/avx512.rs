//! The loops with AVX-512 and its byte extensions: 16 groups at a time, four in a vector.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::avx2::announce;
use super::control::{Maps, Nibbles, Widths};
use super::{GROUP, Group, portable};
use crate::cpu::simd::Avx512Vbmi2;

type Vector = [u8; 64];

/// For each width, a byte with as many ones; also, as bits, the bytes that half a group packs to.
const ONES: [u8; 16] = [0, 1, 3, 7, 15, 31, 63, 127, 255, 0, 0, 0, 0, 0, 0, 0];

/// Of 16 bytes, byte `4 * vector + part` for every byte in quarter `part` of a vector.
const fn spread(vector: u8) -> Vector {
    let mut indices = [0; 64];
    let mut at = 0;
    while at < 64 {
        indices[at] = 4 * vector + (at / GROUP) as u8;
        at += 1;
    }
    indices
}

/// As [`spread`], in every lower byte of 16 bits, and zeros in the upper ones.
const fn spread_words(vector: u8) -> Vector {
    let mut indices = spread(vector);
    let mut at = 1;
    while at < 64 {
        indices[at] = 0x80;
        at += 2;
    }
    indices
}

const SPREAD: [Vector; 4] = [spread(0), spread(1), spread(2), spread(3)];
const SPREAD_WORDS: [Vector; 4] = [spread_words(0), spread_words(1), spread_words(2), spread_words(3)];

/// Times a width: the bit at which each number begins, two in a word.
const STARTS: i64 = 0x0706_0504_0302_0100;

/// From the order of quarters of vectors to that of groups.
const IN_ORDER: [u8; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

/// As [`pack`](super::pack).
pub(super) fn pack(_proof: Avx512Vbmi2, groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    // SAFETY: the proof.
    unsafe { pack_groups(groups, widths, data) }
}

/// As [`unpack`](super::unpack).
pub(super) fn unpack(_proof: Avx512Vbmi2, widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { unpack_groups(widths, data, groups) }
}

/// As [`squeeze`](super::squeeze).
pub(super) fn squeeze(_proof: Avx512Vbmi2, widths: &Widths) -> (u64, Nibbles) {
    // SAFETY: the proof.
    unsafe { squeeze_widths(widths) }
}

/// As [`expand`](super::expand).
pub(super) fn expand(_proof: Avx512Vbmi2, maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    // SAFETY: the proof.
    unsafe { expand_widths(maps, nibbles, widths) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2")]
fn squeeze_widths(widths: &Widths) -> (u64, Nibbles) {
    let widths: __m512i = bytemuck::cast(*widths);
    let map = _mm512_test_epi8_mask(widths, widths);
    let words = _mm512_maskz_compress_epi8(map, widths);
    let words = _mm512_or_si512(words, _mm512_srli_epi16::<4>(words));
    (map, bytemuck::cast(_mm512_cvtepi16_epi8(words)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,bmi2")]
fn expand_widths(maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    let runs = _pdep_u64(u64::from(maps.runs), 0x0101_0101_0101_0101) * 0xFF;
    let map = _pdep_u64(u64::from_le_bytes(maps.groups), runs);
    let words = _mm512_cvtepu8_epi16(bytemuck::cast(*nibbles));
    let words = _mm512_or_si512(words, _mm512_slli_epi16::<4>(words));
    let bytes = _mm512_and_si512(words, _mm512_set1_epi8(15));
    let expanded = _mm512_maskz_expand_epi8(map, bytes);
    *widths = bytemuck::cast(expanded);
    let valid = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(expanded, _mm512_set1_epi8(1)), _mm512_set1_epi8(8));
    (valid == map).then_some(map)
}

/// For each four groups, the bytes of a vector that they pack to. `ones` has [`ONES`] of each width.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2")]
fn packed_bytes(ones: __m128i) -> [u64; 4] {
    bytemuck::cast([_mm_unpacklo_epi8(ones, ones), _mm_unpackhi_epi8(ones, ones)])
}

/// The widths of 16 groups, four in each vector, as words of 32 bits: quarter `q` of the result has those
/// of quarter `q` of every vector.
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
fn widths_of(groups: [__m512i; 4]) -> __m512i {
    let fold = |a, b| _mm512_or_si512(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    let low = _mm512_castsi512_ps(fold(groups[0], groups[1]));
    let high = _mm512_castsi512_ps(fold(groups[2], groups[3]));
    let even = _mm512_castps_si512(_mm512_shuffle_ps::<0x88>(low, high));
    let odd = _mm512_castps_si512(_mm512_shuffle_ps::<0xDD>(low, high));
    let all = _mm512_or_si512(even, odd);
    let all = _mm512_or_si512(all, _mm512_srli_epi32::<16>(all));
    let all = _mm512_or_si512(all, _mm512_srli_epi32::<8>(all));
    let all = _mm512_and_si512(all, _mm512_set1_epi32(0xFF));
    _mm512_sub_epi32(_mm512_set1_epi32(32), _mm512_lzcnt_epi32(all))
}

/// Numbers of half a group in every 64 bits, joined. `unused` has the bits that each byte does not use.
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
fn join(groups: __m512i, unused: __m512i) -> __m512i {
    let pairs = _mm512_set1_epi32(0x00FF_00FF);
    let fours = _mm512_set1_epi32(0xFFFF);
    let eights = _mm512_set1_epi64(0xFFFF_FFFF);
    let twice = _mm512_add_epi32(unused, unused);
    let four_times = _mm512_and_si512(_mm512_add_epi32(twice, twice), eights);
    let upper = _mm512_srlv_epi32(_mm512_andnot_si512(pairs, groups), unused);
    let joined = _mm512_or_si512(_mm512_and_si512(pairs, groups), upper);
    let upper = _mm512_srlv_epi32(_mm512_andnot_si512(fours, joined), twice);
    let joined = _mm512_or_si512(_mm512_and_si512(fours, joined), upper);
    let upper = _mm512_srlv_epi64(_mm512_andnot_si512(eights, joined), four_times);
    _mm512_or_si512(_mm512_and_si512(eights, joined), upper)
}

#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,lzcnt,popcnt")]
fn pack_groups(groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    let (sixteens, rest) = groups.as_chunks::<16>();
    let (widths, rest_widths) = widths.split_at_mut(16 * sixteens.len());
    let mut at = 0;
    for (sixteen, to) in sixteens.iter().zip(widths.as_chunks_mut::<16>().0) {
        let vectors: [__m512i; 4] = bytemuck::cast(*sixteen);
        let words = widths_of(vectors);
        let in_order = _mm_shuffle_epi8(_mm512_cvtepi32_epi8(words), bytemuck::cast(IN_ORDER));
        *to = bytemuck::cast(in_order);
        let packed = packed_bytes(_mm_shuffle_epi8(bytemuck::cast(ONES), in_order));

        // The mask changes nothing; it tells the compiler that no shift goes too far.
        let unused = _mm512_and_si512(_mm512_sub_epi32(_mm512_set1_epi32(8), words), _mm512_set1_epi32(15));
        let joined = [
            join(vectors[0], _mm512_shuffle_epi32::<0x00>(unused)),
            join(vectors[1], _mm512_shuffle_epi32::<0x55>(unused)),
            join(vectors[2], _mm512_shuffle_epi32::<0xAA>(unused)),
            join(vectors[3], _mm512_shuffle_epi32::<0xFF>(unused)),
        ];
        for (joined, packed) in joined.into_iter().zip(packed) {
            let numbers: Vector = bytemuck::cast(_mm512_maskz_compress_epi8(packed, joined));
            // What is past the numbers is overwritten by the next.
            data[at..at + 64].copy_from_slice(&numbers);
            at += packed.count_ones() as usize;
        }
    }
    at + portable::pack(rest, rest_widths, &mut data[at..])
}

#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,lzcnt,popcnt")]
fn unpack_groups(widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    let starts = _mm512_set1_epi64(STARTS);
    let (mut at, mut done) = (0, 0);
    'sixteens: for (sixteen, widths) in groups.as_chunks_mut::<16>().0.iter_mut().zip(widths.as_chunks::<16>().0) {
        let widths: __m128i = bytemuck::cast(*widths);
        let ones = _mm_shuffle_epi8(bytemuck::cast(ONES), widths);
        let packed = packed_bytes(ones);
        let (widths, ones) = (_mm512_broadcast_i32x4(widths), _mm512_broadcast_i32x4(ones));
        for (vector, four) in sixteen.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let Some(window) = data.get(at..).and_then(<[u8]>::first_chunk::<64>) else { break 'sixteens };
            announce(four);
            let joined = _mm512_maskz_expand_epi8(packed[vector], bytemuck::cast(*window));
            let width_words = _mm512_shuffle_epi8(widths, bytemuck::cast(SPREAD_WORDS[vector]));
            let shifts = _mm512_mullo_epi16(width_words, starts);
            let numbers = _mm512_multishift_epi64_epi8(shifts, joined);
            let ones = _mm512_shuffle_epi8(ones, bytemuck::cast(SPREAD[vector]));
            *four = bytemuck::cast(_mm512_and_si512(numbers, ones));
            at += packed[vector].count_ones() as usize;
            done += 4;
        }
    }
    Some(at + portable::unpack(&widths[done..], data.get(at..)?, &mut groups[done..])?)
}

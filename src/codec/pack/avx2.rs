//! The loops with AVX2: 8 groups at a time to pack, two to unpack.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{GROUP, Group, portable};
use crate::cpu::simd::Avx2;

/// How to unpack the numbers of one width.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Row {
    /// For each number, the two bytes it lies in.
    bytes: [[u8; 2]; GROUP],
    /// A factor that moves it to the upper end of the two.
    up: [u16; GROUP],
    /// A factor whose product has the number in its upper half.
    down: [u16; GROUP],
}

/// A row for each width. The others are there to make every nibble a valid index.
static ROWS: [Row; 16] = {
    let mut rows = [Row { bytes: [[0x80; 2]; GROUP], up: [0; GROUP], down: [0; GROUP] }; 16];
    let mut width = 1;
    while width <= 8 {
        let mut at = 0;
        while at < GROUP {
            let bit = at * width;
            rows[width].bytes[at] = [(bit / 8) as u8, (bit / 8 + 1) as u8];
            rows[width].up[at] = 1 << (16 - width - bit % 8);
            rows[width].down[at] = 1 << width;
            at += 1;
        }
        width += 1;
    }
    rows
};

/// As [`pack`](super::pack).
pub(super) fn pack(_proof: Avx2, groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    // SAFETY: the proof.
    unsafe { pack_groups(groups, widths, data) }
}

/// As [`unpack`](super::unpack).
pub(super) fn unpack(_proof: Avx2, widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { unpack_groups(widths, data, groups) }
}

/// The widths of 8 groups, two in each vector, as words of 32 bits: half `h` of the result has those of
/// half `h` of every vector.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn widths_of(groups: [__m256i; 4]) -> __m256i {
    let fold = |a, b| _mm256_or_si256(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let low = _mm256_castsi256_ps(fold(groups[0], groups[1]));
    let high = _mm256_castsi256_ps(fold(groups[2], groups[3]));
    let even = _mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, high));
    let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0xDD>(low, high));
    let all = _mm256_or_si256(even, odd);
    let all = _mm256_or_si256(all, _mm256_srli_epi32::<16>(all));
    let all = _mm256_or_si256(all, _mm256_srli_epi32::<8>(all));
    let all = _mm256_and_si256(all, _mm256_set1_epi32(0xFF));
    // The exponent of a float is the bit length plus 126; that of 0 is 0.
    let exponent = _mm256_srli_epi32::<23>(_mm256_castps_si256(_mm256_cvtepi32_ps(all)));
    _mm256_subs_epu16(exponent, _mm256_set1_epi32(126))
}

/// Numbers of half a group in every 64 bits, joined. `unused` has the bits that each byte does not use.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn join(groups: __m256i, unused: __m256i) -> __m256i {
    let pairs = _mm256_set1_epi32(0x00FF_00FF);
    let fours = _mm256_set1_epi32(0xFFFF);
    let eights = _mm256_set1_epi64x(0xFFFF_FFFF);
    let twice = _mm256_add_epi32(unused, unused);
    let four_times = _mm256_and_si256(_mm256_add_epi32(twice, twice), eights);
    let upper = _mm256_srlv_epi32(_mm256_andnot_si256(pairs, groups), unused);
    let joined = _mm256_or_si256(_mm256_and_si256(pairs, groups), upper);
    let upper = _mm256_srlv_epi32(_mm256_andnot_si256(fours, joined), twice);
    let joined = _mm256_or_si256(_mm256_and_si256(fours, joined), upper);
    let upper = _mm256_srlv_epi64(_mm256_andnot_si256(eights, joined), four_times);
    _mm256_or_si256(_mm256_and_si256(eights, joined), upper)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn pack_groups(groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    let (eights, rest) = groups.as_chunks::<8>();
    let (widths, rest_widths) = widths.split_at_mut(8 * eights.len());
    let mut at = 0;
    for (eight, to) in eights.iter().zip(widths.as_chunks_mut::<8>().0) {
        let vectors: [__m256i; 4] = bytemuck::cast(*eight);
        let words = widths_of(vectors);
        let even = _mm256_castsi256_si128(words);
        let odd = _mm256_extracti128_si256::<1>(words);
        let in_order = _mm_or_si128(even, _mm_slli_epi32::<16>(odd));
        *to = _mm_cvtsi128_si64(_mm_packus_epi16(in_order, in_order)).to_le_bytes();

        let unused = _mm256_sub_epi32(_mm256_set1_epi32(8), words);
        let joined = [
            join(vectors[0], _mm256_shuffle_epi32::<0x00>(unused)),
            join(vectors[1], _mm256_shuffle_epi32::<0x55>(unused)),
            join(vectors[2], _mm256_shuffle_epi32::<0xAA>(unused)),
            join(vectors[3], _mm256_shuffle_epi32::<0xFF>(unused)),
        ];
        let halves: [[[u8; 8]; 2]; 8] = bytemuck::cast(joined);
        for (halves, &width) in halves.iter().zip(&*to) {
            let width = usize::from(width);
            // What is past a half is overwritten by the next.
            let room: &mut [u8] = &mut data[at..at + GROUP];
            room[..8].copy_from_slice(&halves[0]);
            room[width..width + 8].copy_from_slice(&halves[1]);
            at += 2 * width;
        }
    }
    at + portable::pack(rest, rest_widths, &mut data[at..])
}

/// The numbers in the first bytes of `window`, as words of 16 bits.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn split(window: Group, row: &Row) -> __m256i {
    let window = _mm256_broadcastsi128_si256(bytemuck::cast(window));
    let words = _mm256_shuffle_epi8(window, bytemuck::cast(row.bytes));
    let words = _mm256_mullo_epi16(words, bytemuck::cast(row.up));
    _mm256_mulhi_epu16(words, bytemuck::cast(row.down))
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn unpack_groups(widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    let (mut at, mut done) = (0, 0);
    for (pair, widths) in groups.as_chunks_mut::<2>().0.iter_mut().zip(widths.as_chunks::<2>().0) {
        let widths = widths.map(|width| usize::from(width % 16));
        let second = at + 2 * widths[0];
        let (Some(first_window), Some(second_window)) =
            (data.get(at..at + GROUP), data.get(second..second + GROUP))
        else {
            break;
        };
        let first = split(first_window.try_into().ok()?, &ROWS[widths[0]]);
        let second_words = split(second_window.try_into().ok()?, &ROWS[widths[1]]);
        let mixed = _mm256_packus_epi16(first, second_words);
        *pair = bytemuck::cast(_mm256_permute4x64_epi64::<0xD8>(mixed));
        at = second + 2 * widths[1];
        done += 2;
    }
    Some(at + portable::unpack(&widths[done..], data.get(at..)?, &mut groups[done..])?)
}

//! The loops with AVX-512 and its byte extensions: 64 bytes at a time.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::places::{PIECE, Piece};
use crate::cpu::simd::Avx512Vbmi2;

/// As [`any`](super::places).
pub(super) fn any(_proof: Avx512Vbmi2, blocks: &[&[Piece]], words: &mut [u64]) {
    // SAFETY: the proof.
    unsafe { any_pieces(blocks, words) }
}

/// As [`compact`](super::places).
pub(super) fn compact(_proof: Avx512Vbmi2, block: &[Piece], words: &[u64], kept: &mut [u8]) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { compact_pieces(block, words, kept) }
}

/// As [`spread`](super::places).
pub(super) fn spread(_proof: Avx512Vbmi2, kept: &[u8], words: &[u64], block: &mut [Piece]) -> usize {
    // SAFETY: the proof.
    unsafe { spread_pieces(kept, words, block) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn any_pieces(blocks: &[&[Piece]], words: &mut [u64]) {
    let (first, others) = blocks.split_first().map_or((&[][..], &[][..]), |(first, others)| (*first, others));
    for (at, (word, piece)) in words.iter_mut().zip(first).enumerate() {
        let mut all: __m512i = bytemuck::cast(*piece);
        for pieces in others {
            all = _mm512_or_si512(all, bytemuck::cast(pieces[at]));
        }
        *word = _mm512_test_epi8_mask(all, all);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn compact_pieces(block: &[Piece], words: &[u64], kept: &mut [u8]) -> Option<usize> {
    let mut count = 0;
    let mut lost = _mm512_setzero_si512();
    for (piece, &word) in block.iter().zip(words) {
        let bytes: __m512i = bytemuck::cast(*piece);
        lost = _mm512_or_si512(lost, _mm512_maskz_mov_epi8(!word, bytes));
        let compressed: Piece = bytemuck::cast(_mm512_maskz_compress_epi8(word, bytes));
        kept[count..][..PIECE].copy_from_slice(&compressed);
        count += word.count_ones() as usize;
    }
    (_mm512_test_epi8_mask(lost, lost) == 0).then_some(count)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn spread_pieces(kept: &[u8], words: &[u64], block: &mut [Piece]) -> usize {
    let mut count = 0;
    for (piece, &word) in block.iter_mut().zip(words) {
        let mut from = [0; PIECE];
        from.copy_from_slice(&kept[count..][..PIECE]);
        *piece = bytemuck::cast(_mm512_maskz_expand_epi8(word, bytemuck::cast::<Piece, __m512i>(from)));
        count += word.count_ones() as usize;
    }
    count
}

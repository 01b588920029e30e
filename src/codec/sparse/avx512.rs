//! The loops with AVX-512 and its byte extensions: 64 bytes at a time.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{PIECE, Piece};
use crate::cpu::simd::Avx512Vbmi2;

/// As [`compact`](super::compact).
pub(super) fn compact(_proof: Avx512Vbmi2, block: &[Piece], marks: &[Piece], kept: &mut [u8]) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { compact_pieces(block, marks, kept) }
}

/// As [`spread`](super::spread).
pub(super) fn spread(_proof: Avx512Vbmi2, kept: &[u8], marks: &[Piece], block: &mut [Piece]) -> usize {
    // SAFETY: the proof.
    unsafe { spread_pieces(kept, marks, block) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn compact_pieces(block: &[Piece], marks: &[Piece], kept: &mut [u8]) -> Option<usize> {
    let mut count = 0;
    let mut lost = _mm512_setzero_si512();
    for (piece, marks) in block.iter().zip(marks) {
        let (bytes, marks): (__m512i, __m512i) = (bytemuck::cast(*piece), bytemuck::cast(*marks));
        let marked = _mm512_test_epi8_mask(marks, marks);
        lost = _mm512_or_si512(lost, _mm512_maskz_mov_epi8(!marked, bytes));
        let compressed: Piece = bytemuck::cast(_mm512_maskz_compress_epi8(marked, bytes));
        kept[count..][..PIECE].copy_from_slice(&compressed);
        count += marked.count_ones() as usize;
    }
    (_mm512_test_epi8_mask(lost, lost) == 0).then_some(count)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
fn spread_pieces(kept: &[u8], marks: &[Piece], block: &mut [Piece]) -> usize {
    let mut count = 0;
    for (piece, marks) in block.iter_mut().zip(marks) {
        let marks: __m512i = bytemuck::cast(*marks);
        let marked = _mm512_test_epi8_mask(marks, marks);
        let mut from = [0; PIECE];
        from.copy_from_slice(&kept[count..][..PIECE]);
        *piece = bytemuck::cast(_mm512_maskz_expand_epi8(marked, bytemuck::cast::<Piece, __m512i>(from)));
        count += marked.count_ones() as usize;
    }
    count
}

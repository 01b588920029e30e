//! The same with AVX2.
//!
//! Invariant M1: a value of [`Avx2`] exists only where the machine has AVX2 (invariant S1 of
//! `cpu/simd.rs`), so its methods may use AVX2 instructions. None of them reads or writes memory but through
//! references of the exact size.

use std::arch::x86_64::*;

use super::lanes::Lanes;
use crate::cpu::simd::Avx2;

impl Lanes for Avx2 {
    type Words = __m256i;

    #[inline(always)]
    fn load(self, words: &[i16; 16]) -> __m256i {
        // SAFETY: M1; the reference is to 32 bytes.
        unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, words: __m256i, to: &mut [i16; 16]) {
        // SAFETY: M1; the reference is to 32 bytes.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), words) }
    }

    #[inline(always)]
    fn quads(self, quads: [u64; 4]) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_set_epi64x(quads[3] as i64, quads[2] as i64, quads[1] as i64, quads[0] as i64) }
    }

    #[inline(always)]
    fn splat(self, word: i16) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_set1_epi16(word) }
    }

    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_or_si256(a, b) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_add_epi16(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_sub_epi16(a, b) }
    }

    #[inline(always)]
    fn add_saturating(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_adds_epi16(a, b) }
    }

    #[inline(always)]
    fn sub_saturating(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_subs_epi16(a, b) }
    }

    #[inline(always)]
    fn clamp(self, a: __m256i, bound: i16) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_max_epi16(_mm256_min_epi16(a, _mm256_set1_epi16(bound)), _mm256_set1_epi16(-bound)) }
    }

    #[inline(always)]
    fn min(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_min_epi16(a, b) }
    }

    #[inline(always)]
    fn shift_right(self, a: __m256i, by: u32) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128(by as i32)) }
    }

    #[inline(always)]
    fn scale(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: M1.
        unsafe { _mm256_mulhrs_epi16(a, b) }
    }

    #[inline(always)]
    fn dots(self, first: (__m256i, __m256i), second: [(__m256i, __m256i); 2]) -> (i32, i32) {
        // SAFETY: M1.
        unsafe {
            let a = _mm256_madd_epi16(first.0, first.1);
            let b = _mm256_add_epi32(
                _mm256_madd_epi16(second[0].0, second[0].1),
                _mm256_madd_epi16(second[1].0, second[1].1),
            );
            // a0 a1 b0 b1 of both halves, then the halves together.
            let sums = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
            let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
            let sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
            let both = _mm_cvtsi128_si64(sums);
            (both as i32, (both >> 32) as i32)
        }
    }

    #[inline(always)]
    fn count_up_to(self, a: __m256i, number: u16) -> usize {
        // SAFETY: M1.
        let above = unsafe { _mm256_movemask_epi8(_mm256_cmpgt_epi16(a, _mm256_set1_epi16(number as i16))) };
        ((above as u32 | 1 << 30).trailing_zeros() / 2) as usize
    }
}

//! Rows to packed pixels with AVX-512 and its byte extensions: 64 pixels at a time, without a row of each channel between.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::narrow::{INPUT_SHIFT, Narrow, NarrowTerm};
use crate::cpu::channels::{CHUNK, CHUNK_BYTES, filled, joined};
use crate::cpu::simd::Avx512Vbmi2;

/// What chroma adds to R, G and B of a chunk of pixels: of the first 8 of every 16, and of the others.
pub(super) type Terms = [[__m512i; 2]; 3];

/// The terms of rows of pixels of which `columns` share U and V.
pub(super) fn terms(_proof: Avx512Vbmi2, narrow: &Narrow, columns: usize, chroma: [&[u8]; 2], terms: &mut [Terms]) {
    // SAFETY: the proof.
    unsafe {
        match columns {
            2 => terms_of::<{ CHUNK / 2 }>(narrow, chroma, terms),
            _ => terms_of::<CHUNK>(narrow, chroma, terms),
        }
    }
}

/// A row of Y to a row of pixels.
pub(super) fn convert(
    _proof: Avx512Vbmi2,
    narrow: &Narrow,
    blue_first: bool,
    y: &[u8],
    terms: &[Terms],
    raw: &mut [u8],
) {
    // SAFETY: the proof.
    unsafe { convert_row(narrow, blue_first, y, terms, raw) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn terms_of<const SAMPLES: usize>(narrow: &Narrow, [u, v]: [&[u8]; 2], terms: &mut [Terms]) {
    let ((u, last_u), (v, last_v)) = (u.as_chunks::<SAMPLES>(), v.as_chunks::<SAMPLES>());
    for ((terms, u), v) in terms.iter_mut().zip(u).zip(v) {
        *terms = terms_of_chunk(narrow, [u, v]);
    }
    if let Some(terms) = terms.get_mut(u.len()) {
        *terms = terms_of_chunk::<SAMPLES>(narrow, [&filled(last_u), &filled(last_v)]);
    }
}

/// Of a chunk of pixels, each of which has a sample, or every other one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn terms_of_chunk<const SAMPLES: usize>(narrow: &Narrow, chroma: [&[u8; SAMPLES]; 2]) -> Terms {
    let [u, v] = chroma.map(|samples| bytemuck::cast(filled::<CHUNK>(samples)));
    if SAMPLES == CHUNK {
        let (u, v) = (halves(u), halves(v));
        let (low, high) = (added(narrow, u[0], v[0]), added(narrow, u[1], v[1]));
        return [[low[0], high[0]], [low[1], high[1]], [low[2], high[2]]];
    }
    let [u, v] = [_mm512_castsi512_si256(u), _mm512_castsi512_si256(v)];
    let [red, green, blue] = added(narrow, _mm512_cvtepu8_epi16(u), _mm512_cvtepu8_epi16(v));
    let twice = |term| [_mm512_unpacklo_epi16(term, term), _mm512_unpackhi_epi16(term, term)];
    [twice(red), twice(green), twice(blue)]
}

/// As [`Narrow::chroma`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn added(narrow: &Narrow, u: __m512i, v: __m512i) -> [__m512i; 3] {
    let green = _mm512_add_epi16(term(narrow.green_u, u), term(narrow.green_v, v));
    [term(narrow.red, v), green, term(narrow.blue, u)]
}

/// As [`NarrowTerm::at`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn term(NarrowTerm { scale, offset }: NarrowTerm, values: __m512i) -> __m512i {
    let sum = _mm512_add_epi16(_mm512_slli_epi16::<INPUT_SHIFT>(values), _mm512_set1_epi16(offset));
    _mm512_mulhi_epi16(sum, _mm512_set1_epi16(scale))
}

/// The first 8 of every 16 bytes, and the others, in 16 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn halves(bytes: __m512i) -> [__m512i; 2] {
    let zero = _mm512_setzero_si512();
    [_mm512_unpacklo_epi8(bytes, zero), _mm512_unpackhi_epi8(bytes, zero)]
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn convert_row(narrow: &Narrow, blue_first: bool, y: &[u8], terms: &[Terms], raw: &mut [u8]) {
    let ((chunks, rest), (y, last)) = (raw.as_chunks_mut::<CHUNK_BYTES>(), y.as_chunks::<CHUNK>());
    for ((raw, y), terms) in chunks.iter_mut().zip(y).zip(terms) {
        *raw = chunk(narrow, blue_first, y, terms);
    }
    if let Some(terms) = terms.get(y.len()) {
        rest.copy_from_slice(&chunk(narrow, blue_first, &filled(last), terms)[..rest.len()]);
    }
}

/// As [`Narrow::pixel`], of each pixel, and the channels side by side.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn chunk(narrow: &Narrow, blue_first: bool, y: &[u8; CHUNK], terms: &Terms) -> [u8; CHUNK_BYTES] {
    let [low, high] = halves(bytemuck::cast(*y));
    let (low, high) = (term(narrow.luma, low), term(narrow.luma, high));
    let made = |[of_low, of_high]: [__m512i; 2]| {
        _mm512_packus_epi16(_mm512_add_epi16(low, of_low), _mm512_add_epi16(high, of_high))
    };
    let [red, green, blue] = [made(terms[0]), made(terms[1]), made(terms[2])];
    joined(if blue_first { [blue, green, red] } else { [red, green, blue] })
}

//! Pixels of three channels of a byte each, and rows of the channels, with AVX-512 and its byte extensions: 64 pixels at a
//! time. What compilers make of the same loops shuffles each vector several times.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::simd::Avx512Vbmi2;

/// Pixels that are worked on at a time.
pub const CHUNK: usize = 64;
/// Their bytes.
pub const CHUNK_BYTES: usize = 3 * CHUNK;

/// In three vectors of pixels, the pixel of each byte.
const PIXELS: [[u8; CHUNK]; 3] = {
    let mut pixels = [[0; CHUNK]; 3];
    let mut at = 0;
    while at < CHUNK_BYTES {
        pixels[at / CHUNK][at % CHUNK] = (at / 3) as u8;
        at += 1;
    }
    pixels
};

/// In each vector of pixels, the bytes of each channel.
const OF_CHANNEL: [[u64; 3]; 3] = {
    let mut masks = [[0; 3]; 3];
    let mut at = 0;
    while at < CHUNK_BYTES {
        masks[at / CHUNK][at % 3] |= 1 << (at % CHUNK);
        at += 1;
    }
    masks
};

/// For each channel, where its bytes are in three vectors: of every pixel in turn, or of those in even columns first.
const fn places(dealt: bool) -> [[u8; CHUNK]; 3] {
    let mut places = [[0; CHUNK]; 3];
    let mut at = 0;
    while at < CHUNK_BYTES {
        let pixel = at / 3;
        let to = if dealt { pixel / 2 + CHUNK / 2 * (pixel % 2) } else { pixel };
        places[at % 3][to] = at as u8;
        at += 1;
    }
    places
}

const IN_TURN: [[u8; CHUNK]; 3] = places(false);
const DEALT: [[u8; CHUNK]; 3] = places(true);

/// Rows of channels to a row of pixels. With `add_green`, the first and the third are differences from the second.
pub fn join(_proof: Avx512Vbmi2, add_green: bool, channels: [&[u8]; 3], raw: &mut [u8]) {
    // SAFETY: the proof.
    unsafe { join_row(add_green, channels, raw) }
}

/// Undoes [`join`].
pub fn split(_proof: Avx512Vbmi2, subtract_green: bool, raw: &[u8], channels: [&mut [u8]; 3]) {
    // SAFETY: the proof.
    unsafe { split_row(subtract_green, raw, channels) }
}

/// A row of pixels to the channels of those in even and in odd columns. An odd column that is missing is what the even one is.
pub fn deal(_proof: Avx512Vbmi2, raw: &[u8], even: [&mut [u8]; 3], odd: [&mut [u8]; 3]) {
    // SAFETY: the proof.
    unsafe { deal_row(raw, even, odd) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn join_row(add_green: bool, channels: [&[u8]; 3], raw: &mut [u8]) {
    let (chunks, rest) = raw.as_chunks_mut::<CHUNK_BYTES>();
    let whole = chunks.len();
    let [first, green, third] = channels.map(|samples| samples.as_chunks::<CHUNK>().0);
    for (((raw, first), green), third) in chunks.iter_mut().zip(first).zip(green).zip(third) {
        *raw = added(add_green, [first, green, third]);
    }
    if !rest.is_empty() {
        let last = channels.map(|samples| filled(&samples[CHUNK * whole..]));
        rest.copy_from_slice(&added(add_green, last.each_ref())[..rest.len()]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn split_row(subtract_green: bool, raw: &[u8], channels: [&mut [u8]; 3]) {
    let (chunks, rest) = raw.as_chunks::<CHUNK_BYTES>();
    let [(first, last_first), (green, last_green), (third, last_third)] =
        channels.map(|samples| cut::<CHUNK>(samples, chunks.len()));
    for (((raw, first), green), third) in chunks.iter().zip(first).zip(green).zip(third) {
        [*first, *green, *third] = subtracted(subtract_green, raw);
    }
    let last = subtracted(subtract_green, &filled(rest));
    for (samples, last) in [last_first, last_green, last_third].into_iter().zip(last) {
        samples.copy_from_slice(&last[..samples.len()]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn deal_row(raw: &[u8], even: [&mut [u8]; 3], odd: [&mut [u8]; 3]) {
    let (chunks, rest) = raw.as_chunks::<CHUNK_BYTES>();
    let [even, odd] = [even, odd].map(|columns| columns.map(|samples| cut::<{ CHUNK / 2 }>(samples, chunks.len())));
    let [(first, last_first), (green, last_green), (third, last_third)] = even;
    let [(odd_first, odd_last_first), (odd_green, odd_last_green), (odd_third, odd_last_third)] = odd;
    let of_even = first.iter_mut().zip(green).zip(third);
    let of_odd = odd_first.iter_mut().zip(odd_green).zip(odd_third);
    for ((raw, ((first, green), third)), ((odd_first, odd_green), odd_third)) in chunks.iter().zip(of_even).zip(of_odd)
    {
        [[*first, *odd_first], [*green, *odd_green], [*third, *odd_third]] = dealt(raw);
    }
    let last = [(last_first, odd_last_first), (last_green, odd_last_green), (last_third, odd_last_third)];
    for ((even, odd), found) in last.into_iter().zip(dealt(&filled(rest))) {
        even.copy_from_slice(&found[0][..even.len()]);
        odd.copy_from_slice(&found[1][..odd.len()]);
        if rest.len() / 3 % 2 == 1 {
            odd[odd.len() - 1] = even[even.len() - 1];
        }
    }
}

/// So many whole parts of some samples, and the others.
fn cut<const N: usize>(samples: &mut [u8], parts: usize) -> (&mut [[u8; N]], &mut [u8]) {
    let (whole, rest) = samples.split_at_mut(N * parts);
    (whole.as_chunks_mut().0, rest)
}

/// Pixels of channels, of which the first and the third may be differences.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn added(add_green: bool, channels: [&[u8; CHUNK]; 3]) -> [u8; CHUNK_BYTES] {
    let [first, green, third] = channels.map(|samples| bytemuck::cast(*samples));
    if add_green {
        joined([_mm512_add_epi8(first, green), green, _mm512_add_epi8(third, green)])
    } else {
        joined([first, green, third])
    }
}

/// Undoes [`added`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn subtracted(subtract_green: bool, pixels: &[u8; CHUNK_BYTES]) -> [[u8; CHUNK]; 3] {
    let [first, green, third] = separated(&IN_TURN, pixels);
    bytemuck::cast(if subtract_green {
        [_mm512_sub_epi8(first, green), green, _mm512_sub_epi8(third, green)]
    } else {
        [first, green, third]
    })
}

/// Of each channel, the even columns and the odd ones.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn dealt(pixels: &[u8; CHUNK_BYTES]) -> [[[u8; CHUNK / 2]; 2]; 3] {
    bytemuck::cast(separated(&DEALT, pixels))
}

/// The pixels of channels.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
pub fn joined([first, second, third]: [__m512i; 3]) -> [u8; CHUNK_BYTES] {
    let mut out = [[0u8; CHUNK]; 3];
    for ((out, pixels), of_channel) in out.iter_mut().zip(PIXELS).zip(OF_CHANNEL) {
        let pixels: __m512i = bytemuck::cast(pixels);
        let joined = _mm512_permutexvar_epi8(pixels, first);
        let joined = _mm512_mask_permutexvar_epi8(joined, of_channel[1], pixels, second);
        *out = bytemuck::cast(_mm512_mask_permutexvar_epi8(joined, of_channel[2], pixels, third));
    }
    bytemuck::cast(out)
}

/// The channels of pixels.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")]
fn separated(places: &[[u8; CHUNK]; 3], pixels: &[u8; CHUNK_BYTES]) -> [__m512i; 3] {
    let [first, second, third]: [__m512i; 3] = bytemuck::cast(*pixels);
    let mut out = [first; 3];
    for (out, places) in out.iter_mut().zip(places) {
        let places: __m512i = bytemuck::cast(*places);
        let in_third = _mm512_movepi8_mask(places);
        let found = _mm512_permutex2var_epi8(first, places, second);
        *out = _mm512_mask_permutexvar_epi8(found, in_third, places, third);
    }
    out
}

/// As many samples as there are, and zeros.
pub fn filled<const N: usize>(samples: &[u8]) -> [u8; N] {
    let mut filled = [0; N];
    let count = samples.len().min(N);
    filled[..count].copy_from_slice(&samples[..count]);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::SimdLevel;

    /// Rows of every width around those of whole vectors, against plain loops.
    #[test]
    fn rows_of_any_width_come_apart_and_together() {
        let Some(proof) = SimdLevel::available().into_iter().find_map(SimdLevel::avx512_vbmi2) else { return };
        for width in (0..200).chain([639, 640, 641]) {
            let raw: Vec<u8> = (0..3 * width).map(|at| (at * at / 7 + at) as u8).collect();
            for green in [false, true] {
                let difference = |pixel: &[u8; 3], channel: usize| {
                    pixel[channel].wrapping_sub(if green && channel != 1 { pixel[1] } else { 0 })
                };
                let pixels = raw.as_chunks::<3>().0;
                let expected =
                    [0, 1, 2].map(|channel| pixels.iter().map(|it| difference(it, channel)).collect::<Vec<_>>());
                let mut channels = [(); 3].map(|()| vec![0; width]);
                split(proof, green, &raw, channels.each_mut().map(Vec::as_mut_slice));
                assert_eq!(channels, expected, "{width} {green}");
                let mut joined = vec![0; raw.len()];
                join(proof, green, channels.each_ref().map(Vec::as_slice), &mut joined);
                assert_eq!(joined, raw, "{width} {green}");
            }
            let blocks = width.div_ceil(2);
            let [mut even, mut odd] = [(); 2].map(|()| [(); 3].map(|()| vec![0; blocks]));
            deal(proof, &raw, even.each_mut().map(Vec::as_mut_slice), odd.each_mut().map(Vec::as_mut_slice));
            for (at, channel) in (0..blocks).flat_map(|at| [0, 1, 2].map(|channel| (at, channel))) {
                let second = (2 * at + 1).min(width - 1);
                assert_eq!(even[channel][at], raw[6 * at + channel], "{width}");
                assert_eq!(odd[channel][at], raw[3 * second + channel], "{width}");
            }
        }
    }
}

//! **What**: reorders the bits of a span so that bits of equal significance are together.
//!
//! **Forward**: with `n` samples of `s` bytes in the span, bit `k` of sample `i` goes to bit
//! `i % 8` of byte `k * (n / 8) + i / 8`, for the first `n - n % 8` samples. The bytes of the last
//! `n % 8` samples follow as they are (Masui et al., "A compression scheme for radio data in high
//! performance computing", 2015, with a remainder rule).
//!
//! **Inverse**: the transpose back.
//!
//! **Wire parameters**: [`Shuffle::Bit`](crate::plan::Shuffle), the span length of the plan.
//!
//! **Twin**: `shaders/bit_shuffle.wgsl`.

use super::simd::{Kernel, SimdLevel};

/// Samples that are transposed at a time: small enough for the L1 cache, with whole vectors of
/// 8x8 bit matrices.
const TILE: usize = 512;

/// Shuffles `input`, samples of `sample_bytes` bytes, into `out`.
pub fn forward(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    match sample_bytes {
        1 => simd.run(Forward::<1> { input, out }),
        2 => simd.run(Forward::<2> { input, out }),
        4 => simd.run(Forward::<4> { input, out }),
        _ => simd.run(Forward::<8> { input, out }),
    }
}

/// Undoes [`forward`].
pub fn inverse(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    match sample_bytes {
        1 => simd.run(Inverse::<1> { input, out }),
        2 => simd.run(Inverse::<2> { input, out }),
        4 => simd.run(Inverse::<4> { input, out }),
        _ => simd.run(Inverse::<8> { input, out }),
    }
}

/// Bytes of one bit lane, and where the verbatim remainder starts.
fn split<const BYTES: usize>(bytes: usize) -> (usize, usize) {
    let lane_bytes = bytes / BYTES / 8;
    (lane_bytes, lane_bytes * 8 * BYTES)
}

struct Forward<'a, const BYTES: usize> {
    input: &'a [u8],
    out: &'a mut [u8],
}

impl<const BYTES: usize> Kernel for Forward<'_, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { input, out } = self;
        let (lane_bytes, whole) = split::<BYTES>(input.len());
        let (input, rest) = input.split_at(whole);
        let (out, rest_out) = out.split_at_mut(whole);
        rest_out.copy_from_slice(rest);
        for (tile, samples) in input.as_chunks::<BYTES>().0.chunks(TILE).enumerate() {
            let groups = samples.len() / 8;
            let at = tile * (TILE / 8);
            for byte in 0..BYTES {
                let mut matrices = [0u64; TILE / 8];
                for (matrix, samples) in matrices.iter_mut().zip(samples.as_chunks::<8>().0) {
                    *matrix = transpose(u64::from_le_bytes(samples.map(|sample| sample[byte])));
                }
                for bit in 0..8 {
                    let lane = &mut out[(byte * 8 + bit) * lane_bytes + at..][..groups];
                    for (out, matrix) in lane.iter_mut().zip(&matrices) {
                        *out = (matrix >> (8 * bit)) as u8;
                    }
                }
            }
        }
    }
}

struct Inverse<'a, const BYTES: usize> {
    input: &'a [u8],
    out: &'a mut [u8],
}

impl<const BYTES: usize> Kernel for Inverse<'_, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { input, out } = self;
        let (lane_bytes, whole) = split::<BYTES>(input.len());
        let (input, rest) = input.split_at(whole);
        let (out, rest_out) = out.split_at_mut(whole);
        rest_out.copy_from_slice(rest);
        for (tile, samples) in out.as_chunks_mut::<BYTES>().0.chunks_mut(TILE).enumerate() {
            let groups = samples.len() / 8;
            let at = tile * (TILE / 8);
            for byte in 0..BYTES {
                let mut matrices = [0u64; TILE / 8];
                for bit in 0..8 {
                    let lane = &input[(byte * 8 + bit) * lane_bytes + at..][..groups];
                    for (matrix, &row) in matrices.iter_mut().zip(lane) {
                        *matrix |= u64::from(row) << (8 * bit);
                    }
                }
                for (matrix, samples) in matrices.iter().zip(samples.as_chunks_mut::<8>().0) {
                    let column = transpose(*matrix).to_le_bytes();
                    for (sample, value) in samples.iter_mut().zip(column) {
                        sample[byte] = value;
                    }
                }
            }
        }
    }
}

/// Transpose of an 8x8 bit matrix whose row `r` is byte `r` (Warren, "Hacker's Delight", 7-3).
#[inline(always)]
fn transpose(mut x: u64) -> u64 {
    for (shift, mask) in [(7, 0x00AA_00AA_00AA_00AA), (14, 0x0000_CCCC_0000_CCCC), (28, 0x0000_0000_F0F0_F0F0)] {
        let difference = (x ^ (x >> shift)) & mask;
        x ^= difference ^ (difference << shift);
    }
    x
}

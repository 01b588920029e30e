//! **What**: reorders the bytes of a span so that bytes of equal significance are together.
//!
//! **Forward**: byte `k` of sample `i` goes to byte `k * n + i` of the span's `n` samples (Blosc's
//! and HDF5's shuffle).
//!
//! **Inverse**: the transpose back.
//!
//! **Wire parameters**: [`Shuffle::Byte`](crate::plan::Shuffle), the span length of the plan.
//!
//! **Twin**: `shaders/byte_shuffle.wgsl`.

use super::simd::{Kernel, SimdLevel};

/// Shuffles `input`, samples of `sample_bytes` bytes, into `out`.
pub fn forward(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    match sample_bytes {
        2 => simd.run(Forward::<2> { input, out }),
        4 => simd.run(Forward::<4> { input, out }),
        8 => simd.run(Forward::<8> { input, out }),
        _ => out.copy_from_slice(input),
    }
}

/// Undoes [`forward`].
pub fn inverse(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    match sample_bytes {
        2 => simd.run(Inverse::<2> { input, out }),
        4 => simd.run(Inverse::<4> { input, out }),
        8 => simd.run(Inverse::<8> { input, out }),
        _ => out.copy_from_slice(input),
    }
}

struct Forward<'a, const BYTES: usize> {
    input: &'a [u8],
    out: &'a mut [u8],
}

impl<const BYTES: usize> Kernel for Forward<'_, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let samples = self.input.len() / BYTES;
        for (lane, out) in self.out.chunks_exact_mut(samples.max(1)).enumerate() {
            for (out, sample) in out.iter_mut().zip(self.input.as_chunks::<BYTES>().0) {
                *out = sample[lane];
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
        let samples = self.input.len() / BYTES;
        let mut lanes = [&self.input[..0]; BYTES];
        for (lane, bytes) in lanes.iter_mut().zip(self.input.chunks_exact(samples.max(1))) {
            *lane = bytes;
        }
        for (at, out) in self.out.as_chunks_mut::<BYTES>().0.iter_mut().enumerate().take(samples) {
            for (byte, lane) in out.iter_mut().zip(lanes) {
                *byte = lane[at];
            }
        }
    }
}

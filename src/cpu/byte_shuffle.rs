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

/// Most bytes of a sample.
const MOST_BYTES: usize = 8;

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
    let samples = input.len() / sample_bytes;
    let mut lanes = [&input[..0]; MOST_BYTES];
    lanes.iter_mut().zip(input.chunks_exact(samples.max(1))).for_each(|(lane, bytes)| *lane = bytes);
    interleave(simd, &lanes[..sample_bytes], out);
}

/// The same of bytes of equal significance that are anywhere.
pub fn interleave(simd: SimdLevel, lanes: &[&[u8]], out: &mut [u8]) {
    match *lanes {
        [a, b] => simd.run(Interleave { lanes: [a, b], out }),
        [a, b, c, d] => simd.run(Interleave { lanes: [a, b, c, d], out }),
        [a, b, c, d, e, f, g, h] => simd.run(Interleave { lanes: [a, b, c, d, e, f, g, h], out }),
        [lane] => out.copy_from_slice(lane),
        _ => debug_assert!(false, "samples have 1, 2, 4 or 8 bytes"),
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

struct Interleave<'a, const BYTES: usize> {
    lanes: [&'a [u8]; BYTES],
    out: &'a mut [u8],
}

impl<const BYTES: usize> Kernel for Interleave<'_, BYTES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let out = self.out.as_chunks_mut::<BYTES>().0;
        let lanes = self.lanes.map(|lane| &lane[..out.len()]);
        for (at, out) in out.iter_mut().enumerate() {
            for (byte, lane) in out.iter_mut().zip(lanes) {
                *byte = lane[at];
            }
        }
    }
}

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

/// Shuffles `input`, samples of `sample_bytes` bytes, into `out`.
pub(crate) fn forward(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    simd.run(Forward { sample_bytes, input, out });
}

/// Undoes [`forward`].
pub(crate) fn inverse(simd: SimdLevel, sample_bytes: usize, input: &[u8], out: &mut [u8]) {
    simd.run(Inverse { sample_bytes, input, out });
}

struct Forward<'a> {
    sample_bytes: usize,
    input: &'a [u8],
    out: &'a mut [u8],
}

struct Inverse<'a> {
    sample_bytes: usize,
    input: &'a [u8],
    out: &'a mut [u8],
}

/// Bytes of one bit lane, and where the verbatim remainder starts.
fn split(sample_bytes: usize, bytes: usize) -> (usize, usize) {
    let lane_bytes = bytes / sample_bytes / 8;
    (lane_bytes, lane_bytes * 8 * sample_bytes)
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { sample_bytes, input, out } = self;
        let (lane_bytes, whole) = split(sample_bytes, input.len());
        for byte in 0..sample_bytes {
            for (group, samples) in input[..whole].chunks_exact(8 * sample_bytes).enumerate() {
                let mut column = [0; 8];
                for (bit, sample) in column.iter_mut().zip(samples.chunks_exact(sample_bytes)) {
                    *bit = sample[byte];
                }
                let rows = transpose(u64::from_le_bytes(column)).to_le_bytes();
                for (bit, &row) in rows.iter().enumerate() {
                    out[(byte * 8 + bit) * lane_bytes + group] = row;
                }
            }
        }
        out[whole..].copy_from_slice(&input[whole..]);
    }
}

impl Kernel for Inverse<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { sample_bytes, input, out } = self;
        let (lane_bytes, whole) = split(sample_bytes, input.len());
        for byte in 0..sample_bytes {
            for (group, samples) in out[..whole].chunks_exact_mut(8 * sample_bytes).enumerate() {
                let mut rows = [0; 8];
                for (bit, row) in rows.iter_mut().enumerate() {
                    *row = input[(byte * 8 + bit) * lane_bytes + group];
                }
                let column = transpose(u64::from_le_bytes(rows)).to_le_bytes();
                for (sample, &value) in samples.chunks_exact_mut(sample_bytes).zip(&column) {
                    sample[byte] = value;
                }
            }
        }
        out[whole..].copy_from_slice(&input[whole..]);
    }
}

/// Transpose of an 8x8 bit matrix whose row `r` is byte `r` (Warren, "Hacker's Delight", 7-3).
#[inline(always)]
fn transpose(mut x: u64) -> u64 {
    let mut swap = |shift: u32, mask: u64| {
        let difference = (x ^ (x >> shift)) & mask;
        x ^= difference ^ (difference << shift);
    };
    swap(7, 0x00AA_00AA_00AA_00AA);
    swap(14, 0x0000_CCCC_0000_CCCC);
    swap(28, 0x0000_0000_F0F0_F0F0);
    x
}

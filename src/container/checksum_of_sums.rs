//! The checksum of frames by what they add up to, block by block: that is computed where they are, on a device or in the cache,
//! and the rest here.

use std::ops::Range;

use super::checksum::checksum;
use crate::cpu::block_sums::{ACCUMULATORS, BLOCK_BYTES, SECRET, STRIPE_BYTES, add, add_stripes};
use crate::cpu::frame_sums::FrameSums;
use crate::error::Result;
use crate::pool::Crew;

/// Up to so many bytes are hashed in other ways, without blocks.
const SHORT_BYTES: usize = 240;

const PRIME32_1: u64 = 0x9E37_79B1;
const PRIME64_1: u64 = 0x9E37_79B1_85EB_CA87;
/// The accumulators before the first block.
const START: [u64; ACCUMULATORS] = [
    0xC2B2_AE3D,
    PRIME64_1,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x85EB_CA77,
    0x27D4_EB2F_1656_67C5,
    PRIME32_1,
];

/// Blocks of `bytes` bytes whose sums are wanted: all but the last, whole or not.
pub fn summed_blocks(bytes: usize) -> usize {
    bytes.saturating_sub(1) / BLOCK_BYTES
}

/// The bytes that are wanted besides: the last block, and at least the last stripe.
pub fn tail(bytes: usize) -> Range<usize> {
    (summed_blocks(bytes) * BLOCK_BYTES).saturating_sub(STRIPE_BYTES)..bytes
}

/// The [`checksum`] of `bytes` bytes by the sums of their [blocks](summed_blocks) and their [tail](tail()), for whoever has
/// no other bytes at hand.
pub fn checksum_of_sums(bytes: usize, sums: impl ExactSizeIterator<Item = [u64; ACCUMULATORS]>, tail: &[u8]) -> u64 {
    if bytes <= SHORT_BYTES {
        return checksum(tail);
    }
    let scramble_key = &SECRET[SECRET.len() - STRIPE_BYTES..];
    let mut accumulators = START;
    let last_block = &tail[tail.len() - (bytes - sums.len() * BLOCK_BYTES)..];
    for sums in sums {
        for ((accumulator, sum), &key) in accumulators.iter_mut().zip(sums).zip(scramble_key.as_chunks().0) {
            let mixed = accumulator.wrapping_add(sum);
            *accumulator = (mixed ^ (mixed >> 47) ^ u64::from_le_bytes(key)).wrapping_mul(PRIME32_1);
        }
    }
    // A stripe that ends with the block is the last one.
    add_stripes(&last_block[..(last_block.len() - 1) / STRIPE_BYTES * STRIPE_BYTES], &mut accumulators);
    if let Some(last_stripe) = tail.last_chunk() {
        add(last_stripe, &SECRET[SECRET.len() - STRIPE_BYTES - 7..], &mut accumulators);
    }
    merged(&accumulators, (bytes as u64).wrapping_mul(PRIME64_1))
}

/// The [`checksum`] of frames of which `sums` know some blocks. The others are gone over now.
pub fn checksum_of_frames(raw: &[u8], sums: &FrameSums, crew: &Crew) -> Result<u64> {
    if crew.threads() == 1 && !sums.knows_any() {
        return Ok(checksum(raw));
    }
    Ok(checksum_of_sums(raw.len(), sums.finish(raw, crew)?, &raw[tail(raw.len())]))
}

/// What the accumulators come to.
fn merged(accumulators: &[u64; ACCUMULATORS], start: u64) -> u64 {
    let keys = SECRET[11..].as_chunks().0;
    let mut hash = start;
    for (pair, keys) in accumulators.as_chunks::<2>().0.iter().zip(keys.as_chunks::<2>().0) {
        let [a, b] = [0, 1].map(|at| u128::from(pair[at] ^ u64::from_le_bytes(keys[at])));
        let product = a * b;
        hash = hash.wrapping_add(product as u64 ^ (product >> 64) as u64);
    }
    hash ^= hash >> 37;
    hash = hash.wrapping_mul(0x1656_6791_9E37_79F9);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{SimdLevel, block_sums};

    /// Every length up to four blocks, and those around other numbers of blocks and stripes.
    #[test]
    fn sums_and_tail_come_to_the_checksum() {
        let mut state = 3u64;
        let byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = std::iter::repeat_with(byte).take(70 * BLOCK_BYTES).collect();
        let around = (5..70).flat_map(|blocks| [0, 1, 63, 64, 65, 1023].map(|more| blocks * BLOCK_BYTES + more));
        for length in (0..=4 * BLOCK_BYTES).chain(around) {
            let bytes = &bytes[..length];
            let mut sums = vec![[0; ACCUMULATORS]; summed_blocks(length)];
            block_sums::forward(SimdLevel::detect(), bytes, &mut sums);
            assert_eq!(
                checksum_of_sums(length, sums.into_iter(), &bytes[tail(length)]),
                checksum(bytes),
                "{length} bytes"
            );
        }
    }
}

//! **What**: the part of the checksum of raw frames (XXH3-64 with seed 0, as the specification of xxHash has it) that can be
//! computed for all blocks at once. A block of 1,024 bytes adds to eight accumulators what follows from its bytes
//! alone; only what happens to the accumulators between blocks is a chain, which `container` follows.
//!
//! **Forward**: what each block adds to each accumulator.
//!
//! **Inverse**: none.
//!
//! **Wire parameters**: none.
//!
//! **Twin**: `shaders/block_sums.wgsl`.

use super::SimdLevel;
use super::simd::Kernel;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 1024;
/// Bytes of a stripe: one word for each accumulator.
pub const STRIPE_BYTES: usize = 64;
/// Accumulators.
pub const ACCUMULATORS: usize = 8;
/// Bytes of the sums of a block.
pub const SUMS_BYTES: usize = ACCUMULATORS * size_of::<u64>();

/// The default secret of XXH3.
pub const SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d,
    0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0,
    0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0,
    0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b,
    0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac,
    0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51,
    0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34,
    0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49,
    0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8,
    0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b,
    0x40, 0x7e,
];

/// What each block of `raw`, whole blocks, adds to the accumulators.
pub fn forward(simd: SimdLevel, raw: &[u8], sums: &mut [[u64; ACCUMULATORS]]) {
    simd.without_avx512().run(Forward { raw, sums });
}

struct Forward<'a> {
    raw: &'a [u8],
    sums: &'a mut [[u64; ACCUMULATORS]],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (block, sums) in self.raw.as_chunks::<BLOCK_BYTES>().0.iter().zip(self.sums) {
            *sums = [0; ACCUMULATORS];
            add_stripes(block, sums);
        }
    }
}

/// Adds what the whole stripes of a block add, of which there may be fewer than a block has.
#[inline(always)]
pub fn add_stripes(block: &[u8], sums: &mut [u64; ACCUMULATORS]) {
    // Words go to the accumulators beside theirs; apart from products until the end, they need not change lanes.
    let (mut words, mut products) = ([0; ACCUMULATORS], [0; ACCUMULATORS]);
    let stripes = block.as_chunks::<STRIPE_BYTES>().0;
    for (stripe, secret) in stripes.iter().zip(SECRET.windows(STRIPE_BYTES).step_by(8)) {
        add_apart(stripe, secret, &mut words, &mut products);
    }
    add_together(&words, &products, sums);
}

/// Adds what a stripe adds with its part of the secret.
pub fn add(stripe: &[u8; STRIPE_BYTES], secret: &[u8], sums: &mut [u64; ACCUMULATORS]) {
    let (mut words, mut products) = ([0; ACCUMULATORS], [0; ACCUMULATORS]);
    add_apart(stripe, secret, &mut words, &mut products);
    add_together(&words, &products, sums);
}

#[inline(always)]
fn add_apart(
    stripe: &[u8; STRIPE_BYTES],
    secret: &[u8],
    words: &mut [u64; ACCUMULATORS],
    products: &mut [u64; ACCUMULATORS],
) {
    for (at, (&word, &secret)) in stripe.as_chunks().0.iter().zip(secret.as_chunks().0).enumerate() {
        let word = u64::from_le_bytes(word);
        let key = word ^ u64::from_le_bytes(secret);
        words[at] = words[at].wrapping_add(word);
        products[at] = products[at].wrapping_add((key & u64::from(u32::MAX)) * (key >> 32));
    }
}

#[inline(always)]
fn add_together(words: &[u64; ACCUMULATORS], products: &[u64; ACCUMULATORS], sums: &mut [u64; ACCUMULATORS]) {
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = sum.wrapping_add(words[at ^ 1]).wrapping_add(products[at]);
    }
}

//! **What**: how often each byte value occurs, per byte of a sample.
//!
//! **Forward**: bin `256 * k + v` counts the samples whose byte `k` (from the lowest) is `v`.
//!
//! **Inverse**: none: a histogram measures and changes nothing.
//!
//! **Wire parameters**: none.
//!
//! **Twin**: `shaders/histogram.wgsl`.

/// Bins of one byte of a sample.
pub const BINS: usize = 256;

/// Adds the samples (of `sample_bytes` little-endian bytes) to `bins`, which has
/// `sample_bytes * BINS` entries. No bin counts past 2^32 - 1: callers measure less than that.
pub fn forward(sample_bytes: usize, samples: &[u8], bins: &mut [u32]) {
    match sample_bytes {
        1 => count::<1>(samples, bins),
        2 => count::<2>(samples, bins),
        4 => count::<4>(samples, bins),
        _ => count::<8>(samples, bins),
    }
}

fn count<const BYTES: usize>(samples: &[u8], bins: &mut [u32]) {
    // Two sets of counters: equal neighbours would otherwise wait for each other's store.
    let mut second = [[0u32; BINS]; BYTES];
    let (pairs, rest) = samples.as_chunks::<BYTES>().0.as_chunks::<2>();
    for [even, odd] in pairs {
        for byte in 0..BYTES {
            bins[byte * BINS + usize::from(even[byte])] += 1;
            second[byte][usize::from(odd[byte])] += 1;
        }
    }
    for sample in rest {
        for byte in 0..BYTES {
            bins[byte * BINS + usize::from(sample[byte])] += 1;
        }
    }
    for (bin, more) in bins.iter_mut().zip(second.as_flattened()) {
        *bin += more;
    }
}

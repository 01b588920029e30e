//! **What**: order-0 entropy of a histogram, in bits as fixed point.
//!
//! **Forward**: the sum of `count * (log2(total) - log2(count))` over the bins, where `log2` has
//! [`FRACTION_BITS`] fraction bits and is computed by repeated squaring (Knuth, TAOCP vol. 1,
//! exercise 1.2.2-25) in 32-bit integers, so that every device gets the same number.
//!
//! **Inverse**: none: entropy measures and changes nothing.
//!
//! **Wire parameters**: none.
//!
//! **Twin**: `shaders/entropy.wgsl`.

use super::histogram::BINS;

/// Fraction bits of an entropy.
pub const FRACTION_BITS: u32 = 12;

/// Bits needed to code all samples of the histograms in `bins` (any number of 256-bin histograms,
/// summed), times 2^[`FRACTION_BITS`].
pub fn forward(bins: &[u32]) -> u64 {
    bins.chunks(BINS).map(one).sum()
}

fn one(bins: &[u32]) -> u64 {
    let total: u32 = bins.iter().sum();
    if total == 0 {
        return 0;
    }
    let log_total = log2(total);
    bins.iter().filter(|&&count| count > 0).map(|&count| u64::from(count) * u64::from(log_total - log2(count))).sum()
}

/// log2 of a positive number, rounded down, with [`FRACTION_BITS`] fraction bits.
fn log2(value: u32) -> u32 {
    let exponent = 31 - value.leading_zeros();
    // The mantissa in [1, 2) with 15 fraction bits: its square fits 32 bits.
    let mut mantissa = ((u64::from(value) << 15) >> exponent) as u32;
    let mut log = exponent;
    for _ in 0..FRACTION_BITS {
        mantissa = (mantissa * mantissa) >> 15;
        let carry = mantissa >> 16;
        mantissa >>= carry;
        log = (log << 1) | carry;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_is_within_its_last_bits() {
        for value in (1..70_000).chain([1 << 31, u32::MAX, (1 << 24) + 1]) {
            let exact = f64::from(value).log2() * f64::from(1 << FRACTION_BITS);
            let error = exact - f64::from(log2(value));
            assert!((-0.01..2.5).contains(&error), "log2({value}): {error}");
        }
    }

    #[test]
    fn known_entropies() {
        let mut bins = [0; BINS];
        assert_eq!(forward(&bins), 0);
        bins[7] = 1000;
        assert_eq!(forward(&bins), 0, "one value");
        bins[9] = 1000;
        assert_eq!(forward(&bins), 2000 << FRACTION_BITS, "two values");
        assert_eq!(forward(&[16; BINS]), (4096 * 8) << FRACTION_BITS, "uniform");
    }
}

//! The one checksum of the format.

use twox_hash::XxHash3_64;

/// XXH3-64 with seed 0 of `bytes`.
pub fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

#[cfg(test)]
mod tests {
    /// The value the XXH3 specification gives for no input with seed 0.
    #[test]
    fn empty_input() {
        assert_eq!(super::checksum(b""), 0x2D06_8005_38D3_94C2);
    }
}

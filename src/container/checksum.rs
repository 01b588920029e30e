//! The one checksum of the format.

use std::hash::Hasher;

use twox_hash::XxHash3_64;

/// XXH3-64 with seed 0 of `bytes`.
pub fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The same of bytes in pieces.
pub(super) fn checksum_of<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> u64 {
    let mut hasher = XxHash3_64::new();
    pieces.into_iter().for_each(|piece| hasher.write(piece));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    /// The value the XXH3 specification gives for no input with seed 0.
    #[test]
    fn empty_input() {
        assert_eq!(super::checksum(b""), 0x2D06_8005_38D3_94C2);
    }

    #[test]
    fn pieces_count_as_the_whole() {
        let bytes: Vec<u8> = (0..5000u32).map(|at| ((at * at) >> 3) as u8).collect();
        for length in [1, 7, 63, 64, 256, 1000, 5000] {
            assert_eq!(super::checksum_of(bytes.chunks(length)), super::checksum(&bytes), "{length}");
        }
        assert_eq!(super::checksum_of([]), super::checksum(b""));
    }
}

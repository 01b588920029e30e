//! Swapping the byte order of samples.

/// Reverses the bytes of every sample in place. `sample_bytes` is 1, 2, 4 or 8; bytes after the last
/// whole sample stay as they are.
pub(super) fn swap(bytes: &mut [u8], sample_bytes: usize) {
    // One loop per width, so that each compiles to vector shuffles.
    match sample_bytes {
        2 => swap_samples::<2>(bytes),
        4 => swap_samples::<4>(bytes),
        8 => swap_samples::<8>(bytes),
        _ => {}
    }
}

fn swap_samples<const N: usize>(bytes: &mut [u8]) {
    let (samples, _) = bytes.as_chunks_mut::<N>();
    for sample in samples {
        sample.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width() {
        let original: Vec<u8> = (0..24).collect();
        for (width, second) in [(1, 1), (2, 0), (4, 2), (8, 6)] {
            let mut bytes = original.clone();
            swap(&mut bytes, width);
            assert_eq!(bytes[1], second, "width {width}");
            swap(&mut bytes, width);
            assert_eq!(bytes, original);
        }
    }
}

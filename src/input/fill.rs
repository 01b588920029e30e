//! Reading frames without trusting the size that a header claims.

use std::io::Read;

use crate::error::{Error, Result};

/// Memory taken before the first byte of a batch has arrived. Above it, memory at most doubles with
/// what is there.
const FIRST_STEP: usize = 64 << 20;

/// Appends `wanted` bytes of `reader` to `bytes`, which is to hold `batch_bytes` when its batch is
/// complete. Returns how many arrived: fewer than `wanted` only at the end of the input.
pub(super) fn fill(reader: &mut dyn Read, bytes: &mut Vec<u8>, wanted: usize, batch_bytes: usize) -> Result<usize> {
    let mut arrived = 0;
    while arrived < wanted {
        if bytes.len() == bytes.capacity() {
            let left = (wanted - arrived).max(batch_bytes.saturating_sub(bytes.len()));
            let step = left.min(bytes.len().max(FIRST_STEP));
            bytes.try_reserve_exact(step).map_err(|_| {
                Error::limit(format!(
                    "batch memory: expected room for {batch_bytes} bytes; use fewer frames in a batch"
                ))
            })?;
        }
        let step = (wanted - arrived).min(bytes.capacity() - bytes.len());
        let got = reader.take(step as u64).read_to_end(bytes)?;
        arrived += got;
        if got < step {
            break;
        }
    }
    Ok(arrived)
}

/// Takes a buffer out of its place, without what it held.
pub(super) fn emptied(spare: &mut Vec<u8>) -> Vec<u8> {
    let mut bytes = std::mem::take(spare);
    bytes.clear();
    bytes
}

/// The most of `frames` frames (at least one) whose bytes can be addressed together.
pub(super) fn addressable_frames(frames: usize, frame_bytes: usize) -> usize {
    let most = isize::MAX.unsigned_abs().checked_div(frame_bytes).unwrap_or(usize::MAX);
    frames.min(most).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_claim_takes_no_memory() {
        let mut bytes = Vec::new();
        let claimed = isize::MAX.unsigned_abs();
        assert_eq!(fill(&mut &[7u8; 100][..], &mut bytes, claimed, claimed).unwrap(), 100);
        assert_eq!(bytes, [7; 100]);
        assert!(bytes.capacity() <= FIRST_STEP);
    }

    #[test]
    fn pieces_share_one_allocation() {
        let source: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let (mut reader, mut bytes) = (source.as_slice(), Vec::new());
        for piece in 0..10 {
            assert_eq!(fill(&mut reader, &mut bytes, 100, 1000).unwrap(), 100, "piece {piece}");
            assert_eq!(bytes.capacity(), 1000);
        }
        assert_eq!(bytes, source);
        assert_eq!(fill(&mut reader, &mut bytes, 1, 1000).unwrap(), 0);
    }

    #[test]
    fn batches_stay_addressable() {
        assert_eq!(addressable_frames(8, 1000), 8);
        assert_eq!(addressable_frames(0, 1000), 1);
        assert_eq!(addressable_frames(usize::MAX, 0), usize::MAX);
        assert!(addressable_frames(usize::MAX, 3).checked_mul(3).is_some());
    }
}

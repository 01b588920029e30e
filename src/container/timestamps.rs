//! Times of the frames of a batch: differences of differences, as variable-length numbers.
//!
//! The first number is the first time, the second one the first difference, and each further one how much a difference
//! differs from the one before. A number n becomes 2n or, if it is negative, -2n - 1, in groups of 7 bits, lowest first;
//! the high bit of a byte says that another follows (LEB128). All arithmetic is modulo 2^64. A steady clock takes a byte
//! per frame.

use crate::error::{Error, Result};

/// Bytes of the longest number.
const MOST_BYTES: usize = 10;

pub(super) fn encode(times: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(times.len() + 2 * MOST_BYTES);
    let (mut before, mut step) = (0i64, 0i64);
    for (at, &time) in times.iter().enumerate() {
        let difference = time.wrapping_sub(before);
        let number = if at == 0 { difference } else { difference.wrapping_sub(step) };
        step = if at == 0 { 0 } else { difference };
        before = time;
        let mut rest = ((number << 1) ^ (number >> 63)) as u64;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    out
}

/// The times of `frames` frames, from exactly these bytes.
pub(super) fn decode(bytes: &[u8], frames: u64) -> Result<Vec<i64>> {
    // Every number takes a byte at least, so no more is allocated than has been read.
    let frames = usize::try_from(frames).ok().filter(|&frames| frames <= bytes.len());
    let frames = frames.ok_or_else(|| wrong("there are more frames than bytes"))?;
    let mut times = Vec::with_capacity(frames);
    let (mut before, mut step) = (0i64, 0i64);
    let mut rest = bytes;
    for at in 0..frames {
        let length = rest.iter().take(MOST_BYTES).position(|byte| byte & 0x80 == 0).map(|last| last + 1);
        let (number, later) = rest.split_at(length.ok_or_else(|| wrong("a number does not end"))?);
        rest = later;
        let shifted = number.iter().enumerate().map(|(group, &byte)| u64::from(byte & 0x7F) << (7 * group));
        let zigzag = shifted.fold(0, |sum, bits| sum | bits);
        let number = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let difference = if at == 0 { number } else { step.wrapping_add(number) };
        step = if at == 0 { 0 } else { difference };
        before = before.wrapping_add(difference);
        times.push(before);
    }
    if rest.is_empty() { Ok(times) } else { Err(wrong("there are fewer frames than numbers")) }
}

fn wrong(what: &str) -> Error {
    Error::corrupt(format!("timestamps: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steady_clocks_take_a_byte_per_frame() {
        let times: Vec<i64> = (0..1000).map(|frame| 1_700_000_000_000_000_000 + 40_000_000 * frame).collect();
        let bytes = encode(&times);
        assert!(bytes.len() < times.len() + 20, "{}", bytes.len());
        assert_eq!(decode(&bytes, 1000).unwrap(), times);
    }

    /// As docs/FORMAT.md has it.
    #[test]
    fn numbers_are_laid_out_as_specified() {
        assert_eq!(encode(&[1000, 1040, 1080, 1119]), [0xD0, 0x0F, 0x50, 0, 1]);
    }

    proptest! {
        #[test]
        fn times_come_back(times in prop::collection::vec(any::<i64>(), 0..50)) {
            let bytes = encode(&times);
            prop_assert_eq!(decode(&bytes, times.len() as u64).unwrap(), times.clone());
            prop_assert!(decode(&bytes, times.len() as u64 + 1).is_err());
            if let Some(fewer) = times.len().checked_sub(1) {
                prop_assert!(decode(&bytes, fewer as u64).is_err());
                prop_assert!(decode(&bytes[..bytes.len() - 1], times.len() as u64).is_err());
            }
        }

        #[test]
        fn bytes_are_refused_or_times(bytes in prop::collection::vec(any::<u8>(), 0..60), frames in 0u64..70) {
            if let Ok(times) = decode(&bytes, frames) {
                prop_assert_eq!(times.len() as u64, frames);
            }
        }
    }

    #[test]
    fn absurd_counts_are_refused() {
        assert!(decode(&[0; 5], u64::MAX).is_err());
        assert!(decode(&[0xFF; 30], 2).is_err());
        assert!(decode(&[], 0).unwrap().is_empty());
    }
}

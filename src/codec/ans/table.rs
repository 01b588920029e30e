//! Frequency tables: from counts to numbers that sum to 4096, and on the wire.

use crate::codec::bits::{BitDecoder, BitEncoder, Nibble};
use crate::error::{Error, Result};

/// Bits of a frequency.
pub(in crate::codec) const SCALE_BITS: u32 = 12;
/// Sum of the frequencies of a table.
pub(in crate::codec) const SCALE: u32 = 1 << SCALE_BITS;

/// How often each byte value occurs, out of [`SCALE`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(in crate::codec) struct Frequencies([u16; 256]);

impl Frequencies {
    /// Scales counts, of which at least one is not 0. What occurs keeps a frequency of at least 1.
    pub fn of(counts: &[u32; 256]) -> Self {
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let mut frequencies = [0u16; 256];
        for (frequency, &count) in frequencies.iter_mut().zip(counts) {
            if count > 0 {
                *frequency = ((u64::from(count) * u64::from(SCALE) + total / 2) / total.max(1)).max(1) as u16;
            }
        }
        // Rounding is made up for where it costs least: at the largest.
        let mut sum: u32 = frequencies.iter().map(|&frequency| u32::from(frequency)).sum();
        while sum != SCALE {
            let largest = frequencies.iter_mut().max().filter(|largest| **largest > 0);
            let Some(largest) = largest else { break };
            if sum < SCALE {
                *largest += (SCALE - sum) as u16;
                sum = SCALE;
            } else {
                let taken = (sum - SCALE).min(u32::from(*largest).div_ceil(4)).max(1);
                *largest -= taken as u16;
                sum -= taken;
            }
        }
        Self(frequencies)
    }

    pub fn as_array(&self) -> &[u16; 256] {
        &self.0
    }

    /// The byte value that occurs, if it is the only one. Coding it leaves the state of a lane as it is.
    pub fn only(&self) -> Option<u8> {
        (0..=255).find(|&byte| u32::from(self.0[usize::from(byte)]) == SCALE)
    }

    /// Each frequency as its length in bits, which is predicted by the one before, and its lower
    /// bits, until the sum is full.
    pub fn write(&self, out: &mut BitEncoder<'_>, lengths: &mut [Nibble; 16]) {
        let (mut before, mut sum) = (0, 0);
        for &frequency in &self.0 {
            let length = u16::BITS - frequency.leading_zeros();
            out.nibble(&mut lengths[before], length);
            if length > 1 {
                out.direct(u32::from(frequency), length - 1);
            }
            before = length as usize;
            sum += u32::from(frequency);
            if sum == SCALE {
                break;
            }
        }
    }

    pub fn read(input: &mut BitDecoder<'_>, lengths: &mut [Nibble; 16]) -> Result<Self> {
        let (mut before, mut sum) = (0, 0);
        let mut frequencies = [0; 256];
        for frequency in &mut frequencies {
            let length = input.nibble(&mut lengths[before]);
            let value = match length {
                0 => 0,
                length => 1 << (length - 1) | input.direct(length - 1),
            };
            sum += value;
            if sum > SCALE {
                break;
            }
            *frequency = value as u16;
            before = length as usize;
            if sum == SCALE {
                return Ok(Self(frequencies));
            }
        }
        Err(Error::corrupt(format!("ans table: expected a sum of {SCALE}, found {sum}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_every_kind_are_scaled_and_come_back() {
        let mut counts = [0u32; 256];
        let mut cases = Vec::new();
        counts[255] = 1;
        cases.push(counts);
        cases.push([1; 256]);
        cases.push([u32::MAX / 256; 256]);
        counts = [1; 256];
        counts[3] = 1 << 30;
        cases.push(counts);
        cases.push(std::array::from_fn(|at| 1_000_000 >> (at / 8)));
        for counts in cases {
            let frequencies = Frequencies::of(&counts);
            assert_eq!(frequencies.0.iter().map(|&frequency| u32::from(frequency)).sum::<u32>(), SCALE);
            assert!(counts.iter().zip(frequencies.0).all(|(&count, frequency)| (count > 0) == (frequency > 0)));
            let mut bytes = Vec::new();
            let mut out = BitEncoder::new(&mut bytes);
            frequencies.write(&mut out, &mut Default::default());
            out.finish();
            assert_eq!(Frequencies::read(&mut BitDecoder::new(&bytes), &mut Default::default()).unwrap(), frequencies);
        }
    }
}

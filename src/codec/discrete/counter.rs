//! Adaptive probabilities, and the two directions of a coded decision.

use crate::codec::bits::{BitDecoder, BitEncoder};

const PROBABILITY_BITS: u32 = 22;
const COUNT_BITS: u32 = 10;
const MOST_SEEN: usize = 127;

/// What a probability moves by after so many bits: 1 / (seen + 1.5), in 1/65536.
const SHARES: [u16; MOST_SEEN + 1] = {
    let mut shares = [0; MOST_SEEN + 1];
    let mut seen = 0;
    while seen <= MOST_SEEN {
        shares[seen] = ((1 << 17) / (2 * seen + 3)) as u16;
        seen += 1;
    }
    shares
};

/// A probability that learns fast at first and slowly later: in its upper bits that of a 1, in its
/// lower bits how often it has learned.
#[derive(Clone, Copy)]
pub(super) struct Counter(u32);

impl Default for Counter {
    fn default() -> Self {
        Self(1 << 31)
    }
}

impl Counter {
    /// In 1/65536.
    pub fn probability(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Bits learned, up to a limit.
    pub fn seen(self) -> usize {
        (self.0 & ((1 << COUNT_BITS) - 1)) as usize
    }

    #[inline(always)]
    pub fn learn(&mut self, bit: bool) {
        let seen = self.seen();
        let (probability, share) = (u64::from(self.0 >> COUNT_BITS), u64::from(SHARES[seen & MOST_SEEN]));
        let moved = if bit {
            probability + ((((1 << PROBABILITY_BITS) - 1 - probability) * share) >> 16)
        } else {
            probability - ((probability * share) >> 16)
        };
        self.0 = (moved as u32) << COUNT_BITS | (seen + 1).min(MOST_SEEN) as u32;
    }
}

/// A small counter, not of bits to be coded but of how often something held: 12 bits of probability,
/// 4 of count.
#[derive(Clone, Copy)]
pub(super) struct Reliability(u16);

impl Default for Reliability {
    fn default() -> Self {
        Self(1 << 15)
    }
}

impl Reliability {
    /// In 1/4096.
    pub fn probability(self) -> u32 {
        u32::from(self.0 >> 4)
    }

    /// One of 128 contexts: how often it was seen, and how often it held.
    pub fn context(self) -> usize {
        let seen = usize::from(self.0 & 15);
        seen.min(7) * 16 + usize::from(self.0 >> 12)
    }

    pub fn learn(&mut self, held: bool) {
        let (probability, seen) = (self.probability(), self.0 & 15);
        let share = u32::from(SHARES[usize::from(seen)]);
        let moved = if held {
            probability + (((4095 - probability) * share) >> 16)
        } else {
            probability - ((probability * share) >> 16)
        };
        self.0 = (moved as u16) << 4 | (seen + 1).min(15);
    }
}

/// Codes decisions. One text serves both directions, so they cannot come apart.
pub(super) trait Coder {
    /// Codes a bit and returns it. A decoder ignores what it is given.
    fn bit(&mut self, counter: &mut Counter, bit: bool) -> bool;

    /// Codes the low `count` bits of `value`, each as likely as not, and returns them.
    fn direct(&mut self, value: u32, count: u32) -> u32;

    /// Codes the low `count` bits of `value` from the highest, `counters` in a tree, and returns them.
    fn tree(&mut self, counters: &mut [Counter], value: usize, count: u32) -> usize {
        let mut node = 1;
        for at in (0..count).rev() {
            node = node << 1 | usize::from(self.bit(&mut counters[node], value >> at & 1 == 1));
        }
        node - (1 << count)
    }
}

impl Coder for BitEncoder<'_> {
    #[inline(always)]
    fn bit(&mut self, counter: &mut Counter, bit: bool) -> bool {
        self.coded(counter.probability(), bit);
        counter.learn(bit);
        bit
    }

    fn direct(&mut self, value: u32, count: u32) -> u32 {
        BitEncoder::direct(self, value, count);
        value
    }
}

impl Coder for BitDecoder<'_> {
    #[inline(always)]
    fn bit(&mut self, counter: &mut Counter, _: bool) -> bool {
        let bit = self.coded(counter.probability());
        counter.learn(bit);
        bit
    }

    fn direct(&mut self, _: u32, count: u32) -> u32 {
        BitDecoder::direct(self, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_learns_and_stays_in_range() {
        let mut counter = Counter::default();
        counter.learn(true);
        assert_eq!(counter.probability(), 54612);
        for _ in 0..100_000 {
            counter.learn(true);
        }
        assert!(counter.probability() > 65_500 && counter.seen() == MOST_SEEN);
        for _ in 0..100_000 {
            counter.learn(false);
        }
        assert!(counter.probability() < 10);
    }
}

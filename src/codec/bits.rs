//! An adaptive binary arithmetic coder for what is small and irregular, and for pictures of few values.
//!
//! The interval is halved as in lpaq (Matt Mahoney, 2007): 32-bit bounds without carries. A
//! probability moves by 1/16 of its distance to the bit seen.

const RATE: u32 = 4;

/// Probability that a bit is 1, in 1/65536.
#[derive(Clone, Copy)]
pub(in crate::codec) struct Probability(u16);

impl Default for Probability {
    fn default() -> Self {
        Self(1 << 15)
    }
}

impl Probability {
    /// The last value of the part of `low..=high` that stands for 1. Both parts have at least one
    /// value, because the interval has at least 2^24.
    fn split(self, low: u32, high: u32) -> u32 {
        low + ((high - low) >> 16) * u32::from(self.0)
    }

    fn update(&mut self, bit: bool) {
        if bit {
            self.0 += (u16::MAX - self.0) >> RATE;
        } else {
            self.0 -= self.0 >> RATE;
        }
    }
}

/// Probabilities of a 4-bit symbol, coded from its highest bit.
pub(in crate::codec) type Nibble = [Probability; 16];

pub(in crate::codec) struct BitEncoder<'a> {
    low: u32,
    high: u32,
    out: &'a mut Vec<u8>,
}

impl<'a> BitEncoder<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { low: 0, high: u32::MAX, out }
    }

    pub fn bit(&mut self, probability: &mut Probability, bit: bool) {
        self.narrow(probability.split(self.low, self.high), bit);
        probability.update(bit);
    }

    /// A bit that is 1 with `probability`, in 1/65536, which its caller adapts.
    pub fn coded(&mut self, probability: u16, bit: bool) {
        self.narrow(Probability(probability).split(self.low, self.high), bit);
    }

    /// The low `count` bits of `value`, each as likely as not.
    pub fn direct(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            self.narrow(Probability::default().split(self.low, self.high), value >> at & 1 == 1);
        }
    }

    pub fn nibble(&mut self, probabilities: &mut Nibble, value: u32) {
        let mut node = 1;
        for at in (0..4).rev() {
            let bit = value >> at & 1;
            self.bit(&mut probabilities[node], bit == 1);
            node = node << 1 | bit as usize;
        }
    }

    fn narrow(&mut self, split: u32, bit: bool) {
        if bit {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.out.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xFF;
        }
    }

    /// Ends the code. What follows it in the output is not read as part of it, but zeros.
    pub fn finish(self) {
        // The upper bytes differ, so this, followed by zeros, is above `low` and not above `high`.
        self.out.push((self.low >> 24) as u8 + 1);
    }
}

pub(in crate::codec) struct BitDecoder<'a> {
    low: u32,
    high: u32,
    code: u32,
    input: &'a [u8],
    past_end: u32,
}

impl<'a> BitDecoder<'a> {
    /// Zeros are taken to follow `input`: any input decodes to something.
    pub fn new(input: &'a [u8]) -> Self {
        let mut decoder = Self { low: 0, high: u32::MAX, code: 0, input, past_end: 0 };
        for _ in 0..4 {
            decoder.code = decoder.code << 8 | decoder.next();
        }
        decoder
    }

    pub fn bit(&mut self, probability: &mut Probability) -> bool {
        let bit = self.narrow(probability.split(self.low, self.high));
        probability.update(bit);
        bit
    }

    /// A bit that is 1 with `probability`, in 1/65536, which its caller adapts.
    pub fn coded(&mut self, probability: u16) -> bool {
        self.narrow(Probability(probability).split(self.low, self.high))
    }

    pub fn direct(&mut self, count: u32) -> u32 {
        (0..count)
            .fold(0, |value, _| value << 1 | u32::from(self.narrow(Probability::default().split(self.low, self.high))))
    }

    pub fn nibble(&mut self, probabilities: &mut Nibble) -> u32 {
        let mut node = 1;
        for _ in 0..4 {
            node = node << 1 | usize::from(self.bit(&mut probabilities[node]));
        }
        node as u32 & 15
    }

    /// Whether the code ends here: its encoder wrote the byte that [`BitEncoder::finish`] adds and no more.
    pub fn is_finished(&self) -> bool {
        self.input.is_empty() && self.past_end == 3
    }

    fn narrow(&mut self, split: u32) -> bool {
        let bit = self.code <= split;
        if bit {
            self.high = split;
        } else {
            self.low = split + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xFF;
            self.code = self.code << 8 | self.next();
        }
        bit
    }

    fn next(&mut self) -> u32 {
        match self.input.split_first() {
            Some((&byte, rest)) => {
                self.input = rest;
                u32::from(byte)
            }
            None => {
                self.past_end = self.past_end.saturating_add(1);
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let symbols: Vec<u32> = (0..5000u32).map(|at| if at % 7 == 0 { at * at % 16 } else { 3 }).collect();
        let mut out = Vec::new();
        let mut encoder = BitEncoder::new(&mut out);
        let mut probabilities = Nibble::default();
        for &symbol in &symbols {
            encoder.nibble(&mut probabilities, symbol);
            encoder.direct(symbol * 37, 9);
        }
        encoder.finish();
        assert!(out.len() < 5000 * (9 + 3) / 8);
        let mut decoder = BitDecoder::new(&out);
        let mut probabilities = Nibble::default();
        for &symbol in &symbols {
            assert_eq!(decoder.nibble(&mut probabilities), symbol);
            assert_eq!(decoder.direct(9), (symbol * 37) & 511);
        }
    }
}

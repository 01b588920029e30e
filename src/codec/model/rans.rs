//! The coder of decisions: rANS (J. Duda, "Asymmetric numeral systems", 2013) with two states in turn.
//!
//! Models change with every decision, so the encoder records decisions and codes them backwards, a chunk
//! at a time; the decoder reads them forwards and needs no division.

use super::lanes::Lanes;

/// Bits of a probability.
pub(super) const BITS: u32 = 15;
/// The sum of the frequencies of a decision.
pub(super) const TOTAL: u32 = 1 << BITS;
/// Lower bound of a state, and its value at the start of the encoder.
const LOW: u32 = 1 << 16;
/// Decisions of a chunk.
const CHUNK: usize = 1 << 16;

/// Something that codes or decodes decisions, so that a model is written once.
pub(super) trait Coder {
    /// Whether `choice` arguments are known (and not only asked for).
    const ENCODES: bool;

    /// Codes one of 16 symbols whose frequencies add up to `cumulative[i]`, the symbol's own included.
    fn symbol<L: Lanes>(&mut self, lanes: L, cumulative: L::Words, symbol: usize) -> usize;

    /// Codes a bit that is 1 with probability `one`, from 1 to `TOTAL` - 1.
    fn bit(&mut self, one: u32, bit: bool) -> bool;

    /// Whether a decoder is past its end, so that there is no use in going on.
    fn is_spent(&self) -> bool {
        false
    }

    /// Codes a number below 2^`bits`; at most 15 bits.
    fn plain(&mut self, bits: u32, value: u32) -> u32;
}

/// A 0, then cumulative frequencies.
#[derive(Default)]
struct Bounds([i16; 17]);

impl Bounds {
    /// Where `symbol` starts and ends.
    #[inline(always)]
    fn of<L: Lanes>(&mut self, lanes: L, cumulative: L::Words, symbol: usize) -> (u32, u32) {
        let (_, rest) = self.0.split_first_chunk_mut::<1>().expect("17");
        lanes.store(cumulative, rest.try_into().expect("16"));
        (u32::from(self.0[symbol] as u16), u32::from(self.0[symbol + 1] as u16))
    }
}

#[derive(Default)]
pub(super) struct Encoder {
    bounds: Bounds,
    /// First number and frequency of each decision of the chunk.
    decisions: Vec<(u16, u16)>,
    words: Vec<u16>,
    chunk_words: Vec<u16>,
}

impl Encoder {
    #[inline(always)]
    fn push(&mut self, start: u32, frequency: u32) {
        debug_assert!(frequency > 0 && start + frequency <= TOTAL);
        self.decisions.push((start as u16, frequency as u16));
        if self.decisions.len() == CHUNK {
            self.flush();
        }
    }

    #[cold]
    #[inline(never)]
    fn flush(&mut self) {
        let mut states = [LOW; 2];
        self.chunk_words.clear();
        for (index, &(start, frequency)) in self.decisions.iter().enumerate().rev() {
            let (start, frequency) = (u32::from(start), u32::from(frequency));
            let state = &mut states[index % 2];
            if u64::from(*state) >= u64::from(frequency) << 17 {
                self.chunk_words.push(*state as u16);
                *state >>= 16;
            }
            *state = ((*state / frequency) << BITS) + *state % frequency + start;
        }
        for state in states {
            self.chunk_words.extend([(state >> 16) as u16, state as u16]);
        }
        self.words.extend(self.chunk_words.iter().rev());
        self.decisions.clear();
    }

    /// Appends everything coded to `out`.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if !self.decisions.is_empty() {
            self.flush();
        }
        out.reserve(2 * self.words.len());
        for word in self.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
}

impl Coder for Encoder {
    const ENCODES: bool = true;

    #[inline(always)]
    fn symbol<L: Lanes>(&mut self, lanes: L, cumulative: L::Words, symbol: usize) -> usize {
        let (start, end) = self.bounds.of(lanes, cumulative, symbol);
        self.push(start, end - start);
        symbol
    }

    #[inline(always)]
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        if bit {
            self.push(0, one)
        } else {
            self.push(one, TOTAL - one)
        }
        bit
    }

    #[inline(always)]
    fn plain(&mut self, bits: u32, value: u32) -> u32 {
        self.push(value << (BITS - bits), TOTAL >> bits);
        value
    }
}

pub(super) struct Decoder<'a> {
    bounds: Bounds,
    bytes: &'a [u8],
    at: usize,
    /// The state of the next decision comes first.
    states: [u32; 2],
    left: usize,
    intact: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bounds: Bounds::default(), bytes, at: 0, states: [LOW; 2], left: 0, intact: true }
    }

    #[inline(always)]
    fn word(&mut self) -> u32 {
        let word = match self.bytes.get(self.at..self.at + 2) {
            Some(bytes) => u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
            None => 0,
        };
        self.at += 2;
        word
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        self.intact &= self.states == [LOW; 2];
        let mut states = [0; 2];
        for state in states.iter_mut().rev() {
            *state = self.word();
            *state |= self.word() << 16;
            self.intact &= *state >= LOW;
        }
        self.states = states;
        self.left = CHUNK;
    }

    #[inline(always)]
    fn peek(&mut self) -> u32 {
        if self.left == 0 {
            self.refill();
        }
        self.left -= 1;
        self.states[0] & (TOTAL - 1)
    }

    #[inline(always)]
    fn take(&mut self, start: u32, frequency: u32) {
        let state = self.states[0];
        let mut next = frequency.wrapping_mul(state >> BITS).wrapping_add((state & (TOTAL - 1)).wrapping_sub(start));
        if next < LOW {
            next = next << 16 | self.word();
        }
        self.states = [self.states[1], next];
    }

    /// Whether everything was as an encoder leaves it. Even numbers of decisions leave the states in order.
    pub(super) fn finish(self) -> bool {
        self.intact && self.states == [LOW; 2] && self.at == self.bytes.len()
    }
}

impl Coder for Decoder<'_> {
    const ENCODES: bool = false;

    fn is_spent(&self) -> bool {
        self.at > self.bytes.len()
    }

    #[inline(always)]
    fn symbol<L: Lanes>(&mut self, lanes: L, cumulative: L::Words, _: usize) -> usize {
        let number = self.peek() as u16;
        let symbol = lanes.count_up_to(cumulative, number);
        let (start, end) = self.bounds.of(lanes, cumulative, symbol);
        self.take(start, end.wrapping_sub(start));
        symbol
    }

    #[inline(always)]
    fn bit(&mut self, one: u32, _: bool) -> bool {
        let bit = self.peek() < one;
        if bit {
            self.take(0, one)
        } else {
            self.take(one, TOTAL - one)
        }
        bit
    }

    #[inline(always)]
    fn plain(&mut self, bits: u32, _: u32) -> u32 {
        let value = self.peek() >> (BITS - bits);
        self.take(value << (BITS - bits), TOTAL >> bits);
        value
    }
}

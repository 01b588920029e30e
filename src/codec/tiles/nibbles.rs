//! Adaptive models of 4-bit symbols over two interleaved rANS coders.
//!
//! The model is a table of cumulative frequencies that moves towards the symbol seen, all 16 entries
//! at once (Fabian Giesen, "Mixing discrete probability distributions", 2015; after Charles Bloom and
//! Ryan Geiss' LZNA). Frequencies stay above 0 by construction. rANS codes backwards, so the encoder
//! keeps what the models said until all symbols are known.

use crate::error::{Error, Result};

const SCALE_BITS: u32 = 14;
const SCALE: u16 = 1 << SCALE_BITS;
/// The part of the distance to the symbol seen that a model moves, as a shift.
const RATE: u32 = 5;
/// States are at least this; they take 16 bits at a time.
const LOW: u32 = 1 << 16;
/// Coders side by side, taking turns.
const LANES: usize = 2;

/// Start of each symbol's interval out of [`SCALE`].
#[derive(Clone, Copy)]
pub(super) struct Model([u16; 16]);

impl Default for Model {
    fn default() -> Self {
        Self(std::array::from_fn(|symbol| symbol as u16 * (SCALE / 16)))
    }
}

impl Model {
    #[inline(always)]
    fn interval(&self, symbol: usize) -> (u32, u32) {
        let start = self.0[symbol % 16];
        // The first start is 0: the last interval ends where it would be the next time round.
        let end = self.0[(symbol + 1) % 16] + (symbol as u16 + 1) / 16 * SCALE;
        (start.into(), (end - start).into())
    }

    /// Of signs, because comparisons become single bits on some machines, which take longer to count.
    #[inline(always)]
    fn symbol_at(&self, slot: u16) -> usize {
        // The first start is 0, so at most 15 are above.
        let above = self.0.iter().fold(0i16, |above, &start| above + sign(slot as i16 - start as i16));
        (15 + above) as usize
    }

    /// Moves each start towards where it would be if `symbol` were almost certain: both the starts and
    /// their targets are at least 1 apart, and so is what lies between them, rounded down.
    #[inline(always)]
    fn update(&mut self, symbol: usize) {
        for (at, start) in (0i16..).zip(self.0.iter_mut()) {
            let target = at + (sign(symbol as i16 - at) & (SCALE as i16 - 16));
            let now = *start as i16;
            *start = (now + ((target - now) >> RATE)) as u16;
        }
    }
}

/// -1 for what is below 0, or else 0.
#[inline(always)]
fn sign(difference: i16) -> i16 {
    difference >> 15
}

/// One side of the coder, so that encoder and decoder walk the same way.
pub(super) trait Nibbles {
    /// Codes `symbol`, or decodes and returns one whatever `symbol` says.
    fn code(&mut self, model: &mut Model, symbol: u8) -> u8;
}

/// Collects symbols.
#[derive(Default)]
pub(super) struct NibbleEncoder {
    intervals: Vec<(u16, u16)>,
}

impl Nibbles for NibbleEncoder {
    #[inline(always)]
    fn code(&mut self, model: &mut Model, symbol: u8) -> u8 {
        let (start, frequency) = model.interval(symbol.into());
        self.intervals.push((start as u16, frequency as u16));
        model.update(symbol.into());
        symbol
    }
}

impl NibbleEncoder {
    /// Appends the code and forgets the symbols.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let mut states = [LOW; LANES];
        let mut words: Vec<u16> = Vec::with_capacity(self.intervals.len() / 2 + 4);
        for (at, &(start, frequency)) in self.intervals.iter().enumerate().rev() {
            let state = &mut states[at % LANES];
            let frequency = u32::from(frequency);
            if u64::from(*state) >= u64::from(frequency) << (32 - SCALE_BITS) {
                words.push(*state as u16);
                *state >>= 16;
            }
            *state = ((*state / frequency) << SCALE_BITS) + *state % frequency + u32::from(start);
        }
        states.iter().for_each(|state| out.extend(state.to_le_bytes()));
        out.extend(words.iter().rev().flat_map(|word| word.to_le_bytes()));
        self.intervals.clear();
    }
}

/// Reads symbols. Anything decodes to something; [`NibbleDecoder::finish`] tells whether it was a
/// code.
pub(super) struct NibbleDecoder<'a> {
    states: [u32; LANES],
    next: usize,
    words: &'a [[u8; 2]],
    short: bool,
}

impl<'a> NibbleDecoder<'a> {
    pub fn new(code: &'a [u8]) -> Result<Self> {
        let (states, words) = code.split_first_chunk::<{ 4 * LANES }>().ok_or_else(damaged)?;
        let states = std::array::from_fn(|lane| {
            let at = 4 * lane;
            u32::from_le_bytes([states[at], states[at + 1], states[at + 2], states[at + 3]])
        });
        let (words, rest) = words.as_chunks();
        if !rest.is_empty() || states.iter().any(|&state| state < LOW) {
            return Err(damaged());
        }
        Ok(Self { states, next: 0, words, short: false })
    }

    /// Checks that all of the code was used and led back to its start.
    pub fn finish(self) -> Result<()> {
        let whole = !self.short && self.words.is_empty() && self.states == [LOW; LANES];
        if whole { Ok(()) } else { Err(damaged()) }
    }
}

impl Nibbles for NibbleDecoder<'_> {
    #[inline(always)]
    fn code(&mut self, model: &mut Model, _symbol: u8) -> u8 {
        let state = &mut self.states[self.next];
        self.next = (self.next + 1) % LANES;
        let slot = *state as u16 % SCALE;
        let symbol = model.symbol_at(slot);
        let (start, frequency) = model.interval(symbol);
        *state = frequency * (*state >> SCALE_BITS) + u32::from(slot) - start;
        if *state < LOW {
            let (word, rest) = self.words.split_first().unwrap_or_else(|| {
                self.short = true;
                (&[0; 2], &[])
            });
            *state = *state << 16 | u32::from(u16::from_le_bytes(*word));
            self.words = rest;
        }
        model.update(symbol);
        symbol as u8
    }
}

fn damaged() -> Error {
    Error::corrupt("tiles: predictors and classes do not lead back to their start")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> Vec<u8> {
        let mut state = 5u32;
        let symbol = |at: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if at % 1000 < 700 { (state >> 31) as u8 * 15 } else { (state >> 28) as u8 }
        };
        (0..20_000).map(symbol).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let symbols = symbols();
        let (mut encoder, mut models) = (NibbleEncoder::default(), [Model::default(); 3]);
        let mut out = Vec::new();
        for (at, &symbol) in symbols.iter().enumerate() {
            encoder.code(&mut models[at / 500 % 3], symbol);
        }
        encoder.finish(&mut out);
        assert!(out.len() < symbols.len() / 2);
        let (mut decoder, mut models) = (NibbleDecoder::new(&out).unwrap(), [Model::default(); 3]);
        for (at, &symbol) in symbols.iter().enumerate() {
            assert_eq!(decoder.code(&mut models[at / 500 % 3], 0), symbol);
        }
        decoder.finish().unwrap();
    }

    #[test]
    fn frequencies_stay_above_zero() {
        let mut model = Model::default();
        for at in 0..5000 {
            model.update(if at < 2000 { 3 } else { at % 16 * at % 16 });
            for symbol in 0..16 {
                assert!(model.interval(symbol).1 > 0);
            }
        }
    }

    #[test]
    fn damage_is_noticed_or_harmless() {
        let symbols = &symbols()[..300];
        let (mut encoder, mut model, mut out) = (NibbleEncoder::default(), Model::default(), Vec::new());
        symbols.iter().for_each(|&symbol| {
            encoder.code(&mut model, symbol);
        });
        encoder.finish(&mut out);
        let decode = |code: &[u8]| -> Result<Vec<u8>> {
            let (mut decoder, mut model) = (NibbleDecoder::new(code)?, Model::default());
            let decoded = symbols.iter().map(|_| decoder.code(&mut model, 0)).collect();
            decoder.finish().map(|()| decoded)
        };
        assert_eq!(decode(&out).unwrap(), symbols);
        for length in 0..out.len() {
            assert!(decode(&out[..length]).is_err());
        }
        for bit in 0..8 * out.len() {
            let mut damaged = out.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err() || decode(&damaged).is_ok_and(|decoded| decoded != symbols));
        }
    }
}

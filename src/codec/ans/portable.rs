//! The lanes in plain Rust, for every machine.

use std::ops::Range;

use super::lanes::{EncodeTable, LANES, LOW_BITS, States, Stream};
use super::table::{SCALE, SCALE_BITS};

/// Writes words from the end of `words` down, and returns where they begin.
pub(super) fn encode<const N: usize>(
    groups: &[(&EncodeTable, &[u8; N])],
    states: &mut States,
    words: &mut [u16],
) -> usize {
    let mut at = words.len();
    for (table, group) in groups.iter().rev() {
        for symbols in group.as_chunks::<LANES>().0.iter().rev() {
            for (state, &symbol) in states.iter_mut().zip(symbols).rev() {
                let entry = table.entries[usize::from(symbol)];
                let (frequency, start) = (entry & 0xFFFF, entry >> 16);
                if *state >= frequency << (31 - SCALE_BITS) {
                    at -= 1;
                    words[at] = *state as u16;
                    *state >>= 16;
                }
                *state = ((*state / frequency) << SCALE_BITS) + *state % frequency + start;
            }
        }
    }
    at
}

/// Decodes some of the groups of a stream; `None` as soon as there are too few words.
pub(super) fn decode<const N: usize>(stream: &mut Stream<'_, '_, N>, groups: Range<usize>) -> Option<()> {
    let Stream { groups: all, states, words, taken } = stream;
    for (table, group) in &mut all[groups] {
        for symbols in group.as_chunks_mut::<LANES>().0 {
            let mut ahead = words.get(*taken..)?.first_chunk::<LANES>()?.iter();
            for (state, symbol) in states.iter_mut().zip(symbols) {
                let entry = table.0[(*state % SCALE) as usize];
                *symbol = entry as u8;
                *state = ((entry >> 8 & 0xFFF) + 1) * (*state >> SCALE_BITS) + (entry >> 20);
                if *state < 1 << LOW_BITS
                    && let Some(&word) = ahead.next()
                {
                    *state = *state << 16 | u32::from(word);
                    *taken += 1;
                }
            }
        }
    }
    Some(())
}

//! The lanes in plain Rust, for every machine.

use super::lanes::{DecodeTable, EncodeTable, LANES, LOW_BITS, States};
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
                let entry = table.0[usize::from(symbol)];
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

/// Reads words from the start of `words`, whose last [`LANES`] are not part of the code.
pub(super) fn decode<const N: usize>(
    groups: &mut [(&DecodeTable, &mut [u8; N])],
    states: &mut States,
    words: &[u16],
) -> Option<usize> {
    let mut at = 0;
    for (table, group) in groups {
        for symbols in group.as_chunks_mut::<LANES>().0 {
            let ahead: &[u16; LANES] = words.get(at..)?.first_chunk()?;
            let mut taken = 0;
            for (state, symbol) in states.iter_mut().zip(symbols) {
                let entry = table.0[(*state % SCALE) as usize];
                *symbol = entry as u8;
                *state = ((entry >> 8 & 0xFFF) + 1) * (*state >> SCALE_BITS) + (entry >> 20);
                if *state < 1 << LOW_BITS {
                    *state = *state << 16 | u32::from(ahead[taken]);
                    taken += 1;
                }
            }
            at += taken;
        }
    }
    Some(at)
}

//! Memory that is needed soon, fetched into the cache while something else is worked out. A thread that reads or writes what is
//! not there waits for it, line by line, with few lines on their way at a time.

use super::simd;

/// Bytes of a line of the cache.
const LINE: usize = 64;
/// Most pieces of memory: those of the regions of a frame.
const MOST_PIECES: usize = 4;

/// Fetches all lines of some memory.
#[inline(always)]
pub fn fetch(memory: &[u8]) {
    memory.chunks(LINE).for_each(simd::prefetch);
}

/// Pieces of memory, of which each [step](Self::step) fetches some more. Which ones they are, and how many, is never wrong.
#[derive(Default)]
pub struct Ahead<'m> {
    pieces: [&'m [u8]; MOST_PIECES],
    step: usize,
}

impl<'m> Ahead<'m> {
    /// All of them in so many steps.
    pub fn in_steps(memory: impl IntoIterator<Item = &'m [u8]>, steps: usize) -> Self {
        let mut pieces: [&[u8]; MOST_PIECES] = Default::default();
        pieces.iter_mut().zip(memory).for_each(|(piece, memory)| *piece = memory);
        let lines: usize = pieces.iter().map(|piece| piece.len().div_ceil(LINE)).sum();
        Self { pieces, step: lines.div_ceil(steps.max(1)) * LINE }
    }

    /// Fetches the next lines.
    #[inline(always)]
    pub fn step(&mut self) {
        let Some(piece) = self.pieces.iter_mut().find(|piece| !piece.is_empty()) else { return };
        let (next, rest) = piece.split_at(self.step.min(piece.len()));
        fetch(next);
        *piece = rest;
    }
}

//! Room to make a block in: what it is made from is brought together first, row after row, so that one loop goes through
//! all of it, whatever the width of the block.

use super::filter::{AFTER, BEFORE, SIDE};

/// Samples that are copied at once.
const PIECE: usize = 8;
/// Most samples of a row.
const MOST_COLUMNS: usize = (SIDE + BEFORE + AFTER).next_multiple_of(PIECE);
/// Samples that loops take at a time. As their number is known, nothing is left that would be taken one by one; of fewer,
/// compilers would not make a loop.
pub(super) const STEP: usize = 64;
/// Most samples, with a row more than there are, because filters look beyond the end of the last one.
const MOST: usize = (MOST_COLUMNS * (BEFORE + SIDE + AFTER + 1)).next_multiple_of(STEP) + STEP;

/// Where the steps begin in which so many samples are made. More is made than is wanted.
pub(super) fn steps(samples: usize) -> impl Iterator<Item = usize> {
    (0..samples).step_by(STEP)
}

/// A window of a frame, and what becomes of it. Rows have the same stride in all of them.
pub(super) struct Room {
    /// Samples from one row to the next.
    pub stride: usize,
    /// Samples that the block is made from.
    pub window: [u8; MOST],
    /// Sums of samples across.
    pub sums: [i16; MOST],
    /// The block.
    pub block: [u8; MOST],
    /// Another one, where the block is the mean of two.
    pub other: [u8; MOST],
}

impl Room {
    pub fn new() -> Self {
        Self { stride: PIECE, window: [0; MOST], sums: [0; MOST], block: [0; MOST], other: [0; MOST] }
    }

    /// How many samples of a row are taken where so many are needed.
    #[inline(always)]
    pub fn taken(columns: usize) -> usize {
        columns.next_multiple_of(PIECE)
    }

    /// Takes a window of [so many](Self::taken) columns and of some rows, `stride` samples from one to the next.
    #[inline(always)]
    pub fn take(&mut self, columns: usize, rows: usize, samples: &[u8], stride: usize) {
        self.stride = columns;
        match columns {
            // Lengths that are known are copied at once.
            8 => take_rows::<8>(&mut self.window, rows, samples, stride),
            16 => take_rows::<16>(&mut self.window, rows, samples, stride),
            _ => take_rows::<MOST_COLUMNS>(&mut self.window, rows, samples, stride),
        }
    }

    /// Makes a window one of so many columns and rows, and one more of each, all around which it is mirrored.
    #[inline(always)]
    pub fn mirror(&mut self, (columns, rows): (usize, usize)) {
        let stride = self.stride;
        for row in self.window.chunks_exact_mut(stride).skip(BEFORE).take(rows + 1) {
            let (last, row) = (BEFORE + columns, &mut row[..BEFORE + columns + AFTER]);
            for away in 0..BEFORE {
                row[BEFORE - 1 - away] = row[BEFORE + away];
                row[last + 1 + away] = row[last - away];
            }
        }
        let last = BEFORE + rows;
        for away in 0..BEFORE {
            for (from, to) in [(BEFORE + away, BEFORE - 1 - away), (last - away, last + 1 + away)] {
                self.window.copy_within(from * stride..(from + 1) * stride, to * stride);
            }
        }
    }

    /// The window to be filled with so many rows of [so many](Self::taken) columns otherwise.
    #[inline(always)]
    pub fn rows(&mut self, columns: usize, rows: usize) -> impl Iterator<Item = &mut [u8]> {
        self.stride = columns;
        self.window.chunks_exact_mut(columns).take(rows)
    }
}

#[inline(always)]
fn take_rows<const COLUMNS: usize>(window: &mut [u8], rows: usize, samples: &[u8], stride: usize) {
    for (y, to) in window.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate().take(rows) {
        to.copy_from_slice(&samples[y * stride..][..COLUMNS]);
    }
}

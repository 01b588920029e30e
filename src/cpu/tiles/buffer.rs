//! The samples of a coded plane, with room around them.

use crate::frame::{CodedPlane, TILE};

/// Zeros left of each row, which are those right of the row before.
const MARGIN: usize = 64;

/// Samples of one frame of a coded plane, tiles filled up. Above and beside them are zeros, as far as
/// predictors reach and kernels that work on several tiles at once read.
#[derive(Debug, Clone, Default)]
pub(super) struct PlaneBuffer {
    pub stride: usize,
    pub samples: Vec<u8>,
}

impl PlaneBuffer {
    pub fn new(plane: &CodedPlane) -> Self {
        let stride = (plane.columns() * TILE).next_multiple_of(64) + MARGIN;
        Self { stride, samples: vec![0; stride * (plane.rows() * TILE + 2)] }
    }

    /// Back to zeros.
    pub fn clear(&mut self) {
        self.samples.fill(0);
    }

    /// Index of a sample.
    pub fn at(&self, x: usize, y: usize) -> usize {
        (y + 1) * self.stride + MARGIN + x
    }

    /// The first `width` samples of a row.
    pub fn row(&self, y: usize, width: usize) -> &[u8] {
        let at = self.at(0, y);
        &self.samples[at..at + width]
    }

    /// The same, to be written.
    pub fn row_mut(&mut self, y: usize, width: usize) -> &mut [u8] {
        let at = self.at(0, y);
        &mut self.samples[at..at + width]
    }

    /// Has all rows written from the first sample on, with the stride.
    pub fn put_rows(&mut self, put: impl FnOnce(&mut [u8], usize)) {
        let at = self.at(0, 0);
        put(&mut self.samples[at..], self.stride);
    }

    /// Fills tiles up: the last sample of each row is repeated, then the last row.
    pub fn fill_up(&mut self, plane: &CodedPlane) {
        let (width, height) = (plane.columns() * TILE, plane.rows() * TILE);
        if plane.width < width {
            for y in 0..plane.height {
                let row = self.row_mut(y, width);
                let last = row[plane.width - 1];
                row[plane.width..].fill(last);
            }
        }
        for y in plane.height..height {
            let (above, to) = (self.at(0, y - 1), self.at(0, y));
            self.samples.copy_within(above..above + width, to);
        }
    }
}

//! Planes with a margin, so that what is beyond their edges is there.

use crate::cpu::CpuBackend;

/// A plane whose outermost samples go on for some samples beyond its edges.
pub(super) struct Picture<'a> {
    /// Samples to the left of the plane and above it.
    pub margin: usize,
    /// Samples of a row, with the margins.
    pub stride: usize,
    /// All of them.
    pub samples: Vec<u8>,
    /// Whose memory it is.
    cpu: &'a CpuBackend,
}

impl<'a> Picture<'a> {
    /// Of so many samples a row.
    pub fn new(plane: &[u8], width: usize, margin: usize, cpu: &'a CpuBackend) -> Self {
        let height = plane.len() / width;
        let stride = width + 2 * margin;
        let mut picture = Self::unfilled(margin, stride, height + 2 * margin, cpu);
        for (y, out) in picture.samples.chunks_exact_mut(stride).enumerate() {
            let row = &plane[y.saturating_sub(margin).min(height - 1) * width..][..width];
            let (left, rest) = out.split_at_mut(margin);
            let (own, right) = rest.split_at_mut(width);
            left.fill(row[0]);
            own.copy_from_slice(row);
            right.fill(row[width - 1]);
        }
        picture
    }

    /// Of so many samples a row and so many rows, the margins included; what they are is unspecified.
    pub fn unfilled(margin: usize, stride: usize, rows: usize, cpu: &'a CpuBackend) -> Self {
        Self { margin, stride, samples: cpu.take_plane(stride * rows), cpu }
    }

    /// The index of a sample by its column and row in the plane.
    #[inline(always)]
    pub fn index(&self, x: i32, y: i32) -> usize {
        (y + self.margin as i32) as usize * self.stride + (x + self.margin as i32) as usize
    }

    /// Rows, the margins included.
    pub fn rows(&self) -> usize {
        self.samples.len() / self.stride
    }
}

impl Drop for Picture<'_> {
    fn drop(&mut self) {
        self.cpu.give_back_plane(std::mem::take(&mut self.samples));
    }
}

//! Planes with a margin, so that what is beyond their edges is there.

/// A plane whose outermost samples go on for some samples beyond its edges.
pub(super) struct Picture {
    /// Samples to the left of the plane and above it.
    pub margin: usize,
    /// Samples of a row, with the margins.
    pub stride: usize,
    /// All of them.
    pub samples: Vec<u8>,
}

impl Picture {
    /// Of so many samples a row.
    pub fn new(plane: &[u8], width: usize, margin: usize) -> Self {
        let height = plane.len() / width;
        let stride = width + 2 * margin;
        let mut samples = Vec::with_capacity(stride * (height + 2 * margin));
        for y in 0..height + 2 * margin {
            let y = y.saturating_sub(margin).min(height - 1);
            let row = &plane[y * width..][..width];
            samples.extend(std::iter::repeat_n(row[0], margin));
            samples.extend_from_slice(row);
            samples.extend(std::iter::repeat_n(row[width - 1], margin));
        }
        Self { margin, stride, samples }
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

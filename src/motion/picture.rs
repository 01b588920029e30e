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

    /// Rows, the margins included.
    pub fn rows(&self) -> usize {
        self.samples.len() / self.stride
    }
}

/// Samples of `plane` from `left` and `top` on, `size` wide and high; those beyond its edges are the outermost ones.
#[inline(always)]
pub(super) fn window(
    (plane, width): (&[u8], usize),
    (left, top): (i32, i32),
    (columns, rows): (usize, usize),
    out: &mut [u8],
    stride: usize,
) {
    let height = plane.len() / width;
    let inside = left >= 0 && left as usize + columns <= width;
    for (y, out) in out.chunks_mut(stride).take(rows).enumerate() {
        let y = (top + y as i32).clamp(0, height as i32 - 1) as usize;
        let row = &plane[y * width..][..width];
        if inside {
            out[..columns].copy_from_slice(&row[left as usize..][..columns]);
        } else {
            for (x, out) in out[..columns].iter_mut().enumerate() {
                *out = row[(left + x as i32).clamp(0, width as i32 - 1) as usize];
            }
        }
    }
}

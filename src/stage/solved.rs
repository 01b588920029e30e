//! What recovery hands from estimating planes to repairing them.

use crate::frame::{Geometry, WorkBuffer};

/// The planes that a batch seems to be made from, and where it is not.
#[derive(Debug, Default, Clone)]
pub struct SolvedPlanes {
    plane_bytes: usize,
    /// The planes of all frames, then the misfits: how a GPU holds them.
    buffer: WorkBuffer,
}

impl SolvedPlanes {
    /// Nothing yet, in memory that had something else.
    pub(crate) fn within(buffer: WorkBuffer) -> Self {
        Self { plane_bytes: 0, buffer }
    }

    /// Makes room for planes of this geometry ([`Making::planes`](crate::plan::Making::planes)). The content is
    /// unspecified.
    pub fn resize_for_overwrite(&mut self, planes: &Geometry) {
        self.plane_bytes = planes.raw_bytes();
        self.buffer.resize_for_overwrite(Self::bytes_of(planes));
    }

    /// Zeros for planes of this geometry.
    #[cfg(any(test, feature = "gpu"))]
    pub(crate) fn zeroed(planes: &Geometry) -> Self {
        Self { plane_bytes: planes.raw_bytes(), buffer: WorkBuffer::zeroed(Self::bytes_of(planes)) }
    }

    /// Length of the buffer for planes of this geometry: a block of pixels that share chroma has a sample of U and a
    /// byte of misfits.
    pub(crate) fn bytes_of(planes: &Geometry) -> usize {
        planes.raw_bytes() + planes.plane_samples(1)
    }

    /// Planes and misfits as one, to be written.
    pub(crate) fn as_bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.as_bytes_mut()
    }

    /// The planes, frame by frame.
    pub fn planes(&self) -> &[u8] {
        &self.buffer.as_bytes()[..self.plane_bytes]
    }

    /// For each block, frame by frame, a bit for each pixel that the conversion makes otherwise of the planes.
    pub fn misfits(&self) -> &[u8] {
        &self.buffer.as_bytes()[self.plane_bytes..]
    }

    /// Planes and misfits, to be written.
    pub fn parts_mut(&mut self) -> (&mut [u8], &mut [u8]) {
        self.buffer.as_bytes_mut().split_at_mut(self.plane_bytes)
    }

    /// The planes alone.
    pub fn into_planes(mut self) -> WorkBuffer {
        self.buffer.truncate(self.plane_bytes);
        self.buffer
    }
}

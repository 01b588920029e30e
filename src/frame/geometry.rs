//! Planes of samples within a batch.

use super::{ChromaOrder, FrameFormat, Layout};
use crate::error::{Error, Result};

/// Where one plane is found in a raw frame, and where in a work buffer.
///
/// Sample `i` of the plane (row by row) is sample `offset + i * step` of the raw frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaneGeometry {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// First sample within the raw frame.
    pub offset: usize,
    /// Distance of neighbouring samples within the raw frame, in samples.
    pub step: usize,
    /// First byte of the plane within a [`WorkBuffer`](super::WorkBuffer), a multiple of 64. All frames of the plane
    /// follow one another there.
    pub base: usize,
}

impl PlaneGeometry {
    /// Samples of the plane in one frame.
    pub fn frame_samples(&self) -> usize {
        self.width * self.height
    }
}

/// The planes of a batch.
///
/// Frames of two or more axes keep their frames. Scalars fold into one long row and 1-D frames into
/// one picture whose rows are the frames, so that prediction sees their neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of one sample: 1, 2, 4 or 8.
    pub sample_bytes: usize,
    /// Frames after folding.
    pub frames: usize,
    /// Samples of one raw frame after folding.
    pub frame_samples: usize,
    /// Whether samples are signed integers.
    pub signed: bool,
    /// Whether planes 0 to 2 are colour channels that a colour transform may relate.
    pub colour: bool,
    /// The planes, in the order in which they are coded.
    pub planes: Vec<PlaneGeometry>,
}

/// Samples of a batch at most.
const MOST_SAMPLES: u64 = 1 << 32;

/// Alignment of a plane within a work buffer, in bytes.
const PLANE_ALIGNMENT: usize = 64;

impl Geometry {
    /// The geometry of `frames` frames of `format`.
    pub fn new(format: &FrameFormat, frames: usize) -> Self {
        let total = frames * format.frame_samples();
        let (folded_frames, planes) = match format.layout() {
            Layout::Array { shape } => match shape.as_slice() {
                [] => (frames.min(1), vec![plane(frames, 1, 0, 1)]),
                [width] => (frames.min(1), vec![plane(*width, frames, 0, 1)]),
                [rows @ .., width, channels @ 2..=4] if !rows.is_empty() => {
                    let height = rows.iter().product();
                    (frames, interleaved(*width, height, 0, *channels))
                }
                [rows @ .., width] => (frames, vec![plane(*width, rows.iter().product(), 0, 1)]),
            },
            Layout::Gray { width, height } => (frames, vec![plane(*width, *height, 0, 1)]),
            Layout::Packed { width, height, order } => (frames, interleaved(*width, *height, 0, order.channels())),
            Layout::Yuv { width, height, sampling, chroma } => {
                let (chroma_width, chroma_height) = sampling.chroma_size(*width, *height);
                let luma_samples = width * height;
                let mut planes = vec![plane(*width, *height, 0, 1)];
                match chroma {
                    ChromaOrder::Planar => {
                        let v = luma_samples + chroma_width * chroma_height;
                        planes.push(plane(chroma_width, chroma_height, luma_samples, 1));
                        planes.push(plane(chroma_width, chroma_height, v, 1));
                    }
                    ChromaOrder::UvInterleaved | ChromaOrder::VuInterleaved => {
                        planes.extend(interleaved(chroma_width, chroma_height, luma_samples, 2));
                    }
                }
                (frames, planes)
            }
        };
        let dtype = format.dtype();
        let colour = dtype.is_integer() && matches!(format.layout(), Layout::Packed { .. });
        let frame_samples = total.checked_div(folded_frames).unwrap_or(0);
        Self {
            sample_bytes: dtype.bytes(),
            frames: folded_frames,
            frame_samples,
            signed: dtype.is_signed_integer(),
            colour,
            planes: Vec::new(),
        }
        .with_planes(planes)
    }

    /// The same batch with other planes: their bases are laid out anew.
    pub(crate) fn with_planes(mut self, mut planes: Vec<PlaneGeometry>) -> Self {
        let mut base = 0;
        for plane in &mut planes {
            plane.base = base;
            base += (plane.frame_samples() * self.frames * self.sample_bytes).next_multiple_of(PLANE_ALIGNMENT);
        }
        self.planes = planes;
        self
    }

    /// Samples of one plane over all frames.
    pub fn plane_samples(&self, plane: usize) -> usize {
        self.planes[plane].frame_samples() * self.frames
    }

    /// Bytes of one plane over all frames.
    pub fn plane_bytes(&self, plane: usize) -> usize {
        self.plane_samples(plane) * self.sample_bytes
    }

    /// Where a plane lies in a work buffer.
    pub fn plane_range(&self, plane: usize) -> std::ops::Range<usize> {
        let base = self.planes[plane].base;
        base..base + self.plane_bytes(plane)
    }

    /// Length of a work buffer that holds all planes.
    pub fn work_bytes(&self) -> usize {
        let planes = 0..self.planes.len();
        planes.map(|plane| self.plane_range(plane).end.next_multiple_of(PLANE_ALIGNMENT)).max().unwrap_or(0)
    }

    /// Refuses a batch to compress that has more samples than its blocks and exceptions can be counted with.
    pub(crate) fn check_samples(&self) -> Result<()> {
        let samples = self.frames.saturating_mul(self.frame_samples) as u64;
        if samples > MOST_SAMPLES {
            return Err(Error::limit(format!(
                "batch: expected at most 2^32 samples, found {samples}; compress fewer frames at a time (--batch), or \
                 smaller ones"
            )));
        }
        Ok(())
    }

    /// Bytes of the raw batch.
    pub fn raw_bytes(&self) -> usize {
        self.frames * self.frame_samples * self.sample_bytes
    }
}

fn plane(width: usize, height: usize, offset: usize, step: usize) -> PlaneGeometry {
    PlaneGeometry { width, height, offset, step, base: 0 }
}

fn interleaved(width: usize, height: usize, offset: usize, channels: usize) -> Vec<PlaneGeometry> {
    (0..channels).map(|channel| plane(width, height, offset + channel, channels)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChromaSampling, Dtype};

    fn sizes(dtype: Dtype, layout: Layout, frames: usize) -> (usize, Vec<(usize, usize)>) {
        let format = FrameFormat::new(dtype, layout).unwrap();
        let geometry = Geometry::new(&format, frames);
        let covered: usize = (0..geometry.planes.len()).map(|plane| geometry.plane_bytes(plane)).sum();
        assert_eq!(covered, frames * format.frame_bytes(), "planes cover the batch");
        assert_eq!(geometry.raw_bytes(), frames * format.frame_bytes());
        (geometry.frames, geometry.planes.iter().map(|plane| (plane.width, plane.height)).collect())
    }

    #[test]
    fn layouts_become_planes() {
        let array = |shape: &[usize]| Layout::Array { shape: shape.to_vec() };
        assert_eq!(sizes(Dtype::I64, array(&[]), 7), (1, vec![(7, 1)]));
        assert_eq!(sizes(Dtype::I64, array(&[5]), 7), (1, vec![(5, 7)]));
        assert_eq!(sizes(Dtype::F32, array(&[4, 6, 2]), 3), (3, vec![(6, 4); 2]));
        assert_eq!(sizes(Dtype::F32, array(&[16, 6, 8]), 3), (3, vec![(8, 96)]));
        let yuv =
            Layout::Yuv { width: 5, height: 3, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::UvInterleaved };
        assert_eq!(sizes(Dtype::U8, yuv, 2), (2, vec![(5, 3), (3, 2), (3, 2)]));
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn too_many_samples_are_refused() {
        let layout = Layout::Gray { width: 1 << 16, height: 1 << 15 };
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        Geometry::new(&format, 2).check_samples().unwrap();
        let error = Geometry::new(&format, 3).check_samples().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        let message = error.to_string();
        assert!(message.contains("2^32") && message.contains("6442450944") && message.contains("--batch"), "{message}");
    }

    #[test]
    fn nothing_is_still_a_geometry() {
        assert_eq!(sizes(Dtype::U8, Layout::Array { shape: vec![0, 3] }, 4), (4, vec![(3, 0)]));
        assert_eq!(sizes(Dtype::U8, Layout::Array { shape: vec![] }, 0), (0, vec![(0, 1)]));
        assert_eq!(sizes(Dtype::U8, Layout::Gray { width: 3, height: 2 }, 0), (0, vec![(3, 2)]));
    }
}

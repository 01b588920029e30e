//! Where frames lie in a buffer that is not only theirs.

use super::{ChromaOrder, FrameFormat, Layout, Pitch, PitchedFrames, Stretch};
use crate::error::{Error, Result};

/// Most stretches of a frame: luma, U and V.
pub const MOST_STRETCHES: usize = 3;

/// The stretches of a frame of `format`: one, or one for each plane in memory of YUV. Arrays are one row.
pub fn stretches(format: &FrameFormat) -> Vec<Stretch> {
    let sample_bytes = format.dtype().bytes();
    let mut start = 0;
    let mut stretch = |samples: usize, rows: usize| {
        let stretch = Stretch { start, row_bytes: samples * sample_bytes, rows };
        start += stretch.row_bytes * rows;
        stretch
    };
    match format.layout() {
        Layout::Array { .. } => vec![stretch(format.frame_samples(), 1)],
        Layout::Gray { width, height } => vec![stretch(*width, *height)],
        Layout::Packed { width, height, order } => vec![stretch(width * order.channels(), *height)],
        Layout::Yuv { width, height, sampling, chroma } => {
            let (chroma_width, chroma_height) = sampling.chroma_size(*width, *height);
            let luma = stretch(*width, *height);
            match chroma {
                ChromaOrder::Planar => {
                    vec![luma, stretch(chroma_width, chroma_height), stretch(chroma_width, chroma_height)]
                }
                ChromaOrder::UvInterleaved | ChromaOrder::VuInterleaved => {
                    vec![luma, stretch(2 * chroma_width, chroma_height)]
                }
            }
        }
    }
}

/// Where frames lie in a buffer: from which byte on, at which distances, with which gaps between rows.
///
/// ```
/// use framepress::frame::{BufferLayout, Dtype, FrameFormat};
///
/// // Five frames of 100 x 50 pixels of four channels, the rows 512 bytes apart, as wgpu copies them out of textures.
/// let format = FrameFormat::from_shape(Dtype::U8, &[50, 100, 4])?;
/// let layout = BufferLayout::new(format, 5)?.with_row_pitch(512)?;
/// assert_eq!(layout.end(), 5 * 50 * 512 - (512 - 400));
/// # Ok::<(), framepress::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferLayout {
    format: FrameFormat,
    frames: usize,
    offset: usize,
    frame_pitch: usize,
    /// First byte of each plane within a frame, and the distance of its rows.
    planes: Vec<(usize, usize)>,
}

impl BufferLayout {
    /// Frames from the start of the buffer on, without gaps.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if that is more than can be addressed.
    pub fn new(format: FrameFormat, frames: usize) -> Result<Self> {
        let planes = stretches(&format).iter().map(|stretch| (stretch.start, stretch.row_bytes)).collect();
        Self { frames, offset: 0, frame_pitch: format.frame_bytes(), planes, format }.checked()
    }

    /// The same from byte `offset` on, a multiple of 4.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if it is none.
    pub fn with_offset(self, offset: usize) -> Result<Self> {
        Self { offset, ..self }.checked()
    }

    /// The same with rows that begin `bytes` bytes after one another, in every plane; planes and frames follow one
    /// another. Arrays are one row.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if rows are longer.
    pub fn with_row_pitch(mut self, bytes: usize) -> Result<Self> {
        let mut end = 0usize;
        for (plane, stretch) in self.planes.iter_mut().zip(stretches(&self.format)) {
            *plane = (end, bytes);
            end = end.saturating_add(bytes.saturating_mul(stretch.rows));
        }
        Self { frame_pitch: end, ..self }.checked()
    }

    /// The same with planes that begin at these bytes of a frame, and whose rows begin at these distances: as many as
    /// the format has in memory, which is one but for YUV, where it is two if chroma is interleaved and three if not.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if they are not as many, if rows are longer, or if
    /// frames end after the next one begins: say how far they are apart before, by
    /// [`with_frame_pitch`](Self::with_frame_pitch).
    pub fn with_planes(self, planes: &[(usize, usize)]) -> Result<Self> {
        Self { planes: planes.to_vec(), ..self }.checked()
    }

    /// The same with frames that begin `bytes` bytes after one another.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if frames are longer.
    pub fn with_frame_pitch(self, bytes: usize) -> Result<Self> {
        Self { frame_pitch: bytes, ..self }.checked()
    }

    /// Format of the frames.
    pub fn format(&self) -> &FrameFormat {
        &self.format
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// First byte of the first frame.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The end of the last row, in bytes from the start of the buffer.
    pub fn end(&self) -> usize {
        if self.is_empty() { self.offset } else { self.offset + self.pitched().pitched_bytes() }
    }

    /// Whether there is not one byte in the frames.
    pub fn is_empty(&self) -> bool {
        self.frames * self.format.frame_bytes() == 0
    }

    /// So many of the frames from `first` on, which are within.
    pub(crate) fn part(&self, first: usize, frames: usize) -> Self {
        Self { frames, offset: self.offset + first * self.frame_pitch, ..self.clone() }
    }

    /// The frames, which are not empty, from their first byte on.
    pub(crate) fn pitched(&self) -> PitchedFrames {
        let pitch = |&(offset, row): &(usize, usize)| Pitch { offset, row, frame: self.frame_pitch };
        PitchedFrames {
            frames: self.frames,
            frame_bytes: self.format.frame_bytes(),
            stretches: stretches(&self.format).into_iter().zip(self.planes.iter().map(pitch)).collect(),
        }
    }

    fn checked(self) -> Result<Self> {
        let stretches = stretches(&self.format);
        if self.planes.len() != stretches.len() {
            return Err(Error::invalid(format!(
                "buffer layout: expected {} planes, found {}",
                stretches.len(),
                self.planes.len()
            )));
        }
        if !self.offset.is_multiple_of(4) {
            return Err(Error::invalid(format!("buffer layout: offset {} is not a multiple of 4", self.offset)));
        }
        if self.frames.checked_mul(self.format.frame_bytes()).ok_or_else(too_large)? == 0 {
            return Ok(self);
        }
        let mut frame_end = 0;
        for (stretch, &(offset, row)) in stretches.iter().zip(&self.planes) {
            if row < stretch.row_bytes {
                return Err(Error::invalid(format!(
                    "buffer layout: rows of {} bytes do not fit a distance of {row}",
                    stretch.row_bytes
                )));
            }
            let rows = row.checked_mul(stretch.rows - 1).and_then(|rows| rows.checked_add(stretch.row_bytes));
            let end = rows.and_then(|rows| rows.checked_add(offset));
            frame_end = end.map(|end| end.max(frame_end)).ok_or_else(too_large)?;
        }
        if self.frames > 1 && self.frame_pitch < frame_end {
            return Err(Error::invalid(format!(
                "buffer layout: frames of {frame_end} bytes do not fit a distance of {}",
                self.frame_pitch
            )));
        }
        let others = self.frame_pitch.checked_mul(self.frames - 1);
        let end = others.and_then(|others| others.checked_add(frame_end)).and_then(|end| end.checked_add(self.offset));
        end.filter(|&end| isize::try_from(end).is_ok()).ok_or_else(too_large)?;
        Ok(self)
    }
}

fn too_large() -> Error {
    Error::invalid("buffer layout: more than this machine can address")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChromaSampling, Dtype};

    fn nv12() -> FrameFormat {
        let (sampling, chroma) = (ChromaSampling::Cs420, ChromaOrder::UvInterleaved);
        FrameFormat::new(Dtype::U8, Layout::Yuv { width: 5, height: 3, sampling, chroma }).unwrap()
    }

    #[test]
    fn planes_follow_one_another() {
        let layout = BufferLayout::new(nv12(), 2).unwrap();
        assert!(layout.pitched().is_dense());
        assert_eq!(layout.end(), 2 * (15 + 12));
        let padded = layout.with_row_pitch(8).unwrap().with_offset(12).unwrap();
        assert_eq!(padded.planes, [(0, 8), (24, 8)]);
        assert_eq!(padded.end(), 12 + 40 + 24 + 8 + 6);
        assert!(!padded.pitched().is_dense());
        assert_eq!(padded.part(1, 1).offset(), 52);
        assert_eq!(padded.part(1, 1).end(), padded.end());
    }

    /// What is not a gap: distances that nothing comes after.
    #[test]
    fn one_row_of_one_frame_has_no_gaps() {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 5, height: 1 }).unwrap();
        let layout = BufferLayout::new(format, 1).unwrap().with_row_pitch(256).unwrap();
        assert!(layout.pitched().is_dense());
        assert_eq!(layout.end(), 5);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let layout = || BufferLayout::new(nv12(), 2).unwrap();
        assert!(layout().with_offset(2).is_err());
        assert!(layout().with_row_pitch(5).is_err(), "rows of chroma have 6");
        assert!(layout().with_frame_pitch(26).is_err());
        assert!(layout().with_planes(&[(0, 5)]).is_err());
        assert!(layout().with_planes(&[(0, 5), (100, 6)]).is_err(), "frames are 27 apart");
        assert!(layout().with_frame_pitch(200).unwrap().with_planes(&[(0, 5), (100, 6)]).is_ok());
        assert!(layout().with_frame_pitch(usize::MAX).is_err());
        assert!(layout().with_row_pitch(usize::MAX / 2).is_err());
        assert!(BufferLayout::new(nv12(), usize::MAX).is_err());
        assert_eq!(BufferLayout::new(nv12(), 0).unwrap().with_row_pitch(1).unwrap().end(), 0);
    }
}

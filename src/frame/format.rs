//! How one frame is laid out.

use super::Dtype;
use crate::error::{Error, Result};

/// Order of packed channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb = 0,
    /// Blue, green, red: OpenCV's order.
    Bgr = 1,
    /// Red, green, blue, alpha.
    Rgba = 2,
    /// Blue, green, red, alpha.
    Bgra = 3,
}

impl ChannelOrder {
    /// Every order, in order of id.
    pub const ALL: [ChannelOrder; 4] = [Self::Rgb, Self::Bgr, Self::Rgba, Self::Bgra];

    /// Channels of one pixel.
    pub const fn channels(self) -> usize {
        match self {
            ChannelOrder::Rgb | ChannelOrder::Bgr => 3,
            ChannelOrder::Rgba | ChannelOrder::Bgra => 4,
        }
    }
}

/// How many luma samples share one chroma sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChromaSampling {
    /// 4:2:0, chroma halved both ways, odd sizes rounded up.
    Cs420 = 0,
    /// 4:2:2, chroma halved horizontally, odd widths rounded up.
    Cs422 = 1,
    /// 4:4:4, no subsampling.
    Cs444 = 2,
}

impl ChromaSampling {
    /// Every sampling, in order of id.
    pub const ALL: [ChromaSampling; 3] = [Self::Cs420, Self::Cs422, Self::Cs444];

    /// Width and height of a chroma plane.
    pub const fn chroma_size(self, width: usize, height: usize) -> (usize, usize) {
        match self {
            ChromaSampling::Cs420 => (width.div_ceil(2), height.div_ceil(2)),
            ChromaSampling::Cs422 => (width.div_ceil(2), height),
            ChromaSampling::Cs444 => (width, height),
        }
    }

    /// Columns and rows of a block of pixels that share U and V.
    pub(crate) const fn block(self) -> (usize, usize) {
        match self {
            ChromaSampling::Cs420 => (2, 2),
            ChromaSampling::Cs422 => (2, 1),
            ChromaSampling::Cs444 => (1, 1),
        }
    }
}

/// How the two chroma planes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChromaOrder {
    /// Planar: all U, then all V (I420, yuv420p).
    Planar = 0,
    /// Semi-planar: U and V interleaved (NV12).
    UvInterleaved = 1,
    /// Semi-planar: V and U interleaved (NV21).
    VuInterleaved = 2,
}

impl ChromaOrder {
    /// Every order, in order of id.
    pub const ALL: [ChromaOrder; 3] = [Self::Planar, Self::UvInterleaved, Self::VuInterleaved];
}

/// Arrangement of one frame's samples in memory (C order, no padding).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Layout {
    /// An N-dimensional item of any meaning; `shape` is the shape of one frame, without the frame
    /// axis. An empty shape is a scalar: a 1-D array of them is one long row.
    Array {
        /// Shape of one frame.
        shape: Vec<usize>,
    },
    /// One plane of `height` rows.
    Gray {
        /// Samples in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// Interleaved colour channels.
    Packed {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Channels and their order.
        order: ChannelOrder,
    },
    /// A luma plane followed by chroma.
    Yuv {
        /// Luma samples in a row.
        width: usize,
        /// Luma rows.
        height: usize,
        /// Chroma subsampling.
        sampling: ChromaSampling,
        /// Chroma storage.
        chroma: ChromaOrder,
    },
}

/// Dtype, layout and bit depth of every frame of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FrameFormat {
    dtype: Dtype,
    layout: Layout,
    bit_depth: u8,
}

/// Largest number of axes of one frame.
pub(crate) const MAX_AXES: usize = 31;

impl FrameFormat {
    /// A format whose samples use all bits of `dtype`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if a frame would have more bytes
    /// than can be addressed or more than 31 axes.
    pub fn new(dtype: Dtype, layout: Layout) -> Result<Self> {
        Self::with_bit_depth(dtype, layout, 8 * dtype.bytes() as u8)
    }

    /// A format whose samples use the low `bit_depth` bits of `dtype` (10-bit video in `uint16`,
    /// say). The depth informs planning and is restored; samples above it are still kept exactly.
    ///
    /// # Errors
    /// As [`FrameFormat::new`], and if `bit_depth` is not within 1 to the bits of `dtype`.
    pub fn with_bit_depth(dtype: Dtype, layout: Layout, bit_depth: u8) -> Result<Self> {
        let most = 8 * dtype.bytes() as u8;
        if bit_depth == 0 || bit_depth > most {
            return Err(Error::invalid(format!("bit depth: expected 1 to {most} for {dtype}, found {bit_depth}")));
        }
        let format = Self { dtype, layout, bit_depth };
        if let Layout::Array { shape } = &format.layout
            && shape.len() > MAX_AXES
        {
            return Err(Error::invalid(format!(
                "frame shape: expected at most {MAX_AXES} axes, found {}",
                shape.len()
            )));
        }
        format
            .checked_samples()
            .and_then(|samples| samples.checked_mul(dtype.bytes()))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or_else(|| {
                Error::invalid(format!(
                    "frame size: {:?} of {dtype} is more than this machine can address",
                    format.layout
                ))
            })?;
        Ok(format)
    }

    /// The format of an array whose first axis (not in `shape`) is the frame: `(H, W)` is gray,
    /// `(H, W, 3)` and `(H, W, 4)` of 8- or 16-bit unsigned integers are RGB and RGBA, anything
    /// else is an array.
    ///
    /// # Errors
    /// As [`FrameFormat::new`].
    pub fn from_shape(dtype: Dtype, shape: &[usize]) -> Result<Self> {
        let pixels = matches!(dtype, Dtype::U8 | Dtype::U16);
        let layout = match *shape {
            [height, width] => Layout::Gray { width, height },
            [height, width, 3] if pixels => Layout::Packed { width, height, order: ChannelOrder::Rgb },
            [height, width, 4] if pixels => Layout::Packed { width, height, order: ChannelOrder::Rgba },
            _ => Layout::Array { shape: shape.to_vec() },
        };
        Self::new(dtype, layout)
    }

    /// Sample type.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Arrangement of samples.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bits of a sample in use.
    pub fn bit_depth(&self) -> u8 {
        self.bit_depth
    }

    /// Shape of one frame as an array. YUV frames are one axis of samples.
    pub fn shape(&self) -> Vec<usize> {
        match &self.layout {
            Layout::Array { shape } => shape.clone(),
            Layout::Gray { width, height } => vec![*height, *width],
            Layout::Packed { width, height, order } => vec![*height, *width, order.channels()],
            Layout::Yuv { .. } => vec![self.frame_samples()],
        }
    }

    /// Samples of one frame.
    pub fn frame_samples(&self) -> usize {
        self.checked_samples().expect("checked on construction")
    }

    /// Bytes of one frame.
    pub fn frame_bytes(&self) -> usize {
        self.frame_samples() * self.dtype.bytes()
    }

    /// Checks that `bytes` is the length of `frames` frames.
    pub(crate) fn check_frames(&self, frames: usize, bytes: usize) -> Result<()> {
        if self.frame_bytes().checked_mul(frames) == Some(bytes) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "frame data: expected {frames} frames of {} bytes, found {bytes} bytes",
            self.frame_bytes()
        )))
    }

    fn checked_samples(&self) -> Option<usize> {
        match &self.layout {
            Layout::Array { shape } => shape.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis)),
            Layout::Gray { width, height } => width.checked_mul(*height),
            Layout::Packed { width, height, order } => width.checked_mul(*height)?.checked_mul(order.channels()),
            Layout::Yuv { width, height, sampling, .. } => {
                let (chroma_width, chroma_height) = sampling.chroma_size(*width, *height);
                width.checked_mul(*height)?.checked_add(chroma_width.checked_mul(chroma_height)?.checked_mul(2)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_become_layouts() {
        let layout = |dtype, shape: &[usize]| FrameFormat::from_shape(dtype, shape).unwrap().layout().clone();
        assert_eq!(layout(Dtype::U8, &[4, 6]), Layout::Gray { width: 6, height: 4 });
        assert_eq!(layout(Dtype::U16, &[4, 6, 3]), Layout::Packed { width: 6, height: 4, order: ChannelOrder::Rgb });
        assert_eq!(layout(Dtype::F32, &[4, 6, 3]), Layout::Array { shape: vec![4, 6, 3] });
        assert_eq!(layout(Dtype::I64, &[]), Layout::Array { shape: vec![] });
    }

    #[test]
    fn odd_chroma_rounds_up() {
        let layout = Layout::Yuv { width: 5, height: 3, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar };
        assert_eq!(FrameFormat::new(Dtype::U8, layout).unwrap().frame_bytes(), 15 + 2 * 6);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(FrameFormat::new(Dtype::F64, Layout::Array { shape: vec![usize::MAX / 4, 8] }).is_err());
        assert!(FrameFormat::new(Dtype::U8, Layout::Array { shape: vec![1; 32] }).is_err());
        assert!(FrameFormat::with_bit_depth(Dtype::U8, Layout::Gray { width: 1, height: 1 }, 9).is_err());
    }
}

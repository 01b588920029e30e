//! Rectangles of frames that are pictures.

use std::fmt;
use std::str::FromStr;

use super::{ChromaOrder, FrameFormat, Layout};
use crate::error::{Error, Result};

/// A rectangle of a picture, in pixels. As text, `WxH+X+Y`: its size, then its first column and row.
///
/// ```
/// use framepress::frame::Rectangle;
///
/// let rectangle: Rectangle = "640x480+100+20".parse()?;
/// assert_eq!(rectangle, Rectangle { left: 100, top: 20, width: 640, height: 480 });
/// # Ok::<(), framepress::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rectangle {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl fmt::Display for Rectangle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}+{}+{}", self.width, self.height, self.left, self.top)
    }
}

impl FromStr for Rectangle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |digits: &str| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        };
        let parse = || {
            let (size, place) = text.split_once('+')?;
            let (width, height) = size.split_once('x')?;
            let (left, top) = place.split_once('+')?;
            Some(Self { left: number(left)?, top: number(top)?, width: number(width)?, height: number(height)? })
        };
        let found = || Error::invalid(format!("region: expected WxH+X+Y, for example 640x480+100+20, found '{text}'"));
        parse().ok_or_else(found)
    }
}

/// Samples of a frame that lie together as rows of pixels: all of it, or planes of a YUV frame.
struct Area {
    /// First sample within the frame.
    offset: usize,
    /// Pixels in a row.
    width: usize,
    /// Samples of a pixel.
    samples: usize,
    /// Columns and rows of the picture that share a pixel of it.
    block: (usize, usize),
}

impl FrameFormat {
    /// Width and height of frames that are pictures: gray, packed and YUV frames, and arrays of rows, columns and, if
    /// there is a third axis, two to four channels.
    pub fn picture(&self) -> Option<(usize, usize)> {
        match *self.layout() {
            Layout::Gray { width, height }
            | Layout::Packed { width, height, .. }
            | Layout::Yuv { width, height, .. } => Some((width, height)),
            Layout::Array { ref shape } => match *shape.as_slice() {
                [height, width] | [height, width, 2..=4] => Some((width, height)),
                _ => None,
            },
        }
    }

    /// The format of `rectangle` of these frames. Where pixels share chroma, it begins where a block of such pixels does:
    /// at an even column for 4:2:2, at an even column and row for 4:2:0. Its size may be odd; chroma is rounded up then, as
    /// it is for whole frames.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if frames are no [pictures](Self::picture), or if the
    /// rectangle is empty, not within them or begins within a block.
    pub fn cropped(&self, rectangle: &Rectangle) -> Result<Self> {
        let &Rectangle { left, top, width, height } = rectangle;
        let Some((columns, rows)) = self.picture() else {
            return Err(Error::invalid(format!("region: expected pictures, found frames of shape {:?}", self.shape())));
        };
        let fits = |first: usize, size: usize, whole: usize| {
            size > 0 && first.checked_add(size).is_some_and(|end| end <= whole)
        };
        if !fits(left, width, columns) || !fits(top, height, rows) {
            return Err(Error::invalid(format!(
                "region: expected a part of {columns}x{rows} pixels that is not empty, found {rectangle}"
            )));
        }
        let mut layout = self.layout().clone();
        match &mut layout {
            Layout::Gray { width: columns, height: rows } | Layout::Packed { width: columns, height: rows, .. } => {
                (*columns, *rows) = (width, height);
            }
            Layout::Yuv { width: columns, height: rows, sampling, .. } => {
                let (across, down) = sampling.block();
                if !left.is_multiple_of(across) || !top.is_multiple_of(down) {
                    return Err(Error::invalid(format!(
                        "region: {across} x {down} pixels share their chroma: expected a first column that is a \
                         multiple of {across} and a first row that is one of {down}, found {rectangle}"
                    )));
                }
                (*columns, *rows) = (width, height);
            }
            Layout::Array { shape } => shape[..2].copy_from_slice(&[height, width]),
        }
        Self::with_bit_depth(self.dtype(), layout, self.bit_depth())
    }

    /// Appends `rectangle` of a frame, in which it lies, to `out`.
    pub(crate) fn crop(&self, rectangle: &Rectangle, frame: &[u8], out: &mut Vec<u8>) {
        let sample_bytes = self.dtype().bytes();
        for Area { offset, width, samples, block: (across, down) } in self.areas() {
            let pixel_bytes = samples * sample_bytes;
            let (left, top) = (rectangle.left / across, rectangle.top / down);
            let (columns, rows) = (rectangle.width.div_ceil(across), rectangle.height.div_ceil(down));
            for row in top..top + rows {
                let first = offset * sample_bytes + (row * width + left) * pixel_bytes;
                out.extend_from_slice(&frame[first..first + columns * pixel_bytes]);
            }
        }
    }

    /// Where the rows of a picture lie in a frame.
    fn areas(&self) -> Vec<Area> {
        let whole = |width, samples| vec![Area { offset: 0, width, samples, block: (1, 1) }];
        match self.layout() {
            Layout::Gray { width, .. } => whole(*width, 1),
            Layout::Packed { width, order, .. } => whole(*width, order.channels()),
            Layout::Array { shape } => whole(shape.get(1).copied().unwrap_or(1), shape.get(2).copied().unwrap_or(1)),
            Layout::Yuv { width, height, sampling, chroma } => {
                let (chroma_width, chroma_height) = sampling.chroma_size(*width, *height);
                let area = |offset, samples| Area { offset, width: chroma_width, samples, block: sampling.block() };
                let mut areas = whole(*width, 1);
                let luma = width * height;
                match chroma {
                    ChromaOrder::Planar => areas.extend([area(luma, 1), area(luma + chroma_width * chroma_height, 1)]),
                    ChromaOrder::UvInterleaved | ChromaOrder::VuInterleaved => areas.push(area(luma, 2)),
                }
                areas
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype};

    fn rectangle(text: &str) -> Rectangle {
        text.parse().unwrap()
    }

    fn cropped(format: &FrameFormat, text: &str) -> Vec<u8> {
        let frame: Vec<u8> = (0..format.frame_bytes()).map(|at| at as u8).collect();
        let mut out = Vec::new();
        format.crop(&rectangle(text), &frame, &mut out);
        assert_eq!(out.len(), format.cropped(&rectangle(text)).unwrap().frame_bytes());
        out
    }

    #[test]
    fn text_goes_there_and_back() {
        assert_eq!(rectangle("640x480+1+20").to_string(), "640x480+1+20");
        for text in
            ["", "640x480", "640x480+1", "640x480+1+2+3", "640X480+1+2", "+640x480+1+2", "640x480+-1+2", "1x1+0+"]
        {
            let error = text.parse::<Rectangle>().unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains("WxH+X+Y"), "{error}");
        }
    }

    #[test]
    fn samples_of_a_rectangle() {
        let format = |dtype, layout| FrameFormat::new(dtype, layout).unwrap();
        let gray = format(Dtype::U8, Layout::Gray { width: 5, height: 4 });
        assert_eq!(cropped(&gray, "2x3+3+1"), [8, 9, 13, 14, 18, 19]);
        let packed = format(Dtype::U16, Layout::Packed { width: 3, height: 2, order: ChannelOrder::Rgb });
        assert_eq!(cropped(&packed, "1x2+1+0"), [6, 7, 8, 9, 10, 11, 24, 25, 26, 27, 28, 29]);
        let array = format(Dtype::U8, Layout::Array { shape: vec![2, 3, 2] });
        assert_eq!(cropped(&array, "2x1+1+1"), [8, 9, 10, 11]);
        let yuv = |sampling, chroma| format(Dtype::U8, Layout::Yuv { width: 5, height: 5, sampling, chroma });
        let planar = yuv(ChromaSampling::Cs420, ChromaOrder::Planar);
        assert_eq!(cropped(&planar, "3x1+2+4"), [22, 23, 24, 32, 33, 41, 42]);
        let interleaved = yuv(ChromaSampling::Cs422, ChromaOrder::VuInterleaved);
        assert_eq!(cropped(&interleaved, "1x2+4+3"), [19, 24, 47, 48, 53, 54]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |layout: &Layout, text: &str| {
            let format = FrameFormat::new(Dtype::U8, layout.clone()).unwrap();
            let error = format.cropped(&rectangle(text)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            error.to_string()
        };
        let gray = Layout::Gray { width: 5, height: 4 };
        for text in ["0x1+0+0", "1x0+0+0", "6x1+0+0", "1x1+5+0", "1x4+0+1", "2x1+18446744073709551615+0"] {
            refused(&gray, text);
        }
        let yuv = |sampling| Layout::Yuv { width: 6, height: 6, sampling, chroma: ChromaOrder::Planar };
        assert!(refused(&yuv(ChromaSampling::Cs420), "2x2+1+0").contains("multiple of 2"));
        refused(&yuv(ChromaSampling::Cs420), "2x2+0+1");
        refused(&yuv(ChromaSampling::Cs422), "2x2+1+1");
        for shape in [vec![], vec![8], vec![3, 8, 8], vec![2, 8, 8, 3]] {
            assert!(refused(&Layout::Array { shape }, "1x1+0+0").contains("pictures"));
        }
    }
}

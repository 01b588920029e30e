//! Frame formats that are pictures an image file can hold.

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};

/// Largest image that is read, in decoded bytes: a few hundred bytes of file can claim any size.
pub(super) const MAX_IMAGE_BYTES: usize = 1 << 30;

/// Size and samples of an image whose channels are interleaved: gray, gray and alpha, RGB, RGBA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pixels {
    pub width: u32,
    pub height: u32,
    pub channels: usize,
    pub dtype: Dtype,
}

impl Pixels {
    /// The pixels of a frame.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for frames that are not such pictures.
    pub fn of(format: &FrameFormat) -> Result<Self> {
        let (width, height, channels) = match format.layout() {
            Layout::Gray { width, height } => (*width, *height, 1),
            Layout::Packed { width, height, order: ChannelOrder::Rgb } => (*width, *height, 3),
            Layout::Packed { width, height, order: ChannelOrder::Rgba } => (*width, *height, 4),
            Layout::Array { shape } => match shape.as_slice() {
                &[height, width, 2] => (width, height, 2),
                _ => return Err(not_an_image(format)),
            },
            Layout::Packed { .. } | Layout::Yuv { .. } => return Err(not_an_image(format)),
        };
        match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width @ 1..), Ok(height @ 1..)) => Ok(Self { width, height, channels, dtype: format.dtype() }),
            _ => Err(not_an_image(format)),
        }
    }

    /// The frame format of these pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) above [`MAX_IMAGE_BYTES`].
    pub fn format(&self) -> Result<FrameFormat> {
        let too_large = || {
            Error::limit(format!(
                "image size: expected at most {MAX_IMAGE_BYTES} bytes, found {}x{} pixels",
                self.width, self.height
            ))
        };
        let (Ok(width), Ok(height)) = (usize::try_from(self.width), usize::try_from(self.height)) else {
            return Err(too_large());
        };
        let layout = match self.channels {
            1 => Layout::Gray { width, height },
            3 => Layout::Packed { width, height, order: ChannelOrder::Rgb },
            4 => Layout::Packed { width, height, order: ChannelOrder::Rgba },
            channels => Layout::Array { shape: vec![height, width, channels] },
        };
        let format = FrameFormat::new(self.dtype, layout).map_err(|_| too_large())?;
        match format.frame_bytes() {
            0 => Err(Error::invalid("image size: expected at least one pixel, found none")),
            1..=MAX_IMAGE_BYTES => Ok(format),
            _ => Err(too_large()),
        }
    }
}

fn not_an_image(format: &FrameFormat) -> Error {
    Error::unsupported(format!("frames of {} are no pictures that an image file can hold", shown(format)))
}

/// A format in words for messages: `480x640x3 uint8`, rows first.
pub(super) fn shown(format: &FrameFormat) -> String {
    let axes: Vec<String> = format.shape().iter().map(usize::to_string).collect();
    format!("{} {}", axes.join("x"), format.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn formats_round_trip() {
        for channels in 1..=4 {
            let pixels = Pixels { width: 5, height: 3, channels, dtype: Dtype::U16 };
            assert_eq!(Pixels::of(&pixels.format().unwrap()).unwrap(), pixels);
        }
    }

    #[test]
    fn sizes_are_limited() {
        let pixels = |width, height| Pixels { width, height, channels: 4, dtype: Dtype::U16 };
        assert_eq!(pixels(u32::MAX, u32::MAX).format().unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(pixels(1 << 14, 1 << 14).format().unwrap_err().kind(), ErrorKind::Limit);
        assert!(pixels(0, 5).format().is_err());
        let empty = FrameFormat::new(Dtype::U8, Layout::Gray { width: 0, height: 3 }).unwrap();
        assert!(Pixels::of(&empty).is_err());
    }
}

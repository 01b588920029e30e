//! How raw video is described: `1920x1080:yuv420p`.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

/// Size and pixel format of raw video. Parsed from `WxH:FORMAT`, where `FORMAT` is FFmpeg's name of a
/// pixel format; formats of more than one byte end in `le` or `be` (without either: `le`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSpec {
    /// Format of every frame.
    pub format: FrameFormat,
    /// Whether samples are big-endian.
    pub big_endian: bool,
}

#[derive(Clone, Copy)]
enum Arrangement {
    Gray,
    Packed(ChannelOrder),
    Yuv(ChromaSampling, ChromaOrder),
}

use Arrangement::{Gray, Packed, Yuv};
use ChannelOrder::{Bgr, Bgra, Rgb, Rgba};
use ChromaOrder::{Planar, UvInterleaved, VuInterleaved};
use ChromaSampling::{Cs420, Cs422, Cs444};
use Dtype::{F32, U8, U16};

/// Pixel formats by name, without byte order. Formats such as `p010` keep their samples in the high
/// bits, so all 16 bits count as used.
const PIXEL_FORMATS: [(&str, Dtype, u8, Arrangement); 50] = [
    ("gray", U8, 8, Gray),
    ("gray9", U16, 9, Gray),
    ("gray10", U16, 10, Gray),
    ("gray12", U16, 12, Gray),
    ("gray14", U16, 14, Gray),
    ("gray16", U16, 16, Gray),
    ("grayf32", F32, 32, Gray),
    ("rgb24", U8, 8, Packed(Rgb)),
    ("bgr24", U8, 8, Packed(Bgr)),
    ("rgba", U8, 8, Packed(Rgba)),
    ("bgra", U8, 8, Packed(Bgra)),
    ("rgb48", U16, 16, Packed(Rgb)),
    ("bgr48", U16, 16, Packed(Bgr)),
    ("rgba64", U16, 16, Packed(Rgba)),
    ("bgra64", U16, 16, Packed(Bgra)),
    ("yuv420p", U8, 8, Yuv(Cs420, Planar)),
    ("yuv420p9", U16, 9, Yuv(Cs420, Planar)),
    ("yuv420p10", U16, 10, Yuv(Cs420, Planar)),
    ("yuv420p12", U16, 12, Yuv(Cs420, Planar)),
    ("yuv420p14", U16, 14, Yuv(Cs420, Planar)),
    ("yuv420p16", U16, 16, Yuv(Cs420, Planar)),
    ("yuvj420p", U8, 8, Yuv(Cs420, Planar)),
    ("yuv422p", U8, 8, Yuv(Cs422, Planar)),
    ("yuv422p9", U16, 9, Yuv(Cs422, Planar)),
    ("yuv422p10", U16, 10, Yuv(Cs422, Planar)),
    ("yuv422p12", U16, 12, Yuv(Cs422, Planar)),
    ("yuv422p14", U16, 14, Yuv(Cs422, Planar)),
    ("yuv422p16", U16, 16, Yuv(Cs422, Planar)),
    ("yuvj422p", U8, 8, Yuv(Cs422, Planar)),
    ("yuv444p", U8, 8, Yuv(Cs444, Planar)),
    ("yuv444p9", U16, 9, Yuv(Cs444, Planar)),
    ("yuv444p10", U16, 10, Yuv(Cs444, Planar)),
    ("yuv444p12", U16, 12, Yuv(Cs444, Planar)),
    ("yuv444p14", U16, 14, Yuv(Cs444, Planar)),
    ("yuv444p16", U16, 16, Yuv(Cs444, Planar)),
    ("yuvj444p", U8, 8, Yuv(Cs444, Planar)),
    ("nv12", U8, 8, Yuv(Cs420, UvInterleaved)),
    ("nv21", U8, 8, Yuv(Cs420, VuInterleaved)),
    ("nv16", U8, 8, Yuv(Cs422, UvInterleaved)),
    ("nv24", U8, 8, Yuv(Cs444, UvInterleaved)),
    ("nv42", U8, 8, Yuv(Cs444, VuInterleaved)),
    ("p010", U16, 16, Yuv(Cs420, UvInterleaved)),
    ("p012", U16, 16, Yuv(Cs420, UvInterleaved)),
    ("p016", U16, 16, Yuv(Cs420, UvInterleaved)),
    ("p210", U16, 16, Yuv(Cs422, UvInterleaved)),
    ("p212", U16, 16, Yuv(Cs422, UvInterleaved)),
    ("p216", U16, 16, Yuv(Cs422, UvInterleaved)),
    ("p410", U16, 16, Yuv(Cs444, UvInterleaved)),
    ("p412", U16, 16, Yuv(Cs444, UvInterleaved)),
    ("p416", U16, 16, Yuv(Cs444, UvInterleaved)),
];

impl RawSpec {
    /// Names of all pixel formats, without the `le` or `be` of those that have more than one byte.
    pub fn pixel_formats() -> impl Iterator<Item = &'static str> {
        PIXEL_FORMATS.iter().map(|&(name, ..)| name)
    }
}

impl FromStr for RawSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape = || {
            Error::invalid(format!(
                "raw video: expected WxH:FORMAT such as 1920x1080:yuv420p, with positive sizes, found '{}'",
                text.escape_debug()
            ))
        };
        let (size, name) = text.split_once(':').ok_or_else(shape)?;
        let (width, height) = size.split_once('x').ok_or_else(shape)?;
        let positive = |digits: &str| digits.parse().ok().filter(|&size: &usize| size > 0).ok_or_else(shape);
        let (width, height) = (positive(width)?, positive(height)?);
        let (base, big_endian) = match (name.strip_suffix("be"), name.strip_suffix("le")) {
            (Some(base), _) => (base, true),
            (None, Some(base)) => (base, false),
            (None, None) => (name, false),
        };
        let known = PIXEL_FORMATS.iter().find(|(known, dtype, ..)| {
            // An order of bytes is part of no 8-bit name.
            *known == if dtype.bytes() == 1 { name } else { base }
        });
        let &(_, dtype, bit_depth, arrangement) = known.ok_or_else(|| {
            let names: Vec<_> = Self::pixel_formats().collect();
            Error::invalid(format!(
                "raw video: pixel format '{}' is not known; expected one of {}, those of more than 8 bits with le or be",
                name.escape_debug(),
                names.join(" ")
            ))
        })?;
        let layout = match arrangement {
            Gray => Layout::Gray { width, height },
            Packed(order) => Layout::Packed { width, height, order },
            Yuv(sampling, chroma) => Layout::Yuv { width, height, sampling, chroma },
        };
        Ok(Self { format: FrameFormat::with_bit_depth(dtype, layout, bit_depth)?, big_endian })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses() {
        for &(name, dtype, bit_depth, _) in &PIXEL_FORMATS {
            let plain: RawSpec = format!("5x3:{name}").parse().unwrap();
            assert_eq!((plain.format.dtype(), plain.format.bit_depth()), (dtype, bit_depth), "{name}");
            for (order, big_endian) in [("le", false), ("be", true)] {
                match format!("5x3:{name}{order}").parse::<RawSpec>() {
                    Ok(spec) => assert_eq!(spec, RawSpec { format: plain.format.clone(), big_endian }),
                    Err(_) => assert_eq!(dtype.bytes(), 1, "{name}{order}"),
                }
            }
        }
    }

    #[test]
    fn frame_sizes() {
        for (spec, bytes) in [
            ("5x3:gray", 15),
            ("5x3:rgba64le", 120),
            ("5x3:nv12", 27),
            ("5x3:yuv422p10le", 66),
            ("5x3:p010le", 54),
            ("5x3:grayf32be", 60),
        ] {
            assert_eq!(spec.parse::<RawSpec>().unwrap().format.frame_bytes(), bytes, "{spec}");
        }
    }

    #[test]
    fn refusals_say_what_is_expected() {
        for text in ["", "5x3", "5:gray", "0x3:gray", "5x-3:gray", "x:gray", "99999999999999999999x1:gray"] {
            let error = text.parse::<RawSpec>().unwrap_err().to_string();
            assert!(error.contains("1920x1080:yuv420p"), "{error}");
        }
        let error = "5x3:yuv411p".parse::<RawSpec>().unwrap_err().to_string();
        assert!(error.contains("'yuv411p'") && error.contains("gray16 grayf32 rgb24"), "{error}");
        assert!("9999999999x9999999999:gray".parse::<RawSpec>().is_err());
    }
}

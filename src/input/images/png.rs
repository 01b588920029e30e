//! PNG files.
//!
//! Palettes become RGB or RGBA, gray of 1, 2 and 4 bits becomes 8 bits (black stays 0, white becomes
//! 255), a transparent colour becomes an alpha channel. Other channels keep their values and depth.

use std::io::{BufRead, Seek, Write};

use png::{BitDepth, ColorType, DecodingError, EncodingError, Limits, Transformations};

use super::pixels::{MAX_IMAGE_BYTES, Pixels};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::Dtype;
use crate::input::byte_order;

/// A PNG file whose header has been read.
pub(super) struct PngImage<R: BufRead + Seek> {
    reader: png::Reader<R>,
    pub pixels: Pixels,
}

impl<R: BufRead + Seek> PngImage<R> {
    pub fn open(reader: R) -> Result<Self> {
        let mut decoder = png::Decoder::new_with_limits(reader, Limits { bytes: MAX_IMAGE_BYTES });
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let reader = decoder.read_info().map_err(from_decoding)?;
        if reader.info().animation_control.is_some() {
            return Err(Error::unsupported("png: expected one image, found an animation"));
        }
        let (colour_type, bit_depth) = reader.output_color_type();
        let (width, height) = reader.info().size();
        let dtype = match bit_depth {
            BitDepth::Sixteen => Dtype::U16,
            _ => Dtype::U8,
        };
        Ok(Self { pixels: Pixels { width, height, channels: colour_type.samples(), dtype }, reader })
    }

    /// Decodes the image. `bytes` has the length of the image's frame.
    pub fn read(mut self, bytes: &mut [u8]) -> Result<()> {
        self.reader.next_frame(bytes).map_err(from_decoding)?;
        // Samples are big-endian in PNG.
        byte_order::swap(bytes, self.pixels.dtype.bytes());
        Ok(())
    }
}

/// Writes an image.
pub(super) fn write(output: impl Write, pixels: &Pixels, bytes: &[u8]) -> Result<()> {
    let colour_type = match pixels.channels {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    };
    let bit_depth = match pixels.dtype {
        Dtype::U8 => BitDepth::Eight,
        Dtype::U16 => BitDepth::Sixteen,
        other => return Err(Error::unsupported(format!("png: expected samples of uint8 or uint16, found {other}"))),
    };
    let mut encoder = png::Encoder::new(output, pixels.width, pixels.height);
    encoder.set_color(colour_type);
    encoder.set_depth(bit_depth);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(from_encoding)?;
    let mut big_endian;
    let data = if bit_depth == BitDepth::Sixteen {
        big_endian = bytes.to_vec();
        byte_order::swap(&mut big_endian, 2);
        &big_endian
    } else {
        bytes
    };
    writer.write_image_data(data).map_err(from_encoding)?;
    writer.finish().map_err(from_encoding)
}

fn from_decoding(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(error) => error.into(),
        DecodingError::LimitsExceeded => {
            Error::limit(format!("png: expected an image that decodes within {MAX_IMAGE_BYTES} bytes"))
        }
        DecodingError::Format(error) => Error::corrupt(format!("png: {error}")),
        DecodingError::Parameter(error) => Error::corrupt(format!("png: {error}")),
    }
}

fn from_encoding(error: EncodingError) -> Error {
    match error {
        EncodingError::IoError(error) => error.into(),
        other => Error::new(ErrorKind::InvalidInput, format!("png: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn decode(file: &[u8]) -> Result<(Pixels, Vec<u8>)> {
        let image = PngImage::open(Cursor::new(file))?;
        let pixels = image.pixels;
        let mut bytes = vec![0; pixels.format()?.frame_bytes()];
        image.read(&mut bytes)?;
        Ok((pixels, bytes))
    }

    fn sample(channels: usize, dtype: Dtype) -> (Pixels, Vec<u8>, Vec<u8>) {
        let pixels = Pixels { width: 5, height: 3, channels, dtype };
        let bytes: Vec<u8> = (0..15 * channels * dtype.bytes()).map(|at| (at * 29) as u8).collect();
        let mut file = Vec::new();
        write(&mut file, &pixels, &bytes).unwrap();
        (pixels, bytes, file)
    }

    #[test]
    fn all_channels_and_depths() {
        for channels in 1..=4 {
            for dtype in [Dtype::U8, Dtype::U16] {
                let (pixels, bytes, file) = sample(channels, dtype);
                assert_eq!(decode(&file).unwrap(), (pixels, bytes));
            }
        }
        let float = Pixels { width: 5, height: 3, channels: 1, dtype: Dtype::F32 };
        assert_eq!(write(Vec::new(), &float, &[0; 60]).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    fn encode(colour_type: ColorType, depth: BitDepth, transparent: &'static [u8], data: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 1);
        encoder.set_color(colour_type);
        encoder.set_depth(depth);
        if colour_type == ColorType::Indexed {
            encoder.set_palette(&[1, 2, 3, 4, 5, 6][..]);
        }
        if !transparent.is_empty() {
            encoder.set_trns(transparent);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        file
    }

    #[test]
    fn palettes_and_low_depths_expand() {
        for (file, channels, expected) in [
            (encode(ColorType::Indexed, BitDepth::One, &[], &[0x40]), 3, &[1, 2, 3, 4, 5, 6][..]),
            (encode(ColorType::Indexed, BitDepth::Eight, &[9], &[1, 0]), 4, &[4, 5, 6, 255, 1, 2, 3, 9]),
            (encode(ColorType::Grayscale, BitDepth::One, &[], &[0x40]), 1, &[0, 255]),
            (encode(ColorType::Grayscale, BitDepth::Four, &[], &[0x1f]), 1, &[17, 255]),
            (encode(ColorType::Grayscale, BitDepth::Eight, &[0, 7], &[7, 8]), 2, &[7, 0, 8, 255]),
        ] {
            let (pixels, bytes) = decode(&file).unwrap();
            assert_eq!((pixels.channels, pixels.dtype, bytes.as_slice()), (channels, Dtype::U8, expected));
        }
    }

    /// A few bytes claim more than any machine has.
    #[test]
    fn claims_are_limited() {
        for side in [1 << 16, u32::MAX >> 1] {
            let mut file = Vec::new();
            let mut encoder = png::Encoder::new(&mut file, side, side);
            encoder.set_color(ColorType::Grayscale);
            encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &[0x78, 0x9C]).unwrap();
            assert_eq!(decode(&file).unwrap_err().kind(), ErrorKind::Limit, "{side}");
        }
    }

    #[test]
    fn damage_never_panics() {
        let (_, _, file) = sample(3, Dtype::U16);
        // The end chunk of 12 bytes holds no pixels.
        for cut in 0..file.len() - 16 {
            assert!(decode(&file[..cut]).is_err(), "{cut}");
        }
        for bit in 0..8 * file.len() {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decode(&damaged);
        }
    }
}

//! TIFF files of one image: gray, RGB and RGBA of 8 and 16 bits, gray of 32 bits, gray float32.
//!
//! Gray whose white is zero is inverted, as every viewer does, and restored as gray whose black is zero.

use std::io::{BufRead, Seek, Write};

use ::tiff::decoder::{Decoder, DecodingSampleType, Limits};
use ::tiff::encoder::{TiffEncoder, TiffValue, colortype};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};

use super::pixels::{MAX_IMAGE_BYTES, Pixels};
use crate::error::{Error, Result};
use crate::frame::Dtype;

/// A TIFF file whose header has been read.
pub(super) struct TiffImage<R: BufRead + Seek> {
    decoder: Decoder<R>,
    pub pixels: Pixels,
}

impl<R: BufRead + Seek> TiffImage<R> {
    pub fn open(reader: R) -> Result<Self> {
        let mut limits = Limits::default();
        limits.decoding_buffer_size = MAX_IMAGE_BYTES;
        limits.intermediate_buffer_size = MAX_IMAGE_BYTES;
        let mut decoder = Decoder::new(reader).map_err(from_tiff)?.with_limits(limits);
        if decoder.more_images() {
            return Err(Error::unsupported("tiff: expected one image in a file, found several"));
        }
        let (width, height) = decoder.dimensions().map_err(from_tiff)?;
        let colour_type = decoder.colortype().map_err(from_tiff)?;
        let layout = decoder.image_buffer_layout().map_err(from_tiff)?;
        let (channels, dtype) = match (colour_type, layout.sample_type) {
            (ColorType::Gray(8), Some(DecodingSampleType::U8)) => (1, Dtype::U8),
            (ColorType::Gray(16), Some(DecodingSampleType::U16)) => (1, Dtype::U16),
            (ColorType::Gray(32), Some(DecodingSampleType::U32)) => (1, Dtype::U32),
            (ColorType::Gray(32), Some(DecodingSampleType::F32)) => (1, Dtype::F32),
            (ColorType::RGB(8), Some(DecodingSampleType::U8)) => (3, Dtype::U8),
            (ColorType::RGB(16), Some(DecodingSampleType::U16)) => (3, Dtype::U16),
            (ColorType::RGBA(8), Some(DecodingSampleType::U8)) => (4, Dtype::U8),
            (ColorType::RGBA(16), Some(DecodingSampleType::U16)) => (4, Dtype::U16),
            (colour, sample) => {
                return Err(Error::unsupported(format!(
                    "tiff: expected gray, RGB or RGBA of 8 or 16 bits, or gray of 32 bits or float32, found {colour:?} of \
                     {sample:?}"
                )));
            }
        };
        if layout.planes != 1 {
            return Err(Error::unsupported(format!(
                "tiff: planar configuration: expected interleaved channels, found {} planes",
                layout.planes
            )));
        }
        // Inverting a float rounds.
        let photometric = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(from_tiff)?;
        if dtype == Dtype::F32 && photometric == Some(0) {
            return Err(Error::unsupported("tiff: expected float32 whose black is zero, found white is zero"));
        }
        Ok(Self { decoder, pixels: Pixels { width, height, channels, dtype } })
    }

    /// Decodes the image. `bytes` has the length of the image's frame.
    pub fn read(mut self, bytes: &mut [u8]) -> Result<()> {
        let layout = self.decoder.image_buffer_layout().map_err(from_tiff)?;
        if layout.complete_len != bytes.len() {
            return Err(Error::corrupt(format!(
                "tiff: expected {} bytes of samples, found {}",
                bytes.len(),
                layout.complete_len
            )));
        }
        // The decoder gives samples in the machine's order, which is little-endian.
        self.decoder.read_image_bytes(bytes).map_err(from_tiff)
    }
}

/// Writes an image, without compression.
pub(super) fn write(output: impl Write + Seek, pixels: &Pixels, bytes: &[u8]) -> Result<()> {
    match (pixels.channels, pixels.dtype) {
        (1, Dtype::U8) => encode::<colortype::Gray8>(output, pixels, bytes),
        (1, Dtype::U16) => encode::<colortype::Gray16>(output, pixels, bytes),
        (1, Dtype::U32) => encode::<colortype::Gray32>(output, pixels, bytes),
        (1, Dtype::F32) => encode::<colortype::Gray32Float>(output, pixels, bytes),
        (3, Dtype::U8) => encode::<colortype::RGB8>(output, pixels, bytes),
        (3, Dtype::U16) => encode::<colortype::RGB16>(output, pixels, bytes),
        (4, Dtype::U8) => encode::<colortype::RGBA8>(output, pixels, bytes),
        (4, Dtype::U16) => encode::<colortype::RGBA16>(output, pixels, bytes),
        (channels, dtype) => Err(Error::unsupported(format!(
            "tiff: expected gray, RGB or RGBA of uint8 or uint16, or gray of uint32 or float32, found {channels} channels \
             of {dtype}"
        ))),
    }
}

fn encode<C: colortype::ColorType>(output: impl Write + Seek, pixels: &Pixels, bytes: &[u8]) -> Result<()>
where
    C::Inner: bytemuck::Pod,
    [C::Inner]: TiffValue,
{
    // A frame is a whole number of samples, and a cast to bytes fits any alignment.
    let mut samples: Vec<C::Inner> = vec![bytemuck::Zeroable::zeroed(); bytes.len() / size_of::<C::Inner>()];
    bytemuck::cast_slice_mut::<_, u8>(&mut samples).copy_from_slice(bytes);
    let mut encoder = TiffEncoder::new(output).map_err(from_tiff)?;
    encoder.write_image::<C>(pixels.width, pixels.height, &samples).map_err(from_tiff)
}

fn from_tiff(error: TiffError) -> Error {
    match error {
        TiffError::IoError(error) => error.into(),
        TiffError::LimitsExceeded => {
            Error::limit(format!("tiff: expected an image that decodes within {MAX_IMAGE_BYTES} bytes"))
        }
        TiffError::UnsupportedError(error) => Error::unsupported(format!("tiff: {error}")),
        other => Error::corrupt(format!("tiff: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::error::ErrorKind;

    const FORMATS: [(usize, Dtype); 8] = [
        (1, Dtype::U8),
        (1, Dtype::U16),
        (1, Dtype::U32),
        (1, Dtype::F32),
        (3, Dtype::U8),
        (3, Dtype::U16),
        (4, Dtype::U8),
        (4, Dtype::U16),
    ];

    fn decode(file: &[u8]) -> Result<(Pixels, Vec<u8>)> {
        let image = TiffImage::open(Cursor::new(file))?;
        let pixels = image.pixels;
        let mut bytes = vec![0; pixels.format()?.frame_bytes()];
        image.read(&mut bytes)?;
        Ok((pixels, bytes))
    }

    fn sample(channels: usize, dtype: Dtype) -> (Pixels, Vec<u8>, Vec<u8>) {
        let pixels = Pixels { width: 5, height: 3, channels, dtype };
        let bytes: Vec<u8> = (0..15 * channels * dtype.bytes()).map(|at| (at * 29) as u8).collect();
        let mut file = Cursor::new(Vec::new());
        write(&mut file, &pixels, &bytes).unwrap();
        (pixels, bytes, file.into_inner())
    }

    #[test]
    fn all_formats() {
        for (channels, dtype) in FORMATS {
            let (pixels, bytes, file) = sample(channels, dtype);
            assert_eq!(decode(&file).unwrap(), (pixels, bytes));
        }
        let alpha = Pixels { width: 5, height: 3, channels: 2, dtype: Dtype::U8 };
        assert_eq!(write(Cursor::new(Vec::new()), &alpha, &[0; 30]).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn other_types_are_unsupported() {
        let mut file = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).unwrap();
        encoder.write_image::<colortype::CMYK8>(1, 1, &[1, 2, 3, 4]).unwrap();
        assert_eq!(decode(file.get_ref()).unwrap_err().kind(), ErrorKind::Unsupported);
        let mut file = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).unwrap();
        encoder.write_image::<colortype::Gray8>(1, 1, &[1]).unwrap();
        encoder.write_image::<colortype::Gray8>(1, 1, &[2]).unwrap();
        assert!(decode(file.get_ref()).unwrap_err().to_string().contains("found several"));
    }

    /// A few bytes claim more than any machine has.
    #[test]
    fn claims_are_limited() {
        let (_, _, mut file) = sample(1, Dtype::U8);
        for (tag, sides) in [(256u16, 5u32), (257, 3)] {
            let entry = [tag.to_le_bytes(), [4, 0], [1, 0], [0, 0]].concat();
            let at = file.windows(8).position(|bytes| bytes == entry).unwrap() + 8;
            assert_eq!(file[at..at + 4], sides.to_le_bytes());
            file[at..at + 4].copy_from_slice(&(1u32 << 17).to_le_bytes());
        }
        assert_eq!(decode(&file).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn damage_never_panics() {
        let (_, _, file) = sample(3, Dtype::U16);
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

//! Restoring files that are one stream of bytes.

use std::io::Write;

use super::{Restorer, byte_order, npy, y4m};
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Origin, OriginKind, Rectangle};

/// A restorer of a single file: `.npy`, `.y4m` or raw video. Frames handed over in memory (which have
/// no file) are written as raw bytes; pass the origin of [`origin_of_part`] to get them as `.npy`.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for image sequences, which need a folder;
/// I/O errors from writing the header.
pub fn restorer<'a>(
    origin: &Origin,
    format: &FrameFormat,
    mut output: impl Write + Send + 'a,
) -> Result<Box<dyn Restorer + 'a>> {
    match origin.kind {
        OriginKind::Memory | OriginKind::Npy | OriginKind::Raw => {
            output.write_all(&origin.header)?;
            let sample_bytes = format.dtype().bytes();
            let swapped_bytes = if origin.big_endian { sample_bytes } else { 1 };
            Ok(Box::new(StreamRestorer { output, format: format.clone(), swapped_bytes, scratch: Vec::new() }))
        }
        OriginKind::Y4m => Ok(Box::new(y4m::Y4mRestorer::new(origin, format, output)?)),
        OriginKind::Images => Err(Error::invalid("output: expected a folder for an image sequence, found one file")),
    }
}

/// The origin with which `frames` frames of a stream make a file of their own.
///
/// An `.npy` header names the number of frames, so it is written anew when that number differs, in the
/// order of bytes and axes it had. Frames that came from memory get an `.npy` header. All other
/// origins stay as they are.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the recorded `.npy` header does not parse.
pub fn origin_of_part(origin: &Origin, format: &FrameFormat, frames: u64) -> Result<Origin> {
    match origin.kind {
        OriginKind::Memory | OriginKind::Npy => npy::origin_of_part(origin, format, frames, 0),
        OriginKind::Y4m | OriginKind::Raw | OriginKind::Images => Ok(origin.clone()),
    }
}

/// The origin with which a rectangle of each of `frames` frames of a stream makes a file of its own: as
/// [`origin_of_part`], with its size in the header of an `.npy` or `.y4m` file.
///
/// # Errors
/// As [`origin_of_part`] and [`FrameFormat::cropped`].
pub fn origin_of_region(origin: &Origin, format: &FrameFormat, frames: u64, rectangle: &Rectangle) -> Result<Origin> {
    let cropped = format.cropped(rectangle)?;
    match origin.kind {
        OriginKind::Memory | OriginKind::Npy => npy::origin_of_region(origin, format, frames, &cropped),
        OriginKind::Y4m => Ok(Origin { header: y4m::header_of_region(&origin.header, rectangle), ..origin.clone() }),
        OriginKind::Raw | OriginKind::Images => Ok(origin.clone()),
    }
}

/// As [`origin_of_part`], with a header of `header_bytes` bytes: it can be written over another one once it is known
/// how many frames there are.
///
/// # Errors
/// As [`origin_of_part`]; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if there is no header of that
/// length.
pub fn origin_of_part_in(origin: &Origin, format: &FrameFormat, frames: u64, header_bytes: usize) -> Result<Origin> {
    let origin = match origin.kind {
        OriginKind::Memory | OriginKind::Npy => npy::origin_of_part(origin, format, frames, header_bytes)?,
        _ => origin.clone(),
    };
    match origin.header.len() {
        found if found == header_bytes => Ok(origin),
        found => Err(Error::unsupported(format!(
            "header of {frames} frames: expected one that fits {header_bytes} bytes, found one of {found}"
        ))),
    }
}

/// The side data of the frames at `positions` of a batch. Side data, where there is any, is one line
/// per frame; where no line says anything there is none, as if the part had been read by itself.
pub fn side_of_part(side: &[u8], positions: std::ops::Range<usize>) -> Vec<u8> {
    let lines = side.split_inclusive(|&byte| byte == b'\n');
    let lines = lines.skip(positions.start).take(positions.len());
    if lines.clone().all(|line| line == y4m::PLAIN) {
        return Vec::new();
    }
    lines.flatten().copied().collect()
}

/// Checks that there is no side data.
fn check_no_side(side: &[u8]) -> Result<()> {
    if side.is_empty() {
        return Ok(());
    }
    Err(Error::corrupt(format!("side data: expected none for this kind of file, found {} bytes", side.len())))
}

/// Samples swapped at a time, in bytes: a multiple of every sample size that stays in the L2 cache.
const SWAP_SPAN: usize = 1 << 16;

/// Writes frames one after another, behind a header or none.
struct StreamRestorer<W> {
    output: W,
    format: FrameFormat,
    /// Bytes of a sample whose order is reversed; 1 when the file is little-endian.
    swapped_bytes: usize,
    scratch: Vec<u8>,
}

impl<W: Write + Send> Restorer for StreamRestorer<W> {
    fn write_batch(&mut self, frames: usize, bytes: &[u8], side: &[u8]) -> Result<()> {
        self.format.check_frames(frames, bytes.len())?;
        check_no_side(side)?;
        if self.swapped_bytes == 1 {
            self.output.write_all(bytes)?;
            return Ok(());
        }
        for span in bytes.chunks(SWAP_SPAN) {
            self.scratch.clear();
            self.scratch.extend_from_slice(span);
            byte_order::swap(&mut self.scratch, self.swapped_bytes);
            self.output.write_all(&self.scratch)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.output.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Dtype, Layout};

    fn gray() -> FrameFormat {
        FrameFormat::new(Dtype::U16, Layout::Gray { width: 3, height: 2 }).unwrap()
    }

    #[test]
    fn sizes_and_side_data_are_checked() {
        let origin = Origin { kind: OriginKind::Raw, ..Origin::default() };
        let mut restorer = restorer(&origin, &gray(), Vec::new()).unwrap();
        assert!(restorer.write_batch(1, &[0; 11], &[]).is_err());
        assert!(restorer.write_batch(usize::MAX, &[0; 12], &[]).is_err());
        assert!(restorer.write_batch(1, &[0; 12], b"x").is_err());
        restorer.write_batch(1, &[0; 12], &[]).unwrap();
        restorer.finish().unwrap();
    }

    #[test]
    fn side_data_of_parts() {
        let side = b"FRAME\nFRAME\nFRAME Ip\nFRAME\n";
        assert_eq!(side_of_part(side, 0..2), b"");
        assert_eq!(side_of_part(side, 1..3), b"FRAME\nFRAME Ip\n");
        assert_eq!(side_of_part(b"a.png\nb.png\n", 1..2), b"b.png\n");
        assert_eq!(side_of_part(b"", 0..3), b"");
    }

    #[test]
    fn images_need_a_folder() {
        let origin = Origin { kind: OriginKind::Images, ..Origin::default() };
        assert!(restorer(&origin, &gray(), Vec::new()).is_err());
    }
}

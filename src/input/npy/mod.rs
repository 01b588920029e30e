//! `.npy` files of versions 1.0 to 3.0. The first axis is the frame.
//!
//! An array in Fortran order is read as the C-order array of the reversed shape: the same bytes in the
//! same order, the last axis of the file being the frame. A 0-dimensional array is one frame.

mod header;
mod literal;

use std::io::Read;

use self::header::NpyHeader;
use super::fill::{addressable_frames, emptied, fill};
use super::{Description, FrameReader, InputBatch, byte_order};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{FrameFormat, Origin, OriginKind};

pub(super) use header::MAGIC;

/// Most frames of no bytes at all: their number costs a file nothing, so it is not taken on trust.
const MAX_EMPTY_FRAMES: u64 = 1 << 20;

/// Bytes after the data that are counted for a message.
const COUNTED_EXCESS: u64 = 1 << 20;

/// Reads an `.npy` file.
pub struct NpyReader<R> {
    reader: R,
    description: Description,
    frames: u64,
    frames_left: u64,
    ended: bool,
    spare: Vec<u8>,
}

impl<R: Read + Send> NpyReader<R> {
    /// Reads the header. `file_bytes` is the length of the whole file, where it is known: a file that is
    /// too short or too long is then refused at once.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for types that are not numbers or `bool`;
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a header that does not parse or is followed by
    /// too much data; [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) for too little; I/O errors.
    pub fn new(mut reader: R, file_bytes: Option<u64>) -> Result<Self> {
        let header = NpyHeader::read(&mut reader)?;
        let format = FrameFormat::from_shape(header.dtype, header.frame_shape())?;
        let frames = header.frames() as u64;
        let frame_bytes = format.frame_bytes() as u64;
        if frame_bytes == 0 && frames > MAX_EMPTY_FRAMES {
            return Err(Error::limit(format!(
                "npy header: shape: expected at most {MAX_EMPTY_FRAMES} frames of 0 bytes, found {frames}"
            )));
        }
        let data_bytes = frames.checked_mul(frame_bytes).ok_or_else(|| {
            Error::invalid(format!("npy header: shape: {frames} frames of {frame_bytes} bytes are no possible file"))
        })?;
        if let Some(file_bytes) = file_bytes {
            let found = file_bytes.saturating_sub(header.bytes.len() as u64);
            if found < data_bytes {
                return Err(truncated(data_bytes, found));
            }
            if found > data_bytes {
                return Err(excess(&format!("{}", found - data_bytes)));
            }
        }
        let origin =
            Origin { kind: OriginKind::Npy, big_endian: header.big_endian, header: header.bytes, ..Origin::default() };
        let description = Description { format, origin, frames: Some(frames) };
        Ok(Self { reader, description, frames, frames_left: frames, ended: false, spare: Vec::new() })
    }

    /// Checks that nothing follows the data.
    fn check_end(&mut self) -> Result<()> {
        let found = std::io::copy(&mut self.reader.by_ref().take(COUNTED_EXCESS), &mut std::io::sink())?;
        match found {
            0 => Ok(()),
            COUNTED_EXCESS => Err(excess(&format!("{found} or more"))),
            _ => Err(excess(&found.to_string())),
        }
    }
}

fn truncated(expected: u64, found: u64) -> Error {
    Error::truncated(format!("npy data: expected {expected} bytes, found {found}"))
}

fn excess(found: &str) -> Error {
    Error::invalid(format!("npy data: expected the end of the file after the array, found {found} more bytes"))
}

impl<R: Read + Send> FrameReader for NpyReader<R> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>> {
        let frame_bytes = self.description.format.frame_bytes();
        let frames = addressable_frames(frames, frame_bytes);
        let frames = usize::try_from(self.frames_left).map_or(frames, |left| frames.min(left));
        let mut bytes = emptied(&mut self.spare);
        let wanted = frames * frame_bytes;
        let found = fill(&mut self.reader, &mut bytes, wanted, wanted)?;
        if found < wanted {
            let frame_bytes = frame_bytes as u64;
            let before = (self.frames - self.frames_left) * frame_bytes;
            return Err(truncated(self.frames * frame_bytes, before + found as u64));
        }
        self.frames_left -= frames as u64;
        // Checked with the last batch, so that a caller who counts frames hears of it too.
        if self.frames_left == 0 && !self.ended {
            self.ended = true;
            self.check_end()?;
        }
        if self.description.origin.big_endian {
            byte_order::swap(&mut bytes, self.description.format.dtype().bytes());
        }
        Ok((frames > 0).then_some(InputBatch { frames, bytes, ..InputBatch::default() }))
    }

    fn reuse(&mut self, bytes: Vec<u8>) {
        self.spare = bytes;
    }
}

/// See [`origin_of_part`](super::origin_of_part); the header has `room` bytes if that is enough.
pub(super) fn origin_of_part(origin: &Origin, format: &FrameFormat, frames: u64, room: usize) -> Result<Origin> {
    let recorded = recorded_header(origin, format)?;
    if recorded.as_ref().is_some_and(|recorded| recorded.frames() as u64 == frames) {
        return Ok(origin.clone());
    }
    Ok(with_header(origin, recorded, frames, format, room))
}

/// See [`origin_of_region`](super::origin_of_region); `cropped` is the format of the rectangle.
pub(super) fn origin_of_region(
    origin: &Origin,
    format: &FrameFormat,
    frames: u64,
    cropped: &FrameFormat,
) -> Result<Origin> {
    Ok(with_header(origin, recorded_header(origin, format)?, frames, cropped, 0))
}

/// The header of the `.npy` file that frames of `format` came from, if they did.
fn recorded_header(origin: &Origin, format: &FrameFormat) -> Result<Option<NpyHeader>> {
    if origin.kind != OriginKind::Npy {
        return Ok(None);
    }
    let recorded = NpyHeader::read(&mut origin.header.as_slice())
        .map_err(|error| Error::new(ErrorKind::Corrupt, error.to_string()).context("recorded header"))?;
    if recorded.frame_shape() != format.shape() || recorded.dtype != format.dtype() {
        return Err(Error::corrupt("recorded header: its type and shape are not those of the frames"));
    }
    Ok(Some(recorded))
}

/// The same origin with the header of `frames` frames of `format`, in the order of bytes and axes of the recorded one.
fn with_header(origin: &Origin, recorded: Option<NpyHeader>, frames: u64, format: &FrameFormat, room: usize) -> Origin {
    let (descr, fortran_order) = recorded.map_or_else(
        || (header::descr_of(format.dtype()).to_owned(), false),
        |recorded| (recorded.descr, recorded.fortran_order),
    );
    let header = header::header_bytes(&descr, fortran_order, frames, format, room);
    Origin { kind: OriginKind::Npy, header, ..origin.clone() }
}

/// The number of frames that the recorded header of an `.npy` file says.
pub(crate) fn recorded_frames(origin: &Origin) -> Option<u64> {
    let header = (origin.kind == OriginKind::Npy).then(|| NpyHeader::read(&mut origin.header.as_slice()))?;
    header.ok().map(|header| header.frames() as u64)
}

#[cfg(test)]
mod tests;

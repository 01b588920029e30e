//! Raw video: frames one after another, with nothing before or between them.

mod spec;

use std::io::Read;

use super::fill::{addressable_frames, emptied, fill};
use super::{Description, FrameReader, InputBatch, byte_order};
use crate::error::{Error, Result};
use crate::frame::{Origin, OriginKind};

pub use spec::RawSpec;

/// Reads raw video.
pub struct RawReader<R> {
    reader: R,
    description: Description,
    frames_read: u64,
    spare: Vec<u8>,
}

impl<R: Read + Send> RawReader<R> {
    /// Reads frames as `spec` says. `file_bytes` is the length of the whole file, where it is known: a file
    /// that ends within a frame is then refused at once.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if the file ends within a frame.
    pub fn new(reader: R, spec: RawSpec, file_bytes: Option<u64>) -> Result<Self> {
        // A specification has positive sizes.
        let frame_bytes = spec.format.frame_bytes().max(1) as u64;
        if let Some(file_bytes) = file_bytes
            && file_bytes % frame_bytes > 0
        {
            return Err(cut(file_bytes / frame_bytes, frame_bytes, file_bytes % frame_bytes));
        }
        let frames = file_bytes.map(|bytes| bytes / frame_bytes);
        let origin = Origin { kind: OriginKind::Raw, big_endian: spec.big_endian, ..Origin::default() };
        let description = Description { format: spec.format, origin, frames };
        Ok(Self { reader, description, frames_read: 0, spare: Vec::new() })
    }
}

fn cut(frame: u64, expected: u64, found: u64) -> Error {
    Error::truncated(format!(
        "raw video: frame {frame}: expected {expected} bytes, found {found}; check the size and the pixel format"
    ))
}

impl<R: Read + Send> FrameReader for RawReader<R> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>> {
        let frame_bytes = self.description.format.frame_bytes().max(1);
        let wanted = addressable_frames(frames, frame_bytes) * frame_bytes;
        let mut bytes = emptied(&mut self.spare);
        let found = fill(&mut self.reader, &mut bytes, wanted, wanted)?;
        let frames = found / frame_bytes;
        self.frames_read += frames as u64;
        if found % frame_bytes > 0 {
            return Err(cut(self.frames_read, frame_bytes as u64, (found % frame_bytes) as u64));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::input::restorer;

    fn read_all(
        bytes: &[u8],
        spec: &str,
        length: Option<u64>,
        frames: usize,
    ) -> Result<(Description, Vec<InputBatch>)> {
        let mut reader = RawReader::new(bytes, spec.parse()?, length)?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.read_batch(frames)? {
            batches.push(batch.clone());
            reader.reuse(batch.bytes);
        }
        Ok((reader.description().clone(), batches))
    }

    #[test]
    fn every_format_round_trips() {
        let names = RawSpec::pixel_formats().flat_map(|name| [name.to_owned(), format!("{name}be")]);
        for spec in names.map(|name| format!("5x3:{name}")) {
            let Ok(parsed) = spec.parse::<RawSpec>() else { continue };
            let bytes: Vec<u8> = (0..3 * parsed.format.frame_bytes()).map(|at| (at * 7) as u8).collect();
            for (length, frames) in [(None, 1), (Some(bytes.len() as u64), 2), (None, usize::MAX)] {
                let (description, batches) = read_all(&bytes, &spec, length, frames).unwrap();
                assert_eq!(description.frames, length.map(|_| 3));
                let mut out = Vec::new();
                let mut restorer = restorer(&description.origin, &description.format, &mut out).unwrap();
                for batch in &batches {
                    restorer.write_batch(batch.frames, &batch.bytes, &batch.side).unwrap();
                }
                restorer.finish().unwrap();
                drop(restorer);
                assert!(out == bytes, "{spec}");
            }
        }
    }

    #[test]
    fn big_endian_samples_are_swapped() {
        let (_, batches) = read_all(&[1, 2, 3, 4], "2x1:gray10be", None, 1).unwrap();
        assert_eq!(batches[0].bytes, [2, 1, 4, 3]);
    }

    #[test]
    fn partial_frames() {
        let bytes = [7; 27];
        for cut in 0..bytes.len() {
            for length in [None, Some(cut as u64)] {
                let result = read_all(&bytes[..cut], "3x3:gray", length, 2);
                match result {
                    Ok((_, batches)) => {
                        assert_eq!(cut % 9, 0);
                        assert_eq!(batches.iter().map(|batch| batch.frames).sum::<usize>(), cut / 9);
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Truncated);
                        let expected = format!("frame {}: expected 9 bytes, found {};", cut / 9, cut % 9);
                        assert!(error.to_string().contains(&expected), "{error}");
                    }
                }
            }
        }
        assert!(read_all(&bytes, "4000000000x2000000000:gray", None, 1).is_err());
    }
}

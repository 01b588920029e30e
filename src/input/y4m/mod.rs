//! YUV4MPEG2 streams. They need not be seekable.
//!
//! Every frame has a header line. When all lines of a batch are the usual `FRAME` and a line feed, the
//! side data of the batch is empty; otherwise it is those lines, one after another.

mod header;

use std::io::{BufReader, Read, Write};

use super::fill::{addressable_frames, emptied, fill};
use super::{Description, FrameReader, InputBatch, Restorer};
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Origin, OriginKind};

pub(super) use header::{MAGIC, header_of_region};

/// Header line of a frame without parameters.
pub(super) const PLAIN: &[u8] = b"FRAME\n";

/// Reads a YUV4MPEG2 stream.
pub struct Y4mReader<R> {
    reader: BufReader<R>,
    description: Description,
    frames_read: u64,
    spare: Vec<u8>,
}

impl<R: Read + Send> Y4mReader<R> {
    /// Reads the stream header.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for colour spaces framepress has no layout for;
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for a header that does not parse; I/O errors.
    pub fn new(reader: R) -> Result<Self> {
        let mut reader = BufReader::new(reader);
        let mut header = Vec::new();
        if header::read_line(&mut reader, &mut header, "y4m header")? == 0 {
            return Err(Error::truncated("y4m header: expected a line, found an empty stream"));
        }
        let format = header::format_of(&header)?;
        let origin = Origin { kind: OriginKind::Y4m, big_endian: false, header, ..Origin::default() };
        Ok(Self {
            reader,
            description: Description { format, origin, frames: None },
            frames_read: 0,
            spare: Vec::new(),
        })
    }
}

impl<R: Read + Send> FrameReader for Y4mReader<R> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>> {
        let frame_bytes = self.description.format.frame_bytes();
        let most = addressable_frames(frames, frame_bytes);
        let mut batch = InputBatch { bytes: emptied(&mut self.spare), ..InputBatch::default() };
        let mut line = Vec::new();
        let mut plain = true;
        while batch.frames < most {
            let frame = self.frames_read;
            line.clear();
            if header::read_line(&mut self.reader, &mut line, &format!("y4m frame {frame}: header"))? == 0 {
                break;
            }
            if !is_frame_line(&line) {
                return Err(Error::invalid(format!(
                    "y4m frame {frame}: header: expected FRAME, found '{}'",
                    line.get(..line.len().min(16)).unwrap_or_default().escape_ascii()
                )));
            }
            plain &= line == PLAIN;
            if !plain {
                // The first line with parameters: all before it were plain.
                if batch.side.is_empty() {
                    batch.side = PLAIN.repeat(batch.frames);
                }
                batch.side.extend_from_slice(&line);
            }
            let found = fill(&mut self.reader, &mut batch.bytes, frame_bytes, most * frame_bytes)?;
            if found < frame_bytes {
                return Err(Error::truncated(format!(
                    "y4m frame {frame}: expected {frame_bytes} bytes, found {found}"
                )));
            }
            batch.frames += 1;
            self.frames_read += 1;
        }
        Ok((batch.frames > 0).then_some(batch))
    }

    fn reuse(&mut self, bytes: Vec<u8>) {
        self.spare = bytes;
    }
}

/// Whether a line, its line feed included, begins a frame.
fn is_frame_line(line: &[u8]) -> bool {
    matches!(line.strip_prefix(b"FRAME"), Some([b'\n'] | [b' ', .., b'\n']))
}

/// Writes a YUV4MPEG2 stream.
pub(super) struct Y4mRestorer<W> {
    output: W,
    format: FrameFormat,
}

impl<W: Write + Send> Y4mRestorer<W> {
    pub fn new(origin: &Origin, format: &FrameFormat, mut output: W) -> Result<Self> {
        output.write_all(&origin.header)?;
        Ok(Self { output, format: format.clone() })
    }
}

impl<W: Write + Send> Restorer for Y4mRestorer<W> {
    fn write_batch(&mut self, frames: usize, bytes: &[u8], side: &[u8]) -> Result<()> {
        self.format.check_frames(frames, bytes.len())?;
        let lines: Vec<&[u8]> = side.split_inclusive(|&byte| byte == b'\n').collect();
        if !side.is_empty() && (lines.len() != frames || !lines.iter().all(|line| is_frame_line(line))) {
            return Err(Error::corrupt(format!(
                "y4m side data: expected {frames} FRAME lines, found {} lines in {} bytes",
                lines.len(),
                side.len()
            )));
        }
        let lines = lines.into_iter().chain(std::iter::repeat(PLAIN));
        // A frame has at least one byte: width and height are positive.
        for (frame, line) in bytes.chunks_exact(self.format.frame_bytes().max(1)).zip(lines) {
            self.output.write_all(line)?;
            self.output.write_all(frame)?;
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
    use crate::error::ErrorKind;
    use crate::input::restorer;

    fn stream(header: &str, frame_bytes: usize, lines: &[&str]) -> Vec<u8> {
        let mut bytes = format!("YUV4MPEG2 {header}\n").into_bytes();
        for (frame, line) in lines.iter().enumerate() {
            bytes.extend(format!("FRAME{line}\n").bytes());
            bytes.extend((0..frame_bytes).map(|at| (frame * 50 + at * 3) as u8));
        }
        bytes
    }

    fn read_all(bytes: &[u8], frames: usize) -> Result<(Description, Vec<InputBatch>)> {
        let mut reader = Y4mReader::new(bytes)?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.read_batch(frames)? {
            batches.push(batch.clone());
            reader.reuse(batch.bytes);
        }
        Ok((reader.description().clone(), batches))
    }

    fn assert_round_trip(bytes: &[u8]) {
        for frames in [1, 2, 1 << 40] {
            let (description, batches) = read_all(bytes, frames).unwrap();
            let mut out = Vec::new();
            let mut restorer = restorer(&description.origin, &description.format, &mut out).unwrap();
            for batch in &batches {
                restorer.write_batch(batch.frames, &batch.bytes, &batch.side).unwrap();
            }
            restorer.finish().unwrap();
            drop(restorer);
            assert!(out == bytes);
        }
    }

    #[test]
    fn layouts_round_trip() {
        for (header, frame_bytes) in [
            ("W5 H3 F25:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED", 27),
            ("W5 H3 C422", 33),
            ("W5 H3 C444", 45),
            ("W5 H3 C420p10", 54),
            ("H1 W1 Cmono16", 2),
            ("W1 H1", 3),
        ] {
            for frames in 0..4 {
                assert_round_trip(&stream(header, frame_bytes, &vec![""; frames]));
            }
        }
    }

    #[test]
    fn frame_parameters_become_side_data() {
        let bytes = stream("W2 H2 Cmono", 4, &["", "", " Ip", "", " I1 Xfoo"]);
        assert_round_trip(&bytes);
        let (_, batches) = read_all(&bytes, 2).unwrap();
        let sides: Vec<&[u8]> = batches.iter().map(|batch| batch.side.as_slice()).collect();
        assert_eq!(sides, [&b""[..], b"FRAME Ip\nFRAME\n", b"FRAME I1 Xfoo\n"]);
        let (_, batches) = read_all(&bytes, 9).unwrap();
        assert_eq!(batches[0].side, b"FRAME\nFRAME\nFRAME Ip\nFRAME\nFRAME I1 Xfoo\n");
    }

    #[test]
    fn every_cut_is_found() {
        let bytes = stream("W2 H2 Cmono", 4, &["", " Ip"]);
        let first_frame = bytes.windows(5).position(|bytes| bytes == b"FRAME").unwrap();
        for cut in 0..bytes.len() {
            match read_all(&bytes[..cut], 8) {
                Ok((_, batches)) => {
                    assert!([first_frame, first_frame + 10].contains(&cut), "{cut}");
                    assert_eq!(batches.len(), usize::from(cut > first_frame));
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Truncated, "{cut}: {error}"),
            }
        }
        let error = read_all(&bytes[..bytes.len() - 1], 8).unwrap_err().to_string();
        assert!(error.contains("frame 1: expected 4 bytes, found 3"), "{error}");
    }

    #[test]
    fn flipped_bits_never_panic() {
        let bytes = stream("W2 H2 Cmono10", 8, &["", " Ip"]);
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = read_all(&damaged, 1 << 40);
        }
        assert!(read_all(b"YUV4MPEG2 W2 H2 Cmono\nFRAMES\n1234", 1).is_err());
    }

    #[test]
    fn hostile_side_data_is_refused() {
        let (description, batches) = read_all(&stream("W2 H2 Cmono", 4, &["", ""]), 2).unwrap();
        for side in [&b"FRAME\n"[..], b"FRAME\nFRAME", b"FRAME\nframe\n", b"FRAME\nFRAME\nFRAME\n", b"\n\n"] {
            let mut restorer = restorer(&description.origin, &description.format, Vec::new()).unwrap();
            let error = restorer.write_batch(2, &batches[0].bytes, side).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }
}

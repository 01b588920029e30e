//! Inputs and outputs that give little at a time, are interrupted, or fail.

mod faulty;

use std::io::{Cursor, ErrorKind as Io, Read};
use std::num::NonZeroUsize;

use faulty::Faulty;
use framepress::frame::{Dtype, FrameFormat, Frames};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, ErrorKind, Reader, Result, SeekReader, Settings, Writer};

const BATCH_FRAMES: usize = 3;
const FRAMES: usize = 10;

fn compressor(threads: usize) -> Compressor {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(BATCH_FRAMES));
    Compressor::new(settings.with_threads(NonZeroUsize::new(threads))).unwrap()
}

fn frames() -> Frames {
    let format = FrameFormat::from_shape(Dtype::U8, &[17, 23]).unwrap();
    let raw = (0..FRAMES * format.frame_bytes()).map(|at| (at * at / 50 + at % 3) as u8).collect();
    Frames::new(format, FRAMES, raw).unwrap()
}

/// The bytes of all batches before the first error, and the error.
fn read(input: impl Read) -> (Vec<u8>, Result<()>) {
    let decompressor = Decompressor::default();
    let mut bytes = Vec::new();
    let result = Reader::new(input, &decompressor).and_then(|mut reader| {
        reader.read_batches(|batch| {
            bytes.extend_from_slice(batch?.frames.as_bytes());
            Ok(())
        })
    });
    (bytes, result)
}

#[test]
fn little_at_a_time_is_enough() {
    let frames = frames();
    for threads in [1, 3] {
        let compressor = compressor(threads);
        let file = compressor.compress_frames(&frames).unwrap();
        let output = Faulty::new(Vec::new(), usize::MAX, Io::Other);
        let mut writer = Writer::new(output, frames.format().clone(), &compressor).unwrap();
        writer.write_frames(FRAMES, frames.as_bytes()).unwrap();
        assert!(writer.finish().unwrap().inner == file);

        let (bytes, result) = read(Faulty::new(file.as_slice(), usize::MAX, Io::Other));
        result.unwrap();
        assert!(bytes == frames.as_bytes());
        let input = Faulty::new(Cursor::new(&file), usize::MAX, Io::Other);
        let decompressor = Decompressor::default();
        let mut reader = SeekReader::new(input, &decompressor).unwrap();
        assert!(reader.damage().is_empty());
        assert!(reader.read_frames(2..9).unwrap().as_bytes() == frames.part(2..9).unwrap().as_bytes());
    }
}

/// A full disk: the error is told, and what was written before is a file with all its whole batches.
#[test]
fn whatever_was_written_can_be_read() {
    let frames = frames();
    let frame_bytes = frames.format().frame_bytes();
    for threads in [1, 3] {
        let compressor = compressor(threads);
        let file = compressor.compress_frames(&frames).unwrap();
        let mut whole_batches = 0;
        for left in 0..file.len() {
            let mut written = Vec::new();
            let output = Faulty::new(&mut written, left, Io::StorageFull);
            let error = Writer::new(output, frames.format().clone(), &compressor)
                .and_then(|mut writer| {
                    writer.write_frames(FRAMES, frames.as_bytes())?;
                    writer.finish().map(drop)
                })
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{left}: {error}");
            assert!(written == file[..left], "{left}");
            let (bytes, result) = read(written.as_slice());
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Truncated, "{left}");
            assert!(frames.as_bytes().starts_with(&bytes), "{left}");
            let batches = bytes.len().div_ceil(BATCH_FRAMES * frame_bytes);
            assert!(batches >= whole_batches, "{left}: a batch more was lost than with a byte less");
            whole_batches = batches;
        }
        assert_eq!(whole_batches, FRAMES.div_ceil(BATCH_FRAMES));
    }
}

/// A disk that cannot be read any more is no damage.
#[test]
fn failing_inputs_are_told() {
    let frames = frames();
    let file = compressor(1).compress_frames(&frames).unwrap();
    for left in 0..file.len() {
        let (bytes, result) = read(Faulty::new(file.as_slice(), left, Io::TimedOut));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Io, "{left}");
        assert!(frames.as_bytes().starts_with(&bytes), "{left}");
        let decompressor = Decompressor::default();
        let input = Faulty::new(Cursor::new(&file), left, Io::TimedOut);
        match SeekReader::new(input, &decompressor).and_then(|mut reader| reader.read_frames(0..FRAMES as u64)) {
            Ok(all) => assert!(all == frames, "{left}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Io, "{left}: {error}"),
        }
    }
}

use std::num::NonZeroUsize;

use super::*;
use crate::error;
use crate::frame::{Dtype, FrameFormat, Layout};
use crate::input::InputBatch;
use crate::plan::{CodecChoice, DeviceChoice, Settings};
use crate::{Decompressor, SeekReader};

const BATCH_FRAMES: usize = 2;

fn gray() -> FrameFormat {
    FrameFormat::new(Dtype::U8, Layout::Gray { width: 6, height: 4 }).unwrap()
}

fn compressor() -> Compressor {
    let settings = Settings::new().with_codec(CodecChoice::Store).with_batch_frames(NonZeroUsize::new(BATCH_FRAMES));
    Compressor::new(settings.with_device(DeviceChoice::Cpu)).unwrap()
}

fn raw(frames: usize) -> Vec<u8> {
    (0..frames * gray().frame_bytes()).map(|at| (at as u8).wrapping_mul(37) ^ (at >> 3) as u8).collect()
}

fn file(frames: usize) -> Vec<u8> {
    let compressor = compressor();
    let mut writer = Writer::new(Vec::new(), gray(), &compressor).unwrap();
    writer.write_frames(frames, &raw(frames)).unwrap();
    writer.finish().unwrap()
}

/// Appends frames to a file that has `before` frames, so that it has `frames`.
fn append(file: impl Read + Write + Seek + Truncate + Send, before: usize, frames: usize) -> Result<()> {
    let compressor = compressor();
    let mut writer = Writer::append(file, &compressor)?;
    writer.write_frames(frames - before, &raw(frames)[before * gray().frame_bytes()..])?;
    writer.finish().map(drop)
}

fn appended(file: &[u8], before: usize, frames: usize) -> Result<Vec<u8>> {
    let mut file = Cursor::new(file.to_vec());
    append(&mut file, before, frames)?;
    Ok(file.into_inner())
}

/// The frames of all batches, without an index too.
fn frames_of(file: &[u8]) -> Vec<u8> {
    let decompressor = Decompressor::default();
    let mut reader = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
    let frames = reader.frames();
    reader.read_frames(0..frames).unwrap().into_bytes()
}

#[test]
fn appended_files_are_those_that_were_written_at_once() {
    for frames in 0..6 {
        assert_eq!(appended(&file(0), 0, frames).unwrap(), file(frames));
        assert_eq!(appended(&file(4), 4, 4 + frames).unwrap(), file(4 + frames));
    }
    // A short batch stays one.
    let longer = appended(&file(3), 3, 6).unwrap();
    assert_eq!(Decompressor::default().decompress(&longer).unwrap().as_bytes(), raw(6));
    assert_eq!(appended(&longer, 6, 6).unwrap(), longer);
}

/// A file that fails for good once some bytes have been written.
struct Dying {
    file: Cursor<Vec<u8>>,
    left: usize,
    may_be_cut: bool,
}

impl Dying {
    fn new(file: &[u8], left: usize) -> Self {
        Self { file: Cursor::new(file.to_vec()), left, may_be_cut: true }
    }
}

impl Write for Dying {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("killed"));
        }
        let written = self.file.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Dying {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Dying {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl Truncate for Dying {
    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        assert!(self.may_be_cut, "cut for nothing");
        self.file.truncate(bytes)
    }
}

/// A kill at every byte leaves every batch that was finished, and a file to which the rest can be appended.
#[test]
fn a_kill_at_any_moment_loses_at_most_the_batch_being_written() {
    let (before, frames) = (4, 9);
    let (old, new) = (file(before), file(frames));
    let end_of = |frames: usize| file(frames).len() - 40 - 24 * frames.div_ceil(BATCH_FRAMES);
    let written = new.len() - end_of(before);
    for killed in 0..=written {
        let mut dying = Dying::new(&old, killed);
        assert_eq!(append(&mut dying, before, frames).is_ok(), killed == written, "after {killed} bytes");
        let left = dying.file.into_inner();
        assert_eq!(left, new[..end_of(before) + killed]);
        let whole = [4, 6, 8, 9].into_iter().rfind(|&frames| end_of(frames) <= left.len()).unwrap();
        assert_eq!(frames_of(&left), raw(whole), "after {killed} bytes");
        assert_eq!(appended(&left, whole, frames).unwrap(), new, "after {killed} bytes");
    }
}

#[test]
fn nothing_is_touched_without_frames() {
    let old = file(5);
    let mut untouched = Dying { may_be_cut: false, ..Dying::new(&old, 0) };
    append(&mut untouched, 5, 5).unwrap();
    assert_eq!(untouched.file.into_inner(), old);
    // Frames that are not ready yet.
    let compressor = compressor();
    let mut untouched = Dying { may_be_cut: false, ..Dying::new(&file(4), 0) };
    let mut writer = Writer::append(&mut untouched, &compressor).unwrap();
    writer.write_batch(&InputBatch { frames: 1, bytes: raw(2), ..InputBatch::default() }).unwrap_err();
    writer.write_frames(1, &raw(1)).unwrap();
}

/// What is wrong with more than the end: frames could be lost that `recover` would find.
#[test]
fn damaged_files_are_refused() {
    let whole = file(5);
    let refused = |file: &[u8], what: &str| {
        let error = appended(file, 5, 6).expect_err(what);
        assert_eq!(error.kind(), error::ErrorKind::Corrupt, "{what}: {error}");
        assert!(error.to_string().contains("recover"), "{what}: {error}");
    };
    refused(&[&whole[..], &whole].concat(), "two files");
    refused(&[&whole[..], b"x"].concat(), "bytes after the end");
    let end = file(4).len() - 40 - 48;
    for cut in end..whole.len() - 1 {
        refused(&[&whole[..cut], &whole].concat(), "a cut file and another");
        if cut > end {
            refused(&[&whole[..cut], &vec![0; whole.len()]].concat(), "a file that ends in zeros");
        }
    }
    let mut damaged = whole.clone();
    damaged[end + 20] ^= 1;
    damaged.truncate(whole.len() - 5);
    refused(&damaged, "a damaged record without an index");
    let first = file(2).len() - 40 - 24;
    let mut damaged = whole.clone();
    damaged[first + 20] ^= 1;
    damaged.truncate(whole.len() - 5);
    refused(&damaged, "a record missing in the middle");
    // A damaged index is written anew.
    let mut damaged = whole.clone();
    damaged[whole.len() - 20] ^= 1;
    assert_eq!(appended(&damaged, 5, 5).unwrap(), whole);

    for length in 0..40 {
        let error = appended(&whole[..length], 0, 1).unwrap_err();
        assert_eq!(error.kind(), error::ErrorKind::Truncated, "a file cut at {length}");
    }
}

#[test]
fn two_writers_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.fpk");
    let first = open_to_append(&path).unwrap();
    let error = open_to_append(&path).unwrap_err();
    assert!(error.kind() == error::ErrorKind::Io && error.to_string().contains("somebody else"), "{error}");
    drop(first);
    open_to_append(&path).unwrap();
}

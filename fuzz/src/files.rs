//! Whole files: what the targets of readers, `recover` and `append` share.

use std::io::Cursor;
use std::num::NonZeroUsize;

use framepress::frame::Frames;
use framepress::internal::checksum;
use framepress::plan::DeviceChoice;
use framepress::{BatchLocation, DecodedBatch, Decompressor, ErrorKind, Limits, Reader, Result, SeekReader};

/// A decompressor of small batches: what is larger takes time, and shows nothing else.
pub fn decompressor(threads: usize) -> Decompressor {
    let limits = Limits { max_batch_bytes: 1 << 18, max_header_bytes: 1 << 16, ..Limits::default() };
    Decompressor::new(&DeviceChoice::Cpu, NonZeroUsize::new(threads), limits).expect("a decompressor")
}

/// Number in the 4 or 8 bytes at a position, if they are there.
fn field(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

/// Puts the checksum of some bytes where it belongs.
fn put(bytes: &mut [u8], covered: std::ops::Range<usize>, at: usize) {
    let sum = bytes.get(covered).map(checksum);
    if let (Some(sum), Some(place)) = (sum, bytes.get_mut(at..at.saturating_add(8))) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Makes all checksums good but those of raw frames, as far as lengths lead to them, so that what was changed is seen by
/// the code behind them.
pub fn seal(bytes: &mut [u8]) {
    let Some(mut at) = field(bytes, 12, 4).filter(|&end| (32..=bytes.len()).contains(&end)) else { return };
    put(bytes, 0..at - 8, at - 8);
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(b"FPKB")) {
        let (Some(details), Some(payload)) = (field(bytes, at + 4, 4), field(bytes, at + 8, 8)) else { return };
        let start = at + 72 + details;
        let Some(end) = start.checked_add(payload).filter(|&end| details >= 8 && end <= bytes.len()) else { return };
        put(bytes, start..end, at + 56);
        put(bytes, at..at + 64, at + 64);
        put(bytes, at..start - 8, start - 8);
        at = end;
    }
    if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"FPKI")) {
        let batches = field(bytes, at + 4, 8).unwrap_or(0).min(bytes.len());
        let end = at + 20 + 24 * batches;
        put(bytes, at..end, end);
    }
}

/// What became of a batch: its frames, or the kind of error and which batch it names.
pub type Outcome = std::result::Result<DecodedBatch, (ErrorKind, Option<BatchLocation>)>;

/// An outcome of any reader.
pub fn outcome(batch: Result<DecodedBatch>) -> Outcome {
    batch.map_err(|error| (error.kind(), error.location()))
}

/// What a stream says, to the end. Every round takes some bytes of the file, so there cannot be more than it has.
pub fn stream(file: &[u8], decompressor: &Decompressor) -> Result<Vec<Outcome>> {
    let mut reader = Reader::new(file, decompressor)?;
    let mut all = Vec::new();
    while let Some(next) = reader.next_batch().transpose() {
        all.push(outcome(next));
        assert!(all.len() <= file.len() + 2, "reading does not end");
    }
    Ok(all)
}

/// The frames of a file of which nothing is missing.
pub fn whole(file: &[u8], decompressor: &Decompressor) -> Option<Frames> {
    decompressor.decompress(file).ok()
}

/// The frames that can be read by seeking, of a file that may have been cut.
pub fn frames_left(file: &[u8], decompressor: &Decompressor) -> Option<Frames> {
    let mut reader = SeekReader::new(Cursor::new(file), decompressor).ok()?;
    reader.read_frames(0..reader.frames()).ok()
}

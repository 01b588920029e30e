//! Commands that move data and do nothing else, to measure a device by.

use super::params;
use super::recording::{Overrides, Recording, Work};
use super::shaders::Kernel;
use crate::error::Result;

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Bytes of what has to be moved for a recording to be one.
pub(super) const LEAST_BYTES: usize = 4;

/// `bytes` bytes in, of which a kernel makes a copy; its first `downloaded` bytes out.
pub(super) fn copy(bytes: usize, downloaded: usize) -> Result<Recording> {
    let mut recording = Recording::default();
    let (from, to) = (recording.buffer(bytes)?, recording.buffer(bytes)?);
    let words = bytes.div_ceil(4);
    recording.upload(from);
    let params = params::Copy { words: words as u32 };
    recording.dispatch(Kernel::CopyForward, OVERRIDES, params, &[from, to], Work::Invocations(words));
    recording.download(to, 0..downloaded);
    Ok(recording)
}

/// What is handed in to a buffer of `bytes` bytes, the first `downloaded` bytes of which come back.
pub(super) fn transfer(bytes: usize, downloaded: usize) -> Result<Recording> {
    let mut recording = Recording::default();
    let buffer = recording.buffer(bytes)?;
    recording.upload(buffer);
    recording.download(buffer, 0..downloaded);
    Ok(recording)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_reads_and_writes_every_byte_once() {
        let recording = copy(1000, LEAST_BYTES).unwrap();
        let dispatches: Vec<_> = recording.dispatches().collect();
        assert_eq!((dispatches.len(), dispatches[0].moved_bytes), (1, 2000));
        assert_eq!(recording.download_bytes(), 4);
        assert_eq!(transfer(1000, 1000).unwrap().dispatches().count(), 0);
    }
}

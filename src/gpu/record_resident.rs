//! Commands for raw frames that are on the device already, or stay there. The first buffer of each of these recordings is
//! one that is there before, and the raw frames are in one that is kept.

use std::ops::Range;

use super::params;
use super::recording::{Command, Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::container;
use crate::cpu::block_sums::{ACCUMULATORS, SECRET, SUMS_BYTES};
use crate::cpu::pages::PAGE_BYTES;
use crate::cpu::recover::Exceptions;
use crate::error::Result;
use crate::frame::PitchedFrames;

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Frames with gaps in the first buffer, the same without gaps in the second; or the other way round.
pub(super) fn rows(frames: &PitchedFrames, kernel: Kernel) -> Result<Recording> {
    let mut recording = Recording::default();
    let (pitched, dense) = (frames.pitched_bytes(), frames.dense_bytes());
    let (from, to) = if kernel == Kernel::RowsForward { (pitched, dense) } else { (dense, pitched) };
    let storage = [recording.buffer(from)?, recording.buffer(to)?];
    let words = to.div_ceil(4);
    let mut params = params::Rows {
        words: words as u32,
        frames: frames.frames as u32,
        frame_bytes: frames.frame_bytes as u32,
        stretches: frames.stretches.len() as u32,
        ..Default::default()
    };
    for (at, (stretch, pitch)) in frames.stretches.iter().enumerate() {
        // Distances that nothing comes after may be any.
        let row = if stretch.rows > 1 { pitch.row as u32 } else { u32::MAX };
        let frame = if frames.frames > 1 { pitch.frame as u32 } else { u32::MAX };
        params.dense[at] = [stretch.start as u32, stretch.row_bytes as u32, stretch.rows as u32, 0];
        params.pitched[at] = [pitch.offset as u32, row, frame, 0];
    }
    recording.dispatch(kernel, OVERRIDES, params, &storage, Work::Invocations(words));
    Ok(recording)
}

/// The same for frames that are uploaded, and downloaded.
pub(super) fn rows_of_host(frames: &PitchedFrames, kernel: Kernel) -> Result<Recording> {
    let mut recording = rows(frames, kernel)?;
    let [from, to] = [Slot(0), Slot(1)];
    recording.commands.insert(0, Command::Upload { to: from });
    recording.download(to, 0..recording.buffers[to.0] as usize);
    Ok(recording)
}

/// Bytes that are uploaded to a buffer.
pub(super) fn upload(bytes: usize) -> Result<(Recording, Slot)> {
    let mut recording = Recording::default();
    let raw = recording.buffer(bytes)?;
    recording.upload(raw);
    Ok((recording, raw))
}

/// Pages of a buffer of so many bytes, which is there and is returned: one after another, to be downloaded, or back.
pub(super) fn pages(bytes: usize, pages: &[u32], kernel: Kernel) -> Result<(Recording, Slot)> {
    let mut recording = Recording::default();
    let (buffer, copied) = (recording.buffer(bytes)?, recording.buffer(pages.len() * PAGE_BYTES)?);
    let table = recording.table(pages)?;
    let (work, params) = (Work::Workgroups(pages.len()), params::Pages { count: pages.len() as u32 });
    if kernel == Kernel::PagesInverse {
        recording.upload(copied);
    }
    let storage = if kernel == Kernel::PagesInverse { [copied, buffer, table] } else { [buffer, copied, table] };
    recording.dispatch(kernel, OVERRIDES, params, &storage, work);
    recording.moves_only(pages.len() * (2 * PAGE_BYTES + size_of::<u32>()));
    if kernel == Kernel::PagesForward {
        recording.download(copied, 0..pages.len() * PAGE_BYTES);
    }
    Ok((recording, buffer))
}

/// Puts exceptions, whose places are within, into raw frames whose pixels have `channels` bytes.
pub(super) fn put_exceptions(
    recording: &mut Recording,
    Exceptions { places, pixels }: &Exceptions,
    channels: usize,
    raw: Slot,
) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let row = |(&place, &[first, second, third]): (&u32, &[u8; 3])| params::Exception {
        place,
        pixel: u32::from_le_bytes([first, second, third, 0]),
    };
    let rows: Vec<_> = places.iter().zip(pixels).map(row).collect();
    let table = recording.table(&rows)?;
    let params = params::Exceptions { count: rows.len() as u32, channels: channels as u32 };
    let work = Work::Invocations(rows.len());
    recording.dispatch(Kernel::ExceptionsInverse, OVERRIDES, params, &[raw, table], work);
    // Of the frames, a word or two for each, which are read and written.
    recording.moves_only(rows.len() * (size_of::<params::Exception>() + 4 * size_of::<u32>()));
    Ok(())
}

/// The same for frames that are uploaded, and downloaded.
pub(super) fn exceptions_of_host(exceptions: &Exceptions, channels: usize, raw_bytes: usize) -> Result<Recording> {
    let (mut recording, raw) = upload(raw_bytes)?;
    put_exceptions(&mut recording, exceptions, channels, raw)?;
    recording.download(raw, 0..raw_bytes);
    Ok(recording)
}

/// What is downloaded first of raw frames for their checksum.
pub(super) struct Sums {
    raw_bytes: usize,
    sums_bytes: usize,
    /// What is beyond the blocks that are added up.
    tail: Range<usize>,
}

impl Sums {
    /// For frames of so many bytes.
    pub fn of(raw_bytes: usize) -> Self {
        let sums_bytes = container::summed_blocks(raw_bytes) * SUMS_BYTES;
        Self { raw_bytes, sums_bytes, tail: container::tail(raw_bytes) }
    }

    /// Length of what is downloaded.
    pub fn bytes(&self) -> usize {
        self.sums_bytes + self.tail.len().next_multiple_of(4)
    }

    /// Adds it to a recording whose raw frames are in `raw` by then.
    pub fn record(&self, recording: &mut Recording, raw: Slot) -> Result<()> {
        let sums = self.sums_bytes / size_of::<u64>();
        if sums > 0 {
            let secret: Vec<u32> = SECRET.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
            let (secret, out) = (recording.table(&secret)?, recording.buffer(self.sums_bytes)?);
            let params = params::BlockSums { sums: sums as u32 };
            let storage = [raw, out, secret];
            recording.dispatch(Kernel::BlockSumsForward, OVERRIDES, params, &storage, Work::Invocations(sums));
            recording.moves_only(self.raw_bytes + self.sums_bytes);
            recording.download_to(0, out, 0..self.sums_bytes);
        }
        recording.download_to(self.sums_bytes, raw, self.tail.clone());
        Ok(())
    }

    /// The checksum from what was downloaded.
    pub fn checksum(&self, downloaded: &[u8]) -> u64 {
        let (sums, rest) = downloaded.split_at(self.sums_bytes);
        let sum = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let sums = sums.as_chunks::<SUMS_BYTES>().0.iter().map(|block| {
            let mut sums = [0; ACCUMULATORS];
            sums.iter_mut().zip(block.as_chunks().0).for_each(|(to, from)| *to = sum(from));
            sums
        });
        container::checksum_of_sums(self.raw_bytes, sums, &rest[..self.tail.len()])
    }
}

/// Some places of a buffer, which are downloaded one after another.
pub(super) struct Places {
    places: Vec<Range<usize>>,
    /// Where they begin in what is downloaded.
    first: usize,
}

impl Places {
    /// Places that are in order and begin with multiples of 4, after `first` other bytes.
    pub fn after(first: usize, places: Vec<Range<usize>>) -> Self {
        Self { places, first }
    }

    /// Adds them to a recording.
    pub fn record(&self, recording: &mut Recording, buffer: Slot) {
        for (place, to) in self.with_offsets() {
            recording.download_to(to, buffer, place);
        }
    }

    /// Puts them where they belong in what is like the buffer.
    pub fn put(&self, downloaded: &[u8], content: &mut [u8]) {
        for (place, from) in self.with_offsets() {
            content[place.clone()].copy_from_slice(&downloaded[from..from + place.len()]);
        }
    }

    fn with_offsets(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        let mut at = self.first;
        self.places.iter().map(move |place| {
            let from = at;
            at += place.len().next_multiple_of(4);
            (place.clone(), from)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{BufferLayout, Dtype, FrameFormat, Layout};

    /// One sixteenth of the bytes, the last ones, and the places that are asked for.
    #[test]
    fn a_look_downloads_little() {
        let raw_bytes = 100 * 1024 + 10;
        let sums = Sums::of(raw_bytes);
        let places = Places::after(sums.bytes(), vec![0..8, 1000..1010]);
        let (mut recording, raw) = upload(raw_bytes).unwrap();
        sums.record(&mut recording, raw).unwrap();
        places.record(&mut recording, raw);
        assert_eq!(recording.download_bytes(), 100 * 64 + (64 + 12) + 8 + 12);
        let dispatches: Vec<_> = recording.dispatches().map(|it| (it.kernel, it.workgroups)).collect();
        assert_eq!(dispatches, [(Kernel::BlockSumsForward, [4, 1])]);
        let downloaded: Vec<u8> = (0..recording.download_bytes()).map(|at| at as u8).collect();
        let mut sparse = vec![0; raw_bytes];
        places.put(&downloaded, &mut sparse);
        assert_eq!(sparse[..9], [downloaded[6476..6484].to_vec(), vec![0]].concat());
        assert_eq!(sparse[1000..1010], downloaded[6484..6494]);
        assert!(sparse[1010..].iter().all(|&byte| byte == 0));
    }

    /// There is nothing to do where all pixels are made.
    #[test]
    fn each_exception_is_an_invocation() {
        let exceptions = |count: u32| Exceptions {
            places: (0..count).map(|at| 3 * at).collect(),
            pixels: (0..count).map(|at| [at as u8, 1, 2]).collect(),
        };
        let recording = exceptions_of_host(&exceptions(300), 3, 3000).unwrap();
        let dispatches: Vec<_> = recording.dispatches().map(|it| (it.kernel, it.workgroups)).collect();
        assert_eq!(dispatches, [(Kernel::ExceptionsInverse, [2, 1])]);
        assert_eq!(recording.tables[0].2[..16], [0, 0, 0, 0, 0, 1, 2, 0, 3, 0, 0, 0, 1, 1, 2, 0]);
        assert_eq!(exceptions_of_host(&exceptions(0), 3, 3000).unwrap().dispatches().count(), 0);
    }

    #[test]
    fn a_batch_beyond_any_device_is_an_error() {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 1 << 15, height: 1 << 15 }).unwrap();
        let frames = BufferLayout::new(format, 2).unwrap().pitched();
        for kernel in [Kernel::RowsForward, Kernel::RowsInverse] {
            assert_eq!(rows(&frames, kernel).unwrap_err().kind(), crate::ErrorKind::Gpu);
        }
    }
}

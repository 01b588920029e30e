//! One file and many threads that read it.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use framepress::frame::{Dtype, FrameFormat, Frames};
use framepress::plan::{DeviceChoice, Settings};
use framepress::{Compressor, Decompressor, ErrorKind, ReadAt, SharedReader};

const FRAMES: usize = 90;

fn frames() -> Frames {
    let format = FrameFormat::from_shape(Dtype::U8, &[40, 60]).unwrap();
    let byte = |at: usize| (at % 60 + at / 60 % 40 * 2 + at / 2400 * 3 + (at * at / 11) % 3) as u8;
    Frames::new(format, FRAMES, (0..FRAMES * 2400).map(byte).collect()).unwrap()
}

/// Batches of four frames.
fn file(frames: &Frames) -> Vec<u8> {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    Compressor::new(settings).unwrap().compress_frames(frames).unwrap()
}

/// Ranges all over the file, other ones for each thread.
fn check(reader: &SharedReader<'_, impl ReadAt>, raw: &Frames, thread: usize) {
    for round in 0..12 {
        let first = (thread * 37 + round * 29) % FRAMES;
        let range = first..(first + 1 + (thread + round) % 13).min(FRAMES);
        let found = reader.read_frames(range.start as u64..range.end as u64).unwrap();
        assert!(found == raw.part(range.clone()).unwrap(), "{range:?}");
    }
}

#[test]
fn many_threads_read_one_file() {
    const THREADS: usize = 64;
    let raw = frames();
    let bytes = file(&raw);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fpk"), &bytes).unwrap();
    let decompressor = Decompressor::default();
    let of_file = SharedReader::new(File::open(folder.path().join("a.fpk")).unwrap(), &decompressor).unwrap();
    let in_memory = SharedReader::new(Arc::<Vec<u8>>::new(bytes), &decompressor).unwrap();
    assert_eq!((of_file.frames(), of_file.format()), (FRAMES as u64, raw.format()));
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (start, raw, of_file, in_memory) = (&start, &raw, &of_file, &in_memory);
            scope.spawn(move || {
                start.wait();
                check(of_file, raw, thread);
                check(in_memory, raw, thread);
            });
        }
    });
}

/// A source that, once `slow`, gives nothing before two threads ask for something.
struct Slow<'a> {
    bytes: &'a [u8],
    slow: AtomicBool,
    asking: AtomicUsize,
}

impl ReadAt for Slow<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.slow.load(Ordering::SeqCst) {
            self.asking.fetch_add(1, Ordering::SeqCst);
            let start = Instant::now();
            while self.asking.load(Ordering::SeqCst) < 2 {
                if start.elapsed() > Duration::from_secs(60) {
                    return Err(io::Error::other("nobody else asks"));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        self.bytes.read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.bytes.length()
    }
}

#[test]
fn no_reader_waits_for_another() {
    let raw = frames();
    let bytes = file(&raw);
    let decompressor = Decompressor::default();
    let source = Slow { bytes: &bytes, slow: AtomicBool::new(false), asking: AtomicUsize::new(0) };
    let reader = SharedReader::new(&source, &decompressor).unwrap();
    source.slow.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        for first in [10, 50] {
            let (reader, raw) = (&reader, &raw);
            scope.spawn(move || {
                let found = reader.read_frames(first as u64..first as u64 + 3).unwrap();
                assert!(found == raw.part(first..first + 3).unwrap());
            });
        }
    });
}

/// Damage is the business of those who read it.
#[test]
fn damage_hurts_nobody_else() {
    let raw = frames();
    let mut bytes = file(&raw);
    let decompressor = Decompressor::default();
    let records = SharedReader::new(bytes.clone(), &decompressor).unwrap();
    assert!(records.damage().is_empty());
    let mut end = 0;
    let mut reader = records.reader();
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    for batch in 0..6 {
        end += reader.batch_info(batch).unwrap().packed_bytes as usize;
    }
    bytes[header + end - 1] ^= 1;
    let reader = SharedReader::new(bytes, &decompressor).unwrap();
    std::thread::scope(|scope| {
        for frame in 0..FRAMES {
            let (reader, raw) = (&reader, &raw);
            scope.spawn(move || match reader.read_frames(frame as u64..frame as u64 + 1) {
                Ok(found) => assert!(found == raw.part(frame..frame + 1).unwrap()),
                Err(error) => {
                    let batch = error.location().map(|at| at.batch);
                    assert_eq!((error.kind(), batch, frame / 4), (ErrorKind::Corrupt, Some(5), 5));
                }
            });
        }
    });
    assert!(reader.read_frames(20..24).is_err());
}

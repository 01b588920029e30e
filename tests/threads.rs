//! Many threads, many calls: what they share, and what is left of them. A test program of its own, and one test at a
//! time: the threads and the memory of the process are counted.
#![cfg(target_os = "linux")]

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::{Barrier, Mutex, MutexGuard, Once, PoisonError};

use framepress::frame::{Dtype, FrameFormat, Frames};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, ErrorKind, Reader, SeekReader, Settings, set_thread_cap};

/// Threads of the pool.
const CAP: usize = 3;

/// Threads that the test harness starts and ends when it likes: one for each test that waits for its turn.
const WAITING: usize = 2;

/// Lets one test run at a time, with [`CAP`] threads in the pool.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    static CAPPED: Once = Once::new();
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    CAPPED.call_once(|| set_thread_cap(NonZeroUsize::new(CAP).unwrap()).unwrap());
    guard
}

/// Threads of this process now, and files that it has open.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Memory of this process now, in KiB.
fn resident_kb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn frames(count: usize, shape: &[usize], seed: usize) -> Frames {
    let format = FrameFormat::from_shape(Dtype::U8, shape).unwrap();
    let raw = (0..count * format.frame_bytes()).map(|at| (at % 131 + at / 977 % 40 * seed) as u8).collect();
    Frames::new(format, count, raw).unwrap()
}

fn settings() -> Settings {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_level(1).unwrap();
    settings.with_batch_frames(NonZeroUsize::new(4))
}

/// Many compressors at once share one pool, and batches within batches start nothing.
#[test]
fn callers_share_one_pool() {
    const CALLERS: usize = 12;
    let _alone = alone();
    let before = threads();
    let frames = frames(40, &[96, 128], 1);
    let barrier = Barrier::new(CALLERS);
    let call = || {
        barrier.wait();
        let mut most = 0;
        for _ in 0..4 {
            let file = Compressor::new(settings()).unwrap().compress_frames(&frames).unwrap();
            assert!(Decompressor::default().decompress(&file).unwrap() == frames);
            most = most.max(threads());
        }
        most
    };
    let most = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).max()
    });
    assert!(most <= Some(before + CALLERS + CAP + WAITING), "{most:?} threads, {before} before");
    assert!(threads() <= before + CAP + WAITING, "{} threads are left, {before} before", threads());
}

/// One compressor, one decompressor and one reader, used by 64 threads at once.
#[test]
fn sixty_four_threads_share_everything() {
    const CALLERS: usize = 64;
    let _alone = alone();
    let compressor = Compressor::new(settings()).unwrap();
    let decompressor = Decompressor::default();
    let shared = frames(4 * 3 * CALLERS, &[24, 40], 1);
    let file = compressor.compress_frames(&shared).unwrap();
    let reader = Mutex::new(Reader::new(file.as_slice(), &decompressor).unwrap());
    let batches = Mutex::new(Vec::new());
    let barrier = Barrier::new(CALLERS);
    let (compressor, decompressor, shared, file) = (&compressor, &decompressor, &shared, file.as_slice());
    let call = |caller: usize| {
        barrier.wait();
        for round in 0..3 {
            // Frames of its own, of one of several shapes, so that what is kept for the next call does not fit.
            let own = frames(5 + caller % 4, &[[16, 20, 3], [33, 17, 3], [40, 8, 1]][(caller + round) % 3], caller);
            let packed = compressor.compress_frames(&own).unwrap();
            assert!(decompressor.decompress(&packed).unwrap() == own);
            let mut damaged = packed.clone();
            damaged[packed.len() / 2] ^= 1;
            assert!(decompressor.decompress(&damaged).is_err());

            let mut seeking = SeekReader::new(Cursor::new(file), decompressor).unwrap();
            let start = (caller * 7 + round * 11) % (shared.frames() - 9);
            let part = seeking.read_frames(start as u64..start as u64 + 9).unwrap();
            assert!(part == shared.part(start..start + 9).unwrap());

            let batch = reader.lock().unwrap().next_batch().unwrap().unwrap();
            batches.lock().unwrap().push(batch);
        }
    };
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let call = &call;
            scope.spawn(move || call(caller));
        }
    });
    assert!(reader.into_inner().unwrap().next_batch().unwrap().is_none(), "every batch was read once");
    let mut batches = batches.into_inner().unwrap();
    batches.sort_by_key(|batch| batch.first_frame);
    let bytes: Vec<u8> = batches.iter().flat_map(|batch| batch.frames.as_bytes()).copied().collect();
    assert!(bytes == shared.as_bytes());
}

/// Neither memory nor threads nor files are left of calls, also of those that fail.
#[test]
fn ten_thousand_small_calls_leave_nothing() {
    const CALLS: usize = 10_000;
    /// What allocators keep varies by this much. A call that leaks half a kilobyte is found.
    const MOST_KB: usize = 4 << 10;
    let _alone = alone();
    let frames = frames(2, &[12, 10, 3], 1);
    let kept = (Compressor::new(settings()).unwrap(), Decompressor::default());
    let call = |_| {
        let compressor = Compressor::new(settings()).unwrap();
        let packed = compressor.compress_frames(&frames).unwrap();
        assert!(framepress::decompress(&packed).unwrap() == frames);
        assert!(kept.1.decompress(&kept.0.compress_frames(&frames).unwrap()).unwrap() == frames);
        let cut = kept.1.decompress(&packed[..packed.len() - 20]).unwrap_err();
        assert_eq!(cut.kind(), ErrorKind::Truncated);
        let mut recovered = Vec::new();
        framepress::recover(Cursor::new(&packed[..packed.len() - 20]), &mut recovered, &kept.1).unwrap();
        assert!(recovered == packed);
    };
    (0..CALLS / 10).for_each(call);
    let before = (threads(), open_files(), resident_kb());
    (0..CALLS).for_each(call);
    let after = (threads(), open_files(), resident_kb());
    assert_eq!((after.0, after.1), (before.0, before.1), "threads and open files");
    assert!(after.2 <= before.2 + MOST_KB, "{} KiB, {} before", after.2, before.2);
}

//! Threads of the process, however many callers there are. A test program of its own: others start threads too.
#![cfg(target_os = "linux")]

use std::num::NonZeroUsize;
use std::sync::Barrier;

use framepress::frame::{Dtype, FrameFormat, Frames};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, Settings, set_thread_cap};

/// Threads of the pool.
const CAP: usize = 3;

/// Threads of this process now.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Many compressors at once share one pool, and batches within batches start nothing.
#[test]
fn callers_share_one_pool() {
    const CALLERS: usize = 12;
    set_thread_cap(NonZeroUsize::new(CAP).unwrap()).unwrap();
    let before = threads();
    let format = FrameFormat::from_shape(Dtype::U8, &[96, 128]).unwrap();
    let raw: Vec<u8> = (0..40 * format.frame_bytes()).map(|at| (at % 131 + at / 977 % 40) as u8).collect();
    let frames = Frames::new(format, 40, raw).unwrap();
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    let barrier = Barrier::new(CALLERS);
    let call = || {
        barrier.wait();
        let mut most = 0;
        for _ in 0..4 {
            let file = Compressor::new(settings.clone()).unwrap().compress_frames(&frames).unwrap();
            assert!(Decompressor::default().decompress(&file).unwrap() == frames);
            most = most.max(threads());
        }
        most
    };
    let most = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).max()
    });
    assert!(most <= Some(before + CALLERS + CAP), "{most:?} threads, {before} before");
    assert!(threads() <= before + CAP, "{} threads are left, {before} before", threads());
}

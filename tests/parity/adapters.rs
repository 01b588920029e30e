//! Adapters that are asked for too much, are not there, or go away.

use std::sync::atomic::{AtomicUsize, Ordering};

use framepress::frame::{Dtype, FrameFormat, Frames, WorkBuffer};
use framepress::internal::gpu::{Accelerator, GpuBackend, Selection, compare, compare_copy, sample_bytes};
use framepress::internal::{Backend, Detail};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, ErrorKind, Limits, Settings};
use libtest_mimic::Trial;

use super::backends::{Adapter, adapters, reference, row};
use super::cases::{Case, gray};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("adapter", it, "batch-too-large", || batch_too_large(it.adapter())));
        rows.push(row("adapter", it, "batch-too-large-is-redone", || too_large_is_redone(it.adapter())));
        rows.push(row("adapter", it, "unknown-name", || unknown_name(it.adapter())));
        rows.push(row("adapter", it, "copy", || copy(it.adapter())));
        rows.push(row("adapter", it, "profile", || profile(it.adapter())));
        rows.push(row("adapter", it, "several-at-once", || several_at_once(it.adapter())));
        rows.push(row("adapter", it, "lost-device", || lost_device(it.adapter())));
        rows.push(row("adapter", it, "lost-with-several", || lost_with_several(it.adapter())));
    }
    rows
}

/// Just more than the least buffer that every adapter has: an error, or it works, but the device
/// stays.
fn batch_too_large(adapter: &Adapter) {
    let case = Case::new(Dtype::U8, gray(1 << 15, (1 << 12) + 1), 1, 1);
    match adapter.shared().forward(case.batch(), &case.identity(), &mut WorkBuffer::default()) {
        Ok(()) => {}
        Err(error) => assert!(error.to_string().contains("batch too large"), "{error}"),
    }
    assert!(!adapter.shared().is_lost());
}

/// Whoever asks for it gets it all the same, from the CPU if the device cannot.
fn too_large_is_redone(adapter: &Adapter) {
    let format = FrameFormat::new(Dtype::U8, gray(1 << 15, (1 << 12) + 1)).unwrap();
    let frames = Frames::new(format.clone(), 1, sample_bytes(format.frame_bytes(), 1)).unwrap();
    let device = DeviceChoice::Named(adapter.index());
    let compressor = Compressor::new(Settings::new().with_level(1).unwrap().with_device(device.clone())).unwrap();
    let file = compressor.compress_frames(&frames).unwrap();
    let decompressor = Decompressor::new(&device, None, Limits::default()).unwrap();
    assert!(decompressor.decompress(&file).unwrap() == frames);
    for counts in [compressor.counts(), decompressor.counts()] {
        assert_eq!((counts.cpu, counts.gpu + counts.redone), (0, 1), "{counts:?}");
    }
}

/// The error lists the adapters that there are.
fn unknown_name(adapter: &Adapter) {
    let error = GpuBackend::new(Selection::Named("no such adapter")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Gpu);
    assert!(error.to_string().contains(&adapter.description.name), "{error}");
}

/// One word, a workgroup and a word more, and more than one dimension of workgroups.
fn copy(adapter: &Adapter) {
    for words in [1, 257, 65_535 * 256 + 3] {
        let copy = |from: &[u8], to: &mut [u8]| adapter.shared().copy(from, to);
        assert_eq!(compare_copy(copy, words).unwrap(), None);
    }
}

/// What runs is told, part by part, and comes to the same bytes.
fn profile(adapter: &Adapter) {
    let case = Case::new(Dtype::U8, gray(333, 50), 3, 5);
    let device = adapter.open();
    for detail in [Detail::Host, Detail::Kernels] {
        let work = || compare(&device, &reference(), case.batch(), &case.identity());
        let (difference, runs) = device.profile(detail, work);
        assert_eq!(difference.unwrap(), None);
        assert_eq!(runs.len(), 2, "there and back");
        assert_eq!(runs[0].uploaded_bytes, case.raw.len() as u64);
        assert_eq!(runs[1].downloaded_bytes, case.raw.len().next_multiple_of(4) as u64);
        for run in &runs {
            assert!(run.total() >= run.wait && !run.wait.is_zero());
            assert!(!run.kernels.is_empty());
            let timed = run.kernels.iter().all(|kernel| kernel.time.is_some());
            let can_tell = adapter.description.capabilities.unwrap().timestamp_queries;
            assert_eq!(timed, can_tell && detail == Detail::Kernels);
        }
    }
    let (_, runs) = device.profile(Detail::Host, || ());
    assert_eq!(runs, [], "what ran unwatched is not told");
}

/// Calls fail, and the device stays lost.
fn lost_device(adapter: &Adapter) {
    let case = Case::new(Dtype::U8, gray(33, 5), 2, 5);
    let device = adapter.open();
    let call = || compare(&device, &reference(), case.batch(), &case.identity());
    assert_eq!(call().unwrap(), None);
    assert!(!device.is_lost());
    device.destroy();
    for _ in 0..2 {
        assert_eq!(call().unwrap_err().kind(), ErrorKind::Gpu);
        assert!(device.is_lost());
    }
}

/// What each of some threads does again and again, until it says that it is over.
fn on_threads(threads: u64, work: impl Fn(&Case) -> bool + Sync) {
    std::thread::scope(|scope| {
        for seed in 0..threads {
            let work = &work;
            scope.spawn(move || {
                let case = Case::new(Dtype::U8, gray(640, 200 + 16 * seed as usize), 4, seed);
                while !work(&case) {}
            });
        }
    });
}

/// The device is given work while it has some, however little memory there is for what is on its way, and nothing gets
/// mixed up.
fn several_at_once(adapter: &Adapter) {
    // Of the second device no two runs fit the memory.
    for (staging_bytes, least) in [(64 << 20, 3), (1 << 20, 1)] {
        let device = adapter.open();
        device.staging_within(staging_bytes);
        let left = AtomicUsize::new(60);
        on_threads(6, |case| {
            assert_eq!(compare(&device, &reference(), case.batch(), &case.plans()[9]).unwrap(), None);
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
        });
        assert!((least..=6).contains(&device.most_outstanding()), "{}", device.most_outstanding());
        assert!(least > 1 || device.most_outstanding() == 1);
    }
}

/// Every call fails that is on its way to a device that goes away, or waits for its turn.
fn lost_with_several(adapter: &Adapter) {
    let device = adapter.open();
    device.staging_within(1 << 20);
    let sound = AtomicUsize::new(0);
    on_threads(4, |case| match compare(&device, &reference(), case.batch(), &case.plans()[9]) {
        Ok(difference) => {
            assert_eq!(difference, None);
            if sound.fetch_add(1, Ordering::SeqCst) == 8 {
                device.destroy();
            }
            false
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Gpu);
            true
        }
    });
    assert!(device.is_lost() && sound.into_inner() > 8);
}

//! Adapters that are asked for too much, are not there, or go away.

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
        rows.push(row("adapter", it, "lost-device", || lost_device(it.adapter())));
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

//! Adapters that are asked for too much, are not there, or go away.

use framepress::ErrorKind;
use framepress::frame::{Dtype, WorkBuffer};
use framepress::internal::Backend;
use framepress::internal::gpu::{Accelerator, GpuBackend, Selection, compare};
use libtest_mimic::Trial;

use super::backends::{Adapter, adapters, reference, row};
use super::cases::{Case, gray};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("adapter", it, "batch-too-large", || batch_too_large(it.adapter())));
        rows.push(row("adapter", it, "unknown-name", || unknown_name(it.adapter())));
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

/// The error lists the adapters that there are.
fn unknown_name(adapter: &Adapter) {
    let error = GpuBackend::new(Selection::Named("no such adapter")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Gpu);
    assert!(error.to_string().contains(&adapter.description.name), "{error}");
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

//! Counters and histograms of batches. A test program of its own: there is one recorder in a process.

use std::num::NonZeroUsize;

use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, Settings};
use metrics_exporter_prometheus::PrometheusBuilder;
use ndarray::Array3;

#[test]
fn batches_are_counted() {
    let recorder = PrometheusBuilder::new().install_recorder().unwrap();
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    let frames = Array3::from_shape_fn((10, 40, 50), |(f, y, x)| (f + 2 * y + x) as u8);
    let packed = Compressor::new(settings).unwrap().compress(frames.view()).unwrap();
    Decompressor::default().decompress(&packed).unwrap();
    assert!(Decompressor::default().decompress(&packed[..packed.len() / 2]).is_err());
    let text = recorder.render();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("framepress_batches_total{direction=\"compress\"}"), 3.0);
    assert_eq!(value("framepress_raw_bytes_total{direction=\"compress\"}"), 20_000.0);
    let packed_bytes = value("framepress_packed_bytes_total{direction=\"compress\"}");
    assert!((1.0..packed.len() as f64).contains(&packed_bytes));
    // Half of a file has less than all batches.
    let decompressed = value("framepress_batches_total{direction=\"decompress\"}");
    assert!((3.0..6.0).contains(&decompressed), "{decompressed}");
    let ratios: f64 = text
        .lines()
        .filter(|line| line.starts_with("framepress_ratio_count"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(ratios, 3.0);
    assert!(value("framepress_device_seconds_count{device=\"cpu\"}") >= 6.0);
    assert_eq!(value("framepress_batches_in_work"), 0.0, "nothing is left in work");
}

//! What a program that runs for long can watch, as Prometheus would read it.
//!
//! `cargo run --release --example metrics`; with an HTTP listener (a feature of the exporter) Prometheus can scrape it.

use framepress::{Compressor, Decompressor, Settings};
use metrics_exporter_prometheus::PrometheusBuilder;
use ndarray::Array4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recorder = PrometheusBuilder::new().install_recorder()?;
    let compressor = Compressor::new(Settings::new())?;
    for turn in 0..3u8 {
        let frames = Array4::from_shape_fn((8, 120, 160, 3), |(f, y, x, c)| (x + y + 2 * f + c) as u8 ^ turn);
        let packed = compressor.compress(frames.view())?;
        Decompressor::default().decompress(&packed)?;
    }
    print!("{}", recorder.render());
    Ok(())
}

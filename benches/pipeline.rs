//! Frames to a file in memory and back.
//!
//! Ids are `direction/clip/level/device/threads`. Transfers to and from a device are included. The
//! clips are not repeated, for a codec would find the copies.

mod clips;

use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, DeviceDescription, Limits, Settings, devices};

/// The devices to run on: the CPU and every adapter.
fn backends() -> Vec<(String, DeviceChoice)> {
    let choice = |device: DeviceDescription| match device.index {
        Some(index) => (format!("gpu-{index}"), DeviceChoice::Named(index.to_string())),
        None => ("cpu".to_owned(), DeviceChoice::Cpu),
    };
    devices().into_iter().map(choice).collect()
}

fn pipeline(criterion: &mut Criterion) {
    for clip in clips::clips() {
        for (device_name, device) in backends() {
            for level in 1..=9 {
                for (threads_name, threads) in [("1-thread", Some(NonZeroUsize::MIN)), ("all-threads", None)] {
                    let settings = Settings::new().with_level(level).expect("a level");
                    let settings = settings.with_device(device.clone()).with_threads(threads);
                    let compressor = Compressor::new(settings).expect("a compressor");
                    let decompressor = Decompressor::new(&device, threads, Limits::default()).expect("a decompressor");
                    let packed = compressor.compress_frames(&clip.frames).expect("a file");
                    let row = format!("{}/level-{level}/{device_name}/{threads_name}", clip.name);

                    for direction in ["compress", "decompress"] {
                        let mut group = criterion.benchmark_group(direction);
                        group.throughput(Throughput::Bytes(clip.frames.as_bytes().len() as u64));
                        group.sample_size(10);
                        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
                        group.bench_function(&row, |bencher| {
                            if direction == "compress" {
                                bencher.iter(|| compressor.compress_frames(&clip.frames).expect("a file"));
                            } else {
                                bencher.iter(|| decompressor.decompress(&packed).expect("frames"));
                            }
                        });
                    }
                }
            }
        }
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);

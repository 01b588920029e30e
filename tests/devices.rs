//! Every device gives the same bytes, on real clips and on every dtype.
//!
//! Without an adapter the rows say that they are skipped; with `FRAMEPRESS_REQUIRE_GPU=1` they fail.

#![cfg(feature = "gpu")]

use std::num::NonZeroUsize;
use std::path::Path;

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Layout};
use framepress::plan::{CodecChoice, DeviceChoice};
use framepress::{BatchCounts, Compressor, Decompressor, DeviceKind, Limits, Settings, devices, input};

/// The adapters by index, or none with a note.
fn adapters() -> Vec<DeviceChoice> {
    let found = devices().into_iter().filter(|device| device.kind != DeviceKind::Cpu);
    let found: Vec<_> = found.filter_map(|device| Some(DeviceChoice::Named(device.index?.to_string()))).collect();
    if found.is_empty() {
        assert!(std::env::var("FRAMEPRESS_REQUIRE_GPU").is_err(), "no GPU adapter, and FRAMEPRESS_REQUIRE_GPU is set");
        eprintln!("skipped: no GPU adapter");
    }
    found
}

/// Compresses on the CPU and on `device`, compares the bytes, and decompresses on `device`.
fn check(device: &DeviceChoice, settings: &Settings, frames: &Frames) {
    let what = format!("{device:?}, {:?} x {}", frames.format(), frames.frames());
    let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
    let on_device = Compressor::new(settings.clone().with_device(device.clone())).unwrap();
    let packed = on_device.compress_frames(frames).unwrap();
    assert!(packed == on_cpu.compress_frames(frames).unwrap(), "{what}: the bytes differ");
    let decompressor = Decompressor::new(device, None, Limits::default()).unwrap();
    assert!(decompressor.decompress(&packed).unwrap() == *frames, "{what}: the frames differ");
    for BatchCounts { redone, gpu, .. } in [on_device.counts(), decompressor.counts()] {
        assert_eq!(redone, 0, "{what}: batches were redone");
        assert!(gpu > 0 || frames.as_bytes().is_empty(), "{what}: nothing ran there");
    }
}

fn clip(name: &str) -> Frames {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut reader = input::open(&path, None).unwrap();
    let batch = reader.read_batch(usize::MAX).unwrap().unwrap();
    Frames::new(reader.description().format.clone(), batch.frames, batch.bytes).unwrap()
}

#[test]
fn clips() {
    for device in adapters() {
        for name in ["bbb_rgb_317x179.npy", "bbb_yuv420_320x176.y4m"] {
            let frames = clip(name);
            for level in [1, 3, 5] {
                let settings = Settings::new().with_level(level).unwrap();
                check(&device, &settings.with_batch_frames(NonZeroUsize::new(5)), &frames);
            }
        }
    }
}

/// Numbers that go up and down, with some noise.
fn frames(format: FrameFormat, count: usize) -> Frames {
    let mut state = 7u64;
    let bytes = (0..count * format.frame_bytes()).map(|at| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (at / 5) as u8 ^ (state >> 62) as u8
    });
    let bytes = bytes.collect();
    Frames::new(format, count, bytes).unwrap()
}

#[test]
fn every_dtype_and_codec() {
    for device in adapters() {
        for dtype in Dtype::ALL {
            for shape in [vec![], vec![37], vec![13, 21], vec![9, 11, 3], vec![2, 5, 7, 6]] {
                let count = if shape.is_empty() { 1000 } else { 5 };
                let frames = frames(FrameFormat::from_shape(dtype, &shape).unwrap(), count);
                for codec in [CodecChoice::Auto, CodecChoice::Store, CodecChoice::Lz4] {
                    check(&device, &Settings::new().with_codec(codec), &frames);
                }
            }
        }
    }
}

#[test]
fn every_pixel_layout() {
    let (width, height) = (19, 7);
    let mut layouts: Vec<Layout> =
        ChannelOrder::ALL.into_iter().map(|order| Layout::Packed { width, height, order }).collect();
    for sampling in ChromaSampling::ALL {
        for chroma in ChromaOrder::ALL {
            layouts.push(Layout::Yuv { width, height, sampling, chroma });
        }
    }
    for device in adapters() {
        for layout in &layouts {
            for dtype in [Dtype::U8, Dtype::U16] {
                check(&device, &Settings::new(), &frames(FrameFormat::new(dtype, layout.clone()).unwrap(), 3));
            }
        }
    }
}

#[test]
fn many_threads_share_a_device() {
    let frames = clip("bbb_yuv420_320x176.y4m");
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    let expected =
        Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap().compress_frames(&frames).unwrap();
    for device in adapters() {
        let compressor = Compressor::new(settings.clone().with_device(device)).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(compressor.compress_frames(&frames).unwrap() == expected));
            }
        });
    }
}

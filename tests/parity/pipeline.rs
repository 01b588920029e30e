//! Whole files through the public API: every adapter writes the bytes that the CPU writes, and reads
//! them back.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::Path;

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout};
use framepress::internal::{Backend, KNOWN};
use framepress::plan::{CodecChoice, DeviceChoice, Making, Method, TilePlan};
use framepress::{BatchCounts, Compressor, Decompressor, Limits, SeekReader, Settings, input};
use libtest_mimic::Trial;

use super::backends::{Subject, adapters, reference, row};
use super::made;

const RGB: &str = "bbb_rgb_317x179.npy";
const YUV: &str = "bbb_yuv420_320x176.y4m";

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        for name in [RGB, YUV] {
            rows.push(row("clips", it, name, move || clips(&choice(it), name)));
        }
        rows.extend(
            Dtype::ALL.map(|dtype| row("dtypes", it, dtype.name(), move || shapes_and_codecs(&choice(it), dtype))),
        );
        for dtype in [Dtype::U8, Dtype::U16] {
            rows.push(row("layouts", it, dtype.name(), move || pixel_layouts(&choice(it), dtype)));
        }
        rows.push(row("moving", it, YUV, || moving(&choice(it))));
        rows.push(row("between", it, "yuv420", || between(&choice(it))));
        rows.push(row("made-from-yuv", it, YUV, || made_from_yuv(&choice(it))));
        rows.push(row("threads", it, "one-compressor", || threads(choice(it))));
    }
    rows
}

fn choice(subject: &Subject) -> DeviceChoice {
    DeviceChoice::Named(subject.adapter().index())
}

/// Compresses on the CPU and on `device`, compares the bytes, and decompresses on `device`.
fn check(device: &DeviceChoice, settings: &Settings, frames: &Frames) {
    let what = format!("{:?} x {}", frames.format(), frames.frames());
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

fn clips(device: &DeviceChoice, name: &str) {
    let frames = clip(name);
    for level in [1, 3, 5] {
        let settings = Settings::new().with_level(level).unwrap();
        check(device, &settings.with_batch_frames(NonZeroUsize::new(5)), &frames);
    }
}

/// A clip that moves, as planes and recovered.
fn moving(device: &DeviceChoice) {
    let planes = clip(YUV);
    let made = made_of(&planes, ChannelOrder::Rgb);
    for (frames, level) in [(&planes, 5), (&planes, 7), (&made, 6)] {
        let settings = Settings::new().with_level(level).unwrap();
        check(device, &settings, frames);
        let method = method_of(&settings, frames);
        let tiles = if let Method::Recovered(plan) = &method { &*plan.method } else { &method };
        assert!(matches!(tiles, Method::Tiles(TilePlan { moves: true, .. })), "{method:?}");
    }
}

/// Frames that refer to later ones.
fn between(device: &DeviceChoice) {
    let layout = Layout::Yuv { width: 101, height: 67, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar };
    let frames = made::between::frames(layout, &[0, 2, 3, 7]);
    for level in [8, 9] {
        let settings = Settings::new().with_level(level).unwrap();
        check(device, &settings, &frames);
        let packed = Compressor::new(settings).unwrap().compress_frames(&frames).unwrap();
        assert!(made::between::refers_to_later(&packed), "level {level}");
    }
}

fn method_of(settings: &Settings, frames: &Frames) -> Method {
    let packed = Compressor::new(settings.clone()).unwrap().compress_frames(frames).unwrap();
    let decompressor = Decompressor::default();
    SeekReader::new(Cursor::new(packed), &decompressor).unwrap().batch_info(0).unwrap().method
}

/// Packed frames that are made of YUV.
fn made_of(planes: &Frames, order: ChannelOrder) -> Frames {
    let Layout::Yuv { width, height, .. } = *planes.format().layout() else { panic!("{:?}", planes.format()) };
    let blue_first = matches!(order, ChannelOrder::Bgr | ChannelOrder::Bgra);
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first };
    let format = FrameFormat::new(Dtype::U8, Layout::Packed { width, height, order }).unwrap();
    let mut frames = vec![200; planes.frames() * format.frame_bytes()];
    // Without alpha, which the planes do not have.
    let pixels = frames.chunks_exact_mut(order.channels());
    let packed = Layout::Packed { width, height, order: ChannelOrder::Rgb };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, packed).unwrap(), planes.frames());
    let mut made = vec![0; geometry.raw_bytes()];
    reference().convert(&geometry, &making, planes.as_bytes(), &mut made).unwrap();
    pixels.zip(made.as_chunks::<3>().0).for_each(|(pixel, made)| pixel[..3].copy_from_slice(made));
    Frames::new(format, planes.frames(), frames).unwrap()
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

fn shapes_and_codecs(device: &DeviceChoice, dtype: Dtype) {
    for shape in [vec![], vec![37], vec![13, 21], vec![9, 11, 3], vec![2, 5, 7, 6]] {
        let count = if shape.is_empty() { 1000 } else { 5 };
        let frames = frames(FrameFormat::from_shape(dtype, &shape).unwrap(), count);
        for codec in [CodecChoice::Auto, CodecChoice::Store, CodecChoice::Lz4] {
            check(device, &Settings::new().with_codec(codec), &frames);
        }
    }
}

fn pixel_layouts(device: &DeviceChoice, dtype: Dtype) {
    let (width, height) = (19, 7);
    let mut layouts: Vec<Layout> =
        ChannelOrder::ALL.into_iter().map(|order| Layout::Packed { width, height, order }).collect();
    for sampling in ChromaSampling::ALL {
        for chroma in ChromaOrder::ALL {
            layouts.push(Layout::Yuv { width, height, sampling, chroma });
        }
    }
    for layout in layouts {
        check(device, &Settings::new(), &frames(FrameFormat::new(dtype, layout).unwrap(), 3));
    }
}

/// Packed frames whose planes are recovered.
fn made_from_yuv(device: &DeviceChoice) {
    let planes = clip(YUV);
    let Layout::Yuv { width, height, .. } = *planes.format().layout() else { panic!("{:?}", planes.format()) };
    for order in ChannelOrder::ALL {
        let made = made_of(&planes, order);
        let format = made.format().clone();
        let mut frames = made.as_bytes().to_vec();
        frames.iter_mut().step_by(5003).for_each(|byte| *byte ^= 64);
        let count = planes.frames();
        // Something else in a corner.
        let mut in_part = frames.clone();
        for (at, pixel) in in_part.chunks_exact_mut(order.channels()).enumerate() {
            let (x, y) = (at % width, at / width % height);
            if x < 150 && y < 90 {
                pixel[..3].copy_from_slice(&[x as u8 / 2, y as u8 ^ (x * y % 7) as u8, (x + y) as u8 / 3]);
            }
        }
        let [whole, in_part] = [frames, in_part].map(|frames| Frames::new(format.clone(), count, frames).unwrap());
        for level in [2, 5] {
            let settings = Settings::new().with_level(level).unwrap().with_batch_frames(NonZeroUsize::new(5));
            let checked = |frames: &Frames| {
                check(device, &settings, frames);
                method_of(&settings, frames)
            };
            let (whole, in_part) = (checked(&whole), checked(&in_part));
            assert!(matches!(whole, Method::Recovered(_)), "{order:?}: {whole:?}");
            assert!(matches!(in_part, Method::Patched(_)), "{order:?}: {in_part:?}");
        }
    }
}

fn threads(device: DeviceChoice) {
    let frames = clip(YUV);
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    let expected =
        Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap().compress_frames(&frames).unwrap();
    let compressor = Compressor::new(settings.with_device(device)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(compressor.compress_frames(&frames).unwrap() == expected));
        }
    });
}

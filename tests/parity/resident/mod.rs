//! Frames that are on a device before, or are to be there afterwards: the same bytes as from the host, and little that
//! crosses the bus.

mod devices;
mod kernels;
mod recovered;
mod textures;
mod transfers;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use framepress::frame::{BufferLayout, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Layout};
use framepress::internal::gpu::sample_bytes;
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, Gpu, GpuFrames, Settings, input, wgpu};
use libtest_mimic::Trial;
use wgpu::BufferUsages;

use super::backends::{Adapter, adapters, row};
use super::cases::{array, gray, packed, yuv};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("resident", it, "rows", || kernels::some_rows(it.adapter())));
        rows.push(row("resident", it, "checksums", || kernels::checksums(it.adapter())));
        rows.push(row("resident", it, "exceptions", || kernels::exceptions(it.adapter())));
        rows.push(row("resident", it, "pages", || kernels::pages(it.adapter())));
        rows.push(row("resident", it, "solved", || kernels::solved(it.adapter())));
        rows.push(row("resident", it, "recovered", || recovered::frames_come_back(&opened(it.adapter()))));
        rows.push(row("resident", it, "recovered-there", || recovered::frames_stay(&opened(it.adapter()))));
        rows.push(row("resident", it, "recovered-transferred", || recovered::transferred(&opened(it.adapter()))));
        rows.push(row("resident", it, "recovered-moving", || {
            recovered::moving_frames_come_back(&opened(it.adapter()));
        }));
        // Devices of their own: what runs on them is counted.
        let own = || Gpu::open(Some(&it.adapter().index())).unwrap();
        rows.push(row("resident", it, "planes-stay", move || recovered::planes_stay(&own())));
        rows.push(row("resident", it, "planes-stay-there", move || recovered::planes_stay_there(&own())));
        rows.push(row("resident", it, "damaged-exceptions", || recovered::damaged_exceptions(&opened(it.adapter()))));
        rows.push(row("resident", it, "layouts", || layouts(&opened(it.adapter()))));
        rows.push(row("resident", it, "levels", || levels(&opened(it.adapter()))));
        rows.push(row("resident", it, "textures", || textures::textures(&opened(it.adapter()))));
        rows.push(row("resident", it, "planes-in-textures", || textures::planes_in_textures(&opened(it.adapter()))));
        rows.push(row("resident", it, "little-is-transferred", || transfers::little_is_transferred(it.adapter())));
        rows.push(row("resident", it, "transferred", || transfers::transferred(&opened(it.adapter()))));
        rows.push(row("resident", it, "several-batches", || several_batches(&opened(it.adapter()))));
        rows.push(row("resident", it, "batches-between-words", || batches_between_words(&opened(it.adapter()))));
        rows.push(row("resident", it, "buffers-of-others", || buffers_of_others(&opened(it.adapter()))));
        rows.push(row("resident", it, "refusals", || transfers::refusals(&opened(it.adapter()))));
        rows.push(row("resident", it, "damage", || transfers::damage(&opened(it.adapter()))));
        rows.push(row("resident", it, "lent-device", || devices::lent_device(it.adapter())));
        rows.push(row("resident", it, "lent-without-limits", || devices::lent_without_limits(it.adapter())));
        rows.push(row("resident", it, "lost-device", || devices::lost_device(it.adapter())));
    }
    rows
}

/// The device that most rows share.
fn opened(adapter: &Adapter) -> Gpu {
    static OPENED: OnceLock<Mutex<HashMap<String, Gpu>>> = OnceLock::new();
    let mut opened = OPENED.get_or_init(Mutex::default).lock().unwrap();
    opened.entry(adapter.index()).or_insert_with(|| Gpu::open(Some(&adapter.index())).unwrap()).clone()
}

const SOURCE: BufferUsages = BufferUsages::COPY_SRC.union(BufferUsages::COPY_DST);

/// A buffer with these bytes and up to three more.
fn buffer(gpu: &Gpu, bytes: &[u8], usage: BufferUsages) -> wgpu::Buffer {
    let size = bytes.len().next_multiple_of(4) as u64;
    let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
    let buffer = gpu.device().create_buffer(&descriptor);
    let mut bytes = bytes.to_vec();
    bytes.resize(size as usize, 0x77);
    gpu.queue().write_buffer(&buffer, 0, &bytes);
    buffer
}

/// The content of a buffer.
fn content(gpu: &Gpu, buffer: &wgpu::Buffer) -> Vec<u8> {
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: None, size: buffer.size(), usage, mapped_at_creation: false };
    let download = gpu.device().create_buffer(&descriptor);
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &download, 0, buffer.size());
    gpu.queue().submit([encoder.finish()]);
    download.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    gpu.device().poll(wgpu::PollType::wait_indefinitely()).unwrap();
    download.get_mapped_range(..).unwrap().to_vec()
}

fn compressor(settings: &Settings) -> Compressor {
    Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap()
}

/// Where frames of a layout lie: the stretches of a frame, in bytes, and how far apart rows, planes and frames are.
fn stretches(format: &FrameFormat) -> Vec<(usize, usize)> {
    let bytes = format.dtype().bytes();
    match format.layout() {
        Layout::Array { .. } => vec![(format.frame_bytes(), 1)],
        Layout::Gray { width, height } => vec![(width * bytes, *height)],
        Layout::Packed { width, height, order } => vec![(width * order.channels() * bytes, *height)],
        Layout::Yuv { width, height, sampling, chroma } => {
            let (w, h) = sampling.chroma_size(*width, *height);
            match chroma {
                ChromaOrder::Planar => vec![(width * bytes, *height), (w * bytes, h), (w * bytes, h)],
                _ => vec![(width * bytes, *height), (2 * w * bytes, h)],
            }
        }
    }
}

/// The frames with gaps: rows at the distance `pitch`, planes and frames after one another, from `offset` on.
fn with_gaps(frames: &Frames, pitch: usize, offset: usize) -> Vec<u8> {
    let mut bytes = vec![0xEE; offset];
    let mut rest = frames.as_bytes();
    for _ in 0..frames.frames() {
        for (row_bytes, rows) in stretches(frames.format()) {
            for _ in 0..rows {
                let (row, later) = rest.split_at(row_bytes);
                bytes.extend(row);
                bytes.resize(bytes.len() + pitch - row_bytes, 0xEE);
                rest = later;
            }
        }
    }
    bytes
}

/// Waves with some noise, and some places that do not change: tiles suit them.
fn frames(format: FrameFormat, count: usize) -> Frames {
    let noise = sample_bytes(count * format.frame_bytes(), 3);
    let bytes = noise.iter().enumerate().map(|(at, noise)| {
        let (frame, at) = (at / format.frame_bytes().max(1), at % format.frame_bytes().max(1));
        (at / 7 + 3 * frame) as u8 ^ (noise & 3)
    });
    let bytes = bytes.collect();
    Frames::new(format, count, bytes).unwrap()
}

fn clip(name: &str) -> Frames {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut reader = input::open(&path, None).unwrap();
    let batch = reader.read_batch(usize::MAX).unwrap().unwrap();
    Frames::new(reader.description().format.clone(), batch.frames, batch.bytes).unwrap()
}

const YUV: &str = "bbb_yuv420_320x176.y4m";

/// Compresses frames from a buffer and back to another: the same bytes as those of the CPU. Returns how many batches stayed
/// on the device, there and back.
fn check(gpu: &Gpu, settings: &Settings, frames: &Frames, layout: &BufferLayout, bytes: &[u8]) -> [u64; 2] {
    let what = format!("{:?} x {}, {layout:?}", frames.format(), frames.frames());
    let expected = compressor(settings).compress_frames(frames).unwrap();
    let compressor = compressor(settings);
    let source = buffer(gpu, bytes, SOURCE);
    let packed = compressor.compress_gpu(gpu, &GpuFrames::in_buffer(&source, layout.clone()).unwrap()).unwrap();
    assert!(packed == expected, "{what}: the bytes differ");

    let decompressor = Decompressor::default();
    let target = buffer(gpu, &vec![0x11; bytes.len()], SOURCE);
    decompressor.decompress_gpu(gpu, &packed, &target, layout).unwrap();
    let again = GpuFrames::in_buffer(&target, layout.clone()).unwrap();
    assert!(compressor.compress_gpu(gpu, &again).unwrap() == expected, "{what}: the frames differ");
    let found = content(gpu, &target);
    assert!(found[..layout.offset()].iter().all(|&byte| byte == 0x11), "{what}: before the frames");
    [compressor.statistics().resident / 2, decompressor.statistics().resident]
}

/// All layouts and sizes of samples, without gaps and with.
fn layouts(gpu: &Gpu) {
    let mut layouts = vec![gray(67, 35), gray(1, 1), gray(64, 16), array(&[3, 5, 2]), array(&[]), array(&[0, 3])];
    layouts.extend(ChannelOrder::ALL.map(|order| packed(51, 37, order)));
    for sampling in ChromaSampling::ALL {
        layouts.extend(ChromaOrder::ALL.map(|chroma| yuv(49, 35, sampling, chroma)));
    }
    let mut stayed = [0; 2];
    for layout in layouts {
        for dtype in [Dtype::U8, Dtype::U16] {
            let format = FrameFormat::new(dtype, layout.clone()).unwrap();
            let frames = frames(format.clone(), 5);
            let row_bytes = stretches(&format).into_iter().map(|(row_bytes, _)| row_bytes).max().unwrap();
            for (pitch, offset) in
                [(None, 0), (None, 20), (Some(row_bytes.next_multiple_of(256)), 0), (Some(row_bytes + 3), 8)]
            {
                let dense = BufferLayout::new(format.clone(), 5).unwrap().with_offset(offset).unwrap();
                let (layout, bytes) = match pitch {
                    None => (dense, [&vec![0xEE; offset], frames.as_bytes()].concat()),
                    Some(pitch) => (dense.with_row_pitch(pitch).unwrap(), with_gaps(&frames, pitch, offset)),
                };
                let [there, back] = check(gpu, &Settings::new(), &frames, &layout, &bytes);
                assert!(there <= back, "tiles are restored where they are");
                stayed = [stayed[0] + there, stayed[1] + back];
            }
        }
    }
    assert!(stayed[0] > 40, "{stayed:?}");
}

/// A film at all levels. Those with motion are transferred on the way there, and those with a model.
fn levels(gpu: &Gpu) {
    let frames = clip(YUV);
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let stayed = |level| {
        let settings = Settings::new().with_level(level).unwrap();
        check(gpu, &settings, &frames, &layout, frames.as_bytes())
    };
    let stayed: Vec<_> = [1, 2, 3, 4, 5, 7, 8].into_iter().map(stayed).collect();
    assert_eq!(stayed[..4], [[1, 1]; 4], "levels 1 to 4");
    assert_eq!(stayed[4..6], [[0, 1]; 2], "levels 5 and 7");
    assert_eq!(stayed[6][0], 0, "level 8");
    let verified = Settings::new().with_verification(true);
    assert_eq!(check(gpu, &verified, &frames, &layout, frames.as_bytes()), [1, 1]);
}

/// Batches begin and end as those of frames on the host do, and both are counted.
fn several_batches(gpu: &Gpu) {
    let frames = clip(YUV);
    let (frame_bytes, count) = (frames.format().frame_bytes(), frames.frames());
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(5));
    let gap = 36;
    let layout = BufferLayout::new(frames.format().clone(), count).unwrap();
    let layout = layout.with_frame_pitch(frame_bytes + gap).unwrap();
    let apart = frames.as_bytes().chunks_exact(frame_bytes).map(|frame| [frame, &[0xEE; 36]].concat());
    let batches = count.div_ceil(5) as u64;
    assert_eq!(check(gpu, &settings, &frames, &layout, &apart.flatten().collect::<Vec<_>>()), [batches; 2]);
}

/// Batches begin wherever the one before ends, within words that it or several have a part of, without gaps and with.
fn batches_between_words(gpu: &Gpu) {
    for (width, height, frames_of_batch) in [(67, 35, 3), (1, 1, 1), (1, 1, 2), (3, 1, 1), (33, 17, 2)] {
        let frames = frames(FrameFormat::new(Dtype::U8, gray(width, height)).unwrap(), 8);
        let settings = Settings::new().with_batch_frames(NonZeroUsize::new(frames_of_batch));
        let dense = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
        let stayed = check(gpu, &settings, &frames, &dense, frames.as_bytes());
        assert!(width < 67 || stayed == [3; 2], "{stayed:?}");
        for gap in [1, 2, 5] {
            let layout = dense.clone().with_row_pitch(width + gap).unwrap().with_offset(8).unwrap();
            check(gpu, &settings, &frames, &layout, &with_gaps(&frames, width + gap, 8));
        }
    }
}

/// Frames between other things, in planes that are not where they usually are, and in a buffer that is larger.
fn buffers_of_others(gpu: &Gpu) {
    let format = FrameFormat::new(Dtype::U8, yuv(50, 34, ChromaSampling::Cs420, ChromaOrder::UvInterleaved)).unwrap();
    let frames = frames(format.clone(), 3);
    let layout = BufferLayout::new(format.clone(), 3).unwrap().with_frame_pitch(8192).unwrap();
    // Chroma before luma.
    let layout = layout.with_planes(&[(2048, 64), (128, 100)]).unwrap().with_offset(1000).unwrap();
    let mut bytes = vec![0xEE; 1000 + 3 * 8192 + 50];
    for (at, frame) in frames.as_bytes().chunks_exact(format.frame_bytes()).enumerate() {
        let (luma, chroma) = frame.split_at(50 * 34);
        for (plane, offset, pitch) in [(luma, 2048, 64), (chroma, 128, 100)] {
            for (row, samples) in plane.chunks_exact(50).enumerate() {
                bytes[1000 + at * 8192 + offset + row * pitch..][..50].copy_from_slice(samples);
            }
        }
    }
    assert_eq!(check(gpu, &Settings::new(), &frames, &layout, &bytes), [1, 1]);
}

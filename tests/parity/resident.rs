//! Frames that are on a device before, or are to be there afterwards: the same bytes as from the host, and little that
//! crosses the bus.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use framepress::frame::{
    BufferLayout, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout,
};
use framepress::internal::gpu::{Accelerator, compare_checksum, compare_rows, sample_bytes};
use framepress::internal::{Backend, Detail, KNOWN, Pitch, PitchedFrames, Stretch};
use framepress::plan::{DeviceChoice, Making};
use framepress::{Compressor, Decompressor, ErrorKind, Gpu, GpuFrames, Reason, Settings, input, wgpu};
use libtest_mimic::Trial;
use wgpu::BufferUsages;

use super::backends::{Adapter, adapters, reference, row};
use super::cases::{array, gray, packed, yuv};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("resident", it, "rows", || some_rows(it.adapter())));
        rows.push(row("resident", it, "checksums", || checksums(it.adapter())));
        rows.push(row("resident", it, "layouts", || layouts(&opened(it.adapter()))));
        rows.push(row("resident", it, "levels", || levels(&opened(it.adapter()))));
        rows.push(row("resident", it, "textures", || textures(&opened(it.adapter()))));
        rows.push(row("resident", it, "planes-in-textures", || planes_in_textures(&opened(it.adapter()))));
        rows.push(row("resident", it, "little-is-transferred", || little_is_transferred(it.adapter())));
        rows.push(row("resident", it, "transferred", || transferred(&opened(it.adapter()))));
        rows.push(row("resident", it, "several-batches", || several_batches(&opened(it.adapter()))));
        rows.push(row("resident", it, "buffers-of-others", || buffers_of_others(&opened(it.adapter()))));
        rows.push(row("resident", it, "refusals", || refusals(&opened(it.adapter()))));
        rows.push(row("resident", it, "damage", || damage(&opened(it.adapter()))));
        rows.push(row("resident", it, "lent-device", || lent_device(it.adapter())));
        rows.push(row("resident", it, "lent-without-limits", || lent_without_limits(it.adapter())));
        rows.push(row("resident", it, "lost-device", || lost_device(it.adapter())));
    }
    rows
}

/// The device that most rows share.
fn opened(adapter: &Adapter) -> Gpu {
    static OPENED: OnceLock<Mutex<HashMap<String, Gpu>>> = OnceLock::new();
    let mut opened = OPENED.get_or_init(Mutex::default).lock().unwrap();
    opened.entry(adapter.index()).or_insert_with(|| Gpu::open(Some(&adapter.index())).unwrap()).clone()
}

/// Devices that are not framepress's.
fn other_devices<const N: usize>(adapter: &Adapter, limits: &wgpu::Limits) -> [(wgpu::Device, wgpu::Queue); N] {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let is_it = |info: wgpu::AdapterInfo| {
        (&info.name, &info.device_pci_bus_id) == (&adapter.description.name, &adapter.description.pci_bus_id)
    };
    let found = all.into_iter().find(|other| is_it(other.get_info())).unwrap();
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits.clone(), ..Default::default() };
    [(); N].map(|()| pollster::block_on(found.request_device(&descriptor)).unwrap())
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

/// Rows of all lengths up to some words, at all distances to the next, in stretches that begin anywhere.
fn some_rows(adapter: &Adapter) {
    for row_bytes in 1..10 {
        for gap in 0..5 {
            let chroma = Stretch { start: 3 * row_bytes, row_bytes: row_bytes + 1, rows: 5 };
            let luma = Stretch { start: 0, row_bytes, rows: 3 };
            let stretches = vec![
                (luma, Pitch { offset: gap, row: row_bytes + gap, frame: 300 }),
                (chroma, Pitch { offset: 100 + gap, row: row_bytes + 1 + 3 * gap, frame: 300 }),
            ];
            let frame_bytes = 3 * row_bytes + 5 * (row_bytes + 1);
            for frames in [1, 2, 7] {
                let frames = PitchedFrames { frames, frame_bytes, stretches: stretches.clone() };
                assert_eq!(compare_rows(adapter.shared(), &frames).unwrap(), None, "{frames:?}");
            }
        }
    }
    // More than one dimension of workgroups.
    let (row_bytes, rows) = (9001, 7603);
    let stretch = (Stretch { start: 0, row_bytes, rows }, Pitch { offset: 0, row: 9004, frame: 0 });
    let frames = PitchedFrames { frames: 1, frame_bytes: row_bytes * rows, stretches: vec![stretch] };
    assert_eq!(compare_rows(adapter.shared(), &frames).unwrap(), None);
}

fn checksums(adapter: &Adapter) {
    let around_blocks = [1, 2, 3, 33, 64].into_iter().flat_map(|blocks| (0..4).map(move |more| 1024 * blocks + more));
    let lengths = [1, 2, 3, 16, 17, 128, 129, 240, 241, 255, 256, 1000, 1023, 5 << 20];
    for bytes in lengths.into_iter().chain(around_blocks) {
        assert_eq!(compare_checksum(adapter.shared(), bytes).unwrap(), None, "{bytes} bytes");
    }
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

/// A film at all levels. Those of few or no tables, or with a model, are transferred.
fn levels(gpu: &Gpu) {
    let frames = clip(YUV);
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let stayed = |level| {
        let settings = Settings::new().with_level(level).unwrap();
        check(gpu, &settings, &frames, &layout, frames.as_bytes())
    };
    let stayed: Vec<_> = [1, 2, 4, 7, 8].into_iter().map(stayed).collect();
    assert_eq!(stayed[1..4], [[1, 1]; 3], "levels 2, 4 and 7");
    assert_eq!(stayed[0], [0, 0], "level 1");
    assert_eq!(stayed[4][0], 0, "level 8");
    let verified = Settings::new().with_verification(true);
    assert_eq!(check(gpu, &verified, &frames, &layout, frames.as_bytes()), [1, 1]);
}

/// Layers of textures, `bytes` in all.
fn texture(gpu: &Gpu, format: wgpu::TextureFormat, size: [usize; 3], bytes: &[u8]) -> wgpu::Texture {
    let [width, height, layers] = size.map(|size| size as u32);
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: layers };
    let texture = gpu.device().create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let row_bytes = bytes.len() as u32 / (height * layers);
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row_bytes), rows_per_image: Some(height) };
    gpu.queue().write_texture(texture.as_image_copy(), bytes, layout, size);
    texture
}

/// A texture for each frame, and some frames in one texture.
fn textures(gpu: &Gpu) {
    use wgpu::TextureFormat as Format;
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    for (layout, texels) in [
        (packed(70, 41, ChannelOrder::Rgba), Format::Rgba8Unorm),
        (packed(64, 32, ChannelOrder::Rgba), Format::Rgba8UnormSrgb),
        (packed(33, 18, ChannelOrder::Bgra), Format::Bgra8Unorm),
        (gray(99, 50), Format::R8Unorm),
        (gray(256, 20), Format::R8Uint),
    ] {
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        let frames = frames(format.clone(), 5);
        let expected = compressor(&settings).compress_frames(&frames).unwrap();
        let [height, width] = [0, 1].map(|axis| format.shape()[axis]);
        let bytes = format.frame_bytes();
        let single = |frame: usize, layers: usize| {
            let bytes = &frames.as_bytes()[frame * bytes..(frame + layers) * bytes];
            texture(gpu, texels, [width, height, layers], bytes)
        };
        let each: Vec<_> = (0..5).map(|frame| single(frame, 1)).collect();
        let some = [single(0, 1), single(1, 3), single(4, 1)];
        for textures in [each.iter().collect::<Vec<_>>(), some.iter().collect()] {
            let compressor = compressor(&settings);
            let frames = GpuFrames::in_textures(format.clone(), &[&textures]).unwrap();
            assert!(compressor.compress_gpu(gpu, &frames).unwrap() == expected, "{texels:?}");
            assert_eq!(compressor.statistics().resident, 2, "{texels:?}");
        }
        let of_others = texture(gpu, Format::Rg8Unorm, [width, height, 1], &vec![0; width * height * 2]);
        let larger = texture(gpu, texels, [width + 1, height, 1], &vec![0; (width + 1) * bytes / width]);
        for (wrong, what) in [(of_others, "texels"), (larger, "expected")] {
            let error = GpuFrames::in_textures(format.clone(), &[&[&each[0], &wrong]]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}

/// NV12 as decoders leave it, and planes apart from one another.
fn planes_in_textures(gpu: &Gpu) {
    use wgpu::TextureFormat as Format;
    for (width, height) in [(66, 34), (65, 33)] {
        for chroma in [ChromaOrder::UvInterleaved, ChromaOrder::Planar] {
            let format = FrameFormat::new(Dtype::U8, yuv(width, height, ChromaSampling::Cs420, chroma)).unwrap();
            let frames = frames(format.clone(), 4);
            let (w, h) = ChromaSampling::Cs420.chroma_size(width, height);
            let mut planes: [Vec<u8>; 3] = Default::default();
            for frame in frames.as_bytes().chunks_exact(format.frame_bytes()) {
                let (luma, rest) = frame.split_at(width * height);
                planes[0].extend(luma);
                let first = if chroma == ChromaOrder::Planar { w * h } else { 2 * w * h };
                planes[1].extend(&rest[..first]);
                planes[2].extend(&rest[first..]);
            }
            let luma = texture(gpu, Format::R8Unorm, [width, height, 4], &planes[0]);
            let others = match chroma {
                ChromaOrder::Planar => {
                    planes[1..].iter().map(|plane| texture(gpu, Format::R8Unorm, [w, h, 4], plane)).collect()
                }
                _ => vec![texture(gpu, Format::Rg8Unorm, [w, h, 4], &planes[1])],
            };
            let planes: Vec<Vec<&wgpu::Texture>> = [&luma].into_iter().chain(&others).map(|it| vec![it]).collect();
            let planes: Vec<&[&wgpu::Texture]> = planes.iter().map(Vec::as_slice).collect();
            let on_gpu = GpuFrames::in_textures(format.clone(), &planes).unwrap();
            assert_eq!((on_gpu.frames(), on_gpu.format()), (4, &format));
            let compressor = compressor(&Settings::new());
            let packed = compressor.compress_gpu(gpu, &on_gpu).unwrap();
            assert!(packed == compressor.compress_frames(&frames).unwrap(), "{format:?}");
            assert_eq!(compressor.statistics().resident, 1);
            assert!(GpuFrames::in_textures(format, &planes[..1]).is_err(), "a plane is missing");
        }
    }
}

/// A film, four times as wide and high and twice as long, so that samples are a small part of it: copies that are mirrored
/// and darker than one another, so that they do not repeat.
fn enlarged(clip: &Frames) -> Frames {
    let Layout::Yuv { width, height, sampling, chroma } = *clip.format().layout() else {
        panic!("{:?}", clip.format());
    };
    let format = FrameFormat::new(Dtype::U8, yuv(4 * width, 4 * height, sampling, chroma)).unwrap();
    let mut bytes = Vec::new();
    for turn in 0..2 {
        for frame in clip.as_bytes().chunks_exact(clip.format().frame_bytes()) {
            let mut rest = frame;
            for (row_bytes, rows) in stretches(clip.format()) {
                let (plane, later) = rest.split_at(row_bytes * rows);
                for (y, x) in (0..4 * rows).flat_map(|y| (0..4 * row_bytes).map(move |x| (y, x))) {
                    let (copy_x, copy_y) = (x / row_bytes, y / rows);
                    let x = if copy_x % 2 == 0 { x % row_bytes } else { row_bytes - 1 - x % row_bytes };
                    let y = if copy_x < 2 { y % rows } else { rows - 1 - y % rows };
                    let brightness = 64 - 5 * copy_y - 3 * copy_x - 20 * turn;
                    bytes.push((usize::from(plane[y * row_bytes + x]) * brightness / 64) as u8);
                }
                rest = later;
            }
        }
    }
    Frames::new(format, 2 * clip.frames(), bytes).unwrap()
}

/// What is downloaded besides the packed bytes is a small part of the frames, and next to nothing is uploaded.
fn little_is_transferred(adapter: &Adapter) {
    // Of its own: what runs on it is counted.
    let gpu = &Gpu::open(Some(&adapter.index())).unwrap();
    let frames = enlarged(&clip(YUV));
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let source = buffer(gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&source, layout.clone()).unwrap();
    let compressor = compressor(&Settings::new());
    let (packed, runs) = gpu.backend().profile(Detail::Host, || compressor.compress_gpu(gpu, &on_gpu).unwrap());
    let sum = |of: fn(&framepress::internal::DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
    let (raw, downloaded) = (frames.as_bytes().len() as u64, sum(|run| run.downloaded_bytes));
    assert_eq!(sum(|run| run.uploaded_bytes), 0);
    let besides = downloaded - packed.len() as u64;
    assert!(besides < raw / 4, "{besides} bytes besides {} packed ones, of {raw}", packed.len());
    assert_eq!(compressor.statistics().resident, 1);
    assert_eq!(compressor.statistics().last_reason, Some(Reason::Resident));

    let target = buffer(gpu, &vec![0; frames.as_bytes().len()], SOURCE);
    let decompressor = Decompressor::default();
    let decompress = || decompressor.decompress_gpu(gpu, &packed, &target, &layout).unwrap();
    let ((), runs) = gpu.backend().profile(Detail::Host, decompress);
    let sum = |of: fn(&framepress::internal::DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
    let (uploaded, downloaded) = (sum(|run| run.uploaded_bytes), sum(|run| run.downloaded_bytes));
    assert!(uploaded <= packed.len() as u64, "{uploaded} bytes for {} packed ones", packed.len());
    // The sums are a sixteenth.
    assert!(downloaded < raw / 15, "{downloaded} bytes of {raw}");
    assert_eq!(decompressor.statistics().resident, 1);
    assert!(content(gpu, &target) == frames.as_bytes());
}

/// Batches of other methods are transferred, and come to the same bytes.
fn transferred(gpu: &Gpu) {
    let planes = clip(YUV);
    let Layout::Yuv { width, height, .. } = *planes.format().layout() else { panic!("{:?}", planes.format()) };
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    let format = FrameFormat::new(Dtype::U8, packed(width, height, ChannelOrder::Rgb)).unwrap();
    let geometry = Geometry::new(&format, planes.frames());
    let mut made = vec![0; geometry.raw_bytes()];
    reference().convert(&geometry, &making, planes.as_bytes(), &mut made).unwrap();
    let recovered = Frames::new(format, planes.frames(), made).unwrap();

    let mask = FrameFormat::new(Dtype::U8, gray(120, 80)).unwrap();
    let discrete = (0..6 * mask.frame_bytes()).map(|at| u8::from(at % 120 > 40 + at / 9600)).collect();
    let discrete = Frames::new(mask.clone(), 6, discrete).unwrap();
    let noise = Frames::new(mask.clone(), 6, noise(6 * mask.frame_bytes())).unwrap();
    let depth = frames(FrameFormat::new(Dtype::F32, gray(50, 40)).unwrap(), 3);
    for frames in [recovered, discrete, noise, depth] {
        let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
        let stayed = check(gpu, &Settings::new(), &frames, &layout, frames.as_bytes());
        assert_eq!(stayed, [0, 0], "{:?}", frames.format());
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1u64;
    let byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(byte).take(bytes).collect()
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

fn refusals(gpu: &Gpu) {
    let frames = frames(FrameFormat::new(Dtype::U8, gray(40, 30)).unwrap(), 3);
    let layout = |count| BufferLayout::new(frames.format().clone(), count).unwrap();
    let file = compressor(&Settings::new()).compress_frames(&frames).unwrap();
    let source = buffer(gpu, frames.as_bytes(), SOURCE);
    let refused = |result: framepress::Result<()>, what: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    let unreadable = buffer(gpu, frames.as_bytes(), BufferUsages::COPY_DST | BufferUsages::STORAGE);
    refused(GpuFrames::in_buffer(&unreadable, layout(3)).map(drop), "COPY_SRC");
    refused(GpuFrames::in_buffer(&source, layout(4)).map(drop), "has 3600 bytes, the frames end within its first 4800");

    let decompress = |buffer, layout: &BufferLayout| Decompressor::default().decompress_gpu(gpu, &file, buffer, layout);
    let unwritable = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 3600,
        usage: BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    refused(decompress(&unwritable, &layout(3)), "COPY_DST");
    refused(decompress(&source, &layout(2)), "layout: has 2 frames, the file has more");
    let larger = buffer(gpu, &[0; 4800], SOURCE);
    refused(decompress(&larger, &layout(4)), "layout: has 4 frames, the file has 3");
    let other = FrameFormat::new(Dtype::U8, gray(30, 40)).unwrap();
    refused(decompress(&source, &BufferLayout::new(other.clone(), 3).unwrap()), "layout: the file has frames of");

    let compressor = compressor(&Settings::new());
    let mut writer = framepress::Writer::new(Vec::new(), other, &compressor).unwrap();
    let on_gpu = GpuFrames::in_buffer(&source, layout(3)).unwrap();
    refused(writer.write_gpu(gpu, &on_gpu), "frames: expected");
    let error = Compressor::new(Settings::new().with_memory_limit(std::num::NonZeroU64::new(1 << 12)))
        .and_then(|compressor| compressor.compress_gpu(gpu, &on_gpu))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(!gpu.backend().is_lost());
}

/// Damage is found before anything reaches the buffer, but for the batches before it.
fn damage(gpu: &Gpu) {
    let frames = clip(YUV).part(0..8).unwrap();
    let frame_bytes = frames.format().frame_bytes();
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(4));
    let file = compressor(&settings).compress_frames(&frames).unwrap();
    let layout = BufferLayout::new(frames.format().clone(), 8).unwrap();
    let mut refused = 0;
    for at in (file.len() / 2 + 2000..file.len() - 2000).step_by(file.len() / 7) {
        let mut damaged = file.clone();
        damaged[at] ^= 4;
        let target = buffer(gpu, &vec![0x11; frames.as_bytes().len()], SOURCE);
        let error = Decompressor::default().decompress_gpu(gpu, &damaged, &target, &layout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        let found = content(gpu, &target);
        let (first, second) = found.split_at(4 * frame_bytes);
        refused += 1;
        assert!(first == &frames.as_bytes()[..4 * frame_bytes] || first.iter().all(|&byte| byte == 0x11), "{at}");
        assert!(second.iter().all(|&byte| byte == 0x11), "{at}");
    }
    assert!(refused > 1);
}

/// A device of somebody else, with the limits of any.
fn lent_device(adapter: &Adapter) {
    let [(device, queue), (other, _)] = other_devices(adapter, &wgpu::Limits::downlevel_defaults());
    let gpu = Gpu::lent(device, queue).unwrap();
    assert_eq!(gpu.description().name, adapter.description.name);
    let frames = clip(YUV);
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);

    let size = frames.as_bytes().len().next_multiple_of(4) as u64;
    let of_other = wgpu::BufferDescriptor { label: None, size, usage: SOURCE, mapped_at_creation: false };
    let of_other = other.create_buffer(&of_other);
    let is_refused = |buffer: &wgpu::Buffer, layout: &BufferLayout, what: &str| {
        let settings = Settings::new().with_batch_frames(NonZeroUsize::new(layout.frames()));
        let frames = GpuFrames::in_buffer(buffer, layout.clone()).unwrap();
        let error = compressor(&settings).compress_gpu(&gpu, &frames).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gpu, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    is_refused(&of_other, &layout, "evice");
    // More than a kernel can be bound to.
    let large = FrameFormat::new(Dtype::U8, gray(1 << 10, 1 << 10)).unwrap();
    let large = BufferLayout::new(large, 129).unwrap();
    let size = large.end() as u64;
    let buffer = wgpu::BufferDescriptor { label: None, size, usage: SOURCE, mapped_at_creation: false };
    is_refused(&gpu.device().create_buffer(&buffer), &large, "use fewer frames per batch");
    // Neither was a reason to stop.
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);
}

/// A device that was opened with less than the kernels need.
fn lent_without_limits(adapter: &Adapter) {
    let limits = wgpu::Limits { max_compute_invocations_per_workgroup: 128, ..wgpu::Limits::downlevel_defaults() };
    let [(device, queue)] = other_devices(adapter, &limits);
    let offered = device.limits().max_compute_invocations_per_workgroup;
    let error = Gpu::lent(device, queue).err().unwrap();
    assert_eq!((error.kind(), offered), (ErrorKind::Gpu, 128));
    assert!(error.to_string().contains("max_compute_invocations_per_workgroup of 256, it has 128"), "{error}");
}

/// Calls fail, and its owner is told of the loss.
fn lost_device(adapter: &Adapter) {
    let [(device, queue)] = other_devices(adapter, &wgpu::Limits::downlevel_defaults());
    let is_told = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_told);
    device.set_device_lost_callback(move |_, _| told.store(true, Ordering::SeqCst));
    let gpu = Gpu::lent(device.clone(), queue).unwrap();
    let frames = frames(FrameFormat::new(Dtype::U8, gray(64, 48)).unwrap(), 3);
    let layout = BufferLayout::new(frames.format().clone(), 3).unwrap();
    assert_eq!(check(&gpu, &Settings::new(), &frames, &layout, frames.as_bytes()), [1, 1]);
    let source = buffer(&gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&source, layout.clone()).unwrap();
    device.destroy();
    let compressor = compressor(&Settings::new());
    let file = compressor.compress_frames(&frames).unwrap();
    for _ in 0..2 {
        assert_eq!(compressor.compress_gpu(&gpu, &on_gpu).unwrap_err().kind(), ErrorKind::Gpu);
        let result = Decompressor::default().decompress_gpu(&gpu, &file, &source, &layout);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Gpu);
    }
    assert!(is_told.load(Ordering::SeqCst));
}

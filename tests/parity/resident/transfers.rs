//! What crosses the bus, and what is refused before it does.

use std::num::{NonZeroU64, NonZeroUsize};

use framepress::frame::{BufferLayout, Dtype, FrameFormat, Frames, Layout};
use framepress::internal::gpu::Accelerator;
use framepress::internal::{Detail, DeviceRun};
use framepress::{Compressor, Decompressor, ErrorKind, Gpu, GpuFrames, Reason, Settings, Writer, wgpu};
use wgpu::BufferUsages;

use super::{SOURCE, YUV, buffer, check, clip, compressor, content, frames, stretches};
use crate::backends::Adapter;
use crate::cases::{gray, yuv};
use crate::made;

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

/// What is downloaded besides the packed bytes is a small part of the frames, and next to nothing is uploaded. Whether
/// residuals are coded or packed.
pub fn little_is_transferred(adapter: &Adapter) {
    // Of its own: what runs on it is counted.
    let gpu = &Gpu::open(Some(&adapter.index())).unwrap();
    let frames = enlarged(&clip(YUV));
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let source = buffer(gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&source, layout.clone()).unwrap();
    let raw = frames.as_bytes().len() as u64;
    // Of packed tiles all widths are uploaded, 36 bytes for four tiles, of which a file leaves out those of zeros.
    for (level, widths) in [(4, 0), (1, raw / 1024 * 36)] {
        let compressor = compressor(&Settings::new().with_level(level).unwrap());
        let (packed, runs) = gpu.backend().profile(Detail::Host, || compressor.compress_gpu(gpu, &on_gpu).unwrap());
        let sum = |of: fn(&DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
        let downloaded = sum(|run| run.downloaded_bytes);
        assert_eq!(sum(|run| run.uploaded_bytes), 0);
        let besides = downloaded - packed.len() as u64;
        assert!(besides < raw / 4, "{besides} bytes besides {} packed ones, of {raw}", packed.len());
        assert_eq!(compressor.statistics().resident, 1);
        assert_eq!(compressor.statistics().last_reason, Some(Reason::Resident));

        let target = buffer(gpu, &vec![0; frames.as_bytes().len()], SOURCE);
        let decompressor = Decompressor::default();
        let decompress = || decompressor.decompress_gpu(gpu, &packed, &target, &layout).unwrap();
        let ((), runs) = gpu.backend().profile(Detail::Host, decompress);
        let sum = |of: fn(&DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
        let (uploaded, downloaded) = (sum(|run| run.uploaded_bytes), sum(|run| run.downloaded_bytes));
        assert!(uploaded <= packed.len() as u64 + widths, "{uploaded} bytes for {} packed ones", packed.len());
        // The sums are a sixteenth.
        assert!(downloaded < raw / 15, "{downloaded} bytes of {raw}");
        assert_eq!(decompressor.statistics().resident, 1);
        assert!(content(gpu, &target) == frames.as_bytes());
    }
}

/// Batches of other methods are transferred, and so are tiles of frames that refer to later ones; they come to the same bytes.
pub fn transferred(gpu: &Gpu) {
    let mask = FrameFormat::new(Dtype::U8, gray(120, 80)).unwrap();
    let discrete = (0..6 * mask.frame_bytes()).map(|at| u8::from(at % 120 > 40 + at / 9600)).collect();
    let discrete = Frames::new(mask.clone(), 6, discrete).unwrap();
    let noise = Frames::new(mask.clone(), 6, noise(6 * mask.frame_bytes())).unwrap();
    let depth = frames(FrameFormat::new(Dtype::F32, gray(50, 40)).unwrap(), 3);
    for frames in [discrete, noise, depth] {
        let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
        let stayed = check(gpu, &Settings::new(), &frames, &layout, frames.as_bytes());
        assert_eq!(stayed, [0, 0], "{:?}", frames.format());
    }
    let between = made::between::frames(gray(83, 61), &[0, 2, 3, 5]);
    let layout = BufferLayout::new(between.format().clone(), between.frames()).unwrap();
    let settings = Settings::new().with_level(8).unwrap();
    assert!(made::between::refers_to_later(&compressor(&settings).compress_frames(&between).unwrap()));
    assert_eq!(check(gpu, &settings, &between, &layout, between.as_bytes()), [0, 0]);
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1u64;
    let byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(byte).take(bytes).collect()
}

pub fn refusals(gpu: &Gpu) {
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
    let mut writer = Writer::new(Vec::new(), other, &compressor).unwrap();
    let on_gpu = GpuFrames::in_buffer(&source, layout(3)).unwrap();
    refused(writer.write_gpu(gpu, &on_gpu), "frames: expected");
    let error = Compressor::new(Settings::new().with_memory_limit(NonZeroU64::new(1 << 12)))
        .and_then(|compressor| compressor.compress_gpu(gpu, &on_gpu))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(!gpu.backend().is_lost());
}

/// Damage is found before anything reaches the buffer, but for the batches before it.
pub fn damage(gpu: &Gpu) {
    let frames = clip(YUV).part(0..8).unwrap();
    for level in [1, 4] {
        let settings = Settings::new().with_batch_frames(NonZeroUsize::new(4)).with_level(level).unwrap();
        damaged(gpu, &frames, &compressor(&settings).compress_frames(&frames).unwrap());
    }
}

/// The same of one file, whose second batch has four of eight frames.
fn damaged(gpu: &Gpu, frames: &Frames, file: &[u8]) {
    let frame_bytes = frames.format().frame_bytes();
    let layout = BufferLayout::new(frames.format().clone(), 8).unwrap();
    let mut refused = 0;
    for at in (file.len() / 2 + 2000..file.len() - 2000).step_by(file.len() / 7) {
        let mut damaged = file.to_vec();
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

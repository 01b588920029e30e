//! Packed frames that were made of YUV: their planes stay on the device, there and back, and exceptions are put in there.

use std::num::NonZeroUsize;

use framepress::frame::{BufferLayout, ChannelOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout};
use framepress::internal::{Backend, Detail, DeviceRun, KNOWN, RecordReader, RecordWriter};
use framepress::plan::{CodecChoice, Making, Method, TileCoding};
use framepress::{Decompressor, ErrorKind, Gpu, GpuFrames, Limits, Settings};

use super::super::made::Made;
use super::{SOURCE, YUV, buffer, check, clip, compressor, content, with_gaps};
use crate::backends::reference;
use crate::cases::packed;

/// Frames that are made, but for some bytes.
fn made(width: usize, height: usize, order: ChannelOrder, sampling: ChromaSampling, excepted: bool) -> Frames {
    let frames = Made { order, sampling, noise: 2, ..Made::new(width, height) }.frames(5);
    let (format, count, mut bytes) = (frames.format().clone(), frames.frames(), frames.into_bytes());
    // Alpha, which is no exception, is not meant.
    let excepted = bytes.chunks_exact_mut(order.channels()).step_by(1009).filter(|_| excepted);
    excepted.enumerate().for_each(|(at, pixel)| pixel[at % 3] ^= 64);
    Frames::new(format, count, bytes).unwrap()
}

fn at_level(level: u8) -> Settings {
    Settings::new().with_level(level).unwrap()
}

/// How a batch of a file is coded, if that is by tiles of recovered planes: whether there are exceptions, whether tiles are
/// packed, and whether they move.
fn recovered(file: &[u8]) -> Option<[bool; 3]> {
    let record = RecordReader::new(file, Limits::default()).unwrap().next().unwrap().unwrap();
    let Method::Recovered(plan) = record.method else { return None };
    let Method::Tiles(tiles) = *plan.method else { return None };
    Some([plan.exceptions > 0, matches!(tiles.coding, TileCoding::Packed), tiles.moves])
}

/// Sizes that are odd and not, in every order of channels and every sampling, packed and coded, with exceptions and without.
pub fn frames_come_back(gpu: &Gpu) {
    let sizes = [(257, 131), (192, 96), (202, 101)];
    for (order, (width, height)) in ChannelOrder::ALL.into_iter().zip(sizes.into_iter().cycle()) {
        for (sampling, codec) in ChromaSampling::ALL
            .into_iter()
            .flat_map(|it| [CodecChoice::Auto, CodecChoice::Pack].map(|codec| (it, codec)))
        {
            for excepted in [false, true] {
                let frames = made(width, height, order, sampling, excepted);
                let settings = at_level(4).with_codec(codec);
                let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
                let stayed = check(gpu, &settings, &frames, &layout, frames.as_bytes());
                let kind = recovered(&compressor(&settings).compress_frames(&frames).unwrap());
                let expected = Some([excepted, codec == CodecChoice::Pack, false]);
                assert_eq!((kind, stayed), (expected, [1; 2]), "{order:?} {sampling:?} {codec:?}");
            }
        }
    }
}

/// Rows with gaps, several batches, all levels without motion, and verification; with pixels to repair and without. Then a film,
/// which has such pixels.
pub fn frames_stay(gpu: &Gpu) {
    for excepted in [false, true] {
        frames_with_gaps_stay(gpu, excepted);
    }
    let film = clip("bbb_rgb_317x179.npy");
    let layout = BufferLayout::new(film.format().clone(), film.frames()).unwrap();
    for level in [2, 4] {
        let settings = at_level(level);
        assert_eq!(check(gpu, &settings, &film, &layout, film.as_bytes()), [1; 2]);
        let kind = recovered(&compressor(&settings).compress_frames(&film).unwrap());
        assert!(kind.is_some(), "level {level}");
    }
}

fn frames_with_gaps_stay(gpu: &Gpu, excepted: bool) {
    let frames = made(202, 101, ChannelOrder::Bgr, ChromaSampling::Cs420, excepted);
    let row_pitch = 3 * 202 + 6;
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let layout = layout.with_row_pitch(row_pitch).unwrap();
    let bytes = with_gaps(&frames, row_pitch, 0);
    // At level 1 planes are not recovered.
    for level in 1..5 {
        for batch_frames in [5, 2] {
            let settings =
                at_level(level).with_batch_frames(NonZeroUsize::new(batch_frames)).with_verification(level == 4);
            let batches = 5_usize.div_ceil(batch_frames) as u64;
            assert_eq!(check(gpu, &settings, &frames, &layout, &bytes), [batches; 2], "level {level}");
            let kind = recovered(&compressor(&settings).compress_frames(&frames).unwrap());
            assert_eq!(kind, (level > 1).then_some([excepted, false, false]), "level {level}");
        }
    }
}

/// A film whose planes move, and which has exceptions.
pub fn moving_frames_come_back(gpu: &Gpu) {
    let planes = clip(YUV);
    let Layout::Yuv { width, height, .. } = *planes.format().layout() else { panic!("{:?}", planes.format()) };
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    let format = FrameFormat::new(Dtype::U8, packed(width, height, ChannelOrder::Rgb)).unwrap();
    let mut made = vec![0; planes.frames() * format.frame_bytes()];
    let geometry = Geometry::new(&format, planes.frames());
    reference().convert(&geometry, &making, planes.as_bytes(), &mut made).unwrap();
    made.iter_mut().step_by(5003).for_each(|byte| *byte ^= 64);
    let frames = Frames::new(format, planes.frames(), made).unwrap();
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let stayed = check(gpu, &at_level(6), &frames, &layout, frames.as_bytes());
    assert_eq!(stayed, [0, 1]);
    assert_eq!(recovered(&compressor(&at_level(6)).compress_frames(&frames).unwrap()), Some([true, false, true]));
}

/// Frames with so many exceptions that they compete with their planes are transferred, and so are those of which a part is made
/// in some way.
pub fn transferred(gpu: &Gpu) {
    let frames = made(202, 101, ChannelOrder::Rgb, ChromaSampling::Cs420, false);
    let changed = |step: usize| {
        let mut bytes = frames.as_bytes().to_vec();
        // Two pixels, of one block more often than not.
        bytes.chunks_mut(step).for_each(|bytes| bytes.iter_mut().step_by(3).take(2).for_each(|byte| *byte ^= 64));
        Frames::new(frames.format().clone(), frames.frames(), bytes).unwrap()
    };
    let in_part = Made { foreign: |x, y| x < 96 && y < 64, ..Made::new(202, 101) }.frames(5);
    for (frames, stays) in [(changed(3011), 1), (changed(900), 0), (in_part, 0)] {
        let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
        let [there, _] = check(gpu, &at_level(4), &frames, &layout, frames.as_bytes());
        assert_eq!(there, stays);
    }
}

/// What is downloaded besides packed bytes is a part of larger frames, also if some rows are to be repaired.
pub fn planes_stay_there(gpu: &Gpu) {
    let frames = Made { noise: 2, ..Made::new(1280, 704) }.frames(16);
    let (format, count, mut bytes) = (frames.format().clone(), frames.frames(), frames.into_bytes());
    for (frame, row) in [(0, 0), (3, 200), (4, 200), (15, 703)] {
        let first = frame * format.frame_bytes() + row * 3 * 1280;
        bytes[first..first + 3 * 1280].iter_mut().step_by(500).for_each(|byte| *byte ^= 64);
    }
    let frames = Frames::new(format, count, bytes).unwrap();
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let source = buffer(gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&source, layout).unwrap();
    let raw = frames.as_bytes().len() as u64;
    for codec in [CodecChoice::Auto, CodecChoice::Pack] {
        let compressor = compressor(&at_level(4).with_codec(codec));
        let (file, runs) = gpu.backend().profile(Detail::Host, || compressor.compress_gpu(gpu, &on_gpu).unwrap());
        assert_eq!(recovered(&file), Some([true, codec == CodecChoice::Pack, false]));
        let sum = |of: fn(&DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
        let besides = sum(|run| run.downloaded_bytes) - file.len() as u64;
        assert!(besides < raw / 3, "{besides} bytes besides {} packed ones, of {raw}", file.len());
        assert_eq!((compressor.statistics().resident, compressor.statistics().transferred), (1, 0));
    }
}

/// Only packed bytes are uploaded, besides tables, and only sums are downloaded, besides how codes ended.
pub fn planes_stay(gpu: &Gpu) {
    let frames = made(640, 352, ChannelOrder::Rgb, ChromaSampling::Cs420, true);
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let raw = frames.as_bytes().len() as u64;
    let file = compressor(&at_level(4)).compress_frames(&frames).unwrap();
    assert_eq!(recovered(&file), Some([true, false, false]));
    let target = buffer(gpu, &vec![0; frames.as_bytes().len()], SOURCE);
    let decompress = || Decompressor::default().decompress_gpu(gpu, &file, &target, &layout).unwrap();
    let ((), runs) = gpu.backend().profile(Detail::Host, decompress);
    let sum = |of: fn(&DeviceRun) -> u64| runs.iter().map(of).sum::<u64>();
    let (uploaded, downloaded) = (sum(|run| run.uploaded_bytes), sum(|run| run.downloaded_bytes));
    assert!(uploaded <= file.len() as u64, "{uploaded} bytes for {} packed ones", file.len());
    // The sums are a sixteenth.
    assert!(downloaded < raw / 15, "{downloaded} bytes of {raw}");
    assert!(content(gpu, &target) == frames.as_bytes());
}

/// Exceptions that are damaged, with good checksums of packed bytes, never reach the buffer.
pub fn damaged_exceptions(gpu: &Gpu) {
    let frames = made(202, 101, ChannelOrder::Rgb, ChromaSampling::Cs420, true);
    let file = compressor(&at_level(4)).compress_frames(&frames).unwrap();
    assert!(recovered(&file).is_some_and(|[excepted, ..]| excepted));
    let layout = BufferLayout::new(frames.format().clone(), frames.frames()).unwrap();
    let mut reader = RecordReader::new(&file[..], Limits::default()).unwrap();
    let header = reader.header().clone();
    let record = reader.next().unwrap().unwrap();
    let of_exceptions: usize = record.blocks.iter().rev().take(2).map(|block| block.packed_bytes as usize).sum();
    let first = record.payload.len() - of_exceptions;
    let places = record.blocks[record.blocks.len() - 2].packed_bytes as usize;
    for at in [0, 1, places / 2, places - 1, places, of_exceptions - 1] {
        for change in [1, 0x40, 0xFF] {
            let mut damaged = record.clone();
            damaged.payload[first + at] ^= change;
            let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
            writer.write(&damaged).unwrap();
            let target = buffer(gpu, &vec![0x11; frames.as_bytes().len()], SOURCE);
            let decompressor = Decompressor::default();
            let error = decompressor.decompress_gpu(gpu, &writer.finish().unwrap(), &target, &layout).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(content(gpu, &target)[..frames.as_bytes().len()].iter().all(|&byte| byte == 0x11), "{at}");
        }
    }
    let target = buffer(gpu, frames.as_bytes(), SOURCE);
    let on_gpu = GpuFrames::in_buffer(&target, layout).unwrap();
    assert!(compressor(&at_level(4)).compress_gpu(gpu, &on_gpu).unwrap() == file, "the device still works");
}

//! Whatever goes in comes out, bit for bit, through the public interface and through the
//! [reference decoder](reference); and the same bytes are packed by any threads.

mod made;
mod reference;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::Once;

use framepress::frame::{
    ChannelOrder, ChromaOrder, ChromaSampling, Dtype, Element, FrameFormat, Frames, Geometry, Layout, PlaneGeometry,
    bytes_of_view,
};
use framepress::internal::KNOWN;
use framepress::plan::{CodecChoice, DeviceChoice, Method, Patch, PatchedPlan, RecoveredPlan, Settings};
use framepress::{
    CodecId, Compressor, Decompressor, ErrorKind, Limits, SeekReader, Writer, compress, decompress, set_thread_cap,
};
use half::{bf16, f16};
use made::Made;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use proptest::prelude::*;

/// More threads than small machines have. Every test calls this before it compresses.
fn many_threads() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_thread_cap(NonZeroUsize::new(8).unwrap()).unwrap());
}

/// xorshift64*.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

#[derive(Debug, Clone, Copy)]
enum Content {
    Noise,
    /// A ramp with a little noise, which wraps around now and then.
    Smooth,
    Constant,
    Sparse,
    /// A short pattern over and over.
    Repeated,
    /// Numbers that arithmetic or comparison would not keep: NaNs with payloads, both zeros, infinities, subnormals.
    Specials,
}

const CONTENTS: [Content; 6] =
    [Content::Noise, Content::Smooth, Content::Constant, Content::Sparse, Content::Repeated, Content::Specials];

/// Little-endian samples of any dtype; those of `bool` are 0 and 1.
fn content(content: Content, dtype: Dtype, samples: usize, seed: u64) -> Vec<u8> {
    let mut noise = Noise(seed | 1);
    let constant = noise.next();
    let sample = |at: usize| match content {
        Content::Noise => noise.next(),
        Content::Smooth => (constant >> 3).wrapping_add(5 * at as u64).wrapping_add(noise.next() % 4),
        Content::Constant => constant,
        Content::Sparse if noise.next().is_multiple_of(16) => constant,
        Content::Sparse => 0,
        Content::Repeated => (at % 7) as u64 * 0x0101_0101_0101_0101,
        Content::Specials => special(dtype, noise.next()),
    };
    let bytes = |sample: u64| match dtype {
        Dtype::Bool => vec![(sample & 1) as u8],
        _ => sample.to_le_bytes()[..dtype.bytes()].to_vec(),
    };
    (0..samples).map(sample).flat_map(bytes).collect()
}

/// The bits of a special number: of a float, or the ends of the range of an integer.
fn special(dtype: Dtype, choice: u64) -> u64 {
    let (bits, mantissa) = match dtype {
        Dtype::F16 => (16, 10),
        Dtype::Bf16 => (16, 7),
        Dtype::F32 => (32, 23),
        Dtype::F64 => (64, 52),
        other => (8 * other.bytes() as u32, 0),
    };
    let sign = 1u64 << (bits - 1);
    let infinity = (sign - 1) >> mantissa << mantissa;
    let payload = (choice >> 8) & ((1 << mantissa) - 1);
    let number = match choice % 8 {
        0 => 0,
        1 => infinity,
        // A quiet or signalling NaN.
        2 | 3 => infinity | payload | 1,
        // A subnormal.
        4 => payload | 1,
        5 => sign - 1,
        6 => 1,
        _ => choice >> 8 & (sign - 1),
    };
    if choice >> 63 == 1 { number | sign } else { number }
}

/// How an array of some shape is seen from an array in C order.
#[derive(Debug, Clone)]
struct Strides {
    /// Sort keys that permute the axes.
    order: Vec<u8>,
    /// Distance and direction of each axis; 0 repeats one item along it.
    steps: Vec<isize>,
}

/// Calls `check` with a view of shape `shape` and with its bytes in C order.
fn view<T: Element>(
    shape: &[usize],
    strides: &Strides,
    content_of: impl Fn(usize) -> Vec<u8>,
    check: impl FnOnce(ArrayViewD<'_, T>, &[u8]),
) {
    let axes = shape.len();
    let mut order: Vec<usize> = (0..axes).collect();
    order.sort_by_key(|&axis| strides.order[axis]);
    // Axis `k` of the view is axis `place[k]` of the memory.
    let mut place = vec![0; axes];
    order.iter().enumerate().for_each(|(at, &axis)| place[axis] = at);
    let steps: Vec<isize> = (0..axes).map(|axis| if shape[axis] == 0 { 1 } else { strides.steps[axis] }).collect();
    let mut memory_shape = vec![0; axes];
    for axis in 0..axes {
        memory_shape[place[axis]] = if steps[axis] == 0 { 1 } else { shape[axis] * steps[axis].unsigned_abs() };
    }
    let bytes = content_of(memory_shape.iter().product());
    let samples: Vec<T> = bytes.chunks_exact(T::DTYPE.bytes()).map(|sample| T::from_le(sample).unwrap()).collect();
    let memory = ArrayD::from_shape_vec(IxDyn(&memory_shape), samples).unwrap();
    let mut view = memory.view().permuted_axes(IxDyn(&place));
    for (axis, &step) in steps.iter().enumerate().filter(|&(_, &step)| step != 0) {
        view.slice_axis_inplace(Axis(axis), Slice::new(0, None, step));
    }
    let view = view.broadcast(IxDyn(shape)).unwrap();
    assert_eq!(view.shape(), shape);

    let mut expected = Vec::new();
    view.iter().for_each(|&sample| sample.extend_le(&mut expected));
    check(view, &expected);
}

/// Calls a function that is generic over the element type with the type of a dtype.
macro_rules! with_element {
    ($dtype:expr, $T:ident => $call:expr) => {
        match $dtype {
            Dtype::Bool => {
                type $T = bool;
                $call
            }
            Dtype::U8 => {
                type $T = u8;
                $call
            }
            Dtype::I8 => {
                type $T = i8;
                $call
            }
            Dtype::U16 => {
                type $T = u16;
                $call
            }
            Dtype::I16 => {
                type $T = i16;
                $call
            }
            Dtype::U32 => {
                type $T = u32;
                $call
            }
            Dtype::I32 => {
                type $T = i32;
                $call
            }
            Dtype::U64 => {
                type $T = u64;
                $call
            }
            Dtype::I64 => {
                type $T = i64;
                $call
            }
            Dtype::F16 => {
                type $T = f16;
                $call
            }
            Dtype::Bf16 => {
                type $T = bf16;
                $call
            }
            Dtype::F32 => {
                type $T = f32;
                $call
            }
            Dtype::F64 => {
                type $T = f64;
                $call
            }
        }
    };
}

prop_compose! {
    fn settings()(
        // 8 and 9 are slow.
        level in prop_oneof![30 => 1u8..=7, 1 => 8u8..=9],
        codec in prop::sample::select(vec![
            CodecChoice::Auto, CodecChoice::Store, CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans,
            CodecChoice::Pack,
        ]),
        batch_frames in prop::option::of(1usize..6),
        threads in prop::option::of(1usize..8),
    ) -> Settings {
        Settings::new()
            .with_level(level)
            .unwrap()
            .with_codec(codec)
            .with_device(DeviceChoice::Cpu)
            .with_batch_frames(batch_frames.and_then(NonZeroUsize::new))
            .with_threads(threads.and_then(NonZeroUsize::new))
    }
}

/// Shapes with the frame axis first: up to four axes after it, now and then of size 0 or 1, and about 4,000
/// samples at most.
fn shapes() -> impl Strategy<Value = Vec<usize>> {
    let axis = prop_oneof![1 => Just(0usize), 3 => Just(1), 20 => 2usize..24];
    let channels = prop_oneof![2 => 1usize..24, 1 => 2usize..=4];
    (0usize..=4, prop::collection::vec(axis, 4), channels, 0usize..9).prop_map(|(axes, mut shape, channels, frames)| {
        shape.truncate(axes);
        if axes > 1 {
            shape[axes - 1] = channels;
        }
        shape.insert(0, frames);
        while shape.iter().product::<usize>() > 4000 {
            let largest = (0..shape.len()).max_by_key(|&axis| shape[axis]).unwrap();
            shape[largest] /= 2;
        }
        shape
    })
}

fn strides() -> impl Strategy<Value = Strides> {
    let step = prop_oneof![6 => Just(1isize), 2 => Just(-1), 1 => Just(2), 1 => Just(-3), 1 => Just(0)];
    let steps = prop::collection::vec(step, 5);
    let plain = Just(Strides { order: vec![0; 5], steps: vec![1; 5] });
    let any = (prop::collection::vec(any::<u8>(), 5), steps).prop_map(|(order, steps)| Strides { order, steps });
    prop_oneof![1 => plain, 4 => any]
}

/// Checks what every file must do: come back whole, by any decoder, and by frame.
fn check_file(file: &[u8], format: &FrameFormat, frames: usize, expected: &[u8], range: (usize, usize)) {
    assert!(reference::decode(file) == expected, "the reference decoder restores other bytes");
    let restored = decompress(file).unwrap();
    assert_eq!(restored.format(), format);
    assert_eq!(restored.frames(), frames);
    assert!(restored.as_bytes() == expected, "other bytes come back");

    let threads = NonZeroUsize::new(1 + range.0 % 3);
    let decompressor = Decompressor::new(&DeviceChoice::Cpu, threads, Limits::default()).unwrap();
    let mut raw: Vec<u8> = expected.iter().map(|byte| !byte).collect();
    decompressor.decompress_into(file, &mut raw).unwrap();
    assert!(raw == expected, "other bytes come back to memory in use");
    let mut reader = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
    assert_eq!(reader.frames(), frames as u64);
    assert!(reader.damage().is_empty());
    let start = range.0 % (frames + 1);
    let end = start + range.1 % (frames - start + 1);
    let part = reader.read_frames(start as u64..end as u64).unwrap();
    assert_eq!(part.frames(), end - start);
    assert!(part.as_bytes() == &expected[start * format.frame_bytes()..end * format.frame_bytes()], "{start}..{end}");
}

fn check_array<T: Element>(
    shape: &[usize],
    strides: &Strides,
    content_of: impl Fn(usize) -> Vec<u8>,
    settings: &Settings,
    range: (usize, usize),
) {
    view::<T>(shape, strides, content_of, |view, expected| {
        assert!(bytes_of_view(view.view()) == expected, "strides are resolved");
        let file = compress(view.view(), settings).unwrap();
        let format = FrameFormat::from_shape(T::DTYPE, &shape[1..]).unwrap();
        check_file(&file, &format, shape[0], expected, range);

        let array = decompress(&file).unwrap().to_array::<T>().unwrap();
        assert_eq!(array.shape(), shape);
        let mut found = Vec::new();
        array.iter().for_each(|&sample| sample.extend_le(&mut found));
        assert!(found == expected, "the array has other samples");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arrays_come_back(
        dtype in prop::sample::select(&Dtype::ALL[..]),
        shape in shapes(),
        strides in strides(),
        kind in prop::sample::select(&CONTENTS[..]),
        seed in any::<u64>(),
        settings in settings(),
        range in any::<(usize, usize)>(),
    ) {
        many_threads();
        let content_of = |samples| content(kind, dtype, samples, seed);
        with_element!(dtype, T => check_array::<T>(&shape, &strides, content_of, &settings, range));
    }

    #[test]
    fn pictures_come_back(
        (width, height) in prop_oneof![1 => (0usize..3, 0usize..3), 8 => (1usize..30, 1usize..20), 3 => (16usize..60, 16usize..50)],
        kind_of_layout in 0usize..14,
        dtype in prop_oneof![2 => prop::sample::select(vec![Dtype::U8, Dtype::U16]), 1 => prop::sample::select(&Dtype::ALL[..])],
        unused_bits in 0u8..8,
        frames in 0usize..7,
        kind in prop::sample::select(&CONTENTS[..]),
        seed in any::<u64>(),
        settings in settings(),
        range in any::<(usize, usize)>(),
    ) {
        many_threads();
        let layout = match kind_of_layout {
            0 => Layout::Gray { width, height },
            at @ 1..=4 => Layout::Packed { width, height, order: ChannelOrder::ALL[at - 1] },
            at => Layout::Yuv {
                width,
                height,
                sampling: ChromaSampling::ALL[(at - 5) / 3],
                chroma: ChromaOrder::ALL[(at - 5) % 3],
            },
        };
        // Samples may use more bits than the depth says.
        let depth = 8 * dtype.bytes() as u8 - unused_bits;
        let format = FrameFormat::with_bit_depth(dtype, layout, depth).unwrap();
        let raw = content(kind, dtype, frames * format.frame_samples(), seed);
        let input = Frames::new(format.clone(), frames, raw.clone()).unwrap();
        let file = Compressor::new(settings).unwrap().compress_frames(&input).unwrap();
        check_file(&file, &format, frames, &raw, range);
    }
}

/// Where frames show something that was not made of YUV.
const FOREIGN: [fn(usize, usize) -> bool; 4] =
    [|_, _| false, |x, _| x >= 16, |x, y| x < 32 && y >= 16, |x, y| x + y > 40 || y < 3];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_frames_come_back(
        width in 1usize..70,
        height in 1usize..40,
        order in prop::sample::select(&ChannelOrder::ALL[..]),
        known in 0..KNOWN.len(),
        sampling in prop::sample::select(&ChromaSampling::ALL[..]),
        noise in prop_oneof![3 => 1u64..9, 1 => 100u64..110],
        overlay in prop_oneof![2 => Just(0usize), 1 => 1usize..12],
        foreign in prop::sample::select(&FOREIGN[..]),
        frames in 1usize..5,
        settings in settings(),
        range in any::<(usize, usize)>(),
    ) {
        many_threads();
        let conversion = KNOWN[known].conversion;
        let frames = Made { width, height, order, conversion, sampling, noise, overlay, foreign }.frames(frames);
        let file = Compressor::new(settings).unwrap().compress_frames(&frames).unwrap();
        check_file(&file, frames.format(), frames.frames(), frames.as_bytes(), range);
    }
}

/// Samples of `bool` that are neither 0 nor 1 survive too.
#[test]
fn bool_keeps_any_byte() {
    many_threads();
    let format = FrameFormat::new(Dtype::Bool, Layout::Gray { width: 16, height: 16 }).unwrap();
    let raw: Vec<u8> = (0..=255).collect();
    let frames = Frames::new(format.clone(), 1, raw.clone()).unwrap();
    for level in 1..=9 {
        let settings = Settings::new().with_level(level).unwrap();
        let file = Compressor::new(settings).unwrap().compress_frames(&frames).unwrap();
        check_file(&file, &format, 1, &raw, (0, 1));
    }
    assert!(frames.to_array::<bool>().is_err());
}

/// Planes of several spans, the last of them of a length that is no multiple of 8: spans have at least 2^17
/// samples, so small inputs do not get there.
#[test]
fn several_spans_come_back() {
    many_threads();
    for (dtype, shape, samples) in [
        (Dtype::U8, vec![], (1 << 17) + 5),
        (Dtype::U16, vec![], (1 << 18) + 13),
        (Dtype::F64, vec![], (1 << 17) + 8),
        (Dtype::U8, vec![91, 97, 3], 91 * 97 * 3 * 16),
    ] {
        let format = FrameFormat::from_shape(dtype, &shape).unwrap();
        let raw = content(Content::Smooth, dtype, samples, 11);
        let frames = samples / format.frame_samples();
        let input = Frames::new(format.clone(), frames, raw.clone()).unwrap();
        for level in [1, 3] {
            let settings = Settings::new().with_level(level).unwrap().with_device(DeviceChoice::Cpu);
            let file = Compressor::new(settings).unwrap().compress_frames(&input).unwrap();
            check_file(&file, &format, frames, &raw, (frames / 2, 3));
        }
    }
}

/// Every level, also the slow ones, with every codec.
#[test]
fn every_level_and_codec_comes_back() {
    many_threads();
    let format = FrameFormat::from_shape(Dtype::U8, &[40, 50, 3]).unwrap();
    let raw = content(Content::Sparse, Dtype::U8, 4 * format.frame_samples(), 3);
    let input = Frames::new(format.clone(), 4, raw.clone()).unwrap();
    let decompressor = Decompressor::default();
    for level in 1..=9 {
        for (choice, codec) in [
            (CodecChoice::Auto, None),
            (CodecChoice::Store, Some(CodecId::Store)),
            (CodecChoice::Lz4, Some(CodecId::Lz4)),
            (CodecChoice::Zstd, Some(CodecId::Zstd)),
            (CodecChoice::Ans, Some(CodecId::Ans)),
            (CodecChoice::Pack, Some(CodecId::Pack)),
        ] {
            let settings = Settings::new().with_level(level).unwrap().with_codec(choice);
            let file = Compressor::new(settings).unwrap().compress_frames(&input).unwrap();
            check_file(&file, &format, 4, &raw, (1, 2));
            let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
            let used = reader.batch_info(0).unwrap().codecs;
            assert!(codec.is_none_or(|codec| used.iter().all(|used| used.0 == codec)), "level {level}: {used:?}");
        }
    }
}

/// Samples that are large enough for contexts to pay, and such that use few values, at every level.
#[test]
fn contexts_and_value_tables_come_back() {
    many_threads();
    let mut noise = Noise(5);
    let mut depth = |sign: u64, spread: u64| -> Vec<u64> {
        let sample = |at: usize| match noise.next() % 8 {
            0 => sign,
            // Of few values, but those of neighbours do not tell which.
            picked => ((at as u64 % 100 / 3 + picked * spread) * 17 + 40) ^ sign,
        };
        (0..20_000).map(sample).collect()
    };
    let [unsigned, signed] = [depth(0, 5), depth(0x8000, 5)];
    let bytes = depth(0, 0).iter().map(|sample| sample % 5 * 50).collect();
    let mut active = 0;
    let features = (0..20_000).map(|at| {
        if at % 40 == 0 {
            active = noise.next() % 3;
        }
        if active == 0 { u64::from((1.0 + (noise.next() % 99_999) as f32 / 7e4).to_bits()) } else { 0 }
    });
    for (dtype, samples, sparse) in [
        (Dtype::U16, unsigned, true),
        (Dtype::I16, signed.clone(), true),
        (Dtype::F16, signed, true),
        (Dtype::U8, bytes, true),
        (Dtype::F32, features.collect::<Vec<_>>(), false),
    ] {
        // Bytes in one row: pictures of them are for tiles.
        let shape: &[usize] = if dtype == Dtype::U8 { &[] } else { &[50, 100] };
        let format = FrameFormat::from_shape(dtype, shape).unwrap();
        let raw: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()[..dtype.bytes()].to_vec()).collect();
        let frames = samples.len() / format.frame_samples();
        let input = Frames::new(format.clone(), frames, raw.clone()).unwrap();
        let decompressor = Decompressor::default();
        for level in [1, 2, 4, 6] {
            let file = with_threads(level, 2).compress_frames(&input).unwrap();
            check_file(&file, &format, frames, &raw, (1, 2));
            let info = SeekReader::new(Cursor::new(&file), &decompressor).unwrap().batch_info(0).unwrap();
            let Method::Planes(plan) = &info.method else { panic!("{dtype} at level {level}: {:?}", info.codecs) };
            assert_eq!(plan.values.is_empty(), !sparse, "{dtype} at level {level}");
            let contexts = info.codecs.iter().any(|used| used.0 == CodecId::Contexts);
            assert!(contexts || sparse || level == 1, "{dtype} at level {level}: {:?}", info.codecs);
        }
    }
}

/// Light that moves, with noise below `noise`. With `blocks`, channels differ from the second by what 2 x 2 pixels share.
/// No conversion makes it of YUV.
fn camera(format: &FrameFormat, frames: usize, noise: u64, blocks: bool) -> Frames {
    let mut random = Noise(77);
    let geometry = Geometry::new(format, frames);
    let bytes = format.dtype().bytes();
    let mut raw = vec![0; frames * format.frame_bytes()];
    for (frame, raw) in raw.chunks_exact_mut(format.frame_bytes()).enumerate() {
        for y in 0..geometry.planes[0].height {
            for x in 0..geometry.planes[0].width {
                // A third stands still.
                let moved = if x < geometry.planes[0].width / 3 { x } else { x + 2 * frame };
                let wave = |at: usize, length: usize| (at % (2 * length)).abs_diff(length) as u64 * 80 / length as u64;
                let light = 20 + wave(moved, 37) + wave(y, 29) + wave(moved + 2 * y, 53) + random.next() % noise;
                for (at, plane) in geometry.planes.iter().enumerate() {
                    if x >= plane.width || y >= plane.height {
                        continue;
                    }
                    let tint = if at == 1 { 0 } else { ((x as u64 / 2 * 7) ^ (y as u64 / 2 * 5)) % 16 };
                    let sample = if blocks { light + tint } else { light + 3 * at as u64 + random.next() % 2 };
                    let to = (plane.offset + (y * plane.width + x) * plane.step) * bytes;
                    raw[to..to + bytes].copy_from_slice(&sample.to_le_bytes()[..bytes]);
                }
            }
        }
    }
    Frames::new(format.clone(), frames, raw).unwrap()
}

/// Letters and fields of few values that move.
fn drawing(format: &FrameFormat, frames: usize) -> Frames {
    let mut shapes = Noise(5);
    let shapes: Vec<u64> = (0..64).map(|_| shapes.next()).collect();
    let geometry = Geometry::new(format, frames);
    let (width, height) = (geometry.planes[0].width, geometry.planes[0].height);
    let unit_bytes = format.frame_bytes() / (width * height);
    let mut raw = Vec::new();
    for frame in 0..frames {
        for at in 0..width * height {
            let (x, y) = (at % width + 3 * frame, at / width + frame);
            let letter = shapes[(x / 8 + 5 * (y / 16)) % 64];
            let ink = x / 40 % 2 == 0 && (letter >> ((x % 8 / 2 + 4 * (y % 16)) % 64)) & 1 == 1;
            let value = if ink { letter } else { shapes[x / 70 + y / 50] };
            raw.extend(&value.to_le_bytes()[..unit_bytes]);
        }
    }
    Frames::new(format.clone(), frames, raw).unwrap()
}

/// Compresses at `level` and checks the file. Says which method the first batch has.
fn method_of(frames: &Frames, level: u8) -> Method {
    let file = with_threads(level, 3).compress_frames(frames).unwrap();
    check_file(&file, frames.format(), frames.frames(), frames.as_bytes(), (1, 2));
    assert!(with_threads(level, 1).compress_frames(frames).unwrap() == file, "other bytes by one thread");
    let decompressor = Decompressor::default();
    SeekReader::new(Cursor::new(&file), &decompressor).unwrap().batch_info(0).unwrap().method
}

fn picture(dtype: Dtype, layout: Layout) -> FrameFormat {
    FrameFormat::new(dtype, layout).unwrap()
}

/// Layouts of pictures: one plane, interleaved planes, planes of several sizes; no side a multiple of a tile's.
fn layouts(width: usize, height: usize) -> Vec<Layout> {
    let packed = |order| Layout::Packed { width, height, order };
    let yuv = |sampling, chroma| Layout::Yuv { width, height, sampling, chroma };
    vec![
        Layout::Gray { width, height },
        packed(ChannelOrder::Rgb),
        packed(ChannelOrder::Bgra),
        yuv(ChromaSampling::Cs420, ChromaOrder::Planar),
        yuv(ChromaSampling::Cs420, ChromaOrder::VuInterleaved),
        yuv(ChromaSampling::Cs422, ChromaOrder::UvInterleaved),
        yuv(ChromaSampling::Cs444, ChromaOrder::Planar),
    ]
}

#[test]
fn tiles_come_back() {
    many_threads();
    let (mut tries, mut splits) = (0, Vec::new());
    for (at, layout) in layouts(75, 67).into_iter().enumerate() {
        for blocks in [false, true] {
            let frames = camera(&picture(Dtype::U8, layout.clone()), 4, 9, blocks);
            for level in [2, 3 + at as u8 % 5] {
                tries += 1;
                if let Method::Tiles(plan) = method_of(&frames, level) {
                    splits.push(plan.split_chroma);
                }
            }
        }
    }
    // Planes are smaller where chroma has no noise.
    assert!(splits.len() > tries / 2, "tiles were used {} times of {tries}", splits.len());
    assert!(splits.contains(&true) && splits.contains(&false));
    // Bands and segments.
    let wide = Layout::Packed { width: 421, height: 343, order: ChannelOrder::Rgb };
    for blocks in [false, true] {
        let Method::Tiles(plan) = method_of(&camera(&picture(Dtype::U8, wide.clone()), 2, 9, blocks), 4) else {
            panic!("tiles")
        };
        assert_eq!(plan.bands, 2);
    }
    let long = picture(Dtype::I8, Layout::Gray { width: 301, height: 210 });
    let Method::Tiles(plan) = method_of(&camera(&long, 30, 4, false), 2) else { panic!("tiles") };
    assert!((plan.segment_frames as usize) < 30);
}

#[test]
fn pictures_of_few_values_come_back() {
    many_threads();
    let gray = |width, height| Layout::Gray { width, height };
    let packed = |order| Layout::Packed { width: 150, height: 83, order };
    for (dtype, layout, frames) in [
        (Dtype::U16, gray(150, 83), 4),
        (Dtype::I32, gray(150, 83), 4),
        (Dtype::U64, gray(90, 70), 3),
        (Dtype::U8, packed(ChannelOrder::Rgb), 4),
        (Dtype::U16, packed(ChannelOrder::Rgb), 3),
        (Dtype::U8, packed(ChannelOrder::Rgba), 4),
        // Windows that end before the picture does.
        (Dtype::U16, gray(1301, 40), 2),
        // Several bands.
        (Dtype::U16, gray(1000, 800), 1),
    ] {
        let frames = drawing(&picture(dtype, layout.clone()), frames);
        for level in [4, 7] {
            assert_eq!(method_of(&frames, level), Method::Discrete, "{dtype} {layout:?} at level {level}");
        }
    }
}

#[test]
fn strips_come_back() {
    many_threads();
    let (mut used, mut used_deep) = (0, 0);
    for layout in layouts(75, 67) {
        for (dtype, blocks) in [(Dtype::U8, false), (Dtype::U8, true), (Dtype::U16, true)] {
            let frames = camera(&picture(dtype, layout.clone()), 3, 9, blocks);
            let strips = usize::from(matches!(method_of(&frames, 8), Method::Strips(_)));
            used += strips;
            used_deep += strips * (dtype.bytes() - 1);
        }
    }
    assert!(used > 10, "strips were used {used} times");
    assert!(used_deep > 0, "never for samples of two bytes");
    let large = picture(Dtype::U8, Layout::Gray { width: 522, height: 509 });
    let Method::Strips(plan) = method_of(&camera(&large, 2, 9, false), 9) else { panic!("strips") };
    assert_eq!(plan.strips, 2);
}

/// Texture that moves from frame to frame, further than a strip is high, in all layouts whose planes move.
#[test]
fn moving_frames_come_back() {
    many_threads();
    let texture = |x: usize, y: usize| -> usize {
        let noise = |x: usize, y: usize| {
            let mixed = (x * 7919 + y * 104_729).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40 & 255
        };
        (0..9).map(|at| noise(x + at % 3, y + at / 3)).sum::<usize>() / 9
    };
    let yuv = |width, height, sampling, chroma| Layout::Yuv { width, height, sampling, chroma };
    let cases = [
        (9, Layout::Gray { width: 48, height: 33 }),
        (9, Layout::Gray { width: 131, height: 47 }),
        // Two strips.
        (9, Layout::Gray { width: 522, height: 509 }),
        (9, yuv(75, 67, ChromaSampling::Cs420, ChromaOrder::Planar)),
        (9, yuv(76, 66, ChromaSampling::Cs422, ChromaOrder::Planar)),
        (9, yuv(61, 35, ChromaSampling::Cs444, ChromaOrder::Planar)),
        // Tiles, and some bands of them.
        (7, Layout::Gray { width: 131, height: 47 }),
        (7, Layout::Gray { width: 522, height: 509 }),
        (7, yuv(175, 67, ChromaSampling::Cs420, ChromaOrder::Planar)),
        (7, yuv(675, 467, ChromaSampling::Cs420, ChromaOrder::VuInterleaved)),
        (7, yuv(176, 66, ChromaSampling::Cs422, ChromaOrder::UvInterleaved)),
        (7, yuv(161, 135, ChromaSampling::Cs444, ChromaOrder::Planar)),
        (8, Layout::Gray { width: 48, height: 33 }),
        (8, yuv(75, 67, ChromaSampling::Cs420, ChromaOrder::Planar)),
    ];
    for (level, layout) in cases {
        let format = picture(Dtype::U8, layout.clone());
        let geometry = Geometry::new(&format, 1);
        let of_frame = |frame: usize| -> Vec<u8> {
            let of_plane = |(at, plane): (usize, &PlaneGeometry)| -> Vec<u8> {
                let of = |place: usize| texture(place % plane.width + 4 * frame, place / plane.width + 2 * frame);
                let of = |place: usize| if at == 0 { of(place) } else { 100 + of(place) / 16 };
                (0..plane.frame_samples()).map(|place| of(place) as u8).collect()
            };
            geometry.planes.iter().enumerate().flat_map(of_plane).collect()
        };
        let frames = Frames::new(format, 4, (0..4).flat_map(of_frame).collect()).unwrap();
        match method_of(&frames, level) {
            Method::Tiles(plan) if level < 9 => assert!(plan.moves, "{layout:?}"),
            Method::Strips(plan) if level == 9 => assert!(plan.moves, "{layout:?}"),
            other => panic!("{layout:?}: {other:?}"),
        }
    }
}

/// Frames that refer to later ones: as many as two anchors can have between them, planes of all layouts that move, and RGB that is
/// made of such planes.
#[test]
fn frames_between_others_come_back() {
    many_threads();
    let yuv = |width, height, sampling, chroma| Layout::Yuv { width, height, sampling, chroma };
    let cases: [(Layout, &[usize]); 6] = [
        (Layout::Gray { width: 48, height: 33 }, &[0, 2]),
        (Layout::Gray { width: 131, height: 47 }, &[0, 1, 4, 5]),
        // Two strips or bands.
        (Layout::Gray { width: 522, height: 509 }, &[0, 4]),
        (yuv(75, 67, ChromaSampling::Cs420, ChromaOrder::Planar), &[0, 3, 4, 6]),
        (yuv(76, 66, ChromaSampling::Cs422, ChromaOrder::VuInterleaved), &[0, 8]),
        (yuv(61, 35, ChromaSampling::Cs444, ChromaOrder::Planar), &[0, 2, 4]),
    ];
    for (layout, anchors) in cases {
        let frames = made::between::frames(layout.clone(), anchors);
        assert!(matches!(method_of(&frames, 8), Method::Tiles(plan) if plan.moves), "{layout:?}");
        assert!(matches!(method_of(&frames, 9), Method::Strips(_)), "{layout:?}");
        for level in [8, 9] {
            let file = with_threads(level, 2).compress_frames(&frames).unwrap();
            assert!(made::between::refers_to_later(&file), "{layout:?} at level {level}");
        }
    }
    let layout = yuv(96, 80, ChromaSampling::Cs420, ChromaOrder::Planar);
    let planes = made::between::frames(layout, &[0, 4, 5]);
    let conversion = made::conversion("swscale, BT.601 limited");
    let format = picture(Dtype::U8, Layout::Packed { width: 96, height: 80, order: ChannelOrder::Rgb });
    let pixels = planes.as_bytes().chunks_exact(96 * 80 * 3 / 2).flat_map(|frame| {
        (0..96 * 80).flat_map(move |at| {
            let chroma = 96 * 80 + at / 192 * 48 + at % 96 / 2;
            conversion.pixel(frame[at], frame[chroma], frame[chroma + 48 * 40])
        })
    });
    let frames = Frames::new(format, 6, pixels.collect()).unwrap();
    for level in [8, 9] {
        assert!(matches!(method_of(&frames, level), Method::Recovered(_)));
        assert!(made::between::refers_to_later(&with_threads(level, 2).compress_frames(&frames).unwrap()));
    }
}

#[test]
fn recovered_planes_come_back() {
    many_threads();
    let recovered = |made: Made, level| match method_of(&made.frames(3), level) {
        Method::Recovered(plan) => {
            assert_eq!((plan.making.conversion, plan.making.sampling), (made.conversion, made.sampling), "{made:?}");
            assert_eq!(
                (plan.making.blue_first, plan.exceptions > 0),
                (made.blue_first(), made.overlay > 0),
                "{made:?}"
            );
            *plan.method
        }
        other => panic!("{made:?} at level {level}: {other:?}"),
    };
    let mut methods = [0; 3];
    for (at, order) in ChannelOrder::ALL.into_iter().enumerate() {
        for sampling in ChromaSampling::ALL {
            for (overlay, level) in [(0, 2 + at as u8), (2, 5), (0, 8)] {
                let method = recovered(Made { order, sampling, overlay, ..Made::new(91, 73) }, level);
                methods[match method {
                    Method::Tiles(_) => 0,
                    Method::Strips(_) => 1,
                    Method::Planes(_) => 2,
                    other => panic!("planes by {other:?}"),
                }] += 1;
            }
        }
    }
    // Chroma of frames this low is too low for tiles.
    methods[2] += usize::from(matches!(recovered(Made::new(160, 30), 4), Method::Planes(_)));
    assert!(methods.iter().all(|&count| count > 0), "tiles, strips, planes: {methods:?}");
    // Several strips of rows that are recovered by themselves.
    recovered(Made { overlay: 3, ..Made::new(131, 210) }, 4);
}

#[test]
fn patches_come_back() {
    many_threads();
    let patch = |made: Made, level| match method_of(&made.frames(3), level) {
        Method::Patched(PatchedPlan { patch, recovered, .. }) => {
            let RecoveredPlan { making, exceptions, .. } = recovered;
            assert_eq!((making.conversion, making.sampling), (made.conversion, made.sampling), "{made:?}");
            assert_eq!((making.blue_first, exceptions > 0), (made.blue_first(), made.overlay > 0), "{made:?}");
            patch
        }
        other => panic!("{made:?} at level {level}: {other:?}"),
    };
    // A corner, a half, two sides, and a hole: each with the rectangle around it, which has runs or not. Where most of
    // the frame is made in some way, its pixels need not share chroma.
    type Shape = (fn(usize, usize) -> bool, [u32; 4], bool);
    let shapes: [Shape; 5] = [
        (|x, y| x >= 64 && y >= 48, [64, 48, 57, 49], false),
        (|x, _| x >= 64, [64, 0, 57, 97], false),
        (|x, y| x < 32 || y < 16, [0, 0, 121, 97], true),
        (|x, y| (16..64).contains(&x) && (32..64).contains(&y), [16, 32, 48, 32], false),
        (|x, y| (32..96).contains(&x) && (32..64).contains(&y) || x >= 48 && y >= 64, [32, 32, 89, 65], true),
    ];
    for (at, (foreign, place, has_runs)) in shapes.into_iter().enumerate() {
        let samplings =
            if at == 3 { &ChromaSampling::ALL[..] } else { &[ChromaSampling::Cs420, ChromaSampling::Cs422] };
        for (order, &sampling) in ChannelOrder::ALL.into_iter().zip(samplings.iter().cycle().skip(at)) {
            let made = Made { order, sampling, foreign, overlay: if at < 3 { 2 } else { 0 }, ..Made::new(121, 97) };
            for level in [2, 4, 8] {
                let Patch { left, top, width, height, runs } = patch(made, level);
                assert_eq!(([left, top, width, height], !runs.is_empty()), (place, has_runs), "{made:?}");
            }
        }
    }
    // Several strips of rows, and a patch that is not of whole cells.
    let foreign = |x, y| x > 50 && y > 35 && y < 171;
    patch(Made { foreign, overlay: 1, ..Made::new(131, 210) }, 4);
}

/// Inputs on which threads have something to share: many frames, planes and blocks.
fn sizeable() -> Vec<Frames> {
    let layouts = [
        (Dtype::U8, Layout::Packed { width: 429, height: 367, order: ChannelOrder::Bgr }, 5),
        (
            Dtype::U16,
            Layout::Yuv { width: 95, height: 61, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::VuInterleaved },
            7,
        ),
        (Dtype::F32, Layout::Array { shape: vec![] }, 150_001),
    ];
    let frames = |(dtype, layout, frames)| {
        let format = FrameFormat::new(dtype, layout).unwrap();
        let raw = content(Content::Smooth, dtype, frames * format.frame_samples(), 5);
        Frames::new(format, frames, raw).unwrap()
    };
    layouts.into_iter().map(frames).collect()
}

fn with_threads(level: u8, threads: usize) -> Compressor {
    let settings = Settings::new().with_level(level).unwrap().with_device(DeviceChoice::Cpu);
    Compressor::new(settings.with_threads(NonZeroUsize::new(threads))).unwrap()
}

#[test]
fn threads_and_earlier_work_do_not_show_in_the_bytes() {
    many_threads();
    for level in [1, 4, 6] {
        let expected: Vec<Vec<u8>> =
            sizeable().iter().map(|frames| with_threads(level, 1).compress_frames(frames).unwrap()).collect();
        for threads in [1, 2, 7] {
            // One compressor for all, so that it has memory of other inputs.
            let compressor = with_threads(level, threads);
            for round in 0..3 {
                for (frames, expected) in sizeable().iter().zip(&expected) {
                    let found = compressor.compress_frames(frames).unwrap();
                    assert!(found == *expected, "level {level}, {threads} threads, round {round}");
                }
            }
        }
    }
}

#[test]
fn one_compressor_serves_many_threads() {
    many_threads();
    let inputs = sizeable();
    let compressor = with_threads(3, 2);
    let decompressor = Decompressor::default();
    let expected: Vec<Vec<u8>> =
        inputs.iter().map(|frames| with_threads(3, 1).compress_frames(frames).unwrap()).collect();
    std::thread::scope(|scope| {
        for first in 0..8 {
            let (inputs, expected, compressor, decompressor) = (&inputs, &expected, &compressor, &decompressor);
            scope.spawn(move || {
                for turn in 0..inputs.len() {
                    let at = (first + turn) % inputs.len();
                    let file = compressor.compress_frames(&inputs[at]).unwrap();
                    assert!(file == expected[at], "thread {first}, input {at}");
                    assert!(decompressor.decompress(&file).unwrap() == inputs[at], "thread {first}, input {at}");
                }
            });
        }
    });
    assert_eq!(compressor.counts().cpu, 8 * inputs.len() as u64);
}

/// How frames are handed to a writer does not show in the bytes.
#[test]
fn pieces_do_not_show_in_the_bytes() {
    many_threads();
    let format = FrameFormat::from_shape(Dtype::I16, &[9, 11]).unwrap();
    let raw = content(Content::Smooth, Dtype::I16, 23 * format.frame_samples(), 9);
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    let compressor = Compressor::new(settings).unwrap();
    let whole = compressor.compress_frames(&Frames::new(format.clone(), 23, raw.clone()).unwrap()).unwrap();
    for piece in [1, 2, 3, 4, 5, 9, 23] {
        let mut writer = Writer::new(Vec::new(), format.clone(), &compressor).unwrap();
        for bytes in raw.chunks(piece * format.frame_bytes()) {
            writer.write_frames(bytes.len() / format.frame_bytes(), bytes).unwrap();
        }
        assert!(writer.finish().unwrap() == whole, "pieces of {piece}");
    }
    check_file(&whole, &format, 23, &raw, (6, 11));
}

/// Too little memory or too much, within a batch, at its end, or beyond all of them.
#[test]
fn memory_of_another_size_is_refused() {
    many_threads();
    let raw = content(Content::Smooth, Dtype::U8, 10 * 30, 3);
    let frames = Frames::new(FrameFormat::from_shape(Dtype::U8, &[5, 6]).unwrap(), 10, raw).unwrap();
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    let file = Compressor::new(settings).unwrap().compress_frames(&frames).unwrap();
    for length in [0, 1, 120, 240, 299, 301, 1000] {
        let error = Decompressor::default().decompress_into(&file, &mut vec![0; length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{length}");
        assert!(error.to_string().contains(&format!("has {length} bytes")), "{error}");
    }
}

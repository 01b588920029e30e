//! What the targets share.

pub mod files;

use framepress::frame::{
    ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout, Origin, WorkBuffer,
};
use framepress::internal::discrete::{self, Picture};
use framepress::internal::{
    self, Backend, BatchRecord, CpuBackend, Crew, Decoder, FileHeader, KNOWN, Part, RecordReader, Surroundings,
    checksum, convert, put_over, recovered_count, strips, tiles,
};
use framepress::plan::{CodecChoice, DeviceChoice, Method, PatchedPlan, RecoveredPlan, Settings};
use framepress::{CodecId, Compressor, DecodedBatch, Decompressor, Limits, Reader, Result, SimdLevel};

/// Takes a number off the front of `input`; 0 where it ends.
pub fn number(input: &mut &[u8], bytes: usize) -> usize {
    let (head, rest) = input.split_at(bytes.min(input.len()));
    *input = rest;
    head.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// The results of one decoder at every SIMD level, which must be alike: nothing, or the same bytes.
pub fn at_every_level(decode: impl Fn(SimdLevel) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let levels = SimdLevel::available();
    let expected = decode(levels[0]);
    for &level in &levels[1..] {
        assert!(decode(level) == expected, "{} is unlike {}", level.name(), levels[0].name());
    }
    expected
}

/// A codec on a part of the input as a packed block, and on the rest as a raw one.
pub fn codec(
    mut input: &[u8],
    encode: fn(SimdLevel, &[u8], &mut Vec<u8>) -> bool,
    decode: fn(SimdLevel, &[u8], &mut [u8]) -> framepress::Result<()>,
) {
    let packed = |level, block: &[u8]| {
        let mut out = Vec::new();
        encode(level, block, &mut out).then_some(out)
    };
    let unpacked = |packed: &[u8], length| {
        at_every_level(|level| {
            let mut block = vec![0xA5; length];
            decode(level, packed, &mut block).is_ok().then_some(block)
        })
    };
    let length = number(&mut input, 2);
    if let Some(block) = unpacked(input, length) {
        // What was decoded can be coded again, perhaps into other bytes.
        if let Some(again) = at_every_level(|level| packed(level, &block)) {
            assert!(unpacked(&again, length) == Some(block));
        }
    }
    if let Some(block) = at_every_level(|level| packed(level, input)) {
        assert!(unpacked(&block, input.len()).as_deref() == Some(input));
    }
}

/// Frames of one of some formats.
pub fn format(id: usize, size: [usize; 2]) -> FrameFormat {
    let dtypes = [Dtype::U8, Dtype::I8, Dtype::U16, Dtype::I32, Dtype::F32, Dtype::U64, Dtype::Bool];
    let [width, height] = size.map(|size| size % 40);
    let layout = match id / dtypes.len() % 6 {
        0 => Layout::Gray { width, height },
        1 => Layout::Packed { width, height, order: ChannelOrder::Rgb },
        2 => Layout::Packed { width, height, order: ChannelOrder::Bgra },
        3 => Layout::Yuv { width, height, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::VuInterleaved },
        4 => Layout::Array { shape: vec![width] },
        _ => Layout::Array { shape: vec![height, width, 2] },
    };
    FrameFormat::new(dtypes[id % dtypes.len()], layout)
        .unwrap_or_else(|_| FrameFormat::new(Dtype::U8, Layout::Gray { width, height }).expect("a format"))
}

/// A file of one record without an index. Lengths and checksums are right, so that damage reaches what is behind them.
pub struct File {
    pub format: FrameFormat,
    pub bytes: Vec<u8>,
    record: usize,
    details: usize,
}

impl File {
    /// From any bytes: the format, the number of frames, the details, the payload.
    pub fn new(mut input: &[u8]) -> Self {
        let format = format(number(&mut input, 1), [number(&mut input, 1), number(&mut input, 1)]);
        let frames = number(&mut input, 1) % 8 + 1;
        let details = number(&mut input, 1).min(input.len());
        let (details, payload) = input.split_at(details);

        let header = FileHeader { format: format.clone(), origin: Origin::default() };
        let mut bytes = header.to_bytes().expect("a header");
        let record = bytes.len();
        bytes.extend(b"FPKB");
        bytes.extend((details.len() as u32 + 8).to_le_bytes());
        let raw_bytes = frames * format.frame_bytes();
        for field in [payload.len(), 0, 0, frames, raw_bytes, 0] {
            bytes.extend((field as u64).to_le_bytes());
        }
        bytes.extend(checksum(payload).to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(details);
        bytes.extend([0; 8]);
        bytes.extend(payload);
        let mut file = Self { format, bytes, record, details: details.len() };
        file.seal(0);
        file
    }

    /// A compressed file, its index left out: a few bytes of details and payload are replaced, as `input` says.
    fn damaged(format: FrameFormat, file: &[u8], input: &mut &[u8]) -> Self {
        let field = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("4 bytes")) as usize;
        let record = field(12);
        let (details, payload) = (field(record + 4) - 8, field(record + 8));
        let start = record + 72 + details + 8;
        let mut bytes = file[..start + payload].to_vec();
        for _ in 0..number(input, 1) % 4 {
            let at = number(input, 3) % (details + payload).max(1);
            let at = if at < details { record + 72 + at } else { start + at - details };
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= number(input, 1) as u8;
            }
        }
        let sum = checksum(&bytes[start..]);
        bytes[record + 56..record + 64].copy_from_slice(&sum.to_le_bytes());
        let mut file = Self { format, bytes, record, details };
        file.seal(0);
        file
    }

    /// Sets the checksum of the raw frames, and those over it.
    pub fn seal(&mut self, raw_checksum: u64) {
        let head = &mut self.bytes[self.record..];
        head[48..56].copy_from_slice(&raw_checksum.to_le_bytes());
        let sum = checksum(&head[..64]);
        head[64..72].copy_from_slice(&sum.to_le_bytes());
        let end = 72 + self.details;
        let sum = checksum(&head[..end]);
        head[end..end + 8].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The raw frames of a batch as a SIMD level restores them.
fn raw_frames(level: SimdLevel, geometry: &Geometry, record: &BatchRecord) -> Result<Vec<u8>> {
    let mut rest = record.payload.as_slice();
    let packed: Vec<(CodecId, &[u8])> = (record.blocks.iter())
        .map(|entry| {
            let (block, later) = rest.split_at(entry.packed_bytes as usize);
            rest = later;
            (entry.codec, block)
        })
        .collect();
    unpacked(level, geometry, &record.method, &packed)
}

/// The raw frames of the blocks of a method.
fn unpacked(level: SimdLevel, geometry: &Geometry, method: &Method, blocks: &[(CodecId, &[u8])]) -> Result<Vec<u8>> {
    let cpu = CpuBackend::new(level, 1);
    let mut raw = vec![0; geometry.raw_bytes()];
    let mut work = WorkBuffer::zeroed(geometry.work_bytes());
    let packed: Vec<&[u8]> = blocks.iter().map(|block| block.1).collect();
    match method {
        Method::Planes(plan) => {
            // The blocks of a span, the higher bytes first.
            let places: Vec<_> = internal::blocks(geometry, plan.span_samples).collect();
            for (at, place) in places.iter().enumerate().rev() {
                let mut block = vec![0; place.bytes.len()];
                let higher = place.higher_blocks(work.as_bytes());
                let plane = &geometry.planes[place.plane];
                let around = Surroundings { width: plane.width, picture: plane.frame_samples(), higher: &higher };
                Decoder::default().decode(blocks[at].0, packed[at], around, &mut block)?;
                work.as_bytes_mut()[place.bytes.clone()].copy_from_slice(&block);
            }
            cpu.inverse(geometry, plan, &mut work, &mut raw)?;
            plan.values.restore(geometry, &mut raw)?;
        }
        Method::Tiles(plan) => {
            tiles::decode(geometry, plan, &packed, &Part::whole(geometry), (&mut raw).into(), &cpu, &cpu)?
        }
        Method::Strips(plan) => {
            strips::decode(geometry, plan, &packed, &Part::whole(geometry), &mut work, &cpu)?;
            cpu.inverse(geometry, &plan.planes(geometry), &mut work, &mut raw)?;
            plan.values.restore(geometry, &mut raw)?;
        }
        Method::Discrete => {
            let plane = &geometry.planes[0];
            let unit_bytes = geometry.sample_bytes * plane.step;
            let picture = Picture { width: plane.width, height: plane.height, unit_bytes };
            discrete::decode(picture, &Crew::new(1), packed[0], &mut raw)?;
        }
        Method::Recovered(plan) => return unpacked_recovered(level, geometry, plan, blocks),
        Method::Patched(PatchedPlan { patch, recovered, method }) => {
            let (blocks, of_patch) = blocks.split_at(recovered_count(recovered, geometry));
            raw = unpacked_recovered(level, geometry, recovered, blocks)?;
            let pixels = unpacked(level, &patch.geometry(geometry), method, of_patch)?;
            put_over(geometry, patch, &pixels, &mut raw, &cpu)?;
        }
    }
    Ok(raw)
}

fn unpacked_recovered(
    level: SimdLevel,
    geometry: &Geometry,
    plan: &RecoveredPlan,
    blocks: &[(CodecId, &[u8])],
) -> Result<Vec<u8>> {
    let lengths: Vec<u64> = plan.exception_blocks().collect();
    let (of_planes, of_exceptions) = blocks.split_at(blocks.len() - lengths.len());
    let planes = unpacked(level, &plan.making.planes(geometry), &plan.method, of_planes)?;
    let mut exceptions = [Vec::new(), Vec::new()];
    for (((codec, packed), length), bytes) in of_exceptions.iter().zip(lengths).zip(&mut exceptions) {
        bytes.resize(length as usize, 0);
        Decoder::default().decode(*codec, packed, Surroundings::default(), bytes)?;
    }
    let mut raw = vec![0; geometry.raw_bytes()];
    let exceptions = exceptions.each_ref().map(Vec::as_slice);
    convert(geometry, &plan.making, &planes, &Part::whole(geometry), exceptions, &mut raw, &CpuBackend::new(level, 1))?;
    Ok(raw)
}

/// What the library makes of the first batch.
fn first_batch(file: &[u8]) -> Result<Option<DecodedBatch>> {
    Reader::new(file, &Decompressor::default())?.next_batch()
}

/// Every SIMD level restores the same frames of a file, and the library those; what one refuses the others refuse.
pub fn restored(mut file: File) {
    let next = RecordReader::new(file.bytes.as_slice(), Limits::default()).expect("the header is sound").next();
    let Ok(Some(record)) = next else {
        assert!(first_batch(&file.bytes).is_err());
        return;
    };
    let geometry = Geometry::new(&file.format, record.frames as usize);
    let Some(raw) = at_every_level(|level| raw_frames(level, &geometry, &record).ok()) else {
        assert!(first_batch(&file.bytes).is_err());
        return;
    };
    file.seal(checksum(&raw));
    let batch = first_batch(&file.bytes).expect("a sound batch").expect("a batch");
    assert!(batch.frames.as_bytes() == raw);
}

/// Compresses pictures made from `input`, damages the file as it says, and does as [`restored`].
pub fn damaged(mut input: &[u8], codec: CodecChoice) {
    let size = [number(&mut input, 1) % 24 + 16, number(&mut input, 1) % 54 + 16];
    let kind = number(&mut input, 1) % 4;
    let layout = match kind {
        0 => Layout::Gray { width: size[0], height: size[1] },
        1 => Layout::Packed { width: size[0], height: size[1], order: ChannelOrder::Rgb },
        2 => Layout::Packed { width: size[0], height: size[1], order: ChannelOrder::Bgra },
        _ => Layout::Yuv {
            width: 2 * size[0],
            height: 2 * size[1],
            sampling: ChromaSampling::Cs420,
            chroma: ChromaOrder::UvInterleaved,
        },
    };
    let format = FrameFormat::new(Dtype::U8, layout).expect("a format");
    let frames = number(&mut input, 1) % 3 + 1;
    let level = number(&mut input, 1) % 6 + 2;
    let (mut edits, content) = input.split_at(input.len().min(13));
    let noise = |at: usize| content.get(at % content.len().max(1)).map_or(0, |byte| byte & 15);
    let row = format.frame_bytes() / size[1];
    let raw = (0..frames * format.frame_bytes()).map(|at| (at % row / 2) as u8 ^ noise(at)).collect();
    let frames = Frames::new(format.clone(), frames, raw).expect("frames");
    compressed(format, &frames, level, codec, &mut edits);
}

/// As [`damaged`], of frames that a conversion made of planes.
pub fn recovered(mut input: &[u8]) {
    let [width, height] = [(); 2].map(|()| number(&mut input, 1) % 70 + 1);
    let order = ChannelOrder::ALL[number(&mut input, 1) % ChannelOrder::ALL.len()];
    let (columns, rows) = [(2, 2), (2, 1), (1, 1)][number(&mut input, 1) % 3];
    let conversion = KNOWN[number(&mut input, 1) % KNOWN.len()].conversion;
    let frames = number(&mut input, 1) % 3 + 1;
    let level = number(&mut input, 1) % 6 + 2;
    let drawn = number(&mut input, 1);
    // A corner that nothing made.
    let corner = number(&mut input, 1) % (width + height);
    let (mut edits, content) = input.split_at(input.len().min(13));
    let noise = |at: usize| content.get(at % content.len().max(1)).map_or(0, |byte| byte & 7);
    let layout = Layout::Packed { width, height, order };
    let format = FrameFormat::new(Dtype::U8, layout).expect("a format");
    let blue_first = matches!(order, ChannelOrder::Bgr | ChannelOrder::Bgra);
    let mut raw = Vec::new();
    for (at, x, y) in (0..frames * width * height).map(|at| (at, at % width, at / width)) {
        let chroma = (x / columns + y / rows) as u8 / 3 + 100;
        let [r, g, b] = conversion.pixel((x + y) as u8 / 2 + 50 + noise(at), chroma, chroma ^ noise(x / columns));
        let [r, g, b] = if x + y < corner { [r, g ^ 21, b ^ noise(at + 1)] } else { [r, g, b] };
        raw.extend(if blue_first { [b, g, r] } else { [r, g, b] });
        raw.extend((order.channels() == 4).then_some(x as u8));
    }
    let drawn = drawn.min(raw.len());
    for at in 0..drawn {
        raw[at * 7 % drawn] ^= noise(at);
    }
    let frames = Frames::new(format.clone(), frames, raw).expect("frames");
    compressed(format, &frames, level, CodecChoice::Auto, &mut edits);
}

fn compressed(format: FrameFormat, frames: &Frames, level: usize, codec: CodecChoice, edits: &mut &[u8]) {
    let settings = Settings::new().with_level(level as u8).expect("a level").with_codec(codec);
    let settings = settings.with_device(DeviceChoice::Cpu).with_threads(std::num::NonZeroUsize::new(1));
    let file = Compressor::new(settings).expect("a compressor").compress_frames(frames).expect("a file");
    restored(File::damaged(format, &file, edits));
}

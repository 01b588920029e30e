//! What the targets share.

use framepress::SimdLevel;
use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout, Origin};
use framepress::internal::{FileHeader, checksum};

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
fn format(id: usize, size: [usize; 2]) -> FrameFormat {
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

//! What a file says of a batch.

use crate::codec::CodecId;
use crate::container::RecordHead;
use crate::plan::Method;

/// What is recorded of a batch, besides its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchInfo {
    /// Number of its first frame in the file.
    pub first_frame: u64,
    /// Frames in it.
    pub frames: u64,
    /// Bytes of its frames.
    pub raw_bytes: u64,
    /// Bytes of its record in the file.
    pub packed_bytes: u64,
    /// How it is coded.
    pub method: Method,
    /// For each codec in use, its blocks and their bytes in the file.
    pub codecs: Vec<(CodecId, u64, u64)>,
    /// What the original file needs besides the frames to be restored; usually empty.
    pub side: Vec<u8>,
    /// When each frame was taken, in nanoseconds; empty if that is not known.
    pub timestamps: Vec<i64>,
}

impl BatchInfo {
    pub(crate) fn of(head: &RecordHead) -> Self {
        let usage = |codec: CodecId| {
            let blocks = head.blocks.iter().filter(|block| block.codec == codec);
            let (count, bytes) =
                blocks.fold((0, 0), |(count, bytes), block| (count + 1, bytes + u64::from(block.packed_bytes)));
            (count > 0).then_some((codec, count, bytes))
        };
        Self {
            first_frame: head.first_frame,
            frames: head.frames,
            raw_bytes: head.raw_bytes,
            packed_bytes: head.record_bytes,
            codecs: CodecId::ALL.into_iter().filter_map(usage).collect(),
            method: head.method.clone(),
            side: head.side.clone(),
            timestamps: head.timestamps.clone(),
        }
    }
}

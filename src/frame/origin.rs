//! Where frames came from, so that the original file can be restored.

use std::collections::BTreeMap;

/// Kind of the original file. The discriminants are the ids on the wire and are append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum OriginKind {
    /// No file: frames were handed over in memory.
    #[default]
    Memory = 0,
    /// A NumPy array file.
    Npy = 1,
    /// A YUV4MPEG2 stream.
    Y4m = 2,
    /// Raw video without a header.
    Raw = 3,
    /// A sequence of image files.
    Images = 4,
}

impl OriginKind {
    /// Every kind, in order of id.
    pub const ALL: [OriginKind; 5] = [Self::Memory, Self::Npy, Self::Y4m, Self::Raw, Self::Images];
}

/// What is known of where frames came from: what the original file had besides them, and what the user says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Kind of the file.
    pub kind: OriginKind,
    /// Whether its samples were big-endian. Frames are little-endian here; the original order is
    /// restored.
    pub big_endian: bool,
    /// The file's own header, byte for byte.
    pub header: Vec<u8>,
    /// Whatever the user wants to be kept with the frames, such as the camera and the place: a value for each key.
    pub metadata: BTreeMap<String, String>,
}

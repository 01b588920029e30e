//! Uniform parameters of the kernels, laid out as the shaders declare them.

use bytemuck::{Pod, Zeroable};

use crate::frame::MOST_STRETCHES;

/// Planes that one dispatch of the colour inverse takes.
pub(super) const MOST_PLANES: usize = 4;

/// Sets of statistics of tiles: one for each plane, and one for all differences from corners.
pub(super) const MOST_SETS: usize = MOST_PLANES + 1;

/// Parameters of `colour.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Colour {
    pub frames: u32,
    pub frame_samples: u32,
    pub subtract_green: u32,
    pub green_offset: u32,
    pub base: u32,
    pub plane_samples: u32,
    pub offset: u32,
    pub step: u32,
    pub bases: [u32; MOST_PLANES],
    pub groups: [[u32; 4]; MOST_PLANES],
}

/// Parameters of `copy.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Copy {
    pub words: u32,
}

/// Parameters of `rows.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Rows {
    pub words: u32,
    pub frames: u32,
    pub frame_bytes: u32,
    pub stretches: u32,
    pub dense: [[u32; 4]; MOST_STRETCHES],
    pub pitched: [[u32; 4]; MOST_STRETCHES],
}

/// Parameters of `pages.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Pages {
    pub count: u32,
}

/// Parameters of `block_sums.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct BlockSums {
    pub sums: u32,
}

/// Parameters of `temporal.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Temporal {
    pub base: u32,
    pub frames: u32,
    pub frame_length: u32,
}

/// Parameters of `predict.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Predict {
    pub base: u32,
    pub padded_base: u32,
    pub width: u32,
    pub height: u32,
    pub pitch: u32,
    pub first_frame: u32,
    pub frames: u32,
    pub zigzag: u32,
    pub sign_low: u32,
    pub sign_high: u32,
}

/// Parameters of `byte_shuffle.wgsl` and `bit_shuffle.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Span {
    pub base: u32,
    pub samples: u32,
    pub span_samples: u32,
}

/// Parameters of `histogram.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Histogram {
    pub base: u32,
    pub first: u32,
    pub last: u32,
    pub first_bin: u32,
}

/// Parameters of `entropy.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Entropy {
    pub histograms: u32,
}

/// Parameters of the shaders in `tiles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Tiles {
    pub tiles: u32,
    pub bands: u32,
    pub planes: u32,
    pub frames: u32,
    pub frame_samples: u32,
    pub rules: u32,
    pub segment_frames: u32,
    pub two_codes: u32,
    pub first_frame: u32,
    pub end_frame: u32,
    /// What follows begins at a multiple of 16 bytes.
    pub padding: [u32; 2],
    pub regions: [[u32; 4]; MOST_PLANES],
    pub coded: [u32; MOST_PLANES],
    pub classes: [[u32; 4]; MOST_SETS],
}

/// A row of the table that the shaders in `tiles` read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct CodedPlane {
    pub band_first: u32,
    pub frame_tiles: u32,
    pub first: u32,
    pub columns: u32,
    pub rows: u32,
    pub width: u32,
    pub height: u32,
    pub phase: u32,
    pub first_row: u32,
    pub start: u32,
    pub row_samples: u32,
    pub step: u32,
    pub green: u32,
    pub statistics: u32,
    pub first_table: u32,
}

/// Parameters of the shaders in `recover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Recover {
    pub estimate_u: [i32; 4],
    pub estimate_v: [i32; 4],
    pub estimate_luma: [i32; 4],
    pub narrow: [i32; 2],
    pub ends: [i32; 2],
    pub luma: [i32; 2],
    pub red: [i32; 2],
    pub green_u: [i32; 2],
    pub green_v: [i32; 2],
    pub blue: [i32; 2],
    pub output: [i32; 2],
    pub luma_shift: u32,
    pub chroma_shift: u32,
    pub output_shift: u32,
    pub is_narrow: u32,
    pub is_plain: u32,
    pub blue_first: u32,
    pub frames: u32,
    pub width: u32,
    pub height: u32,
    pub channels: u32,
    pub columns: u32,
    pub rows: u32,
    pub chroma_width: u32,
    pub chroma_height: u32,
    pub frame_samples: u32,
    /// The size is a multiple of 16 bytes.
    pub padding: u32,
}

/// Parameters of `exceptions.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Exceptions {
    pub count: u32,
    pub channels: u32,
}

/// A row of the table that `exceptions.wgsl` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Exception {
    pub place: u32,
    pub pixel: u32,
}

/// Parameters of `motion/picture.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Picture {
    pub first: u32,
    pub width: u32,
    pub height: u32,
    pub margin: u32,
    pub stride: u32,
    pub rows: u32,
    pub pictures: u32,
    pub filter_number: u32,
}

/// Parameters of `motion/search.wgsl` and `motion/settle.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Search {
    pub first: u32,
    pub width: u32,
    pub height: u32,
    pub across: u32,
    pub down: u32,
    pub pictures: u32,
    pub stride: u32,
    pub picture_samples: u32,
    pub margin: u32,
    pub beyond: i32,
    pub phases: u32,
    pub steps: u32,
    pub follows: u32,
    pub last: u32,
    pub found: u32,
    pub field: u32,
}

/// Parameters of `ans/lanes.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Rans {
    pub codes: u32,
    pub entries: u32,
    pub most_words: u32,
    pub words: u32,
    pub halvings: u32,
    pub rows: u32,
    pub ends: u32,
}

/// Parameters of `tiles/escapes.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Escapes {
    pub segments: u32,
    pub ends: u32,
}

/// A row of the table that `tiles/escapes.wgsl` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct EscapedSegment {
    pub first: u32,
    pub bytes: u32,
    pub places: u32,
    pub code: u32,
    pub codes: u32,
}

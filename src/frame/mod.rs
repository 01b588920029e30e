//! What comes in: dtypes, pixel formats, planes, batches.
//!
//! A *frame* is one picture (or one item of the first axis of an array). Frames are handled as
//! little-endian bytes in C order together with a [`FrameFormat`]; [`Geometry`] turns a format and
//! a frame count into planes of samples.

mod batch;
mod buffer;
mod dtype;
mod element;
mod format;
mod geometry;
mod origin;
mod rectangle;
mod tiling;

pub use batch::{Frames, bytes_of_view};
pub use buffer::WorkBuffer;
pub use dtype::Dtype;
pub use element::Element;
pub use format::{ChannelOrder, ChromaOrder, ChromaSampling, FrameFormat, Layout};
pub use geometry::{Geometry, PlaneGeometry};
pub use origin::{Origin, OriginKind};
pub use rectangle::Rectangle;

#[doc(hidden)]
pub use batch::Batch;
#[doc(hidden)]
pub use tiling::{Band, CodedPlane, GROUP, Phase, Region, TILE, TILE_GROUPS, TILE_SAMPLES, Tiling, rows_of_part};

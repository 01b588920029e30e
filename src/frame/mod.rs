//! What comes in: dtypes, pixel formats, planes, batches.
//!
//! A *frame* is one picture (or one item of the first axis of an array). Frames are handled as
//! little-endian bytes in C order together with a [`FrameFormat`]; [`Geometry`] turns a format and
//! a frame count into planes of samples.

mod batch;
mod buffer;
#[cfg(feature = "gpu")]
mod buffer_layout;
mod dtype;
mod element;
mod format;
mod geometry;
mod origin;
mod pitched;
mod rectangle;
mod tiling;

pub(crate) use batch::format_of_view;
pub use batch::{Frames, bytes_of_view};
pub use buffer::WorkBuffer;
#[cfg(feature = "gpu")]
pub use buffer_layout::BufferLayout;
pub use dtype::Dtype;
pub use element::Element;
pub use format::{ChannelOrder, ChromaOrder, ChromaSampling, FrameFormat, Layout};
pub use geometry::{Geometry, PlaneGeometry};
pub use origin::{Origin, OriginKind};
pub use rectangle::Rectangle;

#[cfg(feature = "gpu")]
pub(crate) use buffer_layout::{MOST_STRETCHES, stretches};
#[cfg(feature = "gpu")]
pub(crate) use tiling::regions;

#[doc(hidden)]
pub use batch::Batch;
#[doc(hidden)]
pub use pitched::{Pitch, PitchedFrames, Stretch};
#[doc(hidden)]
pub use tiling::{Band, CodedPlane, GROUP, Phase, Region, TILE, TILE_GROUPS, TILE_SAMPLES, Tiling, rows_of_part};

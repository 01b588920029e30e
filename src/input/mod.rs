//! Files on their way in and out: NumPy arrays, YUV4MPEG2, raw video, image sequences.
//!
//! A [`FrameReader`] turns a file into batches of raw frames (little-endian, C order); a [`Restorer`]
//! writes the original file again. What a file has besides its frames goes into its
//! [`Origin`] (once) and into [`InputBatch::side`] (per batch), and both come back byte for byte.
//! Of image files the pixels and the names come back, not the compressed bytes.
//!
//! Readers hold one batch at a time and never allocate on the word of a header: memory grows as bytes
//! arrive.

mod byte_order;
mod fill;
#[cfg(feature = "cli")]
mod images;
mod npy;
mod open;
mod raw;
mod restore;
mod y4m;

use crate::error::Result;
use crate::frame::{FrameFormat, Origin};

#[cfg(feature = "cli")]
pub use images::{ImageReader, restore_images};
pub use npy::NpyReader;
pub(crate) use npy::recorded_frames;
pub use open::{open, open_stream};
pub use raw::{RawReader, RawSpec};
pub use restore::{origin_of_part, origin_of_part_in, origin_of_region, restorer, side_of_part};
pub use y4m::Y4mReader;

/// What is known of an input before its frames are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Format of every frame.
    pub format: FrameFormat,
    /// What the file has besides its frames.
    pub origin: Origin,
    /// Number of frames, where it is known: not for streams.
    pub frames: Option<u64>,
}

/// Consecutive frames of an input, that own their bytes or borrow them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputBatch<B = Vec<u8>> {
    /// Number of frames, at least 1.
    pub frames: usize,
    /// The frames, one after another: little-endian samples in C order.
    pub bytes: B,
    /// What a [`Restorer`] needs besides the frames; usually empty.
    pub side: Vec<u8>,
    /// When each frame was taken, in nanoseconds; empty if that is not known.
    pub timestamps: Vec<i64>,
}

/// Reads an input batch by batch.
pub trait FrameReader: Send {
    /// What is known of the input.
    fn description(&self) -> &Description;

    /// Reads the next batch of at most `frames` frames (0 counts as 1). The last batch may have fewer; after it
    /// there is `None`.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if the input ends within a frame or before the frames
    /// its header promises; [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if it breaks its format;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the batch does not fit in memory. After an error the reader
    /// must not be used again.
    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>>;

    /// Hands back the bytes of a batch that is done with: the next batch is read into their memory. Fresh
    /// memory costs several times what copying a file from the system's cache does.
    fn reuse(&mut self, bytes: Vec<u8>);
}

/// Writes the original file again.
pub trait Restorer: Send {
    /// Writes the next `frames` frames, with the side data they were read with.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless `bytes` holds exactly `frames` frames;
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if `side` does not fit them; I/O errors.
    fn write_batch(&mut self, frames: usize, bytes: &[u8], side: &[u8]) -> Result<()>;

    /// Writes what is still buffered. To be called once, after the last batch.
    ///
    /// # Errors
    /// I/O errors.
    fn finish(&mut self) -> Result<()>;
}

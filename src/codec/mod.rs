//! Codecs: they change the size of a block of bytes.
//!
//! A block's decoded length is known from the geometry and the plan, so no codec stores it. A block
//! that its codec cannot shrink is stored.

pub mod ans;
pub(crate) mod bits;
mod decoder;
pub mod discrete;
mod encoder;
pub mod exceptions;
mod lane;
mod lz4;
pub mod model;
pub mod pack;
mod sparse;
pub(crate) mod sums;
mod tiles;
mod zstd;

#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use ans::lanes::{DecodeTable, EncodeTable};
pub(crate) use ans::segments::{check_code, decode as rans_decode, encode as rans_encode};
#[cfg(feature = "gpu")]
pub(crate) use ans::segments::{check_codes, check_ends};
pub use decoder::Decoder;
pub use encoder::Encoder;
pub(crate) use encoder::repeats;
#[doc(hidden)]
pub use tiles::{
    DecodedTiles, TileClasses, TileCounts, TileDecoder, TileDecoderTables, TileEncoder, TileEncoderTables, TileTables,
    packed as packed_tiles,
};
#[cfg(feature = "gpu")]
pub(crate) use tiles::{TWO_CODES, check_escapes};

pub use self::ans::contexts::{ContextKind, Surroundings};
use crate::error::{Error, Result};
use crate::frame::Geometry;

/// A codec by its id on the wire. The ids are append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CodecId {
    /// The bytes as they are.
    Store = 0,
    /// An LZ4 block (without LZ4's frame).
    Lz4 = 1,
    /// One Zstandard frame (RFC 8878).
    Zstd = 2,
    /// Interleaved rANS with a table per class of groups.
    Ans = 3,
    /// Fixed-width bit packing of small groups.
    Pack = 4,
    /// Interleaved rANS with a table per class of contexts.
    Contexts = 5,
    /// Whole frames of few values, coded by which neighbour a unit is equal to.
    Discrete = 6,
    /// A sequential adaptive model of planes.
    Model = 7,
    /// Bytes by distributions that adapt.
    Adaptive = 8,
    /// The bytes of samples whose higher bytes are not all zero, by another codec.
    Sparse = 9,
    /// The bytes that are not zero and a map of where they are, each by another codec.
    Mapped = 10,
}

impl CodecId {
    /// Every codec, in order of id.
    pub const ALL: [CodecId; 11] = [
        Self::Store,
        Self::Lz4,
        Self::Zstd,
        Self::Ans,
        Self::Pack,
        Self::Contexts,
        Self::Discrete,
        Self::Model,
        Self::Adaptive,
        Self::Sparse,
        Self::Mapped,
    ];

    /// The codec with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for an id of a later version.
    pub fn from_id(id: u8) -> Result<Self> {
        Self::ALL.get(usize::from(id)).copied().ok_or_else(|| {
            Error::unsupported(format!("codec: id {id} is not known to this version; update framepress"))
        })
    }

    /// The name that `--codec` takes.
    pub const fn name(self) -> &'static str {
        match self {
            CodecId::Store => "store",
            CodecId::Lz4 => "lz4",
            CodecId::Zstd => "zstd",
            CodecId::Ans => "ans",
            CodecId::Pack => "pack",
            CodecId::Contexts => "contexts",
            CodecId::Discrete => "discrete",
            CodecId::Model => "model",
            CodecId::Adaptive => "adaptive",
            CodecId::Sparse => "sparse",
            CodecId::Mapped => "mapped",
        }
    }
}

/// What is known of a block of bytes of a plane's samples. Those of one byte are left to `ans`.
pub fn surroundings<'a>(geometry: &Geometry, plane: usize, higher: &'a [&'a [u8]]) -> Surroundings<'a> {
    let plane = &geometry.planes[plane];
    let width = if geometry.sample_bytes > 1 { plane.width } else { 0 };
    Surroundings { width, picture: plane.frame_samples(), higher }
}

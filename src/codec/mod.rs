//! Codecs: they change the size of a block of bytes.

use crate::error::{Error, Result};

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
}

impl CodecId {
    /// Every codec, in order of id.
    pub const ALL: [CodecId; 3] = [Self::Store, Self::Lz4, Self::Zstd];

    /// The codec with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for an id of a later version.
    pub fn from_id(id: u8) -> Result<Self> {
        Self::ALL.get(usize::from(id)).copied().ok_or_else(|| {
            Error::unsupported(format!("codec: id {id} is not known to this version; update framepress"))
        })
    }
}

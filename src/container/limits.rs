//! What a reader agrees to hold in memory.

/// Sizes above these are refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit) before anything
/// is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Raw bytes of one batch. The default is 4 GiB.
    pub max_batch_bytes: u64,
    /// Bytes of the file header, and of the details of one record (plan, block table, side data).
    /// The default is 64 MiB.
    pub max_header_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_batch_bytes: 4 << 30, max_header_bytes: 64 << 20 }
    }
}

//! What a reader agrees to hold in memory.

use std::num::NonZeroU64;

use crate::error::{Error, Result};
use crate::pipeline::{FOOTPRINT, WORKING_BYTES};

/// Sizes above these are refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit) before anything
/// is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Raw bytes of one batch. The default is 4 GiB.
    pub max_batch_bytes: u64,
    /// Bytes of the file header, and of the details of one record (plan, block table, side data).
    /// The default is 64 MiB.
    pub max_header_bytes: u64,
    /// Raw bytes that one reading of a file gives, of all its batches. The default is no limit: a gigabyte of zeros
    /// takes some hundred packed bytes, so set one where files come from others.
    pub max_output_bytes: u64,
    /// Memory of batches that are decompressed at the same time, each taking up to four times its raw bytes. One alone
    /// may take more than this. The default is 1 GiB.
    pub working_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_batch_bytes: 4 << 30,
            max_header_bytes: 64 << 20,
            max_output_bytes: u64::MAX,
            working_bytes: WORKING_BYTES,
        }
    }
}

impl Limits {
    /// Refuses output above the limit.
    pub(crate) fn check_output(&self, raw_bytes: u64) -> Result<()> {
        if raw_bytes > self.max_output_bytes {
            return Err(Error::limit(format!(
                "output: {raw_bytes} raw bytes are more than the limit of {}",
                self.max_output_bytes
            )));
        }
        Ok(())
    }

    /// The same limits, but batches are decompressed within `bytes` of working memory, alone or several at a time.
    #[must_use]
    pub fn with_memory(self, bytes: NonZeroU64) -> Self {
        Self { max_batch_bytes: self.max_batch_bytes.min(bytes.get() / FOOTPRINT), working_bytes: bytes.get(), ..self }
    }
}

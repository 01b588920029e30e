//! Aligned working memory.

/// Bytes aligned for any sample type, so that a plane can be seen as a slice of samples.
#[derive(Debug, Clone, Default)]
pub struct WorkBuffer {
    /// As many as the longest content took: what has been zeroed once is not zeroed again.
    words: Vec<u64>,
    bytes: usize,
}

impl WorkBuffer {
    /// `bytes` zero bytes.
    pub fn zeroed(bytes: usize) -> Self {
        Self { words: vec![0; bytes.div_ceil(8)], bytes }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }

    /// The bytes, to write.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.bytes]
    }

    /// Makes the buffer `bytes` long, keeping memory it has. The content is unspecified.
    pub fn resize_for_overwrite(&mut self, bytes: usize) {
        let words = bytes.div_ceil(8);
        if self.words.len() < words {
            // Not grown: pages that the system has zeroed are taken as they are, by whoever writes them first.
            self.words = vec![0; words];
        }
        self.bytes = bytes;
    }

    /// Leaves off what is beyond `bytes` bytes.
    pub fn truncate(&mut self, bytes: usize) {
        self.bytes = self.bytes.min(bytes);
    }
}

//! Buffers that only the device reaches, kept for the next batch.
//!
//! Buffers come in size classes, four to an octave, so that batches of about one size share them.
//! Content is unspecified; under test it is made so.

use std::sync::Mutex;

use crate::pool::lock;

/// Buffers kept for one use: eight for each of three batches. More than this many at a time are freed after use.
const MOST_SPARE: usize = 24;

/// Smallest size class, in bytes.
const LEAST_BYTES: u64 = 4096;

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// Kernels read and write it.
    Storage,
    /// Parameters of kernels.
    Uniform,
}

impl Usage {
    fn flags(self) -> wgpu::BufferUsages {
        match self {
            Usage::Storage => wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            Usage::Uniform => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        }
    }
}

/// The spare buffers of one device.
#[derive(Default)]
pub(super) struct Pool {
    spare: Mutex<Vec<(Usage, wgpu::Buffer)>>,
}

impl Pool {
    /// A buffer of at least `bytes` bytes, which are at most `limit`.
    pub fn take(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        usage: Usage,
        bytes: u64,
        limit: u64,
    ) -> wgpu::Buffer {
        let size = size_class(bytes).min(limit & !3).max(bytes);
        let reused = {
            let mut spare = lock(&self.spare);
            let found = spare.iter().position(|(kind, buffer)| *kind == usage && buffer.size() == size);
            found.map(|at| spare.swap_remove(at).1)
        };
        let create = || {
            let usage = usage.flags();
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let buffer = reused.unwrap_or_else(create);
        if cfg!(test) && usage == Usage::Storage {
            // Reliance on zeroed or left-over memory shows as a wrong result.
            queue.write_buffer(&buffer, 0, &vec![0xA5; bytes as usize]);
        }
        buffer
    }

    /// Takes back a buffer that the device does not use.
    pub fn give(&self, usage: Usage, buffer: wgpu::Buffer) {
        let mut spare = lock(&self.spare);
        spare.push((usage, buffer));
        let of_usage = spare.iter().filter(|(kind, _)| *kind == usage).count();
        if of_usage > MOST_SPARE
            && let Some(oldest) = spare.iter().position(|(kind, _)| *kind == usage)
        {
            spare.remove(oldest);
        }
    }

    /// Frees all spare buffers: memory may have run out.
    pub fn clear(&self) {
        lock(&self.spare).clear();
    }
}

/// `bytes` rounded up to a multiple of a quarter of the power of two below.
pub(super) fn size_class(bytes: u64) -> u64 {
    let bytes = bytes.max(LEAST_BYTES);
    bytes.next_multiple_of((1 << bytes.ilog2()) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_waste_little() {
        assert_eq!([0, 4096, 4097, 5120, 8192, 8193].map(size_class), [4096, 4096, 5120, 5120, 8192, 10_240]);
        for bytes in (4096..1 << 20).step_by(4099) {
            let class = size_class(bytes);
            assert!(class >= bytes && class - bytes <= bytes / 4 && class.is_multiple_of(4));
        }
    }
}

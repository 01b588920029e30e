//! Buffers of a device, kept for the next batch.
//!
//! Buffers come in size classes, four to an octave, so that batches of about one size share them.
//! Content is unspecified; under test it is made so.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::pool::lock;

/// Buffers kept for one use. More than this many at a time are freed after use.
const MOST_SPARE: usize = 8;

/// Smallest size class, in bytes.
const LEAST_BYTES: u64 = 4096;

/// Longest wait for the mapping of a buffer that the device does not use.
const MAPPING_TIMEOUT: Duration = Duration::from_secs(10);

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// Kernels read and write it.
    Storage,
    /// Parameters of kernels.
    Uniform,
    /// On the way to the device. It is mapped when it is handed out.
    Upload,
    /// On the way from the device.
    Download,
}

impl Usage {
    fn flags(self) -> wgpu::BufferUsages {
        match self {
            Usage::Storage => wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            Usage::Uniform => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            Usage::Upload => wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
            Usage::Download => wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
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
    ) -> Result<wgpu::Buffer> {
        let size = size_class(bytes).min(limit & !3).max(bytes);
        let reused = {
            let mut spare = lock(&self.spare);
            let found = spare.iter().position(|(kind, buffer)| *kind == usage && buffer.size() == size);
            found.map(|at| spare.swap_remove(at).1)
        };
        let buffer = match reused {
            Some(buffer) if usage == Usage::Upload => mapped(device, buffer)?,
            Some(buffer) => buffer,
            None => device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage: usage.flags(),
                mapped_at_creation: usage == Usage::Upload,
            }),
        };
        if cfg!(test) && usage == Usage::Storage {
            // Reliance on zeroed or left-over memory shows as a wrong result.
            queue.write_buffer(&buffer, 0, &vec![0xA5; bytes as usize]);
        }
        Ok(buffer)
    }

    /// Takes back a buffer that the device does not use and that is not mapped.
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

/// Maps `buffer` to be written.
fn mapped(device: &wgpu::Device, buffer: wgpu::Buffer) -> Result<wgpu::Buffer> {
    let (sender, receiver) = mpsc::channel();
    buffer.map_async(wgpu::MapMode::Write, .., move |result| {
        // Nobody waits any more if the receiver is gone.
        let _ = sender.send(result);
    });
    let step = Duration::from_millis(1);
    for _ in 0..MAPPING_TIMEOUT.as_millis() / step.as_millis() {
        device.poll(wgpu::PollType::Poll).map_err(|error| Error::gpu(error.to_string()))?;
        match receiver.recv_timeout(step) {
            Ok(Ok(())) => return Ok(buffer),
            Ok(Err(error)) => return Err(Error::gpu(format!("upload buffer: {error}"))),
            Err(_) => {}
        }
    }
    Err(Error::gpu(format!("upload buffer: not mapped within {MAPPING_TIMEOUT:?}")))
}

/// `bytes` rounded up to a multiple of a quarter of the power of two below.
fn size_class(bytes: u64) -> u64 {
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

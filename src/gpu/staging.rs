//! Memory that host and device both reach: what is uploaded is written there, what is downloaded is read from there.
//!
//! Nobody waits here while others could go on: a run writes and reads its own buffers, and all that is shared is the
//! [ring](super::ring) that they come from. Upload buffers are mapped again as soon as the device has read them, so that
//! they lie in the ring ready to be written.

use std::sync::mpsc;
use std::time::Duration;

use super::pool::size_class;
use super::ring::{Claim, Ring, WAYS};
use crate::error::{Error, Result};

/// Bytes that all runs of a device may have at a time, and that stay when there are none, until somebody
/// [says how many](Staging::keep_within).
const BYTES: u64 = 512 << 20;

const USAGES: [wgpu::BufferUsages; WAYS] = [
    wgpu::BufferUsages::MAP_WRITE.union(wgpu::BufferUsages::COPY_SRC),
    wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST),
];

/// The staging buffers of one device.
pub(super) struct Staging {
    ring: Ring<wgpu::Buffer>,
}

/// Those of one run.
pub(super) struct Staged<'a> {
    claim: Claim<'a, wgpu::Buffer>,
    /// Mapped until it is [filled](Self::fill).
    pub upload: wgpu::Buffer,
    pub download: wgpu::Buffer,
}

impl Default for Staging {
    fn default() -> Self {
        Self { ring: Ring::new(BYTES) }
    }
}

impl Staging {
    /// Buffers for so many bytes there and back, once there is room for them.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device is lost, or is lost while this waits.
    pub fn claim(&self, device: &wgpu::Device, bytes: [u64; WAYS]) -> Result<Staged<'_>> {
        let sizes = bytes.map(|bytes| size_class(bytes).min(device.limits().max_buffer_size & !3).max(bytes));
        let (claim, [upload, download]) =
            self.ring.claim(sizes).ok_or_else(|| Error::gpu("the device was lost before the batch had its turn"))?;
        let create = |way: usize| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: sizes[way],
                usage: USAGES[way],
                mapped_at_creation: way == 0,
            })
        };
        let (upload, download) = (upload.unwrap_or_else(|| create(0)), download.unwrap_or_else(|| create(1)));
        Ok(Staged { claim, upload, download })
    }

    /// Runs have to do with so many bytes at a time from now on.
    pub fn keep_within(&self, bytes: u64) {
        self.ring.keep_within(bytes);
    }

    /// Frees what no run uses: memory may have run out.
    pub fn clear(&self) {
        self.ring.clear();
    }

    /// The device is lost: nobody is to wait for room.
    pub fn close(&self) {
        self.ring.close();
    }
}

impl Staged<'_> {
    /// Writes `parts` to what is uploaded, each at its offset.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device fails.
    pub fn fill<'a>(&self, parts: impl Iterator<Item = (u64, &'a [u8])>) -> Result<()> {
        {
            let view = self.upload.get_mapped_range_mut(..);
            let mut view = view.map_err(|error| Error::gpu(format!("upload buffer: {error}")))?;
            for (offset, bytes) in parts {
                let start = offset as usize;
                view.slice(start..start + bytes.len()).copy_from_slice(bytes);
            }
        }
        self.upload.unmap();
        Ok(())
    }

    /// Asks for both to be mapped when the device is done with what was submitted.
    pub fn map(&self) -> Mapping {
        let (sender, answers) = mpsc::channel();
        for (buffer, mode) in [(&self.upload, wgpu::MapMode::Write), (&self.download, wgpu::MapMode::Read)] {
            let sender = sender.clone();
            buffer.map_async(mode, .., move |result| {
                // Nobody waits any more if the receiver is gone.
                let _ = sender.send(result);
            });
        }
        Mapping { answers }
    }

    /// Reads what was downloaded, which is mapped.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device fails.
    pub fn read<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let view = self.download.get_mapped_range(..);
        let view = view.map_err(|error| Error::gpu(format!("download buffer: {error}")))?;
        Ok(read(&view))
    }

    /// Leaves the buffers to later runs: both are mapped.
    pub fn give_back(self) {
        self.download.unmap();
        self.claim.give_back([Some(self.upload), Some(self.download)]);
    }
}

/// Buffers that are going to be mapped.
pub(super) struct Mapping {
    answers: mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl Mapping {
    /// Waits until they are: the device has done its part, so that only threads which tell this one are waited for.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if they cannot be, or are not in time.
    pub fn done(&self, longest: Duration) -> Result<()> {
        for _ in 0..WAYS {
            match self.answers.recv_timeout(longest) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(Error::gpu(format!("staging buffer: {error}"))),
                Err(error) => return Err(Error::gpu(format!("staging buffer: no answer: {error}"))),
            }
        }
        Ok(())
    }
}

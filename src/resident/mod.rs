//! Frames that are on a GPU before they are compressed, or are to be there afterwards.
//!
//! A batch whose method is tiles, of the frames or of the planes that they were made from, is done where it is: what goes
//! to the host are the places that the choice of the method looks at, sums for the checksum, and what is coded; what is to be
//! repaired of planes goes there and back. Back, all tiles are restored there, and frames are made of those of recovered planes.
//! Any other batch is transferred as a whole and goes the ordinary way. The packed bytes are the same, and those of frames on the host.

mod compress;
mod decompress;
mod recovered;

use std::sync::Arc;

pub use crate::gpu::GpuFrames;

use crate::device::DeviceDescription;
use crate::error::Result;
use crate::gpu::{self, GpuBackend, Selection};

/// A GPU that frames are on: one that you lend, or one that is opened. Clones are the same one.
///
/// ```no_run
/// use framepress::frame::{BufferLayout, Dtype, FrameFormat};
/// use framepress::{Compressor, Gpu, GpuFrames, Settings, wgpu};
///
/// # fn compress(device: wgpu::Device, queue: wgpu::Queue, buffer: wgpu::Buffer) -> framepress::Result<()> {
/// let gpu = Gpu::lent(device, queue)?;
/// let format = FrameFormat::from_shape(Dtype::U8, &[1080, 1920, 4])?;
/// let frames = GpuFrames::in_buffer(&buffer, BufferLayout::new(format, 8)?)?;
/// let file = Compressor::new(Settings::new())?.compress_gpu(&gpu, &frames)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Gpu {
    backend: Arc<GpuBackend>,
}

impl Gpu {
    /// A device that is lent, with its queue; it is used beside whatever else is done on it. It must have been
    /// opened with the limits of `wgpu::Limits::downlevel_defaults()` for compute at least; batches can be as large as
    /// its largest buffer and binding. Before it is used, its results are compared with those of the CPU. What handles its
    /// errors and its loss stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) with the limits that are missing, or the first stage whose result is wrong.
    pub fn lent(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        Self::checked(GpuBackend::lent(device, queue)?)
    }

    /// Opens a device: the one that `name` says (an index, a PCI bus id or part of a name, as of
    /// [`DeviceChoice::Named`](crate::plan::DeviceChoice)), or the first that works.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if there is none, or none that works.
    pub fn open(name: Option<&str>) -> Result<Self> {
        Self::checked(GpuBackend::new(name.map_or(Selection::First, Selection::Named))?)
    }

    fn checked(backend: GpuBackend) -> Result<Self> {
        gpu::check_residence(&backend)?;
        Ok(Self { backend: Arc::new(backend) })
    }

    /// What it is.
    pub fn description(&self) -> &DeviceDescription {
        self.backend.description()
    }

    /// The device, to make buffers on.
    pub fn device(&self) -> &wgpu::Device {
        self.backend.device()
    }

    /// Its queue.
    pub fn queue(&self) -> &wgpu::Queue {
        self.backend.queue()
    }

    /// For framepress's own tests.
    #[doc(hidden)]
    pub fn backend(&self) -> &GpuBackend {
        &self.backend
    }
}

//! What the work of an accelerator took, as data.

use std::time::Duration;

/// How closely an accelerator is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The parts that the host sees. The device works as it does unwatched.
    Host,
    /// Every kernel by itself as well, which takes the device longer.
    Kernels,
}

/// One upload, some kernels and a download.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceRun {
    /// To get buffers and to copy the input to memory that the device reads.
    pub upload: Duration,
    /// From the first command to the end of the last.
    pub wait: Duration,
    /// To copy the output from memory that the device wrote.
    pub download: Duration,
    /// Bytes of the input.
    pub uploaded_bytes: u64,
    /// Bytes of the output.
    pub downloaded_bytes: u64,
    /// In the order in which they ran.
    pub kernels: Vec<KernelRun>,
}

impl DeviceRun {
    /// From host memory to host memory.
    pub fn total(&self) -> Duration {
        self.upload + self.wait + self.download
    }
}

/// One launch of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelRun {
    /// File and entry point of the kernel.
    pub kernel: [&'static str; 2],
    /// Bytes that it has to read and write.
    pub moved_bytes: u64,
    /// `None` if the device cannot tell, or was not asked.
    pub time: Option<Duration>,
}

/// What a device can do at best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviceRates {
    /// For next to no work.
    pub submit_and_wait: Duration,
    /// Bytes per second from host memory to a buffer of kernels.
    pub upload: f64,
    /// Bytes per second from a buffer of kernels to host memory.
    pub download: f64,
    /// Bytes per second that a copying kernel reads and writes; `None` if the device cannot tell.
    pub copy: Option<f64>,
}

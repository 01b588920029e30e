//! The GPU that kernels are measured on.

use std::time::{Duration, Instant};

use framepress::Result;
use framepress::internal::gpu::{GpuBackend, Selection};
use framepress::internal::{Backend, Detail, DeviceRates, DeviceRun};
use framepress::plan::DeviceChoice;

/// A GPU of its own, which nothing else uses.
pub struct Gpu {
    backend: GpuBackend,
    /// Until its first batch could run: the probe compiles most kernels.
    pub opened: Duration,
    pub rates: DeviceRates,
}

impl Gpu {
    /// `None` if `device` is no GPU.
    pub fn open(device: &DeviceChoice) -> Result<Option<Self>> {
        let selection = match device {
            DeviceChoice::Gpu => Selection::First,
            DeviceChoice::Named(name) => Selection::Named(name),
            DeviceChoice::Cpu | DeviceChoice::Auto => return Ok(None),
        };
        let start = Instant::now();
        let backend = GpuBackend::new(selection)?;
        let opened = start.elapsed();
        let rates = backend.rates()?;
        Ok(Some(Self { backend, opened, rates }))
    }

    pub fn backend(&self) -> &dyn Backend {
        &self.backend
    }

    /// Kernels that have been compiled, and the time of that.
    pub fn compiled(&self) -> (usize, Duration) {
        self.backend.compiled()
    }

    /// Carries out `work` and tells what of it ran here.
    pub fn profile<R>(&self, detail: Detail, work: impl FnOnce() -> R) -> (R, Vec<DeviceRun>) {
        self.backend.profile(detail, work)
    }
}

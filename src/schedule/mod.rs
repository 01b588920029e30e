//! Where each batch runs.
//!
//! A batch goes to the CPU or to one accelerator. Whatever goes wrong on the accelerator, the batch
//! is redone on the CPU, counted, and the accelerator is set aside if it is lost or was wrong.

#[cfg_attr(not(feature = "gpu"), path = "no_accelerators.rs")]
mod accelerators;
mod measure;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use self::measure::Faster;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::device::{DeviceDescription, DeviceKind};
use crate::error::{ErrorKind, Result};
use crate::frame::Geometry;
use crate::plan::DeviceChoice;
use crate::pool;
use crate::stage::{Accelerator, Backend};

/// Where batches ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchCounts {
    /// Batches that the CPU took in the first place.
    pub cpu: u64,
    /// Batches done on a GPU.
    pub gpu: u64,
    /// Batches that a GPU failed at and the CPU did.
    pub redone: u64,
}

/// The accelerator that a scheduler may use.
enum Candidate {
    None,
    /// This one, for every batch.
    Chosen(Arc<dyn Accelerator>),
    /// The first hardware adapter, looked for once a batch is large enough, if it is faster.
    IfFaster,
}

/// The backends of a compressor or decompressor, and the choice between them.
pub(crate) struct Scheduler {
    cpu: CpuBackend,
    candidate: Candidate,
    set_aside: AtomicBool,
    done_on_cpu: AtomicU64,
    done_on_gpu: AtomicU64,
    redone: AtomicU64,
}

impl Scheduler {
    /// # Errors
    /// [`ErrorKind::Gpu`] if a GPU was asked for and there is none that fits.
    pub fn new(device: &DeviceChoice, threads: Option<NonZeroUsize>) -> Result<Self> {
        let candidate = match device {
            DeviceChoice::Cpu => Candidate::None,
            DeviceChoice::Auto => Candidate::IfFaster,
            DeviceChoice::Gpu => Candidate::Chosen(accelerators::any()?),
            DeviceChoice::Named(name) => Candidate::Chosen(accelerators::named(name)?),
        };
        Ok(Self::with(candidate, threads))
    }

    /// Only the CPU.
    pub fn on_cpu(threads: Option<NonZeroUsize>) -> Self {
        Self::with(Candidate::None, threads)
    }

    fn with(candidate: Candidate, threads: Option<NonZeroUsize>) -> Self {
        Self::around(CpuBackend::new(SimdLevel::detect(), pool::threads(threads)), candidate)
    }

    /// Only the CPU, on threads of the same crew.
    pub fn cpu_alone(&self) -> Self {
        Self::around(self.cpu.of_crew(), Candidate::None)
    }

    fn around(cpu: CpuBackend, candidate: Candidate) -> Self {
        Self {
            cpu,
            candidate,
            set_aside: AtomicBool::new(false),
            done_on_cpu: AtomicU64::new(0),
            done_on_gpu: AtomicU64::new(0),
            redone: AtomicU64::new(0),
        }
    }

    pub fn cpu(&self) -> &CpuBackend {
        &self.cpu
    }

    /// Name of the accelerator that takes every batch, if there is one.
    pub fn device_name(&self) -> Option<&str> {
        match &self.candidate {
            Candidate::Chosen(accelerator) => Some(accelerator.name()),
            Candidate::None | Candidate::IfFaster => None,
        }
    }

    pub fn counts(&self) -> BatchCounts {
        BatchCounts {
            cpu: self.done_on_cpu.load(Ordering::Relaxed),
            gpu: self.done_on_gpu.load(Ordering::Relaxed),
            redone: self.redone.load(Ordering::Relaxed),
        }
    }

    /// Runs the work of one batch.
    ///
    /// An error of the accelerator, of whatever kind, is answered by running `work` again on the
    /// CPU: if the data is at fault, the CPU says the same. `used` tells from the result whether the backend
    /// had a part in it: what needs none counts as done on the CPU.
    pub fn run<R>(
        &self,
        geometry: &Geometry,
        mut work: impl FnMut(&dyn Backend) -> Result<R>,
        used: impl Fn(&R) -> bool,
    ) -> Result<R> {
        let Some(accelerator) = self.accelerator_for(geometry) else {
            self.done_on_cpu.fetch_add(1, Ordering::Relaxed);
            return work(&self.cpu);
        };
        match work(accelerator.as_ref()) {
            Ok(result) => {
                let done = if used(&result) { &self.done_on_gpu } else { &self.done_on_cpu };
                done.fetch_add(1, Ordering::Relaxed);
                Ok(result)
            }
            Err(error) => {
                let result = work(&self.cpu)?;
                self.redone.fetch_add(1, Ordering::Relaxed);
                // The data was sound, so a verdict on the data means that the device computed wrongly.
                if error.kind() != ErrorKind::Gpu || accelerator.is_lost() {
                    self.set_aside.store(true, Ordering::Relaxed);
                }
                Ok(result)
            }
        }
    }

    fn accelerator_for(&self, geometry: &Geometry) -> Option<Arc<dyn Accelerator>> {
        if self.set_aside.load(Ordering::Relaxed) || geometry.raw_bytes() == 0 {
            return None;
        }
        match &self.candidate {
            Candidate::None => None,
            Candidate::Chosen(accelerator) => Some(Arc::clone(accelerator)),
            Candidate::IfFaster if geometry.raw_bytes() < measure::LEAST_BYTES => None,
            Candidate::IfFaster => accelerators::hardware().filter(|accelerator| {
                measure::faster(accelerator.as_ref(), &self.cpu, geometry) == Faster::Accelerator
            }),
        }
    }
}

/// The devices of this machine that batches can run on: the CPU, then the adapters, hardware before
/// software.
pub fn devices() -> Vec<DeviceDescription> {
    let cpu = DeviceDescription {
        index: None,
        name: format!("CPU, {} threads", pool::threads(None)),
        kind: DeviceKind::Cpu,
        backend: SimdLevel::detect().name().to_owned(),
        pci_bus_id: String::new(),
        driver: String::new(),
        capabilities: None,
    };
    std::iter::once(cpu).chain(accelerators::list()).collect()
}

/// Whether `device`, one of [`devices`], works: an adapter is opened and its results are compared with the CPU's, as
/// before any batch runs on it.
///
/// # Errors
/// [`ErrorKind::Gpu`] naming what failed, or the first stage whose result is wrong.
pub fn probe(device: &DeviceDescription) -> Result<()> {
    device.index.map_or(Ok(()), accelerators::probe)
}

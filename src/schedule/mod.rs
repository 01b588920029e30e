//! Where each batch runs.
//!
//! A batch goes to the CPU or to one accelerator: [`placer`] says where, by [`cost`] with the rates that [`calibrate`] has
//! measured and earlier batches have taught ([`rates`]). Whatever goes wrong on the accelerator, the batch is redone on the CPU
//! and counted, and the accelerator is left alone for a while, or set aside if it is lost or was wrong ([`health`]).
//! [`trial`] measures all that.

#[cfg_attr(not(feature = "gpu"), path = "no_accelerators.rs")]
mod accelerators;
mod automatic;
pub mod calibrate;
pub mod content;
pub mod cost;
pub mod decide;
mod health;
mod in_flight;
mod kept;
mod known;
mod metered;
mod placer;
mod rates;
mod statistics;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod work;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use self::decide::Reason;
pub use self::known::{KnownDevice, KnownTask, known_devices};
pub use self::statistics::{BatchCounts, DeviceStatistics, RunStatistics};

use self::automatic::Automatic;
use self::cost::Hardware;
use self::decide::{Decision, Side};
use self::metered::Metered;
use self::placer::{Candidates, Placer, Request, Ticket};
use self::statistics::Done;
use self::work::Work;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::device::{DeviceDescription, DeviceKind};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{DeviceChoice, Policy};
use crate::stage::{Accelerator, Backend};
use crate::{pool, telemetry};

/// The accelerator that a scheduler may use.
enum Candidate {
    None,
    /// This one, for every batch.
    Chosen(Arc<dyn Accelerator>),
    /// A hardware adapter, where it is faster.
    IfFaster(Arc<Automatic>),
}

/// The backends of a compressor or decompressor, and the choice between them.
pub(crate) struct Scheduler {
    cpu: CpuBackend,
    candidate: Candidate,
    policy: Policy,
    /// Memory for what is on its way to an accelerator and back.
    staging_bytes: u64,
    placer: Arc<Mutex<Placer>>,
    /// Whether there is anything new to keep.
    has_learnt: AtomicBool,
    statistics: Mutex<RunStatistics>,
}

impl Scheduler {
    /// # Errors
    /// [`ErrorKind::Gpu`] if a GPU was asked for and there is none that fits.
    pub fn new(device: &DeviceChoice, threads: Option<NonZeroUsize>, policy: Policy) -> Result<Self> {
        let candidate = match device {
            DeviceChoice::Cpu => Candidate::None,
            DeviceChoice::Auto => Candidate::IfFaster(Automatic::shared()),
            DeviceChoice::Gpu => Candidate::Chosen(accelerators::any()?),
            DeviceChoice::Named(name) => Candidate::Chosen(accelerators::named(name)?),
        };
        Ok(Self::with(candidate, threads, policy))
    }

    /// Only the CPU.
    pub fn on_cpu(threads: Option<NonZeroUsize>) -> Self {
        Self::with(Candidate::None, threads, Policy::Throughput)
    }

    fn with(candidate: Candidate, threads: Option<NonZeroUsize>, policy: Policy) -> Self {
        Self::around(CpuBackend::new(SimdLevel::detect(), pool::threads(threads)), candidate, policy)
    }

    /// Only the CPU, on threads of the same crew.
    pub fn cpu_alone(&self) -> Self {
        Self::around(self.cpu.of_crew(), Candidate::None, Policy::Throughput)
    }

    fn around(cpu: CpuBackend, candidate: Candidate, policy: Policy) -> Self {
        let placer = match &candidate {
            Candidate::IfFaster(automatic) => Arc::clone(automatic.placer()),
            Candidate::None | Candidate::Chosen(_) => {
                Arc::new(Mutex::new(Placer::new(pool::threads(None), 1.0, Hardware::ORDINARY)))
            }
        };
        let (has_learnt, statistics) = (AtomicBool::new(false), Mutex::default());
        Self { cpu, candidate, policy, staging_bytes: u64::MAX, placer, has_learnt, statistics }
    }

    /// Bounds the memory for what is on its way to an accelerator and back.
    pub fn set_staging_bytes(&mut self, bytes: u64) {
        self.staging_bytes = bytes;
    }

    pub fn cpu(&self) -> &CpuBackend {
        &self.cpu
    }

    /// Name of the accelerator that takes every batch, if there is one.
    pub fn device_name(&self) -> Option<&str> {
        match &self.candidate {
            Candidate::Chosen(accelerator) => Some(accelerator.name()),
            Candidate::None | Candidate::IfFaster(_) => None,
        }
    }

    pub fn statistics(&self) -> RunStatistics {
        *pool::lock(&self.statistics)
    }

    /// The level at which to compress so that the batch is done in time, if that matters.
    pub fn level_in_time(&self, describe: impl FnOnce() -> Work) -> Option<u8> {
        let Policy::Deadline(deadline) = self.policy else { return None };
        let work = describe();
        let candidates = match self.accelerator(work.raw_bytes) {
            Some((_, candidates)) => candidates,
            None => Candidates::Cpu,
        };
        let request = self.request(work, candidates);
        let level = pool::lock(&self.placer).level_within(request, deadline.as_secs_f64(), now())?;
        if Some(level) < work.level() {
            pool::lock(&self.statistics).count_lowered(level);
        }
        Some(level)
    }

    /// Runs what there is to do with one batch of so many bytes, which `describe` tells more about.
    ///
    /// An error of the accelerator, of whatever kind, is answered by running `work` again on the
    /// CPU: if the data is at fault, the CPU says the same. `used` tells from the result whether the backend
    /// had a part in it: what needs none counts as done on the CPU.
    pub fn run<R>(
        &self,
        raw_bytes: usize,
        describe: impl FnOnce() -> Work,
        mut work: impl FnMut(&dyn Backend) -> Result<R>,
        used: impl Fn(&R) -> bool,
    ) -> Result<R> {
        let start = Instant::now();
        let (ticket, accelerator) = match self.accelerator(raw_bytes) {
            Some((accelerator, candidates)) => (Some(self.place(describe(), candidates)), Some(accelerator)),
            None if matches!(self.policy, Policy::Deadline(_)) => (Some(self.place(describe(), Candidates::Cpu)), None),
            None => (None, None),
        };
        let only = Decision { side: Side::Cpu, reason: Reason::Only };
        let decision = ticket.map_or(only, |ticket| ticket.decision);
        let (result, device, failure) = match accelerator.filter(|_| decision.side == Side::Gpu) {
            None => (work(&self.cpu), Duration::ZERO, None),
            Some(accelerator) => {
                accelerator.staging_within(self.staging_bytes);
                let metered = Metered::new(accelerator.as_ref());
                match work(&metered) {
                    Ok(result) => (Ok(result), metered.time(), None),
                    Err(error) => {
                        // If the data was sound, a verdict on the data means that the device computed wrongly.
                        let set_aside = error.kind() != ErrorKind::Gpu || accelerator.is_lost();
                        telemetry::failed(accelerator.name(), &error, set_aside);
                        (work(&self.cpu), Duration::ZERO, Some(set_aside))
                    }
                }
            }
        };
        self.learn(ticket, device, failure, result.as_ref().err());
        let result = result?;
        let time = start.elapsed();
        let predicted = ticket.and_then(|ticket| Duration::try_from_secs_f64(ticket.predicted).ok());
        let side = if failure.is_none() && used(&result) { decision.side } else { Side::Cpu };
        telemetry::ran(side.name(), decision.reason.name(), time, predicted);
        let mut statistics = pool::lock(&self.statistics);
        if failure.is_some() {
            statistics.count_redone(decision.reason, time);
        } else {
            let decision = Decision { side, ..decision };
            statistics.count(Done { decision, raw_bytes, time, device_time: device, predicted });
        }
        if matches!(self.policy, Policy::Deadline(deadline) if time > deadline) {
            statistics.late += 1;
        }
        drop(statistics);
        if let Candidate::IfFaster(automatic) = &self.candidate {
            automatic.spent(raw_bytes, time);
        }
        Ok(result)
    }

    /// A batch ran where its frames are, without any choice.
    #[cfg(feature = "gpu")]
    pub fn ran_resident(&self, raw_bytes: usize, time: Duration) {
        let decision = Decision { side: Side::Gpu, reason: Reason::Resident };
        telemetry::ran(decision.side.name(), decision.reason.name(), time, None::<Duration>);
        let mut statistics = pool::lock(&self.statistics);
        statistics.count(Done { decision, raw_bytes, time, device_time: time, predicted: None });
        statistics.resident += 1;
    }

    /// The frames of a batch had to leave a GPU, or to be brought there.
    #[cfg(feature = "gpu")]
    pub fn was_transferred(&self) {
        pool::lock(&self.statistics).transferred += 1;
    }

    /// Runs what no accelerator does, of a batch of so many bytes. Nothing is learnt from it.
    pub fn run_on_cpu<R>(&self, raw_bytes: usize, work: impl FnOnce(&dyn Backend) -> Result<R>) -> Result<R> {
        let start = Instant::now();
        let result = work(&self.cpu)?;
        let decision = Decision { side: Side::Cpu, reason: Reason::Only };
        let time = start.elapsed();
        telemetry::ran(decision.side.name(), decision.reason.name(), time, None::<Duration>);
        let done = Done { decision, raw_bytes, time, device_time: Duration::ZERO, predicted: None };
        pool::lock(&self.statistics).count(done);
        Ok(result)
    }

    fn place(&self, work: Work, candidates: Candidates) -> Ticket {
        let request = self.request(work, candidates);
        pool::lock(&self.placer).place(request, now())
    }

    /// Tells the placement how a batch went.
    fn learn(&self, ticket: Option<Ticket>, device: Duration, failure: Option<bool>, error: Option<&Error>) {
        let Some(ticket) = ticket else { return };
        let mut placer = pool::lock(&self.placer);
        match (failure, error) {
            (_, Some(_)) => placer.abandoned(ticket, now()),
            (Some(set_aside), None) => placer.failed(ticket, set_aside, now()),
            (None, None) => placer.done(ticket, device.as_secs_f64(), now()),
        }
        self.has_learnt.store(true, Ordering::Relaxed);
    }

    fn request(&self, work: Work, candidates: Candidates) -> Request {
        Request { work, threads: self.cpu.threads(), candidates, policy: self.policy }
    }

    /// What a batch of so many bytes may run on besides the CPU.
    fn accelerator(&self, raw_bytes: usize) -> Option<(&Arc<dyn Accelerator>, Candidates)> {
        if raw_bytes == 0 {
            return None;
        }
        match &self.candidate {
            Candidate::None => None,
            Candidate::Chosen(accelerator) => Some((accelerator, Candidates::Asked)),
            Candidate::IfFaster(automatic) => {
                automatic.accelerator(raw_bytes, &self.cpu).map(|accelerator| (accelerator, Candidates::Both))
            }
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let (Candidate::IfFaster(automatic), true) = (&self.candidate, *self.has_learnt.get_mut()) {
            automatic.keep();
        }
    }
}

/// Seconds since this process first asked.
fn now() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
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

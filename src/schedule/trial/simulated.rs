//! A CPU and a GPU that there are not: times from given rates, with noise, and failures.
//!
//! What times depend on here is not what [`cost`](crate::schedule::cost) thinks that they do, or there would be nothing to
//! learn: content matters by degrees, caches end, threads gain otherwise, and every time is off by some percent.

use super::mix::{Item, Random};
use super::{Placer, Ran, World};
use crate::error::Result;
use crate::plan::CodecChoice;
use crate::schedule::calibrate::{REHEARSALS, REHEARSED_FRAMES};
use crate::schedule::content::Content;
use crate::schedule::cost::Hardware;
use crate::schedule::decide::Side;
use crate::schedule::work::{Coded, Task, Work};

/// What a GPU does wrong, from some batch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It goes away.
    Lost,
    /// Its results are wrong, which is seen when they are checked.
    WrongBytes,
    /// It fails, and works again from this batch on.
    Failing(usize),
}

/// The rates of a simulated machine.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Seconds of one thread for a byte, there.
    pub compress: f64,
    /// And back.
    pub decompress: f64,
    /// Threads.
    pub threads: usize,
    /// How much slower the CPU is while others keep it busy.
    pub load: f64,
    /// The GPU.
    pub hardware: Hardware,
    /// The part of the CPU's time that is left to it beside the GPU, for what is still and for noise.
    pub left: (f64, f64),
}

/// An ordinary machine with a fast GPU.
pub const FAST_GPU: Rates = Rates {
    compress: 2.1e-9,
    decompress: 1.2e-9,
    threads: 8,
    load: 2.5,
    hardware: Hardware { submit: 6e-5, transfer: 1.0 / 12e9, kernels: 1.0 / 6e10 },
    left: (0.1, 0.25),
};

/// One whose GPU is hardly worth its name.
pub const SLOW_GPU: Rates = Rates {
    hardware: Hardware { submit: 3e-4, transfer: 1.0 / 3e9, kernels: 1.0 / 1.2e9 },
    left: (0.25, 0.6),
    load: 1.5,
    ..FAST_GPU
};

/// A simulated machine.
#[derive(Debug, Clone)]
pub struct Simulated {
    rates: Rates,
    random: Random,
    fault: Option<(usize, Fault)>,
}

impl Simulated {
    /// With noise from a seed.
    pub fn new(rates: Rates, seed: u64) -> Self {
        Self { rates, random: Random::new(seed), fault: None }
    }

    /// The same with a fault from batch `at` on.
    #[must_use]
    pub fn with_fault(mut self, at: usize, fault: Fault) -> Self {
        self.fault = Some((at, fault));
        self
    }

    /// Seconds on the CPU.
    fn cpu(&mut self, item: &Item) -> f64 {
        let bytes = item.raw_bytes() as f64;
        let of_byte = if item.decompress { self.rates.decompress } else { self.rates.compress };
        let of_content = 0.5 + item.noise;
        let of_cache = if bytes > 8e6 { 1.15 } else { 1.0 };
        let threads = (1.0 + bytes / 2e5).min(self.rates.threads as f64);
        let idle = 1.5e-5 + bytes * of_byte * of_content * of_cache / (1.0 + 0.6 * (threads - 1.0));
        // What is over in no time is not held up.
        let load = if item.loaded { 1.0 + (self.rates.load - 1.0) * idle / (idle + 5e-4) } else { 1.0 };
        idle * load * self.noise()
    }

    /// Seconds on the GPU, and of the CPU beside it.
    fn gpu(&mut self, item: &Item) -> (f64, f64) {
        let bytes = item.raw_bytes() as f64;
        let Hardware { submit, transfer, kernels } = self.rates.hardware;
        let submits = if item.decompress { 1.0 } else { 4.0 };
        let device = (submits * submit + bytes * (2.0 * transfer + kernels)) * self.noise();
        let (still, noise) = self.rates.left;
        (device, self.cpu(item) * (still + (noise - still) * item.noise))
    }

    /// A factor around 1.
    fn noise(&mut self) -> f64 {
        (0.04 * self.random.normal()).exp()
    }

    fn fault_at(&self, at: usize) -> Option<Fault> {
        let (from, fault) = self.fault?;
        let over = matches!(fault, Fault::Failing(until) if at >= until);
        (at >= from && !over).then_some(fault)
    }
}

/// What `calibrate.rs` rehearses.
fn rehearsed() -> impl Iterator<Item = Item> {
    let (width, height, channels, loaded) = (512, 512, 1, false);
    let ways = [0.1, 0.5, 0.9].into_iter().flat_map(|noise| [false, true].map(|decompress| (noise, decompress)));
    let rehearsal = move |frames: usize| {
        let item = move |(noise, decompress)| Item { width, height, channels, frames, noise, decompress, loaded };
        ways.clone().map(item)
    };
    (0..REHEARSALS).flat_map(|_| REHEARSED_FRAMES).flat_map(rehearsal)
}

impl World for Simulated {
    fn threads(&self) -> usize {
        self.rates.threads
    }

    /// Rates as they would be measured, somewhat off, and rehearsals.
    fn placer(&mut self) -> Result<Placer> {
        let Hardware { submit, transfer, kernels } = self.rates.hardware;
        let mut off = |rate: f64| rate * (0.1 * self.random.normal()).exp();
        let hardware = Hardware { submit: off(submit), transfer: off(transfer), kernels: off(kernels) };
        let slowness = off(self.rates.compress / 1.6e-9);
        let mut placer = Placer::new(self.rates.threads, slowness, hardware);
        for item in rehearsed() {
            let work = self.work(0, &item)?;
            for side in [Side::Cpu, Side::Gpu] {
                let Ran { seconds, device, .. } = self.run(0, &item, side)?;
                placer.rehearsed(&work, self.rates.threads, seconds, device);
            }
        }
        Ok(placer)
    }

    fn work(&mut self, _: usize, item: &Item) -> Result<Work> {
        let content = Content((item.noise * 8.0) as u8);
        let task = if item.decompress {
            Task::Decompress(if item.noise > 0.9 { Coded::Planes } else { Coded::Tiles })
        } else {
            Task::Compress { level: 4, codec: CodecChoice::Auto }
        };
        Ok(Work { task, raw_bytes: item.raw_bytes(), sample_bytes: 1, packed: item.channels > 1, content })
    }

    fn run(&mut self, at: usize, item: &Item, side: Side) -> Result<Ran> {
        if side == Side::Cpu {
            return Ok(Ran { seconds: self.cpu(item), device: 0.0, failed: None });
        }
        let (device, remainder) = self.gpu(item);
        let Some(fault) = self.fault_at(at) else {
            return Ok(Ran { seconds: device + remainder, device, failed: None });
        };
        let (wasted, set_aside) = match fault {
            Fault::Lost => (self.rates.hardware.submit, true),
            Fault::Failing(_) => (self.rates.hardware.submit, false),
            Fault::WrongBytes => (device + remainder, true),
        };
        Ok(Ran { seconds: wasted + self.cpu(item), device: 0.0, failed: Some(set_aside) })
    }
}

//! Trials of the placement: a mix of batches is run on either side, and what was chosen is compared with what
//! would have been best.

mod mix;
mod report;
mod simulated;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use super::placer::Placer;
pub use mix::{Item, Random, mix};
pub use report::Report;
pub use simulated::{FAST_GPU, Fault, Rates, SLOW_GPU, Simulated};

use super::decide::{Reason, Side};
use super::placer::{Candidates, Request};
use super::work::Work;
use crate::error::Result;
use crate::plan::Policy;

/// How a batch went on one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ran {
    /// All of it.
    pub seconds: f64,
    /// Seconds of the accelerator.
    pub device: f64,
    /// If the accelerator failed at it and the CPU did it: whether it is set aside for that.
    pub failed: Option<bool>,
}

/// What batches run on.
pub trait World {
    /// Threads of the CPU.
    fn threads(&self) -> usize;

    /// A placement that knows of it what is measured beforehand.
    ///
    /// # Errors
    /// If that cannot be measured.
    fn placer(&mut self) -> Result<Placer>;

    /// What there is to be done with batch `at` of the mix.
    ///
    /// # Errors
    /// If it cannot be made.
    fn work(&mut self, at: usize, item: &Item) -> Result<Work>;

    /// Runs batch `at` of the mix on a side.
    ///
    /// # Errors
    /// If that cannot be done at all.
    fn run(&mut self, at: usize, item: &Item, side: Side) -> Result<Ran>;
}

/// One batch of a trial.
#[derive(Debug, Clone, Copy)]
pub struct Placed {
    /// Where it went.
    pub side: Side,
    /// Why.
    pub reason: Reason,
    /// Seconds that it was expected to take there.
    pub predicted: f64,
    /// Seconds that it took there, and on the CPU and the GPU.
    pub chosen: f64,
    /// On the CPU.
    pub cpu: f64,
    /// On the GPU.
    pub gpu: f64,
    /// What the decision took.
    pub deciding: Duration,
}

impl Placed {
    /// How much longer it took than it had to: a part of that.
    pub fn regret(&self) -> f64 {
        self.chosen / self.cpu.min(self.gpu) - 1.0
    }
}

/// Runs every batch of a mix on both sides, one after another, and tells the placement about the one that it chose.
///
/// # Errors
/// As [`World::work`] and [`World::run`].
pub fn run(world: &mut dyn World, items: &[Item], placer: &mut Placer) -> Result<Vec<Placed>> {
    let mut now = 0.0;
    let mut placed = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let request = Request {
            work: world.work(at, item)?,
            threads: world.threads(),
            candidates: Candidates::Both,
            policy: Policy::Throughput,
        };
        let start = Instant::now();
        let ticket = placer.place(request, now);
        let deciding = start.elapsed();
        let cpu = world.run(at, item, Side::Cpu)?;
        let gpu = world.run(at, item, Side::Gpu)?;
        let side = ticket.decision.side;
        let chosen = if side == Side::Cpu { cpu } else { gpu };
        now += chosen.seconds;
        match chosen.failed {
            Some(set_aside) => placer.failed(ticket, set_aside, now),
            None => placer.done(ticket, chosen.device, now),
        };
        placed.push(Placed {
            side,
            reason: ticket.decision.reason,
            predicted: ticket.predicted,
            chosen: chosen.seconds,
            cpu: cpu.seconds,
            gpu: gpu.seconds,
            deciding,
        });
    }
    Ok(placed)
}

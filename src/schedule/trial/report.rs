//! The figures of a trial.

use std::time::Duration;

use super::Placed;
use crate::schedule::decide::{Reason, Side};

/// What a trial comes to. Parts are parts of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Batches.
    pub batches: usize,
    /// Those that went to the GPU.
    pub on_gpu: usize,
    /// Those that explored.
    pub explored: usize,
    /// How much longer than need be a batch took, on average.
    pub mean_regret: f64,
    /// Not exceeded by 95 of 100 batches.
    pub p95_regret: f64,
    /// Not exceeded by 99 of 100 batches.
    pub p99_regret: f64,
    /// The part of the batches that would have been faster on the other side.
    pub wrong_sides: f64,
    /// Seconds of all batches where they were placed.
    pub seconds: f64,
    /// Where each would have been fastest.
    pub best_seconds: f64,
    /// On the CPU.
    pub cpu_seconds: f64,
    /// On the GPU.
    pub gpu_seconds: f64,
    /// How far the predicted time was off, for the middle batch: a factor less 1.
    pub prediction_error: f64,
    /// What the middle decision took.
    pub deciding: Duration,
}

impl Report {
    /// Of some batches, at least one.
    pub fn of(placed: &[Placed]) -> Self {
        let sorted = |value: &dyn Fn(&Placed) -> f64| {
            let mut values: Vec<f64> = placed.iter().map(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let at = |values: &[f64], hundredths: usize| {
            values.get((values.len() * hundredths).div_ceil(100).max(1) - 1).copied().unwrap_or(0.0)
        };
        let count = |condition: &dyn Fn(&Placed) -> bool| placed.iter().filter(|placed| condition(placed)).count();
        let sum = |value: &dyn Fn(&Placed) -> f64| placed.iter().map(value).sum::<f64>();
        let of_all = placed.len().max(1) as f64;
        let regrets = sorted(&Placed::regret);
        let wrong = |placed: &Placed| placed.side != if placed.gpu < placed.cpu { Side::Gpu } else { Side::Cpu };
        let error = |placed: &Placed| (placed.chosen / placed.predicted).ln().abs().exp_m1();
        Self {
            batches: placed.len(),
            on_gpu: count(&|placed| placed.side == Side::Gpu),
            explored: count(&|placed| placed.reason == Reason::Exploring),
            mean_regret: sum(&Placed::regret) / of_all,
            p95_regret: at(&regrets, 95),
            p99_regret: at(&regrets, 99),
            wrong_sides: count(&wrong) as f64 / of_all,
            seconds: sum(&|placed| placed.chosen),
            best_seconds: sum(&|placed| placed.cpu.min(placed.gpu)),
            cpu_seconds: sum(&|placed| placed.cpu),
            gpu_seconds: sum(&|placed| placed.gpu),
            prediction_error: at(&sorted(&error), 50),
            deciding: Duration::from_secs_f64(at(&sorted(&|placed| placed.deciding.as_secs_f64()), 50)),
        }
    }

    /// How far behind the better one of the CPU alone and the GPU alone all batches together were; negative where
    /// they were ahead of it.
    pub fn behind_static(&self) -> f64 {
        self.seconds / self.cpu_seconds.min(self.gpu_seconds) - 1.0
    }
}

/// Batches after `from` until the mean regret of the next ten is at most `most`, without those that explore: they are no
/// matter of what is known.
#[cfg(test)]
pub fn recovery(placed: &[Placed], from: usize, most: f64) -> Option<usize> {
    let mean = |placed: &[Placed]| placed.iter().map(Placed::regret).sum::<f64>() / placed.len() as f64;
    let decided = placed.get(from..)?.iter().filter(|placed| placed.reason != Reason::Exploring);
    decided.copied().collect::<Vec<_>>().windows(10).position(|next| mean(next) <= most)
}

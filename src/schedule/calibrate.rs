//! The rates of an accelerator and of the CPU, measured once, in a bounded time.

use std::time::{Duration, Instant};

use super::cost::Hardware;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Dtype, FrameFormat, Geometry, Layout, WorkBuffer};
use crate::plan::{Plan, Predictor};
use crate::stage::{Accelerator, Backend};

/// All of it together.
pub(super) const LONGEST: Duration = Duration::from_millis(300);
/// Runs of which the fastest counts.
const RUNS: usize = 5;
/// Width and height of what the floor is measured with, and of the frames that rates are.
const SMALL: usize = 32;
const LARGE: usize = 512;
/// Seconds per byte that a thread of the machine of [`cost`](super::cost) takes for the stages of whole planes, there.
const REFERENCE: f64 = 0.5e-9;

/// Frames with their plan.
struct Trial {
    geometry: Geometry,
    raw: Vec<u8>,
    plan: Plan,
}

impl Trial {
    /// `None` if there are no such frames.
    fn new(size: usize, frames: usize, predicted: bool) -> Option<Self> {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: size, height: size }).ok()?;
        let geometry = Geometry::new(&format, frames);
        // The stages take as long on these numbers as on a picture.
        let raw = (0..geometry.raw_bytes()).map(|at| (at >> 3) as u8).collect();
        let mut plan = Plan::identity(&geometry);
        for plane in plan.planes.iter_mut().filter(|_| predicted) {
            (plane.intra, plane.inter, plane.temporal) = (Predictor::Median, Predictor::Median, frames > 1);
        }
        Some(Self { geometry, raw, plan })
    }

    /// Seconds of the fastest of some runs; `None` if there is no time for one, or a run fails.
    fn time(&self, backend: &dyn Backend, end: Instant) -> Option<f64> {
        let run = || -> Result<Duration> {
            let mut residuals = WorkBuffer::default();
            let start = Instant::now();
            backend.forward(Batch { geometry: &self.geometry, raw: &self.raw }, &self.plan, &mut residuals)?;
            Ok(start.elapsed())
        };
        let mut best: Option<Duration> = None;
        for _ in 0..RUNS {
            // A run takes no longer than the one before, about.
            if Instant::now() + best.unwrap_or_default() >= end {
                break;
            }
            let time = run().ok()?;
            best = Some(best.map_or(time, |best| best.min(time)));
        }
        best.map(|best| best.as_secs_f64())
    }
}

/// How much slower than the machine of [`cost`](super::cost) the CPU is, and the rates of the accelerator. What there is no
/// time to measure, or fails, is taken to be ordinary.
pub fn measure(accelerator: &dyn Accelerator, cpu: &CpuBackend) -> (f64, Hardware) {
    let end = Instant::now() + LONGEST;
    let trial = |size, frames, predicted, backend: &dyn Backend| {
        let trial = Trial::new(size, frames, predicted)?;
        Some((trial.raw.len() as f64, trial.time(backend, end)?))
    };
    let one_thread = CpuBackend::new(cpu.simd(), 1);
    let ordinary = Hardware::ORDINARY;
    let slowness = trial(LARGE, 4, true, &one_thread).map_or(1.0, |(bytes, seconds)| seconds / (bytes * REFERENCE));
    let Some((_, submit)) = trial(SMALL, 1, false, accelerator) else { return (slowness, ordinary) };
    let Some((bytes, carried)) = trial(LARGE, 16, false, accelerator) else {
        return (slowness, Hardware { submit, ..ordinary });
    };
    // There and back. Nothing is faster than a tenth of what is ordinary: clocks are coarse.
    let transfer = ((carried - submit) / (2.0 * bytes)).max(ordinary.transfer / 10.0);
    let predicted = trial(LARGE, 16, true, accelerator).map(|(bytes, seconds)| (seconds - carried) / bytes);
    let kernels = predicted.map_or(ordinary.kernels, |rate| rate.max(ordinary.kernels / 10.0));
    (slowness, Hardware { submit, transfer, kernels })
}

//! CPU against accelerator, timed once per process.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::{Plan, Predictor};
use crate::pool;
use crate::stage::{Accelerator, Backend};

/// Which of the two was faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faster {
    Cpu,
    Accelerator,
}

/// Raw bytes that are timed: enough that transfers, not submissions, decide.
const TIMED_BYTES: usize = 8 << 20;
/// Batches below this are not worth a transfer, nor a measurement.
pub(super) const LEAST_BYTES: usize = 1 << 20;

/// Answers by the name of the accelerator.
static ANSWERS: OnceLock<Mutex<HashMap<String, Faster>>> = OnceLock::new();

/// The faster of the two on batches like this. The first one is timed on both, there and
/// back, and the answer holds for the process.
pub(super) fn faster(accelerator: &dyn Accelerator, cpu: &CpuBackend, geometry: &Geometry) -> Faster {
    let answers = ANSWERS.get_or_init(Mutex::default);
    // Held while measuring: two measurements at a time would disturb each other.
    let mut answers = pool::lock(answers);
    *answers.entry(accelerator.name().to_owned()).or_insert_with(|| time_both(accelerator, cpu, geometry))
}

fn time_both(accelerator: &dyn Accelerator, cpu: &CpuBackend, whole: &Geometry) -> Faster {
    let frame_bytes = whole.frame_samples * whole.sample_bytes;
    let frames = (TIMED_BYTES / frame_bytes.max(1)).clamp(1, whole.frames);
    let geometry = Geometry { frames, ..whole.clone() }.with_planes(whole.planes.clone());
    // The stages take as long on these numbers as on a picture.
    let raw: Vec<u8> = (0..geometry.raw_bytes()).map(|at| (at >> 3) as u8).collect();
    let batch = Batch { geometry: &geometry, raw: &raw };
    let mut plan = Plan::identity(&geometry);
    for plane in &mut plan.planes {
        (plane.intra, plane.inter, plane.temporal) = (Predictor::Median, Predictor::Median, frames > 1);
    }
    // The first round warms caches, pools and pipelines.
    let best = |backend: &dyn Backend| (0..3).map(|_| there_and_back(backend, batch, &plan)).skip(1).flatten().min();
    match (best(accelerator), best(cpu)) {
        (Some(accelerated), Some(plain)) if accelerated < plain => Faster::Accelerator,
        _ => Faster::Cpu,
    }
}

/// The time of a round trip; `None` if the backend failed.
fn there_and_back(backend: &dyn Backend, batch: Batch<'_>, plan: &Plan) -> Option<Duration> {
    let round_trip = || -> Result<Duration> {
        let mut residuals = WorkBuffer::default();
        let mut raw = vec![0; batch.raw.len()];
        let start = Instant::now();
        backend.forward(batch, plan, &mut residuals)?;
        backend.inverse(batch.geometry, plan, &mut residuals, &mut raw)?;
        Ok(start.elapsed())
    };
    round_trip().ok()
}

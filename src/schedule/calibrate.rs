//! The rates of an accelerator and of the CPU, measured once, in a bounded time: of stages, of transfers, and then of whole
//! batches on either side, from still to noise, there and back, which teach what other batches will.

use std::time::{Duration, Instant};

use super::cost::Hardware;
use super::metered::Metered;
use super::placer::Placer;
use super::work::Work;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Dtype, FrameFormat, Geometry, Layout, WorkBuffer};
use crate::part::Part;
use crate::plan::{LevelParameters, Method, Plan, Predictor, Settings, choose_tiles};
use crate::stage::{Accelerator, Backend};
use crate::tiled;

/// All of it together.
pub(super) const LONGEST: Duration = Duration::from_millis(300);
/// Runs of which the fastest counts.
const RUNS: usize = 5;
/// Width and height of what the floor is measured with, and of the frames that rates are.
const SMALL: usize = 32;
const LARGE: usize = 512;
/// Frames of the batches that are rehearsed, as wide and high as those that rates are measured with.
pub const REHEARSED_FRAMES: [usize; 2] = [16, 1];
/// How often each of them is.
pub const REHEARSALS: usize = 2;
/// What is random of their samples.
const RANDOM_BITS: [u8; 3] = [0b1, 0b1111, 0b111_1111];
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

/// A placer that knows of the accelerator and the CPU what can be measured of them in the time that there is. What there is no
/// time to measure, or fails, is taken to be ordinary.
pub fn measure(accelerator: &dyn Accelerator, cpu: &CpuBackend) -> Placer {
    let end = Instant::now() + LONGEST;
    let (slowness, hardware) = measure_stages(accelerator, cpu, end);
    let mut placer = Placer::new(cpu.threads(), slowness, hardware);
    let batches = REHEARSED_FRAMES.into_iter().flat_map(|frames| RANDOM_BITS.map(|bits| Rehearsal::new(frames, bits)));
    let batches: Vec<Rehearsal> = batches.flatten().collect();
    for batch in (0..REHEARSALS).flat_map(|_| &batches) {
        // One that fails says nothing; those that come after it may.
        let _ = batch.run(&mut placer, accelerator, cpu, end);
    }
    placer
}

/// How much slower than the machine of [`cost`](super::cost) the CPU is, and the rates of the accelerator.
fn measure_stages(accelerator: &dyn Accelerator, cpu: &CpuBackend, end: Instant) -> (f64, Hardware) {
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

/// A batch that is packed and restored on either side, as others will be.
struct Rehearsal {
    geometry: Geometry,
    raw: Vec<u8>,
}

impl Rehearsal {
    /// `None` if there are no such frames.
    fn new(frames: usize, random_bits: u8) -> Option<Self> {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: LARGE, height: LARGE }).ok()?;
        let geometry = Geometry::new(&format, frames);
        let mut state = 1u32;
        let sample = |at: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (at >> 5) as u8 ^ ((state >> 24) as u8 & random_bits)
        };
        let raw = (0..geometry.raw_bytes()).map(sample).collect();
        Some(Self { geometry, raw })
    }

    /// Tells `placer` what that takes, as long as there is time.
    fn run(&self, placer: &mut Placer, accelerator: &dyn Accelerator, cpu: &CpuBackend, end: Instant) -> Result<()> {
        let Self { geometry, raw } = self;
        let (settings, batch) = (Settings::new(), Batch { geometry, raw });
        let there = Work::compress(batch, &settings);
        for backend in [cpu, accelerator as &dyn Backend] {
            let pack = |backend: &dyn Backend| {
                let effort = LevelParameters::of(settings.level()).tiles;
                tiled::encode(batch, choose_tiles(batch, effort, false, cpu)?, backend, cpu, None)
            };
            let Some((plan, segments)) = timed(placer, &there, backend, cpu, end, pack)? else { return Ok(()) };
            let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
            let packed_bytes = segments.iter().map(|segment| segment.len()).sum();
            let method = Method::Tiles(plan);
            let back = Work::decompress(geometry, &method, packed_bytes);
            let Method::Tiles(plan) = &method else { return Ok(()) };
            let restore = |backend: &dyn Backend| {
                let mut restored = vec![0; raw.len()];
                tiled::decode(geometry, plan, &segments, &Part::whole(geometry), (&mut restored).into(), backend, cpu)
            };
            timed(placer, &back, backend, cpu, end, restore)?;
        }
        Ok(())
    }
}

/// What `run` gives on a backend, of which `placer` learns what it took; `None` if it is too late for that.
fn timed<R>(
    placer: &mut Placer,
    work: &Work,
    backend: &dyn Backend,
    cpu: &CpuBackend,
    end: Instant,
    run: impl FnOnce(&dyn Backend) -> Result<R>,
) -> Result<Option<R>> {
    let start = Instant::now();
    if start >= end {
        return Ok(None);
    }
    if backend.is_cpu() {
        let result = run(backend)?;
        placer.rehearsed(work, cpu.threads(), start.elapsed().as_secs_f64(), 0.0);
        return Ok(Some(result));
    }
    let metered = Metered::new(backend);
    let result = run(&metered)?;
    placer.rehearsed(work, cpu.threads(), start.elapsed().as_secs_f64(), metered.time().as_secs_f64());
    Ok(Some(result))
}

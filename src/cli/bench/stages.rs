//! The parts of both directions, timed one by one over the whole input.
//!
//! They are fewer than what a file needs: checksums and the container are in the whole alone.

use std::time::{Duration, Instant};

use framepress::frame::{Geometry, WorkBuffer};
use framepress::internal::{Backend, Batch, CpuBackend, choose};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, Result, SimdLevel};

use super::input::Input;

/// Stage and direction of each figure, in the order in which they run.
pub const STAGES: [(&str, &str); 5] = [
    ("plan", "compress"),
    ("transform", "compress"),
    ("code", "compress"),
    ("code", "decompress"),
    ("transform", "decompress"),
];

/// What stages run on.
pub struct Machinery {
    cpu: CpuBackend,
    /// `None` if that is the CPU.
    accelerator: Option<Box<dyn Backend>>,
}

impl Machinery {
    pub fn new(device: &DeviceChoice, threads: usize) -> Result<Self> {
        Ok(Self { cpu: CpuBackend::new(SimdLevel::detect(), threads), accelerator: accelerator(device)? })
    }

    /// The time that each of [`STAGES`] takes. The frames are restored to `decoded`, which is as long as the input.
    pub fn time(
        &self,
        input: &Input,
        compressor: &Compressor,
        decompressor: &Decompressor,
        residuals: &mut WorkBuffer,
        decoded: &mut [u8],
    ) -> Result<[Duration; STAGES.len()]> {
        let Self { cpu, accelerator } = self;
        let backend = accelerator.as_deref().unwrap_or(cpu);
        let mut times = [Duration::ZERO; STAGES.len()];
        let mut start = 0;
        for part in input.parts(compressor.batch_frames(&input.format)) {
            let geometry = Geometry::new(&input.format, part.frames);
            let batch = Batch { geometry: &geometry, raw: part.raw };
            let restored = &mut decoded[start..start + part.raw.len()];
            start += part.raw.len();

            let [plan_time, forward_time, encode_time, decode_time, inverse_time] = &mut times;
            let plan = timed(plan_time, || choose(batch, compressor.settings(), backend, cpu))?.plan;
            timed(forward_time, || backend.forward(batch, &plan, residuals))?;
            let (blocks, payload) = timed(encode_time, || compressor.encode(&geometry, &plan, residuals))?;
            timed(decode_time, || decompressor.decode(&geometry, &plan, &blocks, &payload, residuals))?;
            timed(inverse_time, || backend.inverse(&geometry, &plan, residuals, restored))?;
        }
        Ok(times)
    }
}

fn timed<R>(time: &mut Duration, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    *time += start.elapsed();
    result
}

#[cfg(feature = "gpu")]
fn accelerator(device: &DeviceChoice) -> Result<Option<Box<dyn Backend>>> {
    use framepress::internal::gpu::{GpuBackend, Selection};
    let selection = match device {
        DeviceChoice::Gpu => Selection::First,
        DeviceChoice::Named(name) => Selection::Named(name),
        DeviceChoice::Cpu | DeviceChoice::Auto => return Ok(None),
    };
    Ok(Some(Box::new(GpuBackend::new(selection)?)))
}

#[cfg(not(feature = "gpu"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature with a GPU")]
fn accelerator(_: &DeviceChoice) -> Result<Option<Box<dyn Backend>>> {
    Ok(None)
}

//! The parts of both directions, timed one by one over the whole input.
//!
//! They are fewer than what a file needs: checksums and the container are in the whole alone. Every batch is coded by
//! the methods that the pipeline would try; where those are several, all count to compress, and the smallest to
//! decompress. A part that a method does not have takes no time.

use std::time::Duration;

use framepress::frame::Geometry;
use framepress::internal::{Backend, Batch, CpuBackend, MethodChoice, choose_methods};
use framepress::plan::{DeviceChoice, Plan};
use framepress::{Compressor, Decompressor, Result, SimdLevel};

use super::input::Input;
use super::methods::{Coded, Memory, Parts, Pipeline, timed};

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
        memory: &mut Memory,
        decoded: &mut [u8],
    ) -> Result<[Duration; STAGES.len()]> {
        let Self { cpu, accelerator } = self;
        let backend = accelerator.as_deref().unwrap_or(cpu);
        let pipeline = Pipeline { cpu, backend, compressor, decompressor };
        let (mut plan, mut there, mut back) = (Duration::ZERO, Parts::default(), Parts::default());
        let mut start = 0;
        for part in input.parts(compressor.batch_frames(&input.format)) {
            let geometry = Geometry::new(&input.format, part.frames);
            let batch = Batch { geometry: &geometry, raw: part.bytes };
            let restored = &mut decoded[start..start + part.bytes.len()];
            start += part.bytes.len();

            let mut smallest: Option<Coded> = None;
            for choice in timed(&mut plan, || choose_methods(batch, compressor.settings(), backend, cpu))? {
                let coded = pipeline.compress(batch, choice, memory, &mut there)?;
                let before = smallest.as_ref().map_or(part.bytes.len() + 1, Coded::packed_bytes);
                smallest = coded.filter(|coded| coded.packed_bytes() < before).or(smallest);
            }
            if smallest.is_none() {
                let identity = MethodChoice::Planes(Plan::identity(&geometry));
                smallest = pipeline.compress(batch, identity, memory, &mut there)?;
            }
            if let Some(coded) = smallest {
                pipeline.decompress(&geometry, &coded, restored, memory, &mut back)?;
            }
        }
        Ok([plan, there.transform, there.code, back.code, back.transform])
    }
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

//! The parts of both directions, timed one by one over the whole input.
//!
//! They are fewer than what a file needs: checksums and the container are in the whole alone. Every batch is coded by
//! the methods that the pipeline would try; where those are several, all count to compress, and the smallest to
//! decompress. A part that a method does not have takes no time. What a device does to recover planes that stay there counts as
//! its part of compress, though it is done while the method is chosen: nothing else brings the frames there.

use std::time::Duration;

use framepress::frame::Geometry;
use framepress::internal::{Backend, Batch, CpuBackend, Detail, DeviceRun, MethodChoice, choose_methods};
use framepress::plan::Plan;
use framepress::{Compressor, Decompressor, Result, SimdLevel};

use super::gpu::Gpu;
use super::input::Input;
use super::kernels::Pass;
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
    pub gpu: Option<Gpu>,
}

/// What the parts took in one pass over the input.
pub struct Timed {
    /// The time of each of [`STAGES`].
    pub stages: [Duration; STAGES.len()],
    /// What ran on the GPU, if there is one.
    pub pass: Pass,
}

impl Machinery {
    pub fn new(gpu: Option<Gpu>, threads: usize) -> Self {
        Self { cpu: CpuBackend::new(SimdLevel::detect(), threads), gpu }
    }

    /// What each part takes. The frames are restored to `decoded`, which is as long as the input.
    pub fn time(
        &self,
        input: &Input,
        compressor: &Compressor,
        decompressor: &Decompressor,
        memory: &mut Memory,
        decoded: &mut [u8],
        detail: Detail,
    ) -> Result<Timed> {
        let Self { cpu, gpu } = self;
        let backend: &dyn Backend = gpu.as_ref().map_or(cpu, Gpu::backend);
        let pipeline = Pipeline { cpu, backend, compressor, decompressor };
        let (mut plan, mut there, mut back) = (Duration::ZERO, Parts::default(), Parts::default());
        let mut pass = Pass::default();
        let mut start = 0;
        for part in input.parts(compressor.batch_frames(&input.format)) {
            let geometry = Geometry::new(&input.format, part.frames);
            let batch = Batch { geometry: &geometry, raw: part.bytes };
            let restored = &mut decoded[start..start + part.bytes.len()];
            start += part.bytes.len();

            let [of_plan, of_there, of_back] = &mut pass;
            let choose = || timed(&mut plan, || choose_methods(batch, compressor.settings(), backend, cpu, None));
            let mut of_choice = Vec::new();
            let choices = self.watched(detail, &mut of_choice, choose)?;
            let stays = choices.iter().any(|choice| matches!(choice, MethodChoice::RecoveredThere(..)));
            if stays { &mut *of_there } else { of_plan }.extend(of_choice);
            let smallest = self.watched(detail, of_there, || -> Result<Option<Coded>> {
                let mut smallest: Option<Coded> = None;
                for choice in choices {
                    let coded = pipeline.compress(batch, choice, memory, &mut there)?;
                    let before = smallest.as_ref().map_or(part.bytes.len() + 1, Coded::packed_bytes);
                    smallest = coded.filter(|coded| coded.packed_bytes() < before).or(smallest);
                }
                if smallest.is_none() {
                    let identity = MethodChoice::Planes(Plan::identity(&geometry));
                    smallest = pipeline.compress(batch, identity, memory, &mut there)?;
                }
                Ok(smallest)
            })?;
            if let Some(coded) = smallest {
                let decompress = || pipeline.decompress(&geometry, &coded, restored, memory, &mut back);
                self.watched(detail, of_back, decompress)?;
            }
        }
        Ok(Timed { stages: [plan, there.transform, there.code, back.code, back.transform], pass })
    }

    /// Carries out `work` and adds what of it runs on the GPU to `runs`.
    fn watched<R>(&self, detail: Detail, runs: &mut Vec<DeviceRun>, work: impl FnOnce() -> R) -> R {
        let Some(gpu) = &self.gpu else { return work() };
        let (result, more) = gpu.profile(detail, work);
        runs.extend(more);
        result
    }
}

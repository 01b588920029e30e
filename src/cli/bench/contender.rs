//! One level on one device.

use std::time::{Duration, Instant};

use framepress::internal::Detail;
use framepress::{Compressor, ErrorKind, Result, Settings, Writer};

use super::device::Device;
use super::input::Input;
use super::kernels::{GpuFigures, Pass};
use super::methods::Memory;
use super::stages::STAGES;

/// Output memory that every run uses again.
pub struct Buffers {
    packed: Vec<u8>,
    memory: Memory,
    decoded: Vec<u8>,
}

impl Buffers {
    pub fn new(input: &Input) -> Self {
        Self { packed: Vec::new(), memory: Memory::default(), decoded: vec![0; input.raw.len()] }
    }
}

/// What one run took.
pub struct Times {
    pub compress: Duration,
    pub decompress: Duration,
    /// Unless they were not asked for.
    pub stages: Option<[Duration; STAGES.len()]>,
    /// What the host saw of a GPU in one pass and its kernels in another, if stages were asked for of one.
    passes: Vec<Pass>,
}

/// One level on one device, with the runs that count.
pub struct Contender<'a> {
    pub device: &'a Device,
    pub compressor: Compressor,
    pub packed_bytes: usize,
    /// The run to warm up.
    pub first: Option<Times>,
    pub runs: Vec<Times>,
}

impl<'a> Contender<'a> {
    pub fn new(settings: Settings, device: &'a Device) -> Result<Self> {
        let compressor = Compressor::new(settings.with_device(device.choice.clone()))?;
        Ok(Self { device, compressor, packed_bytes: 0, first: None, runs: Vec::new() })
    }

    /// For messages.
    pub fn name(&self) -> String {
        format!("level {} on {}", self.compressor.settings().level(), self.device.name)
    }

    /// There and back once; inside, what is wrong if the input does not come back.
    pub fn run(&mut self, input: &Input, buffers: &mut Buffers) -> Result<Result<Times, String>> {
        let Buffers { packed, memory, decoded } = buffers;
        let start = Instant::now();
        packed.clear();
        let mut writer =
            Writer::with_origin(&mut *packed, input.format.clone(), input.origin.clone(), &self.compressor)?;
        writer.write_batches(input.parts(writer.batch_frames()).map(Ok), |_| Ok(()))?;
        writer.finish()?;
        let compress = start.elapsed();
        self.packed_bytes = packed.len();

        let decompressor = &self.device.decompressor;
        let start = Instant::now();
        let restored = decompressor.decompress_into(packed, decoded);
        let decompress = start.elapsed();
        if let Some(difference) = difference(restored, decoded, &input.raw)? {
            return Ok(Err(difference));
        }

        let (mut stages, mut passes) = (None, Vec::new());
        if let Some(machinery) = &self.device.machinery {
            let details = [Detail::Host, Detail::Kernels];
            for detail in details.into_iter().take(if machinery.gpu.is_some() { 2 } else { 1 }) {
                decoded.fill(0);
                let timed = machinery.time(input, &self.compressor, decompressor, memory, decoded, detail)?;
                if let Some(difference) = difference(Ok(()), decoded, &input.raw)? {
                    return Ok(Err(format!("stages: {difference}")));
                }
                stages.get_or_insert(timed.stages);
                passes.push(timed.pass);
            }
        }
        Ok(Ok(Times { compress, decompress, stages, passes }))
    }

    /// What the GPU did, if stages were asked for of one.
    pub fn gpu_figures(&self, raw_bytes: usize) -> Option<GpuFigures> {
        let gpu = self.device.machinery.as_ref()?.gpu.as_ref()?;
        let cold = self.first.as_ref()?.passes.first()?;
        let passes = |at: usize| self.runs.iter().filter_map(|times| times.passes.get(at)).collect::<Vec<_>>();
        Some(GpuFigures::new(gpu, raw_bytes, cold, &passes(0), &passes(1)))
    }
}

/// How what was restored differs from `raw`.
fn difference(restored: Result<()>, decoded: &[u8], raw: &[u8]) -> Result<Option<String>> {
    match restored {
        Ok(()) => Ok((decoded != raw).then(|| "the frames that came back are not those that went in".to_owned())),
        // No file was damaged: this program is wrong, or the machine.
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Truncated) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use framepress::Error;

    use super::*;

    #[test]
    fn differences_are_told_from_failures() {
        assert_eq!(difference(Ok(()), &[1, 2], &[1, 2]).unwrap(), None);
        assert!(difference(Ok(()), &[1, 3], &[1, 2]).unwrap().is_some());
        let corrupt = Error::new(ErrorKind::Corrupt, "checksum");
        assert!(difference(Err(corrupt), &[1, 2], &[1, 2]).unwrap().unwrap().contains("checksum"));
        assert!(difference(Err(Error::new(ErrorKind::Gpu, "lost")), &[1, 2], &[1, 2]).is_err());
    }
}

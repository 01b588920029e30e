//! This machine: batches are made, packed and restored for real.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use framepress::frame::{ChannelOrder, Dtype, FrameFormat, Frames, Geometry, Layout};
use framepress::internal::decide::Side;
use framepress::internal::gpu::{GpuBackend, Selection};
use framepress::internal::trial::{Item, Placer, Ran, Random, World};
use framepress::internal::work::Work;
use framepress::internal::{Batch, CpuBackend, calibrate};
use framepress::plan::DeviceChoice;
use framepress::{
    Compressor, Decompressor, DeviceStatistics, Error, ErrorKind, Limits, Result, RunStatistics, SeekReader, Settings,
    SimdLevel,
};

use super::super::super::interrupt;

/// The CPU and a GPU.
pub struct Machine {
    name: String,
    backend: GpuBackend,
    cpu: Pipeline,
    gpu: Pipeline,
    /// The batch at hand, by its place in the mix.
    batch: Option<(usize, Made)>,
    restored: Vec<u8>,
    load: Option<Load>,
}

/// What packs and restores on one side.
struct Pipeline {
    compressor: Compressor,
    decompressor: Decompressor,
}

/// A batch, packed too.
struct Made {
    frames: Frames,
    packed: Vec<u8>,
}

impl Pipeline {
    fn new(device: &DeviceChoice) -> Result<Self> {
        let compressor = Compressor::new(Settings::new().with_device(device.clone()))?;
        let decompressor = Decompressor::new(device, None, Limits::default())?;
        Ok(Self { compressor, decompressor })
    }

    fn statistics(&self, decompress: bool) -> RunStatistics {
        if decompress { self.decompressor.statistics() } else { self.compressor.statistics() }
    }
}

impl Machine {
    pub fn open(device: &DeviceChoice) -> Result<Self> {
        let selection = match device {
            DeviceChoice::Named(name) => Selection::Named(name),
            DeviceChoice::Gpu | DeviceChoice::Cpu | DeviceChoice::Auto => Selection::First,
        };
        let backend = GpuBackend::new(selection)?;
        Ok(Self {
            name: backend.description().name.clone(),
            backend,
            cpu: Pipeline::new(&DeviceChoice::Cpu)?,
            gpu: Pipeline::new(device)?,
            batch: None,
            restored: Vec::new(),
            load: None,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Batch `at` of the mix, with the load that belongs to it.
    fn prepare(&mut self, at: usize, item: &Item) -> Result<()> {
        interrupt::check()?;
        if self.batch.as_ref().is_some_and(|(place, _)| *place == at) {
            return Ok(());
        }
        self.load = None;
        let frames = make(item, at as u64)?;
        let packed = self.cpu.compressor.compress_frames(&frames)?;
        self.batch = Some((at, Made { frames, packed }));
        self.load = item.loaded.then(|| Load::new(self.threads()));
        Ok(())
    }

    fn made(&self) -> Result<&Made> {
        let made = self.batch.as_ref().map(|(_, made)| made);
        made.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "no batch was made"))
    }
}

impl World for Machine {
    fn threads(&self) -> usize {
        self.cpu.compressor.threads()
    }

    fn placer(&mut self) -> Result<Placer> {
        Ok(calibrate::measure(&self.backend, &CpuBackend::new(SimdLevel::detect(), self.threads())))
    }

    fn work(&mut self, at: usize, item: &Item) -> Result<Work> {
        self.prepare(at, item)?;
        let Made { frames, packed } = self.made()?;
        let geometry = Geometry::new(frames.format(), frames.frames());
        if item.decompress {
            let mut reader = SeekReader::new(std::io::Cursor::new(packed), &self.cpu.decompressor)?;
            let info = reader.batch_info(0)?;
            return Ok(Work::decompress(&geometry, &info.method, packed.len()));
        }
        let batch = Batch { geometry: &geometry, raw: frames.as_bytes() };
        Ok(Work::compress(batch, self.cpu.compressor.settings()))
    }

    fn run(&mut self, at: usize, item: &Item, side: Side) -> Result<Ran> {
        self.prepare(at, item)?;
        let mut restored = std::mem::take(&mut self.restored);
        let Made { frames, packed } = self.made()?;
        let pipeline = if side == Side::Cpu { &self.cpu } else { &self.gpu };
        let before = pipeline.statistics(item.decompress);
        if item.decompress {
            restored.resize(frames.as_bytes().len(), 0);
            pipeline.decompressor.decompress_into(packed, &mut restored)?;
        } else {
            pipeline.compressor.compress_frames(frames)?;
        }
        let after = pipeline.statistics(item.decompress);
        self.restored = restored;
        let seconds = |of: fn(&RunStatistics) -> std::time::Duration| (of(&after) - of(&before)).as_secs_f64();
        let device = |of: fn(&DeviceStatistics) -> std::time::Duration| {
            (of(&after.gpu) + of(&after.cpu) - of(&before.gpu) - of(&before.cpu)).as_secs_f64()
        };
        Ok(Ran {
            seconds: device(|device| device.time) + seconds(|statistics| statistics.redone_time),
            device: device(|device| device.device_time),
            failed: (after.redone > before.redone).then_some(false),
        })
    }
}

/// Frames of a moving pattern with so much noise; still, where there is hardly any.
fn make(item: &Item, seed: u64) -> Result<Frames> {
    let Item { width, height, channels, frames, noise, .. } = *item;
    let layout = match channels {
        1 => Layout::Gray { width, height },
        _ => Layout::Packed { width, height, order: ChannelOrder::Rgb },
    };
    let format = FrameFormat::new(Dtype::U8, layout)?;
    let mut random = Random::new(seed);
    let (moving, amplitude) = (usize::from(noise > 0.1), (noise * noise * 256.0) as u64);
    let mut raw = Vec::with_capacity(item.raw_bytes());
    for frame in 0..frames {
        for y in 0..height {
            for x in 0..width {
                let pattern = ((x + 2 * moving * frame) / 3 + (y + moving * frame) / 2) as u8;
                let bits = random.bits();
                raw.extend((0..channels).map(|channel| {
                    let noise = ((bits >> (16 * channel) & 0xff) * amplitude) >> 8;
                    pattern.wrapping_add(20 * channel as u8).wrapping_add(if moving == 1 { noise as u8 } else { 0 })
                }));
            }
        }
    }
    Frames::new(format, frames, raw)
}

/// Threads that keep the CPU busy until it is dropped.
struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    fn new(threads: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let busy = |over: Arc<AtomicBool>| {
            move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        };
        let threads = (0..threads).map(|_| std::thread::spawn(busy(Arc::clone(&over)))).collect();
        Self { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It does nothing that can fail.
            let _ = thread.join();
        }
    }
}

//! The devices that are measured.

use std::num::NonZeroUsize;

use framepress::plan::DeviceChoice;
use framepress::{Decompressor, Limits, Result, devices};

use super::super::arguments::Benched;
use super::gpu::Gpu;
use super::stages::Machinery;

/// A device that works.
pub struct Device {
    /// What rows call it.
    pub name: String,
    pub choice: DeviceChoice,
    /// Shared by the levels, whose working memory is alike.
    pub decompressor: Decompressor,
    /// If stages are to be timed.
    pub machinery: Option<Machinery>,
}

impl Device {
    fn open(choice: DeviceChoice, threads: Option<NonZeroUsize>, stages: bool) -> Result<Self> {
        // Whatever has been compressed here was within this machine's memory.
        let limits = Limits { max_batch_bytes: u64::MAX, max_header_bytes: u64::MAX, ..Limits::default() };
        // First, so that the time to open a GPU is that of a process that has none open.
        let gpu = if stages { Gpu::open(&choice)? } else { None };
        let decompressor = Decompressor::new(&choice, threads, limits)?;
        let machinery = stages.then(|| Machinery::new(gpu, decompressor.threads()));
        let unnamed = if choice == DeviceChoice::Auto { "auto" } else { "cpu" };
        let name = decompressor.device_name().unwrap_or(unnamed).to_owned();
        Ok(Self { name, choice, decompressor, machinery })
    }
}

/// The devices that were asked for. Of all, those that do not work are named and left out.
pub fn open(asked: Benched, threads: Option<NonZeroUsize>, stages: bool) -> Result<Vec<Device>> {
    let cpu = || Device::open(DeviceChoice::Cpu, threads, stages);
    let mut opened = match asked {
        Benched::One(choice) => return Ok(vec![Device::open(choice, threads, stages)?]),
        // Its stages are those of the device that takes a batch.
        Benched::Auto => return Ok(vec![cpu()?, Device::open(DeviceChoice::Auto, threads, false)?]),
        Benched::All => vec![cpu()?],
    };
    for index in devices().into_iter().filter_map(|adapter| adapter.index) {
        match Device::open(DeviceChoice::Named(index.to_string()), threads, stages) {
            Ok(mut device) => {
                if opened.iter().any(|other| other.name == device.name) {
                    device.name = format!("{} ({index})", device.name);
                }
                opened.push(device);
            }
            Err(error) => eprintln!("framepress: left out: {error}"),
        }
    }
    Ok(opened)
}

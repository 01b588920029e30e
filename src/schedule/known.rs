//! What earlier runs have measured and learnt of the GPUs of this machine, to be looked at.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::automatic;
use super::content::Content;
use super::cost::{Machine, Price};
use super::kept::Kept;
use super::rates::Rates;
use super::work::{Coded, Part, Task, Work};
use crate::plan::CodecChoice;
use crate::{cache, pool};

/// A GPU that [`DeviceChoice::Auto`](crate::plan::DeviceChoice::Auto) has had to do with.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KnownDevice {
    /// Its name, place and driver, the CPU beside it and the version: what the rest is true of.
    pub machine: String,
    /// When something was learnt last.
    pub kept: SystemTime,
    /// What it takes to submit nothing and to wait for it.
    pub submit: Duration,
    /// Bytes per second of transfers, there or back.
    pub transfer_rate: f64,
    /// Raw bytes per second of its kernels, as measured with stages of planes.
    pub kernel_rate: f64,
    /// What has been done, on either side.
    pub tasks: Vec<KnownTask>,
}

/// What batches of one kind should take by now: those of [`KnownTask::RAW_BYTES`] bytes of pixels that are neither still nor
/// noise, with nothing else to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KnownTask {
    /// Compression at a level, or decompression of a method.
    pub name: String,
    /// On the CPU.
    pub cpu: Duration,
    /// On the GPU, with what is left to the CPU.
    pub gpu: Duration,
}

impl KnownTask {
    /// Length of the frames.
    pub const RAW_BYTES: usize = 16 << 20;

    /// The side that such batches go to.
    pub fn side(&self) -> &'static str {
        if self.gpu < self.cpu { "gpu" } else { "cpu" }
    }
}

/// What the user's cache folder has of this machine, each GPU with its driver; nothing if no GPU was used yet. Whatever
/// [`DeviceChoice::Auto`](crate::plan::DeviceChoice::Auto) decides begins with that.
pub fn known_devices() -> Vec<KnownDevice> {
    cache::folder().map(|folder| known(&folder, &automatic::machine())).unwrap_or_default()
}

/// Of a machine without its GPU.
fn known(folder: &Path, machine: &str) -> Vec<KnownDevice> {
    let of_machine = Kept::all(folder).into_iter().filter(|(name, ..)| name.ends_with(machine));
    of_machine.map(|(name, at, kept)| device(name, at, &kept)).collect()
}

fn device(machine: String, at: SystemTime, kept: &Kept) -> KnownDevice {
    let mut rates = Rates::default();
    kept.sets.iter().for_each(|&(key, estimate)| rates.restore(key, estimate));
    let cpu = Machine { threads: pool::threads(None), slowness: kept.slowness };
    let known = |(name, task): (String, Task)| {
        let work =
            Work { task, raw_bytes: KnownTask::RAW_BYTES, sample_bytes: 1, packed: true, content: Content::MIDDLE };
        let was_done = |part: Part| kept.sets.iter().any(|(key, _)| *key == work.of_task(part));
        if !was_done(Part::Cpu) && !was_done(Part::Device) {
            return None;
        }
        let price = Price::of(&work, cpu, kept.hardware);
        let seconds = |part: Part| price.forecast(&work, part, &rates).seconds;
        let gpu = seconds(Part::Device) + seconds(Part::Remainder);
        Some(KnownTask { name, cpu: time(seconds(Part::Cpu)), gpu: time(gpu) })
    };
    KnownDevice {
        machine,
        kept: at,
        submit: time(kept.hardware.submit),
        transfer_rate: 1.0 / kept.hardware.transfer,
        kernel_rate: 1.0 / kept.hardware.kernels,
        tasks: tasks().filter_map(known).collect(),
    }
}

fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// All tasks, with codecs that are left to the level.
fn tasks() -> impl Iterator<Item = (String, Task)> {
    let there =
        (1..=9).map(|level| (format!("compress, level {level}"), Task::Compress { level, codec: CodecChoice::Auto }));
    let back = Coded::ALL.iter().map(|&coded| (format!("decompress, {}", coded.name()), Task::Decompress(coded)));
    there.chain(back)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::cost::Hardware;

    /// What was learnt of a task is in its times, and tasks that nobody has met are left out.
    #[test]
    fn what_is_kept_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(known(folder.path(), "a CPU"), []);
        let (_, task) = tasks().nth(3).unwrap();
        let work =
            Work { task, raw_bytes: KnownTask::RAW_BYTES, sample_bytes: 1, packed: true, content: Content::MIDDLE };
        let hardware = Hardware { submit: 1e-3, transfer: 1e-9, kernels: 2e-9 };
        let price = Price::of(&work, Machine { threads: pool::threads(None), slowness: 2.0 }, hardware);
        let mut rates = Rates::default();
        for _ in 0..30 {
            rates.learn(&work, Part::Cpu, price.cpu, 3.0 * price.cpu, 0.0);
        }
        let kept = Kept { slowness: 2.0, hardware, sets: rates.sets().collect() };
        kept.store(folder.path(), "a GPU, a CPU").unwrap();
        kept.store(folder.path(), "a GPU, another CPU").unwrap();

        let devices = known(folder.path(), "a CPU");
        let [device] = devices.as_slice() else { panic!("{devices:?}") };
        assert_eq!((device.machine.as_str(), device.submit), ("a GPU, a CPU", Duration::from_millis(1)));
        assert!((device.transfer_rate - 1e9).abs() < 1.0 && (device.kernel_rate - 5e8).abs() < 1.0);
        let [task] = device.tasks.as_slice() else { panic!("{:?}", device.tasks) };
        assert_eq!(task.name, "compress, level 4");
        let factor = task.cpu.as_secs_f64() / price.cpu;
        assert!((2.0..3.1).contains(&factor), "{factor}: without the load of the moment");
        assert_eq!(task.side(), if task.gpu < task.cpu { "gpu" } else { "cpu" });
        assert!(task.gpu.as_secs_f64() > price.device);
    }

    #[test]
    fn tasks_have_names_of_their_own() {
        let mut names: Vec<String> = tasks().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 9 + Coded::ALL.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 9 + Coded::ALL.len());
    }
}

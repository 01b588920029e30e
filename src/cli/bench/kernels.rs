//! What a GPU does in a pass over the input: kernel by kernel, and as the host sees it.
//!
//! Speeds are raw bytes of the whole input per second of the time in question, so that times add up. A kernel's bytes
//! are those that it has to read and write; the copy kernel that it is compared with is measured in the same run of the
//! program.

use std::time::Duration;

use framepress::internal::{DeviceRates, DeviceRun};
use serde_json::{Value, json};

use super::gpu::Gpu;
use super::report::{aligned, median};

/// The parts of a pass: the choice of a plan, and both directions.
pub const PARTS: [&str; 3] = ["plan", "compress", "decompress"];

/// What ran on the device in each of [`PARTS`].
pub type Pass = [Vec<DeviceRun>; PARTS.len()];

/// The figures of one level.
pub struct GpuFigures {
    pub rates: DeviceRates,
    pub opened: Duration,
    pub pipelines: usize,
    pub compiling: Duration,
    pub parts: Vec<Part>,
    pub kernels: Vec<Kernel>,
    pub raw_bytes: usize,
}

/// One of [`PARTS`], if the device had to do with it.
#[derive(Default)]
pub struct Part {
    pub name: &'static str,
    /// All of it on the first pass.
    pub cold: Duration,
    pub upload: Duration,
    pub wait: Duration,
    pub download: Duration,
    pub total: Duration,
    /// The kernels alone; `None` if the device cannot tell.
    pub resident: Option<Duration>,
    pub uploaded_bytes: u64,
    pub downloaded_bytes: u64,
}

/// The launches of a kernel in a part.
pub struct Kernel {
    pub part: &'static str,
    pub name: String,
    pub dispatches: usize,
    /// `None` if the device cannot tell.
    pub time: Option<Duration>,
    pub moved_bytes: u64,
}

impl GpuFigures {
    /// `cold` is what the host saw of the first pass, `warm` of the later ones; `kernels` are passes kernel by kernel.
    pub fn new(gpu: &Gpu, raw_bytes: usize, cold: &Pass, warm: &[&Pass], kernels: &[&Pass]) -> Self {
        let (pipelines, compiling) = gpu.compiled();
        let kernels: Vec<Kernel> = (0..PARTS.len()).flat_map(|part| kernels_of(part, kernels)).collect();
        let part = |part: usize| Part::new(part, cold, warm, &kernels);
        let parts = (0..PARTS.len()).filter(|&at| !cold[at].is_empty()).map(part).collect();
        Self { rates: gpu.rates, opened: gpu.opened, pipelines, compiling, parts, kernels, raw_bytes }
    }

    /// Raw GB per second of `time`.
    pub fn raw_gb_per_s(&self, time: Duration) -> f64 {
        gb_per_s(self.raw_bytes as f64, time)
    }

    /// How much of the rate of a copy `kernel` comes to, in percent.
    pub fn percent_of_copy(&self, kernel: &Kernel) -> Option<f64> {
        let (time, copy) = kernel.time.zip(self.rates.copy)?;
        Some(100.0 * gb_per_s(kernel.moved_bytes as f64, time) * 1e9 / copy)
    }

    fn moved_per_raw(&self, kernel: &Kernel) -> f64 {
        kernel.moved_bytes as f64 / self.raw_bytes.max(1) as f64
    }

    /// What the device can do at best, in words.
    pub fn device_text(&self) -> String {
        let copy = match self.rates.copy {
            Some(rate) => format!("copy kernel {:.2} GB/s read and written", rate / 1e9),
            None => "no timestamp queries, so kernels are not timed".to_owned(),
        };
        format!(
            "submit and wait {:.0} us, upload {:.2} GB/s, download {:.2} GB/s, {copy}; opened and probed in {:.2} s, \
             {} kernels compiled in {:.2} s",
            self.rates.submit_and_wait.as_secs_f64() * 1e6,
            self.rates.upload / 1e9,
            self.rates.download / 1e9,
            self.opened.as_secs_f64(),
            self.pipelines,
            self.compiling.as_secs_f64(),
        )
    }

    /// The header and rows of the parts.
    pub fn parts_table(&self) -> Vec<Vec<String>> {
        let header = ["part", "resident", "host to host", "cold", "upload ms", "submit and wait ms", "download ms"];
        let row = |part: &Part| {
            let speed = |time: Duration| format!("{:.3}", self.raw_gb_per_s(time));
            let resident = part.resident.map_or_else(|| "-".to_owned(), speed);
            let speeds = [part.total, part.cold].map(speed);
            let times = [part.upload, part.wait, part.download].map(milliseconds);
            [vec![part.name.to_owned(), resident], speeds.to_vec(), times.to_vec()].concat()
        };
        std::iter::once(header.map(str::to_owned).to_vec()).chain(self.parts.iter().map(row)).collect()
    }

    /// The header and rows of the kernels.
    pub fn kernels_table(&self) -> Vec<Vec<String>> {
        let header = ["part", "kernel", "dispatches", "ms", "raw GB/s", "moved/raw", "% of copy"];
        let row = |kernel: &Kernel| {
            let number = |value: Option<f64>, digits: usize| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            };
            vec![
                kernel.part.to_owned(),
                kernel.name.clone(),
                kernel.dispatches.to_string(),
                kernel.time.map_or_else(|| "-".to_owned(), milliseconds),
                number(kernel.time.map(|time| self.raw_gb_per_s(time)), 3),
                format!("{:.2}", self.moved_per_raw(kernel)),
                number(self.percent_of_copy(kernel), 1),
            ]
        };
        std::iter::once(header.map(str::to_owned).to_vec()).chain(self.kernels.iter().map(row)).collect()
    }

    pub fn text(&self) -> String {
        if self.parts.is_empty() {
            return "nothing ran on the device".to_owned();
        }
        format!(
            "raw GB/s, and what the host waits for\n{}\n\n{}",
            aligned(&self.parts_table(), |at| at == 0),
            aligned(&self.kernels_table(), |at| at < 2)
        )
    }

    pub fn json(&self) -> Value {
        let part = |part: &Part| {
            json!({
                "part": part.name,
                "resident_gb_per_s": part.resident.map(|time| self.raw_gb_per_s(time)),
                "host_to_host_gb_per_s": self.raw_gb_per_s(part.total),
                "cold_host_to_host_gb_per_s": self.raw_gb_per_s(part.cold),
                "upload_seconds": part.upload.as_secs_f64(),
                "submit_and_wait_seconds": part.wait.as_secs_f64(),
                "download_seconds": part.download.as_secs_f64(),
                "uploaded_bytes": part.uploaded_bytes,
                "downloaded_bytes": part.downloaded_bytes,
            })
        };
        let kernel = |kernel: &Kernel| {
            json!({
                "part": kernel.part,
                "kernel": kernel.name,
                "dispatches": kernel.dispatches,
                "seconds": kernel.time.map(|time| time.as_secs_f64()),
                "raw_gb_per_s": kernel.time.map(|time| self.raw_gb_per_s(time)),
                "moved_per_raw_byte": self.moved_per_raw(kernel),
                "percent_of_copy": self.percent_of_copy(kernel),
            })
        };
        json!({
            "timestamps": self.rates.copy.is_some(),
            "submit_and_wait_seconds": self.rates.submit_and_wait.as_secs_f64(),
            "upload_gb_per_s": self.rates.upload / 1e9,
            "download_gb_per_s": self.rates.download / 1e9,
            "copy_gb_per_s": self.rates.copy.map(|rate| rate / 1e9),
            "open_seconds": self.opened.as_secs_f64(),
            "compiled_kernels": self.pipelines,
            "compile_seconds": self.compiling.as_secs_f64(),
            "parts": self.parts.iter().map(part).collect::<Vec<_>>(),
            "kernels": self.kernels.iter().map(kernel).collect::<Vec<_>>(),
        })
    }
}

impl Part {
    fn new(part: usize, cold: &Pass, warm: &[&Pass], kernels: &[Kernel]) -> Self {
        let sum = |pass: &Pass, time: &dyn Fn(&DeviceRun) -> Duration| pass[part].iter().map(time).sum::<Duration>();
        let middle = |time: &dyn Fn(&DeviceRun) -> Duration| median(warm.iter().map(|pass| sum(pass, time)).collect());
        Self {
            name: PARTS[part],
            cold: sum(cold, &DeviceRun::total),
            upload: middle(&|run| run.upload),
            wait: middle(&|run| run.wait),
            download: middle(&|run| run.download),
            total: middle(&DeviceRun::total),
            resident: kernels.iter().filter(|kernel| kernel.part == PARTS[part]).map(|kernel| kernel.time).sum(),
            uploaded_bytes: cold[part].iter().map(|run| run.uploaded_bytes).sum(),
            downloaded_bytes: cold[part].iter().map(|run| run.downloaded_bytes).sum(),
        }
    }
}

/// The kernels of a part in the order of their first launch, each with the median of its time in a pass.
fn kernels_of(part: usize, passes: &[&Pass]) -> Vec<Kernel> {
    let Some(first) = passes.first() else { return Vec::new() };
    let launches = |pass: &Pass| pass[part].iter().flat_map(|run| run.kernels.clone()).collect::<Vec<_>>();
    let mut names: Vec<[&str; 2]> = Vec::new();
    for launch in launches(first) {
        if !names.contains(&launch.kernel) {
            names.push(launch.kernel);
        }
    }
    let kernel = |name: [&'static str; 2]| {
        let own = |pass| launches(pass).into_iter().filter(|launch| launch.kernel == name).collect::<Vec<_>>();
        let time = |pass| own(pass).iter().map(|launch| launch.time).sum::<Option<Duration>>();
        let times: Option<Vec<Duration>> = passes.iter().copied().map(time).collect();
        Kernel {
            part: PARTS[part],
            name: name.join(" "),
            dispatches: own(first).len(),
            time: times.map(median),
            moved_bytes: own(first).iter().map(|launch| launch.moved_bytes).sum(),
        }
    };
    names.into_iter().map(kernel).collect()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

fn gb_per_s(bytes: f64, time: Duration) -> f64 {
    bytes / 1e9 / time.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use framepress::internal::KernelRun;

    use super::*;

    fn pass(milliseconds: &[Option<u64>]) -> Pass {
        let run = |(at, time): (usize, &Option<u64>)| {
            let name = if at == 0 { "first" } else { "others" };
            KernelRun { kernel: ["file", name], moved_bytes: 10, time: time.map(Duration::from_millis) }
        };
        let kernels = milliseconds.iter().enumerate().map(run).collect();
        [Vec::new(), vec![DeviceRun { kernels, ..DeviceRun::default() }], Vec::new()]
    }

    #[test]
    fn launches_of_a_kernel_are_summed_and_passes_compared() {
        let passes = [[1, 5, 6], [3, 1, 2], [2, 2, 2]].map(|times| pass(&times.map(Some)));
        let passes = passes.each_ref();
        let kernels = kernels_of(1, &passes);
        let figures: Vec<_> =
            kernels.iter().map(|it| (it.name.as_str(), it.dispatches, it.time, it.moved_bytes)).collect();
        let milliseconds = |count| Some(Duration::from_millis(count));
        assert_eq!(figures, [("file first", 1, milliseconds(2), 10), ("file others", 2, milliseconds(4), 20)]);
        assert!(kernels_of(0, &passes).is_empty() && kernels_of(1, &[]).is_empty());
    }

    /// Half of the launches untimed would be half of the time.
    #[test]
    fn a_time_that_is_not_whole_is_none() {
        let kernels = kernels_of(1, &[&pass(&[Some(1), Some(2), None])]);
        assert_eq!((kernels[0].time, kernels[1].time), (Some(Duration::from_millis(1)), None));
    }
}

//! What a GPU takes, and what it can do at best.

use std::time::Duration;

use super::backend::GpuBackend;
use super::record_copy::{LEAST_BYTES, copy, transfer};
use super::recording::Recording;
use crate::error::Result;
use crate::stage::{Detail, DeviceRates, DeviceRun};

/// Bytes that are moved to measure rates: more than caches hold.
const MOVED_BYTES: u64 = 128 << 20;

/// Runs of which the median counts, besides one to warm up.
const RUNS: usize = 5;
/// The same of runs that take next to no time.
const SHORT_RUNS: usize = 51;

impl GpuBackend {
    /// Carries out `work`, and tells what of it ran on this device, in order. What other threads run there meanwhile is
    /// told too.
    pub fn profile<R>(&self, detail: Detail, work: impl FnOnce() -> R) -> (R, Vec<DeviceRun>) {
        self.engine.watch(Some(detail));
        let result = work();
        (result, self.engine.watch(None))
    }

    /// Kernels that have been compiled since the device was opened, and the time of that. Some drivers do the better
    /// part of it when a kernel first runs.
    pub fn compiled(&self) -> (usize, Duration) {
        self.engine.compiled()
    }

    /// Copies `input` to `out`, which is as long, with a kernel.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device fails, or has no buffer as large.
    pub fn copy(&self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.engine.execute(&copy(input.len(), input.len())?, input, out)
    }

    /// Measures what this device can do at best.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device fails.
    pub fn rates(&self) -> Result<DeviceRates> {
        let bytes = MOVED_BYTES.min(self.engine.largest_buffer() & !3) as usize;
        let mut host = vec![1; bytes];
        let (mut few, mut none) = ([1; LEAST_BYTES], [0; LEAST_BYTES]);
        let per_second = |bytes: usize, time: Duration| bytes as f64 / time.as_secs_f64().max(1e-9);

        let floor = transfer(LEAST_BYTES, LEAST_BYTES)?;
        let floor = self.median(SHORT_RUNS, Detail::Host, &floor, &few, &mut none, |run| Some(run.wait))?;
        let to_device = transfer(bytes, LEAST_BYTES)?;
        let upload = self.median(RUNS, Detail::Host, &to_device, &host, &mut few, |run| Some(run.upload + run.wait))?;
        let to_host = transfer(bytes, bytes)?;
        let download =
            self.median(RUNS, Detail::Host, &to_host, &few, &mut host, |run| Some(run.wait + run.download))?;
        let copied = copy(bytes, LEAST_BYTES)?;
        let copied = self.median(RUNS, Detail::Kernels, &copied, &few, &mut none, |run| run.kernels.first()?.time)?;
        Ok(DeviceRates {
            submit_and_wait: floor.unwrap_or_default(),
            upload: per_second(bytes, upload.unwrap_or_default()),
            download: per_second(bytes, download.unwrap_or_default()),
            copy: copied.map(|time| per_second(2 * bytes, time)),
        })
    }

    /// The median of `time` over `runs` runs of `recording`.
    fn median(
        &self,
        runs: usize,
        detail: Detail,
        recording: &Recording,
        input: &[u8],
        output: &mut [u8],
        time: impl Fn(&DeviceRun) -> Option<Duration>,
    ) -> Result<Option<Duration>> {
        let work = || (0..=runs).try_for_each(|_| self.engine.execute(recording, input, output));
        let (result, runs) = self.profile(detail, work);
        result?;
        let mut times: Vec<_> = runs.iter().skip(1).filter_map(time).collect();
        times.sort_unstable();
        Ok(times.get(times.len() / 2).copied())
    }
}

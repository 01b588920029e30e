//! What became of batches.

use std::time::Duration;

use super::decide::{Decision, Reason, Side};

/// Where batches ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchCounts {
    /// Batches that the CPU took in the first place.
    pub cpu: u64,
    /// Batches done on a GPU.
    pub gpu: u64,
    /// Batches that a GPU failed at and the CPU did.
    pub redone: u64,
}

/// What batches took on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DeviceStatistics {
    /// Batches.
    pub batches: u64,
    /// Bytes of their frames.
    pub raw_bytes: u64,
    /// What they took, from first to last. Batches may overlap.
    pub time: Duration,
    /// What of this calls of a GPU took, transfers included.
    pub device_time: Duration,
    /// Those whose time was predicted.
    pub predicted_batches: u64,
    /// The time that was predicted for these.
    pub predicted: Duration,
    /// The time that these took.
    pub actual: Duration,
}

/// What became of the batches of a compressor or decompressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunStatistics {
    /// Those that the CPU took in the first place.
    pub cpu: DeviceStatistics,
    /// Those that a GPU did.
    pub gpu: DeviceStatistics,
    /// Those that a GPU failed at and the CPU did.
    pub redone: u64,
    /// What these took on both together.
    pub redone_time: Duration,
    /// Those that were compressed at a lower level than asked, for [`Policy::Deadline`](crate::plan::Policy::Deadline).
    pub lowered: u64,
    /// The lowest level at which any was.
    pub lowest_level: Option<u8>,
    /// Those that took longer than the deadline all the same.
    pub late: u64,
    /// Those whose frames were on a GPU before, or were to be there afterwards, and which it did without them leaving it, but
    /// for parts that were looked at or repaired. They count in [`gpu`](Self::gpu) as well.
    pub resident: u64,
    /// Those of the others whose frames had to be downloaded or uploaded as a whole. They count wherever they ran.
    pub transferred: u64,
    /// Why the last one ran where it did.
    pub last_reason: Option<Reason>,
}

/// One batch that is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub decision: Decision,
    pub raw_bytes: usize,
    pub time: Duration,
    pub device_time: Duration,
    /// If it was.
    pub predicted: Option<Duration>,
}

impl RunStatistics {
    /// Batches by device.
    pub fn counts(&self) -> BatchCounts {
        BatchCounts { cpu: self.cpu.batches, gpu: self.gpu.batches, redone: self.redone }
    }

    pub(super) fn count(&mut self, done: Done) {
        let device = match done.decision.side {
            Side::Cpu => &mut self.cpu,
            Side::Gpu => &mut self.gpu,
        };
        device.batches += 1;
        device.raw_bytes += done.raw_bytes as u64;
        device.time += done.time;
        device.device_time += done.device_time;
        if let Some(predicted) = done.predicted {
            device.predicted_batches += 1;
            device.predicted += predicted;
            device.actual += done.time;
        }
        self.last_reason = Some(done.decision.reason);
    }

    pub(super) fn count_redone(&mut self, reason: Reason, time: Duration) {
        self.redone += 1;
        self.redone_time += time;
        self.last_reason = Some(reason);
    }

    pub(super) fn count_lowered(&mut self, level: u8) {
        self.lowered += 1;
        self.lowest_level = Some(self.lowest_level.map_or(level, |lowest| lowest.min(level)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let mut statistics = RunStatistics::default();
        let (cpu, gpu) = (Side::Cpu, Side::Gpu);
        for (side, raw_bytes, millis, predicted) in [(cpu, 10, 3, None), (cpu, 20, 4, Some(5)), (gpu, 7, 1, Some(2))] {
            statistics.count(Done {
                decision: Decision { side, reason: Reason::Faster },
                raw_bytes,
                time: Duration::from_millis(millis),
                device_time: Duration::from_millis(if side == gpu { 1 } else { 0 }),
                predicted: predicted.map(Duration::from_millis),
            });
        }
        assert_eq!(
            (statistics.cpu.device_time, statistics.gpu.device_time),
            (Duration::ZERO, Duration::from_millis(1))
        );
        statistics.count_redone(Reason::Asked, Duration::from_millis(9));
        statistics.count_lowered(3);
        statistics.count_lowered(4);
        assert_eq!(statistics.counts(), BatchCounts { cpu: 2, gpu: 1, redone: 1 });
        let DeviceStatistics { raw_bytes, time, predicted_batches, predicted, actual, .. } = statistics.cpu;
        let millis = Duration::from_millis;
        assert_eq!((raw_bytes, time, predicted_batches), (30, millis(7), 1));
        assert_eq!((predicted, actual), (millis(5), millis(4)));
        assert_eq!((statistics.redone_time, statistics.last_reason), (millis(9), Some(Reason::Asked)));
        assert_eq!((statistics.lowered, statistics.lowest_level), (2, Some(3)));
    }
}

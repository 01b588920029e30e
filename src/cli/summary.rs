//! What a run prints at its end.

use std::time::Duration;

use framepress::{DeviceStatistics, Reason, Result, RunStatistics};
use serde_json::{Value, json};

use super::print;

/// One finished run.
pub struct Summary {
    pub input: String,
    pub output: String,
    pub frames: u64,
    pub raw_bytes: u64,
    pub packed_bytes: u64,
    pub elapsed: Duration,
    pub statistics: RunStatistics,
}

impl Summary {
    pub fn ratio(&self) -> f64 {
        super::ratio(self.raw_bytes, self.packed_bytes)
    }

    fn mb_per_s(&self) -> f64 {
        self.raw_bytes as f64 / 1e6 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The object that `--json` prints; `level` is part of it when compressing.
    pub fn json(&self, level: Option<u8>) -> Value {
        let mut object = json!({
            "input": self.input,
            "output": self.output,
            "frames": self.frames,
            "raw_bytes": self.raw_bytes,
            "packed_bytes": self.packed_bytes,
            "ratio": self.ratio(),
            "seconds": self.elapsed.as_secs_f64(),
            "mb_per_s": self.mb_per_s(),
        });
        if let Some(level) = level {
            object["level"] = level.into();
        }
        let counts = self.statistics.counts();
        object["batches"] = json!({ "cpu": counts.cpu, "gpu": counts.gpu, "redone": counts.redone });
        object["placement"] = placement(&self.statistics);
        object
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let RunStatistics { redone, lowered, lowest_level, late, .. } = self.statistics;
        let mut remarks = String::new();
        if redone > 0 {
            remarks += &format!(", {redone} batches redone on the CPU");
        }
        if let Some(lowest) = lowest_level {
            remarks += &format!(", {lowered} batches at lower levels to be in time, down to {lowest}");
        }
        if late > 0 {
            remarks += &format!(", {late} batches late");
        }
        format!(
            "{} -> {}: {} frames, {} -> {} bytes, ratio {:.2}, {:.0} MB/s{remarks}",
            self.input,
            self.output,
            self.frames,
            self.raw_bytes,
            self.packed_bytes,
            self.ratio(),
            self.mb_per_s(),
        )
    }

    /// Prints the summary: JSON as asked, on standard output unless the data goes there.
    pub fn print(&self, json: bool, quiet: bool, level: Option<u8>, data_on_stdout: bool) -> Result<()> {
        if json && data_on_stdout {
            eprintln!("{}", self.json(level));
        } else if json {
            print(self.json(level))?;
        } else if !quiet {
            eprintln!("{}", self.line());
        }
        Ok(())
    }
}

/// What became of the batches, and why.
fn placement(statistics: &RunStatistics) -> Value {
    let device = |device: &DeviceStatistics| {
        json!({
            "batches": device.batches,
            "raw_bytes": device.raw_bytes,
            "seconds": device.time.as_secs_f64(),
            "device_seconds": device.device_time.as_secs_f64(),
            "predicted_batches": device.predicted_batches,
            "predicted_seconds": device.predicted.as_secs_f64(),
            "actual_seconds": device.actual.as_secs_f64(),
        })
    };
    json!({
        "cpu": device(&statistics.cpu),
        "gpu": device(&statistics.gpu),
        "redone_seconds": statistics.redone_time.as_secs_f64(),
        "lowered": statistics.lowered,
        "lowest_level": statistics.lowest_level,
        "late": statistics.late,
        "last_reason": statistics.last_reason.map(Reason::name),
    })
}

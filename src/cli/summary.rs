//! What a run prints at its end.

use std::time::Duration;

use framepress::{BatchCounts, Result};
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
    pub counts: BatchCounts,
}

impl Summary {
    pub fn ratio(&self) -> f64 {
        self.raw_bytes as f64 / self.packed_bytes.max(1) as f64
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
        object["batches"] = json!({ "cpu": self.counts.cpu, "gpu": self.counts.gpu, "redone": self.counts.redone });
        object
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let redone = match self.counts.redone {
            0 => String::new(),
            redone => format!(", {redone} batches redone on the CPU"),
        };
        format!(
            "{} -> {}: {} frames, {} -> {} bytes, ratio {:.2}, {:.0} MB/s{redone}",
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

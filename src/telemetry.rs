//! What a program that runs for long can watch: events for `tracing`, counters and histograms for `metrics`. Without a
//! subscriber or a recorder they cost next to nothing.
//!
//! | metric | kind | labels | |
//! |---|---|---|---|
//! | `framepress_batches_total` | counter | `direction` | batches that are done |
//! | `framepress_raw_bytes_total` | counter | `direction` | their raw bytes |
//! | `framepress_packed_bytes_total` | counter | `direction` | their packed bytes |
//! | `framepress_batch_seconds` | histogram | `direction`, `method` | what each took |
//! | `framepress_device_seconds` | histogram | `device` | the same by where it ran, without the checksum |
//! | `framepress_ratio` | histogram | `method` | raw by packed bytes of batches that are compressed |
//! | `framepress_redone_total` | counter | | batches that a device failed at |
//! | `framepress_batches_in_work` | gauge | | batches in work in this process |

use std::fmt::Debug;
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};

use crate::error::Error;
use crate::plan::Method;

/// A batch that is being compressed or decompressed.
pub(crate) struct BatchWatch {
    direction: &'static str,
    start: Instant,
}

impl BatchWatch {
    pub fn compress() -> Self {
        Self { direction: "compress", start: Instant::now() }
    }

    pub fn decompress() -> Self {
        Self { direction: "decompress", start: Instant::now() }
    }

    /// It is done.
    pub fn done(self, method: &Method, raw_bytes: usize, packed_bytes: usize) {
        let Self { direction, start } = self;
        let method = method.name();
        tracing::debug!(direction, method, raw_bytes, packed_bytes, "coded");
        counter!("framepress_batches_total", "direction" => direction).increment(1);
        counter!("framepress_raw_bytes_total", "direction" => direction).increment(raw_bytes as u64);
        counter!("framepress_packed_bytes_total", "direction" => direction).increment(packed_bytes as u64);
        histogram!("framepress_batch_seconds", "direction" => direction, "method" => method).record(start.elapsed());
        if direction == "compress" {
            histogram!("framepress_ratio", "method" => method).record(raw_bytes as f64 / packed_bytes.max(1) as f64);
        }
    }
}

/// A batch ran on `device`, for a reason.
pub(crate) fn ran(device: &'static str, reason: &'static str, time: Duration, predicted: impl Debug) {
    tracing::debug!(device, reason, ?time, ?predicted, "placed");
    histogram!("framepress_device_seconds", "device" => device).record(time);
}

/// A device failed at a batch, which the CPU has to do.
pub(crate) fn failed(device: &str, error: &Error, set_aside: bool) {
    tracing::warn!(device, %error, set_aside, "redone on the CPU");
    counter!("framepress_redone_total").increment(1);
}

/// A batch went into work; its end is that of what is returned.
pub(crate) fn in_work() -> InWork {
    gauge!("framepress_batches_in_work").increment(1.0);
    InWork
}

/// A batch in work.
pub(crate) struct InWork;

impl Drop for InWork {
    fn drop(&mut self) {
        gauge!("framepress_batches_in_work").decrement(1.0);
    }
}

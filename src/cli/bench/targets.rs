//! What a GPU is meant to reach, and what it did: at level 1, where residuals are packed, and at level 4, where they are
//! coded by rANS.
//!
//! Resident figures are of the kernels alone. What transfers allow is the input brought there and the result brought back,
//! one after the other, at the rates that were measured with nothing else to do.

use std::time::Duration;

use framepress::internal::DeviceRates;
use serde_json::{Value, json};

use super::kernels::{GpuFigures, Part};

/// A figure that is to be reached.
#[derive(Debug, PartialEq)]
pub struct Target {
    name: String,
    least: f64,
    /// `None` if the device cannot tell, or has nothing to do with it.
    measured: Option<f64>,
}

impl Target {
    fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| measured >= self.least)
    }

    pub fn json(&self) -> Value {
        json!({ "target": self.name, "least": self.least, "measured": self.measured, "met": self.is_met() })
    }
}

/// Those of a level; most have none.
pub fn targets(level: u8, gpu: &GpuFigures) -> Vec<Target> {
    let part = |name: &str| gpu.parts.iter().find(|part| part.name == name);
    let [there, back] = ["compress", "decompress"].map(part);
    let resident = |part: Option<&Part>| part.and_then(|part| part.resident);
    let speed = match level {
        1 => ("pack, resident compress: % of the copy kernel's rate", 40.0, {
            // The copy kernel reads and writes every byte.
            let copying = gpu.rates.copy.map(|rate| 2.0 * gpu.raw_bytes as f64 / rate);
            copying.zip(resident(there)).map(|(copying, time)| 100.0 * copying / time.as_secs_f64().max(1e-9))
        }),
        4 => ("ans, resident compress: GB/s", 100.0, resident(there).map(|time| gpu.raw_gb_per_s(time))),
        _ => return Vec::new(),
    };
    let ratio = |(there, back): (Duration, Duration)| 100.0 * there.as_secs_f64() / back.as_secs_f64().max(1e-9);
    let of_transfers = |part: Option<&Part>| part.map(|part| percent_of_transfers(part, &gpu.rates));
    let codec = if level == 1 { "pack" } else { "ans" };
    let target = |name: &str, least, measured| Target { name: format!("{codec}, {name}"), least, measured };
    vec![
        Target { name: speed.0.to_owned(), least: speed.1, measured: speed.2 },
        target("resident decompress: % of compress", 100.0, resident(there).zip(resident(back)).map(ratio)),
        target("host to host compress: % of what transfers allow", 80.0, of_transfers(there)),
        target("host to host decompress: % of what transfers allow", 80.0, of_transfers(back)),
    ]
}

fn percent_of_transfers(part: &Part, rates: &DeviceRates) -> f64 {
    let seconds = part.uploaded_bytes as f64 / rates.upload + part.downloaded_bytes as f64 / rates.download;
    100.0 * seconds / part.total.as_secs_f64().max(1e-9)
}

/// The header and rows of targets.
pub fn table(targets: &[Target]) -> Vec<Vec<String>> {
    let header = ["target", "at least", "measured", "met"];
    let row = |target: &Target| {
        let met = target.is_met().map_or("-", |met| if met { "yes" } else { "no" });
        let measured = target.measured.map_or_else(|| "-".to_owned(), |measured| format!("{measured:.1}"));
        vec![target.name.clone(), target.least.to_string(), measured, met.to_owned()]
    };
    std::iter::once(header.map(str::to_owned).to_vec()).chain(targets.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, resident: Option<u64>, transferred_bytes: [u64; 2]) -> Part {
        let [uploaded_bytes, downloaded_bytes] = transferred_bytes;
        Part {
            name,
            total: Duration::from_millis(100),
            resident: resident.map(Duration::from_millis),
            uploaded_bytes,
            downloaded_bytes,
            ..Part::default()
        }
    }

    fn figures(copy: Option<f64>, parts: Vec<Part>) -> GpuFigures {
        let rates = DeviceRates { submit_and_wait: Duration::ZERO, upload: 1e9, download: 2e9, copy };
        GpuFigures {
            rates,
            opened: Duration::ZERO,
            pipelines: 0,
            compiling: Duration::ZERO,
            parts,
            kernels: Vec::new(),
            raw_bytes: 1_000_000_000,
        }
    }

    fn cells(targets: &[Target]) -> Vec<(f64, Option<f64>, Option<bool>)> {
        targets.iter().map(|it| (it.least, it.measured.map(|it| (it * 1e6).round() / 1e6), it.is_met())).collect()
    }

    #[test]
    fn figures_are_compared_with_what_is_meant() {
        let parts =
            || vec![part("compress", Some(8), [80_000_000, 20_000_000]), part("decompress", Some(16), [10_000_000, 0])];
        // A copy of the input would take 4 ms; transfers 90 of 100 ms there, and 10 back.
        let gpu = figures(Some(500e9), parts());
        let rest = [(100.0, Some(50.0), Some(false)), (80.0, Some(90.0), Some(true)), (80.0, Some(10.0), Some(false))];
        let level_1 = targets(1, &gpu);
        assert_eq!(cells(&level_1), [&[(40.0, Some(50.0), Some(true))], &rest[..]].concat());
        assert_eq!(cells(&targets(4, &gpu)), [&[(100.0, Some(125.0), Some(true))], &rest[..]].concat());
        assert_eq!(targets(5, &gpu), []);
        let table = table(&level_1);
        assert_eq!(table[1][1..], ["40", "50.0", "yes"]);
        assert_eq!(table[2][1..], ["100", "50.0", "no"]);
        assert_eq!(level_1[0].json()["met"], true);
    }

    #[test]
    fn what_cannot_be_told_is_neither_met_nor_missed() {
        let targets = targets(1, &figures(None, vec![part("compress", None, [1, 1])]));
        let told: Vec<bool> = targets.iter().map(|target| target.is_met().is_some()).collect();
        assert_eq!(told, [false, false, true, false]);
        assert_eq!(table(&targets)[1][2..], ["-", "-"]);
        assert!(targets[0].json()["met"].is_null());
    }
}

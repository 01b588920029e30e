//! The figures, for programs and for people.

use std::time::Duration;

use serde_json::{Value, json};

use super::contender::{Contender, Times};
use super::kernels::GpuFigures;
use super::stages::STAGES;
use super::targets::{self, Target, targets};

/// What one level did on one device.
pub struct Row {
    pub level: u8,
    pub device: String,
    threads: usize,
    pub ratio: f64,
    packed_bytes: usize,
    pub compress_mb_per_s: f64,
    pub decompress_mb_per_s: f64,
    /// Raw MB per second of each of [`STAGES`] that took any time, unless they were not asked for.
    stages: Option<[Option<f64>; STAGES.len()]>,
    pub gpu: Option<GpuFigures>,
}

impl Row {
    pub fn of(contender: &Contender<'_>, raw_bytes: usize) -> Self {
        let median = |time: &dyn Fn(&Times) -> Duration| median(contender.runs.iter().map(time).collect());
        let speed = |time: Duration| raw_bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9);
        let staged = contender.runs.iter().any(|times| times.stages.is_some());
        let of_stage = |at: usize| {
            let time = median(&|times| times.stages.map_or(Duration::ZERO, |stages| stages[at]));
            (!time.is_zero()).then(|| speed(time))
        };
        Self {
            level: contender.compressor.settings().level(),
            device: contender.device.name.clone(),
            threads: contender.compressor.threads(),
            ratio: raw_bytes as f64 / contender.packed_bytes.max(1) as f64,
            packed_bytes: contender.packed_bytes,
            compress_mb_per_s: speed(median(&|times| times.compress)),
            decompress_mb_per_s: speed(median(&|times| times.decompress)),
            stages: staged.then(|| std::array::from_fn(of_stage)),
            gpu: contender.gpu_figures(raw_bytes),
        }
    }

    pub fn json(&self) -> Value {
        let mut object = json!({
            "level": self.level,
            "device": self.device,
            "threads": self.threads,
            "ratio": self.ratio,
            "packed_bytes": self.packed_bytes,
            "compress_mb_per_s": self.compress_mb_per_s,
            "decompress_mb_per_s": self.decompress_mb_per_s,
        });
        if let Some(stages) = self.stages {
            let stage =
                |((stage, direction), speed)| json!({ "stage": stage, "direction": direction, "mb_per_s": speed });
            object["stages"] = STAGES.into_iter().zip(stages).map(stage).collect();
        }
        if let Some(gpu) = &self.gpu {
            object["gpu"] = gpu.json();
            object["gpu"]["targets"] = self.targets().iter().map(Target::json).collect();
        }
        object
    }

    /// What the GPU is meant to reach at this level.
    fn targets(&self) -> Vec<Target> {
        self.gpu.as_ref().map_or_else(Vec::new, |gpu| targets(self.level, gpu))
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.level.to_string(),
            self.device.clone(),
            self.threads.to_string(),
            format!("{:.3}", self.ratio),
            self.packed_bytes.to_string(),
            format!("{:.0}", self.compress_mb_per_s),
            format!("{:.0}", self.decompress_mb_per_s),
        ];
        let stage = |speed: &Option<f64>| speed.map_or_else(|| "-".to_owned(), |speed| format!("{speed:.0}"));
        cells.extend(self.stages.iter().flatten().map(stage));
        cells
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    match times.len() {
        0 => Duration::ZERO,
        count => (times[(count - 1) / 2] + times[count / 2]) / 2,
    }
}

/// An aligned table, numbers to the right. Speeds are in MB/s.
pub fn table(rows: &[Row]) -> String {
    aligned(&cells(rows), |column| column == 1)
}

/// The same, cell by cell.
pub fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    let columns = ["level", "device", "threads", "ratio", "packed bytes", "compress MB/s", "decompress MB/s"];
    let mut header: Vec<String> = columns.map(str::to_owned).to_vec();
    if rows.iter().any(|row| row.stages.is_some()) {
        header.extend(STAGES.map(|(stage, direction)| format!("{direction}: {stage}")));
    }
    std::iter::once(header).chain(rows.iter().map(Row::cells)).collect()
}

/// The header and rows of what `device` is meant to reach, of all levels; `None` if there is nothing.
pub fn targets_table(rows: &[Row], device: &str) -> Option<Vec<Vec<String>>> {
    let all: Vec<Target> = rows.iter().filter(|row| row.device == device).flat_map(Row::targets).collect();
    (!all.is_empty()).then(|| targets::table(&all))
}

/// What GPUs did, level by level, each after what it can do at best, and what they are meant to.
pub fn gpu_texts(rows: &[Row]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut seen = Vec::new();
    for (row, gpu) in rows.iter().filter_map(|row| Some((row, row.gpu.as_ref()?))) {
        if !seen.contains(&&row.device) {
            seen.push(&row.device);
            texts.push(format!("{}: {}", row.device, gpu.device_text()));
        }
        texts.push(format!("level {} on {}, {}", row.level, row.device, gpu.text()));
    }
    for device in seen {
        if let Some(table) = targets_table(rows, device) {
            texts.push(format!("targets on {device}\n{}", aligned(&table, |at| at == 0)));
        }
    }
    texts
}

/// Lines of cells in columns, of which those that `is_text` names are aligned to the left.
pub fn aligned(lines: &[Vec<String>], is_text: impl Fn(usize) -> bool) -> String {
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cell = |(at, (cell, &width)): (usize, (&String, &usize))| {
            if is_text(at) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        cells.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let median = |millis: &[u64]| median(millis.iter().map(|&millis| Duration::from_millis(millis)).collect());
        assert_eq!(median(&[9, 1, 5]), Duration::from_millis(5));
        assert_eq!(median(&[100, 1, 5, 7]), Duration::from_millis(6));
        assert_eq!(median(&[3]), Duration::from_millis(3));
    }
}

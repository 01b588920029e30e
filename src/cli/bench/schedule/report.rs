//! The figures of placement, for programs and for people.

use framepress::internal::trial::Report;
use serde_json::{Value, json};

/// What a mix came to on one machine.
pub struct Row {
    pub machine: String,
    pub simulated: bool,
    /// From 1 on.
    pub mix: u64,
    pub report: Report,
}

const COLUMNS: [&str; 14] = [
    "machine",
    "mix",
    "batches",
    "on GPU",
    "explored",
    "regret %",
    "p95 %",
    "p99 %",
    "wrong side %",
    "s",
    "best s",
    "CPU s",
    "GPU s",
    "decision us",
];

impl Row {
    pub fn json(&self) -> Value {
        let report = &self.report;
        json!({
            "machine": self.machine,
            "simulated": self.simulated,
            "mix": self.mix,
            "batches": report.batches,
            "on_gpu": report.on_gpu,
            "explored": report.explored,
            "mean_regret": report.mean_regret,
            "p95_regret": report.p95_regret,
            "p99_regret": report.p99_regret,
            "wrong_sides": report.wrong_sides,
            "seconds": report.seconds,
            "best_seconds": report.best_seconds,
            "cpu_seconds": report.cpu_seconds,
            "gpu_seconds": report.gpu_seconds,
            "behind_static": report.behind_static(),
            "prediction_error": report.prediction_error,
            "decision_us": report.deciding.as_secs_f64() * 1e6,
        })
    }

    fn cells(&self) -> [String; COLUMNS.len()] {
        let report = &self.report;
        let percent = |part: f64| format!("{:.2}", 100.0 * part);
        let seconds = |seconds: f64| format!("{seconds:.3}");
        let simulated = if self.simulated { " (simulated)" } else { "" };
        [
            format!("{}{simulated}", self.machine),
            self.mix.to_string(),
            report.batches.to_string(),
            report.on_gpu.to_string(),
            report.explored.to_string(),
            percent(report.mean_regret),
            percent(report.p95_regret),
            percent(report.p99_regret),
            percent(report.wrong_sides),
            seconds(report.seconds),
            seconds(report.best_seconds),
            seconds(report.cpu_seconds),
            seconds(report.gpu_seconds),
            format!("{:.2}", report.deciding.as_secs_f64() * 1e6),
        ]
    }
}

/// An aligned table, numbers to the right.
pub fn table(rows: &[Row]) -> String {
    let header = COLUMNS.map(str::to_owned);
    let lines: Vec<_> = std::iter::once(header).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let cell = |(at, (cell, &width)): (usize, (&String, &usize))| {
        if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    };
    let line = |cells: &[String; COLUMNS.len()]| {
        cells.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

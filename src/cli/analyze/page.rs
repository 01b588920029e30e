//! The findings as a page.

use framepress::devices;

use super::super::info::{describe_method, layout};
use super::super::report::{
    Chart, Page, Point, Series, columns, list, machine, mosaic, paragraph, scatter, side_by_side, table,
};
use super::frames::Packed;
use super::map::KINDS;
use super::report::Report;

/// Rows of the table of batches at most.
const MOST_BATCHES: usize = 200;

/// The whole page.
pub fn page(report: &Report) -> String {
    let findings = &report.findings;
    let subtitle = format!(
        "{}: {} frames of {} {}, {:.1} MB raw, ratio {:.2}",
        report.name,
        findings.frames,
        layout(&report.format),
        report.format.dtype(),
        findings.raw_bytes as f64 / 1e6,
        report.ratio()
    );
    let mut page = Page::new("framepress analyze", &subtitle);
    page.section("Advice", &report.advice().iter().map(|line| paragraph(line)).collect::<String>());
    page.section("Frames", &frames(report));
    page.section("Levels", &levels(report));
    page.section("Batches", &batches(report));
    page.section("Machine", &list(&machine(devices().iter())));
    page.finish()
}

fn frames(report: &Report) -> String {
    let findings = &report.findings;
    let last = findings.frames.saturating_sub(1).to_string();
    let mut figures =
        vec![columns("Entropy of each frame by itself", &findings.entropies, 8.0, ["0", &last], "8 bits per byte")];
    for (channel, counts) in findings.histograms.iter().enumerate() {
        let caption = match findings.histograms.len() {
            1 => "Bytes".to_owned(),
            _ => format!("Bytes of channel {channel}"),
        };
        let values: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        figures.push(columns(&caption, &values, most, ["0", "255"], &format!("{most:.0} times")));
    }
    if let Some(map) = &findings.map {
        figures.push(mosaic(&format!("Frame {}, by tiles of 16 x 16", map.frame), &map.picture, &[]));
        figures.push(mosaic("What its tiles are predicted from", &map.kinds, &KINDS));
    }
    side_by_side(&figures)
}

fn levels(report: &Report) -> String {
    let series = |name: &str, speed: &dyn Fn(&super::levels::Level) -> f64| {
        let point = |level: &super::levels::Level| Point {
            x: speed(level),
            y: report.expected_ratio(level),
            label: level.level.to_string(),
        };
        Series { name: name.to_owned(), points: report.levels.iter().map(point).collect() }
    };
    let chart = Chart {
        caption: "Ratio and speed".to_owned(),
        axes: ["MB/s", "ratio"],
        series: vec![
            series("compression", &|level| level.compress_mb_per_s),
            series("decompression", &|level| level.decompress_mb_per_s),
        ],
    };
    let mut lines = vec![["level", "ratio", "compress MB/s", "decompress MB/s"].map(str::to_owned).to_vec()];
    for level in &report.levels {
        let speeds = [level.compress_mb_per_s, level.decompress_mb_per_s].map(|speed| format!("{speed:.0}"));
        lines.push([&[level.level.to_string(), format!("{:.2}", report.expected_ratio(level))], &speeds[..]].concat());
    }
    let note = "Measured on frames from the start, at most 16 MiB of them; ratios as they would be for all frames if these are typical.";
    scatter(&chart) + &paragraph(note) + &table(&lines, |_| false)
}

fn batches(report: &Report) -> String {
    let batches = &report.findings.batches;
    let mut lines =
        vec![["frames", "ratio", "ms", "device", "because", "codecs", "method"].map(str::to_owned).to_vec()];
    for batch in batches.iter().take(MOST_BATCHES) {
        let codecs: Vec<&str> = batch.info.codecs.iter().map(|(codec, ..)| codec.name()).collect();
        lines.push(vec![
            batch.frames(),
            format!("{:.2}", batch.ratio()),
            format!("{:.0}", 1e3 * batch.time.as_secs_f64()),
            batch.device().to_uppercase(),
            batch.reason.to_owned(),
            codecs.join(", "),
            describe_method(&batch.info.method),
        ]);
    }
    let ratios: Vec<f64> = batches.iter().map(Packed::ratio).collect();
    let most = ratios.iter().copied().fold(0.0, f64::max);
    let last = batches.len().saturating_sub(1).to_string();
    let chart = columns("Ratio of each batch", &ratios, most, ["0", &last], &format!("{most:.2}"));
    let rest = match batches.len().saturating_sub(MOST_BATCHES) {
        0 => String::new(),
        more => paragraph(&format!("{more} more batches are left out of the table.")),
    };
    side_by_side(&[chart]) + &table(&lines, |column| column >= 3) + &rest
}

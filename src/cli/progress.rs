//! How far a run has come: a bar on a terminal, or lines of JSON for programs.

use std::fs;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use framepress::frame::OriginKind;
use framepress::input::Description;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

/// How progress is shown, on standard error.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// A bar if standard error is a terminal, and nothing with --quiet or --json.
    #[default]
    Auto,
    /// An object on a line of its own, ten times a second at most and at the end.
    Json,
}

/// Least time between two lines of JSON.
const STEP: Duration = Duration::from_millis(100);

/// What a run shows.
#[derive(Clone, Copy)]
pub struct Show {
    pub style: Style,
    /// No bar.
    pub quiet: bool,
}

/// The progress of one run.
pub struct Progress {
    bar: ProgressBar,
    json: bool,
    start: Instant,
    shown: Instant,
    total_raw_bytes: Option<u64>,
    frames: u64,
    raw_bytes: u64,
    packed_bytes: Option<u64>,
}

impl Progress {
    /// Progress over `total_raw_bytes` raw bytes, unless that is unknown.
    pub fn new(total_raw_bytes: Option<u64>, Show { style, quiet }: Show) -> Self {
        let json = style == Style::Json;
        let now = Instant::now();
        Self {
            bar: bar(total_raw_bytes, quiet || json),
            json,
            start: now,
            shown: now,
            total_raw_bytes,
            frames: 0,
            raw_bytes: 0,
            packed_bytes: None,
        }
    }

    /// So much more is done; `packed_bytes` in all so far, if that is known.
    pub fn advance(&mut self, frames: u64, raw_bytes: u64, packed_bytes: Option<u64>) {
        self.frames += frames;
        self.raw_bytes += raw_bytes;
        self.packed_bytes = packed_bytes;
        self.bar.set_position(self.raw_bytes);
        if let Some(ratio) = self.ratio() {
            self.bar.set_message(format!("ratio {ratio:.2}"));
        }
        if self.json && self.shown.elapsed() >= STEP {
            self.shown = Instant::now();
            self.print_line();
        }
    }

    /// Everything is done.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        if self.json {
            self.print_line();
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.packed_bytes.map(|packed_bytes| super::ratio(self.raw_bytes, packed_bytes))
    }

    fn print_line(&self) {
        let seconds = self.start.elapsed().as_secs_f64();
        let bytes_per_second = self.raw_bytes as f64 / seconds.max(1e-9);
        let seconds_left = |total: u64| total.saturating_sub(self.raw_bytes) as f64 / bytes_per_second.max(1.0);
        let line = json!({
            "frames": self.frames,
            "raw_bytes": self.raw_bytes,
            "total_raw_bytes": self.total_raw_bytes,
            "packed_bytes": self.packed_bytes,
            "ratio": self.ratio(),
            "seconds": seconds,
            "mb_per_s": bytes_per_second / 1e6,
            "seconds_left": self.total_raw_bytes.map(seconds_left),
        });
        // Nobody may be listening.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// The raw bytes of an input, where its header or its length tells them. Of .y4m files that is exact if no frame has parameters.
pub fn raw_bytes(input: &str, Description { format, origin, frames }: &Description) -> Option<u64> {
    let frame_bytes = format.frame_bytes() as u64;
    let of_y4m = || {
        let file = fs::metadata(input).ok().filter(|file| file.is_file() && origin.kind == OriginKind::Y4m)?;
        let line_bytes = "FRAME\n".len() as u64;
        Some(file.len().checked_sub(origin.header.len() as u64)? / (line_bytes + frame_bytes))
    };
    Some(frames.or_else(of_y4m)?.saturating_mul(frame_bytes))
}

/// A bar over `bytes` raw bytes (a spinner if unknown); silent with `quiet` or when standard error
/// is no terminal.
pub fn bar(bytes: Option<u64>, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = match bytes {
        Some(_) => "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {msg} {eta} left",
        None => "{spinner} {bytes} {binary_bytes_per_sec} {msg} {elapsed}",
    };
    let bar = bytes.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_draw_target(ProgressDrawTarget::stderr());
    // The default style is a fine bar too.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

//! The findings as text and as JSON.

use framepress::frame::FrameFormat;
use serde_json::{Value, json};

use super::super::info::{describe_method, layout};
use super::super::ratio;
use super::frames::{Findings, Packed};
use super::levels::Level;

/// Another level is worth it if it is at least so fast, in parts of the one asked for,
const SWIFT: f64 = 0.75;
/// and its ratio so much larger.
const SMALLER: f64 = 1.01;

/// All that was found.
pub struct Report {
    pub name: String,
    pub level: u8,
    pub format: FrameFormat,
    pub findings: Findings,
    pub levels: Vec<Level>,
    pub price_per_gb: Option<f64>,
}

impl Report {
    pub fn ratio(&self) -> f64 {
        ratio(self.findings.raw_bytes, self.findings.packed_bytes)
    }

    /// Mean bits per byte of frames by themselves.
    pub fn entropy(&self) -> f64 {
        self.findings.entropies.iter().sum::<f64>() / self.findings.entropies.len().max(1) as f64
    }

    /// What a level would make of all frames, if they are like the sample.
    pub fn expected_ratio(&self, level: &Level) -> f64 {
        let asked = self.levels.iter().find(|other| other.level == self.level);
        asked.map_or(level.ratio, |asked| self.ratio() * level.ratio / asked.ratio)
    }

    /// The lowest level with the smallest result of those that are not much slower than the one asked for; that one if
    /// it is hardly larger.
    pub fn advised_level(&self) -> Option<&Level> {
        let asked = self.levels.iter().find(|level| level.level == self.level)?;
        let worth_it = |level: &&Level| {
            level.compress_mb_per_s >= SWIFT * asked.compress_mb_per_s && level.ratio >= SMALLER * asked.ratio
        };
        let smallest = self.levels.iter().rev().filter(worth_it).max_by(|a, b| a.ratio.total_cmp(&b.ratio));
        smallest.or(Some(asked))
    }

    /// Seconds to get at one frame: its batch has to be decompressed.
    pub fn access_seconds(&self) -> Option<f64> {
        let asked = self.levels.iter().find(|level| level.level == self.level)?;
        let largest = self.findings.batches.iter().map(|batch| batch.info.raw_bytes).max()?;
        Some(largest as f64 / 1e6 / asked.decompress_mb_per_s)
    }

    /// What is saved by storing packed frames for a month, or by sending them once.
    pub fn saved(&self) -> Option<f64> {
        let gigabytes = self.findings.raw_bytes.saturating_sub(self.findings.packed_bytes) as f64 / 1e9;
        self.price_per_gb.map(|price| price * gigabytes)
    }

    /// What to do, in sentences.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if let Some(level) = self.advised_level() {
            let ratio = self.expected_ratio(level);
            advice.push(match level.level == self.level {
                true => format!("Level {} is the smallest of those that are about as fast.", self.level),
                false => format!(
                    "Level {} would give a ratio of {ratio:.2} at {:.0} MB/s.",
                    level.level, level.compress_mb_per_s
                ),
            });
        }
        if let Some(smallest) = self.levels.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio)) {
            let smaller = 100.0 * (1.0 - self.ratio() / self.expected_ratio(smallest));
            if smaller >= 1.0 {
                advice.push(format!(
                    "Level {} would be {smaller:.0} % smaller, at {:.0} MB/s there and {:.0} MB/s back.",
                    smallest.level, smallest.compress_mb_per_s, smallest.decompress_mb_per_s
                ));
            }
        }
        if let (Some(seconds), frames) = (self.access_seconds(), self.findings.batch_frames()) {
            advice.push(format!(
                "Batches of {frames} frames: a single frame costs {:.0} ms to get at; fewer frames (--batch) cost less and \
                 compress less.",
                1e3 * seconds
            ));
        }
        if let Some(price) = self.price_per_gb {
            let terabyte = 1000.0 * price;
            let saved = terabyte * (1.0 - 1.0 / self.ratio().max(f64::MIN_POSITIVE)).max(0.0);
            advice.push(format!(
                "At {price} per GB, {saved:.2} of {terabyte:.2} is saved for a terabyte of such frames: for every month that it is \
                 stored, or whenever it is sent."
            ));
        }
        advice
    }

    pub fn text(&self) -> String {
        let Findings { frames, raw_bytes, batches, .. } = &self.findings;
        let mut lines = vec![
            format!("{}: {frames} frames of {} {}", self.name, layout(&self.format), self.format.dtype()),
            format!(
                "  {raw_bytes} -> {} bytes at level {}, ratio {:.2}; {:.2} bits per byte of frames by themselves",
                self.findings.packed_bytes,
                self.level,
                self.ratio(),
                self.entropy()
            ),
        ];
        for batch in batches {
            lines.push(format!(
                "  frames {}: ratio {:.2}, {:.0} ms on the {} ({}), {}",
                batch.frames(),
                batch.ratio(),
                1e3 * batch.time.as_secs_f64(),
                batch.device().to_uppercase(),
                batch.reason,
                describe_method(&batch.info.method)
            ));
        }
        for level in &self.levels {
            lines.push(format!(
                "  level {}: ratio {:.2}, {:.0} MB/s there, {:.0} MB/s back",
                level.level,
                self.expected_ratio(level),
                level.compress_mb_per_s,
                level.decompress_mb_per_s
            ));
        }
        lines.extend(self.advice().into_iter().map(|line| format!("  {line}")));
        lines.join("\n")
    }

    pub fn json(&self) -> Value {
        let batch = |batch: &Packed| {
            let Packed { info, time, reason, .. } = batch;
            json!({
                "first_frame": info.first_frame,
                "frames": info.frames,
                "raw_bytes": info.raw_bytes,
                "packed_bytes": info.packed_bytes,
                "ratio": batch.ratio(),
                "seconds": time.as_secs_f64(),
                "method": info.method.name(),
                "description": describe_method(&info.method),
                "codecs": info.codecs.iter().map(|(codec, ..)| codec.name()).collect::<Vec<_>>(),
                "device": batch.device(),
                "reason": reason,
            })
        };
        let level = |level: &Level| {
            json!({
                "level": level.level,
                "ratio": self.expected_ratio(level),
                "compress_mb_per_s": level.compress_mb_per_s,
                "decompress_mb_per_s": level.decompress_mb_per_s,
            })
        };
        json!({
            "input": self.name,
            "frames": self.findings.frames,
            "layout": layout(&self.format),
            "dtype": self.format.dtype().name(),
            "raw_bytes": self.findings.raw_bytes,
            "packed_bytes": self.findings.packed_bytes,
            "ratio": self.ratio(),
            "level": self.level,
            "entropy_bits_per_byte": self.findings.entropies,
            "histograms": self.findings.histograms.iter().map(|counts| counts.to_vec()).collect::<Vec<_>>(),
            "batches": self.findings.batches.iter().map(batch).collect::<Vec<_>>(),
            "levels": self.levels.iter().map(level).collect::<Vec<_>>(),
            "advice": {
                "level": self.advised_level().map(|level| level.level),
                "batch_frames": self.findings.batch_frames(),
                "access_seconds": self.access_seconds(),
                "saved_per_month": self.saved(),
                "text": self.advice(),
            },
        })
    }
}

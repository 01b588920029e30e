//! What every level makes of a sample.

use std::time::{Duration, Instant};

use framepress::frame::{FrameFormat, Frames};
use framepress::{Compressor, Decompressor, Limits, Result, Settings};

use super::super::{interrupt, ratio};

/// Runs of each, of which the fastest counts, besides one to warm up.
const RUNS: usize = 2;

/// What a level does to the sample.
pub struct Level {
    pub level: u8,
    pub ratio: f64,
    pub compress_mb_per_s: f64,
    pub decompress_mb_per_s: f64,
}

/// All levels on `sample`, which has whole frames.
pub fn measure(format: &FrameFormat, sample: Vec<u8>, settings: &Settings) -> Result<Vec<Level>> {
    if sample.is_empty() {
        return Ok(Vec::new());
    }
    let raw_bytes = sample.len();
    let frames = Frames::new(format.clone(), raw_bytes / format.frame_bytes().max(1), sample)?;
    let decompressor = Decompressor::new(settings.device(), settings.threads(), Limits::default())?;
    let mut restored = vec![0; raw_bytes];
    (1..=9)
        .map(|level| {
            let compressor = Compressor::new(settings.clone().with_level(level)?)?;
            let (mut compress, mut decompress) = (Duration::MAX, Duration::MAX);
            let mut packed_bytes = 0;
            for run in 0..=RUNS {
                interrupt::check()?;
                let start = Instant::now();
                let packed = compressor.compress_frames(&frames)?;
                let compressed = start.elapsed();
                decompressor.decompress_into(&packed, &mut restored)?;
                let decompressed = start.elapsed() - compressed;
                packed_bytes = packed.len();
                if run > 0 {
                    (compress, decompress) = (compress.min(compressed), decompress.min(decompressed));
                }
            }
            let rate = |time: Duration| raw_bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9);
            Ok(Level {
                level,
                ratio: ratio(raw_bytes as u64, packed_bytes as u64),
                compress_mb_per_s: rate(compress),
                decompress_mb_per_s: rate(decompress),
            })
        })
        .collect()
}

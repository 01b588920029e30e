//! What is found in the frames, batch by batch.

use std::io::Cursor;
use std::time::{Duration, Instant};

use framepress::frame::{FrameFormat, Layout};
use framepress::input::InputBatch;
use framepress::{BatchInfo, Compressor, Decompressor, Result, SeekReader, Settings, Writer};

use super::super::ratio;
use super::map::Map;

/// Raw bytes of the sample that levels are tried with, at most but for a single frame.
const SAMPLE_BYTES: usize = 16 << 20;

/// One batch, compressed.
pub struct Packed {
    pub info: BatchInfo,
    pub time: Duration,
    /// Whether a GPU did it.
    pub on_gpu: bool,
    pub reason: &'static str,
}

impl Packed {
    pub fn ratio(&self) -> f64 {
        ratio(self.info.raw_bytes, self.info.packed_bytes)
    }

    /// The first and the last of its frames.
    pub fn frames(&self) -> String {
        let BatchInfo { first_frame, frames, .. } = self.info;
        format!("{first_frame}-{}", (first_frame + frames).saturating_sub(1))
    }

    pub fn device(&self) -> &'static str {
        if self.on_gpu { "gpu" } else { "cpu" }
    }
}

/// What is known of the frames so far.
pub struct Findings {
    format: FrameFormat,
    compressor: Compressor,
    /// Bits per byte of each frame by itself.
    pub entropies: Vec<f64>,
    /// How often each byte comes, channel by channel.
    pub histograms: Vec<[u64; 256]>,
    pub batches: Vec<Packed>,
    pub frames: u64,
    pub raw_bytes: u64,
    pub packed_bytes: u64,
    sample: Vec<u8>,
    draws_map: bool,
    /// Of the first batch, if it is asked for.
    pub map: Option<Map>,
}

impl Findings {
    pub fn new(format: &FrameFormat, settings: Settings, draws_map: bool) -> Result<Self> {
        let channels = match format.layout() {
            Layout::Packed { order, .. } => order.channels(),
            _ => 1,
        };
        Ok(Self {
            format: format.clone(),
            compressor: Compressor::new(settings)?,
            entropies: Vec::new(),
            histograms: vec![[0; 256]; channels],
            batches: Vec::new(),
            frames: 0,
            raw_bytes: 0,
            packed_bytes: 0,
            sample: Vec::new(),
            draws_map,
            map: None,
        })
    }

    pub fn batch_frames(&self) -> usize {
        self.compressor.batch_frames(&self.format)
    }

    /// Frames of the first batch to try levels with, once.
    pub fn take_sample(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sample)
    }

    /// Looks at a batch, and compresses it.
    pub fn add(&mut self, batch: &InputBatch) -> Result<()> {
        let frame_bytes = self.format.frame_bytes().max(1);
        for frame in batch.bytes.chunks(frame_bytes) {
            self.look_at(frame);
        }
        let before = self.compressor.statistics();
        let mut writer = Writer::new(Vec::new(), self.format.clone(), &self.compressor)?;
        let start = Instant::now();
        writer.write_batch(&InputBatch {
            frames: batch.frames,
            bytes: batch.bytes.as_slice(),
            ..InputBatch::default()
        })?;
        let time = start.elapsed();
        let decompressor = Decompressor::default();
        let mut info = SeekReader::new(Cursor::new(writer.finish()?), &decompressor)?.batch_info(0)?;
        info.first_frame = self.frames;
        self.packed_bytes += info.packed_bytes;
        let after = self.compressor.statistics();
        self.batches.push(Packed {
            info,
            time,
            on_gpu: after.gpu.batches > before.gpu.batches,
            reason: after.last_reason.map_or("only", framepress::Reason::name),
        });
        if self.frames == 0 {
            let frames = (SAMPLE_BYTES / frame_bytes).clamp(1, batch.frames);
            self.sample = batch.bytes[..(frames * frame_bytes).min(batch.bytes.len())].to_vec();
            if self.draws_map {
                self.map = Map::of(&self.format, batch.frames, &batch.bytes, self.compressor.settings())?;
            }
        }
        self.frames += batch.frames as u64;
        self.raw_bytes += batch.bytes.len() as u64;
        Ok(())
    }

    fn look_at(&mut self, frame: &[u8]) {
        let channels = self.histograms.len();
        let mut counts = vec![[0u64; 256]; channels];
        for pixel in frame.chunks(channels) {
            for (counts, &byte) in counts.iter_mut().zip(pixel) {
                counts[usize::from(byte)] += 1;
            }
        }
        let mut all = [0u64; 256];
        for (counts, histogram) in counts.iter().zip(&mut self.histograms) {
            for ((count, sum), all) in counts.iter().zip(histogram).zip(&mut all) {
                *sum += count;
                *all += count;
            }
        }
        self.entropies.push(entropy(&all));
    }
}

/// Bits for each of the things counted, if nothing is known but how often they come.
pub fn entropy(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let bits = |&count: &u64| {
        let share = count as f64 / total as f64;
        -share * share.log2()
    };
    counts.iter().filter(|&&count| count > 0).map(bits).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_shannon() {
        assert_eq!(entropy(&[0, 7, 0]), 0.0);
        assert_eq!(entropy(&[5, 5]), 1.0);
        assert_eq!(entropy(&[1; 256]), 8.0);
        assert!((entropy(&[1, 3]) - 0.811_278).abs() < 1e-6);
        assert_eq!(entropy(&[]), 0.0);
    }
}

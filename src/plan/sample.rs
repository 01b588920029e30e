//! A small part of a batch that stands for all of it.

use std::ops::Range;

use super::Values;
use crate::frame::{Batch, Geometry, PlaneGeometry};

/// Consecutive frames in a sample.
const FRAMES: usize = 3;
/// Most samples of one plane of one frame in a sample, about.
const MOST_SAMPLES: usize = 1 << 15;
/// Least of them, if the plane has as many: fewer say little.
const LEAST_SAMPLES: usize = 1 << 12;
/// Part of a plane over all frames that is taken of each frame of the sample, so that measuring
/// costs little beside coding.
const PART: usize = 64;
/// Bands of rows, spread over the plane.
const BANDS: usize = 4;
/// Longest row.
const WIDTH: usize = 1 << 14;

/// Bands of rows of a few frames from the middle of a batch, as a planar batch of its own.
#[derive(Debug)]
pub(crate) struct Sample {
    geometry: Geometry,
    raw: Vec<u8>,
}

impl Sample {
    /// Takes a sample of `batch`.
    pub fn of(batch: Batch<'_>) -> Self {
        let whole = batch.geometry;
        let cuts = cuts(whole);
        let planes = planes(&cuts);
        let frame_samples = planes.iter().map(PlaneGeometry::frame_samples).sum();
        let geometry = Geometry { frames: frames(whole).len(), frame_samples, ..whole.clone() }.with_planes(planes);

        let mut raw = Vec::with_capacity(geometry.raw_bytes());
        for (start, plane, cut) in rows(whole, &cuts) {
            copy_row(batch, start, plane.step, cut.width, &mut raw);
        }
        Self { geometry, raw }
    }

    /// The bytes that a sample of such frames is taken from.
    pub fn places(whole: &Geometry) -> Vec<Range<usize>> {
        let row = |(start, plane, cut): (usize, &PlaneGeometry, &Cut)| {
            let samples = cut.width.saturating_sub(1) * plane.step + usize::from(cut.width > 0);
            start * whole.sample_bytes..(start + samples) * whole.sample_bytes
        };
        rows(whole, &cuts(whole)).map(row).collect()
    }

    /// The values of `batch`, which this is a sample of, if it is worth having a table of them.
    pub fn values(&self, batch: Batch<'_>) -> Option<Values> {
        // A batch has every value that its sample has, so only a sparse sample may be of a sparse batch.
        self.is_sparse().then(|| Values::of(batch)).flatten()
    }

    /// Whether it is worth looking for the values of the batch.
    pub fn is_sparse(&self) -> bool {
        Values::of(self.batch()).is_some()
    }

    /// The same sample as places in a table.
    pub fn with_values(&self, values: &Values) -> Self {
        Self { geometry: self.geometry.clone(), raw: values.places(self.batch()) }
    }

    /// The sample as a batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: &self.raw }
    }
}

/// The part of a plane that is taken.
struct Cut {
    left: usize,
    width: usize,
    bands: usize,
    band_rows: usize,
}

impl Cut {
    fn of(plane: &PlaneGeometry, frames: usize) -> Self {
        let width = plane.width.min(WIDTH);
        let left = (plane.width - width) / 2;
        let samples = (plane.frame_samples() * frames / PART).clamp(LEAST_SAMPLES, MOST_SAMPLES);
        let rows = samples.div_ceil(width.max(1));
        if rows >= plane.height {
            return Self { left, width, bands: 1, band_rows: plane.height };
        }
        let bands = BANDS.min(rows);
        Self { left, width, bands, band_rows: rows / bands }
    }

    /// The rows that are taken of `height` rows.
    fn rows(&self, height: usize) -> impl Iterator<Item = usize> + '_ {
        let distance = (height - self.band_rows) / self.bands.saturating_sub(1).max(1);
        (0..self.bands).flat_map(move |band| (0..self.band_rows).map(move |row| band * distance + row))
    }
}

/// The frames that are taken.
fn frames(whole: &Geometry) -> Range<usize> {
    let frames = whole.frames.min(FRAMES);
    let first = (whole.frames - frames) / 2;
    first..first + frames
}

fn cuts(whole: &Geometry) -> Vec<Cut> {
    whole.planes.iter().map(|plane| Cut::of(plane, whole.frames)).collect()
}

/// The rows that are taken, each by its first sample within the batch.
fn rows<'a>(whole: &'a Geometry, cuts: &'a [Cut]) -> impl Iterator<Item = (usize, &'a PlaneGeometry, &'a Cut)> {
    frames(whole).flat_map(move |frame| {
        whole.planes.iter().zip(cuts).flat_map(move |(plane, cut)| {
            let start = frame * whole.frame_samples + plane.offset;
            cut.rows(plane.height).map(move |row| (start + (row * plane.width + cut.left) * plane.step, plane, cut))
        })
    })
}

fn planes(cuts: &[Cut]) -> Vec<PlaneGeometry> {
    let mut offset = 0;
    let mut plane = |cut: &Cut| {
        let height = cut.bands * cut.band_rows;
        let plane = PlaneGeometry { width: cut.width, height, offset, step: 1, base: 0 };
        offset += plane.frame_samples();
        plane
    };
    cuts.iter().map(&mut plane).collect()
}

fn copy_row(batch: Batch<'_>, start: usize, step: usize, samples: usize, out: &mut Vec<u8>) {
    let bytes = batch.geometry.sample_bytes;
    let row = &batch.raw[start * bytes..];
    if step == 1 {
        out.extend_from_slice(&row[..samples * bytes]);
    } else {
        row.chunks(step * bytes).take(samples).for_each(|pixel| out.extend_from_slice(&pixel[..bytes]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};

    fn sample(format: &FrameFormat, frames: usize) -> Sample {
        let geometry = Geometry::new(format, frames);
        let raw: Vec<u8> = (0..geometry.raw_bytes()).map(|at| (at / 7) as u8).collect();
        Sample::of(Batch { geometry: &geometry, raw: &raw })
    }

    #[test]
    fn small_batches_are_taken_whole() {
        let format =
            FrameFormat::new(Dtype::U16, Layout::Packed { width: 5, height: 3, order: ChannelOrder::Rgba }).unwrap();
        let sample = sample(&format, 2);
        assert_eq!(sample.raw.len(), 2 * format.frame_bytes());
        assert_eq!(sample.geometry.raw_bytes(), sample.raw.len());
        // Plane 1 of frame 0 begins with sample 1 of the raw frame.
        assert_eq!(sample.raw[15 * 2..][..2], [0, 0]);
        assert_eq!(sample.raw[15 * 2 + 2..][..2], [1, 1], "sample 5, bytes 10 and 11");
    }

    #[test]
    fn large_batches_are_not() {
        for (width, height) in [(1, 1 << 20), (1 << 20, 1), (4000, 3000), (300, 200)] {
            let format = FrameFormat::new(Dtype::U8, Layout::Gray { width, height }).unwrap();
            let sample = sample(&format, 1);
            assert_eq!(sample.geometry.raw_bytes(), sample.raw.len());
            assert!((LEAST_SAMPLES / 2..=MOST_SAMPLES + width).contains(&sample.raw.len()), "{width}x{height}");
        }
    }

    #[test]
    fn empty_batches_give_empty_samples() {
        for shape in [vec![], vec![0, 4], vec![4, 0]] {
            let format = FrameFormat::new(Dtype::I64, Layout::Array { shape }).unwrap();
            assert!(sample(&format, 0).raw.is_empty());
        }
    }
}

//! The stages as `docs/FORMAT.md` defines them, one sample at a time, in arithmetic that is wide
//! enough to be exact. Slow, plain, and sharing nothing with the kernels.

use crate::frame::Geometry;
use crate::plan::{Colour, Plan, Predictor, Shuffle};

/// A sample of `bytes` bytes as the number its bits are.
pub(super) fn samples(bytes: usize, data: &[u8]) -> Vec<i128> {
    let number = |sample: &[u8]| sample.iter().rev().fold(0, |number, &byte| number << 8 | i128::from(byte));
    data.chunks_exact(bytes).map(number).collect()
}

/// The little-endian bytes of samples, each modulo the range of `bytes` bytes.
pub(super) fn bytes_of(bytes: usize, samples: &[i128]) -> Vec<u8> {
    samples.iter().flat_map(|&sample| wrap(bytes, sample).to_le_bytes()[..bytes].to_vec()).collect()
}

/// `number` modulo 2^n, from 0.
fn wrap(bytes: usize, number: i128) -> i128 {
    number.rem_euclid(1 << (8 * bytes))
}

/// `number` modulo 2^n, as a two's complement number of n bits.
fn signed(bytes: usize, number: i128) -> i128 {
    let number = wrap(bytes, number);
    if number < 1 << (8 * bytes - 1) { number } else { number - (1 << (8 * bytes)) }
}

/// Section 5.2: residuals 0, -1, 1, -2, 2, ... become 0, 1, 2, 3, 4, ....
fn zigzag(bytes: usize, residual: i128) -> i128 {
    match signed(bytes, residual) {
        residual @ 0.. => 2 * residual,
        residual => -2 * residual - 1,
    }
}

fn unzigzag(mapped: i128) -> i128 {
    if mapped % 2 == 0 { mapped / 2 } else { -(mapped + 1) / 2 }
}

/// How one picture is predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub bytes: usize,
    pub width: usize,
    pub predictor: Predictor,
    pub signed: bool,
    pub zigzag: bool,
}

impl Picture {
    /// Section 5.3: the prediction of the sample at `at` of `samples`.
    fn prediction(self, samples: &[i128], at: usize) -> i128 {
        let value = |sample: i128| if self.signed { signed(self.bytes, sample) } else { wrap(self.bytes, sample) };
        let (row, column) = (at / self.width, at % self.width);
        let a = if column > 0 { value(samples[at - 1]) } else { 0 };
        let b = if row > 0 { value(samples[at - self.width]) } else { 0 };
        let c = if row > 0 && column > 0 { value(samples[at - self.width - 1]) } else { 0 };
        match self.predictor {
            Predictor::None => 0,
            Predictor::Left => a,
            Predictor::Up => b,
            Predictor::Average => (a + b).div_euclid(2),
            Predictor::Gradient => a + b - c,
            Predictor::Median => {
                let mut three = [a, b, a + b - c];
                three.sort_unstable();
                three[1]
            }
        }
    }

    /// The residuals of a picture.
    pub fn forward(self, samples: &[i128]) -> Vec<i128> {
        let residual = |at| samples[at] - self.prediction(samples, at);
        let map = |residual| if self.zigzag { zigzag(self.bytes, residual) } else { wrap(self.bytes, residual) };
        (0..samples.len()).map(|at| map(residual(at))).collect()
    }

    /// The picture of residuals.
    pub fn inverse(self, residuals: &[i128]) -> Vec<i128> {
        let mut samples = Vec::with_capacity(residuals.len());
        for &stored in residuals {
            let residual = if self.zigzag { unzigzag(stored) } else { stored };
            samples.push(wrap(self.bytes, residual + self.prediction(&samples, samples.len())));
        }
        samples
    }
}

/// Section 5.4.
pub(super) fn differences(bytes: usize, current: &[i128], previous: &[i128]) -> Vec<i128> {
    current.iter().zip(previous).map(|(current, previous)| wrap(bytes, current - previous)).collect()
}

/// Section 5.1: where bit `bit` of sample `at` is stored in a span of `samples` samples: byte and bit.
fn stored_at(shuffle: Shuffle, bytes: usize, samples: usize, at: usize, bit: usize) -> (usize, usize) {
    let groups = samples / 8;
    match shuffle {
        Shuffle::Byte => (bit / 8 * samples + at, bit % 8),
        Shuffle::Bit if at < 8 * groups => (bit * groups + at / 8, at % 8),
        Shuffle::None | Shuffle::Bit => (at * bytes + bit / 8, bit % 8),
    }
}

/// A span of samples as it is stored.
pub(super) fn shuffled(shuffle: Shuffle, bytes: usize, span: &[u8]) -> Vec<u8> {
    let mut stored = vec![0; span.len()];
    for at in 0..span.len() / bytes {
        for bit in 0..8 * bytes {
            let value = span[at * bytes + bit / 8] >> (bit % 8) & 1;
            let (byte, shift) = stored_at(shuffle, bytes, span.len() / bytes, at, bit);
            stored[byte] |= value << shift;
        }
    }
    stored
}

/// Sections 3 and 5.5: the samples of every plane of one raw frame.
pub(super) fn planes(geometry: &Geometry, colour: Colour, raw: &[i128]) -> Vec<Vec<i128>> {
    let split = geometry
        .planes
        .iter()
        .map(|plane| (0..plane.width * plane.height).map(|at| raw[plane.offset + at * plane.step]).collect::<Vec<_>>());
    let mut planes: Vec<_> = split.collect();
    if colour == Colour::SubtractGreen {
        for plane in [0, 2] {
            planes[plane] = differences(geometry.sample_bytes, &planes[plane], &planes[1]);
        }
    }
    planes
}

/// Section 5 backwards: what is stored of each plane of a batch.
pub(super) fn residuals(geometry: &Geometry, plan: &Plan, raw: &[u8]) -> Vec<Vec<u8>> {
    let bytes = geometry.sample_bytes;
    let raw = samples(bytes, raw);
    let frames: Vec<_> = raw
        .chunks_exact(geometry.frame_samples.max(1))
        .take(geometry.frames)
        .map(|frame| planes(geometry, plan.colour, frame))
        .collect();
    let plane_of_batch = |plane: usize| {
        let recorded = &plan.planes[plane];
        let mut residuals = Vec::new();
        for at in 0..frames.len() {
            let temporal = at > 0 && recorded.temporal;
            let predictor = if at > 0 { recorded.inter } else { recorded.intra };
            let colour_difference = plan.colour != Colour::None && (plane == 0 || plane == 2);
            let picture = Picture {
                bytes,
                width: geometry.planes[plane].width,
                predictor,
                signed: geometry.signed || temporal || colour_difference,
                zigzag: temporal || predictor != Predictor::None,
            };
            let current = &frames[at][plane];
            residuals.extend(if temporal {
                picture.forward(&differences(bytes, current, &frames[at - 1][plane]))
            } else {
                picture.forward(current)
            });
        }
        let spans = bytes_of(bytes, &residuals);
        spans
            .chunks(plan.span_samples as usize * bytes)
            .flat_map(|span| shuffled(recorded.shuffle, bytes, span))
            .collect()
    };
    (0..geometry.planes.len()).map(plane_of_batch).collect()
}

//! A glance at samples: enough to guess how long they take to code, in less than the decision may take.

use crate::frame::Batch;

/// What samples are like: from 0, equal to those beside them or before them, to [`Content::NOISE`], as good as random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content(pub u8);

impl Content {
    /// Nothing to be predicted.
    pub const NOISE: Self = Self(7);
    /// Neither still nor noise.
    pub const MIDDLE: Self = Self(3);

    /// The class of some thousandths, from 0 to 1000, of what noise would be.
    fn of(thousandths: usize) -> Self {
        let above = [3, 10, 30, 70, 150, 300, 600].iter().filter(|&&limit| thousandths >= limit).count();
        Self(above as u8)
    }
}

/// Places that are looked at.
const PLACES: usize = 12;
/// Samples that are looked at in each: about a cache line of bytes.
const SAMPLES: usize = 24;

/// The content of raw frames: how far the highest bytes of samples are from their neighbours', or, where that is
/// less, from those of the frame before.
pub(super) fn look(batch: Batch<'_>) -> Content {
    let Batch { geometry, raw } = batch;
    let step = geometry.planes.first().map_or(1, |plane| plane.step) * geometry.sample_bytes;
    let frame_bytes = geometry.frame_samples * geometry.sample_bytes;
    let place_bytes = SAMPLES * geometry.sample_bytes;
    let last = raw.len().saturating_sub(place_bytes) / geometry.sample_bytes;
    let first = if geometry.frames > 1 { frame_bytes } else { step };
    let (mut aside, mut before, mut samples) = (0, 0, 0);
    for place in 0..PLACES {
        let start = (last * (place + 1) / (PLACES + 1) * geometry.sample_bytes).max(first);
        let highest = (start..raw.len().min(start + place_bytes)).skip(geometry.sample_bytes - 1);
        for at in highest.step_by(geometry.sample_bytes) {
            let distance =
                |back: usize| at.checked_sub(back).map_or(0, |other| usize::from(raw[at].abs_diff(raw[other])));
            aside += distance(step);
            before += if geometry.frames > 1 { distance(frame_bytes) } else { usize::MAX >> 16 };
            samples += 1;
        }
    }
    // Random bytes are 85 apart.
    Content::of(aside.min(before) * 1000 / (samples * 85).max(1))
}

/// The content of frames whose packed length is known.
pub(super) fn of_ratio(raw_bytes: usize, packed_bytes: usize) -> Content {
    Content::of(packed_bytes.saturating_mul(1000) / raw_bytes.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Dtype, FrameFormat, Geometry, Layout};
    use crate::schedule::trial::Random;

    fn content(dtype: Dtype, frames: usize, value: impl Fn(usize, usize) -> u64) -> Content {
        let format = FrameFormat::new(dtype, Layout::Gray { width: 100, height: 70 }).unwrap();
        let bytes = dtype.bytes();
        let sample = |at: usize| value(at / 7000, at % 7000).to_le_bytes()[..bytes].to_vec();
        let raw: Vec<u8> = (0..frames * 7000).flat_map(sample).collect();
        look(Batch { geometry: &Geometry::new(&format, frames), raw: &raw })
    }

    fn noise(at: usize) -> u64 {
        Random::new(at as u64).bits()
    }

    #[test]
    fn from_still_to_noise() {
        for frames in [1, 3] {
            for dtype in [Dtype::U8, Dtype::U16, Dtype::U64] {
                assert_eq!(content(dtype, frames, |_, _| 7), Content(0));
                let noise = content(dtype, frames, |frame, at| noise(frame * 7000 + at));
                assert_eq!(noise, Content::NOISE);
            }
            let ramp = content(Dtype::U8, frames, |frame, at| (at % 100 + 10 * frame) as u64);
            let texture = content(Dtype::U8, frames, |frame, at| noise(frame * 7000 + at) % 40);
            assert!(Content(0) < ramp && ramp < texture && texture < Content::NOISE, "{ramp:?} {texture:?}");
        }
        assert_eq!(content(Dtype::U8, 3, |_, at| noise(at)), Content(0), "as the frame before");
    }

    #[test]
    fn nothing_and_next_to_nothing() {
        assert_eq!(content(Dtype::U8, 0, |_, _| 0), Content(0));
        let format = FrameFormat::new(Dtype::U16, Layout::Array { shape: vec![] }).unwrap();
        let look = |raw: &[u8]| look(Batch { geometry: &Geometry::new(&format, raw.len() / 2), raw });
        assert_eq!(look(&[1, 2]), Content(0));
        assert_eq!(look(&[1, 200, 3, 7]), Content::NOISE);
        assert_eq!(of_ratio(0, 0), Content(0));
        assert_eq!(of_ratio(1000, 1000), Content::NOISE);
        assert!(of_ratio(1000, 300) > of_ratio(1000, 30));
    }
}

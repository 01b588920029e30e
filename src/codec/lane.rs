//! The blocks of a span as they are decoded. What has no zeros stays without them until its bytes are put among the others of
//! their samples.

use std::ops::Range;
use std::sync::Arc;

use super::sparse::{PIECE, Places};
use crate::cpu::SimdLevel;

/// Samples whose bytes are given at a time: those of all lanes fit the first cache.
const SAMPLES: usize = 64 * PIECE;
/// Most bytes of a sample.
const MOST_LANES: usize = 8;

/// A block, or what was kept of it.
#[derive(Default)]
pub struct Lane {
    /// The bytes of either, and more.
    bytes: Vec<u8>,
    length: usize,
    kept: Option<Kept>,
}

struct Kept {
    places: Arc<Places>,
    /// Whether these are all places where this byte or a higher one of the sample is not 0.
    are_all: bool,
}

impl Lane {
    /// Memory for a block of so many bytes.
    pub fn block(&mut self, length: usize) -> &mut [u8] {
        self.bytes.resize(self.bytes.len().max(length), 0);
        (self.length, self.kept) = (length, None);
        &mut self.bytes[..length]
    }

    /// Memory for what was kept, there, of a block of so many bytes.
    pub fn kept(&mut self, length: usize, places: Arc<Places>) -> &mut [u8] {
        self.bytes.resize(self.bytes.len().max(places.memory()), 0);
        let count = places.count();
        (self.length, self.kept) = (length, Some(Kept { places, are_all: false }));
        &mut self.bytes[..count]
    }

    /// Says that at each of the places this byte or a higher one of the sample is not 0, and nowhere else.
    pub fn set_all(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.are_all = true;
        }
    }

    /// Whether nothing that was kept is 0.
    pub fn has_no_zero(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| !self.bytes[..kept.places.count()].contains(&0))
    }

    /// The block; `spare` is memory for it.
    pub fn complete(&mut self, spare: &mut Vec<u8>) -> &[u8] {
        if let Some(kept) = self.kept.take() {
            spare.resize(spare.len().max(self.length), 0);
            kept.places.spread(&self.bytes, &mut spare[..self.length]);
            std::mem::swap(&mut self.bytes, spare);
        }
        &self.bytes[..self.length]
    }

    /// The bytes of some samples, from this memory or from `memory`. `taken` are the bytes that were kept of those before.
    fn part<'a>(&'a self, samples: Range<usize>, taken: &mut usize, memory: &'a mut [u8; SAMPLES]) -> &'a [u8] {
        let Some(kept) = &self.kept else { return &self.bytes[samples] };
        let part = &mut memory[..samples.len()];
        *taken += kept.places.spread_part(samples.start / PIECE, &self.bytes[*taken..], part);
        part
    }
}

/// All places where a byte of `lanes`, those of the higher bytes, is not 0; `spare` is memory for a block.
pub fn places(simd: SimdLevel, lanes: &mut [Lane], length: usize, spare: &mut Vec<u8>) -> Arc<Places> {
    if let Some(Kept { places, are_all: true }) = lanes.first().and_then(|lane| lane.kept.as_ref()) {
        return Arc::clone(places);
    }
    let blocks: Vec<&[u8]> = lanes.iter_mut().map(|lane| lane.complete(spare)).collect();
    Arc::new(Places::of(simd, length, &blocks))
}

/// Gives the bytes of all samples, some at a time, those of each lane by themselves.
pub fn each_part(lanes: &[Lane], mut give: impl FnMut(Range<usize>, &[&[u8]])) {
    let length = lanes.first().map_or(0, |lane| lane.length);
    let mut memory = [[0; SAMPLES]; MOST_LANES];
    let mut taken = [0; MOST_LANES];
    for start in (0..length).step_by(SAMPLES) {
        let samples = start..length.min(start + SAMPLES);
        let mut parts: [&[u8]; MOST_LANES] = Default::default();
        for (((part, lane), taken), memory) in parts.iter_mut().zip(lanes).zip(&mut taken).zip(&mut memory) {
            *part = lane.part(samples.clone(), taken, memory);
        }
        give(samples, &parts[..lanes.len()]);
    }
}

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
    /// Whether these are the places where a higher byte of the sample is not 0.
    are_of_higher: bool,
}

impl Lane {
    /// Memory for a block of so many bytes.
    pub fn block(&mut self, length: usize) -> &mut [u8] {
        self.bytes.resize(self.bytes.len().max(length), 0);
        (self.length, self.kept) = (length, None);
        &mut self.bytes[..length]
    }

    /// Memory for what was kept, there, of a block of so many bytes. `are_of_higher` says whether the places are those of the
    /// [higher bytes](places).
    pub fn kept(&mut self, length: usize, places: Arc<Places>, are_of_higher: bool) -> &mut [u8] {
        self.bytes.resize(self.bytes.len().max(places.memory()), 0);
        let count = places.count();
        (self.length, self.kept) = (length, Some(Kept { places, are_of_higher }));
        &mut self.bytes[..count]
    }

    /// The places where this byte or one of `higher` is not 0, if they are known by those where it was kept.
    fn known_places(&self, higher: &[Lane]) -> Option<&Arc<Places>> {
        let Kept { places, are_of_higher } = self.kept.as_ref()?;
        let is_all = *are_of_higher || higher.is_empty() && !self.bytes[..places.count()].contains(&0);
        is_all.then_some(places)
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
    if let Some(places) = lanes.split_first().and_then(|(lane, higher)| lane.known_places(higher)) {
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

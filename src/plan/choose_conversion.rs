//! Which conversion made the packed frames of a batch, if one did.
//!
//! Few places of the batch are looked at: first whether pixels share chroma, then what each known conversion
//! would make of them. A wrong guess costs time and nothing else, because what is recovered is compared.

use super::{KNOWN, Making};
use crate::cpu::CpuBackend;
use crate::cpu::recover::{Picture, Recovery};
use crate::frame::{Batch, ChromaSampling};

/// Places that are looked at.
const PLACES: usize = 32;
/// Of these, those that every conversion is tried on.
const FIRST_PLACES: usize = 4;
/// Pixels of a place in a row.
const PLACE_WIDTH: usize = 128;
/// Rows of a place.
const PLACE_ROWS: usize = 2;
/// Blocks that are not flat that must be seen at least.
const LEAST_TELLING: usize = 32;
/// Of so many of them, this many must be made by a conversion to try it on the whole batch.
const WANTED: (usize, usize) = (5, 4);

/// How the frames of a batch were made, as far as can be seen.
pub fn choose_conversion(batch: Batch<'_>, cpu: &CpuBackend) -> Option<Making> {
    if !Making::suits(batch.geometry) || batch.raw.is_empty() {
        return None;
    }
    let places = Places::of(batch);
    let sampling = places.sampling();
    let ways = KNOWN.iter().flat_map(|known| [false, true].map(|blue_first| (known.conversion, blue_first)));
    let makings = ways.map(|(conversion, blue_first)| Making { conversion, sampling, blue_first });
    let tried = makings.map(|making| (places.fitting(&making, FIRST_PLACES, cpu).0, making));
    let mut tried: Vec<(usize, Making)> = tried.collect();
    let most = tried.iter().map(|&(blocks, _)| blocks).max()?;
    tried.retain(|&(blocks, _)| 4 * blocks >= 3 * most);
    let of_all = |(_, making): (usize, Making)| (places.fitting(&making, PLACES, cpu), making);
    // The first one of the best: the table has what is common first.
    let ((blocks, of), making) = tried.into_iter().map(of_all).rev().max_by_key(|&((blocks, _), _)| blocks)?;
    (of >= LEAST_TELLING && WANTED.0 * blocks >= WANTED.1 * of).then_some(making)
}

/// Pieces of frames, one above the other.
struct Places {
    pixels: Vec<u8>,
    width: usize,
    channels: usize,
}

impl Places {
    fn of(batch: Batch<'_>) -> Self {
        let geometry = batch.geometry;
        let (plane, channels) = (&geometry.planes[0], geometry.planes.len());
        let width = plane.width.min(PLACE_WIDTH);
        let row_bytes = plane.width * channels;
        let mut pixels = Vec::new();
        for place in 0..PLACES {
            // Spread over frames evenly, over rows and columns by the fractions of the square roots of 2 and 3.
            let spread = |range: usize, fraction: usize| (range + 1) * (place * fraction % 1000) / 1000;
            let frame = place * geometry.frames / PLACES;
            let row = spread(plane.height.saturating_sub(PLACE_ROWS), 414) & !1;
            let column = spread(plane.width - width, 732) & !1;
            for row in row..row + PLACE_ROWS {
                let row = row.min(plane.height - 1);
                let first = frame * geometry.frame_samples + row * row_bytes + column * channels;
                pixels.extend_from_slice(&batch.raw[first..first + width * channels]);
            }
        }
        Self { pixels, width, channels }
    }

    /// How many pixels share chroma in most blocks: their differences of channels are the same, but for rounding.
    fn sampling(&self) -> ChromaSampling {
        let row_bytes = self.width * self.channels;
        let [mut blocks, mut across, mut both] = [0; 3];
        for rows in self.pixels.chunks_exact(PLACE_ROWS * row_bytes) {
            let (upper, lower) = rows.split_at(row_bytes);
            let pairs = upper.chunks_exact(2 * self.channels).zip(lower.chunks_exact(2 * self.channels));
            for (upper, lower) in pairs {
                let differences = |pixel: &[u8]| [0, 2].map(|channel| i16::from(pixel[channel]) - i16::from(pixel[1]));
                let same =
                    |a: &[u8], b: &[u8]| differences(a).iter().zip(differences(b)).all(|(a, b)| (a - b).abs() <= 1);
                let (left, right) = upper.split_at(self.channels);
                let (left_below, right_below) = lower.split_at(self.channels);
                let in_row = same(left, right);
                blocks += 1;
                across += usize::from(in_row);
                both += usize::from(in_row && same(left, left_below) && same(left, right_below));
            }
        }
        // Clipped pixels and what is drawn over frames are left out of account by this much.
        let most = |count: usize| 4 * count >= 3 * blocks;
        match (most(both), most(across)) {
            (true, _) => ChromaSampling::Cs420,
            (false, true) => ChromaSampling::Cs422,
            (false, false) => ChromaSampling::Cs444,
        }
    }

    fn picture(&self, making: &Making) -> Picture {
        let Making { sampling, blue_first, .. } = *making;
        Picture { width: self.width, height: PLACE_ROWS, channels: self.channels, blue_first, sampling }
    }

    /// Blocks of the first `places` that are not flat: those that are made by a conversion, and all of them.
    fn fitting(&self, making: &Making, places: usize, cpu: &CpuBackend) -> (usize, usize) {
        let bytes = places * PLACE_ROWS * self.width * self.channels;
        Recovery::new(cpu.simd(), &making.conversion, self.picture(making)).fitting(&self.pixels[..bytes])
    }
}

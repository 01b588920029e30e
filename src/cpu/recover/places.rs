//! What repairs look at, of batches that are elsewhere: everything else stays there.

use std::ops::Range;

use super::batch::STRIP;
use crate::frame::Geometry;
use crate::plan::{Making, merged};
use crate::stage::SolvedPlanes;

/// The bytes that have to be there to repair a batch.
pub struct RepairPlaces {
    /// Of its frames.
    pub frames: Vec<Range<usize>>,
    /// Of its [`SolvedPlanes`], in whole words.
    pub solved: Vec<Range<usize>>,
    /// What is repaired of these, in whole words, all of which are there.
    pub repaired: Vec<Range<usize>>,
}

impl RepairPlaces {
    /// For rows of blocks of which so many blocks each are to be repaired, frame by frame.
    pub fn of(geometry: &Geometry, making: &Making, misfitting: &[u32]) -> Self {
        let planes = making.planes(geometry);
        let solved_bytes = SolvedPlanes::bytes_of(&planes);
        let rows = Rows { geometry, planes: &planes, making };
        let (of_frame, blocks) = (planes.planes[1].height, planes.planes[1].width);
        let (mut frames, mut solved, mut repaired) = (Vec::new(), Vec::new(), Vec::new());
        for (at, _) in misfitting.iter().enumerate().filter(|&(_, &blocks)| blocks > 0) {
            let (frame, row) = (at / of_frame, at % of_frame);
            // What does not change is repaired as it was before.
            for frame in frame.saturating_sub(1)..=frame {
                frames.push(rows.pixels(frame, row));
                solved.push(rows.luma(frame, row));
                solved.extend(rows.chroma(frame, row));
            }
            if row % STRIP > 0 {
                solved.extend(rows.chroma(frame, row - 1));
            }
            let misfits = planes.raw_bytes() + at * blocks;
            solved.push(misfits..misfits + blocks);
            repaired.push(rows.luma(frame, row));
            repaired.extend(rows.chroma(frame, row));
        }
        let whole_words = |place: Range<usize>| place.start / 4 * 4..place.end.next_multiple_of(4).min(solved_bytes);
        let [solved, repaired] = [solved, repaired].map(|places| places.into_iter().map(whole_words).collect());
        // What is near among the latter is so among the former.
        let [frames, solved, repaired] = [frames, solved, repaired].map(merged);
        Self { frames, solved, repaired }
    }
}

/// Where rows of blocks are.
struct Rows<'a> {
    geometry: &'a Geometry,
    planes: &'a Geometry,
    making: &'a Making,
}

impl Rows<'_> {
    /// In the frames.
    fn pixels(&self, frame: usize, row: usize) -> Range<usize> {
        let first = frame * self.geometry.frame_samples;
        let channels = self.geometry.planes.len();
        let pixels = self.of_frame(row);
        first + pixels.start * channels..first + pixels.end * channels
    }

    /// In Y.
    fn luma(&self, frame: usize, row: usize) -> Range<usize> {
        let first = frame * self.planes.frame_samples;
        let pixels = self.of_frame(row);
        first + pixels.start..first + pixels.end
    }

    /// In U and V.
    fn chroma(&self, frame: usize, row: usize) -> [Range<usize>; 2] {
        [1, 2].map(|plane| {
            let plane = &self.planes.planes[plane];
            let first = frame * self.planes.frame_samples + plane.offset + row * plane.width;
            first..first + plane.width
        })
    }

    /// Pixels of a frame.
    fn of_frame(&self, row: usize) -> Range<usize> {
        let plane = &self.geometry.planes[0];
        let rows = self.making.sampling.block().1;
        row * rows * plane.width..plane.height.min((row + 1) * rows) * plane.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::KNOWN;

    /// A row of blocks, that before it and the same of the frame before.
    #[test]
    fn a_row_takes_little() {
        let layout = Layout::Packed { width: 4096, height: 64, order: ChannelOrder::Rgb };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 3);
        let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
        let mut misfitting = vec![0; 32 * 3];
        misfitting[32 + 5] = 1;
        let RepairPlaces { frames, solved, repaired } = RepairPlaces::of(&geometry, &making, &misfitting);
        let row = 3 * 4096;
        assert_eq!(frames, [10 * row..12 * row, (64 + 10) * row..(64 + 12) * row]);
        let (luma, chroma, frame) = (4096, 2048, 64 * 4096 * 3 / 2);
        let of_frame = |first: usize, above: usize| {
            let [u, v] = [64, 80].map(|first_row| first + first_row * luma);
            let of_chroma = |plane: usize| plane + (5 - above) * chroma..plane + 6 * chroma;
            [first + 10 * luma..first + 12 * luma, of_chroma(u), of_chroma(v)]
        };
        let misfits = 3 * frame + 37 * chroma..3 * frame + 38 * chroma;
        assert_eq!(solved, [&of_frame(0, 0)[..], &of_frame(frame, 1), &[misfits]].concat());
        assert_eq!(repaired, of_frame(frame, 0));
        let none = RepairPlaces::of(&geometry, &making, &[0; 32 * 3]);
        assert!(none.frames.is_empty() && none.solved.is_empty());
    }
}

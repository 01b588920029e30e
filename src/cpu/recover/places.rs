//! What repairs look at, of batches that are elsewhere: everything else stays there.

use std::ops::Range;

use super::batch::STRIP;
#[cfg(any(test, feature = "gpu"))]
use super::misfitting;
use crate::frame::{Geometry, PlaneGeometry};
use crate::plan::Making;

/// Blocks of a row that are counted together: as many as a device solves side by side.
pub const SPAN_BLOCKS: usize = 64;

/// How many blocks of each span have misfits, of rows of `blocks` blocks.
#[cfg(any(test, feature = "gpu"))]
pub fn misfitting_of_spans(misfits: &[u8], blocks: usize) -> Vec<u32> {
    let spans = misfits.chunks_exact(blocks).flat_map(|row| row.chunks(SPAN_BLOCKS));
    spans.map(|span| misfitting(span) as u32).collect()
}

/// The bytes that have to be there to repair a batch.
#[derive(Default)]
pub struct RepairPlaces {
    /// Of its frames.
    pub frames: Vec<Range<usize>>,
    /// Of its [`SolvedPlanes`](crate::stage::SolvedPlanes).
    pub solved: Vec<Range<usize>>,
    /// What is repaired of these.
    pub repaired: Vec<Range<usize>>,
}

impl RepairPlaces {
    /// For spans of which so many blocks each are to be repaired: row by row of blocks, frame by frame.
    pub fn of(geometry: &Geometry, making: &Making, misfitting: &[u32]) -> Self {
        let planes = making.planes(geometry);
        let all = Blocks { geometry, planes: &planes, making };
        let PlaneGeometry { width, height, .. } = planes.planes[1];
        let spans = width.div_ceil(SPAN_BLOCKS);
        let mut places = Self::default();
        for (at, _) in misfitting.iter().enumerate().filter(|&(_, &blocks)| blocks > 0) {
            let (row_of_batch, first) = (at / spans, at % spans * SPAN_BLOCKS);
            let (frame, row) = (row_of_batch / height, row_of_batch % height);
            let own = first..width.min(first + SPAN_BLOCKS);
            // Chroma and luma are carried on from the block to the left.
            let seen = first.saturating_sub(1)..own.end;
            // What does not change is repaired as it was before.
            for frame in frame.saturating_sub(1)..=frame {
                places.frames.extend(all.pixels(frame, row, &seen));
                places.solved.extend(all.luma(frame, row, &seen));
                places.solved.extend(all.chroma(frame, row, &seen));
            }
            if row % STRIP > 0 {
                places.solved.extend(all.chroma(frame, row - 1, &own));
            }
            let first = planes.raw_bytes() + row_of_batch * width;
            places.solved.push(first + own.start..first + own.end);
            places.repaired.extend(all.luma(frame, row, &own));
            places.repaired.extend(all.chroma(frame, row, &own));
        }
        places
    }
}

/// Where blocks of a row are.
struct Blocks<'a> {
    geometry: &'a Geometry,
    planes: &'a Geometry,
    making: &'a Making,
}

impl Blocks<'_> {
    /// In the frames.
    fn pixels(&self, frame: usize, row: usize, blocks: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let (first, channels) = (frame * self.geometry.frame_samples, self.geometry.planes.len());
        self.of_frame(row, blocks).map(move |it| first + it.start * channels..first + it.end * channels)
    }

    /// In Y.
    fn luma(&self, frame: usize, row: usize, blocks: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let first = frame * self.planes.frame_samples;
        self.of_frame(row, blocks).map(move |it| first + it.start..first + it.end)
    }

    /// In U and V.
    fn chroma(&self, frame: usize, row: usize, blocks: &Range<usize>) -> [Range<usize>; 2] {
        [1, 2].map(|plane| {
            let plane = &self.planes.planes[plane];
            let first = frame * self.planes.frame_samples + plane.offset + row * plane.width;
            first + blocks.start..first + blocks.end
        })
    }

    /// Pixels of a frame, row by row.
    fn of_frame(&self, row: usize, blocks: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let PlaneGeometry { width, height, .. } = self.geometry.planes[0];
        let (columns, rows) = self.making.sampling.block();
        let (left, right) = (blocks.start * columns, width.min(blocks.end * columns));
        (row * rows..height.min((row + 1) * rows)).map(move |row| row * width + left..row * width + right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::KNOWN;

    /// A span of a row of blocks with the block to its left, chroma above, and the same of the frame before.
    #[test]
    fn a_span_takes_little() {
        let layout = Layout::Packed { width: 301, height: 71, order: ChannelOrder::Rgb };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 3);
        let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
        let (luma, chroma) = (301 * 71, 151 * 36);
        let frame = luma + 2 * chroma;
        // The last of three spans of the last row but one, of the frame in the middle.
        let mut misfitting = vec![0; 3 * 36 * 3];
        misfitting[3 * (36 + 34) + 2] = 1;
        let RepairPlaces { frames, solved, repaired } = RepairPlaces::of(&geometry, &making, &misfitting);
        let pixels = |frame: usize, left: usize| {
            [68, 69].map(|row| frame * luma + row * 301 + left..frame * luma + (row + 1) * 301)
        };
        let bytes = |pixels: Range<usize>| 3 * pixels.start..3 * pixels.end;
        assert_eq!(frames, [pixels(0, 254), pixels(1, 254)].concat().into_iter().map(bytes).collect::<Vec<_>>());
        let of_chroma = |at: usize, row: usize, left: usize| {
            [0, 1].map(|plane| {
                let first = at * frame + luma + plane * chroma + row * 151;
                first + left..first + 151
            })
        };
        let of_luma = |at: usize, left: usize| pixels(0, left).map(|it| at * frame + it.start..at * frame + it.end);
        let misfits = 3 * frame + 70 * 151;
        let before = [of_luma(0, 254), of_chroma(0, 34, 127)];
        let own = [of_luma(1, 254), of_chroma(1, 34, 127), of_chroma(1, 33, 128)];
        let mut expected = [before.concat(), own.concat()].concat();
        expected.push(misfits + 128..misfits + 151);
        assert_eq!(solved, expected);
        assert_eq!(repaired, [of_luma(1, 256), of_chroma(1, 34, 128)].concat());
        // Chroma is not carried on from strip to strip.
        let mut misfitting = vec![0; 3 * 36 * 3];
        misfitting[3 * 32] = 1;
        assert_eq!(RepairPlaces::of(&geometry, &making, &misfitting).solved.len(), 4 + 1);
    }
}

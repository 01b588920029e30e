//! Blocks that do not count, because something else is put over them: whatever is found for them gives way to one colour,
//! which next to nothing is coded for.

use std::ops::Range;

use super::Picture;
use super::row::BlockRow;
use crate::frame::Geometry;
use crate::plan::{CELL, Patch};

/// Y, U and V of blocks that do not count.
const COLOUR: u8 = 128;
/// Alpha of their pixels.
const OPAQUE: u8 = 255;

/// The blocks of a frame that do not count.
#[derive(Debug, Default)]
pub struct Hidden {
    /// Ranges of them, for each row of blocks. Rows that are missing have none.
    rows: Vec<Vec<Range<usize>>>,
}

impl Hidden {
    /// Those of a patch whose cells are those of the frames.
    pub fn of(patch: &Patch, picture: &Picture) -> Self {
        let (columns, rows) = picture.block();
        let (left, top) = (patch.left as usize, patch.top as usize);
        debug_assert!(left % CELL == 0 && top % CELL == 0);
        let mut hidden = Self { rows: vec![Vec::new(); picture.height.div_ceil(rows)] };
        for span in patch.spans() {
            let blocks = (left + span.columns.start) / columns..(left + span.columns.end).div_ceil(columns);
            let of_rows = (top + span.rows.start) / rows..(top + span.rows.end).div_ceil(rows);
            hidden.rows[of_rows].iter_mut().for_each(|row| row.push(blocks.clone()));
        }
        hidden
    }

    /// Hides those of row `row` of a frame.
    pub fn hide(&self, row: usize, BlockRow { luma, chroma, misfits, .. }: &mut BlockRow) {
        for blocks in self.rows.get(row).into_iter().flatten() {
            luma.iter_mut().chain(chroma.iter_mut()).for_each(|plane| plane[blocks.clone()].fill(COLOUR));
            misfits[blocks.clone()].fill(0);
        }
    }

    /// Hides all of them in planes of this geometry with their misfits, both frame by frame.
    pub fn hide_all(&self, geometry: &Geometry, picture: &Picture, planes: &mut [u8], misfits: &mut [u8]) {
        let blocks = picture.blocks();
        let frames = planes.chunks_exact_mut(geometry.frame_samples);
        for (planes, misfits) in frames.zip(misfits.chunks_exact_mut(geometry.planes[1].frame_samples())) {
            for (row, ranges) in self.rows.iter().enumerate() {
                for range in ranges {
                    let chroma = row * blocks + range.start..row * blocks + range.end;
                    for plane in &geometry.planes[1..3] {
                        planes[plane.offset..][chroma.clone()].fill(COLOUR);
                    }
                    misfits[chroma].fill(0);
                }
            }
            self.fill_pixels(picture, planes, COLOUR);
        }
    }

    /// Makes their pixels opaque in planes of this geometry, frame by frame, if these have alpha.
    pub fn hide_alpha(&self, geometry: &Geometry, picture: &Picture, planes: &mut [u8]) {
        let Some(alpha) = geometry.planes.get(3) else { return };
        for planes in planes.chunks_exact_mut(geometry.frame_samples) {
            self.fill_pixels(picture, &mut planes[alpha.offset..], OPAQUE);
        }
    }

    /// Fills their pixels in a plane that has a sample for each pixel.
    fn fill_pixels(&self, picture: &Picture, plane: &mut [u8], sample: u8) {
        let Picture { width, height, .. } = *picture;
        let (columns, rows) = picture.block();
        for (row, ranges) in self.rows.iter().enumerate() {
            for range in ranges {
                let pixels = columns * range.start..width.min(columns * range.end);
                for row in row * rows..height.min((row + 1) * rows) {
                    plane[row * width..][pixels.clone()].fill(sample);
                }
            }
        }
    }
}

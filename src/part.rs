//! What is wanted of a batch, where that is not all of it.

use std::ops::Range;

use crate::frame::{FrameFormat, Geometry, Rectangle, Tiling};

/// The first frames of a batch, and rows of its picture: what a method has to restore at least. Frames refer to those
/// before them, or to later ones, which a method knows of; nothing refers to rows of another band or strip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Frames from the first on.
    frames: usize,
    /// Rows of the picture.
    rows: Range<usize>,
    /// Rows that the picture has.
    height: usize,
}

impl Part {
    /// All of a batch.
    pub fn whole(geometry: &Geometry) -> Self {
        let height = geometry.planes.first().map_or(0, |plane| plane.height);
        Self { frames: geometry.frames, rows: 0..height, height }
    }

    /// What the frames at `positions` of a batch, or a rectangle of them, are cut from.
    pub fn of(
        format: &FrameFormat,
        geometry: &Geometry,
        positions: &Range<usize>,
        rectangle: Option<&Rectangle>,
    ) -> Self {
        let whole = Self::whole(geometry);
        if format.picture().is_none() {
            // Several frames may have become one.
            return whole;
        }
        let rows = rectangle.map_or(0..whole.height, |rectangle| rectangle.top..rectangle.top + rectangle.height);
        Self { frames: positions.end, rows, height: whole.height }
    }

    /// Whether that is all of the batch.
    pub fn is_whole(&self, geometry: &Geometry) -> bool {
        *self == Self::whole(geometry)
    }

    /// How many frames are wanted, in runs of `run` frames.
    pub fn frames_of_runs(&self, run: usize, geometry: &Geometry) -> usize {
        self.frames.div_ceil(run).saturating_mul(run).min(geometry.frames)
    }

    /// Whether any of `rows` is wanted in planes of `height` rows, which are as many as the picture has, or half as
    /// many.
    pub fn needs(&self, rows: &Range<usize>, height: usize) -> bool {
        let share = if height == self.height { 1 } else { 2 };
        rows.start < self.rows.end.div_ceil(share) && self.rows.start / share < rows.end
    }

    /// Whether a band is wanted.
    pub fn needs_band(&self, tiling: &Tiling, band: usize) -> bool {
        let regions = tiling.regions.iter().zip(&tiling.bands[band].rows);
        regions.clone().any(|(region, rows)| self.needs(rows, region.height))
    }

    /// What is wanted of `rows` of the picture, which are a batch of their own; `None` if that is nothing.
    pub fn within(&self, rows: &Range<usize>) -> Option<Self> {
        let (start, end) = (self.rows.start.max(rows.start), self.rows.end.min(rows.end));
        let inside = (start < end).then(|| start - rows.start..end - rows.start)?;
        Some(Self { frames: self.frames, rows: inside, height: rows.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChromaOrder, ChromaSampling, Dtype, Layout};

    #[test]
    fn rows_of_chroma_are_those_of_luma() {
        let layout = Layout::Yuv { width: 6, height: 7, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar };
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        let geometry = Geometry::new(&format, 9);
        for (top, height) in (0..7).flat_map(|top| (1..=7 - top).map(move |height| (top, height))) {
            let part = Part::of(&format, &geometry, &(2..5), Some(&Rectangle { left: 0, top, width: 6, height }));
            for row in 0..7 {
                assert_eq!(part.needs(&(row..row + 1), 7), (top..top + height).contains(&row));
            }
            for row in 0..4 {
                let shown = (2 * row..2 * row + 2).any(|row| (top..top + height).contains(&row));
                assert_eq!(part.needs(&(row..row + 1), 4), shown, "{top} {height} {row}");
            }
        }
    }

    #[test]
    fn runs_and_parts_of_parts() {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 6, height: 40 }).unwrap();
        let geometry = Geometry::new(&format, 9);
        let rectangle = Rectangle { left: 0, top: 10, width: 6, height: 10 };
        let part = Part::of(&format, &geometry, &(2..5), Some(&rectangle));
        assert_eq!([1, 2, 4, 5, 100].map(|run| part.frames_of_runs(run, &geometry)), [5, 6, 8, 5, 9]);
        assert!(!part.is_whole(&geometry) && Part::of(&format, &geometry, &(3..9), None).is_whole(&geometry));
        assert_eq!(part.within(&(0..10)), None);
        assert_eq!(part.within(&(20..30)), None);
        assert_eq!(part.within(&(5..35)), Some(Part { frames: 5, rows: 5..15, height: 30 }));
        assert_eq!(part.within(&(12..14)), Some(Part { frames: 5, rows: 0..2, height: 2 }));

        let scalars = FrameFormat::new(Dtype::U8, Layout::Array { shape: vec![6] }).unwrap();
        let folded = Geometry::new(&scalars, 40);
        assert!(Part::of(&scalars, &folded, &(2..5), None).is_whole(&folded));
    }
}

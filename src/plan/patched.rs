//! The plan of frames of which a part, the same in all of them, is not made from YUV as the rest is.

use std::ops::Range;

use super::{Making, Method, RecoveredPlan};
use crate::error::{Error, Result};
use crate::frame::{Geometry, PlaneGeometry};

/// Columns and rows of a cell.
pub const CELL: usize = 16;

/// The part of the frames that is put over what is recovered: cells of a rectangle, in pixels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Patch {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Lengths of runs of cells, row by row: of cells that belong to the patch, and of cells that do not, in turns. None if
    /// all belong to it.
    pub runs: Vec<usize>,
}

/// What is done to a batch whose planes are recovered in part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatchedPlan {
    /// What is not made from YUV.
    pub patch: Patch,
    /// What is done to the frames. Pixels of the patch do not count.
    pub recovered: RecoveredPlan,
    /// How the rectangle of the patch is coded; not as patched again.
    pub method: Box<Method>,
}

/// Pixels of some cells side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Columns, from the first one of the rectangle.
    pub columns: Range<usize>,
    /// Rows, from the first one of the rectangle.
    pub rows: Range<usize>,
}

/// Cells in so many pixels.
pub fn cells(pixels: usize) -> usize {
    pixels.div_ceil(CELL)
}

impl Patch {
    /// Checks that it lies in frames of `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming what does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        let fits = |first: u32, size: u32, whole: usize| {
            size > 0 && usize::try_from(u64::from(first) + u64::from(size)).is_ok_and(|end| end <= whole)
        };
        let PlaneGeometry { width, height, .. } = geometry.planes[0];
        if !fits(self.left, self.width, width) || !fits(self.top, self.height, height) {
            let Self { left, top, width: columns, height: rows, .. } = self;
            return Err(Error::corrupt(format!(
                "patch: {columns} x {rows} pixels at {left}, {top} of frames of {width} x {height}"
            )));
        }
        let cells = cells(self.width as usize) * cells(self.height as usize);
        let in_runs = self.runs.iter().try_fold(0usize, |sum, &run| sum.checked_add(run));
        if !self.runs.is_empty() && in_runs != Some(cells) {
            return Err(Error::corrupt(format!("patch: runs of cells that are not as many as {cells}")));
        }
        Ok(())
    }

    /// The geometry of its rectangle in frames of `geometry`, in which it lies, as packed frames.
    pub fn geometry(&self, geometry: &Geometry) -> Geometry {
        let (width, height) = (self.width as usize, self.height as usize);
        let channels = geometry.planes.len();
        let plane = |offset| PlaneGeometry { width, height, offset, step: channels, base: 0 };
        Geometry { frame_samples: width * height * channels, ..geometry.clone() }
            .with_planes((0..channels).map(plane).collect())
    }

    /// The rows of the frames that its rectangle takes.
    pub fn rows(&self) -> Range<usize> {
        self.top as usize..self.top as usize + self.height as usize
    }

    /// What belongs to it, row of cells by row of cells.
    pub fn spans(&self) -> Vec<Span> {
        let (width, height) = (self.width as usize, self.height as usize);
        let across = cells(width);
        if self.runs.is_empty() {
            return vec![Span { columns: 0..width, rows: 0..height }];
        }
        let mut spans = Vec::new();
        let mut end = 0;
        for (at, &run) in self.runs.iter().enumerate() {
            let mut first = end;
            end += run;
            while at % 2 == 0 && first < end {
                let (row, column) = (first / across, first % across);
                let last = (column + end - first).min(across);
                spans.push(Span {
                    columns: CELL * column..width.min(CELL * last),
                    rows: CELL * row..height.min(CELL * (row + 1)),
                });
                first += last - column;
            }
        }
        spans
    }

    /// Pixels that belong to it.
    pub fn pixels(&self) -> usize {
        self.spans().iter().map(|span| span.columns.len() * span.rows.len()).sum()
    }
}

impl PatchedPlan {
    /// Checks that the plan can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        check_patch(geometry, &self.patch)?;
        self.recovered.check(geometry)?;
        if matches!(*self.method, Method::Patched(_)) {
            return Err(Error::corrupt("patch: of frames that are patched already"));
        }
        self.method.check(&self.patch.geometry(geometry))
    }
}

/// Checks a patch of frames that may have one.
pub(crate) fn check_patch(geometry: &Geometry, patch: &Patch) -> Result<()> {
    if !Making::suits(geometry) {
        return Err(Error::corrupt("patch: of frames that are not made from YUV"));
    }
    patch.check(geometry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};

    fn geometry(width: usize, height: usize) -> Geometry {
        let layout = Layout::Packed { width, height, order: ChannelOrder::Bgra };
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 2)
    }

    #[test]
    fn spans_are_the_cells_of_the_runs() {
        let patch = Patch { left: 7, top: 3, width: 40, height: 35, runs: vec![0, 1, 4, 2, 2] };
        patch.check(&geometry(47, 38)).unwrap();
        let span = |columns, rows| Span { columns, rows };
        let expected = [span(16..40, 0..16), span(0..32, 16..32), span(16..40, 32..35)];
        assert_eq!(patch.spans(), expected);
        assert_eq!(patch.pixels(), 24 * 16 + 32 * 16 + 24 * 3);
        let whole = Patch { runs: Vec::new(), ..patch };
        assert_eq!(whole.spans(), [span(0..40, 0..35)]);
        assert_eq!(whole.geometry(&geometry(47, 38)), geometry(40, 35));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let patch = Patch { left: 7, top: 3, width: 40, height: 35, runs: vec![0, 1, 4, 2, 2] };
        let refused = |patch: Patch| patch.check(&geometry(47, 38)).unwrap_err();
        refused(Patch { left: 8, ..patch.clone() });
        refused(Patch { top: u32::MAX, ..patch.clone() });
        refused(Patch { width: 0, runs: Vec::new(), ..patch.clone() });
        refused(Patch { height: 36 + 3, ..patch.clone() });
        refused(Patch { runs: vec![8], ..patch.clone() });
        refused(Patch { runs: vec![usize::MAX, 10], ..patch });
    }
}

//! What the tiled path hands on where a backend codes residuals too.

use std::borrow::Cow;

use super::SegmentCode;
use crate::frame::{Geometry, TILE_GROUPS, Tiling};
use crate::plan::TilePlan;

/// The tiles of a batch, their residuals coded segment by segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedTiles<'a> {
    /// Id of the predictor of each tile, in the order of a [`TileBatch`](super::TileBatch).
    pub predictors: Vec<u8>,
    /// Class of each group, likewise; 0 for a group of zeros.
    pub classes: Vec<u8>,
    /// Segments, band by band, in order of time.
    pub segments: Vec<CodedSegment<'a>>,
}

/// The residuals of the groups of a segment whose class is not 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodedSegment<'a> {
    /// Residuals that the codes have an escape for, in order.
    pub escapes: Cow<'a, [u8]>,
    /// The first code and, if there are two, the second; none if all classes are 0.
    pub codes: Vec<SegmentCode<'a>>,
}

/// A coded segment with the predictors and classes of its tiles.
pub(crate) struct SegmentParts<'a> {
    pub predictors: &'a mut [u8],
    pub classes: &'a mut [u8],
    pub coded: &'a CodedSegment<'a>,
}

impl CodedTiles<'_> {
    /// The segments of each band.
    pub(crate) fn bands(
        &mut self,
        geometry: &Geometry,
        plan: &TilePlan,
        tiling: &Tiling,
    ) -> Vec<Vec<SegmentParts<'_>>> {
        let (mut predictors, mut classes) = (self.predictors.as_mut_slice(), self.classes.as_mut_slice());
        let mut segments = self.segments.iter();
        let of_band = |band_tiles: usize| {
            let lengths = plan.segment_lengths(geometry).map(|frames| frames * band_tiles);
            lengths
                .zip(segments.by_ref())
                .map(|(tiles, coded)| SegmentParts {
                    predictors: predictors.split_off_mut(..tiles).unwrap_or_default(),
                    classes: classes.split_off_mut(..tiles * TILE_GROUPS).unwrap_or_default(),
                    coded,
                })
                .collect()
        };
        tiling.bands.iter().map(|band| band.tiles()).map(of_band).collect()
    }
}

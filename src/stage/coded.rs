//! What the tiled path hands on where a backend codes residuals too.

use std::borrow::Cow;

use super::SegmentCode;
use crate::codec::{TileDecoderTables, check_code};
use crate::error::{Error, Result};
use crate::frame::{Geometry, TILE_GROUPS, Tiling};
use crate::plan::{TilePlan, TilePredictor};

/// The tiles of a batch, their residuals coded segment by segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

impl CodedSegment<'_> {
    /// Checks that these can be codes of `groups` groups.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they cannot.
    pub(crate) fn check(&self, groups: usize) -> Result<()> {
        match self.codes.len() {
            0 if groups == 0 && self.escapes.is_empty() => Ok(()),
            1 | 2 if groups > 0 => self.codes.iter().try_for_each(check_code),
            codes => Err(Error::corrupt(format!(
                "tiles: {codes} codes and {} escaped residuals for {groups} groups",
                self.escapes.len()
            ))),
        }
    }
}

impl CodedTiles<'_> {
    /// Appends the tiles of later bands.
    pub(crate) fn append(&mut self, later: Self) {
        self.predictors.extend(later.predictors);
        self.classes.extend(later.classes);
        self.segments.extend(later.segments);
    }

    /// Checks that these can be the tiles of such a plan. Returns how many groups are coded of each segment.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they cannot.
    pub(crate) fn check(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        tiling: &Tiling,
        tables: &TileDecoderTables,
    ) -> Result<Vec<usize>> {
        let tiles = tiling.tiles() * geometry.frames;
        if self.predictors.len() != tiles || self.classes.len() != tiles * TILE_GROUPS {
            return Err(Error::corrupt(format!("tiles: expected {tiles}, found {}", self.predictors.len())));
        }
        if let Some(id) = self.predictors.iter().find(|&&id| usize::from(id) >= TilePredictor::ALL.len()) {
            return Err(Error::corrupt(format!("tiles: {id} is no predictor")));
        }
        if self.segments.len() != tiling.bands.len() * plan.segments(geometry) {
            return Err(Error::corrupt(format!("tiles: {} segments", self.segments.len())));
        }
        let mut classes = self.classes.as_slice();
        let bands =
            tiling.bands.iter().flat_map(|band| plan.segment_lengths(geometry).map(move |frames| (band, frames)));
        let groups = bands.zip(&self.segments).map(|((band, frames), segment)| {
            let of_segment = classes.split_off(..frames * band.tiles() * TILE_GROUPS).unwrap_or_default();
            let groups = tables.of_groups(band, of_segment, |_| ())?;
            segment.check(groups)?;
            Ok(groups)
        });
        groups.collect()
    }

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

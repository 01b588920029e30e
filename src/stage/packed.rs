//! What the tiled path hands on where a backend packs residuals too.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::frame::{Geometry, TILE_GROUPS, Tiling};
use crate::plan::{TilePlan, TilePredictor};

/// The tiles of a batch, their residuals packed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedTiles<'a> {
    /// Id of the predictor of each tile, in the order of a [`TileBatch`](super::TileBatch).
    pub predictors: Vec<u8>,
    /// Of each group, likewise, the widths of its four parts, 4 bits each, the first one lowest; 0 for a group of zeros.
    pub widths: Vec<u16>,
    /// The numbers of the parts of each segment, one after another; segments band by band, in order of time.
    pub numbers: Vec<Cow<'a, [u8]>>,
}

/// A segment of these.
pub struct PackedSegment<'a> {
    /// Id of the predictor of each tile.
    pub predictors: &'a [u8],
    /// The widths of each group.
    pub widths: &'a [u16],
    /// The numbers of all parts.
    pub numbers: &'a [u8],
}

impl PackedTiles<'_> {
    /// Appends the tiles of later bands.
    pub(crate) fn append(&mut self, later: Self) {
        self.predictors.extend(later.predictors);
        self.widths.extend(later.widths);
        self.numbers.extend(later.numbers);
    }

    /// Checks that these can be the tiles of such a plan.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they cannot.
    pub(crate) fn check(&self, geometry: &Geometry, plan: &TilePlan, tiling: &Tiling) -> Result<()> {
        let tiles = tiling.tiles() * geometry.frames;
        if self.predictors.len() != tiles || self.widths.len() != tiles * TILE_GROUPS {
            return Err(Error::corrupt(format!("tiles: expected {tiles}, found {}", self.predictors.len())));
        }
        if let Some(id) = self.predictors.iter().find(|&&id| usize::from(id) >= TilePredictor::ALL.len()) {
            return Err(Error::corrupt(format!("tiles: {id} is no predictor")));
        }
        if self.numbers.len() != tiling.bands.len() * plan.segments(geometry) {
            return Err(Error::corrupt(format!("tiles: {} segments", self.numbers.len())));
        }
        for segment in self.bands(geometry, plan, tiling).into_iter().flatten() {
            let needed = segment.widths.iter().try_fold(0, |sum, &widths| Some(sum + numbers_bytes(widths)?));
            if needed != Some(segment.numbers.len()) {
                return Err(Error::corrupt("tiles: packed residuals that are not as long as their widths say"));
            }
        }
        Ok(())
    }

    /// The segments of each band.
    pub(crate) fn bands(&self, geometry: &Geometry, plan: &TilePlan, tiling: &Tiling) -> Vec<Vec<PackedSegment<'_>>> {
        let (mut predictors, mut widths) = (self.predictors.as_slice(), self.widths.as_slice());
        let mut numbers = self.numbers.iter();
        let of_band = |band_tiles: usize| {
            let lengths = plan.segment_lengths(geometry).map(|frames| frames * band_tiles);
            lengths
                .zip(numbers.by_ref())
                .map(|(tiles, numbers)| PackedSegment {
                    predictors: predictors.split_off(..tiles).unwrap_or_default(),
                    widths: widths.split_off(..tiles * TILE_GROUPS).unwrap_or_default(),
                    numbers,
                })
                .collect()
        };
        tiling.bands.iter().map(|band| band.tiles()).map(of_band).collect()
    }
}

/// Bytes of the numbers of a group, of whose widths none may be above 8.
pub(crate) fn numbers_bytes(widths: u16) -> Option<usize> {
    // A width of 8 has no bit beside its highest.
    let others = widths << 1 | widths << 2 | widths << 3;
    let pairs = (widths & 0x0F0F) + (widths >> 4 & 0x0F0F);
    (widths & others & 0x8888 == 0).then_some(2 * usize::from((pairs & 0xFF) + (pairs >> 8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_all_widths() {
        for widths in 0..=u16::MAX {
            let parts = [0, 4, 8, 12].map(|by| usize::from(widths >> by & 15));
            let expected = parts.iter().all(|&width| width <= 8).then(|| 2 * parts.iter().sum::<usize>());
            assert_eq!(numbers_bytes(widths), expected, "{widths:04x}");
        }
    }
}

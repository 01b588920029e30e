//! What the tiled path hands from prediction to coding.

use crate::error::{Error, Result};
use crate::frame::{Band, GROUP, Geometry, TILE_GROUPS, TILE_SAMPLES, Tiling, WorkBuffer};
use crate::plan::{TilePlan, TilePredictor};

/// Predictors that tiles are tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileEffort {
    /// [`TilePredictor::FEW`](crate::plan::TilePredictor::FEW).
    Few,
    /// [`TilePredictor::SOME`](crate::plan::TilePredictor::SOME).
    Some,
    /// [`TilePredictor::ALL`](crate::plan::TilePredictor::ALL).
    All,
}

impl TileEffort {
    /// The predictors.
    pub const fn predictors(self) -> &'static [TilePredictor] {
        match self {
            Self::Few => TilePredictor::FEW,
            Self::Some => TilePredictor::SOME,
            Self::All => TilePredictor::ALL,
        }
    }
}

/// The predictors and groups of some tiles.
type PartOfTiles<'a> = (&'a [u8], &'a [[u8; GROUP]]);

/// The tiles of a batch: band by band, frame by frame, coded plane by coded plane.
#[derive(Debug, Default, Clone)]
pub struct TileBatch {
    tiles: usize,
    /// The groups of all tiles, then their predictors: how a GPU holds them.
    buffer: WorkBuffer,
}

impl TileBatch {
    /// Makes room for `tiles` tiles. The content is unspecified.
    pub fn resize_for_overwrite(&mut self, tiles: usize) {
        self.tiles = tiles;
        self.buffer.resize_for_overwrite(Self::bytes_of(tiles));
    }

    /// Length of the buffer of `tiles` tiles.
    pub(crate) fn bytes_of(tiles: usize) -> usize {
        tiles * TILE_SAMPLES + tiles.next_multiple_of(4)
    }

    /// Groups and predictors as one.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.buffer.as_bytes()
    }

    /// The same, to be written.
    pub(crate) fn as_bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.as_bytes_mut()
    }

    /// Id of the predictor of each tile.
    pub fn predictors(&self) -> &[u8] {
        &self.as_bytes()[self.tiles * TILE_SAMPLES..][..self.tiles]
    }

    /// Zigzag-mapped residuals, four groups for each tile.
    pub fn groups(&self) -> &[[u8; GROUP]] {
        self.as_bytes()[..self.tiles * TILE_SAMPLES].as_chunks().0
    }

    /// Predictors and groups, to be written.
    pub fn parts_mut(&mut self) -> (&mut [u8], &mut [[u8; GROUP]]) {
        let tiles = self.tiles;
        let (groups, predictors) = self.as_bytes_mut().split_at_mut(tiles * TILE_SAMPLES);
        (&mut predictors[..tiles], groups.as_chunks_mut().0)
    }

    /// The predictors and groups of each band of `tiling` over `frames` frames.
    pub(crate) fn bands(&self, tiling: &Tiling, frames: usize) -> Vec<PartOfTiles<'_>> {
        let (mut predictors, mut groups) = (self.predictors(), self.groups());
        let of_band = |tiles: usize| {
            let of_band = predictors.split_off(..tiles).unwrap_or_default();
            (of_band, groups.split_off(..tiles * TILE_GROUPS).unwrap_or_default())
        };
        tiling.bands.iter().map(|band| band.tiles() * frames).map(of_band).collect()
    }

    /// The predictors and groups of each segment, with its band.
    pub(crate) fn segments<'a>(
        &'a self,
        geometry: &Geometry,
        plan: &TilePlan,
        tiling: &'a Tiling,
    ) -> Vec<(&'a Band, PartOfTiles<'a>)> {
        let mut segments = Vec::new();
        for (band, (mut predictors, mut groups)) in tiling.bands.iter().zip(self.bands(tiling, geometry.frames)) {
            for tiles in plan.segment_lengths(geometry).map(|frames| frames * band.tiles()) {
                let of_segment = predictors.split_off(..tiles).unwrap_or_default();
                segments.push((band, (of_segment, groups.split_off(..tiles * TILE_GROUPS).unwrap_or_default())));
            }
        }
        segments
    }

    /// The predictors and groups of each band of `tiling` over `frames` frames, to be written.
    pub(crate) fn bands_mut(&mut self, tiling: &Tiling, frames: usize) -> Vec<(&mut [u8], &mut [[u8; GROUP]])> {
        let (mut predictors, mut groups) = self.parts_mut();
        let of_band = |tiles: usize| {
            let of_band = predictors.split_off_mut(..tiles).unwrap_or_default();
            (of_band, groups.split_off_mut(..tiles * TILE_GROUPS).unwrap_or_default())
        };
        tiling.bands.iter().map(|band| band.tiles() * frames).map(of_band).collect()
    }

    /// Checks that these can be the tiles of `frames` frames.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for another number of tiles, or a predictor
    /// that there is not.
    pub(crate) fn check(&self, tiling: &Tiling, frames: usize) -> Result<()> {
        let expected = tiling.tiles() * frames;
        if self.tiles != expected {
            return Err(Error::corrupt(format!("tiles: expected {expected}, found {}", self.tiles)));
        }
        match self.predictors().iter().find(|&&predictor| usize::from(predictor) >= TilePredictor::ALL.len()) {
            Some(predictor) => Err(Error::corrupt(format!("tiles: predictor {predictor}"))),
            None => Ok(()),
        }
    }
}

/// What becomes of some frames of a band: for each frame, coded plane and tile a predictor and four
/// groups of residuals.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TiledFrames {
    /// Id of the predictor of each tile.
    pub predictors: Vec<u8>,
    /// Sum of the zigzag-mapped residuals of each group; 0 for a group of zeros.
    pub sums: Vec<u16>,
    /// Residuals of the groups whose sum is not 0, one after another.
    pub groups: Vec<[u8; GROUP]>,
}

impl TiledFrames {
    /// Appends tiles of a [`TileBatch`].
    pub fn extend(&mut self, predictors: &[u8], groups: &[[u8; GROUP]]) {
        self.predictors.extend(predictors);
        for group in groups {
            let sum = group.iter().map(|&residual| u16::from(residual)).sum();
            self.sums.push(sum);
            if sum > 0 {
                self.groups.push(*group);
            }
        }
    }

    /// Forgets the content, keeps the memory.
    pub fn clear(&mut self) {
        self.predictors.clear();
        self.sums.clear();
        self.groups.clear();
    }
}

/// Fills groups of a [`TileBatch`]: those whose mark (sum or class) is 0 with zeros, the others from
/// `coded`, in order.
pub fn spread<M: Default + PartialEq>(
    marks: &[M],
    coded: &mut std::slice::Iter<'_, [u8; GROUP]>,
    groups: &mut [[u8; GROUP]],
) {
    for (mark, group) in marks.iter().zip(groups) {
        let zeros = *mark == M::default();
        *group = if zeros { None } else { coded.next() }.copied().unwrap_or([0; GROUP]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_zeros_are_left_out_and_put_back() {
        let mut groups = [[0; GROUP]; 8];
        groups[2][5] = 9;
        groups[7] = [255; GROUP];
        let mut frames = TiledFrames::default();
        frames.extend(&[3, 11], &groups);
        assert_eq!((frames.predictors.as_slice(), frames.groups.len()), ([3, 11].as_slice(), 2));
        assert_eq!(frames.sums, [0, 0, 9, 0, 0, 0, 0, 255 * GROUP as u16]);
        let mut spread_out = [[1; GROUP]; 8];
        spread(&frames.sums, &mut frames.groups.iter(), &mut spread_out);
        assert_eq!(spread_out, groups);
    }
}

//! What the tiled path hands from prediction to coding.

use crate::frame::GROUP;

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
    /// Forgets the content, keeps the memory.
    pub fn clear(&mut self) {
        self.predictors.clear();
        self.sums.clear();
        self.groups.clear();
    }
}

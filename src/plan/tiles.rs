//! The plan of the tiled path, as it is recorded.

use super::Colour;
use crate::codec::TileTables;
use crate::error::{Error, Result};
use crate::frame::{Geometry, Tiling};
use crate::motion::shares;

/// How a tile is predicted from its neighbours left (w), above (n), above left (nw), above right
/// (ne) and from the frame before (p, and pw, pn, pnw at the places of the neighbours).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TilePredictor {
    /// p.
    Previous = 0,
    /// p + w - pw.
    PreviousLeft = 1,
    /// p + n - pn.
    PreviousUp = 2,
    /// p + (w - pw) + (n - pn) - (nw - pnw).
    PreviousGradient = 3,
    /// w.
    Left = 4,
    /// n.
    Up = 5,
    /// w + n - nw.
    Gradient = 6,
    /// w + half of (n - nw).
    HalfGradient = 7,
    /// w + half of (ne - nw).
    Slope = 8,
    /// p + (w - pw) + half of ((n - pn) - (nw - pnw)).
    PreviousHalfGradient = 9,
    /// p + half of (n - p).
    PreviousAndUp = 10,
    /// p + half of (n - pn).
    PreviousHalfUp = 11,
}

impl TilePredictor {
    /// Every predictor, in order of id.
    pub const ALL: &'static [Self] = &[
        Self::Previous,
        Self::PreviousLeft,
        Self::PreviousUp,
        Self::PreviousGradient,
        Self::Left,
        Self::Up,
        Self::Gradient,
        Self::HalfGradient,
        Self::Slope,
        Self::PreviousHalfGradient,
        Self::PreviousAndUp,
        Self::PreviousHalfUp,
    ];

    /// Those that are quick to choose among.
    pub const FEW: &'static [Self] = &[Self::Previous, Self::PreviousGradient, Self::Left, Self::Gradient];

    /// Those that are seldom missed.
    pub const SOME: &'static [Self] = &[
        Self::Previous,
        Self::PreviousLeft,
        Self::PreviousUp,
        Self::PreviousGradient,
        Self::Left,
        Self::Up,
        Self::Gradient,
    ];
}

/// How a batch becomes coded planes and tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCut {
    /// Colour transform of planes 0 to 2.
    pub colour: Colour,
    /// Whether planes 0 and 2 are split into their phases.
    pub split_chroma: bool,
    /// Bands of a frame.
    pub bands: u32,
}

impl TileCut {
    /// The bands and their coded planes.
    pub fn tiling(&self, geometry: &Geometry) -> Tiling {
        Tiling::new(geometry, self.bands as usize, self.split_chroma)
    }

    /// Checks that frames of `geometry` can be cut so.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        check_cut(geometry, self.colour, self.split_chroma, self.bands, 1)
    }
}

/// What is done to a batch on the tiled path: resolved, and recorded with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TilePlan {
    /// Colour transform of planes 0 to 2.
    pub colour: Colour,
    /// Whether planes 0 and 2 are split into their phases.
    pub split_chroma: bool,
    /// Bands of a frame.
    pub bands: u32,
    /// Frames of a band that are coded together; the last segment of a batch may have fewer.
    pub segment_frames: u32,
    /// Whether frames but the first are expected to be what vectors make of the one before.
    pub moves: bool,
    /// How residuals are coded.
    pub coding: TileCoding,
}

/// How the residuals of tiles are coded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TileCoding {
    /// rANS with these frequency tables.
    Tables(TileTables),
    /// Bit packing.
    Packed,
}

impl TilePlan {
    /// What becomes of the batch before it is coded.
    pub fn cut(&self) -> TileCut {
        TileCut { colour: self.colour, split_chroma: self.split_chroma, bands: self.bands }
    }

    /// How the batch is cut.
    pub fn tiling(&self, geometry: &Geometry) -> Tiling {
        Tiling::new(geometry, self.bands as usize, self.split_chroma)
    }

    /// Segments of each band.
    pub fn segments(&self, geometry: &Geometry) -> usize {
        geometry.frames.div_ceil(self.segment_frames as usize)
    }

    /// Frames of each segment of a band.
    pub(crate) fn segment_lengths(&self, geometry: &Geometry) -> impl Iterator<Item = usize> + use<> {
        let (frames, segment_frames) = (geometry.frames, self.segment_frames as usize);
        (0..frames).step_by(segment_frames).map(move |first| segment_frames.min(frames - first))
    }

    /// Checks that the plan can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        check_cut(geometry, self.colour, self.split_chroma, self.bands, self.segment_frames)?;
        if self.moves && !(self.has_tables() && can_move(geometry)) {
            return Err(Error::corrupt("tile plan: frames that cannot move"));
        }
        Ok(())
    }

    /// Whether residuals are coded with tables.
    pub(crate) fn has_tables(&self) -> bool {
        matches!(self.coding, TileCoding::Tables(_))
    }
}

/// Whether tiles of such frames can be expected where vectors lead. These are for the first plane, where it is by itself.
pub(crate) fn can_move(geometry: &Geometry) -> bool {
    geometry.planes.first().is_some_and(|plane| plane.step == 1) && shares(geometry).is_some()
}

/// Checks all of a [`TilePlan`] but its coding, which is read after it.
pub(crate) fn check_cut(
    geometry: &Geometry,
    colour: Colour,
    split_chroma: bool,
    bands: u32,
    segment_frames: u32,
) -> Result<()> {
    if !Tiling::suits(geometry) {
        return Err(Error::corrupt("tile plan: frames that cannot be tiled"));
    }
    if (colour != Colour::None || split_chroma) && !geometry.colour {
        return Err(Error::corrupt("tile plan: a colour transform on frames that have no colour channels"));
    }
    let most = Tiling::most_bands(geometry, split_chroma);
    if bands == 0 || bands as usize > most {
        return Err(Error::corrupt(format!("tile plan: expected 1 to {most} bands, found {bands}")));
    }
    if segment_frames == 0 {
        return Err(Error::corrupt("tile plan: segments without frames"));
    }
    Ok(())
}

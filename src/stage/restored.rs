//! What tiles are restored to.

use std::borrow::Cow;

use crate::frame::Geometry;
use crate::plan::Making;

/// Raw frames that are restored from tiles: those that were cut into them, or packed frames that are made of planes that were.
#[derive(Debug, Clone, Copy)]
pub struct Restored<'a> {
    /// Geometry of the raw frames.
    pub geometry: &'a Geometry,
    /// How they are made of planes, if they are.
    pub making: Option<&'a Making>,
}

impl<'a> Restored<'a> {
    /// Frames that are made of planes.
    pub fn made(geometry: &'a Geometry, making: &'a Making) -> Self {
        Self { geometry, making: Some(making) }
    }

    /// Geometry of what was cut into tiles.
    pub fn tiled(&self) -> Cow<'a, Geometry> {
        match self.making {
            None => Cow::Borrowed(self.geometry),
            Some(making) => Cow::Owned(making.planes(self.geometry)),
        }
    }
}

impl<'a> From<&'a Geometry> for Restored<'a> {
    /// Frames that were cut into tiles.
    fn from(geometry: &'a Geometry) -> Self {
        Self { geometry, making: None }
    }
}

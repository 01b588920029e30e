//! The plan of the adaptive model, as it is recorded.

use std::ops::Range;

use super::{Colour, Plan, Values};
use crate::error::{Error, Result};
use crate::frame::{Geometry, rows_of_part};

/// Rows that strips are counted in, in every plane.
const UNIT: usize = 16;

/// What is done to a batch that the adaptive model codes: resolved, and recorded with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StripPlan {
    /// The values that occur, if samples are places among them. They are so before the colour transform.
    pub values: Values,
    /// Colour transform of planes 0 to 2.
    pub colour: Colour,
    /// Strips of a frame, each coded by itself.
    pub strips: u32,
    /// Whether frames but the first are expected to be what vectors make of the one before.
    pub moves: bool,
}

impl StripPlan {
    /// Whether frames of this geometry can be coded by the model.
    pub fn suits(geometry: &Geometry) -> bool {
        geometry.sample_bytes <= 2 && geometry.planes.iter().all(|plane| plane.width > 0 && plane.height > 0)
    }

    /// Most strips that a batch can have.
    pub fn most_strips(geometry: &Geometry) -> usize {
        let rows = geometry.planes.iter().map(|plane| plane.height).min().unwrap_or(0);
        rows.div_ceil(UNIT)
    }

    /// The rows of strip `strip` in a plane of `height` rows.
    pub fn rows(&self, height: usize, strip: usize) -> Range<usize> {
        rows_of_part(height, UNIT, self.strips as usize, strip)
    }

    /// The planes in the order in which they are coded: those that differences refer to come first.
    pub fn order(&self, geometry: &Geometry) -> Vec<usize> {
        let mut order: Vec<usize> = (0..geometry.planes.len()).collect();
        if geometry.colour {
            order.swap(0, 1);
        }
        order
    }

    /// The plan that brings raw frames to planes, and back.
    pub fn planes(&self, geometry: &Geometry) -> Plan {
        Plan { values: self.values.clone(), colour: self.colour, ..Plan::identity(geometry) }
    }

    /// Checks that the plan can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        if !Self::suits(geometry) {
            return Err(Error::corrupt("strip plan: frames that the model cannot code"));
        }
        self.values.check(geometry)?;
        if self.colour != Colour::None && !geometry.colour {
            return Err(Error::corrupt("strip plan: a colour transform on frames that have no colour channels"));
        }
        if self.moves && (!self.values.is_empty() || crate::motion::shares(geometry).is_none()) {
            return Err(Error::corrupt("strip plan: frames that cannot move"));
        }
        let most = Self::most_strips(geometry);
        if self.strips == 0 || self.strips as usize > most {
            return Err(Error::corrupt(format!("strip plan: expected 1 to {most} strips, found {}", self.strips)));
        }
        Ok(())
    }
}

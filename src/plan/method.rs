//! How a batch is coded: one of several paths, each with a plan of its own.

use super::{PatchedPlan, Plan, RecoveredPlan, StripPlan, TilePlan, picture};
use crate::error::{Error, Result};
use crate::frame::Geometry;

/// How a batch is coded, as it is recorded with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// One predictor per plane; blocks of any codec.
    Planes(Plan),
    /// One predictor per tile; segments coded with a table per class.
    Tiles(TilePlan),
    /// Whole raw frames, coded by which neighbour a unit is equal to.
    Discrete,
    /// Planes coded by the adaptive model, strip by strip.
    Strips(StripPlan),
    /// Packed frames as the YUV planes that they were made from, which are coded by another method.
    Recovered(RecoveredPlan),
    /// The same where only a part of the frames was made from YUV: the rest is coded by another method.
    Patched(PatchedPlan),
}

impl Method {
    /// Its name in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Method::Planes(_) => "planes",
            Method::Tiles(_) => "tiles",
            Method::Discrete => "discrete",
            Method::Strips(_) => "strips",
            Method::Recovered(_) => "recovered",
            Method::Patched(_) => "patched",
        }
    }

    /// Whether some rows or the first frames can be decoded without the rest.
    pub fn has_parts(&self) -> bool {
        match self {
            Method::Tiles(_) | Method::Strips(_) => true,
            Method::Planes(_) | Method::Discrete => false,
            Method::Recovered(plan) => plan.method.has_parts(),
            Method::Patched(plan) => plan.recovered.method.has_parts() || plan.method.has_parts(),
        }
    }

    /// Checks that it can be carried out on `geometry`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) naming the field that does not fit.
    pub fn check(&self, geometry: &Geometry) -> Result<()> {
        match self {
            Method::Planes(plan) => plan.check(geometry),
            Method::Tiles(plan) => plan.check(geometry),
            Method::Strips(plan) => plan.check(geometry),
            Method::Recovered(plan) => plan.check(geometry),
            Method::Patched(plan) => plan.check(geometry),
            Method::Discrete if picture(geometry).is_some() => Ok(()),
            Method::Discrete => Err(Error::corrupt("discrete coding of frames that are no picture")),
        }
    }
}

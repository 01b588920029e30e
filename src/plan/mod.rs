//! From what was asked ([`Settings`]) and what was measured (`Statistics`) to what is done and
//! recorded ([`Plan`]).
//!
//! Every decision is integer arithmetic on integer measurements, so it is the same on every machine
//! and device. The decoder reads the plan and decides nothing.

mod choose;
mod choose_tiles;
mod level;
mod recorded;

mod sample;
mod settings;
mod statistics;
mod tiles;

pub use recorded::{Colour, Plan, PlanePlan, Predictor, Shuffle};
pub use settings::{CodecChoice, DeviceChoice, Settings};
pub use tiles::{TileCut, TilePlan, TilePredictor};

pub(crate) use choose_tiles::{TileChoice, band_slices, choose_tiles};
pub(crate) use tiles::check_cut;

#[doc(hidden)]
pub use choose::choose;
#[doc(hidden)]
pub use level::LevelParameters;
pub(crate) use sample::Sample;

#[doc(hidden)]
pub use statistics::Candidate;

pub(crate) use statistics::Statistics;

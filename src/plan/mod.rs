//! From what was asked ([`Settings`]) and what was measured (`Statistics`) to what is done and
//! recorded ([`Plan`]).
//!
//! Every decision is integer arithmetic on integer measurements, so it is the same on every machine
//! and device. The decoder reads the plan and decides nothing.

mod choose;
mod choose_conversion;
mod choose_method;
mod choose_motion;
mod choose_moving_tiles;
mod choose_order;
mod choose_patch;
mod choose_strips;
mod choose_tiles;
mod conversion;
mod conversions;
mod level;
mod method;
mod patched;
mod places;
mod recorded;
mod recovered;
mod sample;
mod settings;
mod statistics;
mod strips;
mod tiles;
mod values;

pub use conversion::{Conversion, Term};
pub use method::Method;
pub use patched::{Patch, PatchedPlan};
pub use recorded::{Colour, Plan, PlanePlan, Predictor, Shuffle};
pub use recovered::{Making, RecoveredPlan};
pub use settings::{CodecChoice, DeviceChoice, Policy, Settings};
pub use strips::StripPlan;
pub use tiles::{TileCoding, TileCut, TilePlan, TilePredictor};

pub(crate) use choose_conversion::{Extent, Found, choose_conversion};
pub(crate) use choose_method::picture;
pub(crate) use choose_order::order_motion;
pub(crate) use choose_strips::choose_strips;
pub(crate) use choose_tiles::band_slices;
pub(crate) use conversion::ChromaTerms;
pub(crate) use patched::{CELL, Span, check_patch};
pub(crate) use recovered::check_making;
pub(crate) use tiles::check_cut;
pub use values::Values;

#[doc(hidden)]
pub use choose::{PlanesChoice, choose};
#[doc(hidden)]
pub use choose_method::{ChoiceByPlaces, MethodChoice, choose_by_places, choose_methods, choose_planes_by_places};
#[doc(hidden)]
pub use choose_tiles::{TileChoice, choose_tiles};
#[doc(hidden)]
pub use conversions::{KNOWN, Known};
#[doc(hidden)]
pub use level::LevelParameters;
#[doc(hidden)]
pub use places::{places, places_of_planes};
pub(crate) use sample::Sample;

#[doc(hidden)]
pub use statistics::Candidate;

pub(crate) use statistics::Statistics;

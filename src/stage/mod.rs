//! The contract between plans and the machinery that carries them out.
//!
//! A *stage* is a reversible transform that keeps the size of what it works on. A batch runs
//! through them in this order, and back in the reverse order:
//!
//! 1. colour: raw frames to planes, with the colour transform;
//! 2. temporal: differences from the frame before;
//! 3. predict: spatial residuals, zigzag-mapped;
//! 4. byte shuffle or bit shuffle, per span.
//!
//! Histogram and entropy measure what comes out of stage 3.
//!
//! The tiled path of 8-bit planes is apart from these: raw frames to tiles whose residuals are coded or packed, and back,
//! and the rANS coders by themselves. So is recovery: packed frames to the YUV planes they were made from, and back; and so
//! is the search for motion.

mod coded;
mod packed;
mod profile;
mod resident;
mod restored;
mod segments;
mod solved;
mod tiles;

pub(crate) use coded::SegmentParts;
pub use coded::{CodedSegment, CodedTiles};
#[cfg(feature = "gpu")]
pub(crate) use packed::numbers_bytes;
pub use packed::{PackedSegment, PackedTiles};
pub use profile::{Detail, DeviceRates, DeviceRun, KernelRun};
pub use resident::{Resident, SolvedThere};
pub use restored::Restored;
pub use segments::{SegmentCode, Segments};
pub use solved::SolvedPlanes;
pub use tiles::{TileBatch, TileEffort, TiledFrames, spread};

use std::ops::Range;

use crate::codec::{DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, WorkBuffer};
use crate::motion::{Field, Filter, Motion, SearchEffort};
use crate::plan::{Candidate, Making, Plan, PlanePlan, Predictor, TilePlan};

/// A device that runs stages. It takes a whole plan and batch, so that data stays where it is
/// between stages.
///
/// Every backend gives the same bytes. Callers have checked the plan against the geometry
/// ([`Plan::check`]) and that `batch.raw` has [`Geometry::raw_bytes`] bytes.
pub trait Backend: Send + Sync {
    /// Whether this is the CPU, where what follows is in the cache.
    fn is_cpu(&self) -> bool {
        false
    }

    /// Raw frames to residuals, laid out in `out` as `geometry` says. Bytes between planes are
    /// unspecified.
    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()>;

    /// Residuals to raw frames. `residuals` may be used as working memory.
    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()>;

    /// Order-0 entropy of the residuals each candidate leaves, one value per candidate and plane
    /// (candidate-major), in bits as fixed point ([`crate::cpu::entropy`]).
    ///
    /// Frame 0 is left out of the count where there are others, because a temporal candidate does
    /// not reach it.
    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>>;

    /// Raw frames to tiles whose residuals are packed. Callers have checked the plan, whose coding is not looked at.
    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>>;

    /// Packed tiles to raw frames, of what is tiled or made of that. Callers have checked the plan, whose coding is not looked
    /// at, and the making as for [`convert`](Self::convert).
    ///
    /// # Errors
    /// Corrupt if `packed` are not the tiles of such a plan.
    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()>;

    /// Raw frames to tiles whose residuals are coded. Callers have checked the plan, whose coding is not looked at:
    /// `tables` are those of it, and there is `motion` where the frames of the plan move.
    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>>;

    /// Coded tiles to raw frames, of what is tiled or made of that. Callers have checked the plan, whose coding is not looked
    /// at, and the making as for [`convert`](Self::convert): `tables` are those of the plan, and there is `motion` where its
    /// frames move.
    ///
    /// # Errors
    /// Corrupt if `coded` are not the tiles of such a plan.
    fn tiles_decode(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        motion: Option<&Motion>,
        raw: &mut [u8],
    ) -> Result<()>;

    /// The frames that are expected where frames move, one after another: what `motion` makes of each raw frame but the last.
    /// Callers have checked that there are vectors for all others, and that these can move.
    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()>;

    /// Packed frames to the planes that they seem to be made from. Callers have checked that they suit
    /// ([`Making::suits`]).
    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()>;

    /// The same to planes that stay there. What comes here are `places` of them, which are in order and each from a multiple of 4
    /// on. `None` where nothing stays, or if there is no room for all of it at once.
    fn solve_there<'a>(
        &'a self,
        _batch: Batch<'_>,
        _making: &Making,
        _places: Vec<Range<usize>>,
    ) -> Result<Option<SolvedThere<'a>>> {
        Ok(None)
    }

    /// Planes, laid out as [`Making::planes`] says, to packed frames. Callers have checked the making
    /// ([`RecoveredPlan::check`](crate::plan::RecoveredPlan::check)) and the length of `planes`.
    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()>;

    /// How the first planes of frames of one size have moved with a filter, each since the one before; `last` is how the first
    /// of them has, if that is known. Planes have `width` bytes a row and are as large as a block at least.
    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>>;

    /// Codes the groups of each segment.
    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>>;

    /// Decodes the groups of each segment.
    ///
    /// # Errors
    /// Corrupt if a code is not one of such groups.
    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()>;
}

/// A backend beside the CPU, which can fail at any time.
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "only tests implement it without a GPU"))]
pub trait Accelerator: Backend {
    /// Name for people.
    fn name(&self) -> &str;

    /// What remembered measurements are of: name, place and driver.
    fn identity(&self) -> String;

    /// Whether the device is gone for good.
    fn is_lost(&self) -> bool;

    /// From now on, what is on its way to the device and back, and buffers that are kept for that, take so many bytes of
    /// the host's memory at most; but one batch always may.
    fn staging_within(&self, bytes: u64);
}

/// How samples compare and average: as unsigned or as two's complement numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As unsigned numbers.
    Unsigned,
    /// As two's complement numbers.
    Signed,
}

/// The order of the samples that the spatial predictor of plane `plane` sees.
///
/// Differences are small numbers of either sign; everything else keeps the order of its dtype, with
/// floats ordered as their bit patterns.
pub(crate) fn order(geometry: &Geometry, plan_has_colour: bool, plane: usize, temporal: bool) -> Order {
    let colour_difference = plan_has_colour && (plane == 0 || plane == 2);
    if geometry.signed || colour_difference || temporal { Order::Signed } else { Order::Unsigned }
}

/// Whether residuals of a frame are zigzag-mapped: whenever anything was subtracted by prediction.
pub(crate) fn zigzag(temporal: bool, predictor: Predictor) -> bool {
    temporal || predictor != Predictor::None
}

/// The plan of a plane that a candidate stands for.
pub(crate) fn candidate_plane(candidate: Candidate) -> PlanePlan {
    PlanePlan {
        intra: candidate.predictor,
        temporal: candidate.temporal,
        inter: candidate.predictor,
        shuffle: crate::plan::Shuffle::None,
    }
}

//! What stays on a device from one step to the next.

use std::ops::Range;

use super::{CodedTiles, PackedTiles, SolvedPlanes, TileEffort};
use crate::codec::TileEncoderTables;
use crate::error::Result;
use crate::frame::Geometry;
use crate::plan::TilePlan;

/// Raw frames that are on a device, or the [`SolvedPlanes`] of such.
pub trait Resident: Send + Sync {
    /// Copies the pages that have bytes of `places` to where they belong in `content`, which is as long as what is there.
    fn download(&self, places: &[Range<usize>], content: &mut [u8]) -> Result<()>;

    /// The other way round: whole pages of `content`.
    fn upload(&self, places: &[Range<usize>], content: &[u8]) -> Result<()>;

    /// Copies as much as `content` has room for, from the beginning on.
    fn bring(&self, content: &mut [u8]) -> Result<()>;

    /// Whether tiles of such a plan can be made of all of it at once: coded with `tables`, or packed without.
    fn has_room(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: Option<&TileEncoderTables>,
    ) -> bool;

    /// Codes it as [`Backend::tiles_encode`](super::Backend::tiles_encode) does.
    fn tiles_encode(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<CodedTiles<'static>>;

    /// Packs it as [`Backend::tiles_pack`](super::Backend::tiles_pack) does.
    fn tiles_pack(&self, geometry: &Geometry, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>>;
}

/// Planes that frames seem to be made from, on the device that has solved them.
pub struct SolvedThere<'a> {
    /// [`SolvedPlanes`].
    pub there: Box<dyn Resident + 'a>,
    /// How many blocks of each span of a row of blocks have misfits.
    pub misfitting: Vec<u32>,
    /// As long, with what has come here.
    pub seen: SolvedPlanes,
}

//! An accelerator whose time is taken.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::codec::{DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, WorkBuffer};
use crate::motion::{Field, Filter, Motion, SearchEffort};
use crate::plan::{Candidate, Making, Plan, TilePlan};
use crate::stage::{
    Backend, CodedTiles, PackedTiles, Resident, Restored, SegmentCode, Segments, SolvedPlanes, SolvedThere, TileEffort,
};

/// A backend for one batch, with the time that its calls take.
pub(super) struct Metered<'a> {
    backend: &'a dyn Backend,
    meter: Meter,
}

/// What stays on such a backend.
struct MeteredResident<'a> {
    resident: Box<dyn Resident + 'a>,
    meter: &'a Meter,
}

/// What calls took so far.
#[derive(Default)]
struct Meter {
    nanoseconds: AtomicU64,
}

impl Meter {
    fn timed<R>(&self, call: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = call();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }
}

impl<'a> Metered<'a> {
    pub fn new(backend: &'a dyn Backend) -> Self {
        Self { backend, meter: Meter::default() }
    }

    /// What all calls took so far.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.meter.nanoseconds.load(Ordering::Relaxed))
    }

    fn timed<R>(&self, call: impl FnOnce(&dyn Backend) -> R) -> R {
        self.meter.timed(|| call(self.backend))
    }
}

impl Backend for Metered<'_> {
    fn is_cpu(&self) -> bool {
        self.backend.is_cpu()
    }

    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        self.timed(|backend| backend.forward(batch, plan, out))
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.timed(|backend| backend.inverse(geometry, plan, residuals, raw))
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>> {
        self.timed(|backend| backend.costs(batch, candidates))
    }

    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        self.timed(|backend| backend.tiles_pack(batch, plan, effort))
    }

    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.timed(|backend| backend.tiles_unpack(restored, plan, packed, raw))
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>> {
        self.timed(|backend| backend.tiles_encode(batch, plan, effort, tables, motion))
    }

    fn tiles_decode(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        motion: Option<&Motion>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.timed(|backend| backend.tiles_decode(restored, plan, tables, coded, motion, raw))
    }

    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
        self.timed(|backend| backend.expect(batch, motion, out))
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        self.timed(|backend| backend.solve(batch, making, out))
    }

    fn solve_there<'a>(
        &'a self,
        batch: Batch<'_>,
        making: &Making,
        places: Vec<Range<usize>>,
    ) -> Result<Option<SolvedThere<'a>>> {
        let solved = self.meter.timed(|| self.backend.solve_there(batch, making, places))?;
        let metered = |there| Box::new(MeteredResident { resident: there, meter: &self.meter });
        Ok(solved.map(|solved| SolvedThere { there: metered(solved.there), ..solved }))
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        self.timed(|backend| backend.convert(geometry, making, planes, raw))
    }

    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>> {
        self.timed(|backend| backend.search(frames, width, filter, last, effort))
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        self.timed(|backend| backend.rans_encode(tables, segments, groups))
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        self.timed(|backend| backend.rans_decode(tables, segments, codes, groups))
    }
}

impl Resident for MeteredResident<'_> {
    fn download(&self, places: &[Range<usize>], content: &mut [u8]) -> Result<()> {
        self.meter.timed(|| self.resident.download(places, content))
    }

    fn upload(&self, places: &[Range<usize>], content: &[u8]) -> Result<()> {
        self.meter.timed(|| self.resident.upload(places, content))
    }

    fn bring(&self, content: &mut [u8]) -> Result<()> {
        self.meter.timed(|| self.resident.bring(content))
    }

    fn has_room(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: Option<&TileEncoderTables>,
    ) -> bool {
        self.resident.has_room(geometry, plan, effort, tables)
    }

    fn tiles_encode(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<CodedTiles<'static>> {
        self.meter.timed(|| self.resident.tiles_encode(geometry, plan, effort, tables))
    }

    fn tiles_pack(&self, geometry: &Geometry, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        self.meter.timed(|| self.resident.tiles_pack(geometry, plan, effort))
    }
}

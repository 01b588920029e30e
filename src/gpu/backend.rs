//! A GPU as a [`Backend`].

use std::ops::Range;

use super::adapters::{self, Found, Selection};
use super::engine::Engine;
use super::record_rans::{EncodedEnd, Ends};
use super::record_recover::Solving;
use super::record_tiles::RawFrames;
use super::{probe, record, record_motion, record_rans, split_planes, split_recovered, split_search, split_tiles};
use crate::codec::{self, DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::device::DeviceDescription;
use crate::error::{Error, Result};
use crate::frame::{Batch, GROUP, Geometry, WorkBuffer};
use crate::motion::{Field, Filter, Motion, SearchEffort};
use crate::plan::{Candidate, Making, Plan, TilePlan};
use crate::stage::{
    Accelerator, Backend, CodedTiles, PackedTiles, Restored, SegmentCode, Segments, SolvedPlanes, SolvedThere,
    TileEffort,
};

/// One GPU. It may fail at any time with [`ErrorKind::Gpu`](crate::ErrorKind::Gpu); the batch can
/// then be done elsewhere, and once it is lost so must all others.
pub struct GpuBackend {
    pub(super) engine: Engine,
    description: DeviceDescription,
}

impl GpuBackend {
    /// Opens an adapter and checks its results against the CPU.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if there is no such adapter, or none that works.
    pub fn new(selection: Selection<'_>) -> Result<Self> {
        Self::with_most_bound(selection, u64::MAX)
    }

    /// The same with buffers of which kernels see `most_bound` bytes at most, whatever the adapter offers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_most_bound(selection: Selection<'_>, most_bound: u64) -> Result<Self> {
        let mut failure = Error::gpu("no GPU adapter on this machine");
        for found in adapters::select(selection)? {
            match Self::open(&found, most_bound) {
                Ok(backend) => return Ok(backend),
                Err(error) => failure = error.context(&found.description),
            }
        }
        Err(failure)
    }

    /// Whether the adapter with this index works.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) with what is wrong with it.
    pub fn probe(index: usize) -> Result<()> {
        adapters::select(Selection::Named(&index.to_string()))?
            .iter()
            .try_for_each(|found| Self::open(found, u64::MAX).map(drop))
    }

    fn open(found: &Found, most_bound: u64) -> Result<Self> {
        Self::checked(Engine::new(&found.adapter, most_bound)?, found.description.clone())
    }

    fn checked(engine: Engine, description: DeviceDescription) -> Result<Self> {
        let backend = Self { engine, description };
        probe::check(&backend)?;
        probe::check_solved(&backend)?;
        // The probe takes nearly every kernel.
        backend.engine.store_pipelines();
        Ok(backend)
    }

    /// A backend on a device that is lent, and checked like any other. Its handlers of errors and of its loss are left
    /// alone.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) with what it lacks, or what is wrong with it.
    pub fn lent(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let description = adapters::describe(device.adapter_info(), &device.limits(), device.features());
        Self::checked(Engine::lent(device, queue)?, description)
    }

    /// The adapter.
    pub fn description(&self) -> &DeviceDescription {
        &self.description
    }

    /// The most submissions that the device had to do with at the same time.
    pub fn most_outstanding(&self) -> usize {
        self.engine.most_outstanding()
    }

    /// Loses the device, as if a cable had come loose.
    pub fn destroy(&self) {
        self.engine.destroy();
    }
}

impl Backend for GpuBackend {
    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        out.resize_for_overwrite(batch.geometry.work_bytes());
        if batch.raw.is_empty() {
            return Ok(());
        }
        split_planes::forward(&self.engine, batch, plan, out)
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        if raw.is_empty() {
            return Ok(());
        }
        if residuals.as_bytes().len() < geometry.work_bytes() {
            return Err(Error::gpu("residuals: their buffer is smaller than the batch"));
        }
        split_planes::inverse(&self.engine, geometry, plan, residuals, raw)
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>> {
        let geometry = batch.geometry;
        let histograms = candidates.len() * geometry.planes.len() * geometry.sample_bytes;
        let mut entropies = vec![0; histograms * size_of::<u64>()];
        if !batch.raw.is_empty() && !candidates.is_empty() {
            self.engine.execute(&record::costs(geometry, candidates)?, batch.raw, &mut entropies)?;
        }
        let of_byte = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        Ok(entropies
            .as_chunks()
            .0
            .chunks(geometry.sample_bytes)
            .map(|bytes_of_sample| bytes_of_sample.iter().map(of_byte).sum())
            .collect())
    }

    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        if batch.raw.is_empty() {
            return Ok(PackedTiles::default());
        }
        split_tiles::pack(&self.engine, batch, plan, effort)
    }

    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        let tiled = restored.tiled();
        packed.check(&tiled, plan, &plan.tiling(&tiled))?;
        if raw.is_empty() {
            return Ok(());
        }
        split_tiles::unpack(&self.engine, restored, plan, packed, raw)
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>> {
        if batch.raw.is_empty() {
            return Ok(CodedTiles::default());
        }
        split_tiles::encode(&self.engine, batch, plan, effort, tables, motion)
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
        let tiled = restored.tiled();
        let groups = coded.check(&tiled, plan, &plan.tiling(&tiled), tables)?;
        if raw.is_empty() {
            return Ok(());
        }
        split_tiles::decode(&self.engine, (restored, motion), plan, tables, (coded, &groups), raw)
    }

    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        self.engine.execute(&record_motion::expected(batch.geometry, motion)?, batch.raw, out)
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        out.resize_for_overwrite(&making.planes(batch.geometry));
        if batch.raw.is_empty() {
            return Ok(());
        }
        split_recovered::solve(&self.engine, batch, making, out)
    }

    fn solve_there<'a>(
        &'a self,
        batch: Batch<'_>,
        making: &Making,
        places: Vec<Range<usize>>,
    ) -> Result<Option<SolvedThere<'a>>> {
        let Batch { geometry, raw } = batch;
        let solving = Solving::new(RawFrames::Uploaded, geometry, making, places);
        if raw.is_empty() || !self.engine.fits(solving.as_ref().map(|it| &it.recording), raw.len()) {
            return Ok(None);
        }
        self.solved_there(&solving?, &making.planes(geometry), None, raw).map(Some)
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        if raw.is_empty() {
            return Ok(());
        }
        split_recovered::convert(&self.engine, geometry, making, planes, raw)
    }

    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>> {
        split_search::search(&self.engine, frames, width, filter, last, effort)
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        segments.check(tables.len(), groups.len())?;
        if segments.lengths.is_empty() {
            return Ok(Vec::new());
        }
        let (recording, code) = record_rans::encode(tables, segments)?;
        let mut out = vec![0; recording.download_bytes() as usize];
        self.engine.execute(&recording, groups.as_flattened(), &mut out)?;
        let ends = code.ends(&out[code.head()], groups.len())?;
        let code = |end: EncodedEnd| SegmentCode { states: end.states, words: out[end.words].to_vec().into() };
        Ok(ends.into_iter().map(code).collect())
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        codec::check_codes(tables.len(), segments, codes, groups.len())?;
        if codes.is_empty() {
            return Ok(());
        }
        let words: Vec<u8> = codes.iter().flat_map(|code| code.words.iter().copied()).collect();
        let recording = record_rans::decode(tables, segments, codes)?;
        let mut out = vec![0; recording.download_bytes() as usize];
        self.engine.execute(&recording, &words, &mut out)?;
        let (decoded, ends) = out.split_at(groups.as_flattened().len());
        groups.as_flattened_mut().copy_from_slice(decoded);
        let mut ends = Ends::read(ends).zip(codes);
        ends.try_for_each(|((states, taken, _), code)| codec::check_ends(&states, taken, code.words.len() / 2))
    }
}

impl Accelerator for GpuBackend {
    fn name(&self) -> &str {
        &self.description.name
    }

    fn identity(&self) -> String {
        let DeviceDescription { name, backend, pci_bus_id, driver, .. } = &self.description;
        format!("{name}, {backend}, {pci_bus_id}, {driver}")
    }

    fn is_lost(&self) -> bool {
        self.engine.lost().is_some()
    }

    fn staging_within(&self, bytes: u64) {
        self.engine.staging_within(bytes);
    }
}

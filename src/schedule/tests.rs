//! Failing accelerators, without any GPU.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::codec::{DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::error::Error;
use crate::frame::{Batch, Dtype, FrameFormat, GROUP, Layout, WorkBuffer};
use crate::plan::{self, Making, Plan, Settings, TileCut, TilePlan};
use crate::stage::{CodedTiles, SegmentCode, Segments, SolvedPlanes, TileBatch, TileEffort};
use crate::{Compressor, Decompressor, Limits};

/// What an accelerator does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Every call fails; the device stays.
    Failing,
    /// The device goes away with the second call.
    Lost,
    /// Every result has a wrong byte.
    WrongBytes,
}

/// The CPU dressed up as an accelerator.
struct Fake {
    cpu: CpuBackend,
    fault: Fault,
    calls: AtomicUsize,
    lost: AtomicBool,
}

impl Fake {
    fn new(fault: Fault) -> Arc<Self> {
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        Arc::new(Self { cpu, fault, calls: AtomicUsize::new(0), lost: AtomicBool::new(false) })
    }

    fn call(&self) -> Result<()> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Failing => Err(Error::gpu("out of memory")),
            Fault::Lost if calls > 0 => {
                self.lost.store(true, Ordering::Relaxed);
                Err(Error::gpu("device lost"))
            }
            _ => Ok(()),
        }
    }
}

impl Backend for Fake {
    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        self.call()?;
        self.cpu.forward(batch, plan, out)
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.call()?;
        self.cpu.inverse(geometry, plan, residuals, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[plan::Candidate]) -> Result<Vec<u64>> {
        self.call()?;
        self.cpu.costs(batch, candidates)
    }

    fn tiles_forward(&self, batch: Batch<'_>, cut: TileCut, effort: TileEffort, out: &mut TileBatch) -> Result<()> {
        self.call()?;
        self.cpu.tiles_forward(batch, cut, effort, out)
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<CodedTiles<'static>> {
        self.call()?;
        self.cpu.tiles_encode(batch, plan, effort, tables)
    }

    fn tiles_decode(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.call()?;
        self.cpu.tiles_decode(geometry, plan, tables, coded, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn tiles_inverse(&self, geometry: &Geometry, cut: TileCut, tiles: &TileBatch, raw: &mut [u8]) -> Result<()> {
        self.call()?;
        self.cpu.tiles_inverse(geometry, cut, tiles, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        self.call()?;
        self.cpu.solve(batch, making, out)
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        self.call()?;
        self.cpu.convert(geometry, making, planes, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        self.call()?;
        self.cpu.rans_encode(tables, segments, groups)
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        self.call()?;
        self.cpu.rans_decode(tables, segments, codes, groups)
    }
}

impl Accelerator for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

fn scheduler(fault: Fault) -> Scheduler {
    Scheduler::with(Candidate::Chosen(Fake::new(fault)), None)
}

/// Round-trips five batches of two frames, and says where they ran.
fn round_trip(fault: Fault) -> (BatchCounts, BatchCounts) {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 33, height: 17 }).unwrap();
    let raw: Vec<u8> = (0..10 * format.frame_bytes()).map(|at| (at * at / 100) as u8).collect();
    let settings = Settings::new().with_batch_frames(std::num::NonZeroUsize::new(2));
    let frames = crate::frame::Frames::new(format, 10, raw.clone()).unwrap();
    let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
    let compressor = Compressor::on(settings, scheduler(fault));
    let packed = compressor.compress_frames(&frames).unwrap();
    assert_eq!(packed, on_cpu.compress_frames(&frames).unwrap(), "the same bytes wherever it ran");
    let decompressor = Decompressor::on(scheduler(fault), None, Limits::default());
    assert_eq!(decompressor.decompress(&packed).unwrap().as_bytes(), raw);
    (compressor.counts(), decompressor.counts())
}

fn counts(cpu: u64, gpu: u64, redone: u64) -> BatchCounts {
    BatchCounts { cpu, gpu, redone }
}

#[test]
fn a_sound_accelerator_does_everything() {
    assert_eq!(round_trip(Fault::Nothing), (counts(0, 5, 0), counts(0, 5, 0)));
}

#[test]
fn failed_batches_are_redone() {
    assert_eq!(round_trip(Fault::Failing), (counts(0, 0, 5), counts(0, 0, 5)));
}

#[test]
fn a_lost_device_is_set_aside() {
    assert_eq!(round_trip(Fault::Lost), (counts(3, 1, 1), counts(3, 1, 1)));
}

#[test]
fn a_device_that_computes_wrongly_is_set_aside() {
    assert_eq!(round_trip(Fault::WrongBytes), (counts(0, 5, 0), counts(4, 0, 1)));
}

#[test]
fn damage_is_not_blamed_on_the_device() {
    let settings = Settings::new().with_device(DeviceChoice::Cpu);
    let frames = ndarray::Array3::<u8>::from_elem((2, 30, 40), 7);
    let mut packed = Compressor::new(settings).unwrap().compress(frames.view()).unwrap();
    let middle = packed.len() / 2;
    packed[middle] ^= 1;
    let decompressor = Decompressor::on(scheduler(Fault::Nothing), None, Limits::default());
    assert_eq!(decompressor.decompress(&packed).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(decompressor.counts(), BatchCounts::default());
}

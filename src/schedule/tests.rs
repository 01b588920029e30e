//! Failing accelerators, and one that is found automatically, without any GPU.

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::codec::{DecodeTable, EncodeTable, TileDecoderTables, TileEncoderTables};
use crate::container::RecordReader;
use crate::cpu::pages::{self, PAGE_BYTES};
use crate::cpu::recover::misfitting_of_spans;
use crate::error::Error;
use crate::frame::{
    Batch, ChannelOrder, ChromaSampling, Dtype, FrameFormat, Frames, GROUP, Geometry, Layout, WorkBuffer,
};
use crate::motion::{Field, Filter, Motion, SearchEffort};
use crate::plan::{self, KNOWN, Making, Method, Plan, RecoveredPlan, Settings, TilePlan};
use crate::stage::{
    CodedTiles, PackedTiles, Resident, Restored, SegmentCode, Segments, SolvedPlanes, SolvedThere, TileEffort,
};
use crate::{Compressor, Decompressor, Limits, input};

/// What an accelerator does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Every call fails; the device stays.
    Failing,
    /// Searches for motion fail.
    FailingSearch,
    /// No planes stay.
    NothingStays,
    /// There is no room for tiles of planes that stay.
    NoRoomForTiles,
    /// Planes that stay cannot be tiled.
    FailingTiles,
    /// Its memory does for small batches alone.
    OutOfMemory,
    /// Every call takes longer than the CPU needs for the whole batch.
    Slow,
    /// The device goes away with the second call.
    Lost,
    /// Every batch comes back with a wrong byte.
    WrongBytes,
    /// Every batch is transformed with a wrong byte.
    WrongResiduals,
}

/// Raw bytes of the largest batch that fits a device which is [out of memory](Fault::OutOfMemory).
const DEVICE_MEMORY: usize = 1200;

/// What a call of a [slow](Fault::Slow) device takes.
const SLOW: Duration = Duration::from_millis(40);

/// The CPU dressed up as an accelerator.
struct Fake {
    cpu: CpuBackend,
    fault: Fault,
    calls: AtomicUsize,
    lost: AtomicBool,
    /// What it was told to keep within.
    staging: AtomicU64,
}

impl Fake {
    fn new(fault: Fault) -> Arc<Self> {
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        Arc::new(Self {
            cpu,
            fault,
            calls: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
            staging: AtomicU64::new(0),
        })
    }

    fn call(&self, raw_bytes: usize) -> Result<()> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Fault::Failing => Err(Error::gpu("it does not answer")),
            Fault::OutOfMemory if raw_bytes > DEVICE_MEMORY => Err(Error::gpu("Not enough memory left.")),
            Fault::Slow => {
                std::thread::sleep(SLOW);
                Ok(())
            }
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
        self.call(batch.raw.len())?;
        self.cpu.forward(batch, plan, out)?;
        if self.fault == Fault::WrongResiduals {
            out.as_bytes_mut()[1] ^= 2;
        }
        Ok(())
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.call(raw.len())?;
        self.cpu.inverse(geometry, plan, residuals, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[plan::Candidate]) -> Result<Vec<u64>> {
        self.call(batch.raw.len())?;
        self.cpu.costs(batch, candidates)
    }

    fn tiles_pack(&self, batch: Batch<'_>, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        self.call(batch.raw.len())?;
        let mut packed = self.cpu.tiles_pack(batch, plan, effort)?;
        if self.fault == Fault::WrongResiduals {
            packed.predictors.iter_mut().for_each(|predictor| *predictor ^= 1);
        }
        Ok(packed)
    }

    fn tiles_unpack(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        raw: &mut [u8],
    ) -> Result<()> {
        self.call(raw.len())?;
        self.cpu.tiles_unpack(restored, plan, packed, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn tiles_encode(
        &self,
        batch: Batch<'_>,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
        motion: Option<&Motion>,
    ) -> Result<CodedTiles<'static>> {
        self.call(batch.raw.len())?;
        let mut coded = self.cpu.tiles_encode(batch, plan, effort, tables, motion)?;
        if self.fault == Fault::WrongResiduals {
            coded.predictors.iter_mut().for_each(|predictor| *predictor ^= 1);
        }
        Ok(coded)
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
        self.call(raw.len())?;
        self.cpu.tiles_decode(restored, plan, tables, coded, motion, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn expect(&self, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
        self.call(batch.raw.len())?;
        self.cpu.expect(batch, motion, out)
    }

    fn solve(&self, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
        self.call(batch.raw.len())?;
        self.cpu.solve(batch, making, out)
    }

    fn solve_there<'a>(
        &'a self,
        batch: Batch<'_>,
        making: &Making,
        places: Vec<Range<usize>>,
    ) -> Result<Option<SolvedThere<'a>>> {
        if self.fault == Fault::NothingStays {
            return Ok(None);
        }
        let mut solved = SolvedPlanes::default();
        self.solve(batch, making, &mut solved)?;
        let mut seen = SolvedPlanes::zeroed(&making.planes(batch.geometry));
        for place in places {
            seen.as_bytes_mut()[place.clone()].copy_from_slice(&solved.planes()[place]);
        }
        let misfitting = misfitting_of_spans(solved.misfits(), making.picture(batch.geometry).blocks());
        let there = Box::new(FakePlanes { fake: self, solved: Mutex::new(solved) });
        Ok(Some(SolvedThere { there, misfitting, seen }))
    }

    fn convert(&self, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
        self.call(raw.len())?;
        self.cpu.convert(geometry, making, planes, raw)?;
        if self.fault == Fault::WrongBytes {
            raw[0] ^= 1;
        }
        Ok(())
    }

    fn search(
        &self,
        frames: &[&[u8]],
        width: usize,
        filter: Filter,
        last: Option<&Field>,
        effort: SearchEffort,
    ) -> Result<Vec<Field>> {
        if self.fault == Fault::FailingSearch {
            return Err(Error::gpu("it does not find anything"));
        }
        self.call(frames.iter().map(|frame| frame.len()).sum())?;
        self.cpu.search(frames, width, filter, last, effort)
    }

    fn rans_encode(
        &self,
        tables: &[&EncodeTable],
        segments: Segments<'_>,
        groups: &[[u8; GROUP]],
    ) -> Result<Vec<SegmentCode<'static>>> {
        self.call(std::mem::size_of_val(groups))?;
        self.cpu.rans_encode(tables, segments, groups)
    }

    fn rans_decode(
        &self,
        tables: &[&DecodeTable],
        segments: Segments<'_>,
        codes: &[SegmentCode<'_>],
        groups: &mut [[u8; GROUP]],
    ) -> Result<()> {
        self.call(std::mem::size_of_val(groups))?;
        self.cpu.rans_decode(tables, segments, codes, groups)
    }
}

/// Planes that stay on a fake.
struct FakePlanes<'a> {
    fake: &'a Fake,
    solved: Mutex<SolvedPlanes>,
}

impl FakePlanes<'_> {
    /// Copies pages to where they are in something else, which is as long.
    fn copy(&self, places: &[Range<usize>], from: &[u8], to: &mut [u8]) -> Result<()> {
        let pages = pages::of_places(places);
        let mut copied = vec![0; pages.len() * PAGE_BYTES];
        self.fake.call(copied.len())?;
        pages::forward(&pages, from, &mut copied);
        pages::inverse(&pages, &copied, to);
        Ok(())
    }
}

impl Resident for FakePlanes<'_> {
    fn download(&self, places: &[Range<usize>], content: &mut [u8]) -> Result<()> {
        self.copy(places, pool::lock(&self.solved).as_bytes_mut(), content)
    }

    fn upload(&self, places: &[Range<usize>], content: &[u8]) -> Result<()> {
        self.copy(places, content, pool::lock(&self.solved).as_bytes_mut())
    }

    fn bring(&self, content: &mut [u8]) -> Result<()> {
        self.fake.call(content.len())?;
        content.copy_from_slice(&pool::lock(&self.solved).as_bytes_mut()[..content.len()]);
        Ok(())
    }

    fn has_room(&self, _: &Geometry, _: &TilePlan, _: TileEffort, _: Option<&TileEncoderTables>) -> bool {
        self.fake.fault != Fault::NoRoomForTiles
    }

    fn tiles_encode(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<CodedTiles<'static>> {
        if self.fake.fault == Fault::FailingTiles {
            return Err(Error::gpu("it has forgotten the planes"));
        }
        let solved = pool::lock(&self.solved);
        self.fake.tiles_encode(Batch { geometry, raw: solved.planes() }, plan, effort, tables, None)
    }

    fn tiles_pack(&self, geometry: &Geometry, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        self.fake.tiles_pack(Batch { geometry, raw: pool::lock(&self.solved).planes() }, plan, effort)
    }
}

impl Accelerator for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn identity(&self) -> String {
        "fake, driver 1".to_owned()
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn staging_within(&self, bytes: u64) {
        self.staging.store(bytes, Ordering::Relaxed);
    }
}

/// One batch after another: of several at a time, some run before a fault is known.
fn scheduler(fault: Fault) -> Scheduler {
    Scheduler::with(Candidate::Chosen(Fake::new(fault)), NonZeroUsize::new(1), Policy::Throughput)
}

/// Round-trips five batches of two frames, and says where they ran.
fn round_trip(fault: Fault) -> (BatchCounts, BatchCounts) {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 33, height: 17 }).unwrap();
    let raw: Vec<u8> = (0..10 * format.frame_bytes()).map(|at| (at * at / 100) as u8).collect();
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(2));
    let frames = Frames::new(format, 10, raw.clone()).unwrap();
    let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
    let compressor = Compressor::on(settings.with_verification(fault == Fault::WrongResiduals), scheduler(fault));
    let packed = compressor.compress_frames(&frames).unwrap();
    assert_eq!(packed, on_cpu.compress_frames(&frames).unwrap(), "the same bytes wherever it ran");
    let decompressor = Decompressor::on(scheduler(fault), Limits::default());
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

/// The device that has a batch searches it for motion, whose bytes are those of a search on the CPU.
#[test]
fn searches_that_fail_are_redone() {
    let (width, height) = (64, 48);
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width, height }).unwrap();
    let sample = |at: usize| {
        let (frame, x, y) = (at / (width * height), at % width, at / width % height);
        ((x + 3 * frame) * (x + 3 * frame) / 7 + (y + frame) * (y + frame) / 5) as u8
    };
    let frames = Frames::new(format, 6, (0..6 * width * height).map(sample).collect::<Vec<u8>>()).unwrap();
    let settings = Settings::new().with_level(7).unwrap();
    let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
    for (fault, expected) in [(Fault::Nothing, counts(0, 1, 0)), (Fault::FailingSearch, counts(0, 0, 1))] {
        let compressor = Compressor::on(settings.clone(), scheduler(fault));
        assert_eq!(compressor.compress_frames(&frames).unwrap(), on_cpu.compress_frames(&frames).unwrap());
        assert_eq!(compressor.counts(), expected, "{fault:?}");
    }
}

/// It stays in use: what fits goes there.
#[test]
fn batches_that_do_not_fit_the_memory_are_redone() {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 33, height: 17 }).unwrap();
    let raw: Vec<u8> = (0..11 * format.frame_bytes()).map(|at| (at * at / 100) as u8).collect();
    let frames = Frames::new(format, 11, raw).unwrap();
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
    let compressor = Compressor::on(settings, scheduler(Fault::OutOfMemory));
    let packed = compressor.compress_frames(&frames).unwrap();
    assert_eq!(packed, on_cpu.compress_frames(&frames).unwrap());
    assert_eq!(compressor.counts(), counts(0, 1, 3), "the last batch has two frames");
    let decompressor = Decompressor::on(scheduler(Fault::OutOfMemory), Limits::default());
    assert!(decompressor.decompress(&packed).unwrap() == frames);
    assert_eq!(decompressor.counts(), counts(0, 1, 3));
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
fn verification_finds_what_a_device_packed_wrongly() {
    assert_eq!(round_trip(Fault::WrongResiduals), (counts(4, 0, 1), counts(0, 5, 0)));
}

/// What is on its way to a device and back is half of what batches in work may take.
#[test]
fn memory_limits_count_what_is_on_its_way() {
    let frames = ndarray::Array3::<u8>::from_elem((2, 30, 40), 7);
    let scheduler = |fake: &Arc<Fake>| {
        Scheduler::with(Candidate::Chosen(Arc::clone(fake) as _), NonZeroUsize::new(1), Policy::Throughput)
    };
    let fake = Fake::new(Fault::Nothing);
    let settings = Settings::new().with_memory_limit(NonZeroU64::new(10 << 20));
    let packed = Compressor::on(settings, scheduler(&fake)).compress(frames.view()).unwrap();
    assert_eq!(fake.staging.load(Ordering::Relaxed), 5 << 20);
    for (limits, expected) in
        [(Limits::default(), 512 << 20), (Limits::default().with_memory(NonZeroU64::new(6 << 20).unwrap()), 3 << 20)]
    {
        Decompressor::on(scheduler(&fake), limits).decompress(&packed).unwrap();
        assert_eq!(fake.staging.load(Ordering::Relaxed), expected);
    }
}

/// Three frames that were made from YUV, but for a pixel.
fn made_frames() -> Frames {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bbb_yuv420_320x176.y4m");
    let planes = input::open(&path, None).unwrap().read_batch(3).unwrap().unwrap();
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    let layout = Layout::Packed { width: 320, height: 176, order: ChannelOrder::Rgb };
    let format = FrameFormat::new(Dtype::U8, layout).unwrap();
    let mut made = vec![0; 3 * format.frame_bytes()];
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    cpu.convert(&Geometry::new(&format, 3), &making, &planes.bytes, &mut made).unwrap();
    made[70_000] ^= 64;
    Frames::new(format, 3, made).unwrap()
}

/// What comes here of a device takes the memory of what came before.
#[test]
fn memory_of_planes_is_used_again() {
    let frames = made_frames();
    for (fault, spare) in [(Fault::NothingStays, 1), (Fault::NoRoomForTiles, 1), (Fault::Nothing, 0)] {
        let settings = Settings::new().with_batch_frames(NonZeroUsize::new(1));
        let compressor = Compressor::on(settings, scheduler(fault));
        for _ in 0..3 {
            compressor.compress_frames(&frames).unwrap();
        }
        assert_eq!((compressor.counts().gpu, compressor.scheduler.cpu().spare_buffers()), (9, spare), "{fault:?}");
    }
}

/// Planes stay on the device that solves them, where that is possible: four calls solve them, bring what is to be repaired, take
/// it back, and code the tiles. Whatever fails, the bytes are those of the CPU.
#[test]
fn solved_planes_stay_on_the_device() {
    let frames = made_frames();
    for level in [2, 4] {
        let settings = Settings::new().with_level(level).unwrap().with_verification(true);
        let on_cpu = Compressor::new(settings.clone().with_device(DeviceChoice::Cpu)).unwrap();
        let expected = on_cpu.compress_frames(&frames).unwrap();
        for (fault, [gpu, redone]) in [
            (Fault::Nothing, [1, 0]),
            (Fault::NothingStays, [1, 0]),
            (Fault::NoRoomForTiles, [1, 0]),
            (Fault::FailingTiles, [0, 1]),
            (Fault::Lost, [0, 1]),
            (Fault::WrongResiduals, [0, 1]),
        ] {
            let fake = Fake::new(fault);
            let chosen = Candidate::Chosen(Arc::clone(&fake) as _);
            let scheduler = Scheduler::with(chosen, NonZeroUsize::new(1), Policy::Throughput);
            let compressor = Compressor::on(settings.clone(), scheduler);
            assert!(compressor.compress_frames(&frames).unwrap() == expected, "{fault:?}");
            assert_eq!(compressor.counts(), counts(0, gpu, redone), "{fault:?}");
            assert!(fault != Fault::Nothing || fake.calls.load(Ordering::Relaxed) == 4);
        }
    }
}

/// Of frames that were made from YUV a device gets tiles and gives pixels.
#[test]
fn recovered_planes_stay_on_the_device() {
    let (fake, frames) = (Fake::new(Fault::Nothing), made_frames());
    for level in [4, 6] {
        let settings = Settings::new().with_level(level).unwrap().with_device(DeviceChoice::Cpu);
        let packed = Compressor::new(settings).unwrap().compress_frames(&frames).unwrap();
        let record = RecordReader::new(&packed[..], Limits::default()).unwrap().next().unwrap().unwrap();
        let Method::Recovered(RecoveredPlan { exceptions: 1, method, .. }) = &record.method else {
            panic!("{}", record.method.name())
        };
        assert!(matches!(&**method, Method::Tiles(plan) if plan.moves == (level == 6)), "{}", method.name());
        let before = fake.calls.load(Ordering::Relaxed);
        let chosen = Candidate::Chosen(Arc::clone(&fake) as _);
        let scheduler = Scheduler::with(chosen, NonZeroUsize::new(1), Policy::Throughput);
        assert!(Decompressor::on(scheduler, Limits::default()).decompress(&packed).unwrap() == frames);
        assert_eq!(fake.calls.load(Ordering::Relaxed) - before, 1, "level {level}");
    }
}

#[test]
fn damage_is_not_blamed_on_the_device() {
    let settings = Settings::new().with_device(DeviceChoice::Cpu);
    let frames = ndarray::Array3::<u8>::from_elem((2, 30, 40), 7);
    let mut packed = Compressor::new(settings).unwrap().compress(frames.view()).unwrap();
    let middle = packed.len() / 2;
    packed[middle] ^= 1;
    let decompressor = Decompressor::on(scheduler(Fault::Nothing), Limits::default());
    assert_eq!(decompressor.decompress(&packed).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(decompressor.counts(), BatchCounts::default());
}

#[test]
fn statistics_say_what_counts_say_and_more() {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 64, height: 64 }).unwrap();
    let frames = Frames::new(format, 6, vec![3; 6 * 4096]).unwrap();
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(3));
    let compressor = Compressor::on(settings, scheduler(Fault::Nothing));
    compressor.compress_frames(&frames).unwrap();
    let RunStatistics { gpu, cpu, last_reason, .. } = compressor.statistics();
    // Pictures of one value need no accelerator.
    let both = [cpu, gpu];
    assert_eq!(both.map(|device| device.batches).iter().sum::<u64>(), 2);
    assert_eq!(both.map(|device| device.raw_bytes).iter().sum::<u64>(), 6 * 4096);
    assert_eq!(both.map(|device| device.predicted_batches).iter().sum::<u64>(), 2);
    assert!(
        both.iter().all(|device| device.actual == device.time && (device.batches == 0) == device.predicted.is_zero())
    );
    assert_eq!(last_reason, Some(Reason::Asked));
    let on_cpu = Decompressor::default();
    on_cpu.decompress(&compressor.compress_frames(&frames).unwrap()).unwrap();
    let RunStatistics { cpu, last_reason, .. } = on_cpu.statistics();
    assert_eq!((cpu.batches, cpu.predicted_batches, last_reason), (2, 0, Some(Reason::Only)));
}

/// Late batches are compressed at the level that is in time, and are no less whole for that.
#[test]
fn deadlines_lower_levels() {
    let frames = Frames::from_array(ndarray::Array3::from_shape_fn((8, 40, 50), |(f, y, x)| (f * y + x) as u8).view());
    let frames = frames.unwrap();
    let settings = Settings::new().with_batch_frames(NonZeroUsize::new(2)).with_device(DeviceChoice::Cpu);
    let settings = settings.with_level(6).unwrap();
    let pack = |settings: &Settings| {
        let compressor = Compressor::new(settings.clone()).unwrap();
        (compressor.compress_frames(&frames).unwrap(), compressor.statistics())
    };
    let with = |deadline| pack(&settings.clone().with_policy(Policy::Deadline(deadline)));
    let at_level = |level| pack(&settings.clone().with_level(level).unwrap()).0;

    let (packed, statistics) = with(Duration::from_nanos(1));
    assert_eq!(packed, at_level(1));
    assert_eq!((statistics.lowered, statistics.lowest_level, statistics.late), (4, Some(1), 4));
    assert_eq!(statistics.cpu.predicted_batches, 4);
    let (packed, statistics) = with(Duration::from_secs(3600));
    assert_eq!(packed, at_level(6));
    assert_eq!((statistics.lowered, statistics.lowest_level, statistics.late), (0, None, 0));
    let (_, statistics) = pack(&settings);
    assert_eq!((statistics.lowered, statistics.late, statistics.cpu.predicted_batches), (0, 0, 0));
}

static LOOKED: AtomicUsize = AtomicUsize::new(0);

fn find_failing() -> Option<Arc<dyn Accelerator>> {
    LOOKED.fetch_add(1, Ordering::Relaxed);
    Some(Fake::new(Fault::Failing))
}

fn automatic(look: fn() -> Option<Arc<dyn Accelerator>>, folder: &Path) -> Arc<Automatic> {
    Arc::new(Automatic::new(look, Some(folder.to_owned())))
}

const LARGE: usize = 1 << 21;

#[test]
fn an_adapter_is_looked_for_once_when_it_is_worth_while() {
    let folder = tempfile::tempdir().unwrap();
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let automatic = automatic(find_failing, folder.path());
    let found = |raw_bytes| automatic.accelerator(raw_bytes, &cpu).is_some();
    assert!(!found(LARGE), "nothing was done yet");
    automatic.spent(1000, Duration::from_secs(5));
    assert!(!found(LARGE), "small batches do not count");
    automatic.spent(LARGE, Duration::from_secs(5));
    assert!(!found(1000) && !found(1 << 17), "small batches do not look");
    assert_eq!(LOOKED.load(Ordering::Relaxed), 0);
    assert!(found(LARGE));
    assert!(found(1 << 17) && !found(1000), "small batches do not go there");
    assert!(found(LARGE));
    assert_eq!(LOOKED.load(Ordering::Relaxed), 1);
}

#[test]
fn no_adapter_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    for _ in 0..2 {
        let automatic = automatic(|| None, folder.path());
        automatic.spent(LARGE, Duration::from_secs(5));
        assert!(automatic.accelerator(LARGE, &cpu).is_none());
        automatic.keep();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "that there is none, and no rates");
}

/// Batches that it fails at are redone; after some it is tried again. What was learnt is kept when the last scheduler
/// goes.
#[test]
fn an_adapter_that_fails_is_left_alone_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let automatic = automatic(|| Some(Fake::new(Fault::Failing)), folder.path());
    automatic.spent(LARGE, Duration::from_secs(5));
    // Faster than any CPU, as it seems.
    let placer = Arc::clone(automatic.placer());
    automatic.accelerator(LARGE, &CpuBackend::new(SimdLevel::detect(), 1)).unwrap();
    let hardware = Hardware { submit: 1e-9, transfer: 1e-18, kernels: 1e-18 };
    pool::lock(&placer).calibrate(100.0, hardware, rates::Rates::default());
    let scheduler = Scheduler::with(Candidate::IfFaster(automatic), None, Policy::Throughput);
    let raw: Vec<u8> = (0..12 << 18).map(|at: u32| (at >> 5) as u8).collect();
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 512, height: 512 }).unwrap();
    let settings = Settings::new().with_level(1).unwrap().with_batch_frames(NonZeroUsize::new(1));
    let compressor = Compressor::on(settings, scheduler);
    let packed = compressor.compress_frames(&Frames::new(format, 12, raw.clone()).unwrap()).unwrap();
    assert_eq!(crate::decompress(&packed).unwrap().as_bytes(), raw);
    let statistics = compressor.statistics();
    assert!(statistics.redone >= 1 && statistics.cpu.batches >= 4, "{statistics:?}");
    assert_eq!(statistics.redone + statistics.cpu.batches, 12);
    drop(compressor);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the adapter, and the rates");
}

/// One that was fast when it was measured and is slow now: batches go to the CPU, but for those that find out.
#[test]
fn an_adapter_that_has_become_slow_gets_few_batches() {
    const BATCHES: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let automatic = automatic(|| Some(Fake::new(Fault::Slow)), folder.path());
    automatic.spent(LARGE, Duration::from_secs(5));
    let placer = Arc::clone(automatic.placer());
    automatic.accelerator(LARGE, &CpuBackend::new(SimdLevel::detect(), 1)).unwrap();
    let hardware = Hardware { submit: 1e-9, transfer: 1e-18, kernels: 1e-18 };
    pool::lock(&placer).calibrate(1.0, hardware, rates::Rates::default());
    // One after another: what is in work already cannot be called back.
    let scheduler = Scheduler::with(Candidate::IfFaster(automatic), NonZeroUsize::new(1), Policy::Throughput);
    let raw: Vec<u8> = (0..BATCHES << 18).map(|at| (at >> 5) as u8).collect();
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 512, height: 512 }).unwrap();
    let settings = Settings::new().with_level(1).unwrap().with_batch_frames(NonZeroUsize::new(1));
    let compressor = Compressor::on(settings, scheduler);
    let packed = compressor.compress_frames(&Frames::new(format, BATCHES, raw.clone()).unwrap()).unwrap();
    assert_eq!(crate::decompress(&packed).unwrap().as_bytes(), raw);
    let RunStatistics { cpu, gpu, redone, .. } = compressor.statistics();
    assert_eq!((cpu.batches + gpu.batches, redone), (BATCHES as u64, 0));
    assert!((1..=6).contains(&gpu.batches), "{} of {BATCHES} batches went to the slow device", gpu.batches);
}

#[test]
fn measuring_takes_no_longer_than_it_may() {
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let (fake, failing) = (Fake::new(Fault::Nothing), Fake::new(Fault::Failing));
    let start = Instant::now();
    let measured = calibrate::measure(fake.as_ref(), &cpu);
    let (slowness, Hardware { submit, transfer, kernels }) = measured.calibration();
    // The last run may begin just before the end.
    assert!(start.elapsed() < 3 * calibrate::LONGEST, "{:?}", start.elapsed());
    for rate in [slowness, submit, transfer, kernels] {
        assert!(rate.is_finite() && rate > 0.0, "{rate}");
    }
    let task = work::Task::Compress { level: Settings::new().level(), codec: plan::CodecChoice::Auto };
    let content = content::Content::MIDDLE;
    let work = Work { task, raw_bytes: 1 << 22, sample_bytes: 1, packed: false, content };
    let knows = |placer: &Placer, part| placer.rates().sets().any(|(key, _)| key == work.of_task(part));
    for part in [work::Part::Cpu, work::Part::Device, work::Part::Remainder] {
        assert!(knows(&measured, part), "{part:?} was rehearsed");
    }
    let failed = calibrate::measure(failing.as_ref(), &cpu);
    assert_eq!(failed.calibration().1, Hardware::ORDINARY);
    assert!(knows(&failed, work::Part::Cpu) && !knows(&failed, work::Part::Device));
}

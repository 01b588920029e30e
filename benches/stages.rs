//! Every stage by itself at every SIMD level, and whole plans on every backend.
//!
//! Ids are `stage/variant/direction/level`, all on 8-bit samples unless the variant says otherwise.
//! The clips are repeated in memory to more than the caches hold.

mod clips;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use framepress::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout, WorkBuffer};
use framepress::internal::motion::{Filter, Filters, Motion, SearchEffort, search};
use framepress::internal::{
    Backend, Batch, CpuBackend, Exceptions, GROUP, KNOWN, LevelParameters, Order, Pitch, PitchedFrames, Prediction,
    Segments, SolvedPlanes, Stretch, TileBatch, TileChoice, TileCounts, TileDecoderTables, TileEffort,
    TileEncoderTables, bit_shuffle, block_sums, byte_shuffle, choose_tiles, colour, copy, entropy, exceptions,
    histogram, pages, predict, rows as rows_between, temporal,
};
use framepress::plan::{Colour, Making, Plan, PlanePlan, Predictor, Shuffle, TileCoding, TilePlan};
use framepress::{Settings, SimdLevel};

/// Raw bytes that a stage works on.
const BYTES: usize = 16 << 20;

/// Samples that are shuffled at a time, as at level 3.
const SPAN_SAMPLES: usize = 1 << 18;

/// Groups of a segment: 1 MiB of residuals.
const SEGMENT_GROUPS: usize = 1 << 14;

/// The backends that run whole plans: the CPU at each SIMD level, and every adapter, transfers
/// included.
fn backends() -> Vec<(String, Box<dyn Backend>)> {
    let cpu = |simd: SimdLevel| -> (String, Box<dyn Backend>) {
        (format!("cpu-{}", simd.name()), Box::new(CpuBackend::new(simd, 1)))
    };
    let cpus = SimdLevel::available().into_iter().map(cpu);
    cpus.chain(adapters()).collect()
}

#[cfg(feature = "gpu")]
fn adapters() -> Vec<(String, Box<dyn Backend>)> {
    use framepress::internal::gpu::{GpuBackend, Selection, list};
    let open = |index: usize| -> (String, Box<dyn Backend>) {
        let backend = GpuBackend::new(Selection::Named(&index.to_string())).expect("an adapter that works");
        (format!("gpu-{index}"), Box::new(backend))
    };
    list().into_iter().filter_map(|adapter| adapter.index).map(open).collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Vec<(String, Box<dyn Backend>)> {
    Vec::new()
}

/// Frames of the RGB clip, over and over, with their geometry.
struct Footage {
    geometry: Geometry,
    raw: Vec<u8>,
}

impl Footage {
    fn of(frames: &Frames) -> Self {
        let times = BYTES.div_ceil(frames.as_bytes().len());
        Self { geometry: Geometry::new(frames.format(), times * frames.frames()), raw: frames.as_bytes().repeat(times) }
    }

    fn frame_bytes(&self) -> usize {
        self.geometry.frame_samples * self.geometry.sample_bytes
    }

    /// Frame by frame, all samples of each plane.
    fn planar(&self) -> Vec<u8> {
        let mut planar = vec![0; self.raw.len()];
        let size = self.frame_bytes();
        for (raw, planar) in self.raw.chunks(size).zip(planar.chunks_mut(size)) {
            split(SimdLevel::detect(), Colour::None, &self.geometry, raw, planar);
        }
        planar
    }
}

fn split(simd: SimdLevel, transform: Colour, geometry: &Geometry, raw: &[u8], planar: &mut [u8]) {
    let mut planes: Vec<&mut [u8]> = planar.chunks_mut(geometry.planes[0].frame_samples()).collect();
    colour::forward(simd, transform, &geometry.planes, raw, &mut planes);
}

fn join(simd: SimdLevel, transform: Colour, geometry: &Geometry, planar: &[u8], raw: &mut [u8]) {
    let planes: Vec<&[u8]> = planar.chunks(geometry.planes[0].frame_samples()).collect();
    colour::inverse(simd, transform, &geometry.planes, &planes, raw);
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, raw_bytes: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(raw_bytes as u64));
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group
}

/// One row per SIMD level.
fn rows(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut work: impl FnMut(SimdLevel)) {
    for simd in SimdLevel::available() {
        group.bench_function(BenchmarkId::new(name, simd.name()), |bencher| bencher.iter(|| work(simd)));
    }
}

/// One row per SIMD level of something that works in place: `work` gets a copy of `input`, which is
/// not timed.
fn rows_in_place(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    input: &[u8],
    mut work: impl FnMut(SimdLevel, &mut [u8]),
) {
    let mut buffer = input.to_vec();
    for simd in SimdLevel::available() {
        group.bench_function(BenchmarkId::new(name, simd.name()), |bencher| {
            bencher.iter_custom(|times| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..times {
                    buffer.copy_from_slice(input);
                    let start = Instant::now();
                    work(simd, black_box(&mut buffer));
                    elapsed += start.elapsed();
                }
                elapsed
            });
        });
    }
}

/// What the rates of kernels are compared with.
fn copies(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::rgb().frames);
    let words: Vec<u32> = footage.raw.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
    let mut out = words.clone();
    let mut group = group(criterion, "copy", 4 * words.len());
    group.bench_function("words/forward", |bencher| bencher.iter(|| copy::forward(black_box(&words), &mut out)));
    group.finish();
}

/// What is done to frames that stay on a device, by the twins of its kernels. A pixel in sixteen is an exception.
fn residence(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::rgb().frames);
    let geometry = &footage.geometry;
    let row_bytes = geometry.planes[0].width * geometry.planes.len();
    let stretch = Stretch { start: 0, row_bytes, rows: geometry.planes[0].height };
    let row = row_bytes.next_multiple_of(256);
    let pitch = Pitch { offset: 0, row, frame: row * stretch.rows };
    let frames = PitchedFrames {
        frames: geometry.frames,
        frame_bytes: footage.frame_bytes(),
        stretches: vec![(stretch, pitch)],
    };
    let (mut dense, mut pitched) = (footage.raw.clone(), vec![0; frames.pitched_bytes()]);
    let mut group = group(criterion, "rows", dense.len());
    group.bench_function("aligned/inverse", |bencher| {
        bencher.iter(|| rows_between::inverse(&frames, black_box(&dense), &mut pitched));
    });
    group.bench_function("aligned/forward", |bencher| {
        bencher.iter(|| rows_between::forward(&frames, black_box(&pitched), &mut dense));
    });
    group.finish();
    let mut sums = vec![[0; 8]; dense.len() / block_sums::BLOCK_BYTES];
    let mut group = self::group(criterion, "block_sums", dense.len());
    group.bench_function("words/forward", |bencher| {
        bencher.iter(|| block_sums::forward(SimdLevel::detect(), black_box(&dense), &mut sums));
    });
    group.finish();
    let listed: Vec<u32> = (0..(dense.len() / pages::PAGE_BYTES) as u32).step_by(4).collect();
    let mut copied = vec![0; listed.len() * pages::PAGE_BYTES];
    let mut group = self::group(criterion, "pages", copied.len());
    group.bench_function("fourth/forward", |bencher| {
        bencher.iter(|| pages::forward(&listed, black_box(&dense), &mut copied));
    });
    group.bench_function("fourth/inverse", |bencher| {
        bencher.iter(|| pages::inverse(&listed, black_box(&copied), &mut dense));
    });
    group.finish();
    let places: Vec<u32> = (0..geometry.plane_samples(0) as u32).step_by(16).collect();
    let excepted = Exceptions { pixels: vec![[7; 3]; places.len()], places };
    let bytes = exceptions::to_bytes(&[excepted]);
    let mut group = self::group(criterion, "exceptions", dense.len());
    group.bench_function("sixteenth/inverse", |bencher| {
        let bytes = bytes.each_ref().map(Vec::as_slice);
        bencher.iter(|| exceptions::put(black_box(bytes), geometry.planes.len(), (&mut dense).into()).expect("places"));
    });
    group.finish();
}

fn colours(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::rgb().frames);
    let (geometry, size) = (&footage.geometry, footage.frame_bytes());
    let mut planar = footage.planar();
    let mut raw = footage.raw.clone();
    let mut group = group(criterion, "colour", raw.len());
    for (name, transform) in [("none", Colour::None), ("subtract_green", Colour::SubtractGreen)] {
        rows(&mut group, &format!("{name}/forward"), |simd| {
            for (raw, planar) in footage.raw.chunks(size).zip(planar.chunks_mut(size)) {
                split(simd, transform, geometry, raw, planar);
            }
        });
        rows(&mut group, &format!("{name}/inverse"), |simd| {
            for (planar, raw) in planar.chunks(size).zip(raw.chunks_mut(size)) {
                join(simd, transform, geometry, planar, raw);
            }
        });
    }
}

fn temporals(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::rgb().frames);
    let size = footage.frame_bytes();
    let planar = footage.planar();
    let mut differences = planar.clone();
    let mut group = group(criterion, "temporal", planar.len());
    rows(&mut group, "difference/forward", |simd| {
        let pairs = planar.chunks_exact(size).zip(planar[size..].chunks_exact(size));
        for ((previous, current), out) in pairs.zip(differences[size..].chunks_exact_mut(size)) {
            temporal::forward::<u8>(simd, current, previous, out);
        }
    });
    rows_in_place(&mut group, "difference/inverse", &differences, |simd, buffer| {
        let mut frames = buffer.chunks_exact_mut(size);
        let mut previous = frames.next().expect("frames");
        for frame in frames {
            temporal::inverse::<u8>(simd, frame, previous);
            previous = frame;
        }
    });
}

fn predictors(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::rgb().frames);
    let size = footage.geometry.planes[0].frame_samples();
    let width = footage.geometry.planes[0].width;
    let planar = footage.planar();
    let mut residuals = planar.clone();
    let mut group = group(criterion, "predict", planar.len());
    for (name, predictor) in [
        ("none", Predictor::None),
        ("left", Predictor::Left),
        ("up", Predictor::Up),
        ("average", Predictor::Average),
        ("gradient", Predictor::Gradient),
        ("median", Predictor::Median),
    ] {
        let prediction = Prediction { predictor, order: Order::Unsigned, zigzag: predictor != Predictor::None, width };
        rows(&mut group, &format!("{name}/forward"), |simd| {
            for (samples, out) in planar.chunks(size).zip(residuals.chunks_mut(size)) {
                predict::forward::<u8>(simd, prediction, samples, out);
            }
        });
        rows_in_place(&mut group, &format!("{name}/inverse"), &residuals, |simd, buffer| {
            buffer.chunks_mut(size).for_each(|plane| predict::inverse::<u8>(simd, prediction, plane));
        });
    }
}

/// 10-bit samples: sums of 2x2 pixels.
fn wide(planar: &[u8], width: usize) -> Vec<u8> {
    let at = |index: usize| u16::from(planar.get(index).copied().unwrap_or(0));
    let sum = |index| at(index) + at(index + 1) + at(index + width) + at(index + width + 1);
    (0..planar.len() / 2).flat_map(|index| sum(index).to_le_bytes()).collect()
}

/// Residuals of median prediction, 8-bit and 10-bit.
fn residuals() -> [(&'static str, usize, Vec<u8>); 2] {
    let footage = Footage::of(&clips::rgb().frames);
    let width = footage.geometry.planes[0].width;
    let narrow = footage.planar();
    let wide = wide(&narrow, width);
    let whole = narrow.len() / width * width;
    let mut narrow_out = vec![0; whole];
    let prediction = Prediction { predictor: Predictor::Median, order: Order::Unsigned, zigzag: true, width };
    predict::forward::<u8>(SimdLevel::detect(), prediction, &narrow[..whole], &mut narrow_out);
    let samples: Vec<u16> = wide.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect();
    let whole = samples.len() / width * width;
    let mut wide_out = vec![0; whole];
    predict::forward::<u16>(SimdLevel::detect(), prediction, &samples[..whole], &mut wide_out);
    [("8bit", 1, narrow_out), ("16bit", 2, wide_out.into_iter().flat_map(u16::to_le_bytes).collect())]
}

type ShuffleKernel = fn(SimdLevel, usize, &[u8], &mut [u8]);

fn shuffles(criterion: &mut Criterion) {
    let kernels: [(&str, ShuffleKernel, ShuffleKernel); 2] = [
        ("byte_shuffle", byte_shuffle::forward, byte_shuffle::inverse),
        ("bit_shuffle", bit_shuffle::forward, bit_shuffle::inverse),
    ];
    for (variant, sample_bytes, input) in residuals() {
        for (stage, forward, inverse) in kernels {
            if stage == "byte_shuffle" && sample_bytes == 1 {
                continue;
            }
            let mut out = vec![0; input.len()];
            let mut group = group(criterion, stage, input.len());
            for (direction, kernel) in [("forward", forward), ("inverse", inverse)] {
                rows(&mut group, &format!("{variant}/{direction}"), |simd| {
                    let span = SPAN_SAMPLES * sample_bytes;
                    for (input, out) in input.chunks(span).zip(out.chunks_mut(span)) {
                        kernel(simd, sample_bytes, input, out);
                    }
                });
            }
        }
    }
}

/// These have one form for all SIMD levels.
fn measures(criterion: &mut Criterion) {
    for (variant, sample_bytes, input) in residuals() {
        let mut bins = vec![0; sample_bytes * histogram::BINS];
        group(criterion, "histogram", input.len()).bench_function(format!("{variant}/forward/any"), |bencher| {
            bencher.iter(|| {
                bins.fill(0);
                histogram::forward(sample_bytes, &input, &mut bins);
            });
        });
        group(criterion, "entropy", input.len()).bench_function(format!("{variant}/forward/any"), |bencher| {
            bencher.iter(|| entropy::forward(black_box(&bins)));
        });
    }
}

/// The plan of level 3, and plans of one stage each, carried out and undone on every backend.
fn plans(criterion: &mut Criterion) {
    for clip in clips::clips() {
        let footage = Footage::of(&clip.frames);
        let batch = Batch { geometry: &footage.geometry, raw: &footage.raw };
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let settings = Settings::new().with_level(3).expect("a level");
        let chosen: Plan = framepress::internal::choose(batch, &settings, &cpu, &cpu).expect("a plan").plan;
        there_and_back(&mut group(criterion, "plan", footage.raw.len()), clip.name, batch, &chosen);
    }
    let clip = &clips::rgb().frames;
    let geometry = Geometry::new(clip.format(), clip.frames());
    let batch = Batch { geometry: &geometry, raw: clip.as_bytes() };
    for (name, plan) in one_stage_plans(&geometry) {
        there_and_back(&mut group(criterion, "stage", batch.raw.len()), name, batch, &plan);
    }
    let mut costs = group(criterion, "costs", batch.raw.len());
    let candidates = LevelParameters::of(3).candidates(true, true);
    for (name, backend) in backends() {
        costs.bench_function(format!("rgb/level-3/{name}"), |bencher| {
            bencher.iter(|| backend.costs(batch, &candidates).expect("costs"));
        });
    }
}

/// Identity, and each stage by itself.
fn one_stage_plans(geometry: &Geometry) -> Vec<(&'static str, Plan)> {
    let with = |change: fn(&mut PlanePlan)| {
        let mut plan = Plan::identity(geometry);
        plan.planes.iter_mut().for_each(change);
        plan
    };
    vec![
        ("none", with(|_| {})),
        ("subtract_green", Plan { colour: Colour::SubtractGreen, ..Plan::identity(geometry) }),
        ("temporal", with(|plane| plane.temporal = true)),
        ("left", with(|plane| (plane.intra, plane.inter) = (Predictor::Left, Predictor::Left))),
        ("up", with(|plane| (plane.intra, plane.inter) = (Predictor::Up, Predictor::Up))),
        ("average", with(|plane| (plane.intra, plane.inter) = (Predictor::Average, Predictor::Average))),
        ("gradient", with(|plane| (plane.intra, plane.inter) = (Predictor::Gradient, Predictor::Gradient))),
        ("median", with(|plane| (plane.intra, plane.inter) = (Predictor::Median, Predictor::Median))),
        ("bit_shuffle", with(|plane| plane.shuffle = Shuffle::Bit)),
    ]
}

fn there_and_back(group: &mut BenchmarkGroup<'_, WallTime>, variant: &str, batch: Batch<'_>, plan: &Plan) {
    let mut residuals = WorkBuffer::default();
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    cpu.forward(batch, plan, &mut residuals).expect("residuals");
    let mut raw = batch.raw.to_vec();
    for (name, backend) in backends() {
        let mut out = WorkBuffer::default();
        group.bench_function(format!("{variant}/forward/{name}"), |bencher| {
            bencher.iter(|| backend.forward(batch, plan, &mut out).expect("residuals"));
        });
        group.bench_function(format!("{variant}/inverse/{name}"), |bencher| {
            bencher.iter_custom(|times| {
                let mut elapsed = Duration::ZERO;
                for _ in 0..times {
                    let mut residuals = residuals.clone();
                    let start = Instant::now();
                    backend.inverse(batch.geometry, plan, &mut residuals, &mut raw).expect("frames");
                    elapsed += start.elapsed();
                }
                elapsed
            });
        });
    }
}

/// Tiles that are packed at every effort, there and back, those that are coded, and the coders by themselves, on every backend.
fn tiles(criterion: &mut Criterion) {
    let clip = &clips::rgb().frames;
    let geometry = Geometry::new(clip.format(), clip.frames());
    let batch = Batch { geometry: &geometry, raw: clip.as_bytes() };
    let (colour, split_chroma, bands) = (Colour::SubtractGreen, true, 2);
    let packed = TilePlan { colour, split_chroma, bands, segment_frames: 2, moves: false, coding: TileCoding::Packed };
    let mut tiles = TileBatch::default();
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    cpu.tiles_forward(batch, packed.cut(), TileEffort::All, &mut tiles).expect("tiles");
    let mut group = group(criterion, "tiles", batch.raw.len());
    for (name, backend) in backends() {
        for (effort_name, effort) in [("few", TileEffort::Few), ("some", TileEffort::Some), ("all", TileEffort::All)] {
            group.bench_function(format!("{effort_name}/pack/{name}"), |bencher| {
                bencher.iter(|| backend.tiles_pack(batch, &packed, effort).expect("packed tiles"));
            });
        }
        let mut raw = batch.raw.to_vec();
        let packed_tiles = backend.tiles_pack(batch, &packed, TileEffort::All).expect("packed tiles");
        group.bench_function(format!("all/unpack/{name}"), |bencher| {
            bencher
                .iter(|| backend.tiles_unpack((&geometry).into(), &packed, &packed_tiles, &mut raw).expect("frames"));
        });

        let choice = choose_tiles(batch, TileEffort::All, false, &cpu);
        let TileChoice { plan, classes, effort, .. } = choice.expect("a plan");
        let (TileCoding::Tables(tables), Some(classes)) = (&plan.coding, classes) else { continue };
        let encode = TileEncoderTables::new(tables, classes);
        group.bench_function(format!("coded/encode/{name}"), |bencher| {
            bencher.iter(|| backend.tiles_encode(batch, &plan, effort, &encode, None).expect("coded tiles"));
        });
        let decode = TileDecoderTables::new(tables);
        let coded = backend.tiles_encode(batch, &plan, effort, &encode, None).expect("coded tiles");
        group.bench_function(format!("coded/decode/{name}"), |bencher| {
            bencher.iter(|| {
                backend.tiles_decode((&geometry).into(), &plan, &decode, &coded, None, &mut raw).expect("frames")
            });
        });

        let sum = |group: &[u8; GROUP]| group.iter().map(|&residual| u16::from(residual)).sum::<u16>();
        let groups: Vec<_> = tiles.groups().iter().filter(|group| sum(group) > 0).copied().collect();
        let mut counts = TileCounts::new(1);
        groups.iter().for_each(|group| counts.count(0, sum(group), group));
        let (tables, classes) = counts.tables();
        let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
        let ids: Vec<u16> = groups.iter().filter_map(|group| encode.table_of(0, sum(group))).collect();
        let lengths: Vec<usize> = ids.chunks(SEGMENT_GROUPS).map(<[u16]>::len).collect();
        let segments = Segments { lengths: &lengths, tables: &ids };
        group.bench_function(format!("rans/encode/{name}"), |bencher| {
            bencher.iter(|| backend.rans_encode(&encode.all(), segments, &groups).expect("codes"));
        });
        let codes = backend.rans_encode(&encode.all(), segments, &groups).expect("codes");
        let mut decoded = groups.clone();
        group.bench_function(format!("rans/decode/{name}"), |bencher| {
            bencher.iter(|| backend.rans_decode(&decode.all(), segments, &codes, &mut decoded).expect("groups"));
        });
    }
}

/// What is expected of frames that move, and their tiles, there and back, on every backend.
fn motion(criterion: &mut Criterion) {
    let clip = &clips::yuv420().frames;
    let geometry = Geometry::new(clip.format(), clip.frames());
    let batch = Batch { geometry: &geometry, raw: clip.as_bytes() };
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let first = &geometry.planes[0];
    let frames: Vec<&[u8]> =
        batch.raw.chunks_exact(geometry.frame_samples).map(|frame| &frame[..first.frame_samples()]).collect();
    let filters = Filters::choose(&frames, first.width, &cpu).expect("filters");
    let mut motion = Motion::still(&geometry).expect("frames that can move");
    for (field, pair) in motion.fields.iter_mut().zip(frames.windows(2)) {
        *field = search([pair[0], pair[1]], first.width, filters, None, SearchEffort::Light, &cpu).expect("a field");
    }
    let choice = choose_tiles(batch, TileEffort::All, false, &cpu);
    let TileChoice { mut plan, classes, effort, .. } = choice.expect("a plan");
    plan.moves = true;
    let (TileCoding::Tables(tables), Some(classes)) = (&plan.coding, classes) else { return };
    let (encode, decode) = (TileEncoderTables::new(tables, classes), TileDecoderTables::new(tables));
    let moving = Some(&motion);
    let mut group = group(criterion, "motion", batch.raw.len());
    for (name, backend) in backends() {
        let mut out = vec![0; batch.raw.len() - geometry.frame_samples];
        group.bench_function(format!("expect/{name}"), |bencher| {
            bencher.iter(|| backend.expect(batch, &motion, &mut out).expect("frames"));
        });
        group.bench_function(format!("coded/encode/{name}"), |bencher| {
            bencher.iter(|| backend.tiles_encode(batch, &plan, effort, &encode, moving).expect("coded tiles"));
        });
        let coded = backend.tiles_encode(batch, &plan, effort, &encode, moving).expect("coded tiles");
        let mut raw = batch.raw.to_vec();
        group.bench_function(format!("coded/decode/{name}"), |bencher| {
            bencher.iter(|| {
                backend.tiles_decode((&geometry).into(), &plan, &decode, &coded, moving, &mut raw).expect("frames")
            });
        });
    }
}

/// Planes recovered from the frames that they were made into, and made into these again, on every backend.
fn recovery(criterion: &mut Criterion) {
    let footage = Footage::of(&clips::yuv420().frames);
    let Layout::Yuv { width, height, .. } = *clips::yuv420().frames.format().layout() else { return };
    let layout = Layout::Packed { width, height, order: ChannelOrder::Rgb };
    let geometry =
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).expect("a frame format"), footage.geometry.frames);
    let mut raw = vec![0; geometry.raw_bytes()];
    let mut group = group(criterion, "recovery", raw.len());
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    for (name, backend) in backends() {
        let mut solved = SolvedPlanes::default();
        group.bench_function(format!("convert/{name}"), |bencher| {
            bencher.iter(|| backend.convert(&geometry, &making, &footage.raw, &mut raw).expect("frames"));
        });
        let batch = Batch { geometry: &geometry, raw: &raw };
        group.bench_function(format!("solve/{name}"), |bencher| {
            bencher.iter(|| backend.solve(batch, &making, &mut solved).expect("planes"));
        });
    }
}

/// The search for motion between some frames, first planes alone, on every backend.
fn searches(criterion: &mut Criterion) {
    let clip = clips::yuv420().frames;
    let Layout::Yuv { width, height, .. } = *clip.format().layout() else { return };
    let frames = clip.as_bytes().chunks_exact(width * height * 3 / 2).map(|frame| &frame[..width * height]);
    let frames: Vec<&[u8]> = frames.take(5).collect();
    let mut group = group(criterion, "motion", 4 * width * height);
    for (name, backend) in backends() {
        for (effort, of) in [(SearchEffort::Full, "full"), (SearchEffort::Light, "light")] {
            group.bench_function(format!("search/{of}/{name}"), |bencher| {
                bencher.iter(|| backend.search(&frames, width, Filter::Quarter, None, effort).expect("fields"));
            });
        }
    }
}

criterion_group!(
    stages, copies, residence, colours, temporals, predictors, shuffles, measures, plans, tiles, motion, recovery,
    searches
);
criterion_main!(stages);

//! Every stage by itself at every SIMD level, and whole plans on every backend.
//!
//! Ids are `stage/variant/direction/level`, all on 8-bit samples unless the variant says otherwise.
//! The clips are repeated in memory to more than the caches hold.

mod clips;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use framepress::frame::{Frames, Geometry, WorkBuffer};
use framepress::internal::{
    Backend, Batch, CpuBackend, Order, Prediction, bit_shuffle, byte_shuffle, colour, entropy, histogram, predict,
    temporal,
};
use framepress::plan::{Colour, Plan, Predictor};
use framepress::{Settings, SimdLevel};

/// Raw bytes that a stage works on.
const BYTES: usize = 16 << 20;

/// Samples that are shuffled at a time, as at level 3.
const SPAN_SAMPLES: usize = 1 << 18;

/// The backends that run whole plans. Adapters are listed here once there are any.
fn backends() -> Vec<(String, Box<dyn Backend>)> {
    let cpu = |simd: SimdLevel| -> (String, Box<dyn Backend>) {
        (format!("cpu-{}", simd.name()), Box::new(CpuBackend::new(simd, 1)))
    };
    SimdLevel::available().into_iter().map(cpu).collect()
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

fn join(simd: SimdLevel, transform: Colour, geometry: &Geometry, planar: &mut [u8], raw: &mut [u8]) {
    let mut planes: Vec<&mut [u8]> = planar.chunks_mut(geometry.planes[0].frame_samples()).collect();
    colour::inverse(simd, transform, &geometry.planes, &mut planes, raw);
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
            for (planar, raw) in planar.chunks_mut(size).zip(raw.chunks_mut(size)) {
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

type Shuffle = fn(SimdLevel, usize, &[u8], &mut [u8]);

fn shuffles(criterion: &mut Criterion) {
    let kernels: [(&str, Shuffle, Shuffle); 2] = [
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

/// The plan of level 3, carried out and undone.
fn plans(criterion: &mut Criterion) {
    for clip in clips::clips() {
        let footage = Footage::of(&clip.frames);
        let batch = Batch { geometry: &footage.geometry, raw: &footage.raw };
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let settings = Settings::new().with_level(3).expect("a level");
        let plan: Plan = framepress::internal::choose(batch, &settings, &cpu, &cpu).expect("a plan");
        let mut residuals = WorkBuffer::default();
        cpu.forward(batch, &plan, &mut residuals).expect("residuals");
        let mut raw = footage.raw.clone();
        let mut group = group(criterion, "plan", raw.len());
        for (name, backend) in backends() {
            let mut out = WorkBuffer::default();
            group.bench_function(format!("{}/forward/{name}", clip.name), |bencher| {
                bencher.iter(|| backend.forward(batch, &plan, &mut out).expect("residuals"));
            });
            group.bench_function(format!("{}/inverse/{name}", clip.name), |bencher| {
                bencher.iter_custom(|times| {
                    let mut elapsed = Duration::ZERO;
                    for _ in 0..times {
                        let mut residuals = residuals.clone();
                        let start = Instant::now();
                        backend.inverse(&footage.geometry, &plan, &mut residuals, &mut raw).expect("frames");
                        elapsed += start.elapsed();
                    }
                    elapsed
                });
            });
        }
    }
}

criterion_group!(stages, colours, temporals, predictors, shuffles, measures, plans);
criterion_main!(stages);

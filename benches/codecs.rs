//! Every codec on one thread.
//!
//! Ids are `codec/clip/direction`; the clips are not repeated, for a codec would find the copies. Codecs of blocks
//! code the residuals of whole planes that level 3 leaves. `tiles-ans` and `tiles-pack` code the tiles that level 4
//! makes, and `discrete` pictures of few values made of a clip. The model has a bench of its own.

mod clips;

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use framepress::frame::{Geometry, WorkBuffer};
use framepress::internal::{
    Backend, Batch, CpuBackend, Crew, Decoder, Encoder, LevelParameters, Surroundings, TileBatch, blocks, choose,
    choose_tiles, decode_tiles, discrete, encode_tiles,
};
use framepress::plan::CodecChoice;
use framepress::{CodecId, Settings, SimdLevel};

/// The residuals of a clip as the blocks that are coded.
fn residual_blocks(clip: &clips::Clip) -> Vec<Vec<u8>> {
    let geometry = Geometry::new(clip.frames.format(), clip.frames.frames());
    let batch = Batch { geometry: &geometry, raw: clip.frames.as_bytes() };
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let settings = Settings::new().with_level(3).expect("a level");
    let plan = choose(batch, &settings, &cpu, &cpu).expect("a plan").plan;
    let mut residuals = WorkBuffer::default();
    cpu.forward(batch, &plan, &mut residuals).expect("residuals");
    blocks(&geometry, plan.span_samples).map(|block| residuals.as_bytes()[block.bytes].to_vec()).collect()
}

/// Every codec, Zstandard at each level that is in use.
fn choices() -> Vec<(String, CodecChoice, i32)> {
    let mut zstd_levels: Vec<i32> = (1..=9).map(|level| LevelParameters::of(level).zstd_level).collect();
    zstd_levels.sort_unstable();
    zstd_levels.dedup();
    let zstd = zstd_levels.into_iter().map(|level| (format!("zstd-{level}"), CodecChoice::Zstd, level));
    let others = [
        ("store".to_owned(), CodecChoice::Store, 1),
        ("lz4".to_owned(), CodecChoice::Lz4, 1),
        ("ans".to_owned(), CodecChoice::Ans, 1),
        ("pack".to_owned(), CodecChoice::Pack, 1),
    ];
    others.into_iter().chain(zstd).collect()
}

/// What no codec can be faster than: the blocks copied.
fn memcpy(criterion: &mut Criterion, clip: &str, blocks: &[Vec<u8>]) {
    let mut copies = blocks.to_vec();
    let mut group = criterion.benchmark_group("memcpy");
    group.throughput(Throughput::Bytes(blocks.iter().map(Vec::len).sum::<usize>() as u64));
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.bench_function(clip, |bencher| {
        bencher.iter(|| {
            for (copy, block) in copies.iter_mut().zip(blocks) {
                copy.copy_from_slice(std::hint::black_box(block));
            }
            std::hint::black_box(&mut copies);
        });
    });
}

fn codecs(criterion: &mut Criterion) {
    for clip in clips::clips() {
        let blocks = residual_blocks(&clip);
        memcpy(criterion, clip.name, &blocks);
        for (name, choice, zstd_level) in choices() {
            let mut group = criterion.benchmark_group(&name);
            group.throughput(Throughput::Bytes(clip.frames.as_bytes().len() as u64));
            group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
            let mut encoder = Encoder::new(choice, zstd_level, false).expect("an encoder");
            let mut packed = Vec::new();
            group.bench_function(format!("{}/encode", clip.name), |bencher| {
                bencher.iter(|| {
                    for block in &blocks {
                        packed.clear();
                        encoder.encode(block, Surroundings::default(), &mut packed);
                    }
                });
            });
            let coded: Vec<(CodecId, Vec<u8>, Vec<u8>)> = blocks
                .iter()
                .map(|block| {
                    let mut packed = Vec::new();
                    let codec = encoder.encode(block, Surroundings::default(), &mut packed);
                    (codec, packed, vec![0; block.len()])
                })
                .collect();
            let mut decoder = Decoder::default();
            let mut coded = coded;
            group.bench_function(format!("{}/decode", clip.name), |bencher| {
                bencher.iter(|| {
                    for (codec, packed, block) in &mut coded {
                        decoder.decode(*codec, packed, Surroundings::default(), block).expect("a block");
                    }
                });
            });
        }
    }
}

/// The coders of tiles.
fn tiles(criterion: &mut Criterion) {
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let effort = LevelParameters::of(4).tiles;
    for clip in clips::clips() {
        let geometry = Geometry::new(clip.frames.format(), clip.frames.frames());
        let batch = Batch { geometry: &geometry, raw: clip.frames.as_bytes() };
        for (name, packed) in [("tiles-ans", false), ("tiles-pack", true)] {
            let choice = || choose_tiles(batch, effort, packed, &cpu).expect("a plan");
            let mut tiles = TileBatch::default();
            cpu.tiles_forward(batch, choice().plan.cut(), effort, &mut tiles).expect("tiles");
            let encode = |choice| encode_tiles(batch, choice, Some(&tiles), &cpu, None).expect("segments");

            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Bytes(batch.raw.len() as u64));
            group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
            group.bench_function(format!("{}/encode", clip.name), |bencher| {
                bencher.iter_batched(choice, encode, BatchSize::LargeInput);
            });
            let (plan, segments) = encode(choice());
            let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
            let mut decoded = TileBatch::default();
            group.bench_function(format!("{}/decode", clip.name), |bencher| {
                bencher.iter(|| decode_tiles(&geometry, &plan, &segments, &mut decoded, &cpu).expect("tiles"));
            });
        }
    }
}

/// The coder of pictures of few values on a mask, the green of a clip above its middle, and on its pixels with two
/// bits per channel.
fn discrete(criterion: &mut Criterion) {
    let clip = clips::rgb();
    let pixels = clip.frames.as_bytes().as_chunks::<3>().0;
    let mask: Vec<u8> = pixels.iter().map(|[_, green, _]| u8::from(*green > 127)).collect();
    let posterised: Vec<u8> = clip.frames.as_bytes().iter().map(|byte| byte & 0xC0).collect();
    let mut group = criterion.benchmark_group("discrete");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    for (name, raw, unit_bytes) in [("mask", mask, 1), ("posterised", posterised, 3)] {
        let picture = discrete::Picture { width: 317, height: 179, unit_bytes };
        group.throughput(Throughput::Bytes(raw.len() as u64));
        let mut packed = Vec::new();
        group.bench_function(format!("{name}/encode"), |bencher| {
            bencher.iter(|| {
                packed.clear();
                assert!(discrete::encode(picture, discrete::Effort::Usual, &Crew::new(1), &raw, &mut packed));
            });
        });
        let mut decoded = vec![0; raw.len()];
        group.bench_function(format!("{name}/decode"), |bencher| {
            bencher.iter(|| discrete::decode(picture, &Crew::new(1), &packed, &mut decoded).expect("frames"));
        });
    }
}

criterion_group!(benches, codecs, tiles, discrete);
criterion_main!(benches);

//! The adaptive model on a colour clip, green first, as one strip on one thread.
//!
//! Ids are `model/clip/direction`.

mod clips;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use framepress::SimdLevel;
use framepress::internal::model::{Plane, Size, decode, encode};

fn model(criterion: &mut Criterion) {
    let clip = clips::clips().swap_remove(0);
    let size = Size { width: 317, height: 179 };
    let bytes = clip.frames.as_bytes();
    let frames = bytes.len() / (3 * size.width * size.height);
    let channel = |k: usize| bytes.iter().skip(k).step_by(3).copied();
    let less_green = |k: usize| channel(k).zip(channel(1)).map(|(sample, green)| sample.wrapping_sub(green)).collect();
    let planes: [Vec<u8>; 3] = [channel(1).collect(), less_green(0), less_green(2)];
    let of = |samples| Plane { size, samples, frame_stride: size.width * size.height };
    let planes = [of(&planes[0]), of(&planes[1]), of(&planes[2])];

    let mut group = criterion.benchmark_group("model");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let mut packed = Vec::new();
    group.bench_function(format!("{}/encode", clip.name), |bencher| {
        bencher.iter(|| {
            packed.clear();
            encode(SimdLevel::detect(), frames, &planes, &mut packed);
        });
    });
    let mut decoded = [(); 3].map(|()| vec![0u8; frames * size.width * size.height]);
    group.bench_function(format!("{}/decode", clip.name), |bencher| {
        bencher.iter(|| {
            let mut slices = decoded.each_mut().map(|plane| &mut plane[..]);
            decode(SimdLevel::detect(), &packed, frames, &[size; 3], &mut slices).expect("a strip");
        });
    });
}

criterion_group!(benches, model);
criterion_main!(benches);

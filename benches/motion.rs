//! The search for motion and what it makes of the frame before, luma of a clip, on one thread.
//!
//! Ids are `motion/clip/step`.

mod clips;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use framepress::SimdLevel;
use framepress::internal::CpuBackend;
use framepress::internal::motion::{Compensation, Field, Filters, Reference, SearchEffort, Share, search};

fn motion(criterion: &mut Criterion) {
    let clip = clips::clips().swap_remove(1);
    let (width, height) = (320, 176);
    let frames: Vec<&[u8]> =
        clip.frames.as_bytes().chunks_exact(width * height * 3 / 2).map(|frame| &frame[..width * height]).collect();
    let pair = [frames[0], frames[1]];
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let still = Field::still(width, height);

    let mut group = criterion.benchmark_group("motion");
    group.throughput(Throughput::Bytes((width * height) as u64));
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let filters = Filters::choose(&frames, width, &cpu).expect("filters");
    group.bench_function(format!("{}/search", clip.name), |bencher| {
        bencher.iter(|| search(pair, width, filters, Some(&still), SearchEffort::Full, &cpu).expect("a field"));
    });
    let field = search(pair, width, filters, Some(&still), SearchEffort::Full, &cpu).expect("a field");
    let earlier = Reference { samples: pair[0], width, height, step: 1 };
    let compensation = Compensation { field: &field, share: Share { is_first: true, across: 0, down: 0 }, earlier };
    let mut out = vec![0; width * height];
    group.bench_function(format!("{}/compensate", clip.name), |bencher| {
        bencher.iter(|| compensation.put(cpu.simd(), 0..height, &mut out, width));
    });
}

criterion_group!(benches, motion);
criterion_main!(benches);

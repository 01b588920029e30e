//! The search for motion on every backend against the reference.

use framepress::frame::{Dtype, FrameFormat, Geometry, Layout, WorkBuffer};
use framepress::internal::gpu::{compare_search, moving_frames, sample_bytes};
use framepress::internal::motion::{Field, Filter, Filters, SearchEffort, Vector, search_all};
use framepress::internal::{Backend, Batch, Detail, strips};
use framepress::plan::{Colour, StripPlan, Values};
use libtest_mimic::Trial;

use super::backends::{Adapter, Subject, adapters, all, reference, row};

const EFFORTS: [SearchEffort; 2] = [SearchEffort::Full, SearchEffort::Light];
/// The least one, and those whose last blocks are not whole.
const SIZES: [(usize, usize); 4] = [(16, 16), (17, 40), (61, 35), (75, 64)];

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        rows.push(row("search", it, "filters", || filters(it)));
        rows.push(row("search", it, "noise", || noise(it)));
        rows.push(row("search", it, "flat", || flat(it)));
        rows.push(row("search", it, "far", || far(it)));
        rows.push(row("search", it, "longest", || longest(it)));
        rows.push(row("search", it, "many-workgroups", || many_workgroups(it)));
        rows.push(row("search", it, "batches", || batches(it)));
        rows.push(row("search", it, "strips", || strips_that_move(it)));
    }
    for it in adapters() {
        rows.push(row("search", it, "submissions", || submissions(it.adapter())));
    }
    rows
}

fn same(subject: &Subject, frames: &[Vec<u8>], width: usize, filter: Filter, last: Option<&Field>) {
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    for effort in EFFORTS {
        let difference =
            compare_search(subject.backend(), &reference(), (&frames, width), filter, last, effort).unwrap();
        assert_eq!(difference, None, "{filter:?} {effort:?}, {width} samples a row");
    }
}

/// What moved with each filter, with a frame that is there twice.
fn filters(subject: &Subject) {
    for (seed, filter) in Filter::ALL.into_iter().enumerate() {
        for (width, height) in SIZES {
            let mut frames = moving_frames((width, height), 4, filter, 30, seed as u64).unwrap();
            frames[2] = frames[1].clone();
            same(subject, &frames, width, filter, None);
        }
    }
}

/// Each frame is another scene.
fn noise(subject: &Subject) {
    for (width, height) in SIZES {
        let frames: Vec<Vec<u8>> = (0..3).map(|seed| sample_bytes(width * height, seed)).collect();
        for filter in [Filter::Whole, Filter::Half, Filter::Quarter, Filter::Av1Smooth] {
            same(subject, &frames, width, filter, Some(&Field::still(width, height)));
        }
    }
}

/// Every vector is as good as any other, but for some samples.
fn flat(subject: &Subject) {
    let (width, height) = (99, 51);
    let mut frames = vec![vec![77; width * height]; 3];
    frames[1][3000] = 78;
    frames[2][40..60].fill(255);
    for filter in [Filter::Whole, Filter::Quarter, Filter::Hevc] {
        same(subject, &frames, width, filter, None);
    }
}

/// What moved before led far outside, and beyond what is searched.
fn far(subject: &Subject) {
    let (width, height) = (75, 53);
    let ends = [i16::MIN, -8193, -8192, -400, -193, -192, 191, 192, 400, 8192, 8193, i16::MAX];
    for filter in [Filter::HalfDown, Filter::Quarter, Filter::Vp9Sharp] {
        let frames = moving_frames((width, height), 3, filter, 120, 4).unwrap();
        let mut last = Field::still(width, height);
        for (at, vector) in last.vectors.iter_mut().enumerate() {
            *vector = Vector { x: ends[at % ends.len()], y: ends[at / ends.len() % ends.len()] };
        }
        same(subject, &frames, width, filter, Some(&last));
    }
}

/// Blocks go as far as vectors lead.
fn longest(subject: &Subject) {
    let (width, height, distance) = (2100, 32, 2048);
    let earlier = sample_bytes(width * height, 3);
    let mut later = sample_bytes(width * height, 8);
    for (earlier, later) in earlier.chunks(width).zip(later.chunks_mut(width)) {
        later[..width - distance].copy_from_slice(&earlier[distance..]);
    }
    let mut last = Field::still(width, height);
    last.vectors.fill(Vector { x: 4 * distance as i16, y: 0 });
    let frames = [earlier, later];
    same(subject, &frames, width, Filter::Quarter, Some(&last));
    let frames = frames.each_ref().map(Vec::as_slice);
    let found = reference().search(&frames, width, Filter::Quarter, Some(&last), SearchEffort::Full).unwrap();
    assert_eq!(found[0].vectors[0], last.vectors[0]);
}

/// More blocks, each a workgroup, than a dimension of a dispatch has.
fn many_workgroups(subject: &Subject) {
    let (width, height) = (257 * 16, 256 * 16);
    let frames = moving_frames((width, height), 2, Filter::Whole, 12, 5).unwrap();
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let last = Field::still(width, height);
    let (filter, effort) = (Filter::Whole, SearchEffort::Light);
    let difference =
        compare_search(subject.backend(), &reference(), (&frames, width), filter, Some(&last), effort).unwrap();
    assert_eq!(difference, None);
}

/// Filters that take turns too, and pairs that are known.
fn batches(subject: &Subject) {
    let (width, height) = (96, 61);
    let cpu = reference();
    for filter in [Filter::HalfDown, Filter::Quarter, Filter::Vp9Regular] {
        let mut frames = moving_frames((width, height), 6, filter, 30, 6).unwrap();
        frames[5] = frames[4].clone();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let filters = Filters::choose(&frames, width, &cpu).unwrap();
        let known = Field { filter, ..Field::still(width, height) };
        for effort in EFFORTS {
            let search = |backend: &dyn Backend| {
                let known = |pair| (pair == 2).then_some(&known);
                search_all(&frames, width, filters, known, effort, backend, &cpu).unwrap()
            };
            assert!(search(subject.backend()) == search(&cpu), "{filter:?} {effort:?}");
        }
    }
}

/// Strips whose vectors are not known are searched for them.
fn strips_that_move(subject: &Subject) {
    let (width, height) = (96, 61);
    let cpu = reference();
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, Layout::Gray { width, height }).unwrap(), 4);
    let raw = moving_frames((width, height), 4, Filter::Quarter, 30, 7).unwrap().concat();
    let plan = StripPlan { values: Values::default(), colour: Colour::None, strips: 2, moves: true };
    let mut planes = WorkBuffer::default();
    cpu.forward(Batch { geometry: &geometry, raw: &raw }, &plan.planes(&geometry), &mut planes).unwrap();
    let encode = |backend: &dyn Backend| strips::encode(&geometry, &plan, None, &planes, backend, &cpu).unwrap();
    assert!(encode(subject.backend()) == encode(&cpu));
}

/// A device has all pairs at once, up to those that are known; filters that take turns are chosen in between.
fn submissions(adapter: &Adapter) {
    let device = adapter.open();
    let (width, height) = (48, 32);
    let cpu = reference();
    for (filter, known, expected) in
        [(Filter::Quarter, None, 1), (Filter::Quarter, Some(2), 2), (Filter::HalfDown, None, 5)]
    {
        let frames = moving_frames((width, height), 6, filter, 30, 6).unwrap();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let filters = Filters::choose(&frames, width, &cpu).unwrap();
        let field = Field { filter, ..Field::still(width, height) };
        let known = |pair| known.filter(|&known| known == pair).map(|_| &field);
        let search = || search_all(&frames, width, filters, known, SearchEffort::Full, &device, &cpu).unwrap();
        let (fields, runs) = device.profile(Detail::Host, search);
        assert_eq!((fields.len(), runs.len()), (5, expected), "{filter:?}");
    }
}

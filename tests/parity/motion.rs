//! Frames that move on every backend against the reference: what vectors make of them.

use framepress::frame::{ChromaOrder, ChromaSampling, Dtype, Layout};
use framepress::internal::gpu::compare_expected;
use framepress::internal::motion::{Field, Filter, Motion, Vector};
use libtest_mimic::Trial;

use super::backends::{Subject, all, reference, row};
use super::cases::{Case, array, gray, yuv};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        rows.push(row("expected-frames", it, "filters", || filters(it)));
        rows.push(row("expected-frames", it, "far", || far(it)));
    }
    rows
}

/// Layouts that can move, odd in every way.
fn layouts() -> [Layout; 7] {
    let planar = ChromaOrder::Planar;
    [
        gray(16, 16),
        gray(37, 51),
        array(&[18, 21]),
        yuv(64, 48, ChromaSampling::Cs420, ChromaOrder::VuInterleaved),
        yuv(51, 67, ChromaSampling::Cs420, planar),
        yuv(47, 35, ChromaSampling::Cs422, ChromaOrder::UvInterleaved),
        yuv(19, 17, ChromaSampling::Cs444, planar),
    ]
}

/// Vectors of up to so many quarters of a sample, of blocks and of units; each frame has the next filter.
pub fn moving(case: &Case, most: i16, seed: u32) -> Motion {
    let mut motion = Motion::still(&case.geometry).unwrap();
    let mut state = seed;
    let mut random = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (u64::from(state) * u64::from(below) >> 32) as u32
    };
    for (at, field) in motion.fields.iter_mut().enumerate() {
        field.filter = Filter::ALL[(at + seed as usize) % Filter::ALL.len()];
        let number = |random: &mut dyn FnMut(u32) -> u32| (random(2 * most as u32 + 1) as i32 - i32::from(most)) as i16;
        let Field { across, vectors, .. } = field;
        for row in (0..vectors.len() / *across).step_by(2) {
            for column in (0..*across).step_by(2) {
                let mut vector = Vector { x: number(&mut random), y: number(&mut random) };
                let is_one = random(2) == 0;
                for unit in [0, 1, *across, *across + 1] {
                    if !is_one {
                        vector = Vector { x: number(&mut random), ..vector };
                    }
                    vectors[row * *across + column + unit] = vector;
                }
            }
        }
    }
    motion
}

fn same_expected(subject: &Subject, case: &Case, motion: &Motion) {
    let difference = compare_expected(subject.backend(), &reference(), case.batch(), motion).unwrap();
    assert_eq!(difference, None, "{:?}", case.geometry);
}

/// Every filter, with vectors that end between all samples.
fn filters(subject: &Subject) {
    for layout in layouts() {
        let case = Case::new(Dtype::U8, layout, Filter::ALL.len() + 1, 5);
        for (most, seed) in [(1, 0), (9, 1), (60, 2)] {
            same_expected(subject, &case, &moving(&case, most, seed));
        }
    }
}

/// Vectors as long as they can be: what they lead to are edges.
fn far(subject: &Subject) {
    for layout in layouts() {
        let case = Case::new(Dtype::U8, layout, Filter::ALL.len() + 1, 5);
        same_expected(subject, &case, &moving(&case, i16::MAX, 4));
        let mut motion = moving(&case, 9, 5);
        for (at, vector) in motion.fields.iter_mut().flat_map(|field| &mut field.vectors).enumerate() {
            let ends = [i16::MIN, i16::MAX];
            *vector = Vector { x: ends[at % 2], y: ends[at / 2 % 2] };
        }
        same_expected(subject, &case, &motion);
    }
}

//! Frames that move on every backend against the reference: what vectors make of them, and tiles that are predicted from it,
//! there and back.

use framepress::frame::{ChromaOrder, ChromaSampling, Dtype, Layout};
use framepress::internal::gpu::{compare_coded, compare_expected, sample_motion};
use framepress::internal::motion::{Filter, Motion, Vector};
use framepress::internal::{TileEffort, Tiling};
use framepress::plan::{Colour, TileCut};
use libtest_mimic::Trial;

use super::backends::{Subject, all, reference, row};
use super::cases::{Case, array, gray, yuv};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        rows.push(row("expected-frames", it, "filters", || filters(it)));
        rows.push(row("expected-frames", it, "far", || far(it)));
        rows.push(row("moving-tiles", it, "shapes", || shapes(it)));
        rows.push(row("moving-tiles", it, "far", || far_tiles(it)));
        rows.push(row("moving-tiles", it, "still", || still(it)));
    }
    rows
}

/// Each filter once.
const FRAMES: usize = Filter::ALL.len() + 1;

/// Layouts that can move, odd in every way; those whose planes are too small for tiles come last.
fn layouts() -> [Layout; 8] {
    let planar = ChromaOrder::Planar;
    [
        gray(16, 16),
        gray(37, 51),
        array(&[18, 21]),
        yuv(64, 48, ChromaSampling::Cs420, ChromaOrder::VuInterleaved),
        yuv(51, 67, ChromaSampling::Cs420, planar),
        yuv(47, 35, ChromaSampling::Cs422, ChromaOrder::UvInterleaved),
        yuv(19, 17, ChromaSampling::Cs444, planar),
        yuv(17, 16, ChromaSampling::Cs420, planar),
    ]
}

fn same_expected(subject: &Subject, case: &Case, motion: &Motion) {
    let difference = compare_expected(subject.backend(), &reference(), case.batch(), motion).unwrap();
    assert_eq!(difference, None, "{:?}", case.geometry);
}

/// Every filter, with vectors that end between all samples.
fn filters(subject: &Subject) {
    for layout in layouts() {
        let case = Case::new(Dtype::U8, layout, FRAMES, 5);
        for (most, seed) in [(1, 0), (9, 1), (60, 2)] {
            same_expected(subject, &case, &sample_motion(&case.geometry, most, seed).unwrap());
        }
    }
}

/// Vectors as long as they can be, to the left and above too.
fn farthest(case: &Case) -> Motion {
    let mut motion = sample_motion(&case.geometry, 9, 5).unwrap();
    for (at, vector) in motion.fields.iter_mut().flat_map(|field| &mut field.vectors).enumerate() {
        let ends = [i16::MIN, i16::MAX];
        *vector = Vector { x: ends[at % 2], y: ends[at / 2 % 2] };
    }
    motion
}

/// What is beyond the edges are the edges.
fn far(subject: &Subject) {
    for layout in layouts() {
        let case = Case::new(Dtype::U8, layout, FRAMES, 5);
        same_expected(subject, &case, &sample_motion(&case.geometry, i16::MAX, 4).unwrap());
        same_expected(subject, &case, &farthest(&case));
    }
}

fn same_coded(subject: &Subject, case: &Case, bands: u32, segment_frames: u32, motion: &Motion) {
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands };
    let (batch, effort) = (case.batch(), TileEffort::All);
    let difference =
        compare_coded(subject.backend(), &reference(), batch, cut, effort, segment_frames, Some(motion)).unwrap();
    assert_eq!(difference, None, "{:?} {bands} {segment_frames}", case.geometry);
}

fn tiled() -> impl Iterator<Item = Case> {
    let cases = layouts().into_iter().map(|layout| Case::new(Dtype::U8, layout, 5, 3));
    cases.filter(|case| Tiling::suits(&case.geometry))
}

/// One band and several; segments of one frame, of some, and of more than there are. Filters take turns.
fn shapes(subject: &Subject) {
    for (seed, case) in tiled().enumerate() {
        let most = Tiling::most_bands(&case.geometry, false) as u32;
        for bands in [1, 2.min(most), most] {
            for segment_frames in [1, 2, 9] {
                let motion = sample_motion(&case.geometry, 40, 2 * seed + segment_frames as usize).unwrap();
                same_coded(subject, &case, bands, segment_frames, &motion);
            }
        }
    }
}

fn far_tiles(subject: &Subject) {
    tiled().for_each(|case| same_coded(subject, &case, 1, 2, &farthest(&case)));
}

/// What is expected is the frame before.
fn still(subject: &Subject) {
    tiled().for_each(|case| same_coded(subject, &case, 1, 2, &Motion::still(&case.geometry).unwrap()));
}

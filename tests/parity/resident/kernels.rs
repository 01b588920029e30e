//! The kernels that bring frames together and add up their checksum.

use framepress::internal::gpu::{compare_checksum, compare_exceptions, compare_pages, compare_rows, compare_solved};
use framepress::internal::{Pitch, PitchedFrames, Stretch};
use framepress::plan::Making;

use crate::backends::{Adapter, reference};
use crate::cases::Case;
use crate::recovery::{made, makings, shapes};

/// Rows of all lengths up to some words, at all distances to the next, in stretches that begin anywhere.
pub fn some_rows(adapter: &Adapter) {
    for row_bytes in 1..10 {
        for gap in 0..5 {
            let chroma = Stretch { start: 3 * row_bytes, row_bytes: row_bytes + 1, rows: 5 };
            let luma = Stretch { start: 0, row_bytes, rows: 3 };
            let stretches = vec![
                (luma, Pitch { offset: gap, row: row_bytes + gap, frame: 300 }),
                (chroma, Pitch { offset: 100 + gap, row: row_bytes + 1 + 3 * gap, frame: 300 }),
            ];
            let frame_bytes = 3 * row_bytes + 5 * (row_bytes + 1);
            for frames in [1, 2, 7] {
                let frames = PitchedFrames { frames, frame_bytes, stretches: stretches.clone() };
                assert_eq!(compare_rows(adapter.shared(), &frames).unwrap(), None, "{frames:?}");
            }
        }
    }
    // More than one dimension of workgroups.
    let (row_bytes, rows) = (9001, 7603);
    let stretch = (Stretch { start: 0, row_bytes, rows }, Pitch { offset: 0, row: 9004, frame: 0 });
    let frames = PitchedFrames { frames: 1, frame_bytes: row_bytes * rows, stretches: vec![stretch] };
    assert_eq!(compare_rows(adapter.shared(), &frames).unwrap(), None);
}

/// Pixels that share words with others and those that do not.
pub fn exceptions(adapter: &Adapter) {
    for channels in [3, 4] {
        for pixels in (1..70).chain([100_000]) {
            assert_eq!(compare_exceptions(adapter.shared(), channels, pixels).unwrap(), None, "{channels} {pixels}");
        }
    }
}

/// Frames that were made and that were not, of sizes that are odd in every way.
pub fn solved(adapter: &Adapter) {
    let is_same = |case: &Case, making: &Making| {
        let difference = compare_solved(adapter.shared(), &reference(), case.batch(), making).unwrap();
        assert_eq!(difference, None, "{:?} {making:?}", case.geometry);
    };
    for case in shapes() {
        for making in makings(&case) {
            is_same(&case, &making);
            is_same(&made(&case, &making), &making);
        }
    }
}

/// Pages of buffers that end anywhere, and more of them than a dimension of a dispatch has.
pub fn pages(adapter: &Adapter) {
    for bytes in [1, 3, 255, 256, 257, 767, 768, 769, 10_001, 200_000 * 256] {
        assert_eq!(compare_pages(adapter.shared(), bytes).unwrap(), None, "{bytes} bytes");
    }
}

pub fn checksums(adapter: &Adapter) {
    let around_blocks = [1, 2, 3, 33, 64].into_iter().flat_map(|blocks| (0..4).map(move |more| 1024 * blocks + more));
    let lengths = [1, 2, 3, 16, 17, 128, 129, 240, 241, 255, 256, 1000, 1023, 5 << 20];
    for bytes in lengths.into_iter().chain(around_blocks) {
        assert_eq!(compare_checksum(adapter.shared(), bytes).unwrap(), None, "{bytes} bytes");
    }
}

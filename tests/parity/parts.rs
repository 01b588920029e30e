//! Batches that go beyond what kernels of a device see at a time, on every adapter: some frames, or some rows of them, after the
//! others come to what all at once come to.

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, Layout};
use framepress::internal::gpu::{
    Difference, GpuBackend, compare, compare_coded, compare_made, compare_packed, compare_recovery, compare_search,
    made_frames, moving_frames, sample_bytes, sample_motion,
};
use framepress::internal::motion::{Field, Filter, SearchEffort};
use framepress::internal::{Detail, TileEffort, Tiling};
use framepress::plan::{Colour, Making, TileCut};
use framepress::{ErrorKind, Result};
use libtest_mimic::Trial;

use super::backends::{Adapter, adapters, reference, row};
use super::cases::{Case, WIDTHS, gray, packed, yuv};
use super::recovery::makings;

/// What kernels see at a time, which is more than the probe needs.
const MOST_BOUND: u64 = 2 << 20;

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("parts", it, "planes", || planes(it.adapter())));
        rows.push(row("parts", it, "tiles", || tiles(it.adapter())));
        rows.push(row("parts", it, "moving-tiles", || moving_tiles(it.adapter())));
        rows.push(row("parts", it, "recovery", || recovery(it.adapter())));
        rows.push(row("parts", it, "made-of-tiles", || made_of_tiles(it.adapter())));
        rows.push(row("parts", it, "search", || search(it.adapter())));
        rows.push(row("parts", it, "rows-of-planes", || rows_of_planes(it.adapter())));
        rows.push(row("parts", it, "rows-of-tiles", || rows_of_tiles(it.adapter())));
        rows.push(row("parts", it, "rows-of-recovery", || rows_of_recovery(it.adapter())));
        rows.push(row("parts", it, "too-large", || too_large(it.adapter())));
    }
    rows
}

/// A comparison that both ways takes more runs than one.
#[track_caller]
fn alike(device: &GpuBackend, least_runs: usize, compare: impl FnOnce() -> Result<Option<Difference>>) {
    let (difference, runs) = device.profile(Detail::Host, compare);
    assert_eq!(difference.unwrap(), None);
    assert!(runs.len() >= least_runs, "{} runs", runs.len());
}

/// Residuals are shuffled in spans that are longer and shorter than a frame.
fn planes(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    for dtype in WIDTHS {
        let case = Case::new(dtype, packed(203, 161, ChannelOrder::Rgb), 31 / dtype.bytes() + 1, 3);
        for plan in case.plans() {
            alike(&device, 4, || compare(&device, &reference(), case.batch(), &plan));
        }
    }
}

fn tiled() -> [(Layout, usize); 3] {
    let chroma = ChromaOrder::Planar;
    [
        (gray(321, 200), 41),
        (packed(131, 177, ChannelOrder::Bgr), 37),
        (yuv(210, 141, ChromaSampling::Cs420, chroma), 53),
    ]
}

/// With one band and with several, which all have the tiles of a frame before.
fn tiles(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    for (layout, frames) in tiled() {
        let case = Case::new(Dtype::U8, layout, frames, 3);
        let (colour, split_chroma) = match case.geometry.colour {
            true => (Colour::SubtractGreen, true),
            false => (Colour::None, false),
        };
        for bands in [1, Tiling::most_bands(&case.geometry, split_chroma) as u32] {
            let cut = TileCut { colour, split_chroma, bands };
            for segment_frames in [1, 3, 8] {
                alike(&device, 8, || {
                    compare_packed(&device, &reference(), case.batch(), cut, TileEffort::All, segment_frames)
                });
                alike(&device, 8, || {
                    compare_coded(&device, &reference(), case.batch(), cut, TileEffort::Some, segment_frames, None)
                });
            }
        }
    }
}

/// What is expected of the first frame of a part is made from the last one of the part before.
fn moving_tiles(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    for (layout, frames) in tiled().into_iter().filter(|(layout, _)| !matches!(layout, Layout::Packed { .. })) {
        let case = Case::new(Dtype::U8, layout, frames, 3);
        let motion = sample_motion(&case.geometry, 40, 1).unwrap();
        for (bands, segment_frames) in [(1, 1), (1, 3), (Tiling::most_bands(&case.geometry, false) as u32, 8)] {
            let cut = TileCut { colour: Colour::None, split_chroma: false, bands };
            alike(&device, 10, || {
                let effort = TileEffort::Some;
                compare_coded(&device, &reference(), case.batch(), cut, effort, segment_frames, Some(&motion))
            });
        }
    }
}

/// The first pair of a part goes on from the last one of the part before.
fn search(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    let (width, height) = (320, 200);
    let frames = moving_frames((width, height), 41, Filter::Quarter, 24, 2).unwrap();
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let (still, effort) = (Field::still(width, height), SearchEffort::Light);
    alike(&device, 2, || {
        compare_search(&device, &reference(), (&frames, width), Filter::Quarter, Some(&still), effort)
    });
}

fn recovery(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    for order in [ChannelOrder::Rgb, ChannelOrder::Bgra] {
        let case = Case::new(Dtype::U8, packed(203, 161, order), 33, 3);
        for making in makings(&case) {
            let raw = made_frames(&case.geometry, &making, &reference()).unwrap();
            let made = Case { geometry: case.geometry.clone(), raw };
            alike(&device, 4, || compare_recovery(&device, &reference(), made.batch(), &making));
        }
    }
}

/// Pixels take more than the planes that they are made of: some frames are made in one step after the others, and where frames
/// are too large for that, planes come to the host in between, all at once or in parts.
fn made_of_tiles(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 3 };
    for (size, frames, segment_frames, moves) in
        [((203, 161), 33, 2, false), ((203, 161), 33, 3, true), ((600, 590), 2, 1, true), ((901, 803), 3, 1, false)]
    {
        for order in [ChannelOrder::Rgb, ChannelOrder::Bgra] {
            let case = Case::new(Dtype::U8, packed(size.0, size.1, order), frames, 3);
            let making = Making { sampling: ChromaSampling::Cs420, ..makings(&case)[0] };
            let of_planes = making.planes(&case.geometry);
            // Few residuals are escaped, which would take room.
            let planes: Vec<_> = sample_bytes(of_planes.raw_bytes(), 4).iter().map(|byte| 100 + byte / 16).collect();
            let motion = moves.then(|| sample_motion(&of_planes, 20, 1).unwrap());
            let made = (&case.geometry, &making);
            alike(&device, 4, || {
                compare_made(&device, &reference(), made, &planes, cut, segment_frames, motion.as_ref())
            });
        }
    }
}

/// Frames that are larger than what kernels see at a time, in rows that are odd in number.
fn large(dtype: Dtype) -> Case {
    Case::new(dtype, packed(901, (803 / dtype.bytes()) | 1, ChannelOrder::Bgr), 3, 3)
}

/// What a row is predicted from is in the part before.
fn rows_of_planes(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    let yuv = Case::new(Dtype::U8, yuv(1501, 1101, ChromaSampling::Cs420, ChromaOrder::UvInterleaved), 2, 3);
    for case in WIDTHS.map(large).into_iter().chain([yuv]) {
        for plan in case.plans() {
            alike(&device, 4, || compare(&device, &reference(), case.batch(), &plan));
        }
    }
}

/// With a band for each row of tiles, and with some that are not all as high.
fn rows_of_tiles(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    let chroma = ChromaOrder::Planar;
    let frames = [
        (gray(2048, 1025), false),
        (packed(901, 803, ChannelOrder::Bgr), true),
        (yuv(1501, 1101, ChromaSampling::Cs420, chroma), false),
    ];
    for (layout, is_colour) in frames {
        let case = Case::new(Dtype::U8, layout, 3, 3);
        let colour = if is_colour { Colour::SubtractGreen } else { Colour::None };
        for (bands, segment_frames) in [(Tiling::most_bands(&case.geometry, is_colour) as u32, 1), (11, 3)] {
            let cut = TileCut { colour, split_chroma: is_colour, bands };
            alike(&device, 8, || {
                compare_packed(&device, &reference(), case.batch(), cut, TileEffort::Few, segment_frames)
            });
            alike(&device, 8, || {
                compare_coded(&device, &reference(), case.batch(), cut, TileEffort::Few, segment_frames, None)
            });
        }
    }
}

/// Blocks of pixels are not cut.
fn rows_of_recovery(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    for order in [ChannelOrder::Rgb, ChannelOrder::Bgra] {
        let case = Case::new(Dtype::U8, packed(901, 803, order), 2, 3);
        for making in makings(&case) {
            let raw = made_frames(&case.geometry, &making, &reference()).unwrap();
            let made = Case { geometry: case.geometry.clone(), raw };
            alike(&device, 4, || compare_recovery(&device, &reference(), made.batch(), &making));
        }
    }
}

/// A row is not cut, nor is a band of tiles.
fn too_large(adapter: &Adapter) {
    let device = adapter.open_with_most_bound(MOST_BOUND);
    let long = Case::new(Dtype::U8, gray((2 << 20) + 1, 3), 2, 1);
    let high = Case::new(Dtype::U8, gray(2048, 1025), 3, 1);
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
    let planes: Vec<&[u8]> = high.raw.chunks(high.raw.len() / 3).collect();
    // Nor are some bands of frames that move done after the others.
    let several = TileCut { bands: 11, ..cut };
    let motion = sample_motion(&high.geometry, 40, 1).unwrap();
    let found = [
        compare_coded(&device, &reference(), high.batch(), several, TileEffort::Few, 1, Some(&motion)),
        compare(&device, &reference(), long.batch(), &long.identity()),
        compare_packed(&device, &reference(), high.batch(), cut, TileEffort::Few, 3),
        compare_coded(&device, &reference(), high.batch(), cut, TileEffort::Few, 3, None),
        compare_search(&device, &reference(), (&planes, 2048), Filter::Whole, None, SearchEffort::Light),
    ];
    for found in found {
        let error = found.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gpu);
        assert!(error.to_string().contains("batch too large"), "{error}");
    }
}

//! The tiled path on every backend against the reference: tiles, packed and coded by rANS, there and back, and across
//! backends.

use framepress::ErrorKind;
use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry};
use framepress::internal::gpu::{compare_coded, compare_packed, compare_rans, sample_bytes};
use framepress::internal::{
    Backend, CodedTiles, GROUP, PackedTiles, SegmentCode, Segments, TileBatch, TileCounts, TileDecoderTables,
    TileEffort, TileEncoderTables, Tiling,
};
use framepress::plan::{Colour, TileCoding, TileCut, TilePlan, TilePredictor};
use libtest_mimic::Trial;

use super::backends::{Subject, all, reference, row, trial};
use super::cases::{Case, array, gray, packed, yuv};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        for (name, effort) in [("few", TileEffort::Few), ("some", TileEffort::Some), ("all", TileEffort::All)] {
            rows.push(row("packed-tiles", it, name, move || packed_shapes(it, effort)));
        }
        rows.push(row("packed-tiles", it, "every-predictor", || every_predictor(it)));
        rows.push(row("packed-tiles", it, "every-width", || every_width(it)));
        rows.push(row("packed-tiles", it, "none-and-all", || none_and_all_packed(it)));
        rows.push(row("packed-tiles", it, "many-frames", || many_frames(it)));
        rows.push(row("packed-tiles", it, "many-workgroups", || many_workgroups(it)));
        rows.push(row("packed-tiles", it, "damage", || damaged_packed_tiles(it)));
        rows.push(row("coded-tiles", it, "shapes", || coded_shapes(it)));
        rows.push(row("coded-tiles", it, "none-and-all", || none_and_all_coded(it)));
        rows.push(row("coded-tiles", it, "every-width", || every_coded_width(it)));
        rows.push(row("coded-tiles", it, "two-codes", || two_codes(it)));
        rows.push(row("coded-tiles", it, "many-segments", || many_segments(it)));
        rows.push(row("coded-tiles", it, "damage", || damaged_tiles(it)));
        rows.push(row("rans", it, "residuals", || residuals(it)));
        rows.push(row("rans", it, "noise", || noise_and_one_value(it)));
        rows.push(row("rans", it, "nothing", || nothing(it)));
        rows.push(row("rans", it, "damage", || damage(it)));
        for to in all().iter().filter(|to| to.name != it.name) {
            rows.push(trial(format!("cross-tiles::{}::{}", it.name, to.name), &[it, to], || cross(it, to)));
        }
    }
    rows
}

/// Layouts that can be tiled, odd in every way, with numbers of frames.
fn shapes() -> Vec<Case> {
    let shapes = [
        (gray(16, 16), 1),
        (gray(17, 33), 3),
        (gray(257, 67), 2),
        (packed(75, 67, ChannelOrder::Bgr), 3),
        (packed(64, 33, ChannelOrder::Rgb), 2),
        (packed(33, 97, ChannelOrder::Rgba), 3),
        (yuv(64, 48, ChromaSampling::Cs420, ChromaOrder::VuInterleaved), 2),
        (yuv(51, 67, ChromaSampling::Cs420, ChromaOrder::Planar), 3),
        (yuv(47, 35, ChromaSampling::Cs422, ChromaOrder::UvInterleaved), 2),
        (yuv(19, 17, ChromaSampling::Cs444, ChromaOrder::Planar), 2),
        (array(&[18, 21, 2]), 3),
        (array(&[3, 7, 20]), 2),
    ];
    shapes.into_iter().map(|(layout, frames)| Case::new(Dtype::U8, layout, frames, frames as u64)).collect()
}

/// Every way to cut frames of `case`, with few and with many bands.
fn cuts(case: &Case) -> Vec<TileCut> {
    let ways: &[(Colour, bool)] = if case.geometry.colour {
        &[(Colour::None, false), (Colour::SubtractGreen, false), (Colour::SubtractGreen, true), (Colour::None, true)]
    } else {
        &[(Colour::None, false)]
    };
    let mut cuts = Vec::new();
    for &(colour, split_chroma) in ways {
        let most = Tiling::most_bands(&case.geometry, split_chroma) as u32;
        let mut numbers = vec![1, 2.min(most), most];
        numbers.dedup();
        cuts.extend(numbers.into_iter().map(|bands| TileCut { colour, split_chroma, bands }));
    }
    cuts.iter().for_each(|cut| cut.check(&case.geometry).unwrap());
    cuts
}

fn same_packed(subject: &Subject, case: &Case, cut: TileCut, effort: TileEffort, segment_frames: u32) {
    let difference = compare_packed(subject.backend(), &reference(), case.batch(), cut, effort, segment_frames);
    assert_eq!(difference.unwrap(), None, "{:?} {cut:?} {effort:?} {segment_frames}", case.geometry);
}

fn packed_shapes(subject: &Subject, effort: TileEffort) {
    for case in shapes() {
        for cut in cuts(&case) {
            [1, 2, 9].into_iter().for_each(|segment_frames| same_packed(subject, &case, cut, effort, segment_frames));
        }
    }
}

/// A plan without tables.
fn packed_plan(TileCut { colour, split_chroma, bands }: TileCut, segment_frames: u32) -> TilePlan {
    TilePlan { colour, split_chroma, bands, segment_frames, moves: false, coding: TileCoding::Packed }
}

/// Tiles that all have one predictor.
fn every_predictor(subject: &Subject) {
    let case = Case::new(Dtype::U8, packed(35, 65, ChannelOrder::Rgb), 3, 5);
    for cut in cuts(&case) {
        let plan = packed_plan(cut, 2);
        let mut tiles = reference().tiles_pack(case.batch(), &plan, TileEffort::Few).unwrap();
        for &predictor in TilePredictor::ALL {
            tiles.predictors.fill(predictor as u8);
            let mut raw = [vec![0xA5; case.raw.len()], vec![0x5A; case.raw.len()]];
            reference().tiles_unpack((&case.geometry).into(), &plan, &tiles, &mut raw[0]).unwrap();
            subject.backend().tiles_unpack((&case.geometry).into(), &plan, &tiles, &mut raw[1]).unwrap();
            assert!(raw[0] == raw[1], "{predictor:?} {cut:?}");
        }
    }
}

/// Every width at every place of a tile, wider than needed too, with numbers that begin at any byte.
fn every_width(subject: &Subject) {
    let (tiles, mut state) = (19 * 3, 7u32);
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let case = Case::new(Dtype::U8, gray(16 * 19, 16), 3, 1);
    let plan = packed_plan(WHOLE, 2);
    for widest in [1, 3, 9] {
        let predictors = (0..tiles).map(|_| random(TilePredictor::ALL.len() as u32) as u8).collect();
        let mut group = || (0..4).fold(0, |widths, _| widths << 4 | random(widest) as u16);
        let widths: Vec<u16> = (0..4 * tiles).map(|_| group()).collect();
        let bytes = |widths: &[u16]| {
            let parts = widths.iter().flat_map(|widths| [0, 4, 8, 12].map(|by| usize::from(widths >> by & 15)));
            2 * parts.sum::<usize>()
        };
        let (first, second) = widths.split_at(4 * 19 * 2);
        let numbers = [first, second].map(|widths| noise(bytes(widths)).into()).to_vec();
        let packed = PackedTiles { predictors, widths, numbers };
        let mut raw = [vec![0xA5; case.raw.len()], vec![0x5A; case.raw.len()]];
        reference().tiles_unpack((&case.geometry).into(), &plan, &packed, &mut raw[0]).unwrap();
        subject.backend().tiles_unpack((&case.geometry).into(), &plan, &packed, &mut raw[1]).unwrap();
        assert!(raw[0] == raw[1], "widths below {widest}");
    }
}

/// Frames of zeros alone, of zeros but for a sample, and of noise, which has no widths but eight.
fn none_and_all_packed(subject: &Subject) {
    let mut case = Case::new(Dtype::U8, gray(130, 70), 2, 1);
    case.raw.fill(0);
    same_packed(subject, &case, WHOLE, TileEffort::Few, 1);
    case.raw[130 * 69] = 200;
    same_packed(subject, &case, WHOLE, TileEffort::Few, 1);
    case.raw = noise(case.raw.len());
    same_packed(subject, &case, WHOLE, TileEffort::All, 2);
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, gray(130, 70)).unwrap(), 0);
    same_packed(subject, &Case { geometry, raw: Vec::new() }, WHOLE, TileEffort::Few, 1);
}

/// More frames than are under way at a time, of which some have more tiles than a workgroup has
/// invocations.
fn many_frames(subject: &Subject) {
    for (layout, frames, bands) in [(gray(16, 17), 300, 1), (gray(80, 400), 20, 2)] {
        let case = Case::new(Dtype::U8, layout, frames, 1);
        let cut = TileCut { colour: Colour::None, split_chroma: false, bands };
        same_packed(subject, &case, cut, TileEffort::Some, 7);
    }
}

/// Four tiles are a workgroup of the choice: more than a dimension of a dispatch has.
fn many_workgroups(subject: &Subject) {
    let case = Case::new(Dtype::U8, gray(8200, 8192), 1, 1);
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 256 };
    same_packed(subject, &case, cut, TileEffort::Few, 1);
}

/// What is damaged is refused before a device sees it, or gives the same frames as by the reference.
fn damaged_packed_tiles(subject: &Subject) {
    let case = Case::new(Dtype::U8, gray(100, 70), 3, 1);
    let plan = packed_plan(WHOLE, 2);
    let packed = reference().tiles_pack(case.batch(), &plan, TileEffort::Some).unwrap();
    let treated = |backend: &dyn Backend, damage: &dyn Fn(&mut PackedTiles<'_>)| {
        let (mut damaged, mut raw) = (packed.clone(), vec![0xA5; case.raw.len()]);
        damage(&mut damaged);
        let result = backend.tiles_unpack((&case.geometry).into(), &plan, &damaged, &mut raw);
        result.map(|()| raw).map_err(|error| error.kind())
    };
    assert!(treated(subject.backend(), &|_| {}).unwrap() == case.raw);
    let alike = |damage: &dyn Fn(&mut PackedTiles<'_>)| {
        assert!(treated(subject.backend(), damage) == treated(&reference(), damage));
    };
    let refused = |damage: &dyn Fn(&mut PackedTiles<'_>)| {
        assert_eq!(treated(subject.backend(), damage), Err(ErrorKind::Corrupt));
    };
    for segment in 0..2 {
        let bytes = packed.numbers[segment].len();
        for at in (0..bytes).step_by(bytes / 9) {
            alike(&|it| it.numbers[segment].to_mut()[at] ^= 16);
        }
        refused(&|it| it.numbers[segment].to_mut().truncate(bytes - 2));
        refused(&|it| it.numbers[segment].to_mut().extend([0, 0]));
    }
    alike(&|it| it.predictors[3] ^= 1);
    // As wide together, elsewhere.
    alike(&|it| it.widths.rotate_left(1));
    refused(&|it| it.predictors[3] = 12);
    refused(&|it| it.widths[5] ^= 1);
    refused(&|it| it.widths.iter_mut().for_each(|widths| *widths = 0));
    refused(&|it| it.widths[5] = 0x9999);
    refused(&|it| it.widths.truncate(5));
    refused(&|it| it.predictors.truncate(5));
    refused(&|it| it.numbers.truncate(1));
}

fn same_coded(subject: &Subject, case: &Case, cut: TileCut, segment_frames: u32) {
    let effort = TileEffort::Some;
    let difference =
        compare_coded(subject.backend(), &reference(), case.batch(), cut, effort, segment_frames, None).unwrap();
    assert_eq!(difference, None, "{:?} {cut:?} {segment_frames}", case.geometry);
}

/// Segments of one frame, of some, and of more than there are.
fn coded_shapes(subject: &Subject) {
    for case in shapes() {
        for cut in cuts(&case) {
            [1, 2, 9].into_iter().for_each(|segment_frames| same_coded(subject, &case, cut, segment_frames));
        }
    }
}

const WHOLE: TileCut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };

/// Frames of zeros alone, of zeros but for a sample, and of noise of which much is escaped.
fn none_and_all_coded(subject: &Subject) {
    let mut case = Case::new(Dtype::U8, gray(130, 70), 2, 1);
    case.raw.fill(0);
    same_coded(subject, &case, WHOLE, 1);
    case.raw[130 * 69] = 200;
    same_coded(subject, &case, WHOLE, 1);
    case.raw = noise(case.raw.len());
    same_coded(subject, &case, WHOLE, 2);
    // The tables know small residuals only.
    case.raw.iter_mut().enumerate().for_each(|(at, sample)| *sample &= if at % 64 < 21 { 1 } else { 255 });
    same_coded(subject, &case, WHOLE, 2);
}

/// Halves of groups whose residuals take every number of bits, in every order, groups of zeros among them.
fn every_coded_width(subject: &Subject) {
    let (width, height) = (16 * 23, 16 * 11);
    let mut case = Case::new(Dtype::U8, gray(width, height), 2, 1);
    // The first frame is still, so the second one has residuals that are what is added to it, zigzag-mapped.
    let noise = noise(width * height);
    let bits = |x: usize, y: usize| [0, 1, 2, 4, 8][(x / 8 * 3 + y / 4 * (1 + x / 72)) % 5];
    case.raw[..width * height].fill(128);
    for (at, sample) in case.raw[width * height..].iter_mut().enumerate() {
        let residual = u32::from(noise[at]) & ((1 << bits(at % width, at / width)) - 1);
        *sample = 128u8.wrapping_add((residual >> 1) as u8 ^ (residual & 1).wrapping_neg() as u8);
    }
    let mut tiles = TileBatch::default();
    reference().tiles_forward(case.batch(), WHOLE, TileEffort::Few, &mut tiles).unwrap();
    let used = |half: &[u8]| 8 - half.iter().fold(0, |bits, residual| bits | residual).leading_zeros();
    let mut pairs: Vec<_> = tiles.groups().iter().map(|group| (used(&group[..32]), used(&group[32..]))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let of_first = |bits: u32| pairs.iter().filter(|&&(first, _)| first == bits).count();
    assert!([0, 1, 2, 4, 8].into_iter().all(|bits| of_first(bits) > 1), "{pairs:?}");
    for effort in [TileEffort::Few, TileEffort::All] {
        let difference = compare_coded(subject.backend(), &reference(), case.batch(), WHOLE, effort, 1, None);
        assert_eq!(difference.unwrap(), None);
    }
}

/// A group fewer than two codes take, as near as tiles come to it, as many, and an odd number of them.
fn two_codes(subject: &Subject) {
    for (width, height) in [(512, 496), (512, 512), (520, 528)] {
        let mut case = Case::new(Dtype::U8, gray(width, height), 1, 1);
        case.raw = noise(case.raw.len());
        same_coded(subject, &case, WHOLE, 1);
        // Most of the last tile is zeros.
        case.raw[width * (height - 16)..].fill(0);
        same_coded(subject, &case, WHOLE, 1);
    }
}

/// Two codes each, so that there are more than a dimension of a dispatch has. (Bands, not frames: Mesa's software adapter
/// ends the loops of an invocation after 65,535 rounds.)
fn many_segments(subject: &Subject) {
    let bands = 33_000;
    let case = Case::new(Dtype::U8, gray(16, 16 * bands), 1, 1);
    same_coded(subject, &case, TileCut { bands: bands as u32, ..WHOLE }, 1);
}

/// What is damaged is refused, or gives the same frames, as by the reference.
fn damaged_tiles(subject: &Subject) {
    // Segments of one code and of two.
    let mut case = Case::new(Dtype::U8, gray(520, 528), 2, 1);
    case.raw = noise(case.raw.len());
    case.raw[520 * 528..].iter_mut().for_each(|sample| *sample &= 3);
    case.raw[520 * 528 + 520 * 60..].fill(0);
    let mut counts = TileCounts::new(1);
    let cpu = reference();
    let mut tiles = TileBatch::default();
    cpu.tiles_forward(case.batch(), WHOLE, TileEffort::Few, &mut tiles).unwrap();
    let sum = |group: &[u8; GROUP]| group.iter().map(|&byte| u16::from(byte)).sum::<u16>();
    let groups = tiles.groups().iter().filter(|group| sum(group) > 0);
    groups.step_by(50).for_each(|group| counts.count(0, sum(group), group));
    let (tables, classes) = counts.tables();
    let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
    let coding = TileCoding::Tables(tables);
    let TileCut { colour, split_chroma, bands } = WHOLE;
    let plan = TilePlan { colour, split_chroma, bands, segment_frames: 1, moves: false, coding };
    let coded = cpu.tiles_encode(case.batch(), &plan, TileEffort::Few, &encode, None).unwrap();
    let [first, second] = coded.segments.as_slice() else { panic!("{} segments", coded.segments.len()) };
    assert_eq!([first.codes.len(), second.codes.len()], [2, 1]);
    assert!(first.escapes.len() > 1);

    let treated = |backend: &dyn Backend, damage: &dyn Fn(&mut CodedTiles<'_>)| {
        let (mut damaged, mut raw) = (coded.clone(), vec![0xA5; case.raw.len()]);
        damage(&mut damaged);
        let result = backend.tiles_decode((&case.geometry).into(), &plan, &decode, &damaged, None, &mut raw);
        result.map(|()| raw).map_err(|error| error.kind())
    };
    assert!(treated(subject.backend(), &|_| {}).unwrap() == case.raw);
    let alike = |damage: &dyn Fn(&mut CodedTiles<'_>)| {
        assert!(treated(subject.backend(), damage) == treated(&cpu, damage));
    };
    let refused = |damage: &dyn Fn(&mut CodedTiles<'_>)| {
        assert_eq!(treated(subject.backend(), damage), Err(ErrorKind::Corrupt));
    };
    for segment in 0..2 {
        let words = coded.segments[segment].codes[0].words.len();
        for at in (0..words).step_by(words / 5) {
            alike(&|it| it.segments[segment].codes[0].words.to_mut()[at] ^= 16);
        }
        refused(&|it| it.segments[segment].codes[0].words.to_mut().truncate(2));
        refused(&|it| it.segments[segment].codes[0].words.to_mut().extend([0, 0]));
        refused(&|it| it.segments[segment].codes[0].words.to_mut().truncate(words - 1));
        refused(&|it| it.segments[segment].codes[0].states[5] = 1);
        refused(&|it| it.segments[segment].escapes.to_mut().push(1));
        refused(&|it| it.segments[segment].codes.truncate(0));
        refused(&|it| it.segments[segment].codes.extend(second.codes.iter().cloned().cycle().take(2)));
        alike(&|it| it.segments[segment].codes[0].states[31] ^= 1 << 14);
    }
    refused(&|it| it.segments[0].escapes.to_mut().truncate(1));
    alike(&|it| it.segments[0].escapes.to_mut()[0] ^= 3);
    alike(&|it| it.predictors[3] ^= 1);
    refused(&|it| it.predictors[3] = 12);
    refused(&|it| it.classes[5] = 16);
    refused(&|it| it.classes[5] = 0);
    refused(&|it| it.classes.truncate(5));
    refused(&|it| it.predictors.truncate(5));
    refused(&|it| it.segments.truncate(1));
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..bytes).map(next).collect()
}

fn same_codes(subject: &Subject, groups: &[[u8; GROUP]], segments: usize) {
    let difference = compare_rans(subject.backend(), &reference(), groups, segments).unwrap();
    assert_eq!(difference, None, "{} groups, {segments} segments", groups.len());
}

/// Segments of every length from none on.
fn residuals(subject: &Subject) {
    for case in shapes() {
        for cut in cuts(&case) {
            let mut tiles = TileBatch::default();
            reference().tiles_forward(case.batch(), cut, TileEffort::All, &mut tiles).unwrap();
            for segments in [1, 2, 7] {
                same_codes(subject, tiles.groups(), segments);
            }
        }
    }
}

/// Each byte takes about 8 bits, and groups of one value take none.
fn noise_and_one_value(subject: &Subject) {
    let groups: Vec<[u8; GROUP]> = noise(3000 * GROUP).as_chunks().0.to_vec();
    same_codes(subject, &groups, 40);
    same_codes(subject, &[[7; GROUP]; 1000], 20);
}

fn nothing(subject: &Subject) {
    same_codes(subject, &[], 1);
    let none = Segments { lengths: &[], tables: &[] };
    assert!(subject.backend().rans_encode(&[], none, &[]).unwrap().is_empty());
    subject.backend().rans_decode(&[], none, &[], &mut []).unwrap();
}

/// Codes with flipped bits, too few words and too many are treated alike: most are refused, some are
/// codes of other groups.
fn damage(subject: &Subject) {
    let groups: Vec<[u8; GROUP]> = sample_bytes(60 * GROUP, 4).as_chunks().0.to_vec();
    let sum = |group: &[u8; GROUP]| group.iter().map(|&byte| u16::from(byte)).sum::<u16>();
    let mut counts = TileCounts::new(1);
    groups.iter().for_each(|group| counts.count(0, sum(group), group));
    let (tables, classes) = counts.tables();
    let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
    let ids: Vec<u16> = groups.iter().map(|group| encode.table_of(0, sum(group)).unwrap()).collect();
    let segments = Segments { lengths: &[25, 35], tables: &ids };
    let codes = reference().rans_encode(&encode.all(), segments, &groups).unwrap();
    let treated = |backend: &dyn Backend, codes: &[SegmentCode<'_>], segments: Segments<'_>| {
        let mut out = vec![[0; GROUP]; groups.len()];
        let result = backend.rans_decode(&decode.all(), segments, codes, &mut out);
        result.map(|()| out).map_err(|error| error.kind())
    };
    let alike = |codes: &[SegmentCode<'_>]| {
        let treated =
            [&reference() as &dyn Backend, subject.backend()].map(|backend| treated(backend, codes, segments));
        assert!(treated[0] == treated[1]);
    };
    let refused = |codes: &[SegmentCode<'_>], segments: Segments<'_>| {
        assert_eq!(treated(subject.backend(), codes, segments), Err(ErrorKind::Corrupt));
    };
    for at in (0..codes[1].words.len()).step_by(97) {
        let mut damaged = codes.clone();
        damaged[1].words.to_mut()[at] ^= 16;
        alike(&damaged);
    }
    for lane in 0..32 {
        for bit in [0, 14, 30, 31] {
            let mut damaged = codes.clone();
            damaged[0].states[lane] ^= 1 << bit;
            alike(&damaged);
        }
    }
    for bytes in [0, 1, 2, codes[0].words.len() / 2 * 2 - 2] {
        let mut damaged = codes.clone();
        damaged[0].words.to_mut().truncate(bytes);
        refused(&damaged, segments);
    }
    let mut damaged = codes.clone();
    damaged[1].words.to_mut().extend([0, 0]);
    refused(&damaged, segments);
    refused(&codes[..1], segments);
    refused(&codes, Segments { lengths: &[25, 34], tables: &ids });
    refused(&codes, Segments { lengths: &[25, 35], tables: &[u16::MAX; 60] });
}

/// Packed on one backend, unpacked on another.
fn cross(from: &Subject, to: &Subject) {
    for case in shapes() {
        for cut in cuts(&case) {
            let mut raw = vec![0xA5; case.raw.len()];
            let plan = packed_plan(cut, 2);
            let packed = from.backend().tiles_pack(case.batch(), &plan, TileEffort::All).unwrap();
            to.backend().tiles_unpack((&case.geometry).into(), &plan, &packed, &mut raw).unwrap();
            assert!(raw == case.raw, "{:?} {cut:?}", case.geometry);
        }
    }
}

//! Recovery of the planes that frames were made from, on every backend against the reference.

use framepress::frame::{ChannelOrder, ChromaSampling, Dtype, PlaneGeometry};
use framepress::internal::gpu::{compare_made, compare_recovery, made_frames, sample_bytes, sample_motion};
use framepress::internal::{Backend, Batch, KNOWN, Part, SolvedPlanes, Tiling, convert, recover};
use framepress::plan::{Colour, Conversion, Making, Patch, Term, TileCut};
use libtest_mimic::Trial;

use super::backends::{Subject, all, reference, row, trial};
use super::cases::{Case, packed};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        rows.push(row("recovery", it, "noise", || noise(it)));
        rows.push(row("recovery", it, "every-conversion", || every_conversion(it)));
        rows.push(row("recovery", it, "clipped", || clipped(it)));
        rows.push(row("recovery", it, "many-workgroups", || many_workgroups(it)));
        rows.push(row("recovery", it, "made-of-tiles", || made_of_tiles(it)));
        rows.push(row("recovery", it, "large-terms", || large_terms(it)));
        rows.push(row("recovery", it, "whole", || whole(it)));
        for to in all().iter().filter(|to| to.name != it.name) {
            rows.push(trial(format!("cross-recovery::{}::{}", it.name, to.name), &[it, to], || cross(it, to)));
        }
    }
    rows
}

/// Sizes that are odd in every way, in every order of channels.
pub fn shapes() -> Vec<Case> {
    let sizes = [(1, 1, 1), (2, 1, 5), (1, 3, 2), (3, 5, 3), (75, 33, 3), (64, 34, 2), (257, 131, 1), (16, 300, 2)];
    let sizes = sizes.into_iter().zip(ChannelOrder::ALL.into_iter().cycle());
    let both = sizes.clone().chain(sizes.map(|(size, order)| {
        let other = ChannelOrder::ALL.into_iter().find(|other| other.channels() != order.channels());
        (size, other.unwrap_or(order))
    }));
    both.map(|((width, height, frames), order)| Case::new(Dtype::U8, packed(width, height, order), frames, 1)).collect()
}

/// Every sampling and order of channels, each with a conversion of another kind.
pub fn makings(case: &Case) -> Vec<Making> {
    assert!(Making::suits(&case.geometry));
    let ways = ChromaSampling::ALL.into_iter().flat_map(|sampling| [false, true].map(|blue| (sampling, blue)));
    let ways = ways.zip(KNOWN);
    ways.map(|((sampling, blue_first), known)| Making { conversion: known.conversion, sampling, blue_first }).collect()
}

/// The case with frames of which most are made in this way.
pub fn made(case: &Case, making: &Making) -> Case {
    let raw = made_frames(&case.geometry, making, &reference()).unwrap();
    Case { geometry: case.geometry.clone(), raw }
}

fn same(subject: &Subject, batch: Batch<'_>, making: &Making) {
    let difference = compare_recovery(subject.backend(), &reference(), batch, making).unwrap();
    assert_eq!(difference, None, "{:?} {making:?}", batch.geometry);
}

/// Frames that nothing made.
fn noise(subject: &Subject) {
    for case in shapes() {
        makings(&case).iter().for_each(|making| same(subject, case.batch(), making));
    }
}

fn every_conversion(subject: &Subject) {
    for case in shapes() {
        makings(&case).iter().for_each(|making| same(subject, made(&case, making).batch(), making));
    }
    let case = Case::new(Dtype::U8, packed(75, 33, ChannelOrder::Rgb), 2, 1);
    for known in KNOWN {
        for sampling in ChromaSampling::ALL {
            let making = Making { conversion: known.conversion, sampling, blue_first: false };
            same(subject, made(&case, &making).batch(), &making);
        }
    }
}

/// From tiles in one step, with one band and with several, of planes that move where they can.
fn made_of_tiles(subject: &Subject) {
    let mut moving = 0;
    for case in shapes() {
        for (at, making) in makings(&case).into_iter().enumerate() {
            let of_planes = making.planes(&case.geometry);
            let planes = sample_bytes(of_planes.raw_bytes(), at as u64);
            let bands = if at % 2 == 0 { 1 } else { Tiling::most_bands(&of_planes, false) as u32 };
            let cut = TileCut { colour: Colour::None, split_chroma: false, bands };
            let motion = sample_motion(&of_planes, 20, at).ok();
            moving += usize::from(motion.is_some());
            for motion in [None, motion.as_ref()] {
                let (frames, segment_frames) = ((&case.geometry, &making), 1 + at as u32 % 2);
                let difference =
                    compare_made(subject.backend(), &reference(), frames, &planes, cut, segment_frames, motion);
                assert_eq!(difference.unwrap(), None, "{:?} {making:?} {motion:?}", case.geometry);
            }
        }
    }
    assert!(moving > 10, "{moving}");
}

/// Black and white, in runs longer than what is worked on at a time.
fn clipped(subject: &Subject) {
    let case = Case::new(Dtype::U8, packed(509, 19, ChannelOrder::Rgb), 2, 1);
    for making in makings(&case) {
        let mut case = made(&case, &making);
        for (at, run) in case.raw.chunks_mut(1300).enumerate().filter(|(at, _)| at % 2 == 0) {
            run.fill(if at % 4 == 0 { 0 } else { 255 });
        }
        same(subject, case.batch(), &making);
    }
}

/// More rows, each a workgroup, than a dimension of a dispatch has.
fn many_workgroups(subject: &Subject) {
    let case = Case::new(Dtype::U8, packed(3, 70_000, ChannelOrder::Rgb), 1, 1);
    let making = Making { sampling: ChromaSampling::Cs444, ..makings(&case)[0] };
    same(subject, case.batch(), &making);
}

/// Conversions of damaged files, whose terms just fit 32 bits.
fn large_terms(subject: &Subject) {
    let case = Case::new(Dtype::U8, packed(75, 33, ChannelOrder::Rgb), 2, 1);
    for making in makings(&case) {
        for (scale, offset) in [(8 * 32_767, 30_000 * 32_767), (-8 * 32_767, 30_000 * 32_767), (8 * 400, -400 * 1024)] {
            let term = Term::new(scale, offset);
            let terms =
                Conversion { luma: term, red: term, green_u: term, green_v: term, blue: term, ..making.conversion };
            let conversion =
                Conversion { luma_shift: 16, chroma_shift: 16, output: Term::new(1, 0), output_shift: 0, ..terms };
            conversion.check().unwrap();
            let making = Making { conversion, ..making };
            let mut raw = [vec![0xA5; case.raw.len()], vec![0x5A; case.raw.len()]];
            for (raw, backend) in raw.iter_mut().zip([&reference() as &dyn Backend, subject.backend()]) {
                backend
                    .convert(&case.geometry, &making, &case.raw[..making.planes(&case.geometry).raw_bytes()], raw)
                    .unwrap();
            }
            assert!(raw[0] == raw[1], "{making:?}");
            // What the numbers say.
            let pixel = making.conversion.pixel(case.raw[0], of_plane(&case, &making, 1), of_plane(&case, &making, 2));
            let expected = if making.blue_first { [pixel[2], pixel[1], pixel[0]] } else { pixel };
            assert_eq!(raw[0][..3], expected, "{making:?}");
        }
    }
}

/// The first sample of a plane, if the case is taken for planes.
fn of_plane(case: &Case, making: &Making, plane: usize) -> u8 {
    case.raw[making.planes(&case.geometry).planes[plane].offset]
}

/// Repaired planes and exceptions are the same wherever planes were estimated, and frames come back.
fn whole(subject: &Subject) {
    let cpu = &reference();
    let mut recovered = 0;
    for case in shapes() {
        for making in makings(&case) {
            let mut case = made(&case, &making);
            // What was not made takes a few pixels.
            let frame = making.planes(&case.geometry);
            let planes: Vec<u8> = (0..frame.raw_bytes()).map(|at| 110 + (at / 3 % 40) as u8).collect();
            convert(&case.geometry, &making, &planes, &Part::whole(&case.geometry), [&[], &[]], &mut case.raw, cpu)
                .unwrap();
            case.raw.iter_mut().step_by(1009).for_each(|byte| *byte ^= 64);
            let expected = recover(case.batch(), making, None, cpu, cpu, None).unwrap();
            let found = recover(case.batch(), making, None, subject.backend(), cpu, None).unwrap();
            assert_eq!(expected.is_some(), found.is_some(), "{:?} {making:?}", case.geometry);
            let Some((expected, found)) = expected.zip(found) else { continue };
            assert!(expected.planes.as_bytes() == found.planes.as_bytes(), "{:?} {making:?}", case.geometry);
            assert!(expected.excepted == found.excepted);
            let mut raw = vec![0xA5; case.raw.len()];
            let exceptions = found.excepted.bytes.each_ref().map(Vec::as_slice);
            let planes = found.planes.as_bytes();
            convert(
                &case.geometry,
                &making,
                planes,
                &Part::whole(&case.geometry),
                exceptions,
                &mut raw,
                subject.backend(),
            )
            .unwrap();
            assert!(raw == case.raw, "{:?} {making:?}", case.geometry);
            recovered += usize::from(found.excepted.pixels > 0);
            let Some(patch) = corner(&case) else { continue };
            let expected = recover(case.batch(), making, Some(&patch), cpu, cpu, None).unwrap().unwrap();
            let found = recover(case.batch(), making, Some(&patch), subject.backend(), cpu, None).unwrap().unwrap();
            assert!(expected.planes.as_bytes() == found.planes.as_bytes(), "{:?} {making:?}", case.geometry);
            assert!(expected.excepted == found.excepted, "{:?} {making:?}", case.geometry);
        }
    }
    assert!(recovered > 20, "{recovered} cases were recovered but for exceptions");
}

/// A patch that lacks a cell, where frames have room for it.
fn corner(case: &Case) -> Option<Patch> {
    let PlaneGeometry { width, height, .. } = case.geometry.planes[0];
    let cells = |pixels: usize| pixels.div_ceil(16);
    let width = width.checked_sub(16).filter(|&width| width > 0)?;
    let runs = vec![0, 1, cells(width) * cells(height) - 1];
    Some(Patch { left: 16, top: 0, width: width as u32, height: height as u32, runs })
}

/// Forward on one backend, inverse on another.
fn cross(from: &Subject, to: &Subject) {
    for case in shapes() {
        for making in makings(&case) {
            let case = made(&case, &making);
            let mut solved = SolvedPlanes::default();
            from.backend().solve(case.batch(), &making, &mut solved).unwrap();
            let mut raw = [vec![0xA5; case.raw.len()], vec![0x5A; case.raw.len()]];
            from.backend().convert(&case.geometry, &making, solved.planes(), &mut raw[0]).unwrap();
            to.backend().convert(&case.geometry, &making, solved.planes(), &mut raw[1]).unwrap();
            assert!(raw[0] == raw[1], "{:?} {making:?}", case.geometry);
        }
    }
}

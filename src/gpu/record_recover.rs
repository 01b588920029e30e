//! From a way frames were made to the commands that recover their planes, and that make them again.

use std::ops::Range;

use super::params;
use super::record_resident::Places;
use super::record_tiles::RawFrames;
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::cpu::recover::{Inverse, SPAN_BLOCKS};
use crate::error::Result;
use crate::frame::Geometry;
use crate::plan::{Making, Term};
use crate::stage::{Restored, SolvedPlanes};

/// Pixels that are made in an invocation.
const MADE_PIXELS: usize = 4;

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Raw frames in, [`SolvedPlanes`] out.
pub(super) fn forward(geometry: &Geometry, making: &Making) -> Result<Recording> {
    let mut recording = Recording::default();
    let raw = recording.buffer(geometry.raw_bytes())?;
    recording.upload(raw);
    let (solved, _) = solve(&mut recording, geometry, making, raw)?;
    recording.download(solved, 0..SolvedPlanes::bytes_of(&making.planes(geometry)));
    Ok(recording)
}

/// Raw frames to planes that stay there.
pub(super) struct Solving {
    pub recording: Recording,
    /// What has the raw frames.
    pub raw: Slot,
    /// What gets [`SolvedPlanes`].
    pub solved: Slot,
    /// Length of what is downloaded first: how many blocks of each span have misfits, in 32 bits.
    pub misfitting: usize,
    /// What is downloaded of the planes after that.
    pub places: Places,
}

impl Solving {
    /// With some places of the planes, in order and from multiples of 4 on.
    pub fn new(frames: RawFrames, geometry: &Geometry, making: &Making, places: Vec<Range<usize>>) -> Result<Self> {
        let mut recording = Recording::default();
        let raw = recording.buffer(geometry.raw_bytes())?;
        if frames == RawFrames::Uploaded {
            recording.upload(raw);
        }
        let (solved, misfitting) = solve(&mut recording, geometry, making, raw)?;
        let places = Places::after(misfitting.len(), places);
        recording.download_to(0, solved, misfitting.clone());
        places.record(&mut recording, solved);
        Ok(Self { recording, raw, solved, misfitting: misfitting.len(), places })
    }
}

/// Solves raw frames. Returns the buffer that gets [`SolvedPlanes`], and where it gets how many blocks of each span have misfits.
fn solve(recording: &mut Recording, geometry: &Geometry, making: &Making, raw: Slot) -> Result<(Slot, Range<usize>)> {
    let planes = making.planes(geometry);
    let block_rows = planes.planes[1].height * planes.frames;
    let first = SolvedPlanes::bytes_of(&planes).next_multiple_of(4);
    let spans = block_rows * planes.planes[1].width.div_ceil(SPAN_BLOCKS);
    let misfitting = first..first + spans * size_of::<u32>();
    let solved = recording.buffer(misfitting.end)?;
    recording.clear(solved);
    let work = Work::Workgroups(block_rows);
    recording.dispatch(Kernel::SolveForward, OVERRIDES, params(geometry, making), &[raw, solved], work);
    Ok((solved, misfitting))
}

/// Planes in, raw frames out.
pub(super) fn inverse(geometry: &Geometry, making: &Making) -> Result<Recording> {
    let mut recording = Recording::default();
    let planes = recording.buffer(making.planes(geometry).raw_bytes())?;
    recording.upload(planes);
    let raw = convert(&mut recording, geometry, making, planes)?;
    recording.download(raw, 0..geometry.raw_bytes());
    Ok(recording)
}

/// What has the raw frames in the end, of a recording that leaves in `tiled` what was tiled: that, or frames that are made of it.
pub(super) fn made(recording: &mut Recording, restored: Restored<'_>, tiled: Slot) -> Result<Slot> {
    match restored.making {
        None => Ok(tiled),
        Some(making) => convert(recording, restored.geometry, making, tiled),
    }
}

/// Makes raw frames of planes, in a buffer that it returns.
fn convert(recording: &mut Recording, geometry: &Geometry, making: &Making, planes: Slot) -> Result<Slot> {
    let raw = recording.buffer(geometry.raw_bytes())?;
    let pixels = Work::Invocations(geometry.plane_samples(0).div_ceil(MADE_PIXELS));
    recording.dispatch(Kernel::ConvertInverse, OVERRIDES, params(geometry, making), &[planes, raw], pixels);
    // The buffer of the planes may have had what is longer.
    recording.moves_only(making.planes(geometry).raw_bytes() + geometry.raw_bytes());
    Ok(raw)
}

/// Numbers that do not fit 32 bits belong to batches whose buffers are refused.
fn params(geometry: &Geometry, making: &Making) -> params::Recover {
    let (picture, planes) = (making.picture(geometry), making.planes(geometry));
    let (columns, rows) = picture.block();
    let Inverse { conversion, estimates, clipped, narrow } = Inverse::of(&making.conversion);
    let (dropped, term_scale, term_offset) = estimates.term;
    let triple = |values: [i16; 3]| [values[0].into(), values[1].into(), values[2].into(), 0];
    let pair = |Term { scale, offset }: Term| [scale, offset];
    params::Recover {
        estimate_u: triple(estimates.u),
        estimate_v: triple(estimates.v),
        estimate_luma: [estimates.luma, term_scale, term_offset, dropped as i32],
        narrow: narrow.map_or([0; 2], |narrow| [narrow.inverse.0.into(), narrow.inverse.1.into()]),
        ends: clipped.ends,
        luma: pair(conversion.luma),
        red: pair(conversion.red),
        green_u: pair(conversion.green_u),
        green_v: pair(conversion.green_v),
        blue: pair(conversion.blue),
        output: pair(conversion.output),
        luma_shift: conversion.luma_shift.into(),
        chroma_shift: conversion.chroma_shift.into(),
        output_shift: conversion.output_shift.into(),
        is_narrow: narrow.is_some().into(),
        is_plain: conversion.is_plain().into(),
        blue_first: making.blue_first.into(),
        frames: geometry.frames as u32,
        width: picture.width as u32,
        height: picture.height as u32,
        channels: picture.channels as u32,
        columns: columns as u32,
        rows: rows as u32,
        chroma_width: planes.planes[1].width as u32,
        chroma_height: planes.planes[1].height as u32,
        frame_samples: planes.frame_samples as u32,
        padding: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::KNOWN;

    const MAKING: Making =
        Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };

    fn geometry(width: usize, height: usize) -> Geometry {
        let layout = Layout::Packed { width, height, order: ChannelOrder::Rgba };
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 3)
    }

    #[test]
    fn a_dispatch_makes_all() {
        let geometry = geometry(31, 17);
        let forward = forward(&geometry, &MAKING).unwrap();
        assert_eq!(forward.download_bytes() as usize, (3usize * (2 * 31 * 17 + 3 * 16 * 9)).next_multiple_of(4));
        let inverse = inverse(&geometry, &MAKING).unwrap();
        assert_eq!(inverse.download_bytes() as usize, geometry.raw_bytes());
        for (recording, kernel) in [(forward, Kernel::SolveForward), (inverse, Kernel::ConvertInverse)] {
            let kernels: Vec<_> = recording.dispatches().map(|it| it.kernel).collect();
            assert_eq!(kernels, [kernel]);
        }
    }

    #[test]
    fn a_batch_beyond_any_device_is_an_error() {
        let huge = geometry(1 << 15, 1 << 14);
        for recording in [forward(&huge, &MAKING), inverse(&huge, &MAKING)] {
            assert_eq!(recording.unwrap_err().kind(), crate::ErrorKind::Gpu);
        }
    }
}

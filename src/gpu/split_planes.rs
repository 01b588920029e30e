//! Whole planes and recovered ones on a device, in parts where a batch is too large for it.

use super::engine::Engine;
use super::parts::{parts, with_frames};
use super::{record, record_recover};
use crate::cpu::{CpuBackend, Direction, SimdLevel};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::{Making, Plan, Shuffle};
use crate::stage::SolvedPlanes;

/// Raw frames to residuals.
pub(super) fn forward(engine: &Engine, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        engine.fits(record::forward(&geometry, plan), geometry.raw_bytes())
    };
    let parts = parts(geometry.frames, 1, 1, fits);
    if parts.len() == 1 {
        return engine.execute(&record::forward(geometry, plan)?, raw, out.as_bytes_mut());
    }
    let plain = unshuffled(plan);
    let mut residuals = WorkBuffer::default();
    for part in parts {
        let of_part = part.geometry(geometry);
        let raw = &raw[part.bytes(geometry.frame_samples * geometry.sample_bytes)];
        residuals.resize_for_overwrite(of_part.work_bytes());
        engine.execute(&record::forward(&of_part, &plain)?, raw, residuals.as_bytes_mut())?;
        let (from, to) = (Frames::new(&of_part, part.lead), Frames::new(geometry, part.frames.start));
        copy_frames(from, residuals.as_bytes(), to, out.as_bytes_mut(), part.frames.len());
    }
    shuffler().shuffle(geometry, plan, out, Direction::Forward)
}

/// Residuals to raw frames.
pub(super) fn inverse(
    engine: &Engine,
    geometry: &Geometry,
    plan: &Plan,
    residuals: &mut WorkBuffer,
    raw: &mut [u8],
) -> Result<()> {
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        engine.fits(record::inverse(&geometry, plan), geometry.work_bytes())
    };
    let parts = parts(geometry.frames, 1, 1, fits);
    if parts.len() == 1 {
        let input = &residuals.as_bytes()[..geometry.work_bytes()];
        return engine.execute(&record::inverse(geometry, plan)?, input, raw);
    }
    let plain = unshuffled(plan);
    shuffler().shuffle(geometry, plan, residuals, Direction::Inverse)?;
    let (one, frame_bytes) = (with_frames(geometry, 1), geometry.frame_samples * geometry.sample_bytes);
    let (mut before, mut of_frames) = (WorkBuffer::default(), WorkBuffer::default());
    for part in parts {
        let of_part = part.geometry(geometry);
        of_frames.resize_for_overwrite(of_part.work_bytes());
        if part.lead > 0 {
            // As the first of its part, a frame is predicted from itself alone.
            let raw = &raw[part.bytes(frame_bytes)][..frame_bytes];
            before.resize_for_overwrite(one.work_bytes());
            engine.execute(&record::forward(&one, &plain)?, raw, before.as_bytes_mut())?;
            copy_frames(Frames::new(&one, 0), before.as_bytes(), Frames::new(&of_part, 0), of_frames.as_bytes_mut(), 1);
        }
        let (from, to) = (Frames::new(geometry, part.frames.start), Frames::new(&of_part, part.lead));
        copy_frames(from, residuals.as_bytes(), to, of_frames.as_bytes_mut(), part.frames.len());
        let recording = record::inverse(&of_part, &plain)?;
        engine.execute(&recording, &of_frames.as_bytes()[..of_part.work_bytes()], &mut raw[part.bytes(frame_bytes)])?;
    }
    Ok(())
}

/// Packed frames to planes, each frame by itself.
pub(super) fn solve(engine: &Engine, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        engine.fits(record_recover::forward(&geometry, making), geometry.raw_bytes())
    };
    let parts = parts(geometry.frames, 1, 0, fits);
    if parts.len() == 1 {
        return engine.execute(&record_recover::forward(geometry, making)?, raw, out.as_bytes_mut());
    }
    let one = making.planes(&with_frames(geometry, 1));
    let (plane_bytes, blocks) = (one.raw_bytes(), one.plane_samples(1));
    for part in parts {
        let of_part = part.geometry(geometry);
        let raw = &raw[part.bytes(geometry.frame_samples * geometry.sample_bytes)];
        let mut solved = SolvedPlanes::default();
        solved.resize_for_overwrite(&making.planes(&of_part));
        engine.execute(&record_recover::forward(&of_part, making)?, raw, solved.as_bytes_mut())?;
        let (planes, misfits) = out.parts_mut();
        planes[part.bytes(plane_bytes)].copy_from_slice(solved.planes());
        misfits[part.bytes(blocks)].copy_from_slice(solved.misfits());
    }
    Ok(())
}

/// Planes to packed frames, each frame by itself.
pub(super) fn convert(
    engine: &Engine,
    geometry: &Geometry,
    making: &Making,
    planes: &[u8],
    raw: &mut [u8],
) -> Result<()> {
    let plane_bytes = making.planes(&with_frames(geometry, 1)).raw_bytes();
    let fits = |frames: usize| {
        engine.fits(record_recover::inverse(&with_frames(geometry, frames), making), frames * plane_bytes)
    };
    let frame_bytes = geometry.frame_samples * geometry.sample_bytes;
    for part in parts(geometry.frames, 1, 0, fits) {
        let recording = record_recover::inverse(&part.geometry(geometry), making)?;
        engine.execute(&recording, &planes[part.bytes(plane_bytes)], &mut raw[part.bytes(frame_bytes)])?;
    }
    Ok(())
}

/// The plan without the stage that mixes frames: spans go beyond them.
fn unshuffled(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.planes.iter_mut().for_each(|plane| plane.shuffle = Shuffle::None);
    plan
}

/// Does that stage instead of the device.
fn shuffler() -> CpuBackend {
    CpuBackend::new(SimdLevel::detect(), 1)
}

/// Frames of planes in a work buffer, from one on.
#[derive(Clone, Copy)]
struct Frames<'a> {
    geometry: &'a Geometry,
    first: usize,
}

impl<'a> Frames<'a> {
    fn new(geometry: &'a Geometry, first: usize) -> Self {
        Self { geometry, first }
    }

    /// Where `count` of them are.
    fn of_plane(&self, plane: usize, count: usize) -> std::ops::Range<usize> {
        let frame_bytes = self.geometry.planes[plane].frame_samples() * self.geometry.sample_bytes;
        let start = self.geometry.planes[plane].base + self.first * frame_bytes;
        start..start + count * frame_bytes
    }
}

fn copy_frames(from: Frames<'_>, source: &[u8], to: Frames<'_>, target: &mut [u8], count: usize) {
    for plane in 0..to.geometry.planes.len() {
        target[to.of_plane(plane, count)].copy_from_slice(&source[from.of_plane(plane, count)]);
    }
}

//! Whole planes on a device, in parts where a batch is too large for it.

use super::engine::Engine;
use super::parts::{parts, with_frames, with_least_frames};
use super::record;
use super::rows::row_parts;
use crate::cpu::{CpuBackend, Direction, SimdLevel};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::{Plan, Shuffle};

/// Raw frames to residuals.
pub(super) fn forward(engine: &Engine, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let check = |geometry: &Geometry| engine.check(record::forward(geometry, plan), geometry.raw_bytes());
    let Some(parts) = parts(geometry.frames, 1, 1, |frames| check(&with_frames(geometry, frames)).is_ok()) else {
        return forward_rows(engine, batch, plan, out);
    };
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

/// The same for frames that are too large: some rows of all of them after the others.
fn forward_rows(engine: &Engine, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let plain = unshuffled(plan);
    let check = |rows: &Geometry| {
        let rows = with_least_frames(rows, 1, 1);
        engine.check(record::forward(&rows, &plain), rows.raw_bytes())
    };
    let mut residuals = WorkBuffer::default();
    for rows in row_parts(geometry, |_| 1, 1, check)? {
        residuals.resize_for_overwrite(rows.geometry.work_bytes());
        let raw = rows.take(raw);
        forward(engine, Batch { geometry: &rows.geometry, raw: &raw }, &plain, &mut residuals)?;
        for (of_whole, own) in rows.residuals() {
            out.as_bytes_mut()[of_whole].copy_from_slice(&residuals.as_bytes()[own]);
        }
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
    let check = |geometry: &Geometry| engine.check(record::inverse(geometry, plan), geometry.work_bytes());
    let Some(parts) = parts(geometry.frames, 1, 1, |frames| check(&with_frames(geometry, frames)).is_ok()) else {
        return inverse_rows(engine, geometry, plan, residuals, raw);
    };
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

/// The same for frames that are too large.
fn inverse_rows(
    engine: &Engine,
    geometry: &Geometry,
    plan: &Plan,
    residuals: &mut WorkBuffer,
    raw: &mut [u8],
) -> Result<()> {
    let plain = unshuffled(plan);
    let check = |rows: &Geometry| {
        let rows = with_least_frames(rows, 1, 1);
        engine.check(record::inverse(&rows, &plain), rows.work_bytes())
    };
    let parts = row_parts(geometry, |_| 1, 1, check)?;
    shuffler().shuffle(geometry, plan, residuals, Direction::Inverse)?;
    let (mut before, mut of_rows) = (WorkBuffer::default(), WorkBuffer::default());
    for rows in parts {
        of_rows.resize_for_overwrite(rows.geometry.work_bytes());
        if let Some(above) = rows.above() {
            // As the first of its part, a row is predicted from itself alone.
            before.resize_for_overwrite(above.geometry.work_bytes());
            let raw = above.take(raw);
            forward(engine, Batch { geometry: &above.geometry, raw: &raw }, &plain, &mut before)?;
            for (of_above, own) in rows.lead_residuals(&above) {
                of_rows.as_bytes_mut()[own].copy_from_slice(&before.as_bytes()[of_above]);
            }
        }
        for (of_whole, own) in rows.residuals() {
            of_rows.as_bytes_mut()[own].copy_from_slice(&residuals.as_bytes()[of_whole]);
        }
        let mut own = vec![0; rows.geometry.raw_bytes()];
        inverse(engine, &rows.geometry, &plain, &mut of_rows, &mut own)?;
        rows.put(&own, raw);
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

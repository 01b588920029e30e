//! Planes that frames were made from on a device, in parts where a batch is too large for it.
//!
//! Blocks of pixels that share chroma look at those in their row alone.

use super::engine::Engine;
use super::parts::{parts, with_frames, with_least_frames};
use super::record_recover;
use super::rows::{Rows, row_parts};
use crate::error::Result;
use crate::frame::{Batch, Geometry, PlaneGeometry, Region, regions};
use crate::plan::Making;
use crate::stage::SolvedPlanes;

/// Packed frames to planes, each frame by itself.
pub(super) fn solve(engine: &Engine, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let check = |geometry: &Geometry| engine.check(record_recover::forward(geometry, making), geometry.raw_bytes());
    let Some(parts) = parts(geometry.frames, 1, 0, |frames| check(&with_frames(geometry, frames)).is_ok()) else {
        return solve_rows(engine, batch, making, out);
    };
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

/// The same for frames that are too large: some rows of all of them after the others.
fn solve_rows(engine: &Engine, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let check = |rows: &Geometry| {
        let rows = with_least_frames(rows, 1, 0);
        engine.check(record_recover::forward(&rows, making), rows.raw_bytes())
    };
    let planes = making.planes(geometry);
    let misfits = misfits(&planes);
    for rows in row_parts(geometry, |_| making.sampling.block().1, 0, check)? {
        let raw = rows.take(raw);
        let mut solved = SolvedPlanes::default();
        solved.resize_for_overwrite(&making.planes(&rows.geometry));
        solve(engine, Batch { geometry: &rows.geometry, raw: &raw }, making, &mut solved)?;
        let (to_planes, to_misfits) = out.parts_mut();
        same_rows(&rows, making, &planes).put(solved.planes(), to_planes);
        same_rows(&rows, making, &misfits).put(solved.misfits(), to_misfits);
    }
    Ok(())
}

/// Packed frames from planes that `restore` brings to the host, where tiles and frames do not fit the device at once.
pub(super) fn after_planes(
    engine: &Engine,
    (geometry, making): (&Geometry, &Making),
    raw: &mut [u8],
    restore: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<()> {
    let mut planes = vec![0; making.planes(geometry).raw_bytes()];
    restore(&mut planes)?;
    convert(engine, geometry, making, &planes, raw)
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
        engine.check(record_recover::inverse(&with_frames(geometry, frames), making), frames * plane_bytes).is_ok()
    };
    let Some(parts) = parts(geometry.frames, 1, 0, fits) else {
        return convert_rows(engine, geometry, making, planes, raw);
    };
    let frame_bytes = geometry.frame_samples * geometry.sample_bytes;
    for part in parts {
        let recording = record_recover::inverse(&part.geometry(geometry), making)?;
        engine.execute(&recording, &planes[part.bytes(plane_bytes)], &mut raw[part.bytes(frame_bytes)])?;
    }
    Ok(())
}

/// The same for frames that are too large.
fn convert_rows(engine: &Engine, geometry: &Geometry, making: &Making, planes: &[u8], raw: &mut [u8]) -> Result<()> {
    let check = |rows: &Geometry| {
        let rows = with_least_frames(rows, 1, 0);
        engine.check(record_recover::inverse(&rows, making), making.planes(&rows).raw_bytes())
    };
    let of_planes = making.planes(geometry);
    for rows in row_parts(geometry, |_| making.sampling.block().1, 0, check)? {
        let planes = same_rows(&rows, making, &of_planes).take(planes);
        let mut own = vec![0; rows.geometry.raw_bytes()];
        convert(engine, &rows.geometry, making, &planes, &mut own)?;
        rows.put(&own, raw);
    }
    Ok(())
}

/// Misfits as if they were frames: a byte for each block.
fn misfits(planes: &Geometry) -> Geometry {
    let blocks = PlaneGeometry { offset: 0, ..planes.planes[1].clone() };
    Geometry { frame_samples: blocks.frame_samples(), ..planes.clone() }.with_planes(vec![blocks])
}

/// Of frames that have something for each pixel or for each block, what belongs to these rows of pixels.
fn same_rows<'a>(rows: &Rows<'_>, making: &Making, of: &'a Geometry) -> Rows<'a> {
    let (pixels, block_rows) = (&rows.rows[0], making.sampling.block().1);
    let of_region = |region: &Region| {
        let unit = if region.height == rows.whole.planes[0].height { 1 } else { block_rows };
        pixels.start / unit..pixels.end.div_ceil(unit)
    };
    Rows::new(of, 0, regions(of).iter().map(of_region).collect())
}

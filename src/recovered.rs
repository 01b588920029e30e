//! The path of recovered planes: packed frames to the YUV that they were made from, and back. What becomes of the
//! planes is another method's business.
//!
//! On the CPU rows are repaired as soon as they are estimated, while they are in the cache; a device estimates the
//! whole batch at once, and the CPU repairs what it finds wrong.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::codec::exceptions;
use crate::cpu::CpuBackend;
use crate::cpu::recover::batch::{Strip, copy_alpha, strips, strips_of_misfits};
use crate::cpu::recover::{Before, Exceptions, Hidden, PlaneRows, Recovery, misfitting};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::part::Part;
use crate::plan::{Making, Patch};
use crate::pool;
use crate::stage::{Backend, SolvedPlanes};

/// Recovery is given up where more than one block in so many is to be repaired, because that takes time. Where rounding
/// hides what chroma was, as with tables of 4:2:2, it is one in eight of those that are made by the conversion.
const MOST_REPAIRED: usize = 4;

/// The planes of a batch, and what they leave out.
pub struct Recovered {
    /// How frames are made from the planes.
    pub making: Making,
    /// Geometry of the planes.
    pub geometry: Geometry,
    /// The planes, frame by frame.
    pub planes: WorkBuffer,
    /// Pixels that are not made of them.
    pub exceptions: usize,
    /// Where these are, and what they are, to be coded.
    pub exception_bytes: [Vec<u8>; 2],
}

impl Recovered {
    /// The planes as a batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: self.planes.as_bytes() }
    }
}

/// The planes that a batch was made from; `None` if too much of it was not. What a patch hides does not count.
pub fn recover(
    batch: Batch<'_>,
    making: Making,
    patch: Option<&Patch>,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Option<Recovered>> {
    let geometry = making.planes(batch.geometry);
    let picture = making.picture(batch.geometry);
    let hidden = patch.map_or_else(Hidden::default, |patch| Hidden::of(patch, &picture));
    let most = geometry.plane_samples(1) / MOST_REPAIRED;
    let (planes, exceptions) = if backend.is_cpu() {
        let mut planes = cpu.take_buffer(geometry.raw_bytes());
        copy_alpha(batch, &making, planes.as_bytes_mut());
        hidden.hide_alpha(&geometry, &picture, planes.as_bytes_mut());
        let exceptions = repaired(batch, &making, planes.as_bytes_mut(), None, &hidden, most, cpu)?;
        (planes, exceptions)
    } else {
        let mut solved = SolvedPlanes::default();
        backend.solve(batch, &making, &mut solved)?;
        let (planes, misfits) = solved.parts_mut();
        hidden.hide_all(&geometry, &picture, planes, misfits);
        hidden.hide_alpha(&geometry, &picture, planes);
        if misfitting(misfits) > most {
            return Ok(None);
        }
        let exceptions = repaired(batch, &making, planes, Some(misfits), &hidden, most, cpu)?;
        (solved.into_planes(), exceptions)
    };
    let Some(exceptions) = exceptions else {
        cpu.give_back(planes);
        return Ok(None);
    };
    let exception_bytes = exceptions::to_bytes(&exceptions);
    let exceptions = exceptions.iter().map(|part| part.places.len()).sum();
    Ok(Some(Recovered { making, geometry, planes, exceptions, exception_bytes }))
}

/// Repairs planes, which it estimates on the way if it is not given their misfits. The exceptions are in order; `None`
/// if more than `most` blocks are to be repaired.
fn repaired(
    batch: Batch<'_>,
    making: &Making,
    planes: &mut [u8],
    misfits: Option<&[u8]>,
    hidden: &Hidden,
    most: usize,
    cpu: &CpuBackend,
) -> Result<Option<Vec<Exceptions>>> {
    let picture = making.picture(batch.geometry);
    let frames = batch.geometry.frames;
    let all = strips(batch, making, planes);
    let mut misfits = misfits.map(|misfits| strips_of_misfits(batch.geometry, making, misfits));
    // A strip is a job: it goes through the frames in order.
    let of_frame = all.len() / frames;
    let mut jobs = Vec::new();
    jobs.resize_with(of_frame, Vec::new);
    for (at, strip) in all.into_iter().enumerate() {
        jobs[at % of_frame].push((strip, misfits.as_mut().and_then(Iterator::next)));
    }
    let repaired = AtomicUsize::new(0);
    let may_repair = |blocks: usize| repaired.fetch_add(blocks, Ordering::Relaxed) + blocks <= most;
    let exceptions = pool::map(cpu.crew(), jobs, |frames| {
        let mut recovery = Recovery::new(cpu.simd(), &making.conversion, picture).without(hidden);
        let mut before: Option<Before<'_>> = None;
        let mut all = Vec::new();
        for (Strip { first_pixel, raw, planes: PlaneRows { y, u, v } }, misfits) in frames {
            let mut exceptions = Exceptions::default();
            let planes = PlaneRows { y: &mut *y, u: &mut *u, v: &mut *v };
            if let Some(misfits) = misfits {
                recovery.repair_rows(raw, before, first_pixel, planes, misfits, &mut exceptions);
            } else if !recovery.recover(raw, before, first_pixel, planes, may_repair, &mut exceptions) {
                return Ok(None);
            }
            before = Some(Before { raw, y, u, v });
            all.push(exceptions);
        }
        Ok(Some(all))
    })?;
    let Some(mut exceptions) = exceptions.into_iter().collect::<Option<Vec<Vec<_>>>>() else { return Ok(None) };
    // Strip by strip; wanted frame by frame.
    let of_frame = |frame: usize| exceptions.iter_mut().map(|strip| std::mem::take(&mut strip[frame])).collect();
    Ok(Some((0..frames).flat_map::<Vec<_>, _>(of_frame).collect()))
}

/// Makes the raw frames of a batch, up to the last one of a part, from its planes and exceptions.
///
/// # Errors
/// Corrupt if exceptions have no place.
pub fn convert(
    geometry: &Geometry,
    making: &Making,
    planes: &[u8],
    part: &Part,
    exceptions: [&[u8]; 2],
    raw: &mut [u8],
    backend: &dyn Backend,
) -> Result<()> {
    let wanted = Geometry { frames: part.frames_of_runs(1, geometry), ..geometry.clone() };
    let planes = &planes[..making.planes(&wanted).raw_bytes()];
    backend.convert(&wanted, making, planes, &mut raw[..wanted.raw_bytes()])?;
    exceptions::put(exceptions, geometry.planes.len(), raw.into())
}

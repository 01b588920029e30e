//! The path of recovered planes: packed frames to the YUV that they were made from, and back. What becomes of the
//! planes is another method's business.
//!
//! On the CPU rows are repaired as soon as they are estimated, while they are in the cache; a device estimates the
//! whole batch at once, and the CPU repairs what it finds wrong.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::codec::exceptions;
use crate::cpu::CpuBackend;
use crate::cpu::recover::batch::{Strip, copy_alpha, strips, strips_of_misfits};
use crate::cpu::recover::{Exceptions, Recovery, misfitting};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::Making;
use crate::pool;
use crate::stage::{Backend, SolvedPlanes};

/// Recovery is given up where more than one block in so many is to be repaired: that takes time, and most of them are
/// exceptions then.
const MOST_REPAIRED: usize = 8;

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

/// The planes that a batch was made from; `None` if too much of it was not.
pub fn recover(batch: Batch<'_>, making: Making, backend: &dyn Backend, cpu: &CpuBackend) -> Result<Option<Recovered>> {
    let geometry = making.planes(batch.geometry);
    let most = geometry.plane_samples(1) / MOST_REPAIRED;
    let recovered = if backend.is_cpu() {
        recover_strips(batch, &making, most, cpu)?
    } else {
        let mut solved = SolvedPlanes::default();
        backend.solve(batch, &making, &mut solved)?;
        repair_strips(batch, &making, most, solved, cpu)?
    };
    Ok(recovered.map(|(planes, exceptions)| {
        let exception_bytes = exceptions::to_bytes(&exceptions);
        let exceptions = exceptions.iter().map(|part| part.places.len()).sum();
        Recovered { making, geometry, planes, exceptions, exception_bytes }
    }))
}

/// Planes, and the exceptions of each strip.
type Repaired = (WorkBuffer, Vec<Exceptions>);

/// Estimates and repairs strip by strip; `None` if more than `most` blocks are to be repaired.
fn recover_strips(batch: Batch<'_>, making: &Making, most: usize, cpu: &CpuBackend) -> Result<Option<Repaired>> {
    let picture = making.picture(batch.geometry);
    let mut planes = cpu.take_buffer(making.planes(batch.geometry).raw_bytes());
    copy_alpha(batch, making, planes.as_bytes_mut());
    let repaired = AtomicUsize::new(0);
    let may_repair = |blocks: usize| repaired.fetch_add(blocks, Ordering::Relaxed) + blocks <= most;
    let jobs = strips(batch, making, planes.as_bytes_mut());
    let exceptions = pool::map(cpu.threads(), jobs, |Strip { first_pixel, raw, planes }| {
        let mut exceptions = Exceptions::default();
        let mut recovery = Recovery::new(cpu.simd(), &making.conversion, picture);
        let done = recovery.recover(raw, first_pixel, planes, may_repair, &mut exceptions);
        Ok(done.then_some(exceptions))
    })?;
    let Some(exceptions) = exceptions.into_iter().collect::<Option<Vec<_>>>() else {
        cpu.give_back(planes);
        return Ok(None);
    };
    Ok(Some((planes, exceptions)))
}

/// Repairs what a device has estimated.
fn repair_strips(
    batch: Batch<'_>,
    making: &Making,
    most: usize,
    mut solved: SolvedPlanes,
    cpu: &CpuBackend,
) -> Result<Option<Repaired>> {
    if misfitting(solved.misfits()) > most {
        return Ok(None);
    }
    let picture = making.picture(batch.geometry);
    let (planes, misfits) = solved.parts_mut();
    let misfits = strips_of_misfits(batch.geometry, making, misfits);
    let jobs = strips(batch, making, planes).into_iter().zip(misfits).collect();
    let exceptions = pool::map(cpu.threads(), jobs, |(strip, misfits)| {
        let mut exceptions = Exceptions::default();
        Recovery::new(cpu.simd(), &making.conversion, picture).repair_rows(strip, misfits, &mut exceptions);
        Ok(exceptions)
    })?;
    Ok(Some((solved.into_planes(), exceptions)))
}

/// Makes the raw frames of a batch from its planes and exceptions.
///
/// # Errors
/// Corrupt if exceptions have no place.
pub fn convert(
    geometry: &Geometry,
    making: &Making,
    planes: &[u8],
    exceptions: [&[u8]; 2],
    raw: &mut [u8],
    backend: &dyn Backend,
) -> Result<()> {
    backend.convert(geometry, making, planes, raw)?;
    exceptions::put(exceptions, geometry.planes.len(), raw)
}

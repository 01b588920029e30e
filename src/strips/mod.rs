//! The path of the adaptive model: planes to packed strips and back, strip by strip, or, where they move, frame by frame.

mod moving;

use crate::codec::model::{self, Plane, Sample, Size};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Geometry, WorkBuffer};
use crate::motion::OrderedMotion;
use crate::part::Part;
use crate::plan::StripPlan;
use crate::pool;
use crate::stage::Backend;

/// The packed strips of a batch whose planes are in `planes`, after the vectors if the plan says that frames move; how, is
/// searched for on `backend` if it is not known.
pub fn encode(
    geometry: &Geometry,
    plan: &StripPlan,
    motion: Option<&OrderedMotion>,
    planes: &WorkBuffer,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    match geometry.sample_bytes {
        _ if plan.moves => moving::encode(geometry, plan, motion, planes.as_bytes(), backend, cpu),
        1 => encode_samples::<u8>(geometry, plan, planes, cpu),
        _ => encode_samples::<u16>(geometry, plan, planes, cpu),
    }
}

/// Restores a part of the planes of a batch from its strips, and its vectors if it has any; the rest is zeros, which are
/// places in any table of values, or, of a batch that moves, whatever.
///
/// # Errors
/// Corrupt if a strip is not what the plan says.
pub fn decode(
    geometry: &Geometry,
    plan: &StripPlan,
    strips: &[&[u8]],
    part: &Part,
    planes: &mut WorkBuffer,
    cpu: &CpuBackend,
) -> Result<()> {
    planes.resize_for_overwrite(geometry.work_bytes());
    match geometry.sample_bytes {
        _ if plan.moves => {
            let frames = part.frames_of_runs(1, geometry);
            moving::decode(geometry, plan, strips, frames, planes.as_bytes_mut(), cpu)
        }
        1 => decode_samples::<u8>(geometry, plan, strips, part, planes, cpu),
        _ => decode_samples::<u16>(geometry, plan, strips, part, planes, cpu),
    }
}

fn sizes(geometry: &Geometry, plan: &StripPlan, strip: usize) -> Vec<Size> {
    let size = |plane: usize| {
        let plane = &geometry.planes[plane];
        Size { width: plane.width, height: plan.rows(plane.height, strip).len() }
    };
    plan.order(geometry).into_iter().map(size).collect()
}

/// A strip of planes, in the order in which they are coded. `samples` are those of each plane of the batch, from some frame on.
fn part<'a, S>(geometry: &Geometry, plan: &StripPlan, strip: usize, samples: &[&'a [S]]) -> Vec<Plane<'a, S>> {
    let sizes = sizes(geometry, plan, strip);
    let part = |(at, size): (usize, Size)| {
        let plane = &geometry.planes[at];
        let first = plan.rows(plane.height, strip).start * plane.width;
        Plane { size, samples: &samples[at][first..], frame_stride: plane.frame_samples() }
    };
    plan.order(geometry).into_iter().zip(sizes).map(part).collect()
}

fn encode_samples<S: Sample + bytemuck::Pod>(
    geometry: &Geometry,
    plan: &StripPlan,
    planes: &WorkBuffer,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let samples: Vec<&[S]> = (0..geometry.planes.len())
        .map(|plane| bytemuck::cast_slice(&planes.as_bytes()[geometry.plane_range(plane)]))
        .collect();
    pool::map(cpu.crew(), (0..plan.strips as usize).collect(), |strip| {
        let planes = part(geometry, plan, strip, &samples);
        let mut packed = Vec::new();
        model::encode(cpu.simd(), geometry.frames, &planes, &mut packed);
        Ok(packed)
    })
}

fn decode_samples<S: Sample + bytemuck::Pod>(
    geometry: &Geometry,
    plan: &StripPlan,
    strips: &[&[u8]],
    part: &Part,
    planes: &mut WorkBuffer,
    cpu: &CpuBackend,
) -> Result<()> {
    let wanted = |&(strip, _): &(usize, _)| {
        geometry.planes.iter().any(|plane| part.needs(&plan.rows(plane.height, strip), plane.height))
    };
    let jobs: Vec<_> = strips.iter().enumerate().filter(wanted).collect();
    if jobs.len() < strips.len() {
        planes.as_bytes_mut().fill(0);
    }
    let decoded = pool::map(cpu.crew(), jobs, |(strip, packed)| {
        let sizes = sizes(geometry, plan, strip);
        let samples = |size: &Size| vec![S::default(); size.width * size.height * geometry.frames];
        let mut decoded: Vec<Vec<S>> = sizes.iter().map(samples).collect();
        let mut out: Vec<&mut [S]> = decoded.iter_mut().map(Vec::as_mut_slice).collect();
        model::decode(cpu.simd(), packed, geometry.frames, &sizes, &mut out)?;
        Ok((strip, decoded))
    })?;
    for (strip, decoded) in decoded {
        for (at, decoded) in plan.order(geometry).into_iter().zip(decoded) {
            let plane = &geometry.planes[at];
            let rows = plan.rows(plane.height, strip);
            let samples: &mut [S] = bytemuck::cast_slice_mut(&mut planes.as_bytes_mut()[geometry.plane_range(at)]);
            let frames = samples.chunks_exact_mut(plane.frame_samples());
            for (frame, decoded) in frames.zip(decoded.chunks_exact(rows.len() * plane.width)) {
                frame[rows.start * plane.width..rows.end * plane.width].copy_from_slice(decoded);
            }
        }
    }
    Ok(())
}

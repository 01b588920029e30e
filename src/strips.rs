//! The path of the adaptive model: planes to packed strips and back, strip by strip.

use crate::codec::model::{self, Plane, Size};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Geometry, WorkBuffer};
use crate::part::Part;
use crate::plan::StripPlan;
use crate::pool;

/// The packed strips of a batch whose planes are in `planes`.
pub fn encode(geometry: &Geometry, plan: &StripPlan, planes: &WorkBuffer, cpu: &CpuBackend) -> Result<Vec<Vec<u8>>> {
    match geometry.sample_bytes {
        1 => encode_samples::<u8>(geometry, plan, planes, cpu),
        _ => encode_samples::<u16>(geometry, plan, planes, cpu),
    }
}

/// Restores a part of the planes of a batch from its strips; the rest is zeros, which are places in any table of values.
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
    match geometry.sample_bytes {
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

fn encode_samples<S: model::Sample + bytemuck::Pod>(
    geometry: &Geometry,
    plan: &StripPlan,
    planes: &WorkBuffer,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let samples: Vec<&[S]> = (0..geometry.planes.len())
        .map(|plane| bytemuck::cast_slice(&planes.as_bytes()[geometry.plane_range(plane)]))
        .collect();
    pool::map(cpu.crew(), (0..plan.strips as usize).collect(), |strip| {
        let sizes = sizes(geometry, plan, strip);
        let planes: Vec<Plane<'_, S>> = plan
            .order(geometry)
            .into_iter()
            .zip(sizes)
            .map(|(at, size)| {
                let plane = &geometry.planes[at];
                let first = plan.rows(plane.height, strip).start * plane.width;
                Plane { size, samples: &samples[at][first..], frame_stride: plane.frame_samples() }
            })
            .collect();
        let mut packed = Vec::new();
        model::encode(cpu.simd(), geometry.frames, &planes, &mut packed);
        Ok(packed)
    })
}

fn decode_samples<S: model::Sample + bytemuck::Pod>(
    geometry: &Geometry,
    plan: &StripPlan,
    strips: &[&[u8]],
    part: &Part,
    planes: &mut WorkBuffer,
    cpu: &CpuBackend,
) -> Result<()> {
    planes.resize_for_overwrite(geometry.work_bytes());
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

//! Strips of frames that move: what is expected of a strip is made from all strips of the frame before, so strips are decoded
//! frame by frame, side by side.

use super::{part, sizes};
use crate::codec::model::{Decoding, Encoding, vectors};
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::motion::{Compensation, Field, Filters, Motion, Reference, SearchEffort, Share, search_all};
use crate::plan::StripPlan;
use crate::pool;
use crate::stage::Backend;

/// The packed vectors of a batch, and then its packed strips.
pub(super) fn encode(
    geometry: &Geometry,
    plan: &StripPlan,
    motion: Option<&Motion>,
    planes: &[u8],
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let samples: Vec<&[u8]> = (0..geometry.planes.len()).map(|plane| &planes[geometry.plane_range(plane)]).collect();
    let searched;
    let Motion { shares, fields } = match motion {
        Some(motion) => motion,
        None => {
            let first = &geometry.planes[0];
            let frames: Vec<&[u8]> = samples[0].chunks_exact(first.frame_samples()).collect();
            let filters = Filters::choose(&frames, first.width, cpu)?;
            let fields = search_all(&frames, first.width, filters, |_| None, SearchEffort::Full, backend, cpu)?;
            searched = Motion { fields, ..still(geometry)? };
            &searched
        }
    };
    let mut packed = vec![vectors::encode(cpu.simd(), fields)];
    packed.extend(pool::map(cpu.crew(), (0..plan.strips as usize).collect(), |strip| {
        let planes = part(geometry, plan, strip, &samples);
        let mut encoding = Encoding::new(cpu.simd(), geometry.frames, &planes);
        encoding.encode(0, &planes, None);
        let mut expected = Expected::new(geometry, plan, shares, strip);
        for (earlier, field) in fields.iter().enumerate() {
            let frame = geometry.planes.iter().zip(&samples).map(|(plane, samples)| {
                let frame_samples = plane.frame_samples();
                &samples[earlier * frame_samples..][..frame_samples]
            });
            expected.make(cpu.simd(), field, frame);
            encoding.encode(earlier + 1, &planes, Some(&expected.planes()));
        }
        Ok(encoding.finish())
    })?);
    Ok(packed)
}

fn still(geometry: &Geometry) -> Result<Motion> {
    Motion::still(geometry).ok_or_else(|| Error::corrupt("strips: frames that cannot move"))
}

/// What is expected of a strip. Frames that move have no colours to be transformed, so planes are coded in their order.
struct Expected<'a> {
    geometry: &'a Geometry,
    plan: &'a StripPlan,
    shares: &'a [Share],
    strip: usize,
    planes: Vec<Vec<u8>>,
}

impl<'a> Expected<'a> {
    fn new(geometry: &'a Geometry, plan: &'a StripPlan, shares: &'a [Share], strip: usize) -> Self {
        let planes = sizes(geometry, plan, strip).into_iter().map(|size| vec![0; size.width * size.height]).collect();
        Self { geometry, plan, shares, strip, planes }
    }

    /// Makes it from the planes of an earlier frame.
    fn make<'s>(&mut self, simd: SimdLevel, field: &Field, frame: impl Iterator<Item = &'s [u8]>) {
        let planes = self.geometry.planes.iter().zip(frame).zip(self.shares);
        for (((plane, samples), &share), out) in planes.zip(&mut self.planes) {
            let earlier = Reference { samples, width: plane.width, height: plane.height, step: 1 };
            let rows = self.plan.rows(plane.height, self.strip);
            Compensation { field, share, earlier }.put(simd, rows, out, plane.width);
        }
    }

    fn planes(&self) -> Vec<&[u8]> {
        self.planes.iter().map(Vec::as_slice).collect()
    }
}

/// Restores the first `frames` frames of all planes from the vectors and the strips.
pub(super) fn decode(
    geometry: &Geometry,
    plan: &StripPlan,
    blocks: &[&[u8]],
    frames: usize,
    planes: &mut [u8],
    cpu: &CpuBackend,
) -> Result<()> {
    let (packed_vectors, packed) = blocks.split_first().ok_or_else(|| Error::corrupt("strips: no vectors"))?;
    let mut motion = still(geometry)?;
    vectors::decode(cpu.simd(), packed_vectors, &mut motion.fields)?;
    let mut strips = Vec::with_capacity(packed.len());
    for (strip, packed) in packed.iter().enumerate() {
        let decoding = Decoding::new::<u8>(cpu.simd(), packed, &sizes(geometry, plan, strip))?;
        strips.push((decoding, Expected::new(geometry, plan, &motion.shares, strip)));
    }
    for frame in 0..frames {
        let field = motion.of_frame(frame);
        let (earlier, mut outs) = cut(geometry, plan, planes, frame);
        let jobs = strips.iter_mut().zip(&mut outs).collect();
        pool::for_each(cpu.crew(), jobs, |((decoding, expected), out)| {
            if let Some(field) = field {
                expected.make(cpu.simd(), field, earlier.iter().copied());
            }
            decoding.decode(out, field.is_some().then(|| expected.planes()).as_deref());
            Ok(())
        })?;
    }
    // The end of a strip is known where all of it is decoded.
    let whole = frames == geometry.frames;
    strips.into_iter().filter(|_| whole).try_for_each(|(decoding, _)| decoding.finish())
}

/// The planes of the frame before `frame`, if there is one, and those of `frame`, cut into the planes of each strip.
fn cut<'a>(
    geometry: &Geometry,
    plan: &StripPlan,
    planes: &'a mut [u8],
    frame: usize,
) -> (Vec<&'a [u8]>, Vec<Vec<&'a mut [u8]>>) {
    let mut earlier: Vec<&[u8]> = Vec::new();
    let mut strips: Vec<Vec<&mut [u8]>> = (0..plan.strips).map(|_| Vec::new()).collect();
    let (mut rest, mut start) = (planes, 0);
    for (at, plane) in geometry.planes.iter().enumerate() {
        let (place, frame_samples) = (geometry.plane_range(at), plane.frame_samples());
        let (of_plane, tail) = rest.split_at_mut(place.end - start);
        let (before, mut samples) = of_plane[place.start - start..].split_at_mut(frame * frame_samples);
        (rest, start) = (tail, place.end);
        earlier.extend(before.rchunks_exact(frame_samples).next());
        for (strip, out) in strips.iter_mut().enumerate() {
            let (own, later) = samples.split_at_mut(plan.rows(plane.height, strip).len() * plane.width);
            out.push(own);
            samples = later;
        }
    }
    (earlier, strips)
}

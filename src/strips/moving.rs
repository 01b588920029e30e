//! Strips of frames that move: what is expected of a strip is made from all strips of the frames that it refers to, so strips are
//! decoded frame by frame, side by side.

use super::{part, sizes};
use crate::codec::model::{Decoding, Encoding, vectors};
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::motion::order::Step;
use crate::motion::{Filters, Motion, Moved, OrderedMotion, Reference, SearchEffort, Share, put_expected, search_all};
use crate::plan::{StripPlan, order_motion};
use crate::pool;
use crate::stage::Backend;

/// The packed vectors of a batch, and then its packed strips.
pub(super) fn encode(
    geometry: &Geometry,
    plan: &StripPlan,
    motion: Option<&OrderedMotion>,
    planes: &[u8],
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let samples: Vec<&[u8]> = (0..geometry.planes.len()).map(|plane| &planes[geometry.plane_range(plane)]).collect();
    let first = &geometry.planes[0];
    let frames: Vec<&[u8]> = samples[0].chunks_exact(first.frame_samples()).collect();
    let searched;
    let motion = match motion {
        Some(motion) => motion,
        None => {
            let filters = Filters::choose(&frames, first.width, cpu)?;
            let fields = search_all(&frames, first.width, filters, |_| None, SearchEffort::Full, backend, cpu)?;
            searched = order_motion(&frames, first.width, Motion { fields, ..still(geometry)? }, backend, cpu)?;
            &searched
        }
    };
    let mut packed = vec![vectors::encode_ordered(cpu.simd(), motion.order(), motion.moved.clone()).0];
    packed.extend(pool::map(cpu.crew(), (0..plan.strips as usize).collect(), |strip| {
        let planes = part(geometry, plan, strip, &samples);
        let mut encoding = Encoding::new(cpu.simd(), geometry.frames, &planes);
        encoding.encode(0, &planes, None);
        let mut expected = Expected::new(geometry, plan, &motion.shares, strip);
        let frame = |at: usize| -> Vec<&[u8]> {
            let planes = geometry.planes.iter().zip(&samples);
            planes.map(|(plane, samples)| &samples[at * plane.frame_samples()..][..plane.frame_samples()]).collect()
        };
        for (&Step { frame: at, earlier, later }, moved) in motion.steps().iter().skip(1).zip(&motion.moved) {
            expected.make(cpu.simd(), moved, [earlier, later].map(|reference| reference.map_or(Vec::new(), frame)));
            encoding.encode(at, &planes, Some(&expected.planes()));
        }
        Ok(encoding.finish())
    })?);
    Ok(packed)
}

fn still(geometry: &Geometry) -> Result<Motion> {
    Motion::still(geometry).ok_or_else(|| Error::corrupt("strips: frames that cannot move"))
}

/// The planes of an earlier frame and of a later one, if there are any.
type References<'a> = [Vec<&'a [u8]>; 2];

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

    /// Makes it from the planes of an earlier frame, and of a later one if it refers to one.
    fn make(&mut self, simd: SimdLevel, moved: &Moved, [earlier, later]: References<'_>) {
        for (at, ((plane, &share), out)) in
            self.geometry.planes.iter().zip(self.shares).zip(&mut self.planes).enumerate()
        {
            let reference = |samples| Reference { samples, width: plane.width, height: plane.height, step: 1 };
            let rows = self.plan.rows(plane.height, self.strip);
            let earlier = (&moved.earlier, reference(earlier[at]));
            let later = moved.later.as_ref().map(|moved| (moved, reference(later[at])));
            put_expected(simd, share, earlier, later, rows, out, plane.width);
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
    let motion = still(geometry)?;
    let still = motion.fields.first().ok_or_else(|| Error::corrupt("strips: one frame that moves"))?;
    let (order, moved) = vectors::decode_ordered(cpu.simd(), packed_vectors, geometry.frames, still)?;
    let mut strips = Vec::with_capacity(packed.len());
    for (strip, packed) in packed.iter().enumerate() {
        let decoding = Decoding::new::<u8>(cpu.simd(), packed, &sizes(geometry, plan, strip))?;
        strips.push((decoding, Expected::new(geometry, plan, &motion.shares, strip)));
    }
    let steps = order.steps();
    // Those up to the last one that is wanted, in the order in which they are coded.
    let needed = steps.iter().rposition(|step| step.frame < frames).map_or(0, |last| last + 1);
    for (at, step) in steps.iter().take(needed).enumerate() {
        let moved = at.checked_sub(1).map(|at| &moved[at]);
        let (references, mut outs) = cut(geometry, plan, planes, step);
        let jobs = strips.iter_mut().zip(&mut outs).collect();
        pool::for_each(cpu.crew(), jobs, |((decoding, expected), out)| {
            if let Some(moved) = moved {
                expected.make(cpu.simd(), moved, references.clone());
            }
            decoding.decode(out, moved.is_some().then(|| expected.planes()).as_deref());
            Ok(())
        })?;
    }
    // The end of a strip is known where all of it is decoded.
    let whole = needed == steps.len();
    strips.into_iter().filter(|_| whole).try_for_each(|(decoding, _)| decoding.finish())
}

/// The planes of the frames that one refers to, if there are any, and its own, cut into the planes of each strip.
fn cut<'a>(
    geometry: &Geometry,
    plan: &StripPlan,
    planes: &'a mut [u8],
    step: &Step,
) -> (References<'a>, Vec<Vec<&'a mut [u8]>>) {
    let mut references = References::default();
    let mut strips: Vec<Vec<&mut [u8]>> = (0..plan.strips).map(|_| Vec::new()).collect();
    let (mut rest, mut start) = (planes, 0);
    for (at, plane) in geometry.planes.iter().enumerate() {
        let (place, frame_samples) = (geometry.plane_range(at), plane.frame_samples());
        let (of_plane, tail) = rest.split_at_mut(place.end - start);
        let (before, samples) = of_plane[place.start - start..].split_at_mut(step.frame * frame_samples);
        let (mut samples, after) = samples.split_at_mut(frame_samples);
        (rest, start) = (tail, place.end);
        let [earlier, later] = &mut references;
        earlier.extend(step.earlier.map(|earlier| &before[earlier * frame_samples..][..frame_samples]));
        later.extend(step.later.map(|later| &after[(later - step.frame - 1) * frame_samples..][..frame_samples]));
        for (strip, out) in strips.iter_mut().enumerate() {
            let (own, later) = samples.split_at_mut(plan.rows(plane.height, strip).len() * plane.width);
            out.push(own);
            samples = later;
        }
    }
    (references, strips)
}

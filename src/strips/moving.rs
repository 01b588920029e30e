//! Strips of frames that move: what is expected of a frame is made from all strips of the one before, so strips are coded frame
//! by frame, side by side.

use super::{part, sizes};
use crate::codec::model::{Decoding, Encoding, vectors};
use crate::cpu::CpuBackend;
use crate::error::{Error, Result};
use crate::frame::Geometry;
use crate::motion::{Field, Filters, Share, compensate, search, shares};
use crate::plan::StripPlan;
use crate::pool;

/// The packed vectors of a batch, and then its packed strips.
pub(super) fn encode(geometry: &Geometry, plan: &StripPlan, planes: &[u8], cpu: &CpuBackend) -> Result<Vec<Vec<u8>>> {
    let samples = samples(geometry, planes);
    let fields = search_all(geometry, samples[0], cpu)?;
    let mut packed = vec![vectors::encode(cpu.simd(), &fields)];
    let mut strips = pool::map(cpu.crew(), (0..plan.strips as usize).collect(), |strip| {
        let planes = part(geometry, plan, strip, &samples);
        let mut encoding = Encoding::new(cpu.simd(), geometry.frames, &planes);
        encoding.encode(0, &planes, None);
        Ok((encoding, planes))
    })?;
    let mut expected = Expected::new(geometry)?;
    for (frame, field) in (1..).zip(&fields) {
        let expected = expected.make(geometry, field, &samples, frame - 1, cpu);
        pool::for_each(cpu.crew(), strips.iter_mut().enumerate().collect(), |(strip, (encoding, planes))| {
            encoding.encode(frame, planes, Some(&part(geometry, plan, strip, &expected)));
            Ok(())
        })?;
    }
    packed.extend(strips.into_iter().map(|(encoding, _)| encoding.finish()));
    Ok(packed)
}

/// What is expected of a frame.
struct Expected {
    shares: Vec<Share>,
    planes: Vec<Vec<u8>>,
}

impl Expected {
    fn new(geometry: &Geometry) -> Result<Self> {
        let shares = shares(geometry).ok_or_else(|| Error::corrupt("strips: frames that cannot move"))?;
        let planes = geometry.planes.iter().map(|plane| vec![0; plane.frame_samples()]).collect();
        Ok(Self { shares, planes })
    }

    /// Makes it from frame `earlier` of all planes, and returns them.
    fn make(
        &mut self,
        geometry: &Geometry,
        field: &Field,
        samples: &[&[u8]],
        earlier: usize,
        cpu: &CpuBackend,
    ) -> Vec<&[u8]> {
        let frame = geometry.planes.iter().zip(samples).map(|(plane, samples)| {
            let first = earlier * plane.frame_samples();
            (&samples[first..first + plane.frame_samples()], plane.width)
        });
        let mut out: Vec<&mut [u8]> = self.planes.iter_mut().map(Vec::as_mut_slice).collect();
        compensate(cpu.simd(), field, &self.shares, &frame.collect::<Vec<_>>(), &mut out);
        self.planes.iter().map(Vec::as_slice).collect()
    }
}

/// The samples of each plane.
fn samples<'a>(geometry: &Geometry, planes: &'a [u8]) -> Vec<&'a [u8]> {
    (0..geometry.planes.len()).map(|plane| &planes[geometry.plane_range(plane)]).collect()
}

/// How all frames but the first have moved.
fn search_all(geometry: &Geometry, samples: &[u8], cpu: &CpuBackend) -> Result<Vec<Field>> {
    let first = &geometry.planes[0];
    let frames: Vec<&[u8]> = samples.chunks_exact(first.frame_samples()).collect();
    let filters = Filters::choose(&frames, first.width, cpu)?;
    let still = Field::still(first.width, first.height);
    let mut fields = Vec::new();
    for pair in frames.windows(2) {
        let last = fields.last().unwrap_or(&still);
        fields.push(search([pair[0], pair[1]], first.width, filters, last, cpu)?);
    }
    Ok(fields)
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
    let first = &geometry.planes[0];
    let mut fields = vec![Field::still(first.width, first.height); geometry.frames - 1];
    vectors::decode(cpu.simd(), packed_vectors, &mut fields)?;
    let mut expected = Expected::new(geometry)?;
    let mut strips = packed
        .iter()
        .enumerate()
        .map(|(strip, packed)| Decoding::new::<u8>(cpu.simd(), packed, &sizes(geometry, plan, strip)))
        .collect::<Result<Vec<_>>>()?;
    for frame in 0..frames {
        let expected = frame
            .checked_sub(1)
            .map(|earlier| expected.make(geometry, &fields[earlier], &samples(geometry, planes), earlier, cpu));
        let mut outs = cut(geometry, plan, planes, frame);
        let jobs = strips.iter_mut().zip(&mut outs).enumerate().collect();
        pool::for_each(cpu.crew(), jobs, |(strip, (decoding, out))| {
            let own = expected.as_ref().map(|expected| part(geometry, plan, strip, expected));
            let own: Option<Vec<&[u8]>> =
                own.map(|own| own.iter().map(|plane| &plane.samples[..plane.size.width * plane.size.height]).collect());
            decoding.decode(out, own.as_deref());
            Ok(())
        })?;
    }
    // The end of a strip is known where all of it is decoded.
    let whole = frames == geometry.frames;
    strips.into_iter().filter(|_| whole).try_for_each(Decoding::finish)
}

/// A frame of all planes, cut into the planes of each strip. Frames that move have no colours to be transformed, so planes are
/// coded in their order.
fn cut<'a>(geometry: &Geometry, plan: &StripPlan, planes: &'a mut [u8], frame: usize) -> Vec<Vec<&'a mut [u8]>> {
    let mut strips: Vec<Vec<&mut [u8]>> = (0..plan.strips).map(|_| Vec::new()).collect();
    let mut rest = planes;
    let mut start = 0;
    for (at, plane) in geometry.planes.iter().enumerate() {
        let first = geometry.plane_range(at).start + frame * plane.frame_samples();
        let (_, tail) = rest.split_at_mut(first - start);
        let (mut samples, tail) = tail.split_at_mut(plane.frame_samples());
        (rest, start) = (tail, first + plane.frame_samples());
        for (strip, out) in strips.iter_mut().enumerate() {
            let (own, later) = samples.split_at_mut(plan.rows(plane.height, strip).len() * plane.width);
            out.push(own);
            samples = later;
        }
    }
    strips
}

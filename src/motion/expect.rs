//! All frames that are expected, as raw frames. Twin: `shaders/motion/expect.wgsl`.

use super::{Compensation, Motion, Reference};
use crate::cpu::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, PlaneGeometry};
use crate::pool::{self, Crew};

/// Fills `out` with what `motion` makes of each raw frame of a batch but the last: what is expected of the next one.
pub fn forward(simd: SimdLevel, crew: &Crew, batch: Batch<'_>, motion: &Motion, out: &mut [u8]) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let earlier = raw.chunks_exact(geometry.frame_samples);
    let outs = out.chunks_exact_mut(geometry.frame_samples);
    let jobs = motion.fields.iter().zip(earlier).zip(outs).collect();
    pool::for_each(crew, jobs, |((field, earlier), out)| {
        for (plane, &share) in geometry.planes.iter().zip(&motion.shares) {
            let compensation = Compensation { field, share, earlier: Reference::of(plane, earlier) };
            let &PlaneGeometry { width, height, offset, step, .. } = plane;
            let mut samples = vec![0; plane.frame_samples()];
            compensation.put(simd, 0..height, &mut samples, width);
            for (out, sample) in out[offset..].iter_mut().step_by(step).zip(samples) {
                *out = sample;
            }
        }
        Ok(())
    })
}

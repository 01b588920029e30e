//! The path of frames that are made from YUV but for a part, the same in all of them: a rectangle of their pixels, which
//! is a batch of its own, and frames without it, whose planes are recovered.

use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::{Making, Patch, Span};
use crate::pool;
use crate::recovered::{Recovered, recover};
use crate::stage::Backend;

/// Pixels of the rectangle that are not of the patch: next to nothing is coded for what does not change.
const BESIDE: u8 = 128;

/// A batch in two parts.
pub struct Patched {
    /// Which part is which.
    pub patch: Patch,
    /// The frames without the patch.
    pub recovered: Recovered,
    /// Geometry of the rectangle of the patch.
    pub geometry: Geometry,
    /// Its pixels, frame by frame.
    pub pixels: WorkBuffer,
}

impl Patched {
    /// The rectangle of the patch as a batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: self.pixels.as_bytes() }
    }
}

/// Takes a batch apart; `None` if too much of what is not of the patch is not made in this way either.
pub fn take_apart(
    batch: Batch<'_>,
    patch: Patch,
    making: Making,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Option<Patched>> {
    let Some(recovered) = recover(batch, making, Some(&patch), backend, cpu, None)? else { return Ok(None) };
    let geometry = patch.geometry(batch.geometry);
    let mut pixels = cpu.take_buffer(geometry.raw_bytes());
    let spans = patch.spans();
    let frames = batch.raw.chunks_exact(batch.geometry.frame_samples);
    let jobs = frames.zip(pixels.as_bytes_mut().chunks_exact_mut(geometry.frame_samples));
    pool::for_each(cpu.crew(), jobs.collect(), |(raw, pixels)| {
        if !patch.runs.is_empty() {
            pixels.fill(BESIDE);
        }
        for (in_frame, in_patch) in rows(&patch, &spans, batch.geometry) {
            pixels[in_patch].copy_from_slice(&raw[in_frame]);
        }
        Ok(())
    })?;
    Ok(Some(Patched { patch, recovered, geometry, pixels }))
}

/// Puts the pixels of a patch over raw frames.
pub fn put_over(geometry: &Geometry, patch: &Patch, pixels: &[u8], raw: &mut [u8], cpu: &CpuBackend) -> Result<()> {
    let spans = patch.spans();
    let frames = raw.chunks_exact_mut(geometry.frame_samples);
    let jobs = frames.zip(pixels.chunks_exact(patch.geometry(geometry).frame_samples));
    pool::for_each(cpu.crew(), jobs.collect(), |(raw, pixels)| {
        for (in_frame, in_patch) in rows(patch, &spans, geometry) {
            raw[in_frame].copy_from_slice(&pixels[in_patch]);
        }
        Ok(())
    })
}

type Bytes = std::ops::Range<usize>;

/// The bytes of each row of the spans of a patch, in a frame and in the rectangle.
fn rows<'a>(
    patch: &'a Patch,
    spans: &'a [Span],
    geometry: &Geometry,
) -> impl Iterator<Item = (Bytes, Bytes)> + use<'a> {
    let (channels, width) = (geometry.planes.len(), geometry.planes[0].width);
    let (left, top, patch_width) = (patch.left as usize, patch.top as usize, patch.width as usize);
    spans.iter().flat_map(move |Span { columns, rows }| {
        rows.clone().map(move |row| {
            let bytes = |first: usize| channels * first..channels * (first + columns.len());
            (bytes((top + row) * width + left + columns.start), bytes(row * patch_width + columns.start))
        })
    })
}

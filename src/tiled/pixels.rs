//! Recovered planes, converted to packed pixels while they are in the cache: bands, or frames where these move.
//!
//! Bands take whole tiles of every plane, so rows at the edge of one may have their chroma in the one beside it. These rows and that
//! chroma are put aside, to be converted when all bands are there.

use std::ops::Range;
use std::slice;

use super::{Decoding, moving};
use crate::cpu::frame_sums::{self, FrameSums, Output};
use crate::cpu::recover::batch::FrameMaking;
use crate::cpu::recover::{Converter, Picture};
use crate::error::Result;
use crate::frame::{Band, Geometry};
use crate::plan::Making;
use crate::pool;

/// Planes of which pixels are made: Y, U and V.
const PLANES: usize = 3;

/// Whether bands or frames of these planes can be converted one by one.
pub fn converts(of_planes: &Geometry) -> bool {
    of_planes.planes.len() == PLANES && of_planes.planes.iter().all(|plane| plane.step == 1) && !of_planes.colour
}

/// The rows of a picture that a band has with their chroma.
fn rows_inside(band: &Band, picture: &Picture) -> Range<usize> {
    let (luma, chroma, rows) = (&band.rows[0], &band.rows[1], picture.block().1);
    let start = luma.start.max(chroma.start * rows).min(picture.height);
    // An empty one begins where rows that are put aside end.
    start..luma.end.min(chroma.end * rows).max(start)
}

/// Packed rows of a frame.
struct PixelRows<'a> {
    rows: Range<usize>,
    raw: &'a mut [u8],
}

/// A band, its segments, and of each frame where its planes and its pixels go.
type Job<'a> = (&'a Band, &'a [&'a [u8]], Vec<(Vec<&'a mut [u8]>, PixelRows<'a>)>);

/// Restores raw frames from the segments of their planes. Memory of the `planes` is used where bands meet.
pub(super) fn decode(
    decoding: &Decoding<'_>,
    making: &Making,
    of_pixels: &Geometry,
    segments: &[&[u8]],
    planes: &mut [u8],
    Output { raw, sums }: Output<'_>,
) -> Result<()> {
    let Decoding { geometry, tiling, cpu, .. } = decoding;
    let picture = making.picture(of_pixels);
    let (inside, beside) = cut(decoding, of_pixels, &picture, raw);
    let aside = tiling.rows_mut(geometry.frame_samples, planes);
    let jobs: Vec<Job<'_>> = decoding
        .bands(segments)
        .zip(aside)
        .zip(inside)
        .map(|(((band, segments), aside), inside)| (band, segments, aside.into_iter().zip(inside).collect()))
        .collect();
    pool::for_each(cpu.crew(), jobs, |job| decode_band(decoding, making, &picture, sums, job))?;
    let beside = beside.into_iter().zip(planes.chunks_exact(geometry.frame_samples)).collect();
    pool::for_each(cpu.crew(), beside, |(frame, planes): (Vec<PixelRows<'_>>, &[u8])| {
        let mut converter = Converter::new(cpu.simd(), &making.conversion, picture);
        let plane = |at: usize| &planes[geometry.planes[at].offset..][..geometry.planes[at].frame_samples()];
        for PixelRows { rows, raw } in frame {
            let first_block = rows.start / picture.block().1 * picture.blocks();
            let y = &plane(0)[rows.start * picture.width..rows.end * picture.width];
            converter.convert(y, &plane(1)[first_block..], &plane(2)[first_block..], raw);
            frame_sums::add(sums, raw);
        }
        Ok(())
    })
}

/// The same of frames that move, which need all of the `planes`.
pub(super) fn decode_moving(
    decoding: &Decoding<'_>,
    (of_pixels, making): (&Geometry, &Making),
    blocks: &[&[u8]],
    planes: &mut [u8],
    Output { raw, sums }: Output<'_>,
) -> Result<()> {
    let frame_making = FrameMaking::new(of_pixels, making);
    let mut frames: Vec<_> = raw.chunks_exact_mut(of_pixels.frame_samples).collect();
    let strips = |frame: usize| frame_making.strips(std::mem::take(&mut frames[frame])).collect();
    moving::decode(decoding, blocks, of_pixels.frames, planes, strips, |strip, planes| {
        frame_making.convert(decoding.cpu.simd(), strip, planes, sums);
    })
}

/// The pixels that bands make, band by band and frame by frame, and the others, frame by frame.
fn cut<'r>(
    decoding: &Decoding<'_>,
    of_pixels: &Geometry,
    picture: &Picture,
    raw: &'r mut [u8],
) -> (Vec<Vec<PixelRows<'r>>>, Vec<Vec<PixelRows<'r>>>) {
    let bands = &decoding.tiling.bands;
    let mut inside: Vec<_> = bands.iter().map(|_| Vec::with_capacity(of_pixels.frames)).collect();
    let mut beside = Vec::with_capacity(of_pixels.frames);
    for frame in raw.chunks_exact_mut(of_pixels.frame_samples) {
        let mut rest = frame;
        let mut next = 0;
        let mut take = |end: usize| {
            let rows = next..end;
            next = end;
            let raw = rest.split_off_mut(..rows.len() * picture.width * picture.channels).unwrap_or_default();
            PixelRows { rows, raw }
        };
        let mut of_frame = Vec::with_capacity(bands.len() + 1);
        for (band, inside) in bands.iter().zip(&mut inside) {
            let rows = rows_inside(band, picture);
            of_frame.push(take(rows.start));
            inside.push(take(rows.end));
        }
        of_frame.push(take(picture.height));
        beside.push(of_frame);
    }
    (inside, beside)
}

fn decode_band(
    decoding: &Decoding<'_>,
    making: &Making,
    picture: &Picture,
    sums: Option<&FrameSums>,
    (band, segments, mut frames): Job<'_>,
) -> Result<()> {
    let rows = picture.block().1;
    let mut converter = Converter::new(decoding.cpu.simd(), &making.conversion, *picture);
    decoding.restore(
        band,
        segments,
        &mut frames,
        |(_, inside)| slice::from_ref(&inside.raw),
        |state, (aside, inside)| {
            let wanted = &inside.rows;
            let pixel_rows = inside.raw.chunks_exact_mut(picture.width * picture.channels);
            for (y, raw) in wanted.clone().zip(pixel_rows) {
                if y % rows == 0 {
                    let of_block = y / rows - band.rows[1].start;
                    converter.take_chroma(state.row(1, of_block), state.row(2, of_block));
                }
                converter.convert_row(state.row(0, y - band.rows[0].start), raw);
            }
            frame_sums::add(sums, inside.raw);
            let blocks = wanted.start.div_ceil(rows)..wanted.end.div_ceil(rows);
            for (plane, (aside, wanted)) in aside.iter_mut().zip([wanted, &blocks, &blocks]).enumerate() {
                let kept = band.rows[plane].clone().zip(aside.chunks_exact_mut(decoding.geometry.planes[plane].width));
                for (y, aside) in kept.filter(|(y, _)| !wanted.contains(y)) {
                    aside.copy_from_slice(state.row(plane, y - band.rows[plane].start));
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{CpuBackend, SimdLevel};
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::{Colour, KNOWN, TileCoding, TilePlan};

    /// Every row of pixels is made once, those that are put aside from where chroma begins.
    #[test]
    fn rows_are_in_a_band_or_beside() {
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        for sampling in [ChromaSampling::Cs420, ChromaSampling::Cs422, ChromaSampling::Cs444] {
            let making = Making { conversion: KNOWN[0].conversion, sampling, blue_first: false };
            for height in (32..200).step_by(7) {
                let format =
                    FrameFormat::new(Dtype::U8, Layout::Packed { width: 33, height, order: ChannelOrder::Rgb })
                        .unwrap();
                let (of_pixels, mut raw) = (Geometry::new(&format, 2), vec![0; 2 * format.frame_bytes()]);
                let geometry = making.planes(&of_pixels);
                for bands in 1..=crate::frame::Tiling::most_bands(&geometry, false) as u32 {
                    let (colour, coding) = (Colour::None, TileCoding::Packed);
                    let plan = TilePlan { colour, split_chroma: false, bands, segment_frames: 1, moves: false, coding };
                    assert!(converts(&geometry));
                    let decoding = Decoding::new(&geometry, &plan, &cpu).unwrap();
                    let picture = making.picture(&of_pixels);
                    let (inside, beside) = cut(&decoding, &of_pixels, &picture, &mut raw);
                    for (frame, beside) in beside.iter().enumerate() {
                        let mut rows: Vec<_> = inside.iter().map(|band| &band[frame]).chain(beside).collect();
                        rows.retain(|rows| !rows.rows.is_empty());
                        rows.sort_by_key(|rows| rows.rows.start);
                        let mut next = 0;
                        for PixelRows { rows, raw } in rows {
                            assert_eq!((rows.start, rows.start % picture.block().1), (next, 0), "{height} {bands}");
                            assert_eq!(raw.len(), rows.len() * 33 * 3);
                            next = rows.end;
                        }
                        assert_eq!(next, height);
                    }
                }
            }
        }
    }
}

//! The path of recovered planes: packed frames to the YUV that they were made from, and back. What becomes of the
//! planes is another method's business.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::codec::exceptions;
use crate::cpu::CpuBackend;
use crate::cpu::recover::{Before, Converter, Exceptions, PlaneRows, Recovery};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::Making;
use crate::pool;

/// Rows of blocks that are recovered together: chroma is carried on from one to the next.
const STRIP: usize = 32;
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

/// A strip of a frame.
struct Strip<'a> {
    first_pixel: usize,
    raw: &'a [u8],
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
}

/// The planes that a batch was made from; `None` if too much of it was not.
pub fn recover(batch: Batch<'_>, making: Making, cpu: &CpuBackend) -> Result<Option<Recovered>> {
    let picture = making.picture(batch.geometry);
    let geometry = making.planes(batch.geometry);
    let mut planes = cpu.take_buffer(geometry.raw_bytes());
    let (_, block_rows) = picture.block();
    let strip_rows = STRIP * block_rows;
    let row_bytes = picture.width * picture.channels;
    let (pixels, chroma_width) = (picture.width * picture.height, geometry.planes[1].width);
    // A strip is a job: it goes through the frames in order.
    let mut jobs: Vec<Vec<Strip<'_>>> = Vec::new();
    jobs.resize_with(picture.height.div_ceil(strip_rows), Vec::new);
    let raw_frames = batch.raw.chunks_exact(batch.geometry.frame_samples);
    for (frame, (raw, planes)) in
        raw_frames.zip(planes.as_bytes_mut().chunks_exact_mut(geometry.frame_samples)).enumerate()
    {
        let [y, u, v, alpha] = split_planes(&geometry, planes);
        alpha.iter_mut().zip(raw.chunks_exact(picture.channels)).for_each(|(alpha, pixel)| *alpha = pixel[3]);
        let strips = raw
            .chunks(strip_rows * row_bytes)
            .zip(y.chunks_mut(strip_rows * picture.width))
            .zip(u.chunks_mut(STRIP * chroma_width).zip(v.chunks_mut(STRIP * chroma_width)));
        for ((at, ((raw, y), (u, v))), job) in strips.enumerate().zip(&mut jobs) {
            let first_pixel = frame * pixels + at * strip_rows * picture.width;
            job.push(Strip { first_pixel, raw, y, u, v });
        }
    }
    let most = geometry.plane_samples(1) / MOST_REPAIRED;
    let repaired = AtomicUsize::new(0);
    let may_repair = |blocks: usize| repaired.fetch_add(blocks, Ordering::Relaxed) + blocks <= most;
    let exceptions = pool::map(cpu.threads(), jobs, |frames| {
        let mut recovery = Recovery::new(cpu.simd(), &making.conversion, picture);
        let mut before: Option<Before<'_>> = None;
        let mut recover = |Strip { first_pixel, raw, y, u, v }| {
            let mut exceptions = Exceptions::default();
            let planes = PlaneRows { y: &mut *y, u: &mut *u, v: &mut *v };
            let done = recovery.recover(raw, before, first_pixel, planes, may_repair, &mut exceptions);
            before = Some(Before { raw, y, u, v });
            done.then_some(exceptions)
        };
        Ok(frames.into_iter().map(&mut recover).collect::<Option<Vec<_>>>())
    })?;
    let Some(mut exceptions) = exceptions.into_iter().collect::<Option<Vec<Vec<_>>>>() else {
        cpu.give_back(planes);
        return Ok(None);
    };
    // Strip by strip; wanted frame by frame.
    let frames = 0..batch.geometry.frames;
    let of_frame = |frame: usize| exceptions.iter_mut().map(|strip| std::mem::take(&mut strip[frame])).collect();
    let exceptions: Vec<Exceptions> = frames.flat_map::<Vec<_>, _>(of_frame).collect();
    let exception_bytes = exceptions::to_bytes(&exceptions);
    Ok(Some(Recovered {
        making,
        geometry,
        planes,
        exceptions: exceptions.iter().map(|part| part.places.len()).sum(),
        exception_bytes,
    }))
}

/// Makes the raw frames of a batch from its planes and exceptions.
///
/// # Errors
/// Corrupt if exceptions have no place.
pub fn convert(
    geometry: &Geometry,
    making: &Making,
    planes: &mut [u8],
    exceptions: [&[u8]; 2],
    raw: &mut [u8],
    cpu: &CpuBackend,
) -> Result<()> {
    let picture = making.picture(geometry);
    let planes_geometry = making.planes(geometry);
    let (_, block_rows) = picture.block();
    let strip_rows = STRIP * block_rows;
    let chroma_width = planes_geometry.planes[1].width;
    let mut jobs = Vec::new();
    let frames = planes.chunks_exact_mut(planes_geometry.frame_samples);
    for (raw, planes) in raw.chunks_exact_mut(geometry.frame_samples).zip(frames) {
        let [y, u, v, alpha] = split_planes(&planes_geometry, planes).map(|plane| &*plane);
        alpha.iter().zip(raw.chunks_exact_mut(picture.channels)).for_each(|(&alpha, pixel)| pixel[3] = alpha);
        let strips = raw
            .chunks_mut(strip_rows * picture.width * picture.channels)
            .zip(y.chunks(strip_rows * picture.width))
            .zip(u.chunks(STRIP * chroma_width).zip(v.chunks(STRIP * chroma_width)));
        jobs.extend(strips);
    }
    pool::for_each(cpu.threads(), jobs, |((raw, y), (u, v))| {
        Converter::new(cpu.simd(), &making.conversion, picture).convert(y, u, v, raw);
        Ok(())
    })?;
    exceptions::put(exceptions, picture.channels, raw)
}

/// The planes of a frame; the last one is empty if there is no alpha.
fn split_planes<'a>(geometry: &Geometry, frame: &'a mut [u8]) -> [&'a mut [u8]; 4] {
    let mut rest = frame;
    std::array::from_fn(|plane| {
        let samples = geometry.planes.get(plane).map_or(0, |plane| plane.frame_samples());
        rest.split_off_mut(..samples).unwrap_or_default()
    })
}

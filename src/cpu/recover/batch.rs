//! All planes of a batch; strips of rows are jobs.

use super::{Before, Converter, Exceptions, Picture, PlaneRows, Recovery, soon};
use crate::cpu::frame_sums::{self, FrameSums, Output};
use crate::cpu::simd::SimdLevel;
use crate::error::Result;
use crate::frame::{Batch, Geometry};
use crate::plan::Making;
use crate::pool::{self, Crew};
use crate::stage::SolvedPlanes;

/// Rows of blocks of a strip: where blocks are repaired, chroma is carried on from one to the next.
pub(super) const STRIP: usize = 32;

/// Some rows of a frame, and of the planes that they become.
pub struct Strip<'a> {
    /// Place of the first pixel in the batch.
    pub first_pixel: usize,
    /// Packed pixels.
    pub raw: &'a [u8],
    /// Their planes.
    pub planes: PlaneRows<'a>,
}

/// The strips of a batch.
pub fn strips<'a>(batch: Batch<'a>, making: &Making, planes: &'a mut [u8]) -> Vec<Strip<'a>> {
    let (picture, geometry) = (making.picture(batch.geometry), making.planes(batch.geometry));
    let strip_pixels = STRIP * picture.block().1 * picture.width;
    let strip_blocks = STRIP * picture.blocks();
    let frames = batch.raw.chunks_exact(batch.geometry.frame_samples);
    let mut strips = Vec::new();
    for (frame, (raw, planes)) in frames.zip(planes.chunks_exact_mut(geometry.frame_samples)).enumerate() {
        let [y, u, v, _] = split_planes(&geometry, planes);
        let first_pixel = frame * y.len();
        let rows = raw
            .chunks(strip_pixels * picture.channels)
            .zip(y.chunks_mut(strip_pixels))
            .zip(u.chunks_mut(strip_blocks).zip(v.chunks_mut(strip_blocks)));
        strips.extend(rows.enumerate().map(|(at, ((raw, y), (u, v)))| {
            let planes = PlaneRows { y, u, v };
            Strip { first_pixel: first_pixel + at * strip_pixels, raw, planes }
        }));
    }
    strips
}

/// The misfits of each strip.
pub fn strips_of_misfits<'a>(
    geometry: &Geometry,
    making: &Making,
    misfits: &'a [u8],
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let strip_blocks = STRIP * making.picture(geometry).blocks();
    misfits.chunks(making.planes(geometry).planes[1].frame_samples()).flat_map(move |frame| frame.chunks(strip_blocks))
}

/// Copies the alpha of a batch, if it has any, to its planes.
pub fn copy_alpha(batch: Batch<'_>, making: &Making, planes: &mut [u8]) {
    let geometry = making.planes(batch.geometry);
    let frames = batch.raw.chunks_exact(batch.geometry.frame_samples);
    for (raw, planes) in frames.zip(planes.chunks_exact_mut(geometry.frame_samples)) {
        let [.., alpha] = split_planes(&geometry, planes);
        let pixels = raw.chunks_exact(batch.geometry.planes.len());
        alpha.iter_mut().zip(pixels).for_each(|(alpha, pixel)| *alpha = pixel[3]);
    }
}

/// Raw frames to planes and misfits.
pub fn forward(simd: SimdLevel, crew: &Crew, batch: Batch<'_>, making: &Making, out: &mut SolvedPlanes) -> Result<()> {
    let picture = making.picture(batch.geometry);
    out.resize_for_overwrite(&making.planes(batch.geometry));
    if batch.raw.is_empty() {
        return Ok(());
    }
    let (planes, mut misfits) = out.parts_mut();
    copy_alpha(batch, making, planes);
    let mut jobs = Vec::new();
    for strip in strips(batch, making, planes) {
        let blocks = strip.planes.u.len();
        jobs.push((strip, misfits.split_off_mut(..blocks).unwrap_or_default()));
    }
    pool::for_each(crew, jobs, |(Strip { raw, planes, .. }, misfits)| {
        Recovery::new(simd, &making.conversion, picture).solve_rows(raw, planes, misfits);
        Ok(())
    })
}

/// Planes to raw frames. Sums are taken of each part of them while it is in the cache.
pub fn inverse(
    simd: SimdLevel,
    crew: &Crew,
    geometry: &Geometry,
    making: &Making,
    planes: &[u8],
    Output { raw, sums }: Output<'_>,
) -> Result<()> {
    if raw.is_empty() {
        return Ok(());
    }
    let frame_making = FrameMaking::new(geometry, making);
    let frames = raw.chunks_exact_mut(geometry.frame_samples);
    let frames = frames.zip(planes.chunks_exact(frame_making.planes.frame_samples));
    let jobs = frames.flat_map(|(raw, planes)| frame_making.strips(raw).map(move |strip| (strip, planes)));
    pool::for_each(crew, jobs.collect(), |(strip, planes)| {
        frame_making.convert(simd, strip, planes, sums);
        Ok(())
    })
}

/// Packed rows that are made of planes.
pub struct PackedStrip<'a> {
    /// Which strip of its frame it is.
    at: usize,
    raw: &'a mut [u8],
}

/// How one frame after another is made of its planes.
pub struct FrameMaking<'a> {
    making: &'a Making,
    picture: Picture,
    planes: Geometry,
}

impl<'a> FrameMaking<'a> {
    /// How frames of such a batch are.
    pub fn new(geometry: &Geometry, making: &'a Making) -> Self {
        Self { making, picture: making.picture(geometry), planes: making.planes(geometry) }
    }

    fn strip_pixels(&self) -> usize {
        STRIP * self.picture.block().1 * self.picture.width
    }

    /// The strips of a frame.
    pub fn strips<'r>(&self, frame: &'r mut [u8]) -> impl Iterator<Item = PackedStrip<'r>> + use<'r> {
        let strips = frame.chunks_mut(self.strip_pixels() * self.picture.channels).enumerate();
        strips.map(|(at, raw)| PackedStrip { at, raw })
    }

    /// Makes a strip of the planes of its frame.
    pub fn convert(&self, simd: SimdLevel, strip: PackedStrip<'_>, planes: &[u8], sums: Option<&FrameSums>) {
        let PackedStrip { at, raw } = strip;
        let strip_blocks = STRIP * self.picture.blocks();
        let rows_of = |plane: usize, length: usize| {
            let plane =
                self.planes.planes.get(plane).map_or(&[][..], |plane| &planes[plane.offset..][..plane.frame_samples()]);
            plane.chunks(length).nth(at).unwrap_or_default()
        };
        let alpha = rows_of(3, self.strip_pixels());
        alpha.iter().zip(raw.chunks_exact_mut(self.picture.channels)).for_each(|(&alpha, pixel)| pixel[3] = alpha);
        let (y, u, v) = (rows_of(0, self.strip_pixels()), rows_of(1, strip_blocks), rows_of(2, strip_blocks));
        Converter::new(simd, &self.making.conversion, self.picture).convert(y, u, v, raw);
        frame_sums::add(sums, raw);
    }
}

impl Recovery<'_> {
    /// The estimates of some rows, and which pixels of their blocks come out otherwise.
    fn solve_rows(&mut self, raw: &[u8], planes: PlaneRows<'_>, misfits: &mut [u8]) {
        let blocks = self.picture.blocks();
        let mut block_rows = self.picture.block_rows(raw, planes).peekable();
        for misfits in misfits.chunks_exact_mut(blocks) {
            let Some((raw, planes)) = block_rows.next() else { break };
            self.solve(raw, soon(block_rows.peek()));
            misfits.copy_from_slice(self.row.misfits());
            self.store(planes);
        }
    }

    /// Repairs rows that were solved elsewhere: the same as [`recover`](Self::recover) makes of them.
    pub fn repair_rows(
        &mut self,
        raw: &[u8],
        before: Option<Before<'_>>,
        first_pixel: usize,
        planes: PlaneRows<'_>,
        misfits: &[u8],
        exceptions: &mut Exceptions,
    ) {
        let (blocks, (columns, rows)) = (self.picture.blocks(), self.picture.block());
        let width = self.picture.width;
        let mut above: Option<(&[u8], &[u8])> = None;
        let block_rows = self.picture.block_rows(raw, planes).zip(misfits.chunks_exact(blocks));
        for (at, ((raw, planes), misfits)) in block_rows.enumerate() {
            if misfits.iter().all(|&misfits| misfits == 0) {
                above = Some((planes.u, planes.v));
                continue;
            }
            self.row.load(raw);
            self.row.misfits[..blocks].copy_from_slice(misfits);
            self.row.chroma[0][..blocks].copy_from_slice(planes.u);
            self.row.chroma[1][..blocks].copy_from_slice(planes.v);
            for (row, phases) in planes.y.chunks_exact(width).zip(self.row.luma.chunks_exact_mut(columns)) {
                for (column, phase) in phases.iter_mut().enumerate() {
                    phase.iter_mut().zip(row[column.min(width)..].iter().step_by(columns)).for_each(|(to, y)| *to = *y);
                }
            }
            let before = before.map(|before| before.row(at, &self.picture, raw.len()));
            self.repair(raw, before, first_pixel + at * rows * width, above, exceptions);
            above = Some(self.store(planes));
        }
    }
}

/// The planes of a frame; the last one is empty if there is no alpha.
fn split_planes<'a>(geometry: &Geometry, frame: &'a mut [u8]) -> [&'a mut [u8]; 4] {
    let mut rest = frame;
    std::array::from_fn(|plane| {
        let samples = geometry.planes.get(plane).map_or(0, |plane| plane.frame_samples());
        rest.split_off_mut(..samples).unwrap_or_default()
    })
}

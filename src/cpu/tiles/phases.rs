//! Raw rows to coded planes and back.

use super::buffer::PlaneBuffer;
use crate::cpu::colour;
use crate::cpu::simd::{Kernel, SimdLevel};
use crate::frame::{Band, CodedPlane, Phase, PlaneGeometry, Region};
use crate::plan::Colour;

/// Planes whose samples are interleaved: the channels of a pixel.
const MOST_PLANES: usize = 4;

/// Working memory for two rows of every plane of a region.
#[derive(Default)]
pub(super) struct Rows([Vec<Vec<u8>>; 2]);

impl Rows {
    fn of_width(&mut self, planes: usize, width: usize) -> [Vec<&mut [u8]>; 2] {
        self.0.each_mut().map(|rows| {
            rows.resize(rows.len().max(planes), Vec::new());
            let sized = |row: &mut Vec<u8>| row.resize(row.len().max(width), 0);
            rows.iter_mut().for_each(sized);
            rows[..planes].iter_mut().map(|row| &mut row[..width]).collect()
        })
    }
}

/// How rows of one region become rows of coded planes.
pub(super) struct RowCoder<'a> {
    pub simd: SimdLevel,
    pub colour: Colour,
    pub region: &'a Region,
    /// The planes of the region, with offsets within a row.
    pub planes: Vec<PlaneGeometry>,
}

impl<'a> RowCoder<'a> {
    pub fn new(simd: SimdLevel, colour: Colour, region: &'a Region, planes: &[PlaneGeometry]) -> Self {
        let in_row = |(at, plane): (usize, &PlaneGeometry)| PlaneGeometry { offset: at, ..plane.clone() };
        let planes = planes[region.planes.clone()].iter().enumerate().map(in_row).collect();
        Self { simd, colour, region, planes }
    }

    fn width(&self) -> usize {
        self.planes[0].width
    }

    /// Whether raw rows are rows of the only coded plane.
    fn is_plain(&self) -> bool {
        self.region.row_samples == self.width()
    }

    /// The coded planes of this region within a band.
    pub fn coded_planes(&self, band: &Band) -> std::ops::Range<usize> {
        let first = band.planes.partition_point(|coded| coded.plane < self.region.planes.start);
        first..band.planes.partition_point(|coded| coded.plane < self.region.planes.end)
    }

    /// The rows of a region within a band to its coded planes, tiles filled up.
    pub fn split(&self, raw: &[u8], rows: &mut Rows, coded: &[CodedPlane], buffers: &mut [PlaneBuffer]) {
        if let (true, [coded], [buffer]) = (self.is_plain(), coded, &mut *buffers) {
            for (y, row) in raw.chunks_exact(coded.width).enumerate() {
                buffer.row_mut(y, coded.width).copy_from_slice(row);
            }
            buffer.fill_up(coded);
            return;
        }
        let [mut upper, mut lower] = rows.of_width(self.planes.len(), self.width());
        let mut raw_rows = raw.chunks_exact(self.region.row_samples);
        let mut y = 0;
        while let Some(row) = raw_rows.next() {
            self.split_row(row, coded, y, buffers, &mut upper);
            let below = raw_rows.next();
            if let Some(row) = below {
                self.split_row(row, coded, y + 1, buffers, &mut lower);
            }
            for (coded, buffer) in coded.iter().zip(buffers.iter_mut()) {
                let phase = coded.phase;
                if phase != Phase::Whole && (below.is_some() || matches!(phase, Phase::Corner | Phase::Right)) {
                    let plane = coded.plane - self.region.planes.start;
                    let (upper, lower) = (&*upper[plane], &*lower[plane]);
                    let out = buffer.row_mut(y / 2, coded.width);
                    self.simd.run(TakePhase { phase, upper, lower, out });
                }
            }
            y += 2;
        }
        for (coded, buffer) in coded.iter().zip(buffers) {
            buffer.fill_up(coded);
        }
    }

    /// Row `y` to rows of its planes: to where they are coded if that is as a whole, to `apart` if it is by phases.
    fn split_row(
        &self,
        raw: &[u8],
        coded: &[CodedPlane],
        y: usize,
        buffers: &mut [PlaneBuffer],
        apart: &mut [&mut [u8]],
    ) {
        let mut out: [&mut [u8]; MOST_PLANES] = Default::default();
        for (out, row) in out.iter_mut().zip(apart) {
            *out = row;
        }
        for (coded, buffer) in coded.iter().zip(buffers).filter(|(coded, _)| coded.phase == Phase::Whole) {
            out[coded.plane - self.region.planes.start] = buffer.row_mut(y, coded.width);
        }
        colour::forward::<u8>(self.simd, self.colour, &self.planes, raw, &mut out[..self.planes.len()]);
    }

    /// Undoes [`split`](Self::split).
    pub fn join(&self, coded: &[CodedPlane], buffers: &[PlaneBuffer], rows: &mut Rows, raw: &mut [u8]) {
        if let (true, [coded], [buffer]) = (self.is_plain(), coded, buffers) {
            for (y, row) in raw.chunks_exact_mut(coded.width).enumerate() {
                row.copy_from_slice(buffer.row(y, coded.width));
            }
            return;
        }
        let [mut upper, mut lower] = rows.of_width(self.planes.len(), self.width());
        let mut raw_rows = raw.chunks_exact_mut(self.region.row_samples);
        let mut y = 0;
        while let Some(row) = raw_rows.next() {
            let below = raw_rows.next();
            let phases = coded.iter().enumerate().filter(|(_, coded)| coded.phase == Phase::Corner);
            for (at, plane) in phases {
                let out = plane.plane - self.region.planes.start;
                let part = |phase: usize| buffers[at + phase].row(y / 2, coded[at + phase].width);
                let (corner, right) = (part(0), part(1));
                self.simd.run(PutPhases { corner, difference: None, right, out: upper[out] });
                if below.is_some() {
                    let difference = Some(part(2));
                    self.simd.run(PutPhases { corner, difference, right: part(3), out: lower[out] });
                }
            }
            self.join_row(coded, buffers, y, &upper, row);
            if let Some(row) = below {
                self.join_row(coded, buffers, y + 1, &lower, row);
            }
            y += 2;
        }
    }

    /// Undoes [`split_row`](Self::split_row).
    fn join_row(&self, coded: &[CodedPlane], buffers: &[PlaneBuffer], y: usize, apart: &[&mut [u8]], raw: &mut [u8]) {
        let mut input: [&[u8]; MOST_PLANES] = Default::default();
        for (input, row) in input.iter_mut().zip(apart) {
            *input = row;
        }
        for (coded, buffer) in coded.iter().zip(buffers).filter(|(coded, _)| coded.phase == Phase::Whole) {
            input[coded.plane - self.region.planes.start] = buffer.row(y, coded.width);
        }
        colour::inverse::<u8>(self.simd, self.colour, &self.planes, &input[..self.planes.len()], raw);
    }
}

/// One phase of two rows.
struct TakePhase<'a> {
    phase: Phase,
    upper: &'a [u8],
    lower: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for TakePhase<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { phase, upper, lower, out } = self;
        let ((upper, last_upper), (lower, last_lower)) = (upper.as_chunks(), lower.as_chunks());
        match phase {
            Phase::Whole | Phase::Corner => {
                for (out, block) in out.iter_mut().zip(upper) {
                    *out = block[0];
                }
            }
            Phase::Right => difference(out, upper, upper, 1),
            Phase::Below => difference(out, upper, lower, 0),
            Phase::Diagonal => difference(out, upper, lower, 1),
        }
        // The last column of an odd width.
        if let (Some(out), &[upper], &[lower]) = (out.get_mut(upper.len()), last_upper, last_lower) {
            *out = if phase == Phase::Below { lower.wrapping_sub(upper) } else { upper };
        }
    }
}

#[inline(always)]
fn difference(out: &mut [u8], corners: &[[u8; 2]], samples: &[[u8; 2]], column: usize) {
    for ((out, corner), sample) in out.iter_mut().zip(corners).zip(samples) {
        *out = sample[column].wrapping_sub(corner[0]);
    }
}

/// One row from its phases. Its even samples are corners, or differ from them by `difference`; its
/// odd ones differ from corners by `right`.
struct PutPhases<'a> {
    corner: &'a [u8],
    difference: Option<&'a [u8]>,
    right: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for PutPhases<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { corner, difference, right, out } = self;
        let (pairs, last) = out.as_chunks_mut::<2>();
        match difference {
            None => {
                for ((pair, &corner), &right) in pairs.iter_mut().zip(corner).zip(right) {
                    *pair = [corner, corner.wrapping_add(right)];
                }
            }
            Some(difference) => {
                for (((pair, &corner), &right), &below) in pairs.iter_mut().zip(corner).zip(right).zip(difference) {
                    *pair = [corner.wrapping_add(below), corner.wrapping_add(right)];
                }
            }
        }
        if let ([last], Some(&corner)) = (last, corner.last()) {
            let below = difference.and_then(|difference| difference.last()).copied().unwrap_or(0);
            *last = corner.wrapping_add(below);
        }
    }
}

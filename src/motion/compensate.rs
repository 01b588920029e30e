//! The picture that a field makes of an earlier one.

use std::ops::Range;

use super::filter::{self, AFTER, BEFORE, Filter, SIDE};
use super::room::{Room, STEP, steps};
use super::{BLOCK_UNITS, Field, Share, Vector};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::frame::PlaneGeometry;

/// A plane of the frame that is referred to.
#[derive(Clone, Copy)]
pub struct Reference<'a> {
    /// From its first sample on.
    pub samples: &'a [u8],
    /// Samples of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// From one sample to the next, those of interleaved planes included.
    pub step: usize,
}

impl<'a> Reference<'a> {
    /// A plane of a raw frame.
    pub fn of(plane: &PlaneGeometry, frame: &'a [u8]) -> Self {
        Self { samples: &frame[plane.offset..], width: plane.width, height: plane.height, step: plane.step }
    }
}

/// A plane that is expected to be what vectors make of an earlier one.
///
/// Samples beyond the edges of the earlier frame are those at the edges, however far away, so all vectors are sound.
#[derive(Clone, Copy)]
pub struct Compensation<'a> {
    /// The vectors.
    pub field: &'a Field,
    /// How the plane moves by them.
    pub share: Share,
    /// The earlier one.
    pub earlier: Reference<'a>,
}

impl Compensation<'_> {
    /// Fills `out`, `stride` samples from one row to the next, with `rows` of the plane, the first of which is one that blocks
    /// begin at.
    ///
    /// # Panics
    /// If there are no such rows, or no room for them, or fewer vectors than the plane has units.
    pub fn put(self, simd: SimdLevel, rows: Range<usize>, out: &mut [u8], stride: usize) {
        self.put_wanted(simd, |_| true, rows, out, stride);
    }

    /// The same, but for what becomes of blocks none of whose units is wanted. Units that are not may be filled or not.
    ///
    /// # Panics
    /// As [`put`](Self::put).
    pub fn put_wanted(
        self,
        simd: SimdLevel,
        wanted: impl Fn(usize) -> bool,
        rows: Range<usize>,
        out: &mut [u8],
        stride: usize,
    ) {
        simd.run(Job { of: self, wanted, rows, out, stride });
    }
}

struct Job<'a, 'b, W> {
    of: Compensation<'a>,
    /// Whether a unit is.
    wanted: W,
    rows: Range<usize>,
    out: &'b mut [u8],
    stride: usize,
}

impl<W: Fn(usize) -> bool> Kernel for Job<'_, '_, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Job { of, wanted, rows, out, stride } = self;
        let Compensation { field, share, earlier } = of;
        let (columns, lines) = (SIDE >> share.across, SIDE >> share.down);
        let mut room = Room::new();
        for top in rows.clone().step_by(lines) {
            let first_unit = top / lines * BLOCK_UNITS * field.across;
            for left in (0..earlier.width).step_by(columns) {
                let unit = first_unit + left / columns * BLOCK_UNITS;
                let units = [0, 1, field.across, field.across + 1].map(|to| unit + to);
                if !units.iter().any(|&unit| wanted(unit)) {
                    continue;
                }
                let vectors = units.map(|unit| field.vectors[unit]);
                let is_one = vectors == [vectors[0]; 4];
                let of_block = if is_one { None } else { of.lead_of_block(vectors) };
                let parts = if is_one || of_block.is_some() { 1 } else { BLOCK_UNITS };
                for (at, (&vector, &unit)) in vectors.iter().zip(&units).enumerate().take(parts * parts) {
                    let left = left + at % parts * (columns / parts);
                    let top = top + at / parts * (lines / parts);
                    let is_wanted = parts == 1 || wanted(unit);
                    if is_wanted && left < earlier.width && top < rows.end {
                        let area = Area { left, top, columns: columns / parts, rows: lines / parts };
                        let out = &mut out[(top - rows.start) * stride + left..];
                        let lead = of_block.unwrap_or_else(|| of.lead(vector));
                        of.put_area(lead, area, rows.end, (out, stride), &mut room);
                    }
                }
            }
        }
    }
}

/// Part of a plane that moves by one vector; its columns and rows may go beyond the right and the lower edge.
#[derive(Clone, Copy)]
struct Area {
    left: usize,
    top: usize,
    columns: usize,
    rows: usize,
}

/// Where a plane looks, to the right and down: whole samples, and the phase, or eighths in other planes than the first.
type Lead = ((i32, usize), (i32, usize));

impl Compensation<'_> {
    #[inline(always)]
    fn lead(self, vector: Vector) -> Lead {
        let Self { field: &Field { filter, .. }, share, .. } = self;
        if share.is_first {
            let (right, down) = filter.phase(vector.x, vector.y);
            return ((i32::from(vector.x >> 2), right), (i32::from(vector.y >> 2), down));
        }
        (eighths(filter, vector.x, share.across), eighths(filter, vector.y, share.down))
    }

    /// That of a block whose units move apart, if it moves as one nevertheless.
    #[inline(always)]
    fn lead_of_block(self, vectors: [Vector; 4]) -> Option<Lead> {
        let Self { field: &Field { filter, .. }, share, .. } = self;
        let of_four = |way: fn(Vector) -> i16| eighths_of_four(filter, vectors.map(way));
        let moves = filter.moves_blocks() && (share.across, share.down) == (1, 1);
        moves.then(|| (of_four(|vector| vector.x), of_four(|vector| vector.y)))
    }

    #[inline(always)]
    fn put_area(self, lead: Lead, area: Area, end: usize, out: (&mut [u8], usize), room: &mut Room) {
        let Self { field: &Field { filter, .. }, share, earlier } = self;
        let ((x, right), (y, down)) = lead;
        let (x, y) = (area.left as i32 + x, area.top as i32 + y);
        let (columns, rows) = (area.columns.min(earlier.width - area.left), area.rows.min(end - area.top));
        if (right, down) == (0, 0)
            && let Some(samples) = earlier.inside((x, y), (columns, rows))
        {
            return copy_rows((samples, earlier.width), (columns, rows), out);
        }
        let taps = filter.taps();
        let is_mirrored = share.is_first && filter.mpeg4().is_some();
        if share.is_first || taps.is_some() {
            // What is mirrored is so around all rows.
            let rows = if is_mirrored { area.rows } else { rows };
            let size = (BEFORE + area.columns + AFTER, BEFORE + rows + AFTER);
            earlier.bring((x - BEFORE as i32, y - BEFORE as i32), size, room);
        } else {
            earlier.bring((x, y), (area.columns + 1, rows + 1), room);
        }
        if is_mirrored {
            room.mirror((area.columns, area.rows));
        }
        match taps {
            _ if share.is_first => filter::block(filter, (right, down), rows, room),
            Some(taps) => taps.block_of_other((right, down), (area.columns, area.rows), rows, room),
            None => bilinear(filter, (right, down), rows, room),
        }
        copy_rows((&room.block, room.stride), (columns, rows), out);
    }
}

/// Where a plane that shares a vector looks: whole samples, and eighths of one.
pub(super) fn eighths(filter: Filter, vector: i16, share: u32) -> (i32, usize) {
    let vector = towards_zero(filter, share, vector);
    if !filter.is_bilinear() && filter.mpeg4().is_none() {
        return (vector >> (2 + share), (vector << (1 - share) & 7) as usize);
    }
    let halves = vector >> 1;
    of_halves(match (share, filter) {
        (1, Filter::Mpeg2) => halves >> 1,
        // A quarter of a sample is taken for a half, as H.263 has it.
        (1, _) => halves >> 1 | halves & 1,
        _ => halves,
    })
}

/// The same of four units of a block that [move as one](Filter::moves_blocks) in a plane of half the width or height.
fn eighths_of_four(filter: Filter, vectors: [i16; 4]) -> (i32, usize) {
    let sum: i32 = vectors.into_iter().map(|vector| towards_zero(filter, 1, vector) >> 1).sum();
    // Sixteenths of a sample are taken for halves (ITU-T H.263, table F.1).
    let sixteenths = sum.abs() & 15;
    let halves = (sum.abs() >> 4 << 1) + i32::from(sixteenths > 2) + i32::from(sixteenths > 13);
    of_halves(halves * sum.signum())
}

fn of_halves(halves: i32) -> (i32, usize) {
    (halves >> 1, (halves & 1) as usize * 4)
}

/// A vector, so that rounding down halves of it brings it nearer to 0 where that is the filter's way.
fn towards_zero(filter: Filter, share: u32, vector: i16) -> i32 {
    i32::from(vector) + if vector < 0 { added_below_zero(filter, share) } else { 0 }
}

/// What is added to vectors to the left, or up, for that.
pub(super) fn added_below_zero(filter: Filter, share: u32) -> i32 {
    match (filter, share) {
        (Filter::Mpeg2, 1) => 2,
        (Filter::Mpeg4Quarter | Filter::Mpeg4QuarterDown, _) => 1,
        _ => 0,
    }
}

/// Makes a block of another plane than the first, from eighths of a sample to the right and below the window's first one.
#[inline(always)]
fn bilinear(filter: Filter, (right, down): (usize, usize), rows: usize, room: &mut Room) {
    let (right, down) = (right as u16, down as u16);
    // Halves of two are halves of four; all divisions but those of the filters of halves round up from a half.
    let round = if filter.down() == 1 { 16 } else { 32 };
    let Room { stride, window, block, .. } = room;
    for from in steps(rows * *stride) {
        let row = |from: usize| &window[from..][..STEP];
        let [a, b, c, d] = [row(from), row(from + 1), row(*stride + from), row(*stride + from + 1)];
        for (x, out) in block[from..][..STEP].iter_mut().enumerate() {
            let [a, b, c, d] = [a[x], b[x], c[x], d[x]].map(u16::from);
            let (above, below) = ((8 - right) * a + right * b, (8 - right) * c + right * d);
            *out = (((8 - down) * above + down * below + round) >> 6) as u8;
        }
    }
}

impl<'a> Reference<'a> {
    /// What begins at a column and a row, if all of its columns and rows are there, not interleaved.
    #[inline(always)]
    fn inside(self, (left, top): (i32, i32), (columns, rows): (usize, usize)) -> Option<&'a [u8]> {
        let (left, top) = (usize::try_from(left).ok()?, usize::try_from(top).ok()?);
        let is_inside = self.step == 1 && left + columns <= self.width && top + rows <= self.height;
        is_inside.then(|| &self.samples[top * self.width + left..])
    }

    /// Brings so many columns and rows; samples beyond the edges are the outermost ones.
    #[inline(always)]
    fn bring(self, (left, top): (i32, i32), (columns, rows): (usize, usize), room: &mut Room) {
        let taken = Room::taken(columns);
        match self.inside((left, top), (taken, rows)) {
            Some(samples) => room.take(taken, rows, samples, self.width),
            None => self.bring_edges((left, top), (taken, rows), room),
        }
    }

    fn bring_edges(self, (left, top): (i32, i32), (columns, rows): (usize, usize), room: &mut Room) {
        let Self { samples, width, height, step } = self;
        let whole = step == 1 && left >= 0 && left as usize + columns <= width;
        for (y, out) in room.rows(columns, rows).enumerate() {
            let y = (top + y as i32).clamp(0, height as i32 - 1) as usize;
            let row = &samples[y * width * step..];
            if whole {
                out.copy_from_slice(&row[left as usize..][..columns]);
                continue;
            }
            for (x, out) in out.iter_mut().enumerate() {
                *out = row[(left + x as i32).clamp(0, width as i32 - 1) as usize * step];
            }
        }
    }
}

/// Copies columns and rows, with the strides of both sides.
#[inline(always)]
fn copy_rows(from: (&[u8], usize), (columns, rows): (usize, usize), (out, stride): (&mut [u8], usize)) {
    let rows = out.chunks_mut(stride).zip(from.0.chunks(from.1)).take(rows);
    match columns {
        // Lengths that are known are copied at once.
        16 => rows.for_each(|(out, from)| out[..16].copy_from_slice(&from[..16])),
        8 => rows.for_each(|(out, from)| out[..8].copy_from_slice(&from[..8])),
        _ => rows.for_each(|(out, from)| out[..columns].copy_from_slice(&from[..columns])),
    }
}

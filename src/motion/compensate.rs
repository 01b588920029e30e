//! The picture that a field makes of an earlier one.

use super::filter::{AFTER, BEFORE, Filter, Source, interpolate};
use super::picture::window;
use super::{Field, Share, UNIT, Vector};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;

/// Side of the samples that a unit of the first plane is made from.
const WINDOW: usize = UNIT + BEFORE + AFTER;

/// Fills `out`, plane by plane, with what is expected by `field` of a frame. `earlier` are the planes of the frame that it
/// refers to, with the samples of a row.
///
/// Samples beyond the edges of the earlier frame are those at the edges, however far away, so all vectors are sound.
///
/// # Panics
/// If the planes have not the sizes that the field and the shares say.
pub fn compensate(simd: SimdLevel, field: &Field, shares: &[Share], earlier: &[(&[u8], usize)], out: &mut [&mut [u8]]) {
    simd.run(Job { field, shares, earlier, out });
}

struct Job<'a, 'b> {
    field: &'a Field,
    shares: &'a [Share],
    earlier: &'a [(&'a [u8], usize)],
    out: &'a mut [&'b mut [u8]],
}

impl Kernel for Job<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Job { field, shares, earlier, out } = self;
        for (plane, ((share, &earlier), out)) in shares.iter().zip(earlier).zip(out).enumerate() {
            let (columns, rows) = (UNIT >> share.across, UNIT >> share.down);
            let (width, height) = (earlier.1, out.len() / earlier.1);
            for (row, vectors) in field.vectors.chunks_exact(field.across).enumerate() {
                let top = row * rows;
                for (column, &vector) in vectors.iter().enumerate() {
                    let left = column * columns;
                    if top >= height || left >= width {
                        continue;
                    }
                    let mut unit = [0; UNIT * UNIT];
                    if plane == 0 {
                        of_first(field.filter, vector, earlier, (left, top), &mut unit);
                    } else {
                        of_other(field.filter, vector, *share, earlier, (left, top), &mut unit);
                    }
                    let columns = columns.min(width - left);
                    for (y, unit) in unit.chunks_exact(UNIT).take(rows.min(height - top)).enumerate() {
                        out[(top + y) * width + left..][..columns].copy_from_slice(&unit[..columns]);
                    }
                }
            }
        }
    }
}

/// A unit of the first plane.
#[inline(always)]
fn of_first(
    filter: Filter,
    vector: Vector,
    earlier: (&[u8], usize),
    (left, top): (usize, usize),
    unit: &mut [u8; UNIT * UNIT],
) {
    let (x, y) = (left as i32 + i32::from(vector.x >> 2), top as i32 + i32::from(vector.y >> 2));
    let phase = filter.phase(vector.x, vector.y);
    if phase == (0, 0) {
        return window(earlier, (x, y), (UNIT, UNIT), unit, UNIT);
    }
    let mut samples = [0; WINDOW * WINDOW];
    let from = (x - BEFORE as i32, y - BEFORE as i32);
    window(earlier, from, (WINDOW, WINDOW), &mut samples, WINDOW);
    interpolate(filter, phase, Source { samples: &samples, stride: WINDOW }, UNIT, unit, UNIT);
}

/// Where a plane that shares a vector looks: whole samples, and eighths of one.
fn eighths(filter: Filter, vector: i16, share: u32) -> (i32, i32) {
    let vector = i32::from(vector);
    match filter {
        Filter::Whole | Filter::Quarter => (vector >> (2 + share), vector << (1 - share) & 7),
        Filter::Half | Filter::HalfDown => {
            let halves = vector >> 1;
            // A quarter of a sample is taken for a half, as H.263 has it.
            let halves = if share == 1 { halves >> 1 | halves & 1 } else { halves };
            (halves >> 1, (halves & 1) * 4)
        }
    }
}

/// A unit of another plane: bilinear.
#[inline(always)]
fn of_other(
    filter: Filter,
    vector: Vector,
    share: Share,
    earlier: (&[u8], usize),
    (left, top): (usize, usize),
    unit: &mut [u8; UNIT * UNIT],
) {
    let (x, right) = eighths(filter, vector.x, share.across);
    let (y, down) = eighths(filter, vector.y, share.down);
    let (columns, rows) = (UNIT >> share.across, UNIT >> share.down);
    let mut samples = [0; (UNIT + 1) * (UNIT + 1)];
    window(earlier, (left as i32 + x, top as i32 + y), (columns + 1, rows + 1), &mut samples, UNIT + 1);
    // Halves of two are halves of four; all divisions but those of the filters of halves round up from a half.
    let round = if filter.down() == 1 { 16 } else { 32 };
    for (y, unit) in unit.chunks_exact_mut(UNIT).take(rows).enumerate() {
        let [up, low] = [0, 1].map(|below| &samples[(y + below) * (UNIT + 1)..][..UNIT + 1]);
        for x in 0..columns {
            let [a, b, c, d] = [up[x], up[x + 1], low[x], low[x + 1]].map(i32::from);
            let sum = (8 - right) * (8 - down) * a + right * (8 - down) * b + (8 - right) * down * c + right * down * d;
            unit[x] = ((sum + round) >> 6) as u8;
        }
    }
}

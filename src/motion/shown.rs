//! How filters fit, from some blocks of a frame: what is between samples is made around these alone.

use super::between::Earlier;
use super::difference::{Area, Own};
use super::filter::{Filter, SIDE, block};
use super::search::{SearchEffort, Searched};
use super::{Field, Vector};
use crate::cpu::CpuBackend;
use crate::cpu::simd::Kernel;
use crate::error::Result;
use crate::pool;

/// One block in so many is looked at.
const SHOWN: usize = 23;

/// What each filter leaves of blocks of a frame, `width` samples a row, in bits.
pub(super) fn left(
    filters: &[Filter],
    earlier: &Earlier,
    samples: &[u8],
    width: usize,
    last: Option<&Field>,
    cpu: &CpuBackend,
) -> Result<Vec<u32>> {
    let searched = Searched::new(earlier, Filter::Whole, samples, width, last, SearchEffort::Full, cpu)?;
    let (across, down) = searched.blocks();
    let shown = (0..across * down).step_by(SHOWN).collect();
    let of_blocks = pool::map(cpu.crew(), shown, |block| {
        let place = (block % across, block / across);
        Ok(cpu.simd().run(Shown { searched: &searched, earlier, filters, place }))
    })?;
    Ok((0..filters.len()).map(|filter| of_blocks.iter().map(|bits| bits[filter]).sum()).collect())
}

/// One block.
struct Shown<'a> {
    searched: &'a Searched<'a>,
    earlier: &'a Earlier,
    filters: &'a [Filter],
    place: (usize, usize),
}

impl Kernel for Shown<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let (column, row) = self.place;
        let own = self.searched.own(column, row, SIDE);
        let whole = self.searched.block(column, row);
        let start = (whole, self.difference(Filter::Whole, whole, &own));
        // Quarters of other filters are not far from where those of six taps fit best.
        let quarter = self.refine(Filter::Quarter, &[2, 1, 1], start, &own);
        let mut bits = Vec::with_capacity(self.filters.len());
        for &filter in self.filters {
            let (vector, _) = match filter {
                Filter::Whole => start,
                Filter::Half | Filter::HalfDown => self.refine(filter, &[2], start, &own),
                Filter::Quarter => quarter,
                _ => self.refine(filter, &[1], (quarter.0, self.difference(filter, quarter.0, &own)), &own),
            };
            bits.push(self.made(filter, vector, own.area).map_or(0, |made| own.bits(&made)));
        }
        bits
    }
}

impl Shown<'_> {
    /// What a filter makes of where a vector leads, if that is not too far away.
    #[inline(always)]
    fn made(&self, filter: Filter, vector: Vector, area: Area) -> Option<[[u8; SIDE]; SIDE]> {
        if !self.searched.reaches(vector, area) {
            return None;
        }
        let window = self.earlier.window(area.at(vector), area)?;
        let mut made = [[0; SIDE]; SIDE];
        block(filter, filter.phase(vector.x, vector.y), window, area.rows, &mut made);
        Some(made)
    }

    /// The sum of the differences of a block from that; that of none if there is nothing.
    #[inline(always)]
    fn difference(&self, filter: Filter, vector: Vector, own: &Own) -> u32 {
        let Some(made) = self.made(filter, vector, own.area) else { return u32::MAX };
        own.difference((made.as_flattened(), SIDE), None, u32::MAX).unwrap_or(u32::MAX)
    }

    /// The best around the best, in each step.
    #[inline(always)]
    fn refine(&self, filter: Filter, steps: &[i16], start: (Vector, u32), own: &Own) -> (Vector, u32) {
        let mut best = start;
        for step in steps {
            let (Vector { x, y }, _) = best;
            for at in (0..9).filter(|&at| at != 4) {
                let vector = Vector { x: x + (at % 3 - 1) * step, y: y + (at / 3 - 1) * step };
                let left = if best.1 > 0 { self.difference(filter, vector, own) } else { u32::MAX };
                if left < best.1 {
                    best = (vector, left);
                }
            }
        }
        best
    }
}

//! How filters fit, from some blocks of a frame: what is between samples is made around these alone.

use super::between::Earlier;
use super::difference::{Area, Own};
use super::filter::{Filter, SIDE, block};
use super::room::Room;
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
    earlier: &Earlier<'_>,
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
    earlier: &'a Earlier<'a>,
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
        let mut room = Room::new();
        let start = (whole, self.difference(Filter::Whole, whole, &own, &mut room));
        // Quarters of other filters are not far from where those of six taps fit best.
        let quarter = self.refine(Filter::Quarter, Filter::Quarter.steps(), start, &own, &mut room);
        let mut bits = Vec::with_capacity(self.filters.len());
        for &filter in self.filters {
            let (vector, _) = match filter {
                Filter::Quarter => quarter,
                _ if !filter.has_all_phases() => self.refine(filter, filter.steps(), start, &own, &mut room),
                _ => {
                    let start = (quarter.0, self.difference(filter, quarter.0, &own, &mut room));
                    self.refine(filter, &[1], start, &own, &mut room)
                }
            };
            let is_there = self.make(filter, vector, own.area, &mut room);
            bits.push(if is_there { own.bits((&room.block, room.stride)) } else { 0 });
        }
        bits
    }
}

impl Shown<'_> {
    /// Makes what a filter does of where a vector leads, and says whether that is near enough.
    #[inline(always)]
    fn make(&self, filter: Filter, vector: Vector, area: Area, room: &mut Room) -> bool {
        let is_there = self.searched.reaches(vector, area) && self.earlier.bring(area.at(vector), area, room);
        if is_there {
            if filter.mpeg4().is_some() {
                room.mirror((area.columns, area.rows));
            }
            block(filter, filter.phase(vector.x, vector.y), area.rows, room);
        }
        is_there
    }

    /// The sum of the differences of a block from that; that of none if there is nothing.
    #[inline(always)]
    fn difference(&self, filter: Filter, vector: Vector, own: &Own, room: &mut Room) -> u32 {
        if !self.make(filter, vector, own.area, room) {
            return u32::MAX;
        }
        own.difference((&room.block, room.stride), None, u32::MAX).unwrap_or(u32::MAX)
    }

    /// The best around the best, in each step.
    #[inline(always)]
    fn refine(&self, filter: Filter, steps: &[i16], start: (Vector, u32), own: &Own, room: &mut Room) -> (Vector, u32) {
        let mut best = start;
        for step in steps {
            let (Vector { x, y }, _) = best;
            for at in (0..9).filter(|&at| at != 4) {
                let vector = Vector { x: x + (at % 3 - 1) * step, y: y + (at / 3 - 1) * step };
                let left = if best.1 > 0 { self.difference(filter, vector, own, room) } else { u32::MAX };
                if left < best.1 {
                    best = (vector, left);
                }
            }
        }
        best
    }
}

//! An earlier frame with what is between its samples, for the search: halves are kept, and a quarter sample is the mean of two;
//! of filters whose quarters are no means, all phases.

use std::sync::OnceLock;

use super::Vector;
use super::difference::Area;
use super::filter::{AFTER, BEFORE, Filter, Place, all_between, places};
use super::phases::PHASES;
use super::picture::Picture;
use super::room::Room;
use super::sums::Sums;
use crate::cpu::simd::Kernel;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::Result;
use crate::pool;

/// Bytes that are kept for each sample: it and the halves around it, and sums.
pub const KEPT: usize = 4 + 2;
/// The same where all phases are kept.
pub(super) const KEPT_OF_PHASES: usize = PHASES + 2;

/// What the search may keep of any batch; of long ones twice as much as their bytes.
const LITTLE: usize = 1 << 23;

/// Whether a search may keep so many bytes for a batch of so many.
pub fn may_keep(bytes: usize, of_batch: usize) -> bool {
    bytes <= LITTLE.max(2 * of_batch)
}

/// Samples beyond the edges to which blocks reach.
pub const BEYOND: usize = 48;
/// The halves on both sides of these are needed too, and filters look further.
const MARGIN: usize = BEYOND + 1 + AFTER;
/// Rows that are interpolated at a time.
const ROWS_AT_A_TIME: usize = 64;

/// An earlier frame.
pub(super) struct Earlier<'a> {
    picture: Picture<'a>,
    simd: SimdLevel,
    /// Who follows what moved before has no need of them.
    sums: OnceLock<Sums>,
}

impl<'a> Earlier<'a> {
    pub fn new(plane: &[u8], width: usize, cpu: &'a CpuBackend) -> Self {
        Self { picture: Picture::new(plane, width, MARGIN, cpu), simd: cpu.simd(), sums: OnceLock::new() }
    }

    /// The sums of all places.
    pub fn sums(&self) -> &Sums {
        self.sums.get_or_init(|| Sums::new(&self.picture, self.simd))
    }

    /// Brings what an area that begins at a sample is made from, and says whether it is there; the area is at most [`BEYOND`] outside.
    #[inline(always)]
    pub fn bring(&self, (x, y): (i32, i32), area: Area, room: &mut Room) -> bool {
        let Picture { stride, samples, .. } = &self.picture;
        let (columns, rows) = (Room::taken(BEFORE + area.columns + AFTER), BEFORE + area.rows + AFTER);
        let first = self.picture.index(x, y).checked_sub(BEFORE * stride + BEFORE);
        let window = first.and_then(|first| samples.get(first..)?.get(..(rows - 1) * stride + columns));
        window.into_iter().for_each(|window| room.take(columns, rows, window, *stride));
        window.is_some()
    }

    /// The index of a sample, which is at most [`BEYOND`] outside.
    #[inline(always)]
    pub fn index(&self, x: i32, y: i32) -> usize {
        self.picture.index(x, y)
    }
}

/// An earlier frame, and what a filter makes of it.
pub(super) struct Between<'a> {
    pub filter: Filter,
    pub earlier: &'a Earlier<'a>,
    /// Its halves, across, down, both ways; or its phases.
    pictures: Vec<Picture<'a>>,
}

/// Rows, with their stride.
pub(super) type Rows<'a> = (&'a [u8], usize);

impl<'a> Between<'a> {
    pub fn new(earlier: &'a Earlier<'_>, filter: Filter, cpu: &'a CpuBackend) -> Result<Self> {
        let whole = &earlier.picture;
        let (columns, rows) = (whole.stride - BEFORE - AFTER, whole.rows() - BEFORE - AFTER);
        let picture = |_| Picture::unfilled(whole.margin - BEFORE, columns, rows, cpu);
        let mut pictures: Vec<_> = (0..filter.pictures()).map(picture).collect();
        let mut jobs: Vec<Vec<&mut [u8]>> = (0..rows.div_ceil(ROWS_AT_A_TIME)).map(|_| Vec::new()).collect();
        for picture in &mut pictures {
            let parts = picture.samples.chunks_mut(ROWS_AT_A_TIME * columns);
            jobs.iter_mut().zip(parts).for_each(|(job, part)| job.push(part));
        }
        pool::for_each(cpu.crew(), jobs.into_iter().enumerate().collect(), |(at, out)| {
            let source = &whole.samples[at * ROWS_AT_A_TIME * whole.stride..];
            cpu.simd().run(Job { filter, source, stride: whole.stride, out });
            Ok(())
        })?;
        Ok(Self { filter, earlier, pictures })
    }

    /// The rows that a vector leads to from a place, which it leads to at most [`BEYOND`] outside; those that their mean is
    /// made of, where that is between halves.
    #[inline(always)]
    pub fn rows(&self, vector: Vector, (x, y): (i32, i32)) -> Option<(Rows<'_>, Option<Rows<'_>>)> {
        let rows = |Place { picture, right, down }: Place| {
            let picture = picture.checked_sub(1).map_or(Some(&self.earlier.picture), |at| self.pictures.get(at))?;
            Some((picture.samples.get(picture.index(x + right as i32, y + down as i32)..)?, picture.stride))
        };
        let (first, second) = places(self.filter, self.filter.phase(vector.x, vector.y));
        Some((rows(first)?, second.and_then(rows)))
    }
}

struct Job<'a, 'b> {
    filter: Filter,
    source: &'a [u8],
    stride: usize,
    out: Vec<&'b mut [u8]>,
}

impl Kernel for Job<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        all_between(self.filter, self.source, self.stride, &mut self.out);
    }
}

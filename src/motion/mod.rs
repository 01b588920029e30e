//! Motion: what a picture is like is taken from an earlier one, block by block, from where it was there.
//!
//! Frames of a camera that went through a video coder are, in blocks that the coder skipped or left as predicted,
//! to the bit what its interpolation filter makes of an earlier frame. With the same filter ([`filter`]) and the same vector
//! nothing is left of such a block. [`search`] finds vectors, [`Compensation`] makes of them a picture that is expected.
//! Who encodes and who decodes make it from the same earlier frames, so whatever vectors there are, nothing is lost.
//!
//! Vectors are for units of 8 x 8 samples of the first plane, in quarters of a sample. Planes of half the width or
//! height move half as far.

mod between;
pub(crate) mod both;
mod compensate;
mod difference;
mod expect;
mod filter;
mod filters;
mod frames;
mod mpeg4;
pub(crate) mod order;
mod ordered;
mod phases;
mod picture;
mod room;
mod search;
mod settle;
mod shown;
mod sides;
mod sums;
mod taps;
#[cfg(test)]
mod tests;
#[cfg(feature = "gpu")]
mod weights;

#[cfg(feature = "gpu")]
pub(crate) use between::BEYOND;
pub(crate) use between::{KEPT, may_keep};
pub use compensate::{Compensation, Reference};
pub(crate) use expect::forward as expect;
pub use filter::Filter;
pub use filters::Filters;
pub use frames::search_all;
pub use ordered::{Expectation, OrderedMotion};
pub use search::{SearchEffort, glance, search};
pub use sides::{Later, Moved, Side, put_expected};
#[cfg(feature = "gpu")]
pub(crate) use weights::words as filter_words;

#[cfg(feature = "gpu")]
use std::ops::Range;

use crate::frame::{Batch, Geometry};

/// Side of a unit that has a vector, in samples of the first plane.
pub const UNIT: usize = 8;
/// Units on a side of a block, whose units mostly move alike.
pub const BLOCK_UNITS: usize = 2;

/// Where a unit was in the earlier frame, from where it is: right and down, in quarters of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vector {
    /// To the right.
    pub x: i16,
    /// Down.
    pub y: i16,
}

/// As devices have it: right in the lower half of a word.
#[cfg(feature = "gpu")]
impl Vector {
    pub(crate) fn packed(self) -> u32 {
        u32::from(self.x as u16) | (u32::from(self.y as u16) << 16)
    }

    pub(crate) fn unpacked(word: u32) -> Self {
        Self { x: word as i16, y: (word >> 16) as i16 }
    }
}

/// The motion of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What is between samples.
    pub filter: Filter,
    /// Units in a row; those of whole blocks, also beyond the right edge.
    pub across: usize,
    /// Row by row, those of whole blocks, also below the lower edge.
    pub vectors: Vec<Vector>,
}

impl Field {
    /// Nothing moves in a picture of this size.
    pub fn still(width: usize, height: usize) -> Self {
        let units = |samples: usize| samples.div_ceil(UNIT * BLOCK_UNITS) * BLOCK_UNITS;
        let across = units(width);
        Self { filter: Filter::Whole, across, vectors: vec![Vector::default(); across * units(height)] }
    }

    /// The vector of the unit in that column and row, if there is one.
    pub fn get(&self, column: Option<usize>, row: Option<usize>) -> Option<Vector> {
        let (column, row) = (column.filter(|&column| column < self.across)?, row?);
        self.vectors.get(row * self.across + column).copied()
    }
}

/// What the vector of a unit is expected to be: in each direction the middle one of those to the left, above, and above to the
/// right of `units` units side by side, of those that are coded before it; 0 for those that there are not.
pub fn expected(field: &Field, column: usize, row: usize, units: usize) -> Vector {
    let (left, up) = (column.checked_sub(1), row.checked_sub(1));
    // The block to the right comes later, and so does the unit to the right of the last one in a block.
    let is_last = units == 1 && column % BLOCK_UNITS == 1 && row % BLOCK_UNITS == 1;
    let corner = if is_last { None } else { field.get(Some(column + units), up) };
    let around = [field.get(left, Some(row)), field.get(Some(column), up), corner.or_else(|| field.get(left, up))];
    let [a, b, c] = around.map(Option::unwrap_or_default);
    let middle = |a: i16, b: i16, c: i16| a.min(b).max(a.max(b).min(c));
    Vector { x: middle(a.x, b.x, c.x), y: middle(a.y, b.y, c.y) }
}

/// A plane that moves with the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Whether it is the first one itself.
    pub is_first: bool,
    /// Log2 of how many samples of the first plane are side by side where it has one.
    pub across: u32,
    /// And below each other.
    pub down: u32,
}

/// How all frames of a batch move that are coded in turn, as devices do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motion {
    /// How each plane moves with the first one.
    pub shares: Vec<Share>,
    /// The motion of each frame but the first.
    pub fields: Vec<Field>,
}

impl Motion {
    /// Of a batch in which nothing moves; `None` as of [`shares`].
    pub fn still(geometry: &Geometry) -> Option<Self> {
        let shares = shares(geometry)?;
        let first = &geometry.planes[0];
        Some(Self { shares, fields: vec![Field::still(first.width, first.height); geometry.frames - 1] })
    }

    /// That of some of the frames, as a batch of their own.
    #[cfg(feature = "gpu")]
    pub(crate) fn of_frames(&self, frames: Range<usize>) -> Self {
        let fields = self.fields[frames.start..frames.end.max(frames.start + 1) - 1].to_vec();
        Self { shares: self.shares.clone(), fields }
    }

    /// What is expected of a frame; nothing of the first one. `raw` are all frames before it, at least.
    pub fn expectation<'a>(&'a self, geometry: &Geometry, frame: usize, raw: &'a [u8]) -> Option<Expectation<'a>> {
        let earlier = frame.checked_sub(1)?;
        let earlier = (self.fields.get(earlier)?, &raw[earlier * geometry.frame_samples..]);
        Some(Expectation { shares: &self.shares, earlier, later: None })
    }
}

/// So many of some pairs of frames, spread evenly, by the number of their first one; fewer where there are not so many.
pub(crate) fn spread(pairs: usize, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).map(|at| (2 * at + 1) * pairs / (2 * count)).collect();
    places.dedup();
    places
}

/// The first planes of the frames of a batch that moves: they are never interleaved with others, and `None` if they were.
pub fn first_planes<'a>(batch: Batch<'a>) -> Option<Vec<&'a [u8]>> {
    let plane = batch.geometry.planes.first().filter(|plane| plane.step == 1)?;
    let frames = batch.raw.chunks_exact(batch.geometry.frame_samples);
    Some(frames.map(|frame| &frame[plane.offset..][..plane.frame_samples()]).collect())
}

/// How each plane of a batch moves with the first; `None` if there is one that does not, or samples that do not move.
pub fn shares(geometry: &Geometry) -> Option<Vec<Share>> {
    let first = geometry.planes.first()?;
    let of = |own: usize, first: usize| match own {
        _ if own == first => Some(0),
        _ if own == first.div_ceil(2) => Some(1),
        _ => None,
    };
    let moves = geometry.sample_bytes == 1 && geometry.frames > 1 && !geometry.colour;
    let large = first.width >= UNIT * BLOCK_UNITS && first.height >= UNIT * BLOCK_UNITS;
    let planes = geometry.planes.iter().enumerate().map(|(at, plane)| {
        let (across, down) = (of(plane.width, first.width)?, of(plane.height, first.height)?);
        Some(Share { is_first: at == 0, across, down })
    });
    if moves && large { planes.collect() } else { None }
}

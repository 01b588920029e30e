//! The motion of frames that are coded in some order.

use std::ops::Range;

use super::order::{Order, Step};
use super::{Field, Later, Motion, Moved, Reference, Share, put_expected};
use crate::cpu::SimdLevel;
use crate::frame::{Geometry, PlaneGeometry};

/// How all frames of a batch move, and in which order they are coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedMotion {
    /// How each plane moves with the first one.
    pub shares: Vec<Share>,
    /// How each frame is made but the first, as they are coded; vectors that no unit has a use for are those that files give them.
    pub moved: Vec<Moved>,
    order: Order,
    steps: Vec<Step>,
}

impl OrderedMotion {
    /// Of frames whose planes move like that. There is a `moved` for each step of the order but the first.
    pub fn new(shares: Vec<Share>, order: Order, moved: Vec<Moved>) -> Self {
        let steps = order.steps();
        Self { shares, moved, order, steps }
    }

    /// Frames that are coded in turn.
    pub fn in_turn(Motion { shares, fields }: Motion) -> Self {
        let order = Order::in_turn(fields.len() + 1);
        Self::new(shares, order, fields.into_iter().map(|earlier| Moved { earlier, later: None }).collect())
    }

    /// Of a batch in which nothing moves; `None` as of [`shares`](super::shares).
    pub fn still(geometry: &Geometry) -> Option<Self> {
        Motion::still(geometry).map(Self::in_turn)
    }

    /// In which order frames are coded.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The frames as they are coded.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// That of frames that are coded in turn, if they are.
    pub fn turns(&self) -> Option<Motion> {
        let fields = || self.moved.iter().map(|moved| moved.earlier.clone()).collect();
        self.order.is_in_turn().then(|| Motion { shares: self.shares.clone(), fields: fields() })
    }

    /// What is expected at a step, the number of which is `at`; nothing at the first one. `frame` gives raw frames.
    pub fn expectation<'a>(&'a self, at: usize, frame: impl Fn(usize) -> &'a [u8]) -> Option<Expectation<'a>> {
        let Moved { earlier: field, later } = self.moved.get(at.checked_sub(1)?)?;
        let Step { earlier, later: later_frame, .. } = self.steps[at];
        let later = later.as_ref().zip(later_frame.map(&frame));
        Some(Expectation { shares: &self.shares, earlier: (field, frame(earlier?)), later })
    }
}

/// What a frame is expected to be: what vectors make of those that it refers to.
pub struct Expectation<'a> {
    pub(super) shares: &'a [Share],
    pub(super) earlier: (&'a Field, &'a [u8]),
    pub(super) later: Option<(&'a Later, &'a [u8])>,
}

impl Expectation<'_> {
    /// Fills `out`, `stride` samples from one row to the next, with `rows` of plane `at`, as [`put_expected`] does.
    ///
    /// # Panics
    /// As that.
    pub fn put(
        &self,
        simd: SimdLevel,
        (at, plane): (usize, &PlaneGeometry),
        rows: Range<usize>,
        out: &mut [u8],
        stride: usize,
    ) {
        let earlier = (self.earlier.0, Reference::of(plane, self.earlier.1));
        let later = self.later.map(|(later, frame)| (later, Reference::of(plane, frame)));
        put_expected(simd, self.shares[at], earlier, later, rows, out, stride);
    }
}

//! The order of frames, and to which of two frames units refer.

use super::adaptive::Bit;
use super::rans::Coder;
use crate::motion::order::{MOST_BETWEEN, Order};
use crate::motion::{BLOCK_UNITS, Later, Side};

/// Codes an order, or decodes one of as many frames: of each whether it is between anchors, in the context of how many before
/// it are.
#[inline(always)]
pub(super) fn code_order<C: Coder>(coder: &mut C, order: &Order) -> Order {
    let mut between = [Bit::EVEN; MOST_BETWEEN];
    Order::by(order.frames(), |frame, run| {
        let is_between = C::ENCODES && order.is_between(frame);
        !coder.is_spent() && between[run].code(coder, is_between)
    })
}

/// Sides of neighbours: three, and that there is none.
const SIDES: usize = 4;

/// What the sides of blocks and of units are expected to be, by those to the left and above.
pub(super) struct Sides {
    split: [Bit; SIDES * SIDES],
    /// By whether it is of a unit: whether it is the mean, and otherwise the later one.
    both: [[Bit; SIDES * SIDES]; 2],
    later: [[Bit; SIDES * SIDES]; 2],
}

impl Sides {
    pub(super) fn new() -> Self {
        let even = [Bit::EVEN; SIDES * SIDES];
        Self { split: even, both: [even; 2], later: [even; 2] }
    }

    /// Codes the sides of a frame, block by block.
    #[inline(always)]
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, later: &mut Later) {
        let (across, sides) = (later.field.across, &mut later.sides);
        for row in (0..sides.len() / across).step_by(BLOCK_UNITS) {
            for column in (0..across).step_by(BLOCK_UNITS) {
                let units = [0, 1, across, across + 1].map(|to| row * across + column + to);
                let whole = sides[units[0]];
                let context = around(sides, across, units[0]);
                let splits = C::ENCODES && units.iter().any(|&unit| sides[unit] != whole);
                if self.split[context].code(coder, splits) {
                    for unit in units {
                        let context = around(sides, across, unit);
                        sides[unit] = self.code_side(coder, 1, context, sides[unit]);
                    }
                } else {
                    let side = self.code_side(coder, 0, context, whole);
                    units.iter().for_each(|&unit| sides[unit] = side);
                }
            }
        }
    }

    #[inline(always)]
    fn code_side<C: Coder>(&mut self, coder: &mut C, of_unit: usize, context: usize, side: Side) -> Side {
        if self.both[of_unit][context].code(coder, side == Side::Both) {
            Side::Both
        } else if self.later[of_unit][context].code(coder, side == Side::Later) {
            Side::Later
        } else {
            Side::Earlier
        }
    }
}

/// The sides to the left of a unit and above it.
#[inline(always)]
fn around(sides: &[Side], across: usize, unit: usize) -> usize {
    let side = |at: Option<usize>| at.map_or(SIDES - 1, |at| sides[at] as usize);
    let left = unit.checked_sub(1).filter(|_| !unit.is_multiple_of(across));
    side(left) * SIDES + side(unit.checked_sub(across))
}

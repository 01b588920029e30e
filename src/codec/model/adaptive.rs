//! Probabilities that follow what was coded.

use super::lanes::Lanes;
use super::rans::{Coder, TOTAL};

/// A distribution of 16 symbols: 15 cumulative frequencies (the 16th is always `TOTAL`), and in the last
/// place how often it was used, up to 31.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Distribution([i16; 16]);

/// At row s: 0 before s, all ones from s on, and 0 in the last place.
#[repr(align(32))]
struct Row([i16; 16]);
static FROM: [Row; 16] = {
    let mut rows = [const { Row([0; 16]) }; 16];
    let mut symbol = 0;
    while symbol < 16 {
        let mut i = symbol;
        while i < 15 {
            rows[symbol].0[i] = -1;
            i += 1;
        }
        symbol += 1;
    }
    rows
};

/// What keeps every frequency above 0.
const LEAST: [i16; 16] = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 0];
const BOUNDS: [i16; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0];
const USED: [i16; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const USED_MOST: [i16; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31];
const LAST: [i16; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i16::MIN];

static RATES: [u8; 32] =
    [1, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7];

impl Distribution {
    /// From frequencies that sum to `TOTAL`.
    pub(super) const fn of(frequencies: [u16; 16]) -> Self {
        let mut cumulative = [0; 16];
        let mut sum = 0;
        let mut i = 0;
        while i < 15 {
            sum += frequencies[i] as i16;
            cumulative[i] = sum;
            i += 1;
        }
        Self(cumulative)
    }

    #[inline(always)]
    fn update<L: Lanes>(&mut self, lanes: L, symbol: usize, limit: u32) {
        let rate = u32::from(RATES[(self.0[15] & 31) as usize]).min(limit);
        let old = lanes.load(&self.0);
        let from = lanes.load(&FROM[symbol].0);
        let bounds = lanes.load(&BOUNDS);
        // TOTAL - bound where the bound rises, the bound where it falls; TOTAL is -TOTAL in 16 bits.
        let total = lanes.splat(i16::MIN);
        let up = lanes.and(lanes.shift_right(lanes.sub(total, old), rate), from);
        let down = lanes.and(lanes.shift_right(old, rate), lanes.sub(bounds, from));
        let moved = lanes.and(lanes.sub(lanes.add(old, up), down), bounds);
        let used = lanes.min(
            lanes.add(lanes.and(old, lanes.sub(lanes.splat(-1), bounds)), lanes.load(&USED)),
            lanes.load(&USED_MOST),
        );
        lanes.store(lanes.or(moved, used), &mut self.0);
    }
}

/// Codes a symbol by the mean of two distributions, and updates both: the second is the quicker one.
#[inline(always)]
pub(super) fn code_symbol<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    first: &mut Distribution,
    second: &mut Distribution,
    symbol: usize,
) -> usize {
    code_symbol_at(lanes, coder, [first, second], [6, 5], symbol)
}

/// The same, where the two move by at least 2^-`rates` of the way.
#[inline(always)]
pub(super) fn code_symbol_at<L: Lanes, C: Coder>(
    lanes: L,
    coder: &mut C,
    [first, second]: [&mut Distribution; 2],
    rates: [u32; 2],
    symbol: usize,
) -> usize {
    let bounds = lanes.load(&BOUNDS);
    let sum = lanes.add(lanes.load(&first.0), lanes.load(&second.0));
    let mean = lanes.shift_right(sum, 1);
    let mean = lanes.add(lanes.sub(mean, lanes.shift_right(mean, 10)), lanes.load(&LEAST));
    let mean = lanes.or(lanes.and(mean, bounds), lanes.load(&LAST));
    let symbol = coder.symbol(lanes, mean, symbol);
    first.update(lanes, symbol, rates[0]);
    second.update(lanes, symbol, rates[1]);
    symbol
}

/// The probability of a 1, by two rates.
#[derive(Clone, Copy)]
pub(super) struct Bit {
    quick: u16,
    slow: u16,
}

impl Bit {
    pub(super) const EVEN: Self = Self { quick: 1 << 15, slow: 1 << 15 };

    #[inline(always)]
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, bit: bool) -> bool {
        let mean = (u32::from(self.quick) + u32::from(self.slow)) >> 2;
        let bit = coder.bit(mean.clamp(4, TOTAL - 4), bit);
        // Towards 0 or 65535.
        let to = 0u32.wrapping_sub(u32::from(bit)) & 0xffff;
        let step = |value: u16, rate: u32| {
            let up = (to.wrapping_sub(u32::from(value)) & to) >> rate;
            let down = (u32::from(value) & !to) >> rate;
            (u32::from(value) + up - down) as u16
        };
        self.quick = step(self.quick, 4);
        self.slow = step(self.slow, 7);
        bit
    }
}

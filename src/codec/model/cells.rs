//! Planes whose samples repeat in cells of 2 x 2, 2 x 1 or 1 x 2: the chroma of decoded video.
//!
//! One sample per cell is coded as a picture; what the others differ by is coded where they do.

use super::Size;
use super::adaptive::{Bit, Distribution, code_symbol};
use super::lanes::Lanes;
use super::rans::Coder;
use super::run::code_escape;

/// Side of a block that says whether any of its cells is not even, in cells.
const BLOCK: usize = 8;

/// How a plane differs from its cells.
pub(super) struct Cells {
    width: usize,
    height: usize,
    /// Log2 of a cell's sides.
    pub(super) across: u32,
    pub(super) down: u32,
    states: Vec<u8>,
    before: Vec<u8>,
    uneven: [Bit; 27],
    again: [Bit; 27],
    one: [Distribution; 15 * 16],
    two: [Distribution; 16],
    escapes: [Bit; 16],
}

impl Cells {
    pub(super) fn new(Size { width, height }: Size, across: u32, down: u32) -> Self {
        let (cw, ch) = (width.div_ceil(1 << across), height.div_ceil(1 << down));
        let blocks = (cw.div_ceil(BLOCK) + 1) * (ch.div_ceil(BLOCK) + 1);
        let even = Distribution::of([2048; 16]);
        Self {
            width,
            height,
            across,
            down,
            states: vec![0; blocks],
            before: vec![0; blocks],
            uneven: [Bit::EVEN; 27],
            again: [Bit::EVEN; 27],
            one: [even; 15 * 16],
            two: [even; 16],
            escapes: [Bit::EVEN; 16],
        }
    }

    /// Codes the samples of `plane` that are not the first of their cells. `guide` is the plane coded before,
    /// of the same size, `previous` the same plane of the frame before.
    #[inline(always)]
    pub(super) fn code<L: Lanes, C: Coder>(
        &mut self,
        lanes: L,
        coder: &mut C,
        bits: u32,
        plane: &mut [u16],
        guide: Option<&[u16]>,
        previous: Option<&[u16]>,
    ) {
        let (bw, bh) = (BLOCK << self.across, BLOCK << self.down);
        let across = self.width.div_ceil(bw) + 1;
        std::mem::swap(&mut self.states, &mut self.before);
        for top in (0..self.height).step_by(bh) {
            for left in (0..self.width).step_by(bw) {
                let (bottom, right) = ((top + bh).min(self.height), (left + bw).min(self.width));
                let at = (top / bh + 1) * across + left / bw + 1;
                let (mut uneven, mut again) = (false, previous.is_some());
                if C::ENCODES {
                    for y in top..bottom {
                        let row = &plane[y * self.width..][..self.width];
                        let leaders = &plane[(y >> self.down << self.down) * self.width..][..self.width];
                        uneven |= (left..right).any(|x| row[x] != leaders[x >> self.across << self.across]);
                    }
                    if let Some(previous) = previous.filter(|_| uneven) {
                        for y in top..bottom {
                            let range = y * self.width + left..y * self.width + right;
                            again &= plane[range.clone()] == previous[range];
                        }
                    }
                }
                let context = usize::from(self.states[at - 1])
                    + 3 * usize::from(self.states[at - across])
                    + 9 * usize::from(self.before[at]);
                self.states[at] = 0;
                if !self.uneven[context].code(coder, uneven) {
                    for y in top..bottom {
                        let leader = (y >> self.down << self.down) * self.width;
                        for x in left..right {
                            plane[y * self.width + x] = plane[leader + (x >> self.across << self.across)];
                        }
                    }
                    continue;
                }
                self.states[at] = 1;
                if let Some(previous) = previous
                    && self.again[context].code(coder, again)
                {
                    self.states[at] = 2;
                    for y in top..bottom {
                        let range = y * self.width + left..y * self.width + right;
                        plane[range.clone()].copy_from_slice(&previous[range]);
                    }
                    continue;
                }
                self.code_block(lanes, coder, bits, plane, guide, [left, top, right, bottom]);
            }
        }
    }

    #[inline(always)]
    fn code_block<L: Lanes, C: Coder>(
        &mut self,
        lanes: L,
        coder: &mut C,
        bits: u32,
        plane: &mut [u16],
        guide: Option<&[u16]>,
        [left, top, right, bottom]: [usize; 4],
    ) {
        let half = 1i32 << (bits - 1);
        let wrap = |value: i32| ((value + half) & (2 * half - 1)) - half;
        let mut above = [0u8; 2 * BLOCK];
        for y in top..bottom {
            let mut beside = 0;
            for x in left..right {
                let leader = (y >> self.down << self.down) * self.width + (x >> self.across << self.across);
                let at = y * self.width + x;
                if at == leader {
                    continue;
                }
                let lean = guide.map_or(0, |guide| wrap(i32::from(guide[leader]) - i32::from(guide[at])));
                let from = i32::from(plane[leader]);
                let difference = if C::ENCODES { wrap(i32::from(plane[at]) - from) } else { 0 };
                let symbol = if (-7..=7).contains(&difference) { (difference + 7) as usize } else { 15 };
                let lean = (lean.clamp(-7, 7) + 7) as usize;
                let odd = usize::from(beside) + 4 * usize::from(above[x - left]);
                let symbol = code_symbol(lanes, coder, &mut self.one[lean * 16 + odd], &mut self.two[odd], symbol);
                let difference =
                    if symbol < 15 { symbol as i32 - 7 } else { code_escape(coder, &mut self.escapes, difference) };
                plane[at] = ((from + difference) & (2 * half - 1)) as u16;
                beside = beside / 2 + 2 * u8::from(difference != 0);
                above[x - left] = above[x - left] / 2 + 2 * u8::from(difference != 0);
            }
        }
    }
}

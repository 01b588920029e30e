//! One picture of one plane after another.

use super::adaptive::Bit;
use super::lanes::Lanes;
use super::rans::Coder;
use super::run::{Models, Run, Scratch};
use super::terraces::{self, Terraces};

/// Side of a block that may be skipped.
const BLOCK: usize = 8;
/// Samples on either side of a row, for what reaches beyond its ends.
pub(super) const PAD: usize = 8;
/// Rows above the first, for the same.
const ABOVE: usize = 2;

/// What is kept of a picture's coding, for the contexts of later samples.
pub(super) struct Traces {
    pub(super) stride: usize,
    /// Residuals, scaled like samples.
    pub(super) residual: Vec<i16>,
    /// Magnitudes of residuals, unscaled.
    pub(super) magnitude: Vec<u16>,
    /// 1 where the sample was equal to the one of the frame before.
    pub(super) same: Vec<u8>,
}

impl Traces {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let stride = width + 2 * PAD;
        let cells = stride * (height + ABOVE + 1);
        Self { stride, residual: vec![0; cells], magnitude: vec![0; cells], same: vec![0; cells] }
    }

    /// The traces at half the size, each way that `across` and `down` (0 or 1) say.
    #[inline(always)]
    pub(super) fn halve(
        &self,
        size: (usize, usize),
        out: &mut Traces,
        out_size: (usize, usize),
        across: u32,
        down: u32,
    ) {
        for y in 0..out_size.1 {
            let to = (y + ABOVE) * out.stride + PAD;
            let to = to..to + out_size.0;
            let row = |y: usize| {
                let at = (y + ABOVE) * self.stride + PAD;
                // One more than the row, for the last cell of an odd width: it is 0 there.
                at..at + (out_size.0 << across)
            };
            let rows = [row(y << down), row(((y << down) + down as usize).min(size.1 - 1))];
            sums(across, rows.clone().map(|row| &self.residual[row]), &mut out.residual[to.clone()], |a, b, c, d| {
                ((i32::from(a) + i32::from(b) + i32::from(c) + i32::from(d)) >> 2) as i16
            });
            sums(across, rows.clone().map(|row| &self.magnitude[row]), &mut out.magnitude[to.clone()], |a, b, c, d| {
                (a + b + c + d + 1) >> 1
            });
            sums(across, rows.map(|row| &self.same[row]), &mut out.same[to], |a, b, c, d| a & b & c & d);
        }
    }
}

/// Joins cells of two rows, and of two columns where `across` is 1.
#[inline(always)]
fn sums<T: Copy>(across: u32, [up, down]: [&[T]; 2], out: &mut [T], join: impl Fn(T, T, T, T) -> T) {
    if across == 1 {
        for (out, (up, down)) in out.iter_mut().zip(up.as_chunks::<2>().0.iter().zip(down.as_chunks::<2>().0)) {
            *out = join(up[0], up[1], down[0], down[1]);
        }
    } else {
        for (out, (&up, &down)) in out.iter_mut().zip(up.iter().zip(down)) {
            *out = join(up, up, down, down);
        }
    }
}

pub(super) struct Picture {
    width: usize,
    height: usize,
    stride: usize,
    bits: u32,
    shift: u32,
    phases: bool,
    current: Vec<i16>,
    previous: Vec<i16>,
    pub(super) traces: Traces,
    before: Traces,
    skips: Vec<u8>,
    skips_before: Vec<u8>,
    /// Whether there is no frame before.
    pub(super) first: bool,
    skip: [Bit; 32],
    models: Box<Models>,
    /// Codes in the place of `models` if the picture is terraced.
    terraces: Option<Terraces>,
    scratch: Scratch,
}

impl Picture {
    pub(super) fn new(width: usize, height: usize, bits: u32, phases: bool, terraced: bool) -> Self {
        let stride = width + 2 * PAD;
        let cells = stride * (height + ABOVE + 1);
        let blocks = (width.div_ceil(BLOCK) + 2) * (height.div_ceil(BLOCK) + 1);
        Self {
            width,
            height,
            stride,
            bits,
            shift: 12 - bits.min(12),
            phases,
            current: vec![0; cells],
            previous: vec![0; cells],
            traces: Traces::new(width, height),
            before: Traces::new(width, height),
            skips: vec![0; blocks],
            skips_before: vec![0; blocks],
            first: true,
            skip: [Bit::EVEN; 32],
            models: Box::new(Models::new()),
            terraces: terraced.then(Terraces::new),
            scratch: Scratch::new(stride),
        }
    }

    #[inline(always)]
    fn at(&self, x: usize, y: usize) -> usize {
        (y + ABOVE) * self.stride + PAD + x
    }

    /// Row `y` as samples, every `1 << across`th of `out`.
    #[inline(always)]
    pub(super) fn get_row(&self, y: usize, out: &mut [u16], across: u32) {
        let half = 1 << (self.bits - 1);
        let at = self.at(0, y);
        for (out, &value) in out.iter_mut().step_by(1 << across).zip(&self.current[at..at + self.width]) {
            *out = ((i32::from(value) >> self.shift) + half) as u16;
        }
    }

    /// Sets row `y` to every `1 << across`th of `samples`.
    #[inline(always)]
    pub(super) fn set_row(&mut self, y: usize, samples: &[u16], across: u32) {
        let half = 1 << (self.bits - 1);
        let (at, shift) = (self.at(0, y), self.shift);
        for (value, &sample) in self.current[at..at + self.width].iter_mut().zip(samples.iter().step_by(1 << across)) {
            *value = ((i32::from(sample) - half) << shift) as i16;
        }
        self.pad_row(y);
    }

    /// Fills the margin of a row.
    fn pad_row(&mut self, y: usize) {
        let at = self.at(0, y);
        let (first, last) = (self.current[at], self.current[at + self.width - 1]);
        self.current[at - PAD..at].fill(first);
        self.current[at + self.width..at + self.width + PAD].fill(last);
    }

    /// Puts something else in the place of the previous picture: rows of `width` samples, of which those at the corners of
    /// cells count.
    pub(super) fn expect(&mut self, samples: &[u16], width: usize, [across, down]: [u32; 2]) {
        std::mem::swap(&mut self.current, &mut self.previous);
        for y in 0..self.height {
            self.set_row(y, &samples[(y << down) * width..][..width], across);
        }
        self.go_on_below();
        std::mem::swap(&mut self.current, &mut self.previous);
    }

    /// Fills the row below the last.
    fn go_on_below(&mut self) {
        let (stride, last) = (self.stride, self.at(0, self.height - 1) - PAD);
        self.current.copy_within(last..last + stride, last + stride);
    }

    /// Makes the current picture the previous one.
    pub(super) fn advance(&mut self) {
        self.go_on_below();
        let stride = self.stride;
        std::mem::swap(&mut self.current, &mut self.previous);
        std::mem::swap(&mut self.traces, &mut self.before);
        std::mem::swap(&mut self.skips, &mut self.skips_before);
        self.first = false;
        self.scratch.advance();
        for row in 0..ABOVE {
            let from = ABOVE * stride..(ABOVE + 1) * stride;
            self.current[row * stride..(row + 1) * stride].copy_from_slice(&self.previous[from]);
        }
    }

    /// Codes the picture: when encoding it must have been set.
    #[inline(always)]
    pub(super) fn code<L: Lanes, C: Coder>(&mut self, lanes: L, coder: &mut C, cross: [&Traces; 2]) {
        let blocks = self.width.div_ceil(BLOCK);
        for top in (0..self.height).step_by(BLOCK) {
            let bottom = (top + BLOCK).min(self.height);
            for block in 0..blocks {
                self.code_skip(coder, block, top, bottom);
            }
            let row = (top / BLOCK + 1) * (blocks + 2) + 1;
            for y in top..bottom {
                let mut block = 0;
                while block < blocks {
                    let start = block;
                    let skip = self.skips[row + block];
                    while block < blocks && self.skips[row + block] == skip {
                        block += 1;
                    }
                    let (from, to) = (start * BLOCK, (block * BLOCK).min(self.width));
                    if skip != 0 {
                        self.skip_run(y, from, to);
                    } else {
                        self.code_run(lanes, coder, y, from, to, cross);
                    }
                }
                self.pad_row(y);
            }
        }
    }

    #[inline(always)]
    fn code_skip<C: Coder>(&mut self, coder: &mut C, block: usize, top: usize, bottom: usize) {
        let across = self.width.div_ceil(BLOCK) + 2;
        let at = (top / BLOCK + 1) * across + 1 + block;
        if self.first {
            self.skips[at] = 0;
            return;
        }
        let mut skip = C::ENCODES;
        if C::ENCODES {
            let (from, to) = (block * BLOCK, ((block + 1) * BLOCK).min(self.width));
            for y in top..bottom {
                let range = self.at(from, y)..self.at(to, y);
                skip = skip && self.current[range.clone()] == self.previous[range];
            }
        }
        let context = self.skips[at - 1]
            | self.skips[at - across] << 1
            | self.skips[at - across + 1] << 2
            | self.skips_before[at] << 3
            | self.skips_before[at + 1] << 4;
        self.skips[at] = u8::from(self.skip[usize::from(context & 31)].code(coder, skip));
    }

    fn skip_run(&mut self, y: usize, from: usize, to: usize) {
        let at = self.at(from, y);
        let range = at..at + to - from;
        self.current[range.clone()].copy_from_slice(&self.previous[range.clone()]);
        self.traces.residual[range.clone()].fill(0);
        self.traces.magnitude[range.clone()].fill(0);
        self.traces.same[range].fill(1);
        self.scratch.clear(y, from, to);
    }

    #[inline(always)]
    fn code_run<L: Lanes, C: Coder>(
        &mut self,
        lanes: L,
        coder: &mut C,
        y: usize,
        from: usize,
        to: usize,
        cross: [&Traces; 2],
    ) {
        let s = self.stride;
        let start = (y + ABOVE) * s;
        let (above, now) = self.current.split_at_mut(start);
        if let Some(terraces) = &mut self.terraces {
            let north = &above[start - s..];
            let run = terraces::Run {
                from: from + PAD,
                to: to + PAD,
                begins: from == 0,
                bits: self.bits,
                shift: self.shift,
                now: &mut now[..s],
                north,
                north2: &above[start - 2 * s..start - s],
                before: if self.first { north } else { &self.previous[start..start + s] },
            };
            run.code(lanes, coder, terraces);
            let range = start + PAD + from..start + PAD + to;
            self.traces.residual[range.clone()].fill(0);
            self.traces.magnitude[range.clone()].fill(0);
            self.traces.same[range].fill(0);
            return;
        }
        let residual = &mut self.traces.residual[start..start + s];
        let (magnitude_above, magnitude) = self.traces.magnitude.split_at_mut(start);
        let (same_above, same) = self.traces.same.split_at_mut(start);
        let run = Run {
            from: from + PAD,
            to: to + PAD,
            y,
            first: self.first,
            bits: self.bits,
            shift: self.shift,
            phases: self.phases,
            now: &mut now[..s],
            north: &above[start - s..],
            north2: &above[start - 2 * s..start - s],
            before: [
                &self.previous[start - s..start],
                &self.previous[start..start + s],
                &self.previous[start + s..start + 2 * s],
            ],
            cross: [&cross[0].residual[start..start + s], &cross[1].residual[start..start + s]],
            residual,
            magnitude: &mut magnitude[..s],
            same: &mut same[..s],
        };
        let scratch = &mut self.scratch;
        let (n, nn) = (&magnitude_above[start - s..], &magnitude_above[start - 2 * s..start - s]);
        let (a, b) = (&cross[0].magnitude[start..start + s], &cross[1].magnitude[start..start + s]);
        let (p, ps) = (&self.before.magnitude[start..start + s], &self.before.magnitude[start + s..start + 2 * s]);
        scratch.magnitudes(from + PAD, to + PAD, [n, nn, a, b, p, ps]);
        if !self.first {
            scratch.sames(
                from + PAD,
                to + PAD,
                &same_above[start - s..],
                &cross[0].same[start..start + s],
                &cross[1].same[start..start + s],
                &self.before.same[start..start + s],
            );
        }
        scratch.errors(y, from + PAD, to + PAD);
        if self.bits == 8 {
            run.code::<true, L, C>(lanes, coder, &mut self.models, scratch);
        } else {
            run.code::<false, L, C>(lanes, coder, &mut self.models, scratch);
        }
    }
}

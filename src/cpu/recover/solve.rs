//! Blocks of pixels to their Y, U and V.

use super::estimates::{Estimates, PARTS};
use super::narrow::{Narrow, NarrowBlocks};
use super::phases::{CHUNK, PHASES};
use super::row::Inverse;
use crate::cpu::ahead::Ahead;
use crate::cpu::simd::Kernel;
use crate::plan::{ChromaTerms, Conversion};

/// A row of blocks: estimates, and a bit of `misfits` for each pixel that the conversion makes otherwise of them.
pub struct Solve<'a> {
    pub inverse: &'a Inverse<'a>,
    pub ahead: Ahead<'a>,
    /// R, G and B of each pixel of the blocks.
    pub pixels: &'a [[Vec<u8>; 3]],
    pub luma: &'a mut [Vec<u8>; PHASES],
    pub chroma: &'a mut [Vec<u8>; 2],
    pub misfits: &'a mut [u8],
}

/// R, G and B of pixels.
pub type Pixels<'a> = [&'a [u8; CHUNK]; 3];

/// Whether a channel may not have been clipped.
#[inline(always)]
pub fn inside(channel: u8) -> bool {
    channel.wrapping_sub(1) < 254
}

impl Kernel for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.pixels.len() {
            1 => self.row::<1>(),
            2 => self.row::<2>(),
            _ => self.row::<4>(),
        }
    }
}

impl Solve<'_> {
    /// Of blocks of `COUNT` pixels.
    #[inline(always)]
    fn row<const COUNT: usize>(mut self) {
        let Inverse { conversion, estimates, clipped, narrow } = self.inverse;
        let (estimates, conversion) = (*estimates, **conversion);
        let Ok(phases) = <&[[Vec<u8>; 3]; COUNT]>::try_from(self.pixels) else { return };
        let [u, v] = self.chroma.each_mut().map(|plane| plane.as_chunks_mut::<CHUNK>().0.iter_mut());
        let misfits = self.misfits.as_chunks_mut::<CHUNK>().0;
        // Neutral, to the left of the first block.
        let mut left = [128; 2];
        for (at, ((u, v), misfits)) in u.zip(v).zip(misfits).enumerate() {
            let pixels: [Pixels<'_>; COUNT] =
                phases.each_ref().map(|phase| phase.each_ref().map(|channel| &channel.as_chunks::<CHUNK>().0[at]));
            let counted = estimate_chroma(&estimates, &conversion, narrow.as_ref(), pixels, u, v);
            carry(&counted, &mut left, u, v);
            self.ahead.step();
            *misfits = [0; CHUNK];
            let luma = self.luma.iter_mut().map(|luma| &mut luma.as_chunks_mut::<CHUNK>().0[at]);
            let phases = pixels.into_iter().zip(luma).enumerate();
            if let Some(narrow) = narrow {
                let blocks = NarrowBlocks::of(narrow, u, v);
                for (phase, (pixels, luma)) in phases {
                    narrow.luma(pixels, &blocks, luma);
                    clipped.luma(&conversion, pixels, u, v, luma);
                    narrow.compare(pixels, &blocks, luma, 1 << phase, misfits);
                }
            } else {
                let blocks = Blocks::of(&estimates, &conversion, u, v);
                for (phase, (pixels, luma)) in phases {
                    self::luma(&estimates, pixels, &blocks, luma);
                    clipped.luma(&conversion, pixels, u, v, luma);
                    compare(&conversion, pixels, &blocks, luma, 1 << phase, misfits);
                }
            }
        }
    }
}

/// U and V of blocks, from their pixels that are not clipped; how many these are.
#[inline(always)]
fn estimate_chroma<const COUNT: usize>(
    estimates: &Estimates,
    conversion: &Conversion,
    narrow: Option<&Narrow>,
    phases: [Pixels<'_>; COUNT],
    u: &mut [u8; CHUNK],
    v: &mut [u8; CHUNK],
) -> [u8; CHUNK] {
    let [mut red_green, mut blue_green] = [[0i16; CHUNK]; 2];
    let mut counted = [0; CHUNK];
    for at in 0..CHUNK {
        let (mut r_g, mut b_g, mut count) = (0, 0, 0);
        for [red, green, blue] in phases {
            let counts = inside(red[at]) & inside(green[at]) & inside(blue[at]);
            let (r, g, b) = (i16::from(red[at]), i16::from(green[at]), i16::from(blue[at]));
            r_g += if counts { r - g } else { 0 };
            b_g += if counts { b - g } else { 0 };
            count += u8::from(counts);
        }
        (red_green[at], blue_green[at], counted[at]) = (r_g, b_g, count);
    }
    for at in 0..CHUNK {
        let count = counted[at];
        // PARTS / count, where something is counted: 12, 6, 4, 3.
        let parts = PARTS / 4 + i16::from(count < 4) + 2 * i16::from(count < 3) + PARTS / 2 * i16::from(count < 2);
        [u[at], v[at]] = estimates.chroma(red_green[at] * parts, blue_green[at] * parts);
    }
    if let Some(narrow) = narrow {
        refine(|u, v| narrow.chroma(u, v), &counted, &red_green, &blue_green, u, v);
    } else if conversion.is_plain() {
        let chroma = |u: u8, v: u8| {
            let ChromaTerms { red, green, blue } = conversion.chroma(u.into(), v.into());
            [red, green, blue].map(|term| term as i16)
        };
        refine(chroma, &counted, &red_green, &blue_green, u, v);
    }
    counted
}

/// Mends chroma that rounding has one off, where sums are channels as they are: the differences of channels are known to
/// the unit then. What is made of wrong chroma differs from them, by more in the difference that depends on it.
#[inline(always)]
fn refine(
    chroma: impl Fn(u8, u8) -> [i16; 3],
    counted: &[u8; CHUNK],
    red_green: &[i16; CHUNK],
    blue_green: &[i16; CHUNK],
    u: &mut [u8; CHUNK],
    v: &mut [u8; CHUNK],
) {
    for at in 0..CHUNK {
        let [red, green, blue] = chroma(u[at], v[at]);
        let count = i16::from(counted[at]);
        let off = |sum: i16, made: i16| sum.wrapping_sub(count.wrapping_mul(made));
        let of_u = off(blue_green[at], blue.wrapping_sub(green));
        let of_v = off(red_green[at], red.wrapping_sub(green));
        let (far_u, far_v) = (of_u.wrapping_abs(), of_v.wrapping_abs());
        let step = |off: i16, is_more: bool| if is_more { off.signum() } else { 0 };
        u[at] = (i16::from(u[at]) + step(of_u, far_u >= far_v)).clamp(0, 255) as u8;
        v[at] = (i16::from(v[at]) + step(of_v, far_v >= far_u)).clamp(0, 255) as u8;
    }
}

/// Gives blocks of clipped pixels the chroma of the block to their left.
#[inline(always)]
fn carry(counted: &[u8; CHUNK], left: &mut [u8; 2], u: &mut [u8; CHUNK], v: &mut [u8; CHUNK]) {
    if counted.iter().fold(true, |all, &counted| all & (counted > 0)) {
        *left = [u[CHUNK - 1], v[CHUNK - 1]];
        return;
    }
    for ((&counted, u), v) in counted.iter().zip(u).zip(v) {
        if counted == 0 {
            [*u, *v] = *left;
        } else {
            *left = [*u, *v];
        }
    }
}

/// What U and V of blocks add to the channels, and to estimates of Y from each.
struct Blocks {
    red: [i32; CHUNK],
    green: [i32; CHUNK],
    blue: [i32; CHUNK],
    from_red: [i32; CHUNK],
    from_green: [i32; CHUNK],
    from_blue: [i32; CHUNK],
}

impl Blocks {
    #[inline(always)]
    fn of(estimates: &Estimates, conversion: &Conversion, u: &[u8; CHUNK], v: &[u8; CHUNK]) -> Self {
        let mut blocks = Self {
            red: [0; CHUNK],
            green: [0; CHUNK],
            blue: [0; CHUNK],
            from_red: [0; CHUNK],
            from_green: [0; CHUNK],
            from_blue: [0; CHUNK],
        };
        for at in 0..CHUNK {
            let ChromaTerms { red, green, blue } = conversion.chroma(u[at].into(), v[at].into());
            (blocks.red[at], blocks.green[at], blocks.blue[at]) = (red, green, blue);
            blocks.from_red[at] = estimates.luma_term(red);
            blocks.from_green[at] = estimates.luma_term(green);
            blocks.from_blue[at] = estimates.luma_term(blue);
        }
        blocks
    }
}

/// Y from a channel that is not clipped.
#[inline(always)]
fn luma(estimates: &Estimates, [red, green, blue]: Pixels<'_>, blocks: &Blocks, luma: &mut [u8; CHUNK]) {
    for at in 0..CHUNK {
        let [r, g, b] = [red[at], green[at], blue[at]].map(i32::from);
        // All three are worked out, to keep loads out of what depends on data.
        let mut y = estimates.luma(b, blocks.from_blue[at]);
        y = if inside(red[at]) { estimates.luma(r, blocks.from_red[at]) } else { y };
        y = if inside(green[at]) { estimates.luma(g, blocks.from_green[at]) } else { y };
        luma[at] = y as u8;
    }
}

#[inline(always)]
fn compare(
    conversion: &Conversion,
    [red, green, blue]: Pixels<'_>,
    blocks: &Blocks,
    luma: &[u8; CHUNK],
    bit: u8,
    misfits: &mut [u8; CHUNK],
) {
    for at in 0..CHUNK {
        let base = conversion.luma(luma[at].into());
        let made = |term: i32| conversion.channel(base, term) as u8;
        let fits = (made(blocks.red[at]) == red[at])
            & (made(blocks.green[at]) == green[at])
            & (made(blocks.blue[at]) == blue[at]);
        misfits[at] |= if fits { 0 } else { bit };
    }
}

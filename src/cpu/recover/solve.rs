//! Blocks of pixels to their Y, U and V, where nothing is clipped.

use super::estimates::{Estimates, PARTS};
use super::phases::{CHUNK, PHASES};
use crate::cpu::simd::Kernel;
use crate::plan::{ChromaTerms, Conversion};

/// A row of blocks: estimates, and a bit of `misfits` for each pixel that the conversion makes otherwise of them.
pub struct Solve<'a> {
    pub conversion: &'a Conversion,
    pub estimates: &'a Estimates,
    /// R, G and B of each pixel of the blocks.
    pub pixels: &'a [[Vec<u8>; 3]],
    pub luma: &'a mut [Vec<u8>; PHASES],
    pub chroma: &'a mut [Vec<u8>; 2],
    pub misfits: &'a mut [u8],
}

/// Whether a channel may not have been clipped.
#[inline(always)]
pub fn inside(channel: u8) -> bool {
    channel.wrapping_sub(1) < 254
}

impl Kernel for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [u, v] = self.chroma.each_mut().map(|plane| plane.as_chunks_mut::<CHUNK>().0.iter_mut());
        let misfits = self.misfits.as_chunks_mut::<CHUNK>().0;
        for (at, ((u, v), misfits)) in u.zip(v).zip(misfits).enumerate() {
            let chunk = |channel: &Vec<u8>| channel.as_chunks::<CHUNK>().0[at];
            let (estimates, conversion) = (*self.estimates, *self.conversion);
            let blocks =
                chroma(&estimates, &conversion, self.pixels.iter().map(|phase| phase.each_ref().map(chunk)), u, v);
            *misfits = [0; CHUNK];
            for (phase, (pixels, luma)) in self.pixels.iter().zip(self.luma.iter_mut()).enumerate() {
                let pixels = pixels.each_ref().map(chunk);
                luma.as_chunks_mut::<CHUNK>().0[at] =
                    self::luma(&estimates, &conversion, &pixels, &blocks, 1 << phase, misfits);
            }
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

#[inline(always)]
fn chroma(
    estimates: &Estimates,
    conversion: &Conversion,
    phases: impl Iterator<Item = [[u8; CHUNK]; 3]>,
    u: &mut [u8; CHUNK],
    v: &mut [u8; CHUNK],
) -> Blocks {
    let [mut red_green, mut blue_green, mut counted] = [[0i16; CHUNK]; 3];
    for [red, green, blue] in phases {
        for at in 0..CHUNK {
            let counts = inside(red[at]) & inside(green[at]) & inside(blue[at]);
            let (r, g, b) = (i16::from(red[at]), i16::from(green[at]), i16::from(blue[at]));
            red_green[at] += if counts { r - g } else { 0 };
            blue_green[at] += if counts { b - g } else { 0 };
            counted[at] += i16::from(counts);
        }
    }
    let mut blocks = Blocks {
        red: [0; CHUNK],
        green: [0; CHUNK],
        blue: [0; CHUNK],
        from_red: [0; CHUNK],
        from_green: [0; CHUNK],
        from_blue: [0; CHUNK],
    };
    for at in 0..CHUNK {
        // PARTS / counted, where something is counted: 12, 6, 4, 3.
        let counted = counted[at];
        let parts =
            PARTS / 4 + i32::from(counted < 4) + 2 * i32::from(counted < 3) + PARTS / 2 * i32::from(counted < 2);
        let [of_u, of_v] = estimates.chroma(i32::from(red_green[at]) * parts, i32::from(blue_green[at]) * parts);
        (u[at], v[at]) = (of_u as u8, of_v as u8);
        let ChromaTerms { red, green, blue } = conversion.chroma(of_u, of_v);
        (blocks.red[at], blocks.green[at], blocks.blue[at]) = (red, green, blue);
        blocks.from_red[at] = estimates.luma_term(red);
        blocks.from_green[at] = estimates.luma_term(green);
        blocks.from_blue[at] = estimates.luma_term(blue);
    }
    blocks
}

#[inline(always)]
fn luma(
    estimates: &Estimates,
    conversion: &Conversion,
    [red, green, blue]: &[[u8; CHUNK]; 3],
    blocks: &Blocks,
    bit: u8,
    misfits: &mut [u8; CHUNK],
) -> [u8; CHUNK] {
    let mut luma = [0; CHUNK];
    for at in 0..CHUNK {
        let [r, g, b] = [red[at], green[at], blue[at]].map(i32::from);
        let from_others = if inside(red[at]) { (r, blocks.from_red[at]) } else { (b, blocks.from_blue[at]) };
        let (channel, term) = if inside(green[at]) { (g, blocks.from_green[at]) } else { from_others };
        let y = estimates.luma(channel, term);
        luma[at] = y as u8;
        let base = conversion.luma(y);
        let fits = (conversion.channel(base, blocks.red[at]) == r)
            & (conversion.channel(base, blocks.green[at]) == g)
            & (conversion.channel(base, blocks.blue[at]) == b);
        misfits[at] |= if fits { 0 } else { bit };
    }
    luma
}

//! Planes to packed pixels.

use super::Picture;
use super::narrow::{Narrow, NarrowBlocks};
use super::phases::{CHUNK, Deal, Weave};
use crate::cpu::colour;
use crate::cpu::simd::{Kernel, SimdLevel};
use crate::frame::PlaneGeometry;
use crate::plan::{ChromaTerms, Colour, Conversion};

/// Converts rows of the planes Y, U and V to rows of packed pixels. Channels beyond the third are left as they are.
pub struct Converter<'a> {
    simd: SimdLevel,
    conversion: &'a Conversion,
    narrow: Option<Narrow>,
    picture: Picture,
    planes: Vec<PlaneGeometry>,
    /// Even and odd samples of Y, U and V.
    samples: [Vec<u8>; 4],
    /// R, G and B of even and of odd pixels.
    pixels: [[Vec<u8>; 3]; 2],
    /// R, G and B of a row.
    rows: [Vec<u8>; 3],
}

impl<'a> Converter<'a> {
    /// For pictures like `picture`.
    pub fn new(simd: SimdLevel, conversion: &'a Conversion, picture: Picture) -> Self {
        let Picture { width, channels, .. } = picture;
        let plane = |offset| PlaneGeometry { width, height: 1, offset, step: channels, base: 0 };
        let (columns, _) = picture.block();
        let padded = || vec![0; width.div_ceil(columns).next_multiple_of(CHUNK)];
        Self {
            simd,
            conversion,
            narrow: Narrow::of(conversion),
            picture,
            planes: (0..3).map(plane).collect(),
            samples: std::array::from_fn(|_| padded()),
            pixels: std::array::from_fn(|_| std::array::from_fn(|_| padded())),
            rows: std::array::from_fn(|_| vec![0; width]),
        }
    }

    /// Converts the rows of `y`, which begin with a row that has chroma of its own.
    pub fn convert(&mut self, y: &[u8], u: &[u8], v: &[u8], raw: &mut [u8]) {
        let Picture { width, channels, blue_first, .. } = self.picture;
        let (columns, rows) = self.picture.block();
        let blocks = width.div_ceil(columns);
        let raw_rows = raw.chunks_exact_mut(width * channels);
        for (at, (y, raw)) in y.chunks_exact(width).zip(raw_rows).enumerate() {
            let [even, odd, of_u, of_v] = &mut self.samples;
            if at % rows == 0 {
                let first = at / rows * blocks;
                of_u[..blocks].copy_from_slice(&u[first..first + blocks]);
                of_v[..blocks].copy_from_slice(&v[first..first + blocks]);
            }
            if columns == 2 {
                self.simd.run(Deal { row: y, even: &mut even[..width / 2], odd: &mut odd[..width / 2] });
                if width % 2 != 0 {
                    even[blocks - 1] = y[width - 1];
                }
            } else {
                even[..width].copy_from_slice(y);
            }
            let luma: &[&Vec<u8>] = if columns == 2 { &[even, odd] } else { &[even] };
            self.simd.run(Convert {
                conversion: self.conversion,
                narrow: self.narrow,
                luma,
                u: of_u,
                v: of_v,
                pixels: &mut self.pixels,
            });
            let [even, odd] = &self.pixels;
            for (row, (even, odd)) in self.rows.iter_mut().zip(even.iter().zip(odd)) {
                if columns == 2 {
                    self.simd.run(Weave { even, odd, row });
                } else {
                    row.copy_from_slice(&even[..width]);
                }
            }
            let [red, green, blue] = &self.rows;
            let (first, third) = if blue_first { (blue, red) } else { (red, blue) };
            colour::inverse::<u8>(self.simd, Colour::None, &self.planes, &[first, green, third], raw);
        }
    }
}

/// A row of blocks.
struct Convert<'a> {
    conversion: &'a Conversion,
    narrow: Option<Narrow>,
    /// Y of even pixels, and of odd ones where two share chroma.
    luma: &'a [&'a Vec<u8>],
    u: &'a [u8],
    v: &'a [u8],
    pixels: &'a mut [[Vec<u8>; 3]; 2],
}

impl Kernel for Convert<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let conversion = *self.conversion;
        let chunks = self.u.as_chunks::<CHUNK>().0.iter().zip(self.v.as_chunks::<CHUNK>().0);
        for (chunk, (u, v)) in chunks.enumerate() {
            if let Some(narrow) = self.narrow {
                let blocks = NarrowBlocks::of(&narrow, u, v);
                for (luma, pixels) in self.luma.iter().zip(self.pixels.iter_mut()) {
                    let y = &luma.as_chunks::<CHUNK>().0[chunk];
                    let pixels = pixels.each_mut().map(|channel| &mut channel.as_chunks_mut::<CHUNK>().0[chunk]);
                    narrow.convert(y, &blocks, pixels);
                }
                continue;
            }
            let [mut red, mut green, mut blue] = [[0; CHUNK]; 3];
            for at in 0..CHUNK {
                let terms = conversion.chroma(u[at].into(), v[at].into());
                ChromaTerms { red: red[at], green: green[at], blue: blue[at] } = terms;
            }
            for (luma, [r, g, b]) in self.luma.iter().zip(self.pixels.iter_mut()) {
                let y = luma.as_chunks::<CHUNK>().0[chunk];
                let [r, g, b] = [r, g, b].map(|channel| &mut channel.as_chunks_mut::<CHUNK>().0[chunk]);
                for at in 0..CHUNK {
                    let base = conversion.luma(y[at].into());
                    r[at] = conversion.channel(base, red[at]) as u8;
                    g[at] = conversion.channel(base, green[at]) as u8;
                    b[at] = conversion.channel(base, blue[at]) as u8;
                }
            }
        }
    }
}

//! Planes to packed pixels.

use super::Picture;
#[cfg(target_arch = "x86_64")]
use super::avx512;
use super::narrow::Narrow;
#[cfg(target_arch = "x86_64")]
use crate::cpu::channels;
use crate::cpu::colour;
#[cfg(target_arch = "x86_64")]
use crate::cpu::simd::Avx512Vbmi2;
use crate::cpu::simd::{Kernel, SimdLevel};
use crate::frame::PlaneGeometry;
use crate::plan::{ChromaTerms, Colour, Conversion};

/// Converts rows of the planes Y, U and V to rows of packed pixels. Channels beyond the third are left as they are.
pub struct Converter<'a> {
    simd: SimdLevel,
    conversion: &'a Conversion,
    picture: Picture,
    planes: Vec<PlaneGeometry>,
    terms: Terms,
    /// R, G and B of a row.
    rows: [Vec<u8>; 3],
}

/// What chroma adds to R, G and B of each pixel of a row.
enum Terms {
    /// In 16 bits, for the loops of instructions that this proves.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512Vbmi2, Narrow, Vec<avx512::Terms>),
    /// In 16 bits.
    Narrow(Narrow, [Vec<i16>; 3]),
    Wide([Vec<i32>; 3]),
}

impl<'a> Converter<'a> {
    /// For pictures like `picture`.
    pub fn new(simd: SimdLevel, conversion: &'a Conversion, picture: Picture) -> Self {
        let Picture { width, channels: of_pixel, .. } = picture;
        let plane = |offset| PlaneGeometry { width, height: 1, offset, step: of_pixel, base: 0 };
        let pixels = picture.blocks() * picture.block().0;
        let terms = match Narrow::of(conversion) {
            Some(narrow) => Terms::Narrow(narrow, std::array::from_fn(|_| vec![0; pixels])),
            None => Terms::Wide(std::array::from_fn(|_| vec![0; pixels])),
        };
        #[cfg(target_arch = "x86_64")]
        let terms = match (simd.avx512_vbmi2(), terms) {
            (Some(proof), Terms::Narrow(narrow, _)) if of_pixel == 3 => {
                Terms::Avx512(proof, narrow, vec![bytemuck::Zeroable::zeroed(); width.div_ceil(channels::CHUNK)])
            }
            (_, terms) => terms,
        };
        Self {
            simd,
            conversion,
            picture,
            planes: (0..3).map(plane).collect(),
            terms,
            rows: std::array::from_fn(|_| vec![0; width]),
        }
    }

    /// Converts the rows of `y`, which begin with a row that has chroma of its own.
    pub fn convert(&mut self, y: &[u8], u: &[u8], v: &[u8], raw: &mut [u8]) {
        let Picture { width, channels, .. } = self.picture;
        let (blocks, (_, rows)) = (self.picture.blocks(), self.picture.block());
        let chroma = u.chunks_exact(blocks).zip(v.chunks_exact(blocks));
        for ((y, raw), (u, v)) in y.chunks(rows * width).zip(raw.chunks_mut(rows * width * channels)).zip(chroma) {
            self.take_chroma(u, v);
            for (y, raw) in y.chunks_exact(width).zip(raw.chunks_exact_mut(width * channels)) {
                self.convert_row(y, raw);
            }
        }
    }

    /// Takes the chroma of the rows that come next.
    pub fn take_chroma(&mut self, u: &[u8], v: &[u8]) {
        let columns = self.picture.block().0;
        match &mut self.terms {
            #[cfg(target_arch = "x86_64")]
            Terms::Avx512(proof, narrow, terms) => avx512::terms(*proof, narrow, columns, [u, v], terms),
            Terms::Narrow(narrow, terms) => {
                let narrow = *narrow;
                self.simd.run(Spread { columns, u, v, terms, of: move |u, v| narrow.chroma(u, v) });
            }
            Terms::Wide(terms) => {
                let conversion = *self.conversion;
                let of = move |u: u8, v: u8| {
                    let ChromaTerms { red, green, blue } = conversion.chroma(u.into(), v.into());
                    [red, green, blue]
                };
                self.simd.run(Spread { columns, u, v, terms, of });
            }
        }
    }

    /// Converts a row of Y.
    pub fn convert_row(&mut self, y: &[u8], raw: &mut [u8]) {
        match &self.terms {
            #[cfg(target_arch = "x86_64")]
            Terms::Avx512(proof, narrow, terms) => {
                return avx512::convert(*proof, narrow, self.picture.blue_first, y, terms, raw);
            }
            Terms::Narrow(narrow, terms) => {
                let narrow = *narrow;
                self.simd.run(Add { y, terms, rows: &mut self.rows, of: move |y, terms| narrow.pixel(y, terms) });
            }
            Terms::Wide(terms) => {
                let conversion = *self.conversion;
                let of = move |y: u8, terms: [i32; 3]| {
                    let base = conversion.luma(y.into());
                    terms.map(|term| conversion.channel(base, term) as u8)
                };
                self.simd.run(Add { y, terms, rows: &mut self.rows, of });
            }
        }
        let [red, green, blue] = &self.rows;
        let (first, third) = if self.picture.blue_first { (blue, red) } else { (red, blue) };
        colour::inverse::<u8>(self.simd, Colour::None, &self.planes, &[first, green, third], raw);
    }
}

/// A row of chroma to the terms of each pixel.
struct Spread<'a, T, F> {
    columns: usize,
    u: &'a [u8],
    v: &'a [u8],
    terms: &'a mut [Vec<T>; 3],
    of: F,
}

impl<T: Copy, F: Fn(u8, u8) -> [T; 3]> Kernel for Spread<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { columns, u, v, terms: [red, green, blue], of } = self;
        let chroma = u.iter().zip(v);
        if columns == 2 {
            let [red, green, blue] = [red, green, blue].map(|terms| terms.as_chunks_mut::<2>().0);
            for ((((&u, &v), red), green), blue) in chroma.zip(red).zip(green).zip(blue) {
                let [r, g, b] = of(u, v);
                (*red, *green, *blue) = ([r; 2], [g; 2], [b; 2]);
            }
            return;
        }
        for ((((&u, &v), red), green), blue) in chroma.zip(red).zip(green).zip(blue) {
            [*red, *green, *blue] = of(u, v);
        }
    }
}

/// A row of Y and terms to R, G and B.
struct Add<'a, T, F> {
    y: &'a [u8],
    terms: &'a [Vec<T>; 3],
    rows: &'a mut [Vec<u8>; 3],
    of: F,
}

impl<T: Copy, F: Fn(u8, [T; 3]) -> [u8; 3]> Kernel for Add<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { y, terms: [red, green, blue], rows: [r, g, b], of } = self;
        let terms = red.iter().zip(green).zip(blue);
        for (((&y, ((&red, &green), &blue)), r), (g, b)) in y.iter().zip(terms).zip(r).zip(g.iter_mut().zip(b)) {
            [*r, *g, *b] = of(y, [red, green, blue]);
        }
    }
}

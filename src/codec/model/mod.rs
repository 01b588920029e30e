//! A sequential adaptive model for planes of frames, strip by strip: the smallest files, at the speed of FFV1.
//!
//! Every sample is predicted from its neighbours above and to the left, from the frame before and from the
//! residuals of the planes before, by weights that learn as they go; its residual is coded with probabilities
//! that adapt in two contexts. What repeats (blocks like the frame before, cells of repeated chroma, flat
//! surroundings) is coded by a bit at most. All of it is integer arithmetic, and a decoder does the same
//! in the same order, so a strip takes one thread as long to decode as to encode. Strips know
//! nothing of each other: a picture is cut into strips of rows to use several threads.
//!
//! | part | from |
//! |---|---|
//! | prediction (`run`) | normalised least mean squares: B. Widrow and M. Hoff, 1960; J. Nagumo and A. Noda, 1967 |
//! | mean of two predictions by their recent errors (`run`) | "blending" of TMW, B. Meyer and P. Tischer, 1997; the weighted predictor of JPEG XL |
//! | median and trend as contexts (`run`) | LOCO-I: M. Weinberger, G. Seroussi and G. Sapiro, 2000 |
//! | energy of residuals as context (`run`) | CALIC: X. Wu and N. Memon, 1997 |
//! | cumulative frequencies that adapt (`adaptive`) | the symbol coder of AV1 |
//! | rANS (`rans`) | J. Duda, 2013 |
//!
//! A plane of few values is coded in patterns of equal neighbours instead (`terraces`), if it is the only one.

mod adaptive;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
pub(in crate::codec) mod bytes;
mod cells;
mod lanes;
mod picture;
mod rans;
mod run;
mod sides;
mod strip;
mod terraces;
#[cfg(test)]
mod tests;
pub mod vectors;

use self::lanes::{Lanes, Portable};
use self::rans::{Coder, Decoder, Encoder};
use self::strip::{Form, Strip};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// A sample that the model can code: `u8` or `u16`.
pub trait Sample: Copy + Default + Send + Sync {
    /// Bits of the type.
    const BITS: u32;
    /// The same number.
    fn widen(self) -> u16;
    /// The same number, if it fits.
    fn narrow(sample: u16) -> Self;
}

impl Sample for u8 {
    const BITS: u32 = 8;

    #[inline(always)]
    fn widen(self) -> u16 {
        u16::from(self)
    }

    #[inline(always)]
    fn narrow(sample: u16) -> Self {
        sample as u8
    }
}

impl Sample for u16 {
    const BITS: u32 = 16;

    #[inline(always)]
    fn widen(self) -> u16 {
        self
    }

    #[inline(always)]
    fn narrow(sample: u16) -> Self {
        sample
    }
}

/// Size of a plane's part of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Samples of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// One plane of a strip to encode: `size.height` whole rows of each frame.
#[derive(Clone, Copy)]
pub struct Plane<'a, S> {
    /// Its size.
    pub size: Size,
    /// From the first row of the strip in the first frame.
    pub samples: &'a [S],
    /// Samples from the beginning of a frame to that of the next.
    pub frame_stride: usize,
}

impl<S: Sample> Plane<'_, S> {
    fn row(&self, frame: usize, y: usize) -> &[S] {
        &self.samples[frame * self.frame_stride + y * self.size.width..][..self.size.width]
    }
}

/// A strip that is encoded frame by frame.
///
/// A plane is predicted with what is known of the two planes before it: the one that says most about the
/// others comes first (green before differences from green, luma before chroma).
pub struct Encoding {
    simd: SimdLevel,
    form: Form,
    strip: Strip,
    encoder: Encoder,
}

impl Encoding {
    /// Of `frames` frames of each of `planes`, in that order.
    ///
    /// # Panics
    /// If a plane has fewer samples than its size says.
    pub fn new<S: Sample>(simd: SimdLevel, frames: usize, planes: &[Plane<'_, S>]) -> Self {
        let mut form = strip::choose(frames, planes);
        if frames > 0 {
            // Whether the four phases of a sample's place differ, and whether there are terraces, shows when a part is
            // coded each way.
            let part: Vec<_> = planes.iter().map(|&plane| strip::middle(plane)).collect();
            let bytes = |form: &Form| {
                let mut encoding = Self::with_form(simd, form.clone(), &part);
                (0..frames.min(2)).for_each(|frame| encoding.encode(frame, &part, None));
                encoding.finish().len()
            };
            let mut forms = vec![form.clone(), form.with_phases()];
            if planes.len() == 1 {
                forms.push(form.with_terraces());
            }
            form = forms.into_iter().min_by_key(bytes).unwrap_or(form);
        }
        Self::with_form(simd, form, planes)
    }

    fn with_form<S>(simd: SimdLevel, form: Form, planes: &[Plane<'_, S>]) -> Self {
        let sizes: Vec<Size> = planes.iter().map(|plane| plane.size).collect();
        Self { simd, strip: Strip::new(&sizes, &form), form, encoder: Encoder::default() }
    }

    /// Encodes frame `frame` of `planes`, which follows the one encoded before; `expected` is what is expected of it, of
    /// the same sizes, if that is not the frame before.
    ///
    /// # Panics
    /// If a plane has fewer samples than its size says.
    pub fn encode<S: Sample>(&mut self, frame: usize, planes: &[Plane<'_, S>], expected: Option<&[&[S]]>) {
        let form = &self.form;
        let mut exchange = |plane: usize, samples: &mut [u16]| {
            let (centre, of) = (form.centre(plane), &planes[plane]);
            for (y, to) in samples.chunks_exact_mut(of.size.width).enumerate() {
                fill(to, of.row(frame, y), centre);
            }
        };
        let mut expect = expected.map(|expected| {
            move |plane: usize, samples: &mut [u16]| fill(samples, expected[plane], form.centre(plane))
        });
        let expect = expect.as_mut().map(|expect| expect as Exchange<'_>);
        run(self.simd, &mut self.encoder, &mut self.strip, &mut exchange, expect);
    }

    /// The coded strip.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.form.write(&mut out);
        self.encoder.finish(&mut out);
        out
    }
}

fn fill<S: Sample>(to: &mut [u16], samples: &[S], centre: u16) {
    for (to, &sample) in to.iter_mut().zip(samples) {
        *to = sample.widen() ^ centre;
    }
}

/// A strip that is decoded frame by frame.
pub struct Decoding<'a> {
    simd: SimdLevel,
    form: Form,
    strip: Strip,
    decoder: Decoder<'a>,
}

impl<'a> Decoding<'a> {
    /// Of planes of these sizes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if `packed` does not begin as a strip of such planes does.
    pub fn new<S: Sample>(simd: SimdLevel, packed: &'a [u8], sizes: &[Size]) -> Result<Self> {
        let (form, words) = Form::read(packed, sizes, S::BITS)?;
        Ok(Self { simd, strip: Strip::new(sizes, &form), form, decoder: Decoder::new(words) })
    }

    /// Decodes the next frame: `out` has one slice per plane. `expected` is what is expected of it, as when it was encoded.
    /// If the strip is not what [`Encoding`] gives, what is in `out` then is of no meaning.
    ///
    /// # Panics
    /// If a slice has not the length that its size says.
    pub fn decode<S: Sample>(&mut self, out: &mut [&mut [S]], expected: Option<&[&[S]]>) {
        // What comes after the end is made up, and long.
        if self.decoder.is_spent() {
            return;
        }
        let form = &self.form;
        let mut exchange = |plane: usize, samples: &mut [u16]| {
            let centre = form.centre(plane);
            assert_eq!(out[plane].len(), samples.len());
            for (to, &sample) in out[plane].iter_mut().zip(samples.iter()) {
                *to = S::narrow(sample ^ centre);
            }
        };
        let mut expect = expected.map(|expected| {
            move |plane: usize, samples: &mut [u16]| fill(samples, expected[plane], form.centre(plane))
        });
        let expect = expect.as_mut().map(|expect| expect as Exchange<'_>);
        run(self.simd, &mut self.decoder, &mut self.strip, &mut exchange, expect);
    }

    /// Checks that the strip ends where its last frame does.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if it does not.
    pub fn finish(self) -> Result<()> {
        if self.decoder.finish() {
            Ok(())
        } else {
            Err(Error::corrupt("model strip: its words do not end as they should"))
        }
    }
}

/// The coded strip of `frames` frames of each of `planes`, appended to `out`.
///
/// # Panics
/// As [`Encoding::new`].
pub fn encode<S: Sample>(simd: SimdLevel, frames: usize, planes: &[Plane<'_, S>], out: &mut Vec<u8>) {
    let mut encoding = Encoding::new(simd, frames, planes);
    (0..frames).for_each(|frame| encoding.encode(frame, planes, None));
    out.extend(encoding.finish());
}

/// Decodes a strip of `frames` frames of planes of these sizes: `out` has one slice per plane, of all of its
/// frames.
///
/// # Errors
/// As [`Decoding::new`] and [`Decoding::finish`]. What is in `out` then is of no meaning.
///
/// # Panics
/// If a slice has not the length that its size says.
pub fn decode<S: Sample>(
    simd: SimdLevel,
    packed: &[u8],
    frames: usize,
    sizes: &[Size],
    out: &mut [&mut [S]],
) -> Result<()> {
    assert_eq!(sizes.len(), out.len());
    let mut decoding = Decoding::new::<S>(simd, packed, sizes)?;
    for frame in 0..frames {
        let mut slices: Vec<&mut [S]> = sizes
            .iter()
            .zip(out.iter_mut())
            .map(|(size, out)| {
                let samples = size.width * size.height;
                &mut out[frame * samples..][..samples]
            })
            .collect();
        decoding.decode(&mut slices, None);
    }
    decoding.finish()
}

/// Brings a plane of a frame to where it is coded, or takes it from there.
type Exchange<'a> = &'a mut dyn FnMut(usize, &mut [u16]);

/// The coding of a frame of a strip, compiled for a SIMD level.
struct Job<'a, L, C> {
    lanes: L,
    coder: &'a mut C,
    strip: &'a mut Strip,
    exchange: Exchange<'a>,
    expect: Option<Exchange<'a>>,
}

impl<L: Lanes, C: Coder> Kernel for Job<'_, L, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.strip.code_frame(self.lanes, self.coder, self.exchange, self.expect);
    }
}

fn run<'a, C: Coder>(
    simd: SimdLevel,
    coder: &'a mut C,
    strip: &'a mut Strip,
    exchange: Exchange<'a>,
    expect: Option<Exchange<'a>>,
) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(Job { lanes, coder, strip, exchange, expect });
    }
    simd.run(Job { lanes: Portable, coder, strip, exchange, expect });
}

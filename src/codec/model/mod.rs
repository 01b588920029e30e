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
mod strip;
mod terraces;
#[cfg(test)]
mod tests;

use self::lanes::{Lanes, Portable};
use self::rans::{Coder, Decoder, Encoder};
use self::strip::Form;
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

/// Appends the coded strip to `out`: `frames` frames of each of `planes`, in that order.
///
/// A plane is predicted with what is known of the two planes before it: the one that says most about the
/// others comes first (green before differences from green, luma before chroma).
///
/// # Panics
/// If a plane has fewer samples than its size says.
pub fn encode<S: Sample>(simd: SimdLevel, frames: usize, planes: &[Plane<'_, S>], out: &mut Vec<u8>) {
    let mut form = strip::choose(frames, planes);
    if frames > 0 {
        // Whether the four phases of a sample's place differ, and whether there are terraces, shows when a part is
        // coded each way.
        let part: Vec<_> = planes.iter().map(|&plane| strip::middle(plane)).collect();
        let bytes = |form: &Form| {
            let mut packed = Vec::new();
            run_encoder(simd, frames.min(2), &part, form, &mut packed);
            packed.len()
        };
        let mut forms = vec![form.clone(), form.with_phases()];
        if planes.len() == 1 {
            forms.push(form.with_terraces());
        }
        form = forms.into_iter().min_by_key(bytes).unwrap_or(form);
    }
    form.write(out);
    run_encoder(simd, frames, planes, &form, out);
}

fn run_encoder<S: Sample>(simd: SimdLevel, frames: usize, planes: &[Plane<'_, S>], form: &Form, out: &mut Vec<u8>) {
    let sizes: Vec<Size> = planes.iter().map(|plane| plane.size).collect();
    let mut encoder = Encoder::default();
    let mut fill = |frame: usize, plane: usize, samples: &mut [u16]| {
        let (plane, centre) = (&planes[plane], form.centre(plane));
        for (y, to) in samples.chunks_exact_mut(plane.size.width).enumerate() {
            for (to, &sample) in to.iter_mut().zip(plane.row(frame, y)) {
                *to = sample.widen() ^ centre;
            }
        }
    };
    run(simd, &mut encoder, frames, &sizes, form, &mut fill);
    encoder.finish(out);
}

/// Decodes a strip of `frames` frames of planes of these sizes: `out` has one slice per plane, of all of its
/// frames.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if `packed` is not what `encode` gives for such
/// a strip. What is in `out` then is of no meaning.
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
    for (size, samples) in sizes.iter().zip(out.iter()) {
        assert_eq!(size.width * size.height * frames, samples.len());
    }
    let (form, words) = Form::read(packed, sizes, S::BITS)?;
    let mut decoder = Decoder::new(words);
    let mut drain = |frame: usize, plane: usize, samples: &mut [u16]| {
        let centre = form.centre(plane);
        let to = &mut out[plane][frame * samples.len()..][..samples.len()];
        for (to, &sample) in to.iter_mut().zip(samples.iter()) {
            *to = S::narrow(sample ^ centre);
        }
    };
    run(simd, &mut decoder, frames, sizes, &form, &mut drain);
    if decoder.finish() { Ok(()) } else { Err(Error::corrupt("model strip: its words do not end as they should")) }
}

/// Brings a frame of a plane to where it is coded, or takes it from there.
type Exchange<'a> = &'a mut dyn FnMut(usize, usize, &mut [u16]);

/// The coding of a strip, compiled for a SIMD level.
struct Job<'a, L, C> {
    lanes: L,
    coder: &'a mut C,
    frames: usize,
    sizes: &'a [Size],
    form: &'a Form,
    exchange: Exchange<'a>,
}

impl<L: Lanes, C: Coder> Kernel for Job<'_, L, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        strip::code(self.lanes, self.coder, self.frames, self.sizes, self.form, self.exchange);
    }
}

fn run<C: Coder>(simd: SimdLevel, coder: &mut C, frames: usize, sizes: &[Size], form: &Form, exchange: Exchange<'_>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = simd.avx2() {
        return simd.run(Job { lanes, coder, frames, sizes, form, exchange });
    }
    simd.run(Job { lanes: Portable, coder, frames, sizes, form, exchange });
}

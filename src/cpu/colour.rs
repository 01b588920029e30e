//! **What**: raw frames to planes, with a reversible colour transform.
//!
//! **Forward**: sample `i` of a plane is sample `offset + i * step` of the raw frame. With
//! subtract-green, planes 0 and 2 become their difference from plane 1, modulo the sample's range
//! (the RCT of lossless JPEG successors without its halving; PNG-MNG's "subtract green").
//!
//! **Inverse**: adds plane 1 back and interleaves.
//!
//! **Wire parameters**: one id per batch ([`Colour`]).
//!
//! **Twin**: `shaders/colour.wgsl`.

#[cfg(target_arch = "x86_64")]
use super::channels;
use super::sample::Sample;
use super::simd::{Kernel, SimdLevel};
use crate::frame::PlaneGeometry;
use crate::plan::Colour;

/// Most planes that are taken apart or put together in one go.
const MOST_TURNS: usize = 4;

/// How many planes, of which this is the first, have samples that take turns in the raw frame.
fn turns(first: &PlaneGeometry, planes: &[PlaneGeometry]) -> usize {
    let takes_turn =
        |(at, plane): (usize, &PlaneGeometry)| plane.step == first.step && plane.offset == first.offset + at;
    match planes.get(..first.step) {
        Some(planes) if (2..=MOST_TURNS).contains(&planes.len()) && planes.iter().enumerate().all(takes_turn) => {
            planes.len()
        }
        _ => 1,
    }
}

/// One raw frame (`raw`, little-endian bytes) to one frame of each plane.
pub fn forward<T: Sample>(simd: SimdLevel, colour: Colour, planes: &[PlaneGeometry], raw: &[u8], out: &mut [&mut [T]]) {
    let mut subtract_green = colour == Colour::SubtractGreen;
    let mut done = 0;
    while let Some(plane) = planes.get(done) {
        let turns = turns(plane, &planes[done..]);
        let raw = &raw[raw.len().min(plane.offset * T::BYTES)..];
        match &mut out[done..done + turns] {
            [p0, p1] => simd.run(SplitTurns { raw, subtract_green: false, planes: [p0, p1] }),
            [p0, p1, p2] => split_pixels(simd, subtract_green, raw, [p0, p1, p2]),
            [p0, p1, p2, p3] => simd.run(SplitTurns { raw, subtract_green, planes: [p0, p1, p2, p3] }),
            [samples] => simd.run(Split { raw, step: plane.step, samples }),
            _ => {}
        }
        done += turns;
        // Pixels are subtracted from as they are taken apart.
        subtract_green &= turns < 3;
    }
    if let (true, [p0, p1, p2, ..]) = (subtract_green, out) {
        for difference in [p0, p2] {
            simd.run(Subtract { samples: difference, green: p1 });
        }
    }
}

/// The same of pixels of three samples.
fn split_pixels<T: Sample>(simd: SimdLevel, subtract_green: bool, raw: &[u8], planes: [&mut [T]; 3]) {
    #[cfg(target_arch = "x86_64")]
    if let (Some(proof), 1) = (simd.avx512_vbmi2(), T::BYTES) {
        return channels::split(proof, subtract_green, raw, planes.map(|plane| bytemuck::cast_slice_mut(plane)));
    }
    let [p0, p1, p2] = planes;
    simd.run(Split3 { raw, subtract_green, p0, p1, p2 });
}

/// One frame of each plane to one raw frame.
pub fn inverse<T: Sample>(simd: SimdLevel, colour: Colour, planes: &[PlaneGeometry], input: &[&[T]], raw: &mut [u8]) {
    let add_green = colour == Colour::SubtractGreen && input.len() > 2;
    let mut done = 0;
    while let Some(plane) = planes.get(done) {
        let turns = turns(plane, &planes[done..]);
        let start = raw.len().min(plane.offset * T::BYTES);
        let raw = &mut raw[start..];
        match input[done..done + turns] {
            [p0, p1] => simd.run(JoinTurns { raw, add_green: false, planes: [p0, p1] }),
            [p0, p1, p2] => join_pixels(simd, add_green, [p0, p1, p2], raw),
            [p0, p1, p2, p3] => simd.run(JoinTurns { raw, add_green, planes: [p0, p1, p2, p3] }),
            [samples] => {
                let green = input.get(1).copied().filter(|_| add_green && (done == 0 || done == 2));
                simd.run(Join { raw, step: plane.step, samples, green });
            }
            _ => {}
        }
        done += turns;
    }
}

/// The same of pixels of three samples.
fn join_pixels<T: Sample>(simd: SimdLevel, add_green: bool, planes: [&[T]; 3], raw: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if let (Some(proof), 1) = (simd.avx512_vbmi2(), T::BYTES) {
        return channels::join(proof, add_green, planes.map(|plane| bytemuck::cast_slice(plane)), raw);
    }
    let [p0, p1, p2] = planes;
    simd.run(Join3 { raw, add_green, p0, p1, p2 });
}

struct Split3<'a, T> {
    raw: &'a [u8],
    subtract_green: bool,
    p0: &'a mut [T],
    p1: &'a mut [T],
    p2: &'a mut [T],
}

impl<T: Sample> Kernel for Split3<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pixels = self.raw.chunks_exact(3 * T::BYTES);
        let outputs = self.p0.iter_mut().zip(self.p1.iter_mut()).zip(self.p2.iter_mut());
        let read =
            |pixel: &[u8]| (T::read_le(pixel), T::read_le(&pixel[T::BYTES..]), T::read_le(&pixel[2 * T::BYTES..]));
        if self.subtract_green {
            for (pixel, ((p0, p1), p2)) in pixels.zip(outputs) {
                let (first, green, third) = read(pixel);
                (*p0, *p1, *p2) = (first.sub(green), green, third.sub(green));
            }
        } else {
            for (pixel, ((p0, p1), p2)) in pixels.zip(outputs) {
                (*p0, *p1, *p2) = read(pixel);
            }
        }
    }
}

struct Join3<'a, T> {
    raw: &'a mut [u8],
    add_green: bool,
    p0: &'a [T],
    p1: &'a [T],
    p2: &'a [T],
}

impl<T: Sample> Kernel for Join3<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pixels = self.raw.chunks_exact_mut(3 * T::BYTES);
        let inputs = self.p0.iter().zip(self.p1).zip(self.p2);
        let write = |pixel: &mut [u8], first: T, green: T, third: T| {
            first.write_le(pixel);
            green.write_le(&mut pixel[T::BYTES..]);
            third.write_le(&mut pixel[2 * T::BYTES..]);
        };
        if self.add_green {
            for (pixel, ((&p0, &p1), &p2)) in pixels.zip(inputs) {
                write(pixel, p0.add(p1), p1, p2.add(p1));
            }
        } else {
            for (pixel, ((&p0, &p1), &p2)) in pixels.zip(inputs) {
                write(pixel, p0, p1, p2);
            }
        }
    }
}

/// Two or four planes whose samples take turns. Three at AVX2 are a tenth quicker by iterators.
struct SplitTurns<'a, T, const N: usize> {
    raw: &'a [u8],
    subtract_green: bool,
    planes: [&'a mut [T]; N],
}

impl<T: Sample, const N: usize> Kernel for SplitTurns<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pixels = self.raw.len() / (N * T::BYTES);
        let samples = self.planes.iter().fold(pixels, |samples, plane| samples.min(plane.len()));
        let raw = &self.raw[..samples * N * T::BYTES];
        let planes = self.planes.map(|plane| &mut plane[..samples]);
        if self.subtract_green {
            for (at, pixel) in raw.chunks_exact(N * T::BYTES).enumerate() {
                let green = T::read_le(&pixel[T::BYTES..]);
                for channel in 0..N {
                    let sample = T::read_le(&pixel[channel * T::BYTES..]);
                    planes[channel][at] = if channel == 0 || channel == 2 { sample.sub(green) } else { sample };
                }
            }
        } else {
            for (at, pixel) in raw.chunks_exact(N * T::BYTES).enumerate() {
                for channel in 0..N {
                    planes[channel][at] = T::read_le(&pixel[channel * T::BYTES..]);
                }
            }
        }
    }
}

struct JoinTurns<'a, T, const N: usize> {
    raw: &'a mut [u8],
    add_green: bool,
    planes: [&'a [T]; N],
}

impl<T: Sample, const N: usize> Kernel for JoinTurns<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pixels = self.raw.len() / (N * T::BYTES);
        let samples = self.planes.iter().fold(pixels, |samples, plane| samples.min(plane.len()));
        let raw = &mut self.raw[..samples * N * T::BYTES];
        let planes = self.planes.map(|plane| &plane[..samples]);
        if self.add_green {
            for (at, pixel) in raw.chunks_exact_mut(N * T::BYTES).enumerate() {
                for channel in 0..N {
                    let sample = planes[channel][at];
                    let sample = if channel == 0 || channel == 2 { sample.add(planes[1][at]) } else { sample };
                    sample.write_le(&mut pixel[channel * T::BYTES..]);
                }
            }
        } else {
            for (at, pixel) in raw.chunks_exact_mut(N * T::BYTES).enumerate() {
                for channel in 0..N {
                    planes[channel][at].write_le(&mut pixel[channel * T::BYTES..]);
                }
            }
        }
    }
}

struct Split<'a, T> {
    raw: &'a [u8],
    step: usize,
    samples: &'a mut [T],
}

impl<T: Sample> Kernel for Split<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // Where samples follow one another, the loop is a copy.
        if self.step == 1 {
            for (sample, bytes) in self.samples.iter_mut().zip(self.raw.chunks_exact(T::BYTES)) {
                *sample = T::read_le(bytes);
            }
            return;
        }
        for (sample, bytes) in self.samples.iter_mut().zip(self.raw.chunks(self.step * T::BYTES)) {
            *sample = T::read_le(bytes);
        }
    }
}

struct Join<'a, T> {
    raw: &'a mut [u8],
    step: usize,
    samples: &'a [T],
    /// What samples are differences from.
    green: Option<&'a [T]>,
}

impl<T: Sample> Kernel for Join<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { raw, step, samples, green } = self;
        if let Some(green) = green {
            for ((&sample, &green), bytes) in samples.iter().zip(green).zip(raw.chunks_mut(step * T::BYTES)) {
                sample.add(green).write_le(bytes);
            }
            return;
        }
        // Where samples follow one another, the loop is a copy.
        if step == 1 {
            for (&sample, bytes) in samples.iter().zip(raw.chunks_exact_mut(T::BYTES)) {
                sample.write_le(bytes);
            }
            return;
        }
        for (&sample, bytes) in samples.iter().zip(raw.chunks_mut(step * T::BYTES)) {
            sample.write_le(bytes);
        }
    }
}

struct Subtract<'a, T> {
    samples: &'a mut [T],
    green: &'a [T],
}

impl<T: Sample> Kernel for Subtract<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sample, &green) in self.samples.iter_mut().zip(self.green) {
            *sample = sample.sub(green);
        }
    }
}

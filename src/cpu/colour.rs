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

/// One raw frame (`raw`, little-endian bytes) to one frame of each plane.
pub fn forward<T: Sample>(simd: SimdLevel, colour: Colour, planes: &[PlaneGeometry], raw: &[u8], out: &mut [&mut [T]]) {
    if let [p0, p1, p2] = out
        && planes[0].step == 3
    {
        let subtract_green = colour == Colour::SubtractGreen;
        #[cfg(target_arch = "x86_64")]
        if let (Some(proof), 1) = (simd.avx512_vbmi2(), T::BYTES) {
            let channels = [p0, p1, p2].map(|plane| bytemuck::cast_slice_mut(plane));
            return channels::split(proof, subtract_green, raw, channels);
        }
        return simd.run(Split3 { raw, subtract_green, p0, p1, p2 });
    }
    for (plane, samples) in planes.iter().zip(out.iter_mut()) {
        simd.run(Split { raw, plane, samples });
    }
    if colour == Colour::SubtractGreen
        && let [p0, p1, p2, ..] = out
    {
        for difference in [p0, p2] {
            simd.run(Subtract { samples: difference, green: p1 });
        }
    }
}

/// One frame of each plane to one raw frame.
pub fn inverse<T: Sample>(simd: SimdLevel, colour: Colour, planes: &[PlaneGeometry], input: &[&[T]], raw: &mut [u8]) {
    if let [p0, p1, p2] = input
        && planes[0].step == 3
    {
        let add_green = colour == Colour::SubtractGreen;
        #[cfg(target_arch = "x86_64")]
        if let (Some(proof), 1) = (simd.avx512_vbmi2(), T::BYTES) {
            return channels::join(proof, add_green, [p0, p1, p2].map(|plane| bytemuck::cast_slice(plane)), raw);
        }
        return simd.run(Join3 { raw, add_green, p0, p1, p2 });
    }
    let green = input.get(1).copied().filter(|_| colour == Colour::SubtractGreen && input.len() > 2);
    for (at, (plane, samples)) in planes.iter().zip(input).enumerate() {
        let green = green.filter(|_| at == 0 || at == 2);
        simd.run(Join { raw, plane, samples, green });
    }
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

struct Split<'a, T> {
    raw: &'a [u8],
    plane: &'a PlaneGeometry,
    samples: &'a mut [T],
}

impl<T: Sample> Kernel for Split<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let start = self.raw.len().min(self.plane.offset * T::BYTES);
        // Where samples follow one another, the loop is a copy.
        if self.plane.step == 1 {
            for (sample, bytes) in self.samples.iter_mut().zip(self.raw[start..].chunks_exact(T::BYTES)) {
                *sample = T::read_le(bytes);
            }
            return;
        }
        for (sample, bytes) in self.samples.iter_mut().zip(self.raw[start..].chunks(self.plane.step * T::BYTES)) {
            *sample = T::read_le(bytes);
        }
    }
}

struct Join<'a, T> {
    raw: &'a mut [u8],
    plane: &'a PlaneGeometry,
    samples: &'a [T],
    /// What samples are differences from.
    green: Option<&'a [T]>,
}

impl<T: Sample> Kernel for Join<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { raw, plane, samples, green } = self;
        let start = raw.len().min(plane.offset * T::BYTES);
        let raw = &mut raw[start..];
        if let Some(green) = green {
            for ((&sample, &green), bytes) in samples.iter().zip(green).zip(raw.chunks_mut(plane.step * T::BYTES)) {
                sample.add(green).write_le(bytes);
            }
            return;
        }
        // Where samples follow one another, the loop is a copy.
        if plane.step == 1 {
            for (&sample, bytes) in samples.iter().zip(raw.chunks_exact_mut(T::BYTES)) {
                sample.write_le(bytes);
            }
            return;
        }
        for (&sample, bytes) in samples.iter().zip(raw.chunks_mut(plane.step * T::BYTES)) {
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

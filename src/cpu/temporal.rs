//! **What**: differences of a plane from the same plane one frame before.
//!
//! **Forward**: current minus previous, modulo the sample's range.
//!
//! **Inverse**: a running sum over the frames.
//!
//! **Wire parameters**: one flag per plane ([`PlanePlan::temporal`](crate::plan::PlanePlan)).
//!
//! **Twin**: `shaders/temporal.wgsl`.

use super::sample::Sample;
use super::simd::{Kernel, SimdLevel};

/// Differences of `current` from `previous`. All slices have one length.
pub fn forward<T: Sample>(simd: SimdLevel, current: &[T], previous: &[T], out: &mut [T]) {
    simd.run(Forward { current, previous, out });
}

/// Turns `differences` from `previous` into samples.
pub fn inverse<T: Sample>(simd: SimdLevel, differences: &mut [T], previous: &[T]) {
    simd.run(Inverse { differences, previous });
}

struct Forward<'a, T> {
    current: &'a [T],
    previous: &'a [T],
    out: &'a mut [T],
}

impl<T: Sample> Kernel for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &current), &previous) in self.out.iter_mut().zip(self.current).zip(self.previous) {
            *out = current.sub(previous);
        }
    }
}

struct Inverse<'a, T> {
    differences: &'a mut [T],
    previous: &'a [T],
}

impl<T: Sample> Kernel for Inverse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sample, &previous) in self.differences.iter_mut().zip(self.previous) {
            *sample = sample.add(previous);
        }
    }
}

//! **What**: residuals of a spatial predictor within one frame of a plane.
//!
//! **Forward**: sample minus prediction from the neighbours left, up and up-left (0 outside the
//! plane), modulo the sample's range, then zigzag: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... so that
//! high bytes and bits of small residuals are 0. The median is LOCO-I's (Weinberger, Seroussi,
//! Sapiro, "The LOCO-I lossless image compression algorithm", 2000; ITU-T T.87), written as
//! a + b - clamp(c, min(a, b), max(a, b)), which needs no wider arithmetic.
//!
//! **Inverse**: row by row. Up has no dependence within a row; left and gradient are running sums;
//! average and median are recurrences.
//!
//! **Wire parameters**: a predictor for the first frame and one for the others, per plane
//! ([`Predictor`]). Residuals are zigzag-mapped unless nothing was predicted
//! ([`stage::zigzag`](crate::stage)).
//!
//! **Twin**: `shaders/predict.wgsl`.

use std::marker::PhantomData;

use super::sample::{Comparison, Sample, Unsigned, with_order};
use super::simd::{Kernel, SimdLevel};
use crate::plan::Predictor;
use crate::stage::Order;

/// How one frame of a plane is predicted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prediction {
    pub predictor: Predictor,
    pub order: Order,
    pub zigzag: bool,
    pub width: usize,
}

/// Residuals of `samples`, rows of `prediction.width`. Both slices have one length, a multiple of
/// the width.
pub(crate) fn forward<T: Sample>(simd: SimdLevel, prediction: Prediction, samples: &[T], out: &mut [T]) {
    let width = prediction.width;
    if width == 0 {
        return;
    }
    let zeros = vec![T::ZERO; width];
    let mut above: &[T] = &zeros;
    for (row, out) in samples.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let kernel = ForwardRow { row, above, out, zigzag: prediction.zigzag };
        forward_row(simd, prediction, kernel);
        above = row;
    }
}

/// Turns residuals into samples in place.
pub(crate) fn inverse<T: Sample>(simd: SimdLevel, prediction: Prediction, residuals: &mut [T]) {
    let width = prediction.width;
    if width == 0 {
        return;
    }
    let zeros = vec![T::ZERO; width];
    let mut above: &[T] = &zeros;
    for row in residuals.chunks_exact_mut(width) {
        if prediction.zigzag {
            simd.run(Unzigzag { row });
        }
        inverse_row(simd, prediction, row, above);
        above = row;
    }
}

/// A prediction from left (a), up (b) and up-left (c).
trait Rule: Copy {
    fn predict<T: Sample, C: Comparison>(a: T, b: T, c: T) -> T;
}

macro_rules! rules {
    ($($name:ident: |$C:ident, $a:ident, $b:ident, $c:ident| $prediction:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;

        impl Rule for $name {
            #[inline(always)]
            #[allow(unused_variables, reason = "each rule uses some of the neighbours")]
            fn predict<T: Sample, $C: Comparison>($a: T, $b: T, $c: T) -> T {
                $prediction
            }
        }
    )*};
}

rules! {
    None: |C, a, b, c| T::ZERO;
    Left: |C, a, b, c| a;
    Up: |C, a, b, c| b;
    Average: |C, a, b, c| C::average(a, b);
    Gradient: |C, a, b, c| a.add(b).sub(c);
    Median: |C, a, b, c| a.add(b).sub(C::min(C::max(c, C::min(a, b)), C::max(a, b)));
}

struct ForwardRow<'a, T> {
    row: &'a [T],
    above: &'a [T],
    out: &'a mut [T],
    zigzag: bool,
}

fn forward_row<T: Sample>(simd: SimdLevel, prediction: Prediction, row: ForwardRow<'_, T>) {
    match prediction.predictor {
        Predictor::None => simd.run(ForwardBy::<_, Unsigned, _>(row, None, PhantomData)),
        Predictor::Left => simd.run(ForwardBy::<_, Unsigned, _>(row, Left, PhantomData)),
        Predictor::Up => simd.run(ForwardBy::<_, Unsigned, _>(row, Up, PhantomData)),
        Predictor::Gradient => simd.run(ForwardBy::<_, Unsigned, _>(row, Gradient, PhantomData)),
        Predictor::Average => {
            with_order!(prediction.order, C => simd.run(ForwardBy::<_, C, _>(row, Average, PhantomData)))
        }
        Predictor::Median => {
            with_order!(prediction.order, C => simd.run(ForwardBy::<_, C, _>(row, Median, PhantomData)))
        }
    }
}

struct ForwardBy<'a, T, C, R>(ForwardRow<'a, T>, R, PhantomData<C>);

impl<T: Sample, C: Comparison, R: Rule> Kernel for ForwardBy<'_, T, C, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        if self.0.zigzag { self.by(T::zigzag) } else { self.by(|residual| residual) }
    }
}

impl<T: Sample, C: Comparison, R: Rule> ForwardBy<'_, T, C, R> {
    #[inline(always)]
    fn by(self, map: impl Fn(T) -> T) {
        let ForwardRow { row, above, out, .. } = self.0;
        let (Some((&first, ahead)), Some((&up, up_ahead)), Some((first_out, out))) =
            (row.split_first(), above.split_first(), out.split_first_mut())
        else {
            return;
        };
        *first_out = map(first.sub(R::predict::<T, C>(T::ZERO, up, T::ZERO)));
        let neighbours = row.iter().zip(up_ahead).zip(above);
        for ((out, &sample), ((&a, &b), &c)) in out.iter_mut().zip(ahead).zip(neighbours) {
            *out = map(sample.sub(R::predict::<T, C>(a, b, c)));
        }
    }
}

struct Unzigzag<'a, T> {
    row: &'a mut [T],
}

impl<T: Sample> Kernel for Unzigzag<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for residual in self.row {
            *residual = residual.unzigzag();
        }
    }
}

fn inverse_row<T: Sample>(simd: SimdLevel, prediction: Prediction, row: &mut [T], above: &[T]) {
    match prediction.predictor {
        Predictor::None => {}
        Predictor::Left => {
            row.iter_mut().fold(T::ZERO, |left, sample| {
                *sample = sample.add(left);
                *sample
            });
        }
        Predictor::Up => simd.run(AddRow { row, above }),
        Predictor::Gradient => {
            // With e = x - b the prediction a + b - c is a running sum: e = e(left) + residual.
            row.iter_mut().fold(T::ZERO, |left, sample| {
                *sample = sample.add(left);
                *sample
            });
            simd.run(AddRow { row, above });
        }
        Predictor::Average => with_order!(prediction.order, C => recurrence::<T, C, _>(row, above, Average)),
        Predictor::Median => with_order!(prediction.order, C => recurrence::<T, C, _>(row, above, Median)),
    }
}

struct AddRow<'a, T> {
    row: &'a mut [T],
    above: &'a [T],
}

impl<T: Sample> Kernel for AddRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sample, &above) in self.row.iter_mut().zip(self.above) {
            *sample = sample.add(above);
        }
    }
}

fn recurrence<T: Sample, C: Comparison, R: Rule>(row: &mut [T], above: &[T], _rule: R) {
    let (mut a, mut c) = (T::ZERO, T::ZERO);
    for (sample, &b) in row.iter_mut().zip(above) {
        a = sample.add(R::predict::<T, C>(a, b, c));
        *sample = a;
        c = b;
    }
}

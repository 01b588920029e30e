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
    for rows in residuals.chunks_mut(WAVEFRONT_ROWS * width) {
        if prediction.zigzag {
            simd.run(Unzigzag { residuals: rows });
        }
        inverse_rows(simd, prediction, rows, above);
        above = &rows[rows.len() - width..];
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
    residuals: &'a mut [T],
}

impl<T: Sample> Kernel for Unzigzag<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for residual in self.residuals {
            *residual = residual.unzigzag();
        }
    }
}

/// Rows of a wavefront: row `k` is `k` samples behind row 0, so that the rows of a step do not wait
/// for one another.
const WAVEFRONT_ROWS: usize = 8;

/// Inverts up to [`WAVEFRONT_ROWS`] rows.
fn inverse_rows<'a, T: Sample>(simd: SimdLevel, prediction: Prediction, rows: &'a mut [T], mut above: &'a [T]) {
    let width = prediction.width;
    match prediction.predictor {
        Predictor::None => {}
        Predictor::Left => rows.chunks_exact_mut(width).for_each(running_sum),
        Predictor::Up => {
            for row in rows.chunks_exact_mut(width) {
                simd.run(AddRow { row, above });
                above = row;
            }
        }
        Predictor::Gradient => {
            for row in rows.chunks_exact_mut(width) {
                // x - b = (a - c) + residual: a running sum.
                running_sum(row);
                simd.run(AddRow { row, above });
                above = row;
            }
        }
        Predictor::Average => {
            with_order!(prediction.order, C => simd.run(Wavefront::<_, C, _>(rows, above, Average, PhantomData)));
        }
        Predictor::Median => {
            with_order!(prediction.order, C => simd.run(Wavefront::<_, C, _>(rows, above, Median, PhantomData)));
        }
    }
}

fn running_sum<T: Sample>(row: &mut [T]) {
    let mut sum = T::ZERO;
    for sample in row {
        sum = sum.add(*sample);
        *sample = sum;
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

/// The rows, the row above them, the rule.
struct Wavefront<'a, T, C, R>(&'a mut [T], &'a [T], R, PhantomData<C>);

impl<T: Sample, C: Comparison, R: Rule> Kernel for Wavefront<'_, T, C, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(rows, mut above, ..) = self;
        let width = above.len();
        if rows.len() == WAVEFRONT_ROWS * width && width >= WAVEFRONT_ROWS {
            return Self(rows, above, self.2, PhantomData).eight_rows();
        }
        for row in rows.chunks_exact_mut(width) {
            let (mut a, mut c) = (T::ZERO, T::ZERO);
            for (sample, &b) in row.iter_mut().zip(above) {
                a = sample.add(R::predict::<T, C>(a, b, c));
                *sample = a;
                c = b;
            }
            above = row;
        }
    }
}

impl<T: Sample, C: Comparison, R: Rule> Wavefront<'_, T, C, R> {
    #[inline(always)]
    fn eight_rows(self) {
        let Self(rows, above, ..) = self;
        let width = above.len();
        // Of each row: the sample that was last restored, and the one above it.
        let mut left = [T::ZERO; WAVEFRONT_ROWS];
        let mut up_left = [T::ZERO; WAVEFRONT_ROWS];
        for at in 0..width + WAVEFRONT_ROWS - 1 {
            let mut up = [T::ZERO; WAVEFRONT_ROWS];
            up[1..].copy_from_slice(&left[..WAVEFRONT_ROWS - 1]);
            if (WAVEFRONT_ROWS - 1..width).contains(&at) {
                up[0] = above[at];
                let mut samples = [T::ZERO; WAVEFRONT_ROWS];
                for row in 0..WAVEFRONT_ROWS {
                    samples[row] = rows[row * width + at - row];
                }
                for row in 0..WAVEFRONT_ROWS {
                    left[row] = samples[row].add(R::predict::<T, C>(left[row], up[row], up_left[row]));
                }
                for row in 0..WAVEFRONT_ROWS {
                    rows[row * width + at - row] = left[row];
                }
                up_left = up;
            } else {
                // The corners: rows that have not begun or have ended keep their neighbours.
                up[0] = above.get(at).copied().unwrap_or(T::ZERO);
                for row in (at + 1).saturating_sub(width)..WAVEFRONT_ROWS.min(at + 1) {
                    let sample = &mut rows[row * width + at - row];
                    left[row] = sample.add(R::predict::<T, C>(left[row], up[row], up_left[row]));
                    *sample = left[row];
                    up_left[row] = up[row];
                }
            }
        }
    }
}

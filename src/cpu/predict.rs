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
    for rows in residuals.chunks_mut(lanes::<T>() * width) {
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

/// 64-bit words of a wavefront's vectors.
const WORDS: usize = 4;

/// Rows of a wavefront, one lane each: row `k` is `k` samples behind row 0, so that the rows of a
/// step do not wait for one another.
const fn lanes<T: Sample>() -> usize {
    WORDS * per_word::<T>()
}

/// Samples of a word, and steps of a tile.
const fn per_word<T: Sample>() -> usize {
    8 / T::BYTES
}

/// Inverts up to [`lanes`] rows.
fn inverse_rows<'a, T: Sample>(simd: SimdLevel, prediction: Prediction, rows: &'a mut [T], mut above: &'a [T]) {
    let width = prediction.width;
    // The wavefront takes the time of all its rows, whether they are there or not.
    let few = rows.len() / width < lanes::<T>() / 4;
    match prediction.predictor {
        Predictor::None => {}
        Predictor::Left if few => rows.chunks_exact_mut(width).for_each(running_sum),
        Predictor::Left => simd.run(Wavefront::<_, Unsigned, _>(rows, above, Left, PhantomData)),
        Predictor::Up => {
            for row in rows.chunks_exact_mut(width) {
                simd.run(AddRow { row, above });
                above = row;
            }
        }
        Predictor::Gradient if few => {
            for row in rows.chunks_exact_mut(width) {
                // x - b = (a - c) + residual: a running sum.
                running_sum(row);
                simd.run(AddRow { row, above });
                above = row;
            }
        }
        Predictor::Gradient => simd.run(Wavefront::<_, Unsigned, _>(rows, above, Gradient, PhantomData)),
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
        let Self(rows, above, ..) = self;
        let width = above.len();
        let height = rows.len() / width;
        // Of each row: the sample that was last restored, and the one above it. Samples outside the
        // picture need no care: those before a row come out as 0, those behind it reach no row.
        let mut left = Vector::default();
        let mut up_left = Vector::default();
        for start in (0..width + height - 1).step_by(per_word::<T>()) {
            let inside = height == lanes::<T>() && start + 1 >= height && start + per_word::<T>() <= width;
            let mut tile = if inside { load(rows, width, start) } else { load_clipped(rows, width, start) };
            let mut aboves = above.get(start..start + per_word::<T>()).map_or_else(|| {
                let mut word = 0;
                let rest = above.get(start..).unwrap_or_default();
                bytemuck::cast_slice_mut::<u64, T>(std::slice::from_mut(&mut word))[..rest.len()].copy_from_slice(rest);
                word
            }, word_of);
            transpose::<T>(&mut tile);
            for residuals in &mut tile[..per_word::<T>()] {
                let up = shifted::<T>(&left, aboves);
                aboves = aboves.checked_shr(8 * T::BYTES as u32).unwrap_or(0);
                let neighbours = up.lanes::<T>().iter().zip(up_left.lanes::<T>());
                for ((a, &residual), (&b, &c)) in left.lanes_mut::<T>().iter_mut().zip(residuals.lanes::<T>()).zip(neighbours) {
                    *a = residual.add(R::predict::<T, C>(*a, b, c));
                }
                *residuals = left;
                up_left = up;
            }
            transpose::<T>(&mut tile);
            if inside { store(rows, width, start, &tile) } else { store_clipped(rows, width, start, &tile) }
        }
    }
}

/// One sample of each row.
#[derive(Clone, Copy, Default)]
struct Vector([u64; WORDS]);

impl Vector {
    #[inline(always)]
    fn lanes<T: Sample>(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }

    #[inline(always)]
    fn lanes_mut<T: Sample>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// As many vectors as a word has samples; the others are not used.
type Tile = [Vector; 8];

/// The vector whose first lane is the first sample of `first` and whose others are each one lane
/// further than in `vector`.
#[inline(always)]
fn shifted<T: Sample>(vector: &Vector, first: u64) -> Vector {
    let bits = 8 * T::BYTES as u32;
    let mut shifted = Vector::default();
    for word in 0..WORDS {
        let carry = if word == 0 { first << (64 - bits) } else { vector.0[word - 1] };
        shifted.0[word] = if bits == 64 { carry } else { (vector.0[word] << (bits % 64)) | (carry >> (64 - bits)) };
    }
    shifted
}

#[inline(always)]
fn word_of<T: Sample>(samples: &[T]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytemuck::cast_slice(samples));
    u64::from_le_bytes(word)
}

/// Word `word` of vector `k` has the samples of row `k + word * per_word` from step `start` on:
/// transposed, vector `k` has those of step `start + k`.
#[inline(always)]
fn load<T: Sample>(rows: &[T], width: usize, start: usize) -> Tile {
    let n = per_word::<T>();
    let mut tile = Tile::default();
    for word in 0..WORDS {
        for k in 0..n {
            let row = k + word * n;
            tile[k].0[word] = word_of(&rows[start + row * (width - 1)..][..n]);
        }
    }
    tile
}

#[inline(always)]
fn store<T: Sample>(rows: &mut [T], width: usize, start: usize, tile: &Tile) {
    let n = per_word::<T>();
    for word in 0..WORDS {
        for k in 0..n {
            let row = k + word * n;
            let samples = &mut rows[start + row * (width - 1)..][..n];
            bytemuck::cast_slice_mut(samples).copy_from_slice(&tile[k].0[word].to_le_bytes());
        }
    }
}

/// [`load`] where rows begin or end, or are missing: samples that are not there are 0.
#[inline(never)]
fn load_clipped<T: Sample>(rows: &[T], width: usize, start: usize) -> Tile {
    let n = per_word::<T>();
    let mut tile = Tile::default();
    for (row, samples) in rows.chunks_exact(width).enumerate() {
        let lanes = bytemuck::cast_slice_mut::<u64, T>(std::slice::from_mut(&mut tile[row % n].0[row / n]));
        let first = row.saturating_sub(start);
        for (lane, &sample) in lanes.iter_mut().skip(first).zip(samples.get((start + first - row).min(width)..).unwrap_or_default()) {
            *lane = sample;
        }
    }
    tile
}

#[inline(never)]
fn store_clipped<T: Sample>(rows: &mut [T], width: usize, start: usize, tile: &Tile) {
    let n = per_word::<T>();
    for (row, samples) in rows.chunks_exact_mut(width).enumerate() {
        let lanes = bytemuck::cast_slice::<u64, T>(std::slice::from_ref(&tile[row % n].0[row / n]));
        let first = row.saturating_sub(start);
        for (&lane, sample) in lanes.iter().skip(first).zip(samples.get_mut((start + first - row).min(width)..).unwrap_or_default()) {
            *sample = lane;
        }
    }
}

/// Transposes the samples of each word of the vectors by swapping halves, quarters, ... (Warren,
/// "Hacker's Delight", 7-3).
#[inline(always)]
fn transpose<T: Sample>(tile: &mut Tile) {
    for (distance, mask) in [(4, 0x0000_0000_FFFF_FFFF), (2, 0x0000_FFFF_0000_FFFF), (1, 0x00FF_00FF_00FF_00FF)] {
        let distance = distance / T::BYTES;
        if distance == 0 {
            continue;
        }
        let shift = 8 * distance * T::BYTES;
        for upper in (0..per_word::<T>()).filter(|vector| vector & distance == 0) {
            for word in 0..WORDS {
                let (a, b) = (tile[upper].0[word], tile[upper + distance].0[word]);
                let swapped = ((a >> shift) ^ b) & mask;
                tile[upper].0[word] = a ^ (swapped << shift);
                tile[upper + distance].0[word] = b ^ swapped;
            }
        }
    }
}

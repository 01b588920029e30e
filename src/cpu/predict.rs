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
//! (`stage::zigzag`).
//!
//! **Twin**: `shaders/predict.wgsl`.

use std::marker::PhantomData;

use super::sample::{Comparison, Sample, Unsigned, with_order};
use super::simd::{Kernel, SimdLevel};
use crate::plan::Predictor;
use crate::stage::Order;

/// How one frame of a plane is predicted.
#[derive(Debug, Clone, Copy)]
pub struct Prediction {
    /// The rule.
    pub predictor: Predictor,
    /// How samples compare.
    pub order: Order,
    /// Whether residuals are zigzag-mapped.
    pub zigzag: bool,
    /// Samples in a row.
    pub width: usize,
}

/// Residuals of `samples`, rows of `prediction.width`. Both slices have one length, a multiple of
/// the width.
pub fn forward<T: Sample>(simd: SimdLevel, prediction: Prediction, samples: &[T], out: &mut [T]) {
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
pub fn inverse<T: Sample>(simd: SimdLevel, prediction: Prediction, residuals: &mut [T]) {
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

/// Tiles that are loaded, restored and stored at a time. Vectors are made of words that were written
/// one by one; a processor that reads them back at once waits until they have reached the cache.
const TILES: usize = 16;

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
        let width = self.1.len();
        // The wavefront takes the time of all its rows, whether they are there or not.
        if self.0.len() / width < lanes::<T>() / 4 {
            return self.row_by_row();
        }
        let Self(rows, above, ..) = self;
        let steps = width + rows.len() / width - 1;
        // Of each row, by step: the sample that was restored, and the one above it; entry 0 is the last
        // step of the tile before. Samples outside the picture need no care: those before a row come
        // out as 0, those behind it reach no row. These stay in memory: in registers the compiler
        // takes the vectors apart word by word.
        let mut left = [Vector::default(); 9];
        let mut ups = [Vector::default(); 9];
        let mut tiles = [Tile::default(); TILES];
        for start in (0..steps).step_by(TILES * per_word::<T>()) {
            let count = (steps - start).div_ceil(per_word::<T>()).min(TILES);
            let tiles = &mut tiles[..count];
            load(rows, width, start, tiles);
            for (tile, mut first) in tiles.iter_mut().zip(words_of(above, start as isize)) {
                transpose::<T>(tile);
                for v in 0..per_word::<T>() {
                    shift::<T>(&mut ups[v + 1], &left[v], first);
                    first = first.checked_shr(8 * T::BYTES as u32).unwrap_or(0);
                    left[v + 1] = restored::<T, C, R>(&tile[v], &left[v], &ups[v + 1], &ups[v]);
                }
                tile[..per_word::<T>()].copy_from_slice(&left[1..=per_word::<T>()]);
                left[0] = left[per_word::<T>()];
                ups[0] = ups[per_word::<T>()];
                transpose::<T>(tile);
            }
            store(rows, width, start, tiles);
        }
    }
}

impl<T: Sample, C: Comparison, R: Rule> Wavefront<'_, T, C, R> {
    #[inline(always)]
    fn row_by_row(self) {
        let Self(rows, mut above, ..) = self;
        for row in rows.chunks_exact_mut(above.len()) {
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

/// One sample of each row.
#[derive(Clone, Copy, Default)]
struct Vector([u64; WORDS]);

/// The samples of one step. They go into a vector of their own, so that the compiler sees that
/// nothing aliases.
#[inline(always)]
fn restored<T: Sample, C: Comparison, R: Rule>(
    residual: &Vector,
    left: &Vector,
    up: &Vector,
    up_left: &Vector,
) -> Vector {
    let mut restored = Vector::default();
    let lanes: &mut [T] = bytemuck::cast_slice_mut(&mut restored.0);
    let [residual, a, b, c]: [&[T]; 4] =
        [&residual.0, &left.0, &up.0, &up_left.0].map(|words| bytemuck::cast_slice(words));
    for lane in 0..lanes.len() {
        lanes[lane] = residual[lane].add(R::predict::<T, C>(a[lane], b[lane], c[lane]));
    }
    restored
}

/// As many vectors as a word has samples; the others are not used. Word `w` of vector `v` has the
/// samples of row `v + w * per_word` in consecutive steps, or once transposed, vector `v` is step `v`.
type Tile = [Vector; 8];

/// `vector` with every sample one lane further and the first sample of `first` in the first lane.
#[inline(always)]
fn shift<T: Sample>(shifted: &mut Vector, vector: &Vector, first: u64) {
    let bits = 8 * T::BYTES as u32;
    for word in 0..WORDS {
        let carry = if word == 0 { first << (64 - bits) } else { vector.0[word - 1] };
        shifted.0[word] = if bits == 64 { carry } else { (vector.0[word] << (bits % 64)) | (carry >> (64 - bits)) };
    }
}

/// The samples of `row` from `start` on as words, 0 where there are none.
#[inline(always)]
fn words_of<T: Sample>(row: &[T], start: isize) -> [u64; TILES] {
    let length = TILES * per_word::<T>();
    let mut words = [0; TILES];
    let lanes: &mut [T] = bytemuck::cast_slice_mut(&mut words);
    if let Some(samples) = usize::try_from(start).ok().and_then(|start| row.get(start..start + length)) {
        lanes.copy_from_slice(samples);
    } else {
        let (skipped, start) = ((-start).max(0) as usize, start.max(0) as usize);
        let samples = row.get(start..).unwrap_or_default();
        let length = samples.len().min(length - skipped.min(length));
        if length > 0 {
            lanes[skipped..skipped + length].copy_from_slice(&samples[..length]);
        }
    }
    words
}

/// Fills `tiles` from step `start` on.
#[inline(always)]
fn load<T: Sample>(rows: &[T], width: usize, start: usize, tiles: &mut [Tile]) {
    for (at, row) in rows.chunks_exact(width).enumerate() {
        let words = words_of(row, start as isize - at as isize);
        for (tile, word) in tiles.iter_mut().zip(words) {
            tile[at % per_word::<T>()].0[at / per_word::<T>()] = word;
        }
    }
}

/// Undoes [`load`].
#[inline(always)]
fn store<T: Sample>(rows: &mut [T], width: usize, start: usize, tiles: &[Tile]) {
    let length = TILES * per_word::<T>();
    for (at, row) in rows.chunks_exact_mut(width).enumerate() {
        let mut words = [0; TILES];
        for (tile, word) in tiles.iter().zip(&mut words) {
            *word = tile[at % per_word::<T>()].0[at / per_word::<T>()];
        }
        let lanes: &[T] = bytemuck::cast_slice(&words);
        if let Some(samples) = start.checked_sub(at).and_then(|start| row.get_mut(start..start + length)) {
            samples.copy_from_slice(lanes);
        } else {
            let lanes = lanes.get(at.saturating_sub(start)..).unwrap_or_default();
            let samples = row.get_mut(start.saturating_sub(at)..).unwrap_or_default();
            let length = samples.len().min(lanes.len());
            samples[..length].copy_from_slice(&lanes[..length]);
        }
    }
}

/// Transposes the samples of each word of the vectors by swapping halves, quarters, ... (Warren,
/// "Hacker's Delight", 7-3).
#[inline(always)]
fn transpose<T: Sample>(tile: &mut Tile) {
    match T::BYTES {
        1 => {
            for v in 0..4 {
                swap::<32>(tile, v, v + 4);
            }
            for v in [0, 1, 4, 5] {
                swap::<16>(tile, v, v + 2);
            }
            for v in [0, 2, 4, 6] {
                swap::<8>(tile, v, v + 1);
            }
        }
        2 => {
            for v in 0..2 {
                swap::<32>(tile, v, v + 2);
            }
            for v in [0, 2] {
                swap::<16>(tile, v, v + 1);
            }
        }
        4 => swap::<32>(tile, 0, 1),
        _ => {}
    }
}

/// Swaps the upper part of every `2 * BITS` bits of one vector with the lower part of another's.
#[inline(always)]
fn swap<const BITS: u32>(tile: &mut Tile, low: usize, high: usize) {
    let mask = u64::MAX / ((1 << BITS) + 1);
    let (mut a, mut b) = (tile[low], tile[high]);
    for (a, b) in a.0.iter_mut().zip(&mut b.0) {
        let swapped = ((*a >> BITS) ^ *b) & mask;
        *a ^= swapped << BITS;
        *b ^= swapped;
    }
    (tile[low], tile[high]) = (a, b);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forward has no order of its own, so a round trip checks the wavefront: whole and partial
    /// strips, rows shorter and longer than what is loaded at a time.
    fn round_trips<T: Sample>() {
        let mut state = 1u64;
        for (width, height) in [(1, 1), (1, 100), (2, 33), (7, 65), (31, 8), (127, 32), (129, 31), (317, 70), (500, 3)]
        {
            let mut sample = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                T::read_le(&state.to_be_bytes())
            };
            let samples: Vec<T> = (0..width * height).map(|_| sample()).collect();
            for simd in SimdLevel::available() {
                for &predictor in Predictor::ALL {
                    for order in [Order::Unsigned, Order::Signed] {
                        let prediction = Prediction { predictor, order, zigzag: predictor != Predictor::None, width };
                        let mut residuals = vec![T::ZERO; samples.len()];
                        forward(simd, prediction, &samples, &mut residuals);
                        inverse(simd, prediction, &mut residuals);
                        assert!(residuals == samples, "{width}x{height} {simd:?} {prediction:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_size_of_sample_round_trips() {
        round_trips::<u8>();
        round_trips::<u16>();
        round_trips::<u32>();
        round_trips::<u64>();
    }
}

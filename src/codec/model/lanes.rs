//! Sixteen 16-bit numbers at a time: what the models compute with, and the portable way to do it.

/// Vectors of 16 lanes. Every implementation gives the same numbers.
pub(super) trait Lanes: Copy {
    /// 16 numbers of 16 bits, signed or not.
    type Words: Copy;

    fn load(self, words: &[i16; 16]) -> Self::Words;
    fn store(self, words: Self::Words, to: &mut [i16; 16]);
    /// Four times four numbers, the first in the lowest bits.
    fn quads(self, quads: [u64; 4]) -> Self::Words;
    fn splat(self, word: i16) -> Self::Words;
    fn and(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn or(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn add(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn sub(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn add_saturating(self, a: Self::Words, b: Self::Words) -> Self::Words;
    fn sub_saturating(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Between `-bound` and `bound`.
    fn clamp(self, a: Self::Words, bound: i16) -> Self::Words;
    fn min(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Shifts in zeros.
    fn shift_right(self, a: Self::Words, by: u32) -> Self::Words;
    /// (a * b + 2^14) >> 15. Not both may be -2^15.
    fn scale(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// Sums of products, modulo 2^32: of the first pair, and of the other two together.
    fn dots(self, first: (Self::Words, Self::Words), second: [(Self::Words, Self::Words); 2]) -> (i32, i32);
    /// The number of the first 15 lanes that are not above `number`. The lanes grow.
    fn count_up_to(self, a: Self::Words, number: u16) -> usize;
}

#[derive(Clone, Copy)]
pub(super) struct Portable;

#[inline(always)]
fn zip(a: [i16; 16], b: [i16; 16], of: impl Fn(i16, i16) -> i16) -> [i16; 16] {
    std::array::from_fn(|i| of(a[i], b[i]))
}

impl Lanes for Portable {
    type Words = [i16; 16];

    #[inline(always)]
    fn load(self, words: &[i16; 16]) -> [i16; 16] {
        *words
    }

    #[inline(always)]
    fn store(self, words: [i16; 16], to: &mut [i16; 16]) {
        *to = words;
    }

    #[inline(always)]
    fn quads(self, quads: [u64; 4]) -> [i16; 16] {
        std::array::from_fn(|i| (quads[i / 4] >> (16 * (i % 4))) as i16)
    }

    #[inline(always)]
    fn splat(self, word: i16) -> [i16; 16] {
        [word; 16]
    }

    #[inline(always)]
    fn and(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, |a, b| a | b)
    }

    #[inline(always)]
    fn add(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, i16::wrapping_add)
    }

    #[inline(always)]
    fn sub(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, i16::wrapping_sub)
    }

    #[inline(always)]
    fn add_saturating(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, i16::saturating_add)
    }

    #[inline(always)]
    fn sub_saturating(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, i16::saturating_sub)
    }

    #[inline(always)]
    fn clamp(self, a: [i16; 16], bound: i16) -> [i16; 16] {
        a.map(|a| a.clamp(-bound, bound))
    }

    #[inline(always)]
    fn min(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, i16::min)
    }

    #[inline(always)]
    fn shift_right(self, a: [i16; 16], by: u32) -> [i16; 16] {
        a.map(|a| (a as u16 >> by) as i16)
    }

    #[inline(always)]
    fn scale(self, a: [i16; 16], b: [i16; 16]) -> [i16; 16] {
        zip(a, b, |a, b| ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15) as i16)
    }

    #[inline(always)]
    fn dots(self, first: ([i16; 16], [i16; 16]), second: [([i16; 16], [i16; 16]); 2]) -> (i32, i32) {
        let dot = |(a, b): ([i16; 16], [i16; 16])| {
            let products = a.iter().zip(&b).map(|(&a, &b)| i32::from(a) * i32::from(b));
            products.fold(0, i32::wrapping_add)
        };
        (dot(first), dot(second[0]).wrapping_add(dot(second[1])))
    }

    #[inline(always)]
    fn count_up_to(self, a: [i16; 16], number: u16) -> usize {
        a[..15].iter().filter(|&&bound| bound as u16 <= number).count()
    }
}

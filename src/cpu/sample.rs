//! Arithmetic on samples of any width.

/// A sample as raw bits: `u8`, `u16`, `u32` or `u64`. Floats and signed integers are handled as
/// their bit patterns; only `Comparison` knows signs.
pub trait Sample: bytemuck::Pod + Send + Sync + Ord {
    /// Bytes of one sample.
    const BYTES: usize;
    /// 0.
    const ZERO: Self;
    /// Sum modulo the range.
    fn add(self, other: Self) -> Self;
    /// Difference modulo the range.
    fn sub(self, other: Self) -> Self;
    /// Floor of the mean without overflow.
    fn average_unsigned(self, other: Self) -> Self;
    /// The same of two's complement numbers.
    fn average_signed(self, other: Self) -> Self;
    /// The smaller of two's complement numbers.
    fn min_signed(self, other: Self) -> Self;
    /// The larger of two's complement numbers.
    fn max_signed(self, other: Self) -> Self;
    /// 0, -1, 1, -2, ... to 0, 1, 2, 3, ...
    fn zigzag(self) -> Self;
    /// Undoes [`Sample::zigzag`].
    fn unzigzag(self) -> Self;
    /// The sample that `bytes` begins with.
    fn read_le(bytes: &[u8]) -> Self;
    /// Writes the sample to the beginning of `bytes`.
    fn write_le(self, bytes: &mut [u8]);
}

macro_rules! samples {
    ($($unsigned:ty, $signed:ty);*) => {$(
        impl Sample for $unsigned {
            const BYTES: usize = size_of::<Self>();
            const ZERO: Self = 0;

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn average_unsigned(self, other: Self) -> Self {
                (self & other) + ((self ^ other) >> 1)
            }

            #[inline(always)]
            fn average_signed(self, other: Self) -> Self {
                let half = ((self ^ other) as $signed >> 1) as Self;
                (self & other).wrapping_add(half)
            }

            #[inline(always)]
            fn min_signed(self, other: Self) -> Self {
                (self as $signed).min(other as $signed) as Self
            }

            #[inline(always)]
            fn max_signed(self, other: Self) -> Self {
                (self as $signed).max(other as $signed) as Self
            }

            #[inline(always)]
            fn zigzag(self) -> Self {
                (self << 1) ^ ((self as $signed >> (Self::BITS - 1)) as Self)
            }

            #[inline(always)]
            fn unzigzag(self) -> Self {
                (self >> 1) ^ (self & 1).wrapping_neg()
            }

            #[inline(always)]
            fn read_le(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<Self>()];
                array.copy_from_slice(&bytes[..size_of::<Self>()]);
                Self::from_le_bytes(array)
            }

            #[inline(always)]
            fn write_le(self, bytes: &mut [u8]) {
                bytes[..size_of::<Self>()].copy_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

samples!(u8, i8; u16, i16; u32, i32; u64, i64);

/// [`Order`](crate::stage::Order) as a type, so that each order gets its own loop.
pub(crate) trait Comparison: Copy + Send + Sync + 'static {
    fn min<T: Sample>(a: T, b: T) -> T;
    fn max<T: Sample>(a: T, b: T) -> T;
    fn average<T: Sample>(a: T, b: T) -> T;
}

#[derive(Clone, Copy)]
pub(crate) struct Unsigned;

#[derive(Clone, Copy)]
pub(crate) struct Signed;

impl Comparison for Unsigned {
    #[inline(always)]
    fn min<T: Sample>(a: T, b: T) -> T {
        Ord::min(a, b)
    }

    #[inline(always)]
    fn max<T: Sample>(a: T, b: T) -> T {
        Ord::max(a, b)
    }

    #[inline(always)]
    fn average<T: Sample>(a: T, b: T) -> T {
        a.average_unsigned(b)
    }
}

impl Comparison for Signed {
    #[inline(always)]
    fn min<T: Sample>(a: T, b: T) -> T {
        a.min_signed(b)
    }

    #[inline(always)]
    fn max<T: Sample>(a: T, b: T) -> T {
        a.max_signed(b)
    }

    #[inline(always)]
    fn average<T: Sample>(a: T, b: T) -> T {
        a.average_signed(b)
    }
}

/// Calls `$call` with `$order` as a type named `$C`.
macro_rules! with_order {
    ($order:expr, $C:ident => $call:expr) => {
        match $order {
            $crate::stage::Order::Unsigned => {
                type $C = $crate::cpu::sample::Unsigned;
                $call
            }
            $crate::stage::Order::Signed => {
                type $C = $crate::cpu::sample::Signed;
                $call
            }
        }
    };
}

/// Calls `$call` with the sample type of `$bytes` bytes named `$T`.
macro_rules! with_sample {
    ($bytes:expr, $T:ident => $call:expr) => {
        match $bytes {
            1 => {
                type $T = u8;
                $call
            }
            2 => {
                type $T = u16;
                $call
            }
            4 => {
                type $T = u32;
                $call
            }
            _ => {
                type $T = u64;
                $call
            }
        }
    };
}

pub(crate) use {with_order, with_sample};

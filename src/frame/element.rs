//! Rust types that can be samples.

use half::{bf16, f16};

use super::Dtype;

mod sealed {
    pub trait Sealed {}
}

/// A Rust type with a [`Dtype`]: `bool`, the fixed-size integers, `half::f16`, `half::bf16`, `f32`,
/// `f64`. Sealed.
pub trait Element: Copy + Send + Sync + sealed::Sealed + 'static {
    /// The dtype of this type.
    const DTYPE: Dtype;

    /// Appends the sample's little-endian bytes.
    fn extend_le(self, out: &mut Vec<u8>);

    /// The little-endian bytes of samples, where they are.
    fn le_bytes(samples: &[Self]) -> &[u8];

    /// Reads one sample from exactly `Self::DTYPE.bytes()` little-endian bytes; `None` if the bytes
    /// are no value of the type (a `bool` other than 0 and 1).
    fn from_le(bytes: &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($type:ty => $dtype:ident),*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            fn extend_le(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn le_bytes(samples: &[Self]) -> &[u8] {
                bytemuck::cast_slice(samples)
            }

            fn from_le(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )*};
}

numbers!(
    u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64,
    f16 => F16, bf16 => Bf16, f32 => F32, f64 => F64
);

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: Dtype = Dtype::Bool;

    fn extend_le(self, out: &mut Vec<u8>) {
        out.push(u8::from(self));
    }

    fn le_bytes(samples: &[Self]) -> &[u8] {
        bytemuck::cast_slice(samples)
    }

    fn from_le(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

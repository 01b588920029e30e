//! Lossless compression for batches of video frames and image-like arrays, on any GPU or none.

#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(target_endian = "big")]
compile_error!("framepress keeps samples as little-endian bytes and is not ported to big-endian machines");

mod codec;
mod cpu;
mod error;
pub mod frame;
#[cfg(feature = "gpu")]
mod gpu;
pub mod plan;
mod pool;
mod stage;

pub use cpu::{SIMD_VARIABLE, SimdLevel};
pub use error::{BatchLocation, Error, ErrorKind, Result};
pub use pool::set_thread_cap;

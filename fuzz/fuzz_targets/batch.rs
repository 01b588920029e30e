//! A whole batch: every SIMD level restores the same frames, and the library those.

#![no_main]

use framepress_fuzz::{File, restored};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| restored(File::new(input)));

//! Batches whose planes are recovered, damaged: every SIMD level and the library make the same of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| framepress_fuzz::recovered(input));

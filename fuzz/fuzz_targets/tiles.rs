//! Batches of tiles, damaged: every SIMD level and the library make the same of them.

#![no_main]

use framepress::plan::CodecChoice;
use framepress_fuzz::damaged;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| damaged(input, CodecChoice::Ans));

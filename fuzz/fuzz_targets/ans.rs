//! The entropy coder.

#![no_main]

use framepress::internal::ans;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| framepress_fuzz::codec(input, ans::encode, ans::decode));

//! The bit packer.

#![no_main]

use framepress::internal::pack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| framepress_fuzz::codec(input, pack::encode, pack::decode));

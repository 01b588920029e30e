//! A block of bytes of a plane by any codec, in any surroundings: what is coded comes back.

#![no_main]

use framepress::CodecId;
use framepress::internal::{Decoder, Encoder, LevelParameters, Surroundings};
use framepress::plan::CodecChoice;
use framepress_fuzz::number;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let codec = CodecId::ALL[number(&mut input, 1) % CodecId::ALL.len()];
    let parameters = LevelParameters::of((number(&mut input, 1) % 9 + 1) as u8);
    let width = number(&mut input, 1);
    let picture = width.max(1) * (number(&mut input, 1) % 16 + 1);
    let length = number(&mut input, 2) % 4096;
    let higher_blocks = number(&mut input, 1) % 3;
    // Higher bytes, many of them 0; what is left is a packed block, and then a raw one.
    let (head, rest) = input.split_at(input.len() / 2);
    let higher = |bytes: usize, which: usize| -> Vec<u8> {
        let byte = |at: usize| head.get((at + which) % head.len().max(1)).map_or(0, |byte| byte.saturating_sub(99));
        (0..bytes).map(byte).collect()
    };
    let around = |higher: &[Vec<u8>], work: &mut dyn FnMut(Surroundings<'_>)| {
        let higher: Vec<&[u8]> = higher.iter().map(Vec::as_slice).collect();
        work(Surroundings { width, picture, higher: &higher });
    };

    let of_packed: Vec<Vec<u8>> = (0..higher_blocks).map(|which| higher(length, which)).collect();
    around(&of_packed, &mut |around| {
        let mut block = vec![0xA5; length];
        let _ = Decoder::default().decode(codec, rest, around, &mut block);
    });

    let of_raw: Vec<Vec<u8>> = (0..higher_blocks).map(|which| higher(rest.len(), which)).collect();
    let choices = [CodecChoice::Auto, CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Ans, CodecChoice::Pack];
    around(&of_raw, &mut |around| {
        for choice in choices {
            let encoder = Encoder::new(choice, parameters.zstd_level, parameters.thorough).expect("an encoder");
            let mut encoder = encoder.with_contexts(parameters.contexts).with_adaptive(parameters.model);
            let mut packed = Vec::new();
            let codec = encoder.encode(rest, around, &mut packed);
            assert!(packed.len() <= rest.len());
            let mut block = vec![0xA5; rest.len()];
            Decoder::default().decode(codec, &packed, around, &mut block).expect("a sound block");
            assert!(block == rest);
        }
    });
});

//! The coder of pictures of few values: threads agree, on refusals too; what was coded comes back.

#![no_main]

use framepress::internal::Crew;
use framepress::internal::discrete::{Effort, Picture, decode, encode};
use framepress_fuzz::number;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let mut side = || number(&mut input, 1) % 48 + 1;
    let mut picture = Picture { width: side(), height: side(), unit_bytes: 0 };
    picture.unit_bytes = side() % 8 + 1;
    let frame_bytes = picture.width * picture.height * picture.unit_bytes;
    let frames = number(&mut input, 1) % 4 + 1;
    let decoded = |packed: &[u8], frames: usize| {
        let [one, three] = [1, 3].map(|threads| {
            let mut raw = vec![0; frames * frame_bytes];
            decode(picture, &Crew::new(threads), packed, &mut raw).is_ok().then_some(raw)
        });
        assert!(one == three);
        one
    };
    let _ = decoded(input, frames);
    let frames = (input.len() / frame_bytes).min(4);
    let raw = &input[..frames * frame_bytes];
    for effort in [Effort::Quick, Effort::Usual, Effort::Thorough] {
        let mut packed = Vec::new();
        if encode(picture, effort, &Crew::new(1), raw, &mut packed) {
            assert!(decoded(&packed, frames).as_deref() == Some(raw));
        }
    }
});

//! The adaptive model: every SIMD level agrees, on refusals too; what was coded comes back.

#![no_main]

use framepress::internal::model::{Plane, Size, decode, encode};
use framepress_fuzz::{at_every_level, number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let mut side = || number(&mut input, 1) % 24 + 1;
    let large = Size { width: side(), height: side() };
    let small = Size { width: large.width.div_ceil(2), height: large.height.div_ceil(2) };
    let sizes = [[large, small, small], [large, large, large]][side() % 2];
    let frames = side() % 4 + 1;
    let samples = |size: &Size| size.width * size.height * frames;
    let unpacked = |packed: &[u8]| {
        at_every_level(|level| {
            let mut planes: Vec<Vec<u16>> = sizes.iter().map(|size| vec![0; samples(size)]).collect();
            let mut out: Vec<&mut [u16]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
            let done = decode(level, packed, frames, &sizes, &mut out).is_ok();
            done.then(|| planes.concat().into_iter().flat_map(u16::to_le_bytes).collect())
        })
    };
    let _ = unpacked(input);
    let planes: Vec<Vec<u16>> =
        sizes.iter().map(|size| (0..samples(size)).map(|_| number(&mut input, 2) as u16).collect()).collect();
    let packed = at_every_level(|level| {
        let planes: Vec<_> = sizes
            .iter()
            .zip(&planes)
            .map(|(&size, samples)| Plane { size, samples: &samples[..], frame_stride: size.width * size.height })
            .collect();
        let mut packed = Vec::new();
        encode(level, frames, &planes, &mut packed);
        Some(packed)
    });
    let raw: Vec<u8> = planes.concat().into_iter().flat_map(u16::to_le_bytes).collect();
    assert!(unpacked(&packed.expect("a strip")) == Some(raw));
});

//! Vectors and what they make of a frame: every SIMD level agrees, on refusals too; what was decoded comes back; no vector
//! leads out of a plane.

#![no_main]

use framepress::SimdLevel;
use framepress::internal::CpuBackend;
use framepress::internal::model::vectors::{decode, decode_ordered, encode, encode_ordered};
use framepress::internal::motion::{Compensation, Field, Filters, Reference, SearchEffort, Share, search};
use framepress_fuzz::{at_every_level, number};
use libfuzzer_sys::fuzz_target;

/// Fields, as far as they can be told apart.
fn bytes(fields: &[Field]) -> Vec<u8> {
    let of_field = |field: &Field| {
        let vectors = field.vectors.iter().flat_map(|vector| [vector.x.to_le_bytes(), vector.y.to_le_bytes()].concat());
        std::iter::once(field.filter as u8).chain(vectors).collect::<Vec<u8>>()
    };
    fields.iter().flat_map(of_field).collect()
}

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let mut side = || number(&mut input, 1) % 60 + 16;
    let (width, height) = (side(), side());
    let still = Field::still(width, height);
    let blank = vec![still.clone(); number(&mut input, 1) % 3 + 1];
    let unpacked = |packed: &[u8]| {
        at_every_level(|level| {
            let mut fields = blank.clone();
            decode(level, packed, &mut fields).is_ok().then(|| bytes(&fields))
        })
    };
    let mut fields = blank.clone();
    let is_whole = decode(SimdLevel::detect(), input, &mut fields).is_ok();
    assert!(unpacked(input) == is_whole.then(|| bytes(&fields)));
    let packed = at_every_level(|level| Some(encode(level, &fields))).expect("packed vectors");
    assert!(unpacked(&packed) == Some(bytes(&fields)));
    let frames = blank.len() + 1;
    let ordered = |packed: &[u8]| {
        at_every_level(|level| {
            decode_ordered(level, packed, frames, &still).ok().map(|found| format!("{found:?}").into_bytes())
        })
    };
    if let Ok((order, moved)) = decode_ordered(SimdLevel::detect(), input, frames, &still) {
        assert!(ordered(input) == Some(format!("{:?}", (&order, &moved)).into_bytes()));
        let (packed, settled) = encode_ordered(SimdLevel::detect(), &order, moved);
        assert!(ordered(&packed) == Some(format!("{:?}", (order, settled)).into_bytes()));
    } else {
        assert!(ordered(input).is_none());
    }
    // Vectors are whatever they are, also where decoding failed.
    let samples: Vec<u8> = (0..width * height).map(|_| number(&mut input, 1) as u8).collect();
    for (across, down) in [(0, 0), (1, 1), (1, 0)] {
        let share = Share { is_first: (across, down) == (0, 0), across, down };
        let (width, height) = (width.div_ceil(1 << across), height.div_ceil(1 << down));
        let earlier = Reference { samples: &samples, width, height, step: 1 };
        at_every_level(|level| {
            let mut out = vec![0; width * height];
            Compensation { field: &fields[0], share, earlier }.put(level, 0..height, &mut out, width);
            Some(out)
        });
    }
    let moved: Vec<u8> = samples.iter().skip(3).chain(&samples[..3]).map(|sample| sample & 0xFE).collect();
    at_every_level(|level| {
        let cpu = CpuBackend::new(level, 1);
        let filters = Filters::choose(&[&samples, &moved], width, &cpu).expect("filters");
        Some(bytes(&[
            search([&samples, &moved], width, filters, Some(&fields[0]), SearchEffort::Full, &cpu).expect("a field")
        ]))
    });
});

//! Which bytes of a batch the choice of a method looks at, for frames that are elsewhere: everything else stays there.
//!
//! Whatever looks at a part of a batch has its places from the function that it reports them by.

use std::ops::Range;

use super::choose_method::{predicts, probe_places};
use super::choose_motion::searched;
use super::{
    CodecChoice, LevelParameters, Making, Sample, Settings, StripPlan, choose_conversion, choose_tiles, picture,
};
use crate::codec::discrete;
use crate::frame::{Geometry, Tiling};

/// Places that are no farther apart are one: a transfer of its own costs more.
const NEAR_BYTES: usize = 1 << 12;

/// The bytes of a batch by which `choose_tiles_by_places` chooses, in order, from multiples
/// of 4 on and apart from one another; `None` if tiles are out of the question, or compete with what has to see
/// everything.
pub fn places(geometry: &Geometry, settings: &Settings) -> Option<Vec<Range<usize>>> {
    let level = LevelParameters::of(settings.level());
    let codec = level.codec(settings.codec());
    let has_model = codec == CodecChoice::Auto && level.model && StripPlan::suits(geometry);
    let may_move = level.motion.is_some() && searched(geometry).is_some();
    if has_model || may_move || !predicts(codec) || !Tiling::suits(geometry) || geometry.raw_bytes() == 0 {
        return None;
    }
    let mut places = choose_tiles::places(geometry, level.packs(codec));
    places.extend(Sample::places(geometry));
    places.extend(probe_places(geometry));
    if let Some(picture) = picture(geometry).filter(|_| codec == CodecChoice::Auto) {
        places.extend(discrete::places(picture, geometry.raw_bytes()));
    }
    if level.recovers && Making::suits(geometry) {
        places.extend(choose_conversion::places(geometry));
    }
    Some(merged(places))
}

fn merged(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.retain(|place| !place.is_empty());
    places.sort_unstable_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for place in places {
        let start = place.start / 4 * 4;
        match merged.last_mut() {
            Some(last) if start <= last.end + NEAR_BYTES => last.end = last.end.max(place.end),
            _ => merged.push(start..place.end),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cpu::{CpuBackend, SimdLevel};
    use crate::frame::{Batch, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::input;
    use crate::plan::{MethodChoice, TileChoice, choose_methods, choose_tiles_by_places};

    #[test]
    fn near_places_are_one() {
        let places = vec![10_000..10_010, 5..7, 6..6, 12_000..12_003, 20_001..20_002];
        assert_eq!(merged(places), [4..7, 10_000..12_003, 20_000..20_002]);
    }

    fn noise(seed: u64) -> impl Iterator<Item = u8> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
    }

    /// Tiles that the whole batch is for, if it is for nothing else.
    fn by_all(batch: Batch<'_>, settings: &Settings, cpu: &CpuBackend) -> Option<TileChoice> {
        let mut methods = choose_methods(batch, settings, cpu, cpu).unwrap().into_iter();
        match (methods.next(), methods.next()) {
            (Some(MethodChoice::Tiles(choice)), None) => Some(choice),
            _ => None,
        }
    }

    /// The same choice by the places, whatever there is elsewhere. Returns whether it is for tiles.
    fn is_the_same(geometry: &Geometry, raw: &[u8], settings: &Settings) -> bool {
        let cpu = CpuBackend::new(SimdLevel::detect(), 2);
        let expected = by_all(Batch { geometry, raw }, settings, &cpu);
        let Some(places) = places(geometry, settings) else {
            return false;
        };
        for seed in 0..2 {
            let mut sparse: Vec<u8> =
                if seed == 0 { vec![0; raw.len()] } else { noise(seed).take(raw.len()).collect() };
            for place in &places {
                sparse[place.clone()].copy_from_slice(&raw[place.clone()]);
            }
            let found = choose_tiles_by_places(Batch { geometry, raw: &sparse }, settings, &cpu).unwrap();
            let parts = |choice: &TileChoice| (choice.plan.clone(), choice.effort, choice.bits, choice.sampled_bytes);
            if let Some(found) = &found {
                let expected = expected.as_ref().expect("tiles by places, but not by all");
                assert_eq!(parts(found), parts(expected));
                assert_eq!(found.classes, expected.classes);
            }
        }
        let found = choose_tiles_by_places(Batch { geometry, raw }, settings, &cpu).unwrap();
        found.is_some()
    }

    /// A clip, side by side with itself until it has so many bytes, so that samples are a part of it.
    fn enlarged(name: &str, times: usize) -> (Geometry, Vec<u8>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let mut reader = input::open(&path, None).unwrap();
        let clip = reader.read_batch(usize::MAX).unwrap().unwrap();
        let format = reader.description().format.clone();
        (Geometry::new(&format, clip.frames * times), clip.bytes.repeat(times))
    }

    #[test]
    fn the_choice_by_places_is_that_by_all() {
        let mut for_tiles = 0;
        for (name, times) in [("bbb_yuv420_320x176.y4m", 6), ("bbb_rgb_317x179.npy", 5)] {
            let (geometry, raw) = enlarged(name, times);
            for level in [1, 2, 3, 4, 6, 8] {
                let settings = Settings::new().with_level(level).unwrap();
                for_tiles += usize::from(is_the_same(&geometry, &raw, &settings));
            }
            for codec in [CodecChoice::Ans, CodecChoice::Pack] {
                for_tiles += usize::from(is_the_same(&geometry, &raw, &Settings::new().with_codec(codec)));
            }
        }
        assert!(for_tiles > 6, "tiles {for_tiles} times");
    }

    /// Of every arrangement of samples, smooth ones with noise, some of few values and some with gaps.
    #[test]
    fn the_choice_is_the_same_for_all_formats() {
        let (width, height) = (141, 97);
        let mut layouts = vec![Layout::Gray { width, height }, Layout::Array { shape: vec![height, width, 2] }];
        layouts.extend(ChannelOrder::ALL.map(|order| Layout::Packed { width, height, order }));
        for chroma in ChromaOrder::ALL {
            layouts.push(Layout::Yuv { width, height, sampling: ChromaSampling::Cs420, chroma });
        }
        let mut for_tiles = 0;
        for layout in layouts {
            let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 40);
            for kind in 0..3 {
                let sample = |(at, noise): (usize, u8)| match kind {
                    0 => (at / 9) as u8 ^ (noise & 7),
                    1 => (at / 700) as u8 & 3,
                    _ => (at / 5 % 32) as u8 * 7 + (noise & 1),
                };
                let raw: Vec<u8> = noise(5).take(geometry.raw_bytes()).enumerate().map(sample).collect();
                for_tiles += usize::from(is_the_same(&geometry, &raw, &Settings::new()));
            }
        }
        assert!(for_tiles > 4, "tiles {for_tiles} times");
    }
}

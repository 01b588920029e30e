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

/// The bytes of a batch by which `choose_by_places` chooses, in order, from multiples
/// of 4 on and apart from one another; `None` if tiles are out of the question, or compete with what has to see
/// everything.
pub fn places(geometry: &Geometry, settings: &Settings) -> Option<Vec<Range<usize>>> {
    let (level, codec) = level_and_codec(settings);
    let mut places = predicted_places(geometry, settings)?;
    if let Some(picture) = picture(geometry).filter(|_| codec == CodecChoice::Auto) {
        places.extend(discrete::places(picture, geometry.raw_bytes()));
    }
    if level.recovers && Making::suits(geometry) {
        places.extend(choose_conversion::places(geometry));
    }
    Some(merged(places))
}

/// The same of the planes of frames, for `choose_planes_by_places`. With a model, more is carried out than the best of what
/// prediction makes of them.
pub fn places_of_planes(planes: &Geometry, settings: &Settings) -> Option<Vec<Range<usize>>> {
    let (level, _) = level_and_codec(settings);
    if level.model {
        return None;
    }
    predicted_places(planes, settings).map(merged)
}

/// What has to be seen to say what prediction makes of a batch.
fn predicted_places(geometry: &Geometry, settings: &Settings) -> Option<Vec<Range<usize>>> {
    let (level, codec) = level_and_codec(settings);
    let has_model = codec == CodecChoice::Auto && level.model && StripPlan::suits(geometry);
    let may_move = level.motion.is_some() && searched(geometry).is_some();
    if has_model || may_move || !predicts(codec) || !Tiling::suits(geometry) || geometry.raw_bytes() == 0 {
        return None;
    }
    let mut places = choose_tiles::places(geometry, level.packs(codec));
    places.extend(Sample::places(geometry));
    places.extend(probe_places(geometry));
    Some(places)
}

fn level_and_codec(settings: &Settings) -> (LevelParameters, CodecChoice) {
    let level = LevelParameters::of(settings.level());
    (level, level.codec(settings.codec()))
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
    use crate::frame::{Batch, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout, PlaneGeometry};
    use crate::input;
    use crate::plan::{
        ChoiceByPlaces, KNOWN, MethodChoice, TileChoice, choose_by_places, choose_methods, choose_planes_by_places,
    };
    use crate::recovered::recover;
    use crate::stage::Backend;

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

    /// Tiles that are chosen, and what makes the frames, if they are of planes.
    type Chosen = (TileChoice, Option<Making>);

    /// Tiles that the whole batch is for, or its planes, if it is for nothing else.
    fn by_all(batch: Batch<'_>, settings: &Settings, cpu: &CpuBackend) -> Option<Chosen> {
        let mut methods = choose_methods(batch, settings, cpu, cpu, None).unwrap().into_iter();
        match (methods.next(), methods.next()) {
            (Some(MethodChoice::Tiles(choice)), None) => Some((choice, None)),
            (Some(MethodChoice::Recovered(recovered, method)), None) => match *method {
                MethodChoice::Tiles(choice) => Some((choice, Some(recovered.making))),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same by places, where there is something else elsewhere.
    fn by_places(batch: Batch<'_>, settings: &Settings, seed: u64, cpu: &CpuBackend) -> Option<Chosen> {
        let Batch { geometry, raw } = batch;
        let sparse = sparse(raw, places(geometry, settings)?, seed);
        let making = match choose_by_places(Batch { geometry, raw: &sparse }, settings, cpu).unwrap()? {
            ChoiceByPlaces::Tiles(choice) => return Some((choice, None)),
            ChoiceByPlaces::Recovered(making) => making,
        };
        let recovered = recover(batch, making, None, cpu, cpu, None).unwrap()?;
        let planes = recovered.batch();
        let sparse = self::sparse(planes.raw, places_of_planes(planes.geometry, settings)?, seed);
        let planes = Batch { raw: &sparse, ..planes };
        let choice = choose_planes_by_places(geometry, planes, &recovered.excepted, settings, cpu).unwrap()?;
        Some((choice, Some(making)))
    }

    fn sparse(raw: &[u8], places: Vec<Range<usize>>, seed: u64) -> Vec<u8> {
        let mut sparse: Vec<u8> = if seed == 0 { vec![0; raw.len()] } else { noise(seed).take(raw.len()).collect() };
        for place in places {
            sparse[place.clone()].copy_from_slice(&raw[place]);
        }
        sparse
    }

    /// The same choice by the places, whatever there is elsewhere. Returns whether it is for tiles, and whether of planes.
    fn is_the_same(geometry: &Geometry, raw: &[u8], settings: &Settings) -> [bool; 2] {
        let cpu = CpuBackend::new(SimdLevel::detect(), 2);
        let batch = Batch { geometry, raw };
        let expected = by_all(batch, settings, &cpu);
        let mut found = [false; 2];
        for seed in 0..2 {
            let Some((choice, making)) = by_places(batch, settings, seed, &cpu) else { continue };
            let (expected, expected_making) = expected.as_ref().expect("tiles by places, but not by all");
            let parts = |choice: &TileChoice| (choice.plan.clone(), choice.effort, choice.bits, choice.sampled_bytes);
            assert_eq!(parts(&choice), parts(expected));
            assert_eq!((&choice.classes, making), (&expected.classes, *expected_making));
            found = [true, making.is_some()];
        }
        found
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
                for_tiles += usize::from(is_the_same(&geometry, &raw, &settings)[0]);
            }
            for codec in [CodecChoice::Ans, CodecChoice::Pack] {
                for_tiles += usize::from(is_the_same(&geometry, &raw, &Settings::new().with_codec(codec))[0]);
            }
        }
        assert!(for_tiles > 6, "tiles {for_tiles} times");
    }

    /// Frames that are made of a clip's planes, with few exceptions, with so many that the frames compete with the planes, and
    /// in part.
    #[test]
    fn the_choice_of_planes_is_the_same() {
        let (of_planes, planes) = enlarged("bbb_yuv420_320x176.y4m", 4);
        let PlaneGeometry { width, height, .. } = of_planes.planes[0];
        let cpu = CpuBackend::new(SimdLevel::detect(), 2);
        let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: true };
        let layout = Layout::Packed { width, height, order: ChannelOrder::Bgr };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), of_planes.frames);
        let mut made = vec![0; geometry.raw_bytes()];
        cpu.convert(&geometry, &making, &planes, &mut made).unwrap();
        let changed = |step: usize, within: Range<usize>| {
            let mut raw = made.clone();
            // Two pixels, of one block more often than not.
            raw[within]
                .chunks_mut(step)
                .for_each(|bytes| bytes.iter_mut().step_by(3).take(2).for_each(|byte| *byte ^= 32));
            raw
        };
        let all = made.len();
        for (raw, expected) in
            [(changed(30_011, 0..all), true), (changed(900, 0..all), false), (changed(7, 0..all / 3), false)]
        {
            for level in [1, 2, 3, 4, 5] {
                let settings = Settings::new().with_level(level).unwrap();
                let found = is_the_same(&geometry, &raw, &settings);
                assert_eq!(found[1], expected && (2..5).contains(&level), "level {level}");
            }
            let settings = Settings::new().with_codec(CodecChoice::Pack);
            assert_eq!(is_the_same(&geometry, &raw, &settings)[1], expected);
        }
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
                for_tiles += usize::from(is_the_same(&geometry, &raw, &Settings::new())[0]);
            }
        }
        assert!(for_tiles > 4, "tiles {for_tiles} times");
    }
}

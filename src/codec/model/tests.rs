//! Round trips over shapes and kinds of samples, at every SIMD level; damage.

use super::*;
use crate::error::ErrorKind;

/// Numbers that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(below)) as u32
    }
}

/// What the samples of a test are like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Constant,
    Noise,
    /// A gradient that moves, with some noise, half of it still.
    Scene,
    /// The same, with every second row and column repeated but for some.
    Cells,
    /// Differences of both signs.
    Signed,
    /// Few values, far apart.
    Sparse,
    /// Flat areas a step or two apart, with some noise at their edges.
    Terraces,
}

const KINDS: [Kind; 7] =
    [Kind::Constant, Kind::Noise, Kind::Scene, Kind::Cells, Kind::Signed, Kind::Sparse, Kind::Terraces];

fn samples<S: Sample>(kind: Kind, bits: u32, frames: usize, size: Size) -> Vec<S> {
    let mut noise = Noise(7);
    let mask = ((1u32 << bits) - 1) as u16;
    let mut out = Vec::new();
    for frame in 0..frames {
        for y in 0..size.height {
            for x in 0..size.width {
                let scene = |x: usize, y: usize, noise: u32| {
                    let time = if x < size.width / 2 { 0 } else { frame };
                    ((x * 3 + y * 2 + time * 5) as u32 + noise) as u16 & mask
                };
                let sample = match kind {
                    Kind::Constant => 77 & mask,
                    Kind::Noise => noise.next(1 << bits) as u16,
                    Kind::Scene if x < size.width / 2 => scene(x, y, (x * y % 3) as u32),
                    Kind::Scene => scene(x, y, noise.next(4)),
                    Kind::Cells => scene(x & !1, y & !1, u32::from(noise.next(200) == 0) * 40),
                    Kind::Signed => (noise.next(9) as u16).wrapping_sub(4) & mask,
                    Kind::Terraces => ((8 * scene(x, y, 0) as u32 + noise.next(60)) / 60) as u16 & mask,
                    Kind::Sparse => (noise.next(3) * 1234 * u32::from(y % 5 > 2)) as u16 & mask,
                };
                out.push(S::narrow(sample));
            }
        }
    }
    out
}

fn pack<S: Sample>(simd: SimdLevel, frames: usize, sizes: &[Size], planes: &[Vec<S>]) -> Vec<u8> {
    let planes: Vec<_> = sizes
        .iter()
        .zip(planes)
        .map(|(&size, samples)| Plane { size, samples, frame_stride: size.width * size.height })
        .collect();
    let mut out = Vec::new();
    encode(simd, frames, &planes, &mut out);
    out
}

fn unpack<S: Sample>(simd: SimdLevel, packed: &[u8], frames: usize, sizes: &[Size]) -> Result<Vec<Vec<S>>> {
    let mut planes: Vec<Vec<S>> =
        sizes.iter().map(|size| vec![S::default(); size.width * size.height * frames]).collect();
    let mut slices: Vec<&mut [S]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
    decode(simd, packed, frames, sizes, &mut slices)?;
    Ok(planes)
}

fn round_trip<S: Sample + PartialEq + std::fmt::Debug>(bits: u32, frames: usize, sizes: &[Size], kind: Kind) -> usize {
    let planes: Vec<Vec<S>> = sizes.iter().map(|&size| samples(kind, bits, frames, size)).collect();
    let levels = SimdLevel::available();
    let packed = pack(levels[0], frames, sizes, &planes);
    for &simd in &levels {
        assert!(pack(simd, frames, sizes, &planes) == packed, "{simd:?} {kind:?} {sizes:?}");
        assert!(unpack::<S>(simd, &packed, frames, sizes).unwrap() == planes, "{simd:?} {kind:?} {sizes:?}");
    }
    packed.len()
}

fn size(width: usize, height: usize) -> Size {
    Size { width, height }
}

#[test]
fn every_shape_comes_back() {
    let shapes: [&[Size]; 9] = [
        &[size(1, 1)],
        &[size(1, 40)],
        &[size(40, 1); 3],
        &[size(7, 9), size(4, 5), size(4, 5)],
        &[size(8, 8); 4],
        &[size(33, 17); 3],
        &[size(20, 6), size(10, 6), size(10, 6)],
        &[size(0, 5), size(5, 0), size(3, 3)],
        &[],
    ];
    for sizes in shapes {
        for frames in [0, 1, 3] {
            for kind in KINDS {
                round_trip::<u8>(8, frames, sizes, kind);
                for bits in [1, 9, 12, 16] {
                    round_trip::<u16>(bits, frames, sizes, kind);
                }
            }
        }
    }
}

#[test]
fn what_can_be_predicted_is_small() {
    let sizes = [size(96, 64); 3];
    let raw = 6 * 3 * 96 * 64;
    assert!(round_trip::<u8>(8, 6, &sizes, Kind::Constant) < 400);
    assert!(round_trip::<u8>(8, 6, &sizes, Kind::Scene) * 5 < raw);
    assert!(round_trip::<u8>(8, 6, &sizes, Kind::Cells) * 12 < raw);
    // Two bits and more per sample of the four bits' noise are left, and less than four.
    assert!(round_trip::<u8>(8, 6, &sizes, Kind::Signed) * 8 < raw * 4);
    // Noise grows by little.
    assert!(round_trip::<u8>(8, 6, &sizes, Kind::Noise) < raw + raw / 20);
}

#[test]
fn terraces_are_found() {
    for (kind, terraced) in [(Kind::Terraces, true), (Kind::Noise, false)] {
        let size = size(200, 150);
        let samples = samples::<u16>(kind, 9, 3, size);
        let plane = Plane { size, samples: &samples, frame_stride: 200 * 150 };
        let mut packed = Vec::new();
        encode(SimdLevel::detect(), 3, &[plane], &mut packed);
        assert_eq!(packed[1] >> 3 == 1, terraced, "{kind:?}");
    }
}

#[test]
fn rows_of_a_larger_frame_are_a_strip() {
    let whole = size(31, 24);
    let samples = samples::<u8>(Kind::Scene, 8, 4, whole);
    let simd = SimdLevel::detect();
    for (top, rows) in [(0, 10), (10, 8), (18, 6)] {
        let strip = size(31, rows);
        let plane = Plane { size: strip, samples: &samples[top * 31..], frame_stride: 31 * 24 };
        let mut packed = Vec::new();
        encode(simd, 4, &[plane], &mut packed);
        let expected: Vec<u8> =
            (0..4).flat_map(|frame| &samples[(frame * 24 + top) * 31..][..rows * 31]).copied().collect();
        assert_eq!(unpack::<u8>(simd, &packed, 4, &[strip]).unwrap(), [expected]);
    }
}

#[test]
fn cells_are_found() {
    let sizes = [size(64, 64); 2];
    let planes = [samples::<u8>(Kind::Scene, 8, 3, sizes[0]), samples(Kind::Cells, 8, 3, sizes[1])];
    let packed = pack(SimdLevel::detect(), 3, &sizes, &planes);
    assert_eq!(packed[1] & 3, 0);
    assert_eq!(packed[2] & 3, 3);
}

#[test]
fn phases_are_tried() {
    // Every second sample is about its left neighbour, the others are like none.
    let wide = size(640, 64);
    let mut noise = Noise(3);
    let mut last = 0;
    let samples: Vec<u16> = (0..640 * 64 * 2)
        .map(|i| {
            last = if i % 2 == 1 { last + noise.next(8) as u16 } else { 1000 + noise.next(2000) as u16 };
            last
        })
        .collect();
    // Two planes: one alone might be taken for terraced.
    let packed = pack(SimdLevel::detect(), 2, &[wide; 2], &[samples.clone(), samples]);
    assert_eq!(packed[0] & 0x80, 0x80);
    let scene = samples_of_a_scene(wide);
    let plain = pack(SimdLevel::detect(), 2, &[wide; 2], &[scene.clone(), scene]);
    assert_eq!(plain[0] & 0x80, 0);
}

fn samples_of_a_scene(size: Size) -> Vec<u16> {
    samples(Kind::Scene, 12, 2, size)
}

#[test]
fn damage_is_refused_or_gives_samples() {
    let sizes = [size(24, 18), size(24, 18), size(12, 9)];
    let simd = SimdLevel::detect();
    for kind in [Kind::Scene, Kind::Noise, Kind::Cells] {
        let planes: Vec<Vec<u8>> = sizes.iter().map(|&size| samples(kind, 8, 3, size)).collect();
        let packed = pack(simd, 3, &sizes, &planes);
        for length in 0..packed.len() {
            let error = unpack::<u8>(simd, &packed[..length], 3, &sizes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{kind:?} cut at {length}");
        }
        assert!(unpack::<u8>(simd, &[&packed[..], &[0]].concat(), 3, &sizes).is_err());
        assert!(unpack::<u8>(simd, &[&packed[..], &[0, 0]].concat(), 3, &sizes).is_err());
        let mut refused = 0;
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // What it may decode to is for the checksum of the container to judge.
            if let Err(error) = unpack::<u8>(simd, &damaged, 3, &sizes) {
                assert_eq!(error.kind(), ErrorKind::Corrupt);
                refused += 1;
            }
        }
        assert!(refused * 100 > 95 * 8 * packed.len(), "{kind:?}: {refused} of {}", 8 * packed.len());
    }
}

#[test]
fn any_bytes_decode_without_panic() {
    let simd = SimdLevel::detect();
    let sizes = [size(30, 20), size(30, 20), size(15, 10)];
    for seed in 0..200 {
        let mut noise = Noise(seed);
        let length = noise.next(3000);
        let mut bytes: Vec<u8> = (0..length).map(|_| noise.next(256) as u8).collect();
        for bits in [8, 16] {
            if let Some(head) = bytes.get_mut(..4) {
                head.copy_from_slice(&[bits | (seed as u8) << 7, seed as u8 >> 1 & 7, seed as u8 >> 2 & 7, 0]);
            }
            if bits == 8 {
                let _ = unpack::<u8>(simd, &bytes, 4, &sizes);
            }
            let _ = unpack::<u16>(simd, &bytes, 4, &sizes);
        }
    }
}

/// Vectors come back with every filter; those that came first have the first form.
#[test]
fn filters_of_vectors_come_back() {
    use crate::motion::{Field, Filter, Vector};
    let simd = SimdLevel::detect();
    for filter in Filter::ALL {
        let mut field = Field { filter, ..Field::still(40, 24) };
        field.vectors.iter_mut().zip(-9..).for_each(|(vector, x)| *vector = Vector { x, y: x / 2 });
        let packed = vectors::encode(simd, &[Field::still(40, 24), field.clone()]);
        assert_eq!(packed.starts_with(&[1, 0, 0, 0]), filter as u32 > 3, "{filter:?}");
        let mut decoded = vec![Field::still(40, 24); 2];
        vectors::decode(simd, &packed, &mut decoded).unwrap();
        assert_eq!(decoded, [Field::still(40, 24), field]);
    }
}

/// An order, sides and vectors to both sides come back, but for vectors that nothing uses; and what damage makes of them is
/// refused, or is an order too.
#[test]
fn frames_between_others_come_back() {
    use crate::motion::order::Order;
    use crate::motion::{Field, Filter, Later, Moved, Side, Vector};
    let still = Field::still(70, 40);
    let simd = SimdLevel::detect();
    let mut noise = Noise(5);
    for frames in [3, 4, 9, 20] {
        let order = Order::by(frames, |frame, _| frame % 11 > 2 || frames < 5);
        let mut field = |filter| {
            let mut field = Field { filter, ..still.clone() };
            for block in 0..field.vectors.len() / 2 {
                let x = noise.next(30) as i16 - 15;
                field.vectors[2 * block..][..2].fill(Vector { x, y: x / 2 });
            }
            field
        };
        let of_step = |step: crate::motion::order::Step| {
            let earlier = field(Filter::Quarter);
            let sides = (0..still.vectors.len()).map(|unit| [Side::Both, Side::Later, Side::Earlier][unit / 3 % 3]);
            let later = step.later.map(|_| Later { field: field(Filter::Vp9Sharp), sides: sides.collect() });
            Moved { earlier, later }
        };
        let moved: Vec<Moved> = order.steps().into_iter().skip(1).map(of_step).collect();
        let (packed, settled) = vectors::encode_ordered(simd, &order, moved.clone());
        assert_eq!(vectors::decode_ordered(simd, &packed, frames, &still).unwrap(), (order.clone(), settled.clone()));
        for &simd in SimdLevel::available().iter() {
            assert_eq!(vectors::encode_ordered(simd, &order, settled.clone()).0, packed);
        }
        for (moved, settled) in moved.iter().zip(&settled) {
            let Some(later) = &moved.later else {
                assert_eq!(moved, settled);
                continue;
            };
            let of_settled = settled.later.as_ref().unwrap();
            assert_eq!(later.sides, of_settled.sides);
            for (unit, side) in later.sides.iter().enumerate() {
                assert!(*side == Side::Later || moved.earlier.vectors[unit] == settled.earlier.vectors[unit]);
                assert!(*side == Side::Earlier || later.field.vectors[unit] == of_settled.field.vectors[unit]);
            }
        }
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok((order, moved)) = vectors::decode_ordered(simd, &damaged, frames, &still) {
                assert_eq!(order.steps().len(), moved.len() + 1);
            }
        }
        for length in 0..packed.len() {
            assert!(vectors::decode_ordered(simd, &packed[..length], frames, &still).is_err(), "cut at {length}");
        }
    }
}

#[test]
fn vectors_of_a_later_version_are_unsupported() {
    let still = crate::motion::Field::still(40, 24);
    let decoded = vectors::decode_ordered(SimdLevel::detect(), &[3, 0, 0, 0, 0, 0, 1, 0], 2, &still);
    assert_eq!(decoded.unwrap_err().kind(), ErrorKind::Unsupported);
}

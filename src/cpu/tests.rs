//! One table: every stage, at every SIMD level of this machine, against the [oracle](super::oracle),
//! forward and inverse, across levels. The comparison is exact. That it can fail is tested too.

use proptest::prelude::*;

use super::oracle::{self, Picture};
use super::predict::Prediction;
use super::sample::{Sample, with_sample};
use super::{CpuBackend, SimdLevel, bit_shuffle, byte_shuffle, colour, entropy, histogram, predict, temporal};
use crate::frame::{
    Batch, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout, WorkBuffer,
};
use crate::plan::{Colour, Plan, PlanePlan, Predictor, Shuffle};
use crate::stage::{Backend, Order};

const SAMPLE_BYTES: [usize; 4] = [1, 2, 4, 8];

/// Widths around the vector lengths.
fn widths() -> impl Iterator<Item = usize> {
    (1..=20).chain([31, 32, 33, 255, 256, 257])
}

/// Heights around the groups of eight rows in which average and median are inverted.
const HEIGHTS: [usize; 11] = [1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25];

/// A row of the table.
#[derive(Debug, Clone)]
enum Row {
    Predict(Picture),
    Temporal { bytes: usize },
    Shuffle { bytes: usize, shuffle: Shuffle },
    Colour { geometry: Geometry, colour: Colour },
}

impl Row {
    fn sample_bytes(&self) -> usize {
        match self {
            Row::Predict(Picture { bytes, .. }) | Row::Temporal { bytes } | Row::Shuffle { bytes, .. } => *bytes,
            Row::Colour { geometry, .. } => geometry.sample_bytes,
        }
    }

    /// What the definition makes of `input`. A temporal difference has the frame before in the first
    /// half of `input`, and keeps it.
    fn expected(&self, input: &[u8]) -> Vec<u8> {
        let bytes = self.sample_bytes();
        let samples = oracle::samples(bytes, input);
        match self {
            Row::Predict(picture) => oracle::bytes_of(bytes, &picture.forward(&samples)),
            Row::Temporal { .. } => {
                let (previous, current) = samples.split_at(samples.len() / 2);
                let differences = oracle::differences(bytes, current, previous);
                oracle::bytes_of(bytes, &[previous, &differences].concat())
            }
            Row::Shuffle { shuffle, .. } => oracle::shuffled(*shuffle, bytes, input),
            Row::Colour { geometry, colour } => {
                oracle::bytes_of(bytes, &oracle::planes(geometry, *colour, &samples).concat())
            }
        }
    }
}

/// What is compared with the oracle.
trait Twin {
    fn forward(&self, simd: SimdLevel, row: &Row, input: &[u8]) -> Vec<u8>;
    fn inverse(&self, simd: SimdLevel, row: &Row, coded: &[u8]) -> Vec<u8>;
}

/// The kernels.
struct Kernels;

fn read<T: Sample>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(T::BYTES).map(T::read_le).collect()
}

fn prediction(picture: &Picture) -> Prediction {
    let Picture { width, predictor, signed, zigzag, .. } = *picture;
    Prediction { predictor, order: if signed { Order::Signed } else { Order::Unsigned }, zigzag, width }
}

impl Kernels {
    fn forward_samples<T: Sample>(simd: SimdLevel, row: &Row, input: &[u8]) -> Vec<u8> {
        let samples: Vec<T> = read(input);
        let mut out = vec![T::ZERO; samples.len()];
        match row {
            Row::Predict(picture) => predict::forward(simd, prediction(picture), &samples, &mut out),
            Row::Temporal { .. } => {
                let (previous, current) = samples.split_at(samples.len() / 2);
                let (kept, out) = out.split_at_mut(previous.len());
                kept.copy_from_slice(previous);
                temporal::forward(simd, current, previous, out);
            }
            Row::Colour { geometry, colour } => {
                colour::forward(simd, *colour, &geometry.planes, input, &mut split(geometry, &mut out));
            }
            Row::Shuffle { .. } => unreachable!("shuffles work on bytes"),
        }
        bytemuck::cast_slice(&out).to_vec()
    }

    fn inverse_samples<T: Sample>(simd: SimdLevel, row: &Row, coded: &[u8]) -> Vec<u8> {
        let mut samples: Vec<T> = read(coded);
        match row {
            Row::Predict(picture) => predict::inverse(simd, prediction(picture), &mut samples),
            Row::Temporal { .. } => {
                let half = samples.len() / 2;
                let (previous, differences) = samples.split_at_mut(half);
                temporal::inverse(simd, differences, previous);
            }
            Row::Colour { geometry, colour } => {
                let mut raw = vec![0xA5; coded.len()];
                let planes: Vec<&[T]> = split(geometry, &mut samples).into_iter().map(|plane| &*plane).collect();
                colour::inverse(simd, *colour, &geometry.planes, &planes, &mut raw);
                return raw;
            }
            Row::Shuffle { .. } => unreachable!("shuffles work on bytes"),
        }
        bytemuck::cast_slice(&samples).to_vec()
    }
}

/// The samples of one frame, plane by plane.
fn split<'a, T>(geometry: &Geometry, mut samples: &'a mut [T]) -> Vec<&'a mut [T]> {
    let mut planes = Vec::new();
    for plane in &geometry.planes {
        let (head, tail) = samples.split_at_mut(plane.frame_samples());
        planes.push(head);
        samples = tail;
    }
    planes
}

impl Twin for Kernels {
    fn forward(&self, simd: SimdLevel, row: &Row, input: &[u8]) -> Vec<u8> {
        let mut out = vec![0xA5; input.len()];
        match *row {
            Row::Shuffle { bytes, shuffle: Shuffle::Byte } => byte_shuffle::forward(simd, bytes, input, &mut out),
            Row::Shuffle { bytes, .. } => bit_shuffle::forward(simd, bytes, input, &mut out),
            _ => return with_sample!(row.sample_bytes(), T => Self::forward_samples::<T>(simd, row, input)),
        }
        out
    }

    fn inverse(&self, simd: SimdLevel, row: &Row, coded: &[u8]) -> Vec<u8> {
        let mut out = vec![0xA5; coded.len()];
        match *row {
            Row::Shuffle { bytes, shuffle: Shuffle::Byte } => byte_shuffle::inverse(simd, bytes, coded, &mut out),
            Row::Shuffle { bytes, .. } => bit_shuffle::inverse(simd, bytes, coded, &mut out),
            _ => return with_sample!(row.sample_bytes(), T => Self::inverse_samples::<T>(simd, row, coded)),
        }
        out
    }
}

/// The first mismatch of `twin` on one row of the table: forward at each level against the oracle,
/// then inverse of that at each level against the input.
fn mismatch(twin: &dyn Twin, row: &Row, input: &[u8]) -> Option<String> {
    let expected = row.expected(input);
    for &simd in &SimdLevel::available() {
        if let Some(at) = differing(&expected, &twin.forward(simd, row, input)) {
            return Some(format!("forward at {}: byte {at} of {}: {row:?}", simd.name(), input.len()));
        }
        for &other in &SimdLevel::available() {
            let coded = twin.forward(simd, row, input);
            if let Some(at) = differing(input, &twin.inverse(other, row, &coded)) {
                let levels = format!("{} to {}", simd.name(), other.name());
                return Some(format!("inverse, {levels}: byte {at} of {}: {row:?}", input.len()));
            }
        }
    }
    None
}

fn differing(expected: &[u8], found: &[u8]) -> Option<usize> {
    if expected.len() != found.len() {
        return Some(expected.len().min(found.len()));
    }
    expected.iter().zip(found).position(|(expected, found)| expected != found)
}

/// Contents that differ in what they provoke.
#[derive(Debug, Clone, Copy)]
enum Content {
    /// Every value is as likely: sums overflow, comparisons fall either way.
    Noise,
    /// Neighbours are alike, as in pictures.
    Smooth,
    /// The ends of the ranges of signed and unsigned numbers, and their neighbours.
    Extremes,
}

const CONTENTS: [Content; 3] = [Content::Noise, Content::Smooth, Content::Extremes];

fn content(content: Content, bytes: usize, samples: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ (samples as u64) << 8 ^ bytes as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    };
    let sign = 1u64 << (8 * bytes - 1);
    let sample = |at: usize| match content {
        Content::Noise => next(),
        Content::Smooth => sign.wrapping_add(3 * at as u64).wrapping_add(next() % 5).wrapping_sub(2),
        Content::Extremes => [0, 1, 2, sign - 1, sign, sign + 1, u64::MAX, u64::MAX - 1][(next() >> 40) as usize % 8],
    };
    (0..samples).map(sample).flat_map(|sample: u64| sample.to_le_bytes()[..bytes].to_vec()).collect()
}

/// Every row of predict and temporal, with its number of samples.
fn prediction_rows(bytes: usize) -> Vec<(Row, usize)> {
    let mut rows = Vec::new();
    for width in widths() {
        for height in HEIGHTS {
            for &predictor in Predictor::ALL {
                for (signed, zigzag) in [(false, false), (false, true), (true, false), (true, true)] {
                    let picture = Picture { bytes, width, predictor, signed, zigzag };
                    rows.push((Row::Predict(picture), width * height));
                }
            }
        }
        rows.push((Row::Temporal { bytes }, 2 * width));
    }
    rows
}

fn shuffle_rows(bytes: usize) -> Vec<(Row, usize)> {
    let lengths = (0..=67).chain([127, 128, 129, 511, 512, 513, 519, 520, 1023, 1024, 1031, 4101]);
    let kinds = if bytes == 1 { &[Shuffle::Bit][..] } else { &[Shuffle::Byte, Shuffle::Bit] };
    lengths.flat_map(|length| kinds.iter().map(move |&shuffle| (Row::Shuffle { bytes, shuffle }, length))).collect()
}

/// Layouts of every kind at one size.
fn layouts(width: usize, height: usize) -> Vec<Layout> {
    let mut layouts = vec![Layout::Gray { width, height }];
    layouts.extend(ChannelOrder::ALL.map(|order| Layout::Packed { width, height, order }));
    for sampling in ChromaSampling::ALL {
        layouts.extend(ChromaOrder::ALL.map(|chroma| Layout::Yuv { width, height, sampling, chroma }));
    }
    layouts.extend((1..=5).map(|channels| Layout::Array { shape: vec![height, width, channels] }));
    layouts
}

/// The same planes one after another, as samples of pictures have them.
fn apart(geometry: &Geometry) -> Geometry {
    let mut geometry = geometry.clone();
    let mut offset = 0;
    for plane in &mut geometry.planes {
        (plane.offset, plane.step) = (offset, 1);
        offset += plane.frame_samples();
    }
    geometry
}

fn colour_rows(dtype: Dtype) -> Vec<(Row, usize)> {
    let mut rows = Vec::new();
    for (width, height) in [(1, 1), (1, 9), (9, 1), (5, 3), (16, 2), (33, 7), (255, 3), (257, 2)] {
        for layout in layouts(width, height) {
            let geometry = Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), 1);
            let colours = if geometry.colour { Colour::ALL } else { &[Colour::None] };
            for &colour in colours {
                for geometry in [geometry.clone(), apart(&geometry)] {
                    let samples = geometry.frame_samples;
                    rows.push((Row::Colour { geometry, colour }, samples));
                }
            }
        }
    }
    rows
}

fn check(rows: Vec<(Row, usize)>) {
    assert!(!rows.is_empty());
    for (row, samples) in rows {
        for kind in CONTENTS {
            let input = content(kind, row.sample_bytes(), samples);
            if let Some(mismatch) = mismatch(&Kernels, &row, &input) {
                panic!("{kind:?}: {mismatch}");
            }
        }
    }
}

#[test]
fn predict_and_temporal_of_1_byte() {
    check(prediction_rows(1));
}

#[test]
fn predict_and_temporal_of_2_bytes() {
    check(prediction_rows(2));
}

#[test]
fn predict_and_temporal_of_4_bytes() {
    check(prediction_rows(4));
}

#[test]
fn predict_and_temporal_of_8_bytes() {
    check(prediction_rows(8));
}

#[test]
fn shuffles() {
    SAMPLE_BYTES.into_iter().for_each(|bytes| check(shuffle_rows(bytes)));
}

#[test]
fn colours_and_planes() {
    [Dtype::U8, Dtype::U16, Dtype::I32, Dtype::U64, Dtype::F32].into_iter().for_each(|dtype| check(colour_rows(dtype)));
}

/// Wrong in one way.
enum Wrong {
    /// Compares signed numbers as unsigned ones and the other way round.
    Order,
    /// Takes another predictor for the median.
    Predictor,
    /// Forgets the last row when restoring.
    LastRow,
    /// Subtracts the wrong way round.
    Temporal,
    /// Takes bits for bytes.
    Shuffle,
    /// Does not transform colours, either way: a round trip would not notice.
    Colour,
    /// Has the last bit of everything wrong.
    LastBit,
}

impl Wrong {
    /// The row that is done in place of `row`.
    fn instead(&self, row: &Row) -> Row {
        match (self, row.clone()) {
            (Wrong::Order, Row::Predict(picture)) => Row::Predict(Picture { signed: !picture.signed, ..picture }),
            (Wrong::Predictor, Row::Predict(picture)) if picture.predictor == Predictor::Median => {
                Row::Predict(Picture { predictor: Predictor::Gradient, ..picture })
            }
            (Wrong::Shuffle, Row::Shuffle { bytes, shuffle: Shuffle::Byte }) => {
                Row::Shuffle { bytes, shuffle: Shuffle::Bit }
            }
            (Wrong::Colour, Row::Colour { geometry, .. }) => Row::Colour { geometry, colour: Colour::None },
            (_, row) => row,
        }
    }
}

impl Twin for Wrong {
    fn forward(&self, simd: SimdLevel, row: &Row, input: &[u8]) -> Vec<u8> {
        let mut out = Kernels.forward(simd, &self.instead(row), input);
        match (self, row) {
            (Wrong::Temporal, Row::Temporal { bytes }) => {
                let (previous, current) = input.split_at(input.len() / 2);
                let swapped = Kernels.forward(simd, row, &[current, previous].concat());
                out = [previous, &swapped[input.len() / 2..]].concat();
                assert_eq!(out.len() % bytes, 0);
            }
            (Wrong::LastBit, _) => *out.last_mut().unwrap() ^= 1,
            _ => {}
        }
        out
    }

    fn inverse(&self, simd: SimdLevel, row: &Row, coded: &[u8]) -> Vec<u8> {
        let mut out = Kernels.inverse(simd, &self.instead(row), coded);
        if let (Wrong::LastRow, Row::Predict(Picture { bytes, width, .. })) = (self, row) {
            let last = out.len() - bytes * width;
            out[last..].copy_from_slice(&coded[last..]);
        }
        out
    }
}

/// A wrong twin is found, by every content that can tell.
#[test]
fn canary() {
    let picture = Picture { bytes: 2, width: 33, predictor: Predictor::Median, signed: false, zigzag: true };
    let predict = |predictor| Row::Predict(Picture { predictor, ..picture });
    let layout = Layout::Packed { width: 11, height: 6, order: ChannelOrder::Rgba };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U16, layout).unwrap(), 1);
    let rows = [
        (Wrong::Order, predict(Predictor::Average)),
        (Wrong::Order, predict(Predictor::Median)),
        (Wrong::Predictor, predict(Predictor::Median)),
        (Wrong::LastRow, predict(Predictor::Up)),
        (Wrong::LastBit, predict(Predictor::None)),
        (Wrong::Temporal, Row::Temporal { bytes: 2 }),
        (Wrong::LastBit, Row::Temporal { bytes: 2 }),
        (Wrong::Shuffle, Row::Shuffle { bytes: 2, shuffle: Shuffle::Byte }),
        (Wrong::LastBit, Row::Shuffle { bytes: 2, shuffle: Shuffle::Bit }),
        (Wrong::Colour, Row::Colour { geometry: geometry.clone(), colour: Colour::SubtractGreen }),
        (Wrong::LastBit, Row::Colour { geometry, colour: Colour::None }),
    ];
    for (wrong, row) in rows {
        for kind in [Content::Noise, Content::Extremes] {
            let input = content(kind, 2, 33 * 8);
            assert!(mismatch(&wrong, &row, &input).is_some(), "{kind:?}: a wrong {row:?} went unnoticed");
            assert_eq!(mismatch(&Kernels, &row, &input), None);
        }
    }
}

/// The oracle restores what it made: an oracle that is wrong both ways would at least not be one-sided.
#[test]
fn the_oracle_inverts_itself() {
    for bytes in SAMPLE_BYTES {
        for (row, samples) in prediction_rows(bytes).into_iter().step_by(7) {
            if let Row::Predict(picture) = row {
                let input = oracle::samples(bytes, &content(Content::Noise, bytes, samples));
                assert_eq!(picture.inverse(&picture.forward(&input)), input, "{picture:?}");
            }
        }
    }
}

#[test]
fn histogram_counts_every_byte() {
    for bytes in SAMPLE_BYTES {
        for samples in [0, 1, 2, 3, 255, 256, 1001] {
            for kind in CONTENTS {
                let input = content(kind, bytes, samples);
                // Earlier counts are kept.
                let mut expected = vec![3; bytes * histogram::BINS];
                let mut found = expected.clone();
                for (at, &byte) in input.iter().enumerate() {
                    expected[at % bytes * histogram::BINS + usize::from(byte)] += 1;
                }
                histogram::forward(bytes, &input, &mut found);
                assert_eq!(found, expected, "{bytes} bytes, {samples} samples, {kind:?}");
            }
        }
    }
}

#[test]
fn entropy_is_the_entropy() {
    for bytes in SAMPLE_BYTES {
        for samples in [1, 2, 3, 255, 5000] {
            for kind in CONTENTS {
                let mut bins = vec![0; bytes * histogram::BINS];
                histogram::forward(bytes, &content(kind, bytes, samples), &mut bins);
                let bits = |&count: &u32| match count {
                    0 => 0.0,
                    count => f64::from(count) * (samples as f64 / f64::from(count)).log2(),
                };
                let exact: f64 = bins.iter().map(bits).sum();
                let found = entropy::forward(&bins) as f64 / f64::from(1 << entropy::FRACTION_BITS);
                // Each logarithm is rounded down by less than three of its last bits.
                let tolerance = 3.0 * (bytes * samples) as f64 / f64::from(1 << entropy::FRACTION_BITS);
                assert!((found - exact).abs() <= tolerance, "{bytes} bytes, {samples} {kind:?}: {found}, not {exact}");
            }
        }
    }
}

prop_compose! {
    fn formats()(
        dtype in prop::sample::select(&Dtype::ALL[..]),
        (width, height) in (0usize..40, 0usize..20),
        kind in 0usize..64,
        (depth, axes) in (0usize..4, 0usize..5),
    ) -> FrameFormat {
        let mut layouts = layouts(width, height);
        layouts.extend([
            Layout::Array { shape: vec![depth, height, width, 3] },
            Layout::Array { shape: vec![depth, height, width][..axes.min(3)].to_vec() },
            Layout::Array { shape: vec![width] },
            Layout::Array { shape: vec![] },
        ]);
        FrameFormat::new(dtype, layouts.swap_remove(kind % layouts.len())).unwrap()
    }
}

prop_compose! {
    fn plane_plans()(
        intra in prop::sample::select(Predictor::ALL),
        temporal in any::<bool>(),
        inter in prop::sample::select(Predictor::ALL),
        shuffle in prop::sample::select(Shuffle::ALL),
    ) -> PlanePlan {
        PlanePlan { intra, temporal, inter, shuffle }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any plan on any geometry: the residuals are the oracle's, and the inverse gives the frames back,
    /// whatever the levels and threads.
    #[test]
    fn backends_carry_out_any_plan(
        format in formats(),
        frames in 0usize..6,
        mut planes in prop::collection::vec(plane_plans(), 5),
        subtract_green in any::<bool>(),
        span_samples in prop::sample::select(vec![8u32, 16, 40, 512, 1 << 18]),
        kind in prop::sample::select(&CONTENTS[..]),
        threads in 1usize..4,
    ) {
        let geometry = Geometry::new(&format, frames);
        planes.truncate(geometry.planes.len());
        if geometry.sample_bytes == 1 {
            planes.iter_mut().filter(|plane| plane.shuffle == Shuffle::Byte).for_each(|plane| plane.shuffle = Shuffle::Bit);
        }
        let colour = if subtract_green && geometry.colour { Colour::SubtractGreen } else { Colour::None };
        let plan = Plan { colour, span_samples, planes, ..Plan::identity(&geometry) };
        plan.check(&geometry).unwrap();

        let raw = content(kind, geometry.sample_bytes, frames * format.frame_samples());
        let expected = oracle::residuals(&geometry, &plan, &raw);
        for simd in SimdLevel::available() {
            let mut residuals = WorkBuffer::default();
            let batch = Batch { geometry: &geometry, raw: &raw };
            CpuBackend::new(simd, threads).forward(batch, &plan, &mut residuals).unwrap();
            for (plane, expected) in expected.iter().enumerate() {
                let found = &residuals.as_bytes()[geometry.plane_range(plane)];
                prop_assert_eq!(differing(expected, found), None, "plane {} at {}", plane, simd.name());
            }
            for other in SimdLevel::available() {
                let mut restored = vec![0xA5; raw.len()];
                let backend = CpuBackend::new(other, threads);
                backend.inverse(&geometry, &plan, &mut residuals.clone(), &mut restored).unwrap();
                prop_assert_eq!(differing(&raw, &restored), None, "{} to {}", simd.name(), other.name());
            }
        }
    }
}

//! Batches, plans and candidates.

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout};
use framepress::internal::Batch;
use framepress::internal::gpu::sample_bytes;
use framepress::plan::{Candidate, Colour, Plan, PlanePlan, Predictor, Shuffle};

/// All widths of samples, in unsigned and in signed order, and those that are neither.
pub const DTYPES: [Dtype; 11] = [
    Dtype::Bool,
    Dtype::U8,
    Dtype::I8,
    Dtype::U16,
    Dtype::I16,
    Dtype::F16,
    Dtype::U32,
    Dtype::I32,
    Dtype::U64,
    Dtype::I64,
    Dtype::F64,
];

/// One of each width.
pub const WIDTHS: [Dtype; 4] = [Dtype::U8, Dtype::I16, Dtype::F32, Dtype::I64];

/// Frames that stay alive for a [`Batch`].
pub struct Case {
    pub geometry: Geometry,
    pub raw: Vec<u8>,
}

impl Case {
    pub fn new(dtype: Dtype, layout: Layout, frames: usize, seed: u64) -> Self {
        let geometry = Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), frames);
        let raw = sample_bytes(geometry.raw_bytes(), seed);
        Self { geometry, raw }
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: &self.raw }
    }

    pub fn identity(&self) -> Plan {
        Plan::identity(&self.geometry)
    }

    /// Every predictor in both places with and without temporal differences, and the other choices
    /// in turn.
    pub fn plans(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for (at, &predictor) in Predictor::ALL.iter().enumerate() {
            for temporal in [false, true] {
                let number = 2 * at + usize::from(temporal);
                let mut plan = self.identity();
                if self.geometry.colour && number % 4 != 1 {
                    plan.colour = Colour::SubtractGreen;
                }
                plan.span_samples = [8, 64, 1 << 18, u32::MAX - 7][number % 4];
                for (index, plane) in plan.planes.iter_mut().enumerate() {
                    let shuffles = if self.geometry.sample_bytes == 1 { 2 } else { 3 };
                    *plane = PlanePlan {
                        intra: Predictor::ALL[(at + index) % 6],
                        temporal,
                        inter: if number.is_multiple_of(3) { Predictor::ALL[(at + index) % 6] } else { predictor },
                        shuffle: [Shuffle::None, Shuffle::Bit, Shuffle::Byte][(number + index) % shuffles],
                    };
                }
                plan.check(&self.geometry).unwrap();
                plans.push(plan);
            }
        }
        plans
    }

    /// Every candidate.
    pub fn candidates(&self) -> Vec<Candidate> {
        let colours = if self.geometry.colour { Colour::ALL } else { &[Colour::None] };
        let mut candidates = Vec::new();
        for &predictor in Predictor::ALL {
            for temporal in [true, false] {
                candidates.extend(colours.iter().map(|&colour| Candidate { colour, temporal, predictor }));
            }
        }
        candidates
    }
}

pub fn gray(width: usize, height: usize) -> Layout {
    Layout::Gray { width, height }
}

pub fn packed(width: usize, height: usize, order: ChannelOrder) -> Layout {
    Layout::Packed { width, height, order }
}

pub fn array(shape: &[usize]) -> Layout {
    Layout::Array { shape: shape.to_vec() }
}

pub fn yuv(width: usize, height: usize, sampling: ChromaSampling, chroma: ChromaOrder) -> Layout {
    Layout::Yuv { width, height, sampling, chroma }
}

/// Layouts with numbers of frames, odd in every way, filled with samples of `dtype`.
pub fn shapes(dtype: Dtype) -> impl Iterator<Item = Case> {
    let shapes = [
        (gray(1, 1), 1),
        (gray(1, 1), 5),
        (gray(1, 9), 2),
        (gray(9, 1), 5),
        (gray(3, 5), 5),
        (gray(17, 33), 2),
        (gray(640, 3), 1),
        (gray(255, 3), 2),
        (gray(256, 2), 2),
        (gray(257, 67), 2),
        (gray(1031, 2), 2),
        (gray(2100, 1), 3),
        (packed(3, 5, ChannelOrder::Rgb), 5),
        (packed(17, 33, ChannelOrder::Bgr), 2),
        (packed(7, 3, ChannelOrder::Rgba), 5),
        (packed(1, 1, ChannelOrder::Bgra), 1),
        (yuv(5, 3, ChromaSampling::Cs420, ChromaOrder::Planar), 5),
        (yuv(17, 9, ChromaSampling::Cs422, ChromaOrder::UvInterleaved), 2),
        (yuv(7, 7, ChromaSampling::Cs420, ChromaOrder::VuInterleaved), 2),
        (yuv(4, 5, ChromaSampling::Cs444, ChromaOrder::Planar), 1),
        (array(&[]), 77),
        (array(&[13]), 11),
        (array(&[3, 5, 2]), 5),
        (array(&[2, 3, 4, 5]), 3),
    ];
    shapes.into_iter().map(move |(layout, frames)| Case::new(dtype, layout, frames, frames as u64))
}

//! The GPU against the CPU, on every adapter of this machine.

use std::sync::OnceLock;

use super::adapters::{self, Selection};
use super::backend::{Fault, GpuBackend};
use super::probe::{Difference, compare, compare_costs, sample_bytes};
use super::record;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::ErrorKind;
use crate::frame::{
    Batch, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout, WorkBuffer,
};
use crate::plan::{Candidate, Colour, Plan, PlanePlan, Predictor, Shuffle};
use crate::stage::{Accelerator, Backend};

/// When this is `1`, tests fail where there is no adapter.
const REQUIRE_GPU: &str = "FRAMEPRESS_REQUIRE_GPU";

/// Every adapter, opened. None is reported, never passed over in silence.
fn devices() -> &'static [GpuBackend] {
    static DEVICES: OnceLock<Vec<GpuBackend>> = OnceLock::new();
    let devices = DEVICES.get_or_init(|| {
        let open = |at: usize| GpuBackend::new(Selection::Named(&at.to_string())).unwrap();
        (0..adapters::list().len()).map(open).collect()
    });
    if devices.is_empty() {
        assert!(std::env::var(REQUIRE_GPU).as_deref() != Ok("1"), "no GPU adapter, and {REQUIRE_GPU} is 1");
        eprintln!("skipped: no GPU adapter");
    }
    devices
}

fn cpu() -> CpuBackend {
    CpuBackend::new(SimdLevel::detect(), 1)
}

fn gray(width: usize, height: usize) -> Layout {
    Layout::Gray { width, height }
}

fn packed(width: usize, height: usize, order: ChannelOrder) -> Layout {
    Layout::Packed { width, height, order }
}

fn yuv(width: usize, height: usize, sampling: ChromaSampling, chroma: ChromaOrder) -> Layout {
    Layout::Yuv { width, height, sampling, chroma }
}

fn array(shape: &[usize]) -> Layout {
    Layout::Array { shape: shape.to_vec() }
}

/// Layouts with numbers of frames, odd in every way.
fn shapes() -> Vec<(Layout, usize)> {
    vec![
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
    ]
}

/// All widths of samples, in unsigned and in signed order, and those that are neither.
const DTYPES: [Dtype; 11] = [
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

/// Every predictor in both places with and without temporal differences, and the other choices in
/// turn.
fn plans(geometry: &Geometry) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (at, &predictor) in Predictor::ALL.iter().enumerate() {
        for temporal in [false, true] {
            let number = 2 * at + usize::from(temporal);
            let mut plan = Plan::identity(geometry);
            if geometry.colour && number % 4 != 1 {
                plan.colour = Colour::SubtractGreen;
            }
            plan.span_samples = [8, 64, 1 << 18, u32::MAX - 7][number % 4];
            for (index, plane) in plan.planes.iter_mut().enumerate() {
                let shuffles = if geometry.sample_bytes == 1 { 2 } else { 3 };
                *plane = PlanePlan {
                    intra: Predictor::ALL[(at + index) % 6],
                    temporal,
                    inter: if number.is_multiple_of(3) { Predictor::ALL[(at + index) % 6] } else { predictor },
                    shuffle: [Shuffle::None, Shuffle::Bit, Shuffle::Byte][(number + index) % shuffles],
                };
            }
            plan.check(geometry).unwrap();
            plans.push(plan);
        }
    }
    plans
}

fn candidates(geometry: &Geometry) -> Vec<Candidate> {
    let colours = if geometry.colour { Colour::ALL } else { &[Colour::None] };
    let mut candidates = Vec::new();
    for &predictor in Predictor::ALL {
        for temporal in [true, false] {
            candidates.extend(colours.iter().map(|&colour| Candidate { colour, temporal, predictor }));
        }
    }
    candidates
}

fn geometry(dtype: Dtype, layout: Layout, frames: usize) -> Geometry {
    Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), frames)
}

#[test]
fn forward_and_inverse_are_the_cpus() {
    for device in devices() {
        for dtype in DTYPES {
            for (layout, frames) in shapes() {
                let geometry = geometry(dtype, layout.clone(), frames);
                let raw = sample_bytes(geometry.raw_bytes(), frames as u64);
                let batch = Batch { geometry: &geometry, raw: &raw };
                for plan in plans(&geometry) {
                    let difference = compare(device, &cpu(), batch, &plan).unwrap();
                    assert_eq!(difference, None, "{}: {dtype} {layout:?} {plan:?}", device.description());
                }
            }
        }
    }
}

#[test]
fn costs_are_the_cpus() {
    for device in devices() {
        for dtype in [Dtype::U8, Dtype::I16, Dtype::F32, Dtype::I64] {
            for (layout, frames) in shapes() {
                let geometry = geometry(dtype, layout.clone(), frames);
                let raw = sample_bytes(geometry.raw_bytes(), frames as u64);
                let batch = Batch { geometry: &geometry, raw: &raw };
                let difference = compare_costs(device, &cpu(), batch, &candidates(&geometry)).unwrap();
                assert_eq!(difference, None, "{}: {dtype} {layout:?}", device.description());
            }
        }
    }
}

/// Entropies beyond 32 bits, counts beyond 16, and several workgroups for each histogram.
#[test]
fn costs_of_a_larger_batch_are_the_cpus() {
    for dtype in [Dtype::U8, Dtype::U32] {
        let geometry = geometry(dtype, packed(401, 300, ChannelOrder::Rgb), 3);
        let mut noise = sample_bytes(geometry.raw_bytes(), 2);
        noise
            .iter_mut()
            .enumerate()
            .for_each(|(at, byte)| *byte = byte.wrapping_mul(31).wrapping_add(((at * at) >> 7) as u8));
        for raw in [noise, vec![7; geometry.raw_bytes()]] {
            let batch = Batch { geometry: &geometry, raw: &raw };
            let candidates = [Predictor::None, Predictor::Gradient].map(|predictor| Candidate {
                colour: Colour::None,
                temporal: false,
                predictor,
            });
            if raw[0] != raw[1] {
                assert!(cpu().costs(batch, &candidates).unwrap()[0] > u64::from(u32::MAX));
            }
            for device in devices() {
                let difference = compare_costs(device, &cpu(), batch, &candidates).unwrap();
                assert_eq!(difference, None, "{}: {dtype}", device.description());
            }
        }
    }
}

/// A frame is a workgroup of the wavefront, a row one of the running sum along rows.
#[test]
fn more_workgroups_than_a_dimension_has() {
    let geometry = geometry(Dtype::U8, gray(3, 2), 70_001);
    let raw = sample_bytes(geometry.raw_bytes(), 1);
    for predictor in [Predictor::Median, Predictor::Left] {
        let mut plan = Plan::identity(&geometry);
        plan.planes[0].inter = predictor;
        let recording = record::inverse(&geometry, &plan).unwrap();
        assert!(recording.dispatches().any(|dispatch| dispatch.workgroups[1] > 1));
        for device in devices() {
            let batch = Batch { geometry: &geometry, raw: &raw };
            assert_eq!(compare(device, &cpu(), batch, &plan).unwrap(), None, "{}", device.description());
        }
    }
}

/// 256 units of four samples are a workgroup of the other kernels.
#[test]
fn more_units_than_a_dimension_has() {
    let geometry = geometry(Dtype::U8, gray(8193, 4097), 2);
    let raw = sample_bytes(geometry.raw_bytes(), 1);
    let mut plan = Plan::identity(&geometry);
    plan.planes[0] = PlanePlan { intra: Predictor::Up, temporal: true, inter: Predictor::None, shuffle: Shuffle::Bit };
    let recording = record::forward(&geometry, &plan).unwrap();
    assert!(recording.dispatches().any(|dispatch| dispatch.workgroups[1] > 1));
    for device in devices() {
        let batch = Batch { geometry: &geometry, raw: &raw };
        assert_eq!(compare(device, &cpu(), batch, &plan).unwrap(), None, "{}", device.description());
    }
}

#[test]
fn nothing_is_transformed_to_nothing() {
    for device in devices() {
        for (layout, frames) in [(gray(0, 3), 4), (gray(3, 2), 0), (array(&[]), 0)] {
            let geometry = geometry(Dtype::U16, layout, frames);
            let batch = Batch { geometry: &geometry, raw: &[] };
            assert_eq!(compare(device, &cpu(), batch, &Plan::identity(&geometry)).unwrap(), None);
            assert_eq!(compare_costs(device, &cpu(), batch, &candidates(&geometry)).unwrap(), None);
        }
    }
}

#[test]
fn threads_share_a_device() {
    let geometry = geometry(Dtype::U8, packed(61, 43, ChannelOrder::Rgb), 3);
    let raw = sample_bytes(geometry.raw_bytes(), 9);
    let batch = Batch { geometry: &geometry, raw: &raw };
    for device in devices() {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let plans = plans(&geometry).into_iter().skip(thread);
                scope.spawn(move || {
                    for plan in plans {
                        assert_eq!(compare(device, &cpu(), batch, &plan).unwrap(), None);
                    }
                });
            }
        });
    }
}

/// The comparison that all of these tests rest on does fail.
#[test]
fn a_wrong_result_is_noticed() {
    struct OtherPlan(CpuBackend);
    impl Backend for OtherPlan {
        fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> crate::Result<()> {
            let mut plan = plan.clone();
            plan.planes[0].intra = Predictor::Left;
            self.0.forward(batch, &plan, out)
        }
        fn inverse(
            &self,
            geometry: &Geometry,
            plan: &Plan,
            from: &mut WorkBuffer,
            raw: &mut [u8],
        ) -> crate::Result<()> {
            let mut plan = plan.clone();
            plan.planes[0].intra = Predictor::Left;
            self.0.inverse(geometry, &plan, from, raw)
        }
        fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> crate::Result<Vec<u64>> {
            let mut costs = self.0.costs(batch, candidates)?;
            costs[1] += 1;
            Ok(costs)
        }
    }
    struct WrongInverse(CpuBackend);
    impl Backend for WrongInverse {
        fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> crate::Result<()> {
            self.0.forward(batch, plan, out)
        }
        fn inverse(
            &self,
            geometry: &Geometry,
            plan: &Plan,
            from: &mut WorkBuffer,
            raw: &mut [u8],
        ) -> crate::Result<()> {
            self.0.inverse(geometry, plan, from, raw)?;
            raw[6] ^= 1;
            Ok(())
        }
        fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> crate::Result<Vec<u64>> {
            self.0.costs(batch, candidates)
        }
    }
    let geometry = geometry(Dtype::U8, gray(5, 3), 1);
    let raw = sample_bytes(geometry.raw_bytes(), 3);
    let batch = Batch { geometry: &geometry, raw: &raw };
    let plan = Plan::identity(&geometry);
    let wrong = OtherPlan(cpu());
    assert!(matches!(compare(&wrong, &cpu(), batch, &plan).unwrap(), Some(Difference::Forward { plane: 0, .. })));
    let costs = compare_costs(&wrong, &cpu(), batch, &candidates(&geometry)).unwrap();
    assert_eq!(costs, Some(Difference::Costs { value: 1 }));
    assert!(super::probe::check(&wrong).unwrap_err().to_string().contains("probe: colour of uint8 is wrong"));
    let wrong = WrongInverse(cpu());
    assert_eq!(compare(&wrong, &cpu(), batch, &plan).unwrap(), Some(Difference::Inverse { byte: 6 }));
}

#[test]
fn faults_are_errors_and_a_lost_device_stays_lost() {
    let geometry = geometry(Dtype::U8, gray(33, 5), 2);
    let raw = sample_bytes(geometry.raw_bytes(), 5);
    let batch = Batch { geometry: &geometry, raw: &raw };
    let plan = Plan::identity(&geometry);
    for at in 0..devices().len() {
        let device = GpuBackend::new(Selection::Named(&at.to_string())).unwrap();
        device.inject(Fault::WrongBytes);
        let difference = compare(&device, &cpu(), batch, &plan).unwrap();
        assert_eq!(difference, Some(Difference::Forward { plane: 0, byte: 0 }));
        device.inject(Fault::OutOfMemory);
        assert_eq!(compare(&device, &cpu(), batch, &plan).unwrap_err().kind(), ErrorKind::Gpu);
        assert_eq!(compare(&device, &cpu(), batch, &plan).unwrap(), None);
        assert!(!device.is_lost());
        device.inject(Fault::LoseDevice);
        for _ in 0..2 {
            assert_eq!(compare(&device, &cpu(), batch, &plan).unwrap_err().kind(), ErrorKind::Gpu);
            assert!(device.is_lost());
        }
    }
}

#[test]
fn a_batch_that_is_too_large_is_an_error() {
    let plan = |geometry: &Geometry| Plan::identity(geometry);
    let huge = geometry(Dtype::F64, gray(1 << 20, 1 << 20), 1 << 10);
    for recording in [record::forward(&huge, &plan(&huge)), record::inverse(&huge, &plan(&huge))] {
        assert_eq!(recording.unwrap_err().kind(), ErrorKind::Gpu);
    }
    // Software adapters offer the least that any adapter does.
    for device in devices().iter().filter(|device| device.description().is_software()) {
        let large = geometry(Dtype::U8, gray(1 << 15, (1 << 12) + 1), 1);
        let raw = vec![0; large.raw_bytes()];
        let batch = Batch { geometry: &large, raw: &raw };
        match device.forward(batch, &plan(&large), &mut WorkBuffer::default()) {
            Ok(()) => {}
            Err(error) => assert!(error.to_string().contains("batch too large"), "{error}"),
        }
        assert!(!device.is_lost());
    }
}

#[test]
fn an_unknown_adapter_is_refused_with_a_list() {
    for device in devices() {
        let error = GpuBackend::new(Selection::Named("no such adapter")).err().unwrap().to_string();
        assert!(error.contains(&device.description().name), "{error}");
    }
}

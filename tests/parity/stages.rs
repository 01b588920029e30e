//! The stages on every backend against the reference, forward, inverse and costs, and across
//! backends.

use framepress::frame::{ChannelOrder, Dtype, WorkBuffer};
use framepress::internal::Backend;
use framepress::internal::gpu::{compare, compare_costs};
use framepress::plan::{Candidate, Colour, Plan, PlanePlan, Predictor, Shuffle};
use libtest_mimic::Trial;

use super::backends::{Subject, all, reference, row, trial};
use super::cases::{Case, DTYPES, WIDTHS, array, gray, packed, shapes};

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in all() {
        rows.extend(DTYPES.map(|dtype| row("parity", it, dtype.name(), move || stages(it, dtype))));
        rows.push(row("parity", it, "nothing", || nothing(it)));
        rows.push(row("parity", it, "many-workgroups", || many_workgroups(it)));
        rows.push(row("parity", it, "many-units", || many_units(it)));
        rows.push(row("parity", it, "threads", || threads(it)));
        rows.extend(WIDTHS.map(|dtype| row("costs", it, dtype.name(), move || costs(it, dtype))));
        for dtype in [Dtype::U8, Dtype::U32] {
            rows.push(row("costs", it, &format!("larger-{dtype}"), move || costs_of_a_larger_batch(it, dtype)));
        }
        for to in all().iter().filter(|to| to.name != it.name) {
            rows.push(trial(format!("cross::{}::{}", it.name, to.name), &[it, to], || cross(it, to)));
        }
    }
    rows
}

fn same(subject: &Subject, case: &Case, plan: &Plan) {
    let difference = compare(subject.backend(), &reference(), case.batch(), plan).unwrap();
    assert_eq!(difference, None, "{:?} {plan:?}", case.geometry);
}

fn same_costs(subject: &Subject, case: &Case, candidates: &[Candidate]) {
    let difference = compare_costs(subject.backend(), &reference(), case.batch(), candidates).unwrap();
    assert_eq!(difference, None, "{:?}", case.geometry);
}

fn stages(subject: &Subject, dtype: Dtype) {
    for case in shapes(dtype) {
        case.plans().iter().for_each(|plan| same(subject, &case, plan));
    }
}

fn costs(subject: &Subject, dtype: Dtype) {
    shapes(dtype).for_each(|case| same_costs(subject, &case, &case.candidates()));
}

/// Entropies beyond 32 bits, counts beyond 16, and several workgroups for each histogram.
fn costs_of_a_larger_batch(subject: &Subject, dtype: Dtype) {
    let mut case = Case::new(dtype, packed(401, 300, ChannelOrder::Rgb), 3, 2);
    for (at, byte) in case.raw.iter_mut().enumerate() {
        *byte = byte.wrapping_mul(31).wrapping_add(((at * at) >> 7) as u8);
    }
    let candidates = [Predictor::None, Predictor::Gradient].map(|predictor| Candidate {
        colour: Colour::None,
        temporal: false,
        predictor,
    });
    assert!(reference().costs(case.batch(), &candidates).unwrap()[0] > u64::from(u32::MAX));
    same_costs(subject, &case, &candidates);
    case.raw.fill(7);
    same_costs(subject, &case, &candidates);
}

/// A frame is a workgroup of the wavefront, a row one of the running sum along rows: more of them
/// than a dimension of a dispatch has.
fn many_workgroups(subject: &Subject) {
    let case = Case::new(Dtype::U8, gray(3, 2), 70_001, 1);
    for predictor in [Predictor::Median, Predictor::Left] {
        let mut plan = case.identity();
        plan.planes[0].inter = predictor;
        same(subject, &case, &plan);
    }
}

/// 256 units of four samples are a workgroup of the other kernels: more than a dimension has.
fn many_units(subject: &Subject) {
    let case = Case::new(Dtype::U8, gray(8193, 4097), 2, 1);
    let mut plan = case.identity();
    plan.planes[0] = PlanePlan { intra: Predictor::Up, temporal: true, inter: Predictor::None, shuffle: Shuffle::Bit };
    same(subject, &case, &plan);
}

fn nothing(subject: &Subject) {
    for (layout, frames) in [(gray(0, 3), 4), (gray(3, 2), 0), (array(&[]), 0)] {
        let case = Case::new(Dtype::U16, layout, frames, 0);
        same(subject, &case, &case.identity());
        same_costs(subject, &case, &case.candidates());
    }
}

fn threads(subject: &Subject) {
    let case = &Case::new(Dtype::U8, packed(61, 43, ChannelOrder::Rgb), 3, 9);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || case.plans()[thread..].iter().for_each(|plan| same(subject, case, plan)));
        }
    });
}

/// Forward on one backend, inverse on another.
fn cross(from: &Subject, to: &Subject) {
    for case in WIDTHS.into_iter().flat_map(shapes) {
        for plan in case.plans() {
            let mut residuals = WorkBuffer::default();
            let mut raw = vec![0xA5; case.raw.len()];
            from.backend().forward(case.batch(), &plan, &mut residuals).unwrap();
            to.backend().inverse(&case.geometry, &plan, &mut residuals, &mut raw).unwrap();
            assert!(raw == case.raw, "{:?} {plan:?}", case.geometry);
        }
    }
}

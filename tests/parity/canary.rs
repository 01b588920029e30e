//! The comparisons that all rows rest on do fail when a backend is wrong.

use framepress::Result;
use framepress::frame::{Dtype, Geometry, WorkBuffer};
use framepress::internal::gpu::{Difference, check, compare, compare_costs};
use framepress::internal::{Backend, Batch, CpuBackend};
use framepress::plan::{Candidate, Plan, Predictor};
use libtest_mimic::Trial;

use super::backends::{reference, trial};
use super::cases::{Case, gray};

pub fn rows() -> Vec<Trial> {
    let row = |name: &str, run: fn()| trial(format!("canary::{name}"), &[], run);
    vec![row("forward", forward), row("inverse", inverse), row("costs", costs), row("probe", probe)]
}

fn case() -> Case {
    Case::new(Dtype::U8, gray(5, 3), 1, 3)
}

fn forward() {
    let case = case();
    let difference = compare(&Wrong::forward(), &reference(), case.batch(), &case.identity()).unwrap();
    assert!(matches!(difference, Some(Difference::Forward { plane: 0, .. })), "{difference:?}");
}

fn inverse() {
    let case = case();
    let difference = compare(&Wrong::inverse(), &reference(), case.batch(), &case.identity()).unwrap();
    assert_eq!(difference, Some(Difference::Inverse { byte: 6 }));
}

fn costs() {
    let case = case();
    let difference = compare_costs(&Wrong::costs(), &reference(), case.batch(), &case.candidates()).unwrap();
    assert_eq!(difference, Some(Difference::Costs { value: 1 }));
}

/// What a device has to pass before it is used.
fn probe() {
    for (wrong, stage) in
        [(Wrong::forward(), "colour"), (Wrong::inverse(), "colour"), (Wrong::costs(), "histogram or entropy")]
    {
        let error = check(&wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("probe: {stage} of uint8 is wrong")), "{error}");
    }
    check(&reference()).unwrap();
}

/// The reference with one mistake.
struct Wrong {
    cpu: CpuBackend,
    forward: bool,
    inverse: bool,
    costs: bool,
}

impl Wrong {
    fn none() -> Self {
        Self { cpu: reference(), forward: false, inverse: false, costs: false }
    }

    fn forward() -> Self {
        Self { forward: true, ..Self::none() }
    }

    fn inverse() -> Self {
        Self { inverse: true, ..Self::none() }
    }

    fn costs() -> Self {
        Self { costs: true, ..Self::none() }
    }
}

impl Backend for Wrong {
    fn forward(&self, batch: Batch<'_>, plan: &Plan, out: &mut WorkBuffer) -> Result<()> {
        let mut plan = plan.clone();
        if self.forward {
            plan.planes[0].intra = Predictor::Left;
        }
        self.cpu.forward(batch, &plan, out)
    }

    fn inverse(&self, geometry: &Geometry, plan: &Plan, residuals: &mut WorkBuffer, raw: &mut [u8]) -> Result<()> {
        self.cpu.inverse(geometry, plan, residuals, raw)?;
        raw[6] ^= u8::from(self.inverse);
        Ok(())
    }

    fn costs(&self, batch: Batch<'_>, candidates: &[Candidate]) -> Result<Vec<u64>> {
        let mut costs = self.cpu.costs(batch, candidates)?;
        costs[1] += u64::from(self.costs);
        Ok(costs)
    }
}

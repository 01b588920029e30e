//! Checks a device against the CPU before it is trusted: drivers fail silently.

use std::fmt;

use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::{Batch, ChannelOrder, Dtype, FrameFormat, Geometry, Layout, WorkBuffer};
use crate::plan::{Candidate, Colour, Plan, PlanePlan, Predictor, Shuffle};
use crate::stage::Backend;

/// The first result in which two backends differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Residuals.
    Forward {
        /// The plane.
        plane: usize,
        /// Within the plane.
        byte: usize,
    },
    /// Raw frames.
    Inverse {
        /// Within the batch.
        byte: usize,
    },
    /// Costs.
    Costs {
        /// Candidate-major.
        value: usize,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Forward { plane, byte } => write!(f, "forward, plane {plane}, byte {byte}"),
            Difference::Inverse { byte } => write!(f, "inverse, byte {byte}"),
            Difference::Costs { value } => write!(f, "costs, value {value}"),
        }
    }
}

/// Runs probe batches on `device`.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) naming the first stage whose result is not the CPU's.
pub fn check(device: &dyn Backend) -> Result<()> {
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    for dtype in [Dtype::U8, Dtype::U16, Dtype::F32, Dtype::I64] {
        // Rows longer than a workgroup's part of a running sum, more rows than a band of the
        // wavefront, and neither a whole number of words.
        let width = 257 * (4 / dtype.bytes()).max(1) + 1;
        let layout = Layout::Packed { width, height: 67, order: ChannelOrder::Rgb };
        let geometry = Geometry::new(&FrameFormat::new(dtype, layout)?, 2);
        let raw = sample_bytes(geometry.raw_bytes(), dtype as u64);
        let batch = Batch { geometry: &geometry, raw: &raw };
        let refuse = |stage: &str, difference: Difference| {
            Err(Error::gpu(format!("probe: {stage} of {dtype} is wrong on this device ({difference})")))
        };
        for (stage, plan) in plans(&geometry) {
            if let Some(difference) = compare(device, &cpu, batch, &plan)? {
                return refuse(stage, difference);
            }
        }
        if let Some(difference) = compare_costs(device, &cpu, batch, &candidates(&geometry))? {
            return refuse("histogram or entropy", difference);
        }
    }
    Ok(())
}

/// Plans that each add a stage to the one before.
fn plans(geometry: &Geometry) -> Vec<(&'static str, Plan)> {
    let mut plan = Plan::identity(geometry);
    // Spans of which the last is short.
    plan.span_samples = 4096;
    if geometry.colour {
        plan.colour = Colour::SubtractGreen;
    }
    let colour = plan.clone();
    for plane in &mut plan.planes {
        plane.temporal = true;
    }
    let temporal = plan.clone();
    let predictors = [
        (Predictor::Left, Predictor::Median),
        (Predictor::Up, Predictor::Average),
        (Predictor::Gradient, Predictor::None),
    ];
    for (plane, (intra, inter)) in plan.planes.iter_mut().zip(predictors) {
        (plane.intra, plane.inter) = (intra, inter);
    }
    let predict = plan.clone();
    for plane in &mut plan.planes {
        plane.shuffle = Shuffle::Bit;
    }
    let bit_shuffle = plan.clone();
    let mut plans =
        vec![("colour", colour), ("temporal", temporal), ("predict", predict), ("bit shuffle", bit_shuffle)];
    if geometry.sample_bytes > 1 {
        for plane in &mut plan.planes {
            *plane = PlanePlan { shuffle: Shuffle::Byte, ..*plane };
        }
        plans.push(("byte shuffle", plan));
    }
    plans
}

fn candidates(geometry: &Geometry) -> Vec<Candidate> {
    let colour = if geometry.colour { Colour::SubtractGreen } else { Colour::None };
    vec![
        Candidate { colour: Colour::None, temporal: false, predictor: Predictor::None },
        Candidate { colour, temporal: true, predictor: Predictor::Median },
    ]
}

/// The first difference of forward and inverse.
pub fn compare(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    plan: &Plan,
) -> Result<Option<Difference>> {
    let geometry = batch.geometry;
    let mut expected = WorkBuffer::default();
    let mut found = WorkBuffer::default();
    reference.forward(batch, plan, &mut expected)?;
    device.forward(batch, plan, &mut found)?;
    for plane in 0..geometry.planes.len() {
        let range = geometry.plane_range(plane);
        if let Some(byte) = first_difference(&expected.as_bytes()[range.clone()], &found.as_bytes()[range]) {
            return Ok(Some(Difference::Forward { plane, byte }));
        }
    }
    let mut raw = vec![0xA5; batch.raw.len()];
    device.inverse(geometry, plan, &mut expected, &mut raw)?;
    Ok(first_difference(batch.raw, &raw).map(|byte| Difference::Inverse { byte }))
}

/// The first difference of costs.
pub fn compare_costs(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    candidates: &[Candidate],
) -> Result<Option<Difference>> {
    let expected = reference.costs(batch, candidates)?;
    let found = device.costs(batch, candidates)?;
    Ok(first_difference(&expected, &found).map(|value| Difference::Costs { value }))
}

/// Where two slices differ first. One that is longer differs at the end of the other.
fn first_difference<T: PartialEq>(expected: &[T], found: &[T]) -> Option<usize> {
    let at = expected.iter().zip(found).position(|(expected, found)| expected != found);
    at.or_else(|| (expected.len() != found.len()).then(|| expected.len().min(found.len())))
}

/// Bytes with smooth, noisy and extreme stretches, the same for the same seed.
pub fn sample_bytes(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut kind = 0;
    (0..bytes)
        .map(|at| {
            let value = random();
            if at.is_multiple_of(61) {
                kind = value >> 32;
            }
            match kind % 4 {
                0 => (at / 7) as u8,
                1 => value as u8,
                2 => [0x00, 0x7F, 0x80, 0xFF][value as usize % 4],
                _ => 0x80 ^ (value as u8 & 3),
            }
        })
        .collect()
}

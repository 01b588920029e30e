//! The plan of the adaptive model, from a trial on a sample.

use super::choose_motion::{Trial, pays, try_motion};
use super::{Colour, Sample, StripPlan, Values};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, WorkBuffer};
use crate::stage::Backend;
use crate::strips;

/// Samples of the largest plane in a strip, about: the model has learnt enough by then.
const STRIP_SAMPLES: usize = 1 << 17;

/// A plan with what it makes of a sample.
pub(crate) struct StripChoice {
    pub plan: StripPlan,
    /// Bytes of the sample packed.
    pub packed_bytes: usize,
    /// Raw bytes of the sample.
    pub sampled_bytes: usize,
}

/// The plan of a batch that [suits](StripPlan::suits), and that may move or not.
pub(crate) fn choose_strips(batch: Batch<'_>, may_move: bool, cpu: &CpuBackend) -> Result<StripChoice> {
    let samples = batch.geometry.planes.iter().map(|plane| plane.frame_samples()).max().unwrap_or(0);
    // An even number, so that two threads are busy to the end.
    let strips = (samples / STRIP_SAMPLES).max(1).next_multiple_of(2);
    let strips = strips.min(StripPlan::most_strips(batch.geometry)) as u32;
    let sample = Sample::of(batch);
    let mut planes = WorkBuffer::default();
    let mut best: Option<StripChoice> = None;
    let mut try_all = |sample: &Sample, values: &Values| -> Result<()> {
        let sample = sample.batch();
        let table_bytes = values.gaps().len() * sample.raw.len() / batch.raw.len();
        let colours = if sample.geometry.colour { Colour::ALL } else { &[Colour::None] };
        for &colour in colours {
            let trial = StripPlan { values: values.clone(), colour, strips: 1, moves: false };
            cpu.forward(sample, &trial.planes(sample.geometry), &mut planes)?;
            let coded = strips::encode(sample.geometry, &trial, None, &planes, cpu, cpu)?;
            let packed_bytes = table_bytes + coded.iter().map(Vec::len).sum::<usize>();
            if best.as_ref().is_none_or(|best| packed_bytes < best.packed_bytes) {
                let plan = StripPlan { strips, ..trial };
                best = Some(StripChoice { plan, packed_bytes, sampled_bytes: sample.raw.len() });
            }
        }
        Ok(())
    };
    try_all(&sample, &Values::default())?;
    if let Some(values) = sample.values(batch) {
        try_all(&sample.with_values(&values), &values)?;
    }
    let nothing = StripPlan { values: Values::default(), colour: Colour::None, strips, moves: false };
    let mut best = best.unwrap_or(StripChoice { plan: nothing, packed_bytes: 0, sampled_bytes: 1 });
    if may_move
        && best.plan.values.is_empty()
        && let Some(Trial { still, moving }) = try_motion(batch, cpu)?
        && pays(still as u64, moving as u64)
    {
        best.plan.moves = true;
        best.packed_bytes = best.packed_bytes * moving / still;
    }
    Ok(best)
}

//! The path of whole planes: raw frames to residuals and back. Values become places in the plan's table first.

use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::plan::Plan;
use crate::stage::Backend;

/// Raw frames to the residuals of a plan.
pub fn forward(batch: Batch<'_>, plan: &Plan, backend: &dyn Backend, residuals: &mut WorkBuffer) -> Result<()> {
    if plan.values.is_empty() {
        return backend.forward(batch, plan, residuals);
    }
    let places = plan.values.places(batch);
    backend.forward(Batch { raw: &places, ..batch }, plan, residuals)
}

/// Residuals to raw frames. `residuals` may be used as working memory.
///
/// # Errors
/// Corrupt if a place has no value in the table.
pub fn inverse(
    geometry: &Geometry,
    plan: &Plan,
    backend: &dyn Backend,
    residuals: &mut WorkBuffer,
    raw: &mut [u8],
) -> Result<()> {
    backend.inverse(geometry, plan, residuals, raw)?;
    plan.values.restore(geometry, raw)
}

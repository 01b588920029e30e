//! The GPUs of this process, opened once each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use crate::device::DeviceDescription;
use crate::error::Result;
use crate::gpu::{self, GpuBackend, Selection};
use crate::pool;
use crate::stage::Accelerator;

/// Opened devices by what was asked for. An adapter that is not there may appear later, so failures
/// are not remembered.
static OPENED: OnceLock<Mutex<HashMap<String, Arc<GpuBackend>>>> = OnceLock::new();

/// The adapters of this machine.
pub(super) fn list() -> Vec<DeviceDescription> {
    gpu::list()
}

/// Opens the adapter with this index and checks its results.
pub(super) fn probe(index: usize) -> Result<()> {
    GpuBackend::probe(index)
}

/// A usable hardware adapter; none is no error.
pub(super) fn hardware() -> Option<Arc<dyn Accelerator>> {
    let backend = open("hardware", Selection::Hardware).ok()?;
    Some(backend)
}

/// The first usable adapter, hardware before software.
pub(super) fn any() -> Result<Arc<dyn Accelerator>> {
    let backend = open("first", Selection::First)?;
    Ok(backend)
}

/// The adapter with this index, PCI bus id, or part of a name.
pub(super) fn named(name: &str) -> Result<Arc<dyn Accelerator>> {
    let backend = open(&format!("named {name}"), Selection::Named(name))?;
    Ok(backend)
}

fn open(key: &str, selection: Selection<'_>) -> Result<Arc<GpuBackend>> {
    let mut opened = pool::lock(OPENED.get_or_init(Mutex::default));
    if let Some(backend) = opened.get(key).filter(|backend| !backend.is_lost()) {
        return Ok(Arc::clone(backend));
    }
    let backend = Arc::new(GpuBackend::new(selection)?);
    opened.insert(key.to_owned(), Arc::clone(&backend));
    Ok(backend)
}

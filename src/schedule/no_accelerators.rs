//! A build without GPU support.

use std::sync::Arc;

use crate::device::DeviceDescription;
use crate::error::{Error, Result};
use crate::stage::Accelerator;

pub(super) fn list() -> Vec<DeviceDescription> {
    Vec::new()
}

pub(super) fn probe(_index: usize) -> Result<()> {
    any().map(drop)
}

pub(super) fn hardware() -> Option<Arc<dyn Accelerator>> {
    None
}

pub(super) fn any() -> Result<Arc<dyn Accelerator>> {
    Err(Error::unsupported("this build has no GPU support (cargo feature `gpu`); use the device cpu or auto"))
}

pub(super) fn named(_name: &str) -> Result<Arc<dyn Accelerator>> {
    any()
}

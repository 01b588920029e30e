//! A build without GPU support has no GPU to measure.

use std::time::Duration;

use framepress::Result;
use framepress::internal::{Backend, Detail, DeviceRates, DeviceRun};
use framepress::plan::DeviceChoice;

pub struct Gpu {
    pub opened: Duration,
    pub rates: DeviceRates,
    never: Never,
}

enum Never {}

impl Gpu {
    #[expect(clippy::unnecessary_wraps, reason = "the signature with a GPU")]
    pub fn open(_: &DeviceChoice) -> Result<Option<Self>> {
        Ok(None)
    }

    pub fn backend(&self) -> &dyn Backend {
        match self.never {}
    }

    pub fn compiled(&self) -> (usize, Duration) {
        match self.never {}
    }

    pub fn profile<R>(&self, _: Detail, _: impl FnOnce() -> R) -> (R, Vec<DeviceRun>) {
        match self.never {}
    }
}

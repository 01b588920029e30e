//! The backends of this machine by name, and the rows that need them.

use std::sync::OnceLock;

use framepress::internal::gpu::{self, GpuBackend, Selection};
use framepress::internal::{Backend, CpuBackend};
use framepress::{DeviceDescription, DeviceKind, SimdLevel};
use libtest_mimic::Trial;

/// When this is `1`, rows fail where there is no adapter.
const REQUIRE_GPU: &str = "FRAMEPRESS_REQUIRE_GPU";

/// A backend that rows are named after.
pub struct Subject {
    pub name: String,
    device: Device,
}

enum Device {
    Cpu(CpuBackend),
    Gpu(Box<Adapter>),
    /// Stands for the adapter that this machine lacks.
    NoAdapter,
}

/// An adapter, opened by the first row that needs it.
pub struct Adapter {
    pub description: DeviceDescription,
    opened: OnceLock<Result<GpuBackend, String>>,
}

impl Adapter {
    /// What selects it.
    pub fn index(&self) -> String {
        self.description.index.unwrap().to_string()
    }

    /// The device that all rows share.
    pub fn shared(&self) -> &GpuBackend {
        let opened = self.opened.get_or_init(|| self.try_open().map_err(|error| error.to_string()));
        opened.as_ref().unwrap_or_else(|error| panic!("{}: {error}", self.description))
    }

    /// A device of its own.
    pub fn open(&self) -> GpuBackend {
        self.try_open().unwrap()
    }

    /// The same, whose kernels see so many bytes of a buffer at most.
    pub fn open_with_most_bound(&self, bytes: u64) -> GpuBackend {
        GpuBackend::with_most_bound(Selection::Named(&self.index()), bytes).unwrap()
    }

    fn try_open(&self) -> framepress::Result<GpuBackend> {
        GpuBackend::new(Selection::Named(&self.index()))
    }
}

impl Subject {
    /// The backend to run on.
    pub fn backend(&self) -> &dyn Backend {
        match &self.device {
            Device::Cpu(cpu) => cpu,
            Device::Gpu(adapter) => adapter.shared(),
            Device::NoAdapter => unreachable!("rows without their backend do not run"),
        }
    }

    /// The adapter, in rows of [`adapters`].
    pub fn adapter(&self) -> &Adapter {
        match &self.device {
            Device::Gpu(adapter) => adapter,
            Device::Cpu(_) | Device::NoAdapter => unreachable!("{} is no adapter", self.name),
        }
    }

    /// Whether it is an adapter that the CPU emulates.
    pub fn is_software(&self) -> bool {
        matches!(&self.device, Device::Gpu(adapter) if adapter.description.kind == DeviceKind::Software)
    }

    fn is_cpu(&self) -> bool {
        matches!(self.device, Device::Cpu(_))
    }

    fn is_missing(&self) -> bool {
        matches!(self.device, Device::NoAdapter)
    }
}

/// Every backend.
pub fn all() -> &'static [Subject] {
    static SUBJECTS: OnceLock<Vec<Subject>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        // More threads than one, so that batches are divided.
        let cpu = |level: SimdLevel| Subject {
            name: format!("cpu-{}", level.name()),
            device: Device::Cpu(CpuBackend::new(level, 2)),
        };
        let gpu = |(at, description): (usize, DeviceDescription)| Subject {
            name: format!("gpu-{at}-{}", slug(&description.name)),
            device: Device::Gpu(Box::new(Adapter { description, opened: OnceLock::new() })),
        };
        let mut subjects: Vec<_> = SimdLevel::available().into_iter().map(cpu).collect();
        subjects.extend(gpu::list().into_iter().enumerate().map(gpu));
        if subjects.iter().all(Subject::is_cpu) {
            subjects.push(Subject { name: "gpu".to_string(), device: Device::NoAdapter });
        }
        subjects
    })
}

/// Every adapter, or the one that is missing.
pub fn adapters() -> impl Iterator<Item = &'static Subject> {
    all().iter().filter(|subject| !subject.is_cpu())
}

/// What all backends are compared with: the plainest code, on one thread.
pub fn reference() -> CpuBackend {
    CpuBackend::new(SimdLevel::available()[0], 1)
}

/// The row `group::subject::case`.
pub fn row(group: &str, subject: &'static Subject, case: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    trial(format!("{group}::{}::{case}", subject.name), &[subject], run)
}

/// A row that runs if this machine has all of `subjects`.
pub fn trial(name: String, subjects: &[&Subject], run: impl FnOnce() + Send + 'static) -> Trial {
    if subjects.iter().any(|subject| subject.is_missing()) {
        let required = std::env::var(REQUIRE_GPU).as_deref() == Ok("1");
        let row = Trial::test(name, || Err("no GPU adapter on this machine".into()));
        return row.with_kind("no GPU adapter").with_ignored_flag(!required);
    }
    let passing = || {
        run();
        Ok(())
    };
    Trial::test(name, passing)
}

/// The name of an adapter up to its details, fit for the name of a row.
fn slug(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default().to_lowercase();
    let words: Vec<_> =
        name.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

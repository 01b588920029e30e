//! Devices as people and tools name them.

use std::fmt;

/// What a device is, in the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// The CPU.
    Cpu,
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the memory of the CPU.
    Integrated,
    /// A GPU passed through to a virtual machine.
    Virtual,
    /// An adapter whose driver does not say what it is.
    Other,
    /// A GPU emulated on the CPU: for tests, slower than the CPU itself, never chosen by `auto`.
    Software,
}

impl DeviceKind {
    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Discrete => "discrete",
            DeviceKind::Integrated => "integrated",
            DeviceKind::Virtual => "virtual",
            DeviceKind::Other => "other",
            DeviceKind::Software => "software",
        }
    }
}

/// A device that batches can run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceDescription {
    /// Position among the adapters, hardware before software; `None` for the CPU.
    pub index: Option<usize>,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Interface it is reached through: `vulkan`, `metal`, `dx12`, or the CPU's SIMD level.
    pub backend: String,
    /// PCI bus id such as `0000:01:00.0`; empty where there is none.
    pub pci_bus_id: String,
    /// Driver with its version; empty for the CPU.
    pub driver: String,
    /// What it can do, as its driver says; `None` for the CPU.
    pub capabilities: Option<DeviceCapabilities>,
}

/// What a GPU can do, of what matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceCapabilities {
    /// Bytes of the largest buffer.
    pub largest_buffer_bytes: u64,
    /// Most bytes of a buffer that a kernel can use.
    pub largest_binding_bytes: u64,
    /// Memory that the invocations of a workgroup share, in bytes.
    pub workgroup_memory_bytes: u32,
    /// Most invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Most workgroups in one dimension of a dispatch.
    pub dimension_workgroups: u32,
    /// Most storage buffers of a kernel.
    pub storage_buffers: u32,
    /// Smallest and largest subgroup, where kernels can use them.
    pub subgroup_invocations: Option<[u32; 2]>,
    /// Whether single kernels can be timed.
    pub timestamp_queries: bool,
    /// Whether compiled kernels can be kept from one process to the next.
    pub pipeline_cache: bool,
    /// Whether the CPU can write to buffers that kernels use.
    pub mappable_primary_buffers: bool,
}

impl DeviceDescription {
    /// Whether the device is emulated on the CPU.
    pub fn is_software(&self) -> bool {
        self.kind == DeviceKind::Software
    }
}

impl fmt::Display for DeviceDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{index}: ")?,
            None => f.write_str("cpu: ")?,
        }
        write!(f, "{} ({}, {}", self.name, self.kind.name(), self.backend)?;
        for detail in [&self.pci_bus_id, &self.driver].into_iter().filter(|detail| !detail.is_empty()) {
            write!(f, ", {detail}")?;
        }
        f.write_str(")")
    }
}

//! The adapters of this machine.

use std::fmt;

use crate::error::{Error, Result};

/// What an adapter is, in the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the memory of the CPU.
    Integrated,
    /// A GPU passed through to a virtual machine.
    Virtual,
    /// The driver does not say.
    Other,
    /// A GPU emulated on the CPU: for tests, slower than the CPU itself.
    Software,
}

impl fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AdapterKind::Discrete => "discrete",
            AdapterKind::Integrated => "integrated",
            AdapterKind::Virtual => "virtual",
            AdapterKind::Other => "other",
            AdapterKind::Software => "software",
        })
    }
}

/// An adapter as people and tools name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterDescription {
    /// Position in the list, hardware before software.
    pub index: usize,
    /// Name.
    pub name: String,
    /// Interface it is reached through: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// What it is.
    pub kind: AdapterKind,
    /// PCI bus id such as `0000:01:00.0`; empty where there is none.
    pub pci_bus_id: String,
    /// Driver with its version.
    pub driver: String,
}

impl AdapterDescription {
    /// Whether the adapter is emulated on the CPU.
    pub fn is_software(&self) -> bool {
        self.kind == AdapterKind::Software
    }
}

impl fmt::Display for AdapterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}, {})", self.index, self.name, self.kind, self.backend)
    }
}

/// Which adapter to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection<'a> {
    /// The first that works.
    First,
    /// The one with this index, PCI bus id, or part of a name in any case.
    Named(&'a str),
}

/// An adapter that can be opened.
pub(super) struct Found {
    pub adapter: wgpu::Adapter,
    pub description: AdapterDescription,
}

/// The adapters of this machine, hardware before software. None is no error.
pub fn list() -> Vec<AdapterDescription> {
    find().into_iter().map(|found| found.description).collect()
}

pub(super) fn find() -> Vec<Found> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut found: Vec<_> =
        adapters.into_iter().map(|adapter| Found { description: describe(&adapter.get_info()), adapter }).collect();
    found.sort_by_key(|found| found.description.kind);
    for (index, found) in found.iter_mut().enumerate() {
        found.description.index = index;
    }
    found
}

/// The adapters that `selection` means, in the order in which to try them.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if there is none, with those that there are.
pub(super) fn select(selection: Selection<'_>) -> Result<Vec<Found>> {
    let mut found = find();
    let descriptions: Vec<_> = found.iter().map(|found| &found.description).collect();
    if descriptions.is_empty() {
        return Err(Error::gpu("no GPU adapter on this machine; use the CPU"));
    }
    if let Selection::Named(name) = selection {
        let at = position(&descriptions, name)?;
        return Ok(vec![found.swap_remove(at)]);
    }
    Ok(found)
}

fn position(adapters: &[&AdapterDescription], name: &str) -> Result<usize> {
    let wanted = name.trim().to_lowercase();
    let by_bus = |adapter: &&AdapterDescription| {
        let bus = adapter.pci_bus_id.to_lowercase();
        !bus.is_empty() && (bus == wanted || bus.strip_prefix("0000:") == Some(&wanted))
    };
    let by_name = |adapter: &&AdapterDescription| !wanted.is_empty() && adapter.name.to_lowercase().contains(&wanted);
    let by_index = wanted.parse().ok().filter(|&index: &usize| index < adapters.len());
    by_index.or_else(|| adapters.iter().position(by_bus)).or_else(|| adapters.iter().position(by_name)).ok_or_else(
        || {
            let all: Vec<_> = adapters.iter().map(ToString::to_string).collect();
            Error::gpu(format!("no adapter matches '{name}'; there are: {}", all.join("; ")))
        },
    )
}

fn describe(info: &wgpu::AdapterInfo) -> AdapterDescription {
    AdapterDescription {
        index: 0,
        name: info.name.clone(),
        backend: info.backend.to_str().to_string(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
            wgpu::DeviceType::Other => AdapterKind::Other,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
        },
        pci_bus_id: info.device_pci_bus_id.clone(),
        driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(index: usize, name: &str, bus: &str) -> AdapterDescription {
        AdapterDescription {
            index,
            name: name.to_string(),
            backend: "vulkan".to_string(),
            kind: AdapterKind::Discrete,
            pci_bus_id: bus.to_string(),
            driver: String::new(),
        }
    }

    #[test]
    fn adapters_are_found_by_index_bus_and_name() {
        let adapters = [adapter(0, "Great GPU 5000", "0000:01:00.0"), adapter(1, "Small One", "0000:C1:00.0")];
        let adapters: Vec<_> = adapters.iter().collect();
        for (name, at) in [("0", 0), ("1", 1), ("c1:00.0", 1), ("0000:01:00.0", 0), ("small", 1), ("5000", 0)] {
            assert_eq!(position(&adapters, name).unwrap(), at, "{name}");
        }
        for name in ["2", "", "other"] {
            let error = position(&adapters, name).unwrap_err().to_string();
            assert!(error.contains("0: Great GPU 5000 (discrete, vulkan); 1: Small One"), "{error}");
        }
    }
}

//! The adapters of this machine.

use crate::device::{DeviceCapabilities, DeviceDescription, DeviceKind};
use crate::error::{Error, Result};

/// Which adapter to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The first that works, hardware before software.
    First,
    /// The first that works and is not emulated.
    Hardware,
    /// The one with this index, PCI bus id, or part of a name in any case.
    Named(&'a str),
}

/// An adapter that can be opened.
pub(super) struct Found {
    pub adapter: wgpu::Adapter,
    pub description: DeviceDescription,
}

/// The adapters of this machine, hardware before software. None is no error.
pub fn list() -> Vec<DeviceDescription> {
    find().into_iter().map(|found| found.description).collect()
}

pub(super) fn find() -> Vec<Found> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut found: Vec<_> = adapters
        .into_iter()
        .map(|adapter| Found {
            description: describe(adapter.get_info(), &adapter.limits(), adapter.features()),
            adapter,
        })
        .collect();
    found.sort_by_key(|found| found.description.kind);
    for (index, found) in found.iter_mut().enumerate() {
        found.description.index = Some(index);
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
    if selection == Selection::Hardware {
        found.retain(|found| !found.description.is_software());
    }
    Ok(found)
}

fn position(adapters: &[&DeviceDescription], name: &str) -> Result<usize> {
    let wanted = name.trim().to_lowercase();
    let by_bus = |adapter: &&DeviceDescription| {
        let bus = adapter.pci_bus_id.to_lowercase();
        !bus.is_empty() && (bus == wanted || bus.strip_prefix("0000:") == Some(&wanted))
    };
    let by_name = |adapter: &&DeviceDescription| !wanted.is_empty() && adapter.name.to_lowercase().contains(&wanted);
    let by_index = wanted.parse().ok().filter(|&index: &usize| index < adapters.len());
    by_index.or_else(|| adapters.iter().position(by_bus)).or_else(|| adapters.iter().position(by_name)).ok_or_else(
        || {
            let all: Vec<_> = adapters.iter().map(ToString::to_string).collect();
            Error::gpu(format!("no adapter matches '{name}'; there are: {}", all.join("; ")))
        },
    )
}

/// What can be said of an adapter, or of a device with the limits and features that it was opened with.
pub(super) fn describe(info: wgpu::AdapterInfo, limits: &wgpu::Limits, features: wgpu::Features) -> DeviceDescription {
    DeviceDescription {
        index: None,
        capabilities: Some(capabilities(&info, limits, features)),
        name: info.name,
        backend: info.backend.to_str().to_string(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Other => DeviceKind::Other,
            wgpu::DeviceType::Cpu => DeviceKind::Software,
        },
        pci_bus_id: info.device_pci_bus_id,
        driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_string(),
    }
}

fn capabilities(info: &wgpu::AdapterInfo, limits: &wgpu::Limits, features: wgpu::Features) -> DeviceCapabilities {
    let has = |feature| features.contains(feature);
    DeviceCapabilities {
        largest_buffer_bytes: limits.max_buffer_size,
        largest_binding_bytes: limits.max_storage_buffer_binding_size,
        workgroup_memory_bytes: limits.max_compute_workgroup_storage_size,
        workgroup_invocations: limits.max_compute_invocations_per_workgroup,
        dimension_workgroups: limits.max_compute_workgroups_per_dimension,
        storage_buffers: limits.max_storage_buffers_per_shader_stage,
        subgroup_invocations: has(wgpu::Features::SUBGROUP).then_some([info.subgroup_min_size, info.subgroup_max_size]),
        timestamp_queries: has(wgpu::Features::TIMESTAMP_QUERY),
        pipeline_cache: has(wgpu::Features::PIPELINE_CACHE),
        mappable_primary_buffers: has(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(index: usize, name: &str, bus: &str) -> DeviceDescription {
        DeviceDescription {
            index: Some(index),
            name: name.to_string(),
            backend: "vulkan".to_string(),
            kind: DeviceKind::Discrete,
            pci_bus_id: bus.to_string(),
            driver: String::new(),
            capabilities: None,
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
            assert!(error.contains("0: Great GPU 5000 (discrete, vulkan, 0000:01:00.0); 1: Small One"), "{error}");
        }
    }
}

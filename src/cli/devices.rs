//! `framepress devices`.

use std::process::ExitCode;

use framepress::{DeviceCapabilities, DeviceDescription, Result, devices, probe};
use serde_json::{Value, json};

use super::arguments::Devices;
use super::print;

pub fn run(arguments: Devices) -> Result<ExitCode> {
    let devices = devices();
    if arguments.json {
        print(Value::Array(devices.iter().map(object).collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    for device in &devices {
        print(device)?;
        if let Some(capabilities) = &device.capabilities {
            print(format_args!("    limits: {}", limits(capabilities)))?;
            print(format_args!("    features: {}", features(capabilities)))?;
            print(format_args!("    probe: {}", verdict(device)))?;
        }
    }
    if devices.len() == 1 {
        eprintln!("framepress: no GPU adapter was found; everything runs on the CPU");
    }
    Ok(ExitCode::SUCCESS)
}

fn object(device: &DeviceDescription) -> Value {
    let limits = |it: &DeviceCapabilities| {
        json!({
            "largest_buffer_bytes": it.largest_buffer_bytes,
            "largest_storage_binding_bytes": it.largest_binding_bytes,
            "workgroup_memory_bytes": it.workgroup_memory_bytes,
            "invocations_per_workgroup": it.workgroup_invocations,
            "workgroups_per_dimension": it.dimension_workgroups,
            "storage_buffers_per_stage": it.storage_buffers,
        })
    };
    let features = |it: &DeviceCapabilities| {
        json!({
            "timestamp_queries": it.timestamp_queries,
            "subgroups": it.subgroup_invocations,
            "pipeline_cache": it.pipeline_cache,
            "mappable_primary_buffers": it.mappable_primary_buffers,
        })
    };
    json!({
        "name": device.name,
        "kind": device.kind.name(),
        "index": device.index,
        "backend": device.backend,
        "pci_bus_id": device.pci_bus_id,
        "driver": device.driver,
        "limits": device.capabilities.as_ref().map(limits),
        "features": device.capabilities.as_ref().map(features),
        "probe": device.index.map(|_| verdict(device)),
    })
}

/// What the probe says of an adapter.
fn verdict(device: &DeviceDescription) -> String {
    probe(device).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
}

fn limits(it: &DeviceCapabilities) -> String {
    format!(
        "buffers of {} bytes, bound {} bytes; {} bytes of workgroup memory; {} invocations per workgroup, {} workgroups \
         per dimension, {} storage buffers per stage",
        it.largest_buffer_bytes,
        it.largest_binding_bytes,
        it.workgroup_memory_bytes,
        it.workgroup_invocations,
        it.dimension_workgroups,
        it.storage_buffers
    )
}

fn features(it: &DeviceCapabilities) -> String {
    let subgroups = |[smallest, largest]: [u32; 2]| match smallest == largest {
        true => format!("subgroups of {smallest}"),
        false => format!("subgroups of {smallest} to {largest}"),
    };
    let named = |has: bool, name: &str| has.then(|| name.to_owned());
    let all = [
        named(it.timestamp_queries, "timestamp queries"),
        it.subgroup_invocations.map(subgroups),
        named(it.pipeline_cache, "pipeline cache"),
        named(it.mappable_primary_buffers, "mappable primary buffers"),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    if all.is_empty() { "none of those that matter here".to_owned() } else { all.join(", ") }
}

//! `framepress devices`.

use std::process::ExitCode;

use framepress::{DeviceDescription, Result, devices};
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
    }
    if devices.len() == 1 {
        eprintln!("framepress: no GPU adapter was found; everything runs on the CPU");
    }
    Ok(ExitCode::SUCCESS)
}

fn object(device: &DeviceDescription) -> Value {
    json!({
        "name": device.name,
        "kind": device.kind.name(),
        "index": device.index,
        "backend": device.backend,
        "pci_bus_id": device.pci_bus_id,
        "driver": device.driver,
    })
}

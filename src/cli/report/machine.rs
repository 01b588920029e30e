//! What a page says of the machine that it was made on.

use framepress::{DeviceDescription, DeviceKind};

/// Names and values: this program and how it was called, the CPU, and `adapters`.
pub fn machine<'a>(devices: impl Iterator<Item = &'a DeviceDescription>) -> Vec<(&'static str, String)> {
    let mut entries = vec![
        ("version", concat!("framepress ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("command", command_line()),
        ("system", format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH)),
    ];
    for device in devices {
        match device.kind {
            DeviceKind::Cpu => {
                entries.push(("processor", processor()));
                entries.push(("threads", device.name.clone()));
                entries.push(("SIMD level", device.backend.clone()));
            }
            _ => {
                entries.push(("adapter", device.to_string()));
            }
        }
    }
    entries
}

/// The arguments as a shell would take them.
fn command_line() -> String {
    let quoted = |argument: std::ffi::OsString| {
        let argument = argument.to_string_lossy().into_owned();
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./,:=+@%".contains(char);
        match !argument.is_empty() && argument.chars().all(is_plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    };
    let arguments: Vec<String> = std::env::args_os().skip(1).map(quoted).collect();
    format!("framepress {}", arguments.join(" "))
}

/// The name of the processor, as far as the system tells it in a file or a variable.
fn processor() -> String {
    let of_linux = || {
        let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
        let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name));
        name.map(|name| name.trim().to_owned())
    };
    let of_windows = || std::env::var("PROCESSOR_IDENTIFIER").ok();
    of_linux().or_else(of_windows).unwrap_or_else(|| "unknown".to_owned())
}

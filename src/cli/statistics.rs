//! What `framepress info --stats` adds: sums over the batches of a file, and what this machine has learnt of placing
//! batches like these. Where those of a run went, and why, is in the JSON of that run: a file is the same wherever it was made.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use framepress::{BatchInfo, KnownDevice, KnownTask, Result};
use serde_json::{Value, json};

use super::print;

/// Sums of a file: by method batches, raw and packed bytes; by codec blocks and their bytes.
#[derive(Debug, PartialEq)]
struct Sums {
    methods: BTreeMap<&'static str, [u64; 3]>,
    codecs: BTreeMap<&'static str, [u64; 2]>,
}

impl Sums {
    fn of(batches: &[BatchInfo]) -> Self {
        let (mut methods, mut codecs) = (BTreeMap::new(), BTreeMap::new());
        for batch in batches {
            add(methods.entry(batch.method.name()).or_default(), [1, batch.raw_bytes, batch.packed_bytes]);
            for &(codec, blocks, bytes) in &batch.codecs {
                add(codecs.entry(codec.name()).or_default(), [blocks, bytes]);
            }
        }
        Self { methods, codecs }
    }
}

fn add<const N: usize>(sums: &mut [u64; N], more: [u64; N]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

pub fn json(batches: &[BatchInfo], devices: &[KnownDevice]) -> Value {
    let Sums { methods, codecs } = Sums::of(batches);
    let task = |task: &KnownTask| {
        json!({
            "task": task.name,
            "cpu_seconds": task.cpu.as_secs_f64(),
            "gpu_seconds": task.gpu.as_secs_f64(),
            "side": task.side(),
        })
    };
    let device = |device: &KnownDevice| {
        json!({
            "machine": device.machine,
            "kept_at": device.kept.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            "submit_seconds": device.submit.as_secs_f64(),
            "transfer_gb_per_s": device.transfer_rate / 1e9,
            "kernels_gb_per_s": device.kernel_rate / 1e9,
            "task_bytes": KnownTask::RAW_BYTES,
            "tasks": device.tasks.iter().map(task).collect::<Vec<_>>(),
        })
    };
    json!({
        "methods": methods.iter().map(|(name, [batches, raw_bytes, packed_bytes])| {
            json!({ "method": name, "batches": batches, "raw_bytes": raw_bytes, "packed_bytes": packed_bytes })
        }).collect::<Vec<_>>(),
        "codecs": codecs.iter().map(|(name, [blocks, packed_bytes])| {
            json!({ "codec": name, "blocks": blocks, "packed_bytes": packed_bytes })
        }).collect::<Vec<_>>(),
        "devices": devices.iter().map(device).collect::<Vec<_>>(),
    })
}

pub fn text(batches: &[BatchInfo], devices: &[KnownDevice]) -> Result<()> {
    let Sums { methods, codecs } = Sums::of(batches);
    for (name, [batches, raw, packed]) in methods {
        let ratio = super::ratio(raw, packed);
        print(format_args!("  all of {name}: {batches} batches, {raw} -> {packed} bytes, ratio {ratio:.2}"))?;
    }
    for (name, [blocks, bytes]) in codecs {
        print(format_args!("  all of {name}: {blocks} blocks, {bytes} bytes"))?;
    }
    if devices.is_empty() {
        return print(
            "  placement: nothing is known of a GPU here; --device auto measures one when that is worth while",
        );
    }
    for device in devices {
        let hours = SystemTime::now().duration_since(device.kept).map_or(0, |since| since.as_secs() / 3600);
        print(format_args!("  placement with {}, as known {hours} hours ago:", device.machine))?;
        print(format_args!(
            "    {:.0} us to submit, {:.2} GB/s there or back, kernels {:.2} GB/s",
            device.submit.as_secs_f64() * 1e6,
            device.transfer_rate / 1e9,
            device.kernel_rate / 1e9
        ))?;
        for task in &device.tasks {
            let [cpu, gpu] = [task.cpu, task.gpu].map(|time| KnownTask::RAW_BYTES as f64 / 1e6 / time.as_secs_f64());
            print(format_args!("    {}: cpu {cpu:.0} MB/s, gpu {gpu:.0} MB/s: {}", task.name, task.side()))?;
        }
    }
    Ok(())
}

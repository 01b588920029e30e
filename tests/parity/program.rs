//! The program on every adapter: the figures of kernels and transfers that `bench` has, for programs and as a page; and
//! what the driver compiled, which is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::backends::{Adapter, adapters, row};

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bbb_rgb_317x179.npy");

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("program", it, "bench-stages", || stages(it.adapter())));
        rows.push(row("program", it, "kept-pipelines", || kept_pipelines(it.adapter())));
        // Only its memory can be taken away.
        if cfg!(target_os = "linux") && it.is_software() {
            rows.push(row("program", it, "out-of-memory", || out_of_memory(it.adapter())));
        }
    }
    rows
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn positive(number: &Value) -> f64 {
    let number = number.as_f64().unwrap();
    assert!(number.is_finite() && number > 0.0, "{number}");
    number
}

fn stages(adapter: &Adapter) {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let mut command = Command::new(env!("CARGO_BIN_EXE_framepress"));
    command.args(["bench", CLIP, "--level", "1,4", "--runs", "2", "--json", "--stages", "--device", &adapter.index()]);
    let output = command.arg("--html").arg(&page).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    let can_tell = adapter.description.capabilities.unwrap().timestamp_queries;
    for row in rows.as_array().unwrap() {
        let gpu = &row["gpu"];
        check_device(gpu, can_tell);
        let parts: Vec<&str> = gpu["parts"].as_array().unwrap().iter().map(|it| it["part"].as_str().unwrap()).collect();
        assert!(parts.ends_with(&["compress", "decompress"]), "{parts:?}");
        for part in gpu["parts"].as_array().unwrap() {
            check_part(part, gpu, can_tell);
        }
        check_targets(gpu, row["level"] == 4, can_tell);
    }

    let page = fs::read_to_string(page).unwrap();
    let name = adapter.description.name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    assert!(page.contains(&format!("<h2>{name}</h2>")), "{name}");
    assert_eq!(page.matches("<details").count(), 2, "one per level");
    assert!(page.contains("ans, resident compress"));
    for kernel in rows[0]["gpu"]["kernels"].as_array().unwrap() {
        assert!(page.contains(kernel["kernel"].as_str().unwrap()), "{kernel}");
    }
}

/// Whatever becomes of the cache, the bytes are the same.
fn kept_pipelines(adapter: &Adapter) {
    let folder = tempfile::tempdir().unwrap();
    let caches = folder.path().join("caches");
    let packed = folder.path().join("packed");
    let compress = |variable: &str, value: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framepress"));
        command.args(["compress", CLIP, "--level", "1", "-q", "-f", "--device", &adapter.index(), "-o"]).arg(&packed);
        let output = command.env_remove("FRAMEPRESS_CACHE").env(variable, value).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(&packed).unwrap()
    };
    let files = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).map_or_else(|_| Vec::new(), |entries| entries.map(|it| it.unwrap().path()).collect())
    };
    let expected = compress("FRAMEPRESS_CACHE", Path::new(""));
    assert_eq!(compress("FRAMEPRESS_CACHE", &caches), expected);
    let kept = files(&caches);
    assert_eq!(kept.len(), usize::from(adapter.description.capabilities.unwrap().pipeline_cache), "{kept:?}");
    for file in &kept {
        let mut bytes = fs::read(file).unwrap();
        assert_eq!(compress("FRAMEPRESS_CACHE", &caches), expected, "from the cache");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(file, &bytes).unwrap();
        assert_eq!(compress("FRAMEPRESS_CACHE", &caches), expected, "from a broken cache");
        assert_ne!(fs::read(file).unwrap(), bytes, "a broken cache is replaced");
        assert_eq!(files(&caches), kept, "nothing else is left");
    }
    if cfg!(unix) {
        assert_eq!(compress("XDG_CACHE_HOME", folder.path()), expected);
        assert_eq!(files(&folder.path().join("framepress")).len(), kept.len());
    }
}

fn check_device(gpu: &Value, can_tell: bool) {
    let names = [
        "timestamps",
        "submit_and_wait_seconds",
        "upload_gb_per_s",
        "download_gb_per_s",
        "copy_gb_per_s",
        "open_seconds",
        "compiled_kernels",
        "compile_seconds",
        "parts",
        "kernels",
        "targets",
    ];
    assert_eq!(keys(gpu), names);
    assert_eq!(gpu["timestamps"].as_bool(), Some(can_tell));
    assert_eq!(gpu["copy_gb_per_s"].is_null(), !can_tell);
    let always = ["submit_and_wait_seconds", "upload_gb_per_s", "download_gb_per_s", "open_seconds", "compile_seconds"];
    for key in always {
        positive(&gpu[key]);
    }
}

/// The figures of a part follow from those of its kernels, and those from the rate of a copy.
fn check_part(part: &Value, gpu: &Value, can_tell: bool) {
    let names = [
        "part",
        "resident_gb_per_s",
        "host_to_host_gb_per_s",
        "cold_host_to_host_gb_per_s",
        "upload_seconds",
        "submit_and_wait_seconds",
        "download_seconds",
        "uploaded_bytes",
        "downloaded_bytes",
    ];
    assert_eq!(keys(part), names);
    for key in ["host_to_host_gb_per_s", "cold_host_to_host_gb_per_s", "submit_and_wait_seconds", "uploaded_bytes"] {
        positive(&part[key]);
    }
    let own = |kernel: &&Value| kernel["part"] == part["part"];
    let kernels: Vec<&Value> = gpu["kernels"].as_array().unwrap().iter().filter(own).collect();
    assert!(!kernels.is_empty());
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
    let mut per_raw_gb = 0.0;
    for kernel in &kernels {
        let names =
            ["part", "kernel", "dispatches", "seconds", "raw_gb_per_s", "moved_per_raw_byte", "percent_of_copy"];
        assert_eq!(keys(kernel), names);
        positive(&kernel["dispatches"]);
        let moved = positive(&kernel["moved_per_raw_byte"]);
        if can_tell {
            positive(&kernel["seconds"]);
            let speed = positive(&kernel["raw_gb_per_s"]);
            close(positive(&kernel["percent_of_copy"]), 100.0 * moved * speed / positive(&gpu["copy_gb_per_s"]));
            per_raw_gb += 1.0 / speed;
        } else {
            assert!(["seconds", "raw_gb_per_s", "percent_of_copy"].iter().all(|key| kernel[key].is_null()));
        }
    }
    if can_tell {
        close(positive(&part["resident_gb_per_s"]), 1.0 / per_raw_gb);
    }
}

/// A software adapter has the memory of the process. Where that does for the program and not for the device, a batch is
/// redone on the CPU, and the bytes are the same.
fn out_of_memory(adapter: &Adapter) {
    const FRAMES: usize = 300;
    const KB: std::ops::Range<usize> = 600 << 10..6 << 20;
    let folder = tempfile::tempdir().unwrap();
    let clip = fs::read(CLIP).unwrap();
    let frame = &clip[128..128 + 317 * 179 * 3];
    // Two batches: a long one and a short one.
    fs::write(folder.path().join("in.raw"), frame.repeat(FRAMES + 4)).unwrap();
    let run = |device: &str, kb: usize| {
        let program = env!("CARGO_BIN_EXE_framepress");
        let options = "--raw 317x179:rgb24 --level 1 --batch 300 --threads 1 -f --json -o out.fpk --device";
        let script = format!("ulimit -v {kb}; exec '{program}' compress in.raw {options} {device}");
        let output = Command::new("sh").current_dir(folder.path()).args(["-c", &script]).output().unwrap();
        let said: Option<Value> = output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap());
        said.map(|said| (said["batches"].clone(), fs::read(folder.path().join("out.fpk")).unwrap()))
    };
    let (_, expected) = run("cpu", KB.end).unwrap();
    let redone = KB.step_by(64 << 10).find_map(|kb| {
        // With too little of it, the program itself cannot run.
        let (batches, packed) = run(&adapter.index(), kb)?;
        assert!(packed == expected, "{kb} KiB");
        (batches["redone"] != 0).then_some(batches)
    });
    let batches = redone.expect("one of the sizes does for the program, and not for the device");
    let counts: u64 = ["cpu", "gpu", "redone"].iter().map(|side| batches[side].as_u64().unwrap()).sum();
    assert_eq!(counts, 2, "{batches}");
}

/// What is meant to be reached is compared with the figures of the parts.
fn check_targets(gpu: &Value, is_ans: bool, can_tell: bool) {
    let targets = gpu["targets"].as_array().unwrap();
    let codec = if is_ans { "ans, " } else { "pack, " };
    for (target, least) in targets.iter().zip([if is_ans { 100.0 } else { 40.0 }, 100.0, 80.0, 80.0]) {
        assert_eq!(keys(target), ["target", "least", "measured", "met"]);
        assert!(target["target"].as_str().unwrap().starts_with(codec));
        assert_eq!(target["least"], least);
        let met = target["measured"].as_f64().map(|measured| measured >= least);
        assert_eq!(target["met"].as_bool(), met);
    }
    let part = |name: &str| gpu["parts"].as_array().unwrap().iter().find(|part| part["part"] == name).unwrap();
    let measured = |at: usize| positive(&targets[at]["measured"]);
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
    if can_tell {
        let resident = |name: &str| part(name)["resident_gb_per_s"].as_f64().unwrap();
        let (there, back) = (resident("compress"), resident("decompress"));
        let copied = gpu["copy_gb_per_s"].as_f64().unwrap() / 2.0;
        close(measured(0), if is_ans { there } else { 100.0 * there / copied });
        close(measured(1), 100.0 * back / there);
    } else {
        assert!(targets[..2].iter().all(|target| target["measured"].is_null()));
    }
    for (at, name) in [(2, "compress"), (3, "decompress")] {
        let of_way = |bytes: &str, rate: &str| part(name)[bytes].as_f64().unwrap() / 1e9 / positive(&gpu[rate]);
        let seconds = of_way("uploaded_bytes", "upload_gb_per_s") + of_way("downloaded_bytes", "download_gb_per_s");
        let raw_gb = (8 * 179 * 317 * 3) as f64 / 1e9;
        close(measured(at), 100.0 * seconds * positive(&part(name)["host_to_host_gb_per_s"]) / raw_gb);
    }
}

//! What is printed, for people and for programs.

use serde_json::Value;

use super::*;

#[test]
fn json() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    let packed = format!("{NPY}.fpk");
    let raw_bytes = (original.len() - 128) as u64;

    let ran = folder.run(&["compress", NPY, "--json", "--level", "2", "--batch", "3"]).ok();
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    let summary = ran.json();
    let fields = ["input", "output", "frames", "raw_bytes", "packed_bytes", "ratio", "seconds", "mb_per_s"];
    assert_eq!(keys(&summary), [&fields[..], &["level", "batches", "placement"]].concat());
    assert_eq!(keys(&summary["batches"]), ["cpu", "gpu", "redone"]);
    assert_eq!((summary["input"].as_str(), summary["output"].as_str()), (Some(NPY), Some(packed.as_str())));
    assert_eq!(summary["frames"].as_u64(), Some(NPY_FRAMES as u64));
    assert_eq!(summary["raw_bytes"].as_u64(), Some(raw_bytes));
    let packed_bytes = folder.read(&packed).len() as u64;
    assert_eq!(summary["packed_bytes"].as_u64(), Some(packed_bytes));
    let ratio = summary["ratio"].as_f64().unwrap();
    assert!((ratio - raw_bytes as f64 / packed_bytes as f64).abs() < 1e-9);
    let (seconds, speed) = (summary["seconds"].as_f64().unwrap(), summary["mb_per_s"].as_f64().unwrap());
    assert!(seconds > 0.0 && (speed * seconds - raw_bytes as f64 / 1e6).abs() < 1e-3);
    assert_eq!(summary["level"].as_u64(), Some(2));
    assert_eq!(summary["batches"]["cpu"].as_u64(), Some(3));

    let summary = folder.run(&["decompress", &packed, "-o", "back.npy", "--json"]).ok().json();
    assert_eq!(summary["frames"].as_u64(), Some(NPY_FRAMES as u64));
    assert_eq!(summary["raw_bytes"].as_u64(), Some(raw_bytes));
    assert_eq!(summary["packed_bytes"].as_u64(), Some(packed_bytes));

    // Data on standard output leaves the summary to standard error.
    let ran = folder.run(&["compress", NPY, "--json", "-o", "-"]).ok();
    assert!(ran.stdout.starts_with(b"\x89FPK"));
    assert_eq!(serde_json::from_str::<Value>(&ran.stderr).unwrap()["frames"].as_u64(), Some(NPY_FRAMES as u64));

    let info = folder.run(&["info", &packed, "--json"]).ok().json();
    for key in
        ["file", "origin", "dtype", "layout", "shape", "bit_depth", "frames", "raw_bytes", "packed_bytes", "ratio"]
    {
        assert!(!info[key].is_null(), "{key}: {info}");
    }
    assert_eq!((info["origin"].as_str(), info["dtype"].as_str()), (Some("npy"), Some("uint8")));
    assert_eq!(info["frames"].as_u64(), Some(NPY_FRAMES as u64));
    assert_eq!(info["index_intact"].as_bool(), Some(true));
    let batches = info["batches"].as_array().unwrap();
    let frames: Vec<_> = batches.iter().map(|batch| batch["frames"].as_u64().unwrap()).collect();
    assert_eq!(frames, [3, 3, 2]);
    let records: u64 = batches.iter().map(|batch| batch["packed_bytes"].as_u64().unwrap()).sum();
    assert!(records < packed_bytes && records > packed_bytes - 500);

    let verdict = folder.run(&["verify", &packed, "--json"]).ok().json();
    assert_eq!(keys(&verdict), ["file", "intact_batches", "intact_frames", "damage"]);
    assert_eq!((verdict["intact_batches"].as_u64(), verdict["intact_frames"].as_u64()), (Some(3), Some(8)));
    assert_eq!(verdict["damage"].as_array().unwrap().len(), 0);

    let devices = folder.run(&["devices", "--json"]).ok().json();
    let devices = devices.as_array().unwrap();
    assert_eq!(devices[0]["kind"].as_str(), Some("cpu"));
    assert!(devices.iter().all(|device| device["name"].is_string()));
}

/// The CPU needs no probe; of an adapter it is told what it can do and whether it works.
#[test]
fn devices_in_full() {
    let folder = Folder::new();
    let devices = folder.run(&["devices", "--json"]).ok().json();
    let names = ["name", "kind", "index", "backend", "pci_bus_id", "driver", "limits", "features", "probe"];
    for (at, device) in devices.as_array().unwrap().iter().enumerate() {
        assert_eq!(keys(device), names);
        if at == 0 {
            assert!(["limits", "features", "probe"].iter().all(|key| device[key].is_null()));
            continue;
        }
        let limits = device["limits"].as_object().unwrap();
        assert_eq!(limits.len(), 6);
        assert!(limits.values().all(|limit| limit.as_u64().unwrap() > 0), "{limits:?}");
        let features = &device["features"];
        assert_eq!(keys(features), ["timestamp_queries", "subgroups", "pipeline_cache", "mappable_primary_buffers"]);
        if let Some(sizes) = features["subgroups"].as_array() {
            assert!(sizes.len() == 2 && sizes[0].as_u64() <= sizes[1].as_u64(), "{sizes:?}");
        }
        assert!(!device["probe"].as_str().unwrap().is_empty());
    }
    let text = folder.run(&["devices"]).ok();
    let lines_of = |label: &str| text.text().lines().filter(|line| line.trim_start().starts_with(label)).count();
    let adapters = devices.as_array().unwrap().len() - 1;
    assert_eq!(["limits:", "features:", "probe:"].map(lines_of), [adapters; 3]);
}

#[test]
fn texts_for_people() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    let info = folder.run(&["info", "x.fpk"]).ok();
    assert!(info.text().contains("8 of rgb 317x179 uint8"), "{}", info.text());
    let verdict = folder.run(&["verify", "x.fpk"]).ok();
    assert!(verdict.text().contains("x.fpk: intact") && verdict.text().contains("8 frames"), "{}", verdict.text());
    assert!(folder.run(&["devices"]).ok().text().starts_with("cpu: "));
}

#[test]
fn quiet_is_silent() {
    let folder = Folder::new();
    folder.clip(NPY);
    for arguments in [
        &["compress", NPY, "-o", "x.fpk", "-q"][..],
        &["decompress", "x.fpk", "-o", "x.npy", "--quiet"],
        &["decompress", "x.fpk", "-o", "y.npy", "-q", "--frames", "1..2"],
    ] {
        let ran = folder.run(arguments).ok();
        assert_eq!((ran.text(), ran.stderr.as_str()), ("", ""), "{arguments:?}");
    }
    // But for errors.
    folder.run(&["compress", NPY, "-o", "x.fpk", "-q"]).fails(1, &["x.fpk"]);
}

#[test]
fn help_lists_what_there_is() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).ok();
    let (_, commands) = help.text().split_once("Commands:\n").expect("a list of commands");
    let listed = commands.lines().take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    let expected = [
        "compress",
        "decompress",
        "info",
        "verify",
        "recover",
        "devices",
        "analyze",
        "bench",
        "completions",
        "man",
        "help",
    ];
    assert_eq!(names, expected);
    for name in &names[..expected.len() - 1] {
        let help = folder.run(&[name, "--help"]).ok();
        assert!(help.text().contains("Usage: framepress"), "{name}");
    }
    let version = folder.run(&["--version"]).ok();
    assert_eq!(version.text().trim(), format!("framepress {}", env!("CARGO_PKG_VERSION")));
    let ran = folder.run(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Usage"));
}

/// How and where each batch was done, for people who ask.
#[test]
fn batches_are_told_of() {
    let folder = Folder::new();
    folder.clip(NPY);
    let ran = folder.run(&["compress", NPY, "-v", "--batch", "4", "-o", "x.fpk"]).ok();
    for words in ["frames=4", "method=\"recovered\"", "reason=\"only\"", "level=4", "device=\"cpu\""] {
        assert!(ran.stderr.matches(words).count() >= 2, "{words} in {}", ran.stderr);
    }
    let ran = folder.run(&["decompress", "x.fpk", "-fv", "-o", "-"]).ok();
    assert!(ran.stderr.contains("first_frame=4"), "{}", ran.stderr);
    folder.run(&["compress", NPY, "-vq"]).fails(2, &["--quiet"]);
}

//! Placement as scripts see it: `bench --schedule`, `--max-latency`, and what summaries say of both.

use super::*;

const DEVICE: [&str; 7] =
    ["batches", "raw_bytes", "seconds", "device_seconds", "predicted_batches", "predicted_seconds", "actual_seconds"];

#[test]
fn summaries_say_where_batches_ran() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    let packed = folder.run(&["compress", NPY, "-o", "x.fpk", "--batch", "3", "--json"]).ok().json();
    let restored = folder.run(&["decompress", "x.fpk", "-o", "y.npy", "--json"]).ok().json();
    assert_eq!(folder.read("y.npy"), original);
    for summary in [packed, restored] {
        let placement = &summary["placement"];
        let fields = ["cpu", "gpu", "redone_seconds", "lowered", "lowest_level", "late", "last_reason"];
        assert_eq!(keys(placement), fields);
        assert_eq!((keys(&placement["cpu"]), keys(&placement["gpu"])), (DEVICE.to_vec(), DEVICE.to_vec()));
        assert_eq!(placement["cpu"]["batches"], 3);
        assert_eq!(placement["cpu"]["raw_bytes"], summary["raw_bytes"]);
        assert!(placement["cpu"]["seconds"].as_f64().unwrap() > 0.0);
        assert_eq!(placement["gpu"]["batches"], 0);
        assert_eq!((placement["last_reason"].as_str(), placement["lowered"].as_u64()), (Some("only"), Some(0)));
        assert!(placement["lowest_level"].is_null());
    }
}

/// Nothing is in time within a millisecond at level 9, and everything is within a day.
#[test]
fn deadlines() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    let compress = |options: &[&str]| {
        let arguments = ["compress", NPY, "-o", "x.fpk", "-f", "--json", "--level", "9"];
        let placement = folder.run(&[&arguments, options].concat()).ok().json()["placement"].clone();
        folder.run(&["decompress", "x.fpk", "-o", "y.npy", "-f"]).ok();
        assert_eq!(folder.read("y.npy"), original);
        (folder.read("x.fpk"), placement)
    };
    let (asked, _) = compress(&[]);
    let (in_time, placement) = compress(&["--max-latency", "86400000"]);
    assert_eq!(in_time, asked);
    assert_eq!((placement["lowered"].as_u64(), placement["late"].as_u64()), (Some(0), Some(0)));
    let (lowered, placement) = compress(&["--max-latency", "1"]);
    assert!(lowered.len() > asked.len());
    assert_eq!(placement["lowered"], 1);
    assert!(placement["lowest_level"].as_u64().unwrap() < 9);
    let line = folder.run(&["compress", NPY, "-o", "x.fpk", "-f", "--level", "9", "--max-latency", "1"]).ok().stderr;
    assert!(line.contains("1 batches at lower levels to be in time, down to "), "{line}");
    folder.run(&["compress", NPY, "--max-latency", "0"]).fails(2, &["--max-latency"]);
}

#[test]
fn placement_is_measured() {
    let folder = Folder::new();
    let arguments = ["bench", "--schedule", "--device", "cpu"];
    let ran = folder.run(&[&arguments[..], &["--json"]].concat()).ok();
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    let rows = ran.json();
    let rows = rows.as_array().unwrap();
    let machines: Vec<_> = rows.iter().map(|row| row["machine"].as_str().unwrap()).collect();
    assert!(machines.contains(&"fast GPU") && machines.contains(&"slow GPU"), "{machines:?}");
    for row in rows {
        let fields = [
            "machine",
            "simulated",
            "mix",
            "batches",
            "on_gpu",
            "explored",
            "mean_regret",
            "p95_regret",
            "p99_regret",
            "wrong_sides",
            "seconds",
            "best_seconds",
            "cpu_seconds",
            "gpu_seconds",
            "behind_static",
            "prediction_error",
            "decision_us",
        ];
        assert_eq!(keys(row), fields);
        assert_eq!(row["simulated"], true);
        assert!(row["batches"].as_u64().unwrap() >= 300);
        let seconds = |of: &str| row[of].as_f64().unwrap();
        assert!(seconds("best_seconds") <= seconds("seconds"));
        assert!(seconds("mean_regret") <= 0.03 && seconds("behind_static") <= 0.02, "{row}");
    }
    let table = folder.run(&arguments).ok();
    let lines: Vec<&str> = table.text().lines().collect();
    assert_eq!(lines.len(), rows.len() + 1);
    assert!(
        lines[1..].iter().all(|line| line.contains("(simulated)") && line.len() == lines[0].len()),
        "{}",
        table.text()
    );
    assert_eq!(folder.names(), [""; 0], "nothing is written");
}

#[test]
fn an_input_or_the_placement() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["bench"]).fails(2, &["INPUT"]);
    folder.run(&["bench", NPY, "--schedule"]).fails(2, &["--schedule"]);
    folder.run(&["bench", "--schedule", "--level", "4"]).fails(2, &["--schedule", "--level"]);
    folder.run(&["bench", "--schedule", "--device", "no such device"]).fails(1, &["no such device"]);
}

//! `--memory`: what it refuses, and that it holds.

use super::*;

#[test]
fn sizes_are_checked() {
    let folder = Folder::new();
    folder.clip(NPY);
    for size in ["0", "", "1X", "1.5G", "99999999999G", "K"] {
        folder.run(&["compress", NPY, "--memory", size]).fails(2, &["--memory"]);
    }
    // A frame has 170 KB.
    folder.run(&["compress", NPY, "--memory", "100K"]).fails(2, &["170229 raw bytes", "limit is 102400"]);
    folder.run(&["compress", NPY, "--memory", "2M", "--batch", "8"]).fails(2, &["limit is 2097152", "fewer frames"]);
    assert_eq!(folder.names(), [NPY]);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    folder.run(&["decompress", "x.fpk", "-o", "x.npy", "--memory", "2M"]).fails(2, &["limit"]);
    folder.run(&["decompress", "x.fpk", "-o", "x.npy", "--memory", "6M"]).ok();
    assert!(folder.read("x.npy") == folder.read(NPY));
}

/// Batches become shorter, and the bytes still do not depend on threads.
#[test]
fn batches_fit_the_memory() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    for threads in ["1", "2"] {
        let ran = folder.run(&["compress", NPY, "-o", threads, "--memory", "2M", "--threads", threads, "--json"]).ok();
        assert_eq!(ran.json()["batches"]["cpu"], 4, "2 frames of 170 KB each");
    }
    assert!(folder.read("1") == folder.read("2"));
    folder.run(&["decompress", "1", "-o", "x.npy", "--memory", "2M"]).ok();
    assert!(folder.read("x.npy") == clip);
}

/// The program itself, its threads and tables take some memory besides.
#[cfg(target_os = "linux")]
#[test]
fn the_limit_holds() {
    const PROGRAM_KB: u64 = 32 << 10;
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let frames: Vec<u8> =
        std::iter::repeat_n(&clip[clip.len() - NPY_FRAMES * 317 * 179 * 3..], 60).flatten().copied().collect();
    folder.write("long", &frames);
    let raw = ["--raw", "317x179:rgb24"];
    for (memory, limit_kb) in [("24M", 24 << 10), ("60M", 60 << 10)] {
        let peak =
            peak_kb(folder.command(&[&["compress", "long", "-fqo", "x", "--memory", memory], &raw[..]].concat()));
        assert!(peak <= limit_kb + PROGRAM_KB, "{peak} KB to compress within {memory}");
        let peak = peak_kb(folder.command(&["decompress", "x", "-fqo", "y", "--memory", memory]));
        assert!(peak <= limit_kb + PROGRAM_KB, "{peak} KB to decompress within {memory}");
        assert!(folder.read("y") == frames);
    }
    let peak = peak_kb(folder.command(&[&["compress", "long", "-fqo", "x"], &raw[..]].concat()));
    assert!(peak > (60 << 10) + PROGRAM_KB, "{peak} KB: without a limit it takes more, or this test shows nothing");
}

/// The most memory that a run has had at a time.
#[cfg(target_os = "linux")]
fn peak_kb(mut command: Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    let code = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(code.success());
    peak
}

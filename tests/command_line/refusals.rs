//! Wrong usage, unsupported inputs, damaged files.

use std::fs;

use super::*;

#[test]
fn wrong_usage() {
    let folder = Folder::new();
    folder.clip(NPY);
    for (arguments, words) in [
        (&["compress", NPY, "--level", "0"][..], &["--level"][..]),
        (&["compress", NPY, "--level", "10"], &["--level"]),
        (&["compress", NPY, "--level", "x"], &["--level"]),
        (&["compress", NPY, "--codec", "gzip"], &["--codec", "zstd"]),
        (&["compress", NPY, "--batch", "0"], &["--batch"]),
        (&["compress", NPY, "--threads", "0"], &["--threads"]),
        (&["compress", NPY, "--raw", "12"], &["--raw", "1920x1080"]),
        (&["compress", NPY, "--fast"], &["--fast"]),
        (&["compress"], &["INPUT"]),
        (&["decompress"], &["FILE"]),
        (&["decompress", "x.fpk", "--level", "3"], &["--level"]),
        (&["info"], &["FILE"]),
        (&["verify", "x.fpk", "-f"], &["-f"]),
        (&["recover", "x.fpk"], &["--output"]),
        (&["recover", "-o", "x.fpk"], &["FILE"]),
        (&["bench"], &["INPUT"]),
        (&["bench", NPY, "--level", "0"], &["--level"]),
        (&["bench", NPY, "--level", "1,10"], &["--level", "10"]),
        (&["bench", NPY, "--level", "1,,2"], &["--level"]),
        (&["bench", NPY, "--level", "1-3"], &["--level"]),
        (&["bench", NPY, "--runs", "0"], &["--runs"]),
        (&["bench", NPY, "--threads", "0"], &["--threads"]),
        (&["bench", NPY, "--batch", "0"], &["--batch"]),
        (&["bench", NPY, "-o", "x"], &["-o"]),
        (&["squeeze", NPY], &["squeeze"]),
        (&["compress", ".", "--raw", "5x3:gray"], &["--raw"]),
    ] {
        folder.run(arguments).fails(2, words);
    }
    for command in ["compress", "bench"] {
        let ran = folder.run(&[command, NPY, "--device", "no such device"]);
        if cfg!(feature = "gpu") {
            // Either the adapters there are, none of which matches, or that there is none.
            let ran = ran.fails(1, &["GPU"]);
            let message = &ran.stderr;
            assert!(message.contains("'no such device'") || message.contains("no GPU adapter"), "{message}");
        } else {
            ran.fails(2, &["no GPU support"]);
        }
    }
    assert_eq!(folder.names(), [NPY]);
}

#[test]
fn inputs_that_are_no_frames() {
    let folder = Folder::new();
    folder.write("notes.txt", b"These are no frames.");
    folder.write("fake.npy", b"These are no frames either.");
    folder.write("empty", b"");
    for name in ["notes.txt", "fake.npy", "empty"] {
        folder.run(&["compress", name]).fails(2, &[name, "--raw"]);
        folder.run(&["bench", name]).fails(2, &[name, "--raw"]);
    }
    folder.run_with_input(&["compress", "-", "-o", "x.fpk"], b"no frames").fails(2, &["stdin", "--raw"]);
    folder.run(&["compress", "missing.npy"]).fails(1, &["missing.npy"]);
    folder.run(&["bench", "missing.npy"]).fails(1, &["missing.npy"]);
    folder.run(&["compress", "*.png"]).fails(2, &["*.png"]);
    fs::create_dir(folder.path("shots")).unwrap();
    folder.run(&["compress", "shots"]).fails(2, &["shots"]);
    // A structured dtype.
    folder.write("table.npy", &npy("|V8", "(3,)", &[0; 24]));
    folder.run(&["compress", "table.npy"]).fails(2, &["table.npy"]);
    for name in ["info", "verify", "decompress"] {
        folder.run(&[name, "missing.fpk"]).fails(1, &["missing.fpk"]);
        let ran = folder.run(&[name, "notes.txt"]);
        assert!(matches!(ran.code, Some(2 | 3)), "{name}: {:?}", ran.code);
        assert!(ran.stderr.contains("notes.txt"), "{name}: {}", ran.stderr);
    }
    assert_eq!(folder.names(), ["empty", "fake.npy", "notes.txt", "shots", "table.npy"]);
}

#[test]
fn truncated_inputs() {
    let folder = Folder::new();
    for name in [NPY, Y4M] {
        let original = folder.clip(name);
        for length in [20, 100, 150, original.len() / 2, original.len() - 1] {
            folder.write(name, &original[..length]);
            for batch in ["1", "100"] {
                let ran = folder.run(&["compress", name, "--batch", batch]);
                assert!(matches!(ran.code, Some(2 | 3)), "{name} cut at {length}: {:?} {}", ran.code, ran.stderr);
                assert!(ran.stderr.contains(name), "{}", ran.stderr);
            }
        }
        fs::remove_file(folder.path(name)).unwrap();
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

/// A file of three batches, the second of them damaged.
pub(super) fn damaged(folder: &Folder) -> Vec<u8> {
    let original = folder.clip(NPY);
    folder.run(&["compress", NPY, "--batch", "3", "-o", "damaged.fpk"]).ok();
    let info = folder.run(&["info", "damaged.fpk", "--json"]).ok().json();
    let mut file = folder.read("damaged.fpk");
    let header = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    let bytes = |batch: usize| info["batches"][batch]["packed_bytes"].as_u64().unwrap() as usize;
    file[header + bytes(0) + bytes(1) / 2] ^= 4;
    folder.write("damaged.fpk", &file);
    original
}

#[test]
fn damaged_files() {
    let folder = Folder::new();
    damaged(&folder);
    folder.run(&["decompress", "damaged.fpk", "-o", "back.npy"]).fails(3, &["damaged.fpk", "batch 1", "frames 3 to 5"]);
    let file = folder.read("damaged.fpk");
    folder.run_with_input(&["decompress", "-", "-o", "back.npy"], &file).fails(3, &["batch 1", "frames 3 to 5"]);
    assert_eq!(folder.names(), [NPY, "damaged.fpk"], "no output, no temporary file");

    let ran = folder.run(&["verify", "damaged.fpk"]).fails(3, &[]);
    for words in ["batch 1", "frames 3 to 5", "DAMAGED", "2 intact batches with 5 frames"] {
        assert!(ran.text().contains(words), "{}", ran.text());
    }
    let ran = folder.run(&["verify", "damaged.fpk", "--json"]).fails(3, &[]);
    let verdict = ran.json();
    assert_eq!((verdict["intact_batches"].as_u64(), verdict["intact_frames"].as_u64()), (Some(2), Some(5)));
    let damage = verdict["damage"].as_array().unwrap();
    assert_eq!(damage.len(), 1);
    assert_eq!(keys(&damage[0]), ["batch", "first_frame", "frames", "error"]);
    let numbers = ["batch", "first_frame", "frames"].map(|key| damage[0][key].as_u64());
    assert_eq!(numbers, [Some(1), Some(3), Some(3)]);

    // Frames of the other batches are within reach.
    for range in ["0..3", "6..8"] {
        folder.run(&["decompress", "damaged.fpk", "-o", "part.npy", "-f", "--frames", range]).ok();
    }
}

#[test]
fn cut_files() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "--batch", "3", "-o", "cut.fpk"]).ok();
    let file = folder.read("cut.fpk");
    for length in [0, 10, 60, file.len() / 2, file.len() - 1] {
        folder.write("cut.fpk", &file[..length]);
        folder.run(&["verify", "cut.fpk"]).fails(3, &[]);
        folder.run_with_input(&["decompress", "-", "-o", "back.npy"], &file[..length]).fails(3, &[]);
        folder.run(&["info", "cut.fpk"]).fails(3, &["cut.fpk"]);
    }
    folder.write("cut.fpk", &file[..file.len() / 2]);
    let info = folder.run(&["info", "cut.fpk", "--json"]).fails(3, &["cut.fpk"]).json();
    assert_eq!((info["frames"].as_u64(), info["index_intact"].as_bool()), (Some(3), Some(false)));
    folder.run(&["decompress", "cut.fpk", "-o", "back.npy", "--frames", "0..3"]).ok();
    let part = folder.read("back.npy");
    let header = String::from_utf8_lossy(&part[..128]).replace(' ', "");
    assert!(header.contains("(3,179,317,3)") && part.len() == 128 + 3 * 179 * 317 * 3, "{header}");
}

/// A cut file has fewer frames than its original; what is left is not passed off as the original.
#[test]
fn a_cut_file_is_not_decompressed_in_silence() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "--batch", "3", "-o", "cut.fpk"]).ok();
    let file = folder.read("cut.fpk");
    folder.write("cut.fpk", &file[..file.len() / 2]);
    let ran = folder.run(&["decompress", "cut.fpk", "-o", "back.npy"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("cut.fpk") && ran.stderr.contains("--frames 0..3"), "{}", ran.stderr);
    assert!(!folder.path("back.npy").exists());
}

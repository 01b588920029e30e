//! What is left of damaged files.

use std::fs;

use super::refusals::damaged;
use super::*;

const FRAME: usize = 317 * 179 * 3;

/// Frames of the original `.npy` file, and how many its header says.
fn frames_of(npy: &[u8]) -> (&[u8], usize) {
    let header = String::from_utf8_lossy(&npy[..128]).replace(' ', "");
    let (_, shape) = header.split_once("'shape':(").expect("a shape");
    (&npy[128..], shape.split(',').next().unwrap().parse().unwrap())
}

#[test]
fn a_damaged_file() {
    let folder = Folder::new();
    let original = damaged(&folder);
    let ran = folder
        .run(&["recover", "damaged.fpk", "-o", "whole.fpk", "--json"])
        .fails(3, &["damaged.fpk", "frames 3 to 5 lost", "batch 1"]);
    let said = ran.json();
    assert_eq!(keys(&said), ["input", "output", "parts", "batches", "frames", "lost", "repeated", "unused_bytes"]);
    assert_eq!((said["input"].as_str(), said["output"].as_str()), (Some("damaged.fpk"), Some("whole.fpk")));
    assert_eq!((said["batches"].as_u64(), said["frames"].as_u64()), (Some(2), Some(5)));
    let lost = said["lost"].as_array().unwrap();
    assert_eq!(keys(&lost[0]), ["part", "first_frame", "frames", "reason"]);
    let numbers = ["part", "first_frame", "frames"].map(|key| lost[0][key].as_u64());
    assert_eq!((lost.len(), numbers), (1, [Some(0), Some(3), Some(3)]));

    folder.run(&["verify", "whole.fpk"]).ok();
    folder.run(&["decompress", "whole.fpk", "-o", "whole.npy"]).ok();
    let expected = [&original[128..128 + 3 * FRAME], &original[128 + 6 * FRAME..]].concat();
    assert!(frames_of(&folder.read("whole.npy")) == (&expected[..], 5));
    // From a stream too.
    let back = folder.run_with_input(&["decompress", "-"], &folder.read("whole.fpk")).ok();
    assert!(back.stdout == folder.read("whole.npy"));
}

#[test]
fn cut_and_concatenated_files() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    folder.run(&["compress", Y4M, "--batch", "5", "-o", "x.fpk"]).ok();
    let file = folder.read("x.fpk");
    // The index alone is missing: nothing is lost.
    folder.write("cut.fpk", &file[..file.len() - 30]);
    let ran = folder.run(&["recover", "cut.fpk", "-o", "whole.fpk"]).ok();
    assert!(ran.stderr.contains("3 intact batches with 12 frames"), "{}", ran.stderr);
    assert!(folder.read("whole.fpk") == file);

    folder.write("cut.fpk", &file[..file.len() / 2]);
    folder.run(&["recover", "cut.fpk", "-o", "whole.fpk"]).fails(1, &["whole.fpk", "-f"]);
    folder.run(&["recover", "cut.fpk", "-o", "whole.fpk", "-f"]).fails(3, &["lost"]);
    folder.run(&["verify", "whole.fpk"]).ok();

    folder.write("both.fpk", &[&file[..], &file].concat());
    let said = folder.run(&["recover", "both.fpk", "-o", "whole.fpk", "-f", "--json", "-q"]).ok();
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    assert_eq!((said.json()["parts"].as_u64(), said.json()["frames"].as_u64()), (Some(2), Some(24)));
    folder.run(&["decompress", "whole.fpk", "-o", "whole.y4m"]).ok();
    let header = clip.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    assert!(folder.read("whole.y4m") == [&clip[..], &clip[header..]].concat());

    // Data on standard output leaves what is said to standard error.
    let ran = folder.run(&["recover", "x.fpk", "-o", "-", "--json", "-q"]).ok();
    assert!(ran.stdout == file);
    assert_eq!(serde_json::from_str::<Value>(&ran.stderr).unwrap()["batches"].as_u64(), Some(3));
    // In place.
    folder.run(&["recover", "both.fpk", "-o", "both.fpk", "-f"]).ok();
    assert!(folder.read("both.fpk") == folder.read("whole.fpk"));
}

#[test]
fn what_cannot_be_recovered() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    let mut file = folder.read("x.fpk");
    file[16] ^= 1;
    folder.write("x.fpk", &file);
    let words = ["x.fpk", "no file header is intact", "format of the frames"];
    folder.run(&["recover", "x.fpk", "-o", "y.fpk"]).fails(3, &words);
    folder.write("empty.fpk", b"");
    folder.run(&["recover", "empty.fpk", "-o", "y.fpk"]).fails(3, &["empty.fpk"]);
    folder.run(&["recover", NPY, "-o", "y.fpk"]).fails(3, &[NPY, "not a .fpk file"]);
    folder.run(&["recover", "none.fpk", "-o", "y.fpk"]).fails(1, &["none.fpk"]);
    folder.run(&["recover", ".", "-o", "y.fpk"]).fails(2, &["expected a file"]);
    folder.run_with_input(&["recover", "-", "-o", "y.fpk"], &file).fails(2, &["expected a file", "pipe"]);
    if cfg!(unix) {
        folder.run_with_input(&["recover", "/dev/stdin", "-o", "y.fpk"], &file).fails(2, &["expected a file", "pipe"]);
    }
    assert!(!folder.path("y.fpk").exists());

    // The header of a file of the same format helps.
    folder.run(&["compress", NPY, "-o", "other.fpk"]).ok();
    let header = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    folder.write("helped.fpk", &[&folder.read("other.fpk")[..header], &file].concat());
    folder.run(&["recover", "helped.fpk", "-o", "y.fpk"]).ok();
    folder.run(&["decompress", "y.fpk", "-o", "y.npy"]).ok();
    assert!(folder.read("y.npy") == folder.read(NPY));
    fs::remove_file(folder.path("y.fpk")).unwrap();
}

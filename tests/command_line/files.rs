//! Files and streams come back.

use std::fs;

use super::*;

#[test]
fn clips_come_back_under_their_names() {
    for (name, frames) in [(NPY, NPY_FRAMES), (Y4M, Y4M_FRAMES)] {
        let folder = Folder::new();
        let original = folder.clip(name);
        let packed = format!("{name}.fpk");
        let ran = folder.run(&["compress", name]).ok();
        assert!(ran.stdout.is_empty());
        assert!(ran.stderr.contains(&format!("{frames} frames")), "{}", ran.stderr);
        assert!(folder.read(&packed).len() < original.len() / 2);

        fs::remove_file(folder.path(name)).unwrap();
        folder.run(&["decompress", &packed]).ok();
        assert!(folder.read(name) == original);
        assert_eq!(folder.names(), [name, &packed], "nothing else is left");
    }
}

#[test]
fn device_auto_is_the_default_and_gives_the_same_bytes() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "cpu.fpk"]).ok();
    for device in ["auto", "cpu"] {
        folder.run(&["compress", NPY, "-o", "other.fpk", "-f", "--device", device]).ok();
        assert!(folder.read("other.fpk") == folder.read("cpu.fpk"), "{device}");
    }
    folder.run(&["decompress", "cpu.fpk", "-o", "back.npy", "--device", "auto"]).ok();
    assert!(folder.read("back.npy") == original);
}

#[test]
fn options_reach_the_compressor() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    for (at, options) in [
        &["--level", "1"][..],
        &["-l", "9", "--threads", "1"],
        &["--codec", "lz4", "--batch", "3"],
        &["--codec", "store", "--threads", "2"],
        &["--codec", "zstd", "--batch", "1"],
        &["--verify", "--memory", "4M"],
    ]
    .iter()
    .enumerate()
    {
        let packed = format!("{at}.fpk");
        folder.run(&[&["compress", NPY, "-o", &packed], *options].concat()).ok();
        folder.run(&["decompress", &packed, "-o", "back.npy", "-f", "--threads", "1"]).ok();
        assert!(folder.read("back.npy") == original, "{options:?}");
    }
    let info = |file: &str| folder.run(&["info", file, "--json"]).ok().json();
    let codecs = |file: &str| info(file)["batches"][0]["blocks"][0]["codec"].as_str().unwrap().to_owned();
    assert_eq!(["2.fpk", "3.fpk", "4.fpk"].map(codecs), ["lz4", "store", "zstd"]);
    let batches = |file: &str| info(file)["batches"].as_array().unwrap().len();
    assert_eq!(["0.fpk", "2.fpk", "4.fpk"].map(batches), [1, 3, 8]);
    assert!(folder.read("1.fpk").len() < folder.read("0.fpk").len(), "level 9 is smaller than level 1");
}

/// Sums of the file; and of a machine without a GPU, that nothing is known.
#[test]
fn statistics_of_a_file_and_of_the_machine() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk", "--batch", "3", "--device", "cpu"]).ok();
    assert!(folder.run(&["info", "x.fpk", "--json"]).ok().json()["statistics"].is_null());
    let info = folder.run(&["info", "x.fpk", "--json", "--stats"]).ok().json();
    let sum = |of: &serde_json::Value, name: &str| {
        of.as_array().unwrap().iter().map(|it| it[name].as_u64().unwrap()).sum::<u64>()
    };
    let statistics = &info["statistics"];
    assert_eq!(sum(&statistics["methods"], "batches"), 3);
    for bytes in ["raw_bytes", "packed_bytes"] {
        assert_eq!(sum(&statistics["methods"], bytes), sum(&info["batches"], bytes), "{bytes}");
    }
    let blocks = info["batches"].as_array().unwrap().iter().map(|batch| sum(&batch["blocks"], "blocks"));
    assert_eq!(sum(&statistics["codecs"], "blocks"), blocks.sum::<u64>());
    assert!(statistics["devices"].is_array());
    let text = folder.run(&["info", "x.fpk", "--stats"]).ok();
    assert!(text.text().contains("  all of ") && text.text().contains("  placement"), "{}", text.text());
}

#[test]
fn raw_video() {
    let folder = Folder::new();
    let raw = folder.clip(NPY)[128..].to_vec();
    for (spec, frame_bytes) in [("317x179:rgb24", 317 * 179 * 3), ("31x17:yuv420p10le", 1630), ("64x9:gray16be", 1152)]
    {
        let original = &raw[..3 * frame_bytes];
        folder.write("clip.raw", original);
        let ran = folder.run(&["compress", "clip.raw", "--raw", spec, "-f"]).ok();
        assert!(ran.stderr.contains("3 frames"), "{}", ran.stderr);
        folder.run(&["decompress", "clip.raw.fpk", "-o", "back.raw", "-f"]).ok();
        assert!(folder.read("back.raw") == original, "{spec}");
        // The same from a pipe.
        let ran = folder.run_with_input(&["compress", "-", "--raw", spec], original).ok();
        assert!(ran.stdout == folder.read("clip.raw.fpk"), "{spec}");
    }
    folder.write("clip.raw", &raw[..1000]);
    folder.run(&["compress", "clip.raw", "--raw", "317x179:rgb24", "-f"]).fails(3, &["clip.raw"]);
    folder.run(&["compress", "clip.raw", "--raw", "317x179:rgb23", "-f"]).fails(2, &["--raw", "rgb23", "rgb24"]);
}

#[test]
fn pipes_both_ways() {
    let folder = Folder::new();
    for name in [NPY, Y4M] {
        let original = folder.clip(name);
        let packed = folder.run_with_input(&["compress", "-", "--batch", "5"], &original).ok();
        folder.run(&["compress", name, "--batch", "5", "-o", "file.fpk", "-f"]).ok();
        assert!(packed.stdout == folder.read("file.fpk"), "a stream gives the bytes that a file gives");
        let back = folder.run_with_input(&["decompress", "-"], &packed.stdout).ok();
        assert!(back.stdout == original, "{name}");

        let packed = folder.run(&["compress", name, "--batch", "5", "-o", "-"]).ok();
        assert!(packed.stdout == folder.read("file.fpk"));
        let back = folder.run(&["decompress", "file.fpk", "-o", "-"]).ok();
        assert!(back.stdout == original, "{name}");
        folder.run_with_input(&["decompress", "-", "-o", "back", "-f"], &packed.stdout).ok();
        assert!(folder.read("back") == original, "{name}");
    }
    let original = folder.read(NPY);
    folder.run_with_input(&["compress", "-", "-o", "named.fpk"], &original).ok();
    folder.run(&["verify", "named.fpk"]).ok();
}

#[test]
fn some_frames() {
    let folder = Folder::new();
    let npy_bytes = folder.clip(NPY);
    folder.run(&["compress", NPY, "--batch", "3"]).ok();
    let packed = format!("{NPY}.fpk");
    let frame = 179 * 317 * 3;
    for (start, end) in [(0, 1), (2, 7), (5, 8), (0, 8)] {
        let range = format!("{start}..{end}");
        folder.run(&["decompress", &packed, "-o", "part.npy", "-f", "--frames", &range]).ok();
        let part = folder.read("part.npy");
        let data = part.len() - (end - start) * frame;
        assert!(part[data..] == npy_bytes[128 + start * frame..128 + end * frame], "{range}");
        let header = String::from_utf8_lossy(&part[..data]).replace(' ', "");
        assert!(header.contains(&format!("({},179,317,3)", end - start)), "{header}");
        assert_eq!(data % 64, 0, "the data of a .npy file is aligned");
    }
    let y4m = folder.clip(Y4M);
    let header = y4m.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let frame = b"FRAME\n".len() + 320 * 176 * 3 / 2;
    folder.run(&["compress", Y4M, "--batch", "5"]).ok();
    folder.run(&["decompress", &format!("{Y4M}.fpk"), "-o", "part.y4m", "--frames", "4..6"]).ok();
    let expected = [&y4m[..header], &y4m[header + 4 * frame..header + 6 * frame]].concat();
    assert!(folder.read("part.y4m") == expected);

    for range in ["3..3", "5..2", "3", "a..b", "..", "3..", "-1..2"] {
        folder.run(&["decompress", &packed, "-o", "x.npy", &format!("--frames={range}")]).fails(2, &["--frames"]);
    }
    folder.run(&["decompress", &packed, "-o", "x.npy", "--frames", "7..9"]).fails(2, &[&packed, "0..8"]);
    let stream = folder.read(&packed);
    folder.run_with_input(&["decompress", "-", "--frames", "0..1"], &stream).fails(2, &["--frames"]);
    assert!(!folder.path("x.npy").exists());
}

#[test]
fn outputs_are_not_overwritten_unless_forced() {
    let folder = Folder::new();
    let original = folder.clip(NPY);
    let packed = format!("{NPY}.fpk");
    folder.write(&packed, b"mine");
    folder.run(&["compress", NPY]).fails(1, &[&packed, "-f"]);
    assert_eq!(folder.read(&packed), b"mine");
    folder.run(&["compress", NPY, "-f"]).ok();
    folder.run(&["decompress", &packed]).fails(1, &[NPY, "-f"]);
    assert!(folder.read(NPY) == original);
    folder.write(NPY, b"mine");
    folder.run(&["decompress", &packed, "--force"]).ok();
    assert!(folder.read(NPY) == original);
    assert_eq!(folder.names(), [NPY, &packed]);

    fs::create_dir(folder.path("folder")).unwrap();
    folder.run(&["compress", NPY, "-o", "folder", "-f"]).fails(1, &["folder"]);
    folder.run(&["compress", NPY, "-o", "nowhere/x.fpk"]).fails(1, &["nowhere"]);
}

#[test]
fn output_without_a_name_to_derive() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "packed"]).ok();
    folder.run(&["decompress", "packed"]).fails(2, &["packed", "-o"]);
}

#[test]
fn arrays_of_other_types_and_sizes() {
    let folder = Folder::new();
    for (at, (dtype, shape, bytes)) in [
        ("<f8", "(7, 3)", 168),
        (">i4", "(5, 2, 3)", 120),
        ("|b1", "(9,)", 9),
        ("<u2", "(0, 4)", 0),
        ("<f4", "(4, 0, 3)", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{at}.npy");
        let original = npy(dtype, shape, &(0..bytes).map(|byte| (byte % 2) as u8).collect::<Vec<_>>());
        folder.write(&name, &original);
        folder.run(&["compress", &name]).ok();
        folder.run(&["verify", &format!("{name}.fpk")]).ok();
        folder.run(&["decompress", &format!("{name}.fpk"), "-o", "back.npy", "-f"]).ok();
        assert_eq!(folder.read("back.npy"), original, "{dtype} {shape}");
    }
}

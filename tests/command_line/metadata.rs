//! `--meta` and `--timestamps`.

use super::*;

#[test]
fn what_is_known_of_frames_is_kept() {
    let folder = Folder::new();
    folder.clip(NPY);
    let lines: String = (0..NPY_FRAMES as i64).map(|frame| format!("{}\n", frame * 40_000_000 - 7)).collect();
    folder.write("times", lines.as_bytes());
    let arguments = ["compress", NPY, "-o", "x.fpk", "--batch", "3", "--timestamps", "times"];
    folder.run(&[&arguments[..], &["--meta", "camera=7", "--meta", "place=a=b"]].concat()).ok();
    let info = folder.run(&["info", "x.fpk", "--json"]).ok().json();
    assert_eq!(info["metadata"], serde_json::json!({ "camera": "7", "place": "a=b" }));
    assert_eq!(info["batches"][0]["timestamps"], serde_json::json!([-7, 79_999_993]));
    assert!(folder.run(&["info", "x.fpk"]).ok().text().contains("camera: 7"));

    folder.run(&["decompress", "x.fpk", "-o", "y.npy", "--timestamps", "back"]).ok();
    assert!(folder.read("back") == lines.as_bytes());
    folder.run(&["decompress", "x.fpk", "-o", "-", "--frames", "2..4", "--timestamps", "part"]).ok();
    assert!(
        folder.read("part")
            == lines.lines().skip(2).take(2).flat_map(|line| [line, "\n"]).collect::<String>().as_bytes()
    );

    folder.run(&["compress", NPY, "-o", "x.fpk", "--append", "--timestamps", "times"]).ok();
    folder.run(&["compress", NPY, "-o", "x.fpk", "--append", "--meta", "camera=8"]).fails(2, &["--meta"]);
    folder.run(&["recover", "x.fpk", "-o", "z.fpk"]).ok();
    folder.run(&["decompress", "z.fpk", "-o", "z.npy", "--timestamps", "twice"]).ok();
    assert!(folder.read("twice") == lines.repeat(2).as_bytes());
    assert_eq!(folder.run(&["info", "z.fpk", "--json"]).ok().json()["metadata"]["camera"], "7");
}

#[test]
fn mistakes_are_told() {
    let folder = Folder::new();
    folder.clip(NPY);
    for pair in ["camera", "=7", ""] {
        folder.run(&["compress", NPY, "--meta", pair]).fails(2, &["KEY=VALUE"]);
    }
    folder.write("few", b"1\n2\n");
    folder.write("many", "1\n".repeat(NPY_FRAMES + 1).as_bytes());
    folder.write("words", b"1\ntwo\n");
    folder.run(&["compress", NPY, "--timestamps", "few"]).fails(2, &["2 times", "more frames"]);
    folder.run(&["compress", NPY, "--timestamps", "many"]).fails(2, &["9 times", "8 frames"]);
    folder.run(&["compress", NPY, "--timestamps", "words"]).fails(2, &["words", "line 2"]);
    folder.run(&["compress", NPY, "--timestamps", "none"]).fails(1, &["none"]);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    folder.run(&["decompress", "x.fpk", "-o", "y.npy", "--timestamps", "t"]).fails(2, &["no times"]);
    assert_eq!(folder.names(), [NPY, "few", "many", "words", "x.fpk"]);
}

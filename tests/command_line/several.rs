//! Several inputs in one run.

use super::*;

#[test]
fn each_input_has_its_output() {
    let folder = Folder::new();
    let (npy, y4m) = (folder.clip(NPY), folder.clip(Y4M));
    let ran = folder.run(&["compress", NPY, Y4M, "--json"]).ok();
    let inputs: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(inputs.iter().map(|summary| &summary["input"]).collect::<Vec<_>>(), [NPY, Y4M]);
    assert_eq!(inputs[0]["batches"]["cpu"], 1);
    assert_eq!(inputs[1]["batches"]["cpu"], 1, "its own alone");

    let packed = [format!("{NPY}.fpk"), format!("{Y4M}.fpk")];
    folder.run(&["decompress", &packed[0], &packed[1], "-o", "out/deep", "-q"]).ok();
    assert!(folder.read(&format!("out/deep/{NPY}")) == npy && folder.read(&format!("out/deep/{Y4M}")) == y4m);
    folder.run(&["compress", &format!("out/deep/{NPY}"), Y4M, "-o", "packed"]).ok();
    assert!(folder.read(&format!("packed/{}", packed[0])) == folder.read(&packed[0]));

    folder.run(&["compress", NPY, NPY, "-o", "twice.fpk", "--append"]).ok();
    assert_eq!(folder.run(&["info", "twice.fpk", "--json"]).ok().json()["frames"], 2 * NPY_FRAMES);
}

/// Patterns that no shell has seen, and folders: of images they are one input, otherwise as many as there are files.
#[test]
fn patterns_and_folders_stand_for_their_files() {
    let folder = Folder::new();
    for within in ["clips/deep", "odd"] {
        fs::create_dir_all(folder.path(within)).unwrap();
    }
    for name in ["clips/b.npy", "clips/a.NPY", "odd/a[1].npy"] {
        folder.write(name, &npy("|u1", "(3, 16, 16)", &[7; 768]));
    }
    folder.write("clips/notes.txt", b"of no format");
    folder.write("clips/deep/c.npy", b"in a folder of its own");
    for (input, output) in [("clips", "x"), ("clips/*.*[yY]", "y")] {
        folder.run(&["compress", input, "-o", output, "-q"]).ok();
        assert_eq!(folder.names_in(output), ["a.NPY.fpk", "b.npy.fpk"], "{input}");
    }
    folder.run(&["compress", "odd/a[1].npy", "-o", "one.fpk"]).ok();
    folder.run(&["compress", "odd", "-o", "packed"]).ok();
    assert_eq!(folder.names_in("packed"), ["a[1].npy.fpk"], "a folder goes to a folder, also with one file");

    folder.write("x/notes.txt", b"of no format");
    for (input, output) in [("x", "back/of/folder"), ("x/*.fpk", "back/of/pattern")] {
        folder.run(&["decompress", input, "-o", output]).ok();
        assert_eq!(folder.names_in(output), ["a.NPY", "b.npy"], "{input}");
        assert!(folder.read(&format!("{output}/b.npy")) == folder.read("clips/b.npy"));
    }
    folder.run(&["compress", "clips", "--raw", "16x16:gray", "-o", "z"]).fails(2, &["--raw"]);
    folder.run(&["compress", "clips/*.none", "-o", "z"]).fails(2, &["clips/*.none"]);
    folder.run(&["decompress", "clips", "-o", "z"]).fails(1, &["clips"]);
    folder.run(&["decompress", "x", "--timestamps", "t"]).fails(2, &["--timestamps"]);
}

#[test]
fn one_that_fails_keeps_none_of_the_others() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.clip(Y4M);
    folder.write("broken.npy", b"\x93NUMPY\x01\x00");
    folder.run(&["compress", NPY, "missing", "broken.npy", Y4M]).fails(1, &["missing", "broken.npy"]);
    assert_eq!(folder.names(), [NPY, &format!("{NPY}.fpk"), Y4M, &format!("{Y4M}.fpk"), "broken.npy"]);
    let mut damaged = folder.read(&format!("{NPY}.fpk"));
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    folder.write("damaged.fpk", &damaged);
    folder.run(&["decompress", "damaged.fpk", &format!("{NPY}.fpk"), "-o", "out"]).fails(3, &["damaged.fpk"]);
    assert!(folder.read(&format!("out/{NPY}")) == folder.read(NPY));
    folder.run(&["compress", NPY, "-", "-o", "x"]).fails(2, &["standard input"]);
    folder.run(&["compress", NPY, Y4M, "--timestamps", "t"]).fails(2, &["--timestamps"]);
    folder.run(&["decompress", "a.fpk", "b.fpk", "--follow"]).fails(2, &["--follow"]);
    folder.run(&["compress"]).fails(2, &["INPUT"]);
}

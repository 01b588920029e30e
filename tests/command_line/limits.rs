//! Small files that stand for much.

use super::*;

#[test]
fn output_is_bounded() {
    let folder = Folder::new();
    let frames = vec![0; 64 * 100 * 100];
    folder.write("zeros", &frames);
    folder.run(&["compress", "zeros", "-o", "x.fpk", "--raw", "100x100:gray", "--batch", "16"]).ok();
    assert!(folder.read("x.fpk").len() < 2000);
    let bomb = folder.read("x.fpk");
    for input in ["x.fpk", "-"] {
        let arguments = ["decompress", input, "-o", "y", "--max-output", "639999"];
        folder.run_with_input(&arguments, &bomb).fails(2, &["640000 raw bytes", "limit of 639999"]);
        assert_eq!(folder.names(), ["x.fpk", "zeros"]);
        let arguments = ["decompress", input, "-fo", "y", "--max-output", "640000"];
        folder.run_with_input(&arguments, &bomb).ok();
        assert!(folder.read("y") == frames);
        fs::remove_file(folder.path("y")).unwrap();
    }
    // Of a part, the batches that it takes count.
    folder.run(&["decompress", "x.fpk", "-o", "part", "--frames", "0..3", "--max-output", "160000"]).ok();
    folder
        .run(&["decompress", "x.fpk", "-o", "y", "--frames", "15..17", "--max-output", "160000"])
        .fails(2, &["320000"]);
}

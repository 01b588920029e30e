//! `--progress json`.

use super::*;

/// The lines of standard error, each an object.
fn lines(ran: &Ran) -> Vec<Value> {
    ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn programs_can_follow_a_run() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let raw_bytes = (NPY_FRAMES * 317 * 179 * 3) as u64;
    for input in [NPY, "-"] {
        let arguments = ["compress", input, "-o", "x.fpk", "-fq", "--progress", "json", "--batch", "2"];
        let arguments =
            if input == "-" { [&arguments[..], &["--raw", "317x179:rgb24"]].concat() } else { arguments.to_vec() };
        let ran = folder.run_with_input(&arguments, &clip[clip.len() - raw_bytes as usize..]).ok();
        let lines = lines(&ran);
        let last = lines.last().unwrap();
        assert_eq!((last["frames"].as_u64(), last["raw_bytes"].as_u64()), (Some(8), Some(raw_bytes)));
        let known = if input == "-" { None } else { Some(raw_bytes) };
        assert_eq!(last["total_raw_bytes"].as_u64(), known);
        assert_eq!(last["seconds_left"].as_f64(), known.map(|_| 0.0));
        // The index is not a batch.
        let packed_bytes = last["packed_bytes"].as_u64().unwrap();
        assert!((1..folder.read("x.fpk").len() as u64).contains(&packed_bytes));
        assert_eq!(last["ratio"].as_f64().unwrap(), raw_bytes as f64 / packed_bytes as f64);
    }
    let ran = folder.run(&["decompress", "x.fpk", "-o", "y", "--progress", "json", "--json"]).ok();
    assert_eq!(lines(&ran).last().unwrap()["raw_bytes"].as_u64(), Some(raw_bytes));
    assert_eq!(ran.json()["raw_bytes"].as_u64(), Some(raw_bytes), "the summary is on standard output");
    let ran = folder.run(&["decompress", "x.fpk", "--follow", "-o", "z", "-q", "--progress", "json"]).ok();
    assert_eq!(lines(&ran).last().unwrap()["raw_bytes"].as_u64(), Some(raw_bytes));

    // Files without a number of frames have a length.
    let raw_bytes = (Y4M_FRAMES * 320 * 176 * 3 / 2) as u64;
    folder.clip(Y4M);
    let ran = folder.run(&["compress", Y4M, "--batch", "2", "-q", "--progress", "json"]).ok();
    for line in lines(&ran) {
        assert_eq!(line["total_raw_bytes"].as_u64(), Some(raw_bytes));
    }
    folder.run(&["compress", NPY, "--progress", "html"]).fails(2, &["auto", "json"]);
}

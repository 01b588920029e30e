//! `framepress bench`: what it prints, and that its ratios are those of files.

use serde_json::Value;

use super::*;

const KEYS: [&str; 7] =
    ["level", "device", "threads", "ratio", "packed_bytes", "compress_mb_per_s", "decompress_mb_per_s"];

fn bench(folder: &Folder, input: &str, options: &[&str]) -> Vec<Value> {
    let ran = folder.run(&[&["bench", input, "--runs", "1", "--json"], options].concat()).ok();
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    ran.json().as_array().unwrap().clone()
}

fn levels(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["level"].as_u64().unwrap()).collect()
}

#[track_caller]
fn check_speed(speed: &Value) {
    let speed = speed.as_f64().unwrap();
    assert!(speed.is_finite() && speed > 0.0, "{speed}");
}

#[test]
fn json_has_a_row_per_level() {
    let folder = Folder::new();
    folder.clip(NPY);
    let rows = bench(&folder, NPY, &["--level", "4,1", "--threads", "1"]);
    assert_eq!(levels(&rows), [4, 1], "as they were asked for");
    for row in &rows {
        assert_eq!(keys(row), KEYS);
        assert_eq!((row["device"].as_str(), row["threads"].as_u64()), (Some("cpu"), Some(1)));
        check_speed(&row["compress_mb_per_s"]);
        check_speed(&row["decompress_mb_per_s"]);
    }
    assert_eq!(folder.names(), [NPY], "nothing is written");
}

#[test]
fn every_level_by_default() {
    let folder = Folder::new();
    folder.write("small.npy", &npy("|u1", "(3, 16, 16)", &[7; 768]));
    assert_eq!(levels(&bench(&folder, "small.npy", &[])), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(levels(&bench(&folder, "small.npy", &["--level", "2", "-l", "5,6"])), [2, 5, 6]);
}

/// Every byte of the file counts: header, side data, index.
#[test]
fn ratios_are_those_of_files() {
    let folder = Folder::new();
    folder.clip(NPY);
    let clip = folder.clip(Y4M);
    folder.write("clip.raw", &clip[..20 * 1000]);
    // Side data in the second batch of three frames alone.
    let frame: Vec<u8> = (0..96).collect();
    let lines = ["FRAME\n", "FRAME\n", "FRAME\n", "FRAME Ip\n", "FRAME\n", "FRAME\n", "FRAME\n"];
    let frames = lines.map(|line| [line.as_bytes(), &frame].concat()).concat();
    folder.write("marked.y4m", &[&b"YUV4MPEG2 W8 H8 F25:1 C420jpeg\n"[..], &frames].concat());
    for (input, options) in [
        (NPY, &["--level", "3"][..]),
        (NPY, &["--level", "2", "--batch", "3", "--codec", "zstd"]),
        (Y4M, &["--level", "4", "--batch", "5"]),
        ("clip.raw", &["--level", "1", "--raw", "100x100:gray"]),
        ("marked.y4m", &["--level", "1", "--batch", "3"]),
    ] {
        let rows = bench(&folder, input, options);
        let file = [&["compress", input, "-o", "x.fpk", "-f", "--json"], options].concat();
        let summary = folder.run(&file).ok().json();
        for key in ["level", "packed_bytes", "ratio"] {
            assert_eq!(rows[0][key], summary[key], "{key} of {input} {options:?}");
        }
    }
    let input = folder.read(Y4M);
    let arguments = ["bench", "-", "--runs", "1", "--json", "--level", "4", "--batch", "5"];
    let piped = folder.run_with_input(&arguments, &input).ok().json();
    let packed_bytes = &bench(&folder, Y4M, &["--level", "4", "--batch", "5"])[0]["packed_bytes"];
    assert_eq!(piped[0]["packed_bytes"], *packed_bytes, "standard input");
}

#[test]
fn stages() {
    let folder = Folder::new();
    folder.clip(NPY);
    for row in bench(&folder, NPY, &["--level", "1,3", "--batch", "3", "--stages"]) {
        assert_eq!(keys(&row), [&KEYS[..], &["stages"]].concat());
        let stages = row["stages"].as_array().unwrap();
        let mut names = Vec::new();
        for stage in stages {
            assert_eq!(keys(stage), ["stage", "direction", "mb_per_s"]);
            check_speed(&stage["mb_per_s"]);
            names.push(["stage", "direction"].map(|key| stage[key].as_str().unwrap()));
        }
        let (there, back) = ("compress", "decompress");
        let expected = [["plan", there], ["transform", there], ["code", there], ["code", back], ["transform", back]];
        assert_eq!(names, expected);
    }
}

/// Tiles, the model, planes and noise have every part; pictures of few values are not transformed.
#[test]
fn stages_of_every_method() {
    let folder = Folder::new();
    folder.clip(NPY);
    let disc =
        |at: usize| u8::from((at % 64).abs_diff(30 + at / 4096).pow(2) + (at / 64 % 64).abs_diff(31).pow(2) < 400);
    folder.write("disc.npy", &npy("|b1", "(4, 64, 64)", &(0..1 << 14).map(disc).collect::<Vec<u8>>()));
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    folder.write("noise.npy", &npy("|u1", "(4, 64, 64)", &[(); 1 << 14].map(|()| noise())));
    for (input, options, transformed) in [
        (NPY, &["--level", "1,4,9"][..], true),
        (NPY, &["--level", "4", "--codec", "zstd"], true),
        ("noise.npy", &["--level", "4,9"], true),
        ("disc.npy", &["--level", "5"], false),
    ] {
        for row in bench(&folder, input, &[options, &["--stages"]].concat()) {
            let parts = [1, 2, 3, 4].map(|at| !row["stages"][at]["mb_per_s"].is_null());
            assert_eq!(parts, [transformed, true, true, transformed], "{input} {options:?}");
        }
    }
}

#[test]
fn a_table_for_people() {
    let folder = Folder::new();
    folder.clip(NPY);
    for (options, columns) in [(&[][..], 7), (&["--stages"], 12)] {
        let arguments = ["bench", NPY, "--level", "1,2", "--runs", "2", "--threads", "1"];
        let ran = folder.run(&[&arguments, options].concat()).ok();
        assert!(ran.stderr.is_empty(), "{}", ran.stderr);
        let lines: Vec<&str> = ran.text().lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "aligned: {}", ran.text());
        for (level, line) in (1..).zip(&lines[1..]) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(cells.len(), columns, "{line}");
            assert_eq!(cells[..3], [level.to_string().as_str(), "cpu", "1"]);
        }
    }
}

/// Elements that are open, one within the other, at the end of a page; `None` if one ends that is not open.
fn left_open(page: &str) -> Option<Vec<&str>> {
    let mut open = Vec::new();
    for (at, _) in page.match_indices('<') {
        let tag = &page[at + 1..at + page[at..].find('>')?];
        let name = tag.split(|char: char| !char.is_ascii_alphanumeric() && char != '/').next()?;
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        match name.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return None,
            Some(_) => {}
            None => open.push(name),
        }
    }
    Some(open)
}

#[test]
fn a_page_with_charts() {
    let folder = Folder::new();
    let name = if cfg!(unix) { "a <b> & \"c\" 'd'.npy" } else { "a & 'd'.npy" };
    let escaped = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('"', "&quot;").replace('\'', "&#39;");
    let clip = folder.clip(NPY);
    folder.write(name, &clip);
    bench(&folder, name, &["--level", "1,3", "--stages", "--html", "page.html"]);
    let page = String::from_utf8(folder.read("page.html")).unwrap();
    assert_eq!(left_open(&page), Some(vec![]));
    assert_eq!(left_open(&page.replacen("</section>", "", 1)), None, "the check finds what is missing");
    assert!(page.contains(&escaped) && !page.contains(name), "{name}");
    for from_elsewhere in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link", "//"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert_eq!(page.matches("<svg viewBox=\"0 0 340 270\"").count(), 2, "there and back");
    for level in [1, 3] {
        assert_eq!(page.matches(&format!("<title>cpu, {level}:")).count(), 2);
    }
    assert!(page.contains("compress: plan") && page.contains("prefers-color-scheme: dark"));
    assert!(page.contains(env!("CARGO_PKG_VERSION")) && page.contains("--level 1,3"));
}

/// The charts of the page, light and dark, without a page around them.
#[test]
fn charts_as_a_picture() {
    let folder = Folder::new();
    folder.clip(NPY);
    bench(&folder, NPY, &["--level", "1,3", "--svg", "charts.svg"]);
    let svg = String::from_utf8(folder.read("charts.svg")).unwrap();
    assert_eq!(left_open(&svg), Some(vec![]));
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=") && svg.contains("dark"));
    assert_eq!(svg.matches("://").count(), 1, "the name of the format alone");
    for from_elsewhere in ["src=", "href=", "url(", "@import", "<script", "<link", "<image"] {
        assert!(!svg.contains(from_elsewhere), "{from_elsewhere}");
    }
    assert!(svg.contains("Compression, level by level") && svg.contains("Decompression, level by level"));
    for level in [1, 3] {
        assert_eq!(svg.matches(&format!("<title>cpu, {level}:")).count(), 2, "there and back");
    }
}

#[test]
fn a_page_replaces_nothing_unasked() {
    let folder = Folder::new();
    folder.write("small.npy", &npy("|u1", "(3, 16, 16)", &[7; 768]));
    folder.write("page.html", b"mine");
    let arguments = ["bench", "small.npy", "--level", "1", "--runs", "1", "--html"];
    let run = |more: &[&str]| folder.run(&[&arguments, more].concat());
    run(&["page.html"]).fails(1, &["page.html", "exists"]);
    run(&["-"]).fails(2, &["standard output has the table"]);
    run(&["other.html", "--svg", "page.html"]).fails(1, &["page.html", "exists"]);
    assert_eq!(folder.read("page.html"), b"mine");
    run(&["page.html", "--force"]).ok();
    assert!(folder.read("page.html").starts_with(b"<!DOCTYPE html>"));
    assert_eq!(folder.names(), ["page.html", "small.npy"]);
}

#[test]
fn frames_there_are_none_of() {
    let folder = Folder::new();
    folder.write("none.npy", &npy("<u2", "(0, 16, 16)", &[]));
    let rows = bench(&folder, "none.npy", &["--level", "1", "--stages"]);
    assert_eq!(rows[0]["ratio"].as_f64(), Some(0.0));
    bench(&folder, "none.npy", &["--level", "1", "--html", "page.html"]);
}

/// The CPU, and every adapter that works by its name, as `devices` lists them.
#[test]
fn every_device() {
    let folder = Folder::new();
    folder.clip(NPY);
    let devices = folder.run(&["devices", "--json"]).ok().json();
    let arguments = ["bench", NPY, "--level", "1,3", "--runs", "1", "--json", "--device", "all", "--stages"];
    let ran = folder.run(&arguments).ok();
    let rows = ran.json();
    let names: Vec<_> = devices.as_array().unwrap().iter().skip(1).map(|it| it["name"].as_str().unwrap()).collect();
    for level in [1, 3] {
        let of_level = || rows.as_array().unwrap().iter().filter(|row| row["level"] == level);
        assert_eq!(of_level().next().unwrap()["device"], "cpu");
        let adapters: Vec<_> = of_level().skip(1).map(|row| row["device"].as_str().unwrap()).collect();
        assert!(adapters.len() <= names.len());
        for name in &names {
            let left_out = ran.stderr.lines().any(|line| line.contains("left out") && line.contains(name));
            assert!(left_out || adapters.iter().any(|adapter| adapter.starts_with(name)), "{name}: {adapters:?}");
        }
        let mut sizes: Vec<_> = of_level().map(|row| row["packed_bytes"].as_u64()).collect();
        sizes.dedup();
        assert_eq!(sizes.len(), 1, "the same bytes from every device");
    }
}

/// What places each batch by itself is measured beside the CPU, in turn.
#[test]
fn placed_batches() {
    let folder = Folder::new();
    folder.clip(NPY);
    let rows = folder.run(&["bench", NPY, "--level", "1,4", "--runs", "1", "--json", "--device", "auto"]).ok().json();
    let rows: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (row["level"].as_u64(), row["device"].as_str())).collect();
    let expected = [(1, "cpu"), (1, "auto"), (4, "cpu"), (4, "auto")];
    assert_eq!(rows, expected.map(|(level, device)| (Some(level), Some(device))));
}

//! `framepress analyze`.

use super::*;

#[test]
fn findings_are_those_of_files() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let found = folder.run(&["analyze", NPY, "--json", "--batch", "4", "--device", "cpu"]).ok().json();
    let raw_bytes = (NPY_FRAMES * 317 * 179 * 3) as u64;
    assert_eq!((found["frames"].as_u64(), found["raw_bytes"].as_u64()), (Some(8), Some(raw_bytes)));
    let entropies = found["entropy_bits_per_byte"].as_array().unwrap();
    assert_eq!(entropies.len(), NPY_FRAMES);
    assert!(entropies.iter().all(|bits| (0.1..8.0).contains(&bits.as_f64().unwrap())));
    // Each of three channels counts the bytes of all pixels.
    let histograms = found["histograms"].as_array().unwrap();
    let counts = |channel: usize| histograms[channel].as_array().unwrap().iter().map(|count| count.as_u64().unwrap());
    let raw = &clip[clip.len() - raw_bytes as usize..];
    for channel in 0..3 {
        let expected =
            (0..=255).map(|byte| raw.iter().skip(channel).step_by(3).filter(|&&other| other == byte).count() as u64);
        assert!(counts(channel).eq(expected), "channel {channel}");
    }
    folder.run(&["compress", NPY, "-o", "x.fpk", "--batch", "4"]).ok();
    let info = folder.run(&["info", "x.fpk", "--json"]).ok().json();
    let batches = found["batches"].as_array().unwrap();
    for (batch, expected) in batches.iter().zip(info["batches"].as_array().unwrap()) {
        for key in ["first_frame", "frames", "raw_bytes", "packed_bytes"] {
            assert_eq!(batch[key], expected[key], "{key}");
        }
        assert_eq!((&batch["device"], &batch["method"]), (&"cpu".into(), &expected["method"]["name"]));
    }
    assert_eq!(batches.len(), 2);
    let levels = found["levels"].as_array().unwrap();
    let ratio = |level: usize| levels[level - 1]["ratio"].as_f64().unwrap();
    assert_eq!((levels.len(), levels[8]["level"].as_u64()), (9, Some(9)));
    assert!(ratio(1) < ratio(4) && ratio(4) < ratio(9));
    assert_eq!(ratio(4), found["ratio"].as_f64().unwrap(), "the level that was asked for");
    assert_eq!(found["advice"]["saved_per_month"], Value::Null);

    let told = folder.run(&["analyze", NPY, "-v", "--progress", "json"]).ok().stderr;
    assert!(told.contains("coded") && told.contains("\"raw_bytes\":1361832"), "{told}");
    let text = folder.run(&["analyze", NPY, "--price-per-gb", "0.5", "--level", "1"]).ok();
    for words in ["8 frames", "level 9:", "At 0.5 per GB", "bits per byte"] {
        assert!(text.text().contains(words), "{words} in {}", text.text());
    }
}

#[test]
fn pages_need_nothing_else() {
    let folder = Folder::new();
    folder.clip(NPY);
    let name = "<b>&\"x\".npy";
    fs::copy(folder.path(NPY), folder.path(name)).unwrap();
    let ran = folder.run(&["analyze", name, "--html", "page.html", "-q"]).ok();
    assert!(ran.stdout.is_empty());
    let page = String::from_utf8(folder.read("page.html")).unwrap();
    for forbidden in ["http:", "https:", "<script", "<b>", "src=", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for expected in [
        "Advice",
        "Entropy of each frame",
        "Bytes of channel 2",
        "What its tiles are predicted from",
        "unchanged",
        "recovered",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    folder.run(&["analyze", NPY, "--html", "page.html"]).fails(1, &["page.html", "-f"]);
    folder.run(&["analyze", NPY, "--html", "page.html", "-fq"]).ok();
}

#[test]
fn odd_inputs_are_analyzed() {
    let folder = Folder::new();
    folder.write("empty.npy", &npy("|u1", "(0, 4, 5)", &[]));
    folder.write("tiny.npy", &npy("<f4", "(1,)", &[0; 4]));
    folder.write("depth.npy", &npy("<u2", "(3, 20, 30)", &[7; 3600]));
    for input in ["empty.npy", "tiny.npy", "depth.npy"] {
        let found = folder.run(&["analyze", input, "--json", "--html", "page.html", "-f"]).ok().json();
        assert_eq!(found["input"], input);
    }
    folder.run(&["analyze", "missing.npy"]).fails(1, &["missing.npy"]);
    folder.run(&["analyze", "tiny.npy", "--price-per-gb", "-1"]).code.filter(|&code| code == 2).expect("wrong usage");
    folder.run(&["analyze", "tiny.npy", "--price-per-gb", "x"]).fails(2, &["a price"]);
}

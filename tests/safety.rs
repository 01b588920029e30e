//! docs/SAFETY.md lists all unsafe code, every use of which says why it is sound, and all that sees bytes as numbers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// Every source file of the library and the program, by its name, with its text.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The files that a section of the page lists in its table.
fn listed(section: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SAFETY.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n## {section}\n")).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let files: BTreeSet<String> =
        cells.flat_map(|cell| cell.split(", ")).map(|file| file.trim_matches('`').to_owned()).collect();
    assert!(!files.is_empty());
    files
}

fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn has_unsafe(line: &str) -> bool {
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|word| code(line).contains(word))
}

#[test]
fn unsafe_code_is_where_the_inventory_says() {
    let mut found = BTreeSet::new();
    for (name, text) in texts() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| has_unsafe(line)) {
            // The comment may be some lines above: it covers a statement of several.
            let reasons = &lines[at.saturating_sub(8)..=at];
            let is_told = reasons.iter().any(|line| line.contains("SAFETY"));
            assert!(is_told || line.contains("unsafe fn"), "{name}:{}: an unsafe block without its reason", at + 1);
            found.insert(name.clone());
        }
    }
    assert_eq!(found, listed("Unsafe code"));
}

/// Reads or writes numbers in the order of the machine.
fn is_native(line: &str) -> bool {
    let words = ["_ne_bytes", "NativeEndian", "native_endian", "transmute", "align_to", "from_raw_parts"];
    words.iter().any(|word| code(line).contains(word))
}

/// Sees memory as something else, whatever the order.
fn is_cast(line: &str) -> bool {
    code(line).contains("bytemuck")
}

#[test]
fn bytes_are_numbers_where_the_inventory_says() {
    // What it is to find, it finds.
    assert!(is_native("let length = u32::from_ne_bytes(bytes);") && is_native("out.extend(length.to_ne_bytes());"));
    assert!(is_cast("let lengths: &[u32] = bytemuck::cast_slice(bytes);") && !is_native("u32::from_le_bytes(bytes)"));
    let mut found = BTreeSet::new();
    for (name, text) in texts() {
        // Tests make samples; what they compare with files is bytes.
        if name.ends_with("tests.rs") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            assert!(!is_native(line), "{name}:{}: {line}", at + 1);
            if is_cast(line) {
                found.insert(name.clone());
            }
        }
    }
    assert_eq!(found, listed("Byte order"));
}

//! The inventory of unsafe code in docs/SAFETY.md is complete, and every use of it says why it is sound.

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

fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|word| code.contains(word))
}

#[test]
fn unsafe_code_is_where_the_inventory_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/SAFETY.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `src/"));
    let listed: BTreeSet<String> =
        rows.filter_map(|row| row.split('`').next().map(|file| format!("src/{file}"))).collect();
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut found = BTreeSet::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| has_unsafe(line)) {
            // The comment may be some lines above: it covers a statement of several.
            let reasons = &lines[at.saturating_sub(8)..=at];
            let is_told = reasons.iter().any(|line| line.contains("SAFETY"));
            assert!(is_told || line.contains("unsafe fn"), "{name}:{}: an unsafe block without its reason", at + 1);
            found.insert(name.clone());
        }
    }
    assert!(!listed.is_empty());
    assert_eq!(found, listed);
}

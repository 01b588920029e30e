//! Completions and manual pages.

use super::*;

#[test]
fn shells_can_complete() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.run(&["completions", shell]).ok();
        for word in ["compress", "decompress", "memory", "verify"] {
            assert!(ran.text().contains(word), "{word} for {shell}");
        }
    }
    folder.run(&["completions", "cmd"]).fails(2, &["bash"]);
    // The script is one that the shell takes.
    let script = folder.run(&["completions", "bash"]).ok();
    folder.write("script", &script.stdout);
    if let Ok(output) = Command::new("bash").args(["-n"]).arg(folder.path("script")).output() {
        assert!(output.status.success() && output.stderr.is_empty());
    }
}

#[test]
fn every_command_has_a_page() {
    let folder = Folder::new();
    folder.run(&["man", "pages"]).ok();
    let page = |name: &str| String::from_utf8(folder.read(&format!("pages/{name}.1"))).unwrap();
    assert!(page("framepress").contains(".TH framepress 1"));
    let help = folder.run(&["--help"]).ok();
    let commands =
        help.text().lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"compress"), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(page(&format!("framepress-{command}")).contains("SYNOPSIS"), "{command}");
    }
    folder.write("file", b"");
    folder.run(&["man", "file/pages"]).fails(1, &["file/pages"]);
}

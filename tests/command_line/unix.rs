//! Devices, rights, pipes and signals.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

#[test]
fn devices_are_written_to() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "/dev/null"]).ok();
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    folder.run(&["decompress", "x.fpk", "-o", "/dev/null"]).ok();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    if Path::new("/dev/full").exists() {
        folder.run(&["compress", NPY, "-o", "/dev/full"]).fails(1, &["No space left"]);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(folder.command(&["compress", NPY, "-o", "-"]).stdout(full).output().unwrap());
        ran.fails(1, &["No space left"]);
    }
}

/// New files get the rights that the umask leaves, not those of temporary files.
#[test]
fn outputs_have_ordinary_rights() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    folder.write("ordinary", b"");
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("x.fpk"), mode("ordinary"));
}

/// Whoever read the output has gone: no message, no panic.
#[test]
fn broken_pipes_are_quiet() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    for arguments in [
        &["decompress", "x.fpk", "-o", "-"][..],
        &["compress", NPY, "-o", "-"],
        &["compress", NPY, "-o", "y.fpk", "--json"],
        &["info", "x.fpk"],
        &["info", "x.fpk", "--json"],
        &["verify", "x.fpk"],
        &["verify", "x.fpk", "--json"],
        &["devices", "--json"],
        &["bench", NPY, "--level", "1", "--runs", "1"],
        &["bench", NPY, "--level", "1", "--runs", "1", "--json"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = Ran::of(folder.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert!(ran.stderr.is_empty() || arguments[0] == "devices", "{arguments:?}: {}", ran.stderr);
        assert!(matches!(ran.code, Some(0 | 1)), "{arguments:?}: {:?}", ran.code);
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

fn wait_for(mut reached: impl FnMut() -> bool, what: &str) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits for the program without closing its standard input.
fn exit_code(child: &mut Child) -> Option<i32> {
    let mut status = None;
    let start = Instant::now();
    while status.is_none() && start.elapsed() < PATIENCE {
        status = child.try_wait().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    status.expect("the program ends").code()
}

fn interrupted(folder: &Folder, arguments: &[&str], input: &[u8], signal_name: &str) {
    let before = folder.names();
    let mut child = piped(folder.command(arguments));
    // Input stays open, as that of a camera would.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    stdin.flush().unwrap();
    wait_for(|| folder.names().len() > before.len(), "a temporary file");
    signal(&child, signal_name);
    let code = exit_code(&mut child);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(code, Some(130), "{stderr}");
    assert_eq!(stderr, "framepress: interrupted: nothing was written\n");
    assert_eq!(folder.names(), before, "nothing is left");
    drop(stdin);
}

#[test]
fn an_interrupted_compress_leaves_nothing() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    for name in ["-INT", "-TERM"] {
        // Within a frame, and between two.
        for length in [clip.len() / 2, clip.len()] {
            interrupted(&folder, &["compress", "-", "-o", "x.fpk", "--batch", "1"], &clip[..length], name);
            interrupted(&folder, &["compress", "-", "-o", "x.fpk", "--batch", "100"], &clip[..length], name);
        }
    }
    folder.write("x.fpk", b"mine");
    interrupted(&folder, &["compress", "-", "-o", "x.fpk", "-f"], &clip, "-INT");
    assert_eq!(folder.read("x.fpk"), b"mine");
}

#[test]
fn an_interrupted_bench_ends() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let mut child = piped(folder.command(&["bench", "-", "--level", "1", "--runs", "1000000"]));
    // More than a pipe holds: once it is written, the program is at work, which would take hours.
    child.stdin.take().unwrap().write_all(&clip).unwrap();
    signal(&child, "-INT");
    assert_eq!(exit_code(&mut child), Some(130));
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.text(), ran.stderr.as_str()), ("", "framepress: interrupted: nothing was written\n"));
}

#[test]
fn an_interrupted_decompress_leaves_nothing() {
    let folder = Folder::new();
    folder.clip(Y4M);
    folder.run(&["compress", Y4M, "-o", "x.fpk", "--batch", "1"]).ok();
    let file = folder.read("x.fpk");
    interrupted(&folder, &["decompress", "-", "-o", "y.y4m"], &file[..file.len() / 2], "-INT");
}

/// What was added before the signal stays.
#[test]
fn an_interrupted_append_keeps_whole_batches() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    let mut child = piped(folder.command(&["compress", "-", "-o", "x.fpk", "--append", "--batch", "1"]));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&clip).unwrap();
    stdin.flush().unwrap();
    let frames = || folder.run(&["info", "x.fpk", "--json"]).json_or_null()["frames"].as_u64();
    wait_for(|| frames() == Some(Y4M_FRAMES as u64), "all frames in the file");
    signal(&child, "-INT");
    assert_eq!(exit_code(&mut child), Some(130));
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.stderr, "framepress: interrupted: what was written stays\n");
    assert_eq!(frames(), Some(Y4M_FRAMES as u64));
    folder.run(&["decompress", "x.fpk", "-o", "back.y4m", "--frames", "0..12"]).ok();
    assert!(folder.read("back.y4m") == clip);
    drop(stdin);
}

#[test]
fn an_interrupted_follow_keeps_the_frames_so_far() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    folder.run(&["compress", Y4M, "-o", "x.fpk", "--batch", "4"]).ok();
    let file = folder.read("x.fpk");
    folder.write("x.fpk", &file[..file.len() - 5]);
    for name in ["-INT", "-TERM"] {
        let mut child = piped(folder.command(&["decompress", "x.fpk", "--follow", "-o", "back.y4m", "-q", "-f"]));
        let temporary = || folder.names().into_iter().find(|name| name.ends_with(".tmp"));
        wait_for(|| temporary().is_some_and(|name| folder.read(&name) == clip), "all frames in a temporary file");
        signal(&child, name);
        assert_eq!(exit_code(&mut child), Some(130));
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.stderr, "framepress: interrupted: what was written stays\n");
        assert!(folder.read("back.y4m") == clip);
        assert_eq!(folder.names(), ["back.y4m", Y4M, "x.fpk"]);
    }
}

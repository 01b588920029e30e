//! The `framepress` program as scripts see it: files, streams, exit codes, messages.
#![cfg(feature = "cli")]

#[path = "../made/mod.rs"]
mod made;

mod analyze;
mod append;
mod bench;
mod files;
mod follow;
mod images;
mod kills;
mod limits;
mod manuals;
mod memory;
mod messages;
mod metadata;
mod progress;
mod recover;
mod recovered;
mod refusals;
mod region;
mod schedule;
mod several;
#[cfg(unix)]
mod unix;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of one test, in which the program runs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Copies a clip of the tests into the folder.
    fn clip(&self, name: &str) -> Vec<u8> {
        let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap();
        self.write(name, &bytes);
        bytes
    }

    /// Names of everything in the folder, hidden files too.
    fn names(&self) -> Vec<String> {
        self.names_in(".")
    }

    fn names_in(&self, within: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(within)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program with these arguments. What compresses or decompresses does so on the CPU.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framepress"));
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        if matches!(arguments.first(), Some(&("compress" | "decompress"))) && !arguments.contains(&"--device") {
            command.args(["--device", "cpu"]);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = piped(self.command(arguments));
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // The program may stop reading before the end.
            scope.spawn(move || drop(stdin.write_all(input)));
            Ran::of(child.wait_with_output().unwrap())
        })
    }
}

fn piped(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How a run ended.
struct Ran {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Checks the exit code, and that the message has all these words.
    #[track_caller]
    fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "expected {word:?} in: {}", self.stderr);
        }
        self
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.stdout).unwrap()
    }

    /// What was printed, if it is JSON.
    fn json_or_null(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap()
    }
}

const NPY: &str = "bbb_rgb_317x179.npy";
const Y4M: &str = "bbb_yuv420_320x176.y4m";
const NPY_FRAMES: usize = 8;
const Y4M_FRAMES: usize = 12;

/// Keys of a JSON object, in order.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Frames in a `.npy` header.
fn npy(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

//! Ctrl-C: finish the current step, remove what is half-written, leave.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use framepress::{Error, ErrorKind, Result};

use super::INTERRUPTED as EXIT_CODE;

/// Time for the current step. After it the program ends wherever it is: it may be waiting for input that
/// never comes.
const GRACE: Duration = Duration::from_millis(300);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether what was written before stays.
static KEPT: AtomicBool = AtomicBool::new(false);

/// Whether the program ends by itself after the first signal, however long that takes.
static PATIENT: AtomicBool = AtomicBool::new(false);

/// The temporary files and folders to remove.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Takes over SIGINT, SIGTERM and SIGHUP.
pub fn install() {
    let handler = || {
        let first = !INTERRUPTED.swap(true, Ordering::Relaxed);
        if first && PATIENT.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(GRACE);
        // Held to the end of the process: what is removed cannot be renamed into place any more.
        let temporary = temporary();
        temporary.iter().for_each(|path| remove(path));
        eprintln!("framepress: {}", error());
        std::process::exit(EXIT_CODE.into());
    };
    // Without the handler Ctrl-C leaves a temporary file behind, and nothing worse.
    let _ = ctrlc::set_handler(handler);
}

/// An error once the user asked to stop.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(error());
    }
    Ok(())
}

/// Says that whatever is written from now on stays.
pub fn keep() {
    KEPT.store(true, Ordering::Relaxed);
}

/// Says that the program looks out for the first signal, ends soon after it, and keeps what it has. A second signal
/// ends it wherever it is.
pub fn wait_for_the_end() {
    PATIENT.store(true, Ordering::Relaxed);
    keep();
}

/// Says that `path` is half-written until [`commit`].
pub fn half_written(path: &Path) {
    temporary().push(path.to_owned());
}

/// Runs what makes the half-written `path` appear under its name.
pub fn commit<R>(path: &Path, rename: impl FnOnce() -> R) -> R {
    let mut temporary = temporary();
    let result = rename();
    temporary.retain(|other| other != path);
    result
}

fn error() -> Error {
    let kept = KEPT.load(Ordering::Relaxed);
    Error::new(ErrorKind::Interrupted, if kept { "what was written stays" } else { "nothing was written" })
}

fn temporary() -> MutexGuard<'static, Vec<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a file, or a folder that other threads may still be filling.
fn remove(path: &Path) {
    let removed = || match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => std::fs::remove_file(path),
        result => result,
    };
    while removed().is_err_and(|error| error.kind() == io::ErrorKind::DirectoryNotEmpty) {}
}

//! Ctrl-C: finish the current step, remove what is half-written, leave.

use std::sync::atomic::{AtomicBool, Ordering};

use framepress::{Error, ErrorKind, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Takes over SIGINT, SIGTERM and SIGHUP. The second one ends the process at once.
pub fn install() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // Without the handler Ctrl-C leaves a temporary file behind, and nothing worse.
    let _ = ctrlc::set_handler(handler);
}

/// An error once the user asked to stop.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Interrupted, "nothing was written"));
    }
    Ok(())
}

//! The folder for what is worth keeping from one process to the next. Nothing depends on it: what cannot be read is not
//! there, and what cannot be written is not kept.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

/// Environment variable with another folder; nothing is kept if it is empty.
const FOLDER_VARIABLE: &str = "FRAMEPRESS_CACHE";

/// Our folder among the user's caches; `None` if none is wanted or the system names none.
pub(crate) fn folder() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    if let Some(folder) = variable(FOLDER_VARIABLE) {
        return (!folder.as_os_str().is_empty()).then_some(folder);
    }
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let of_user = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    };
    of_user.map(|folder| folder.join("framepress"))
}

/// Writes a file as a whole, in a folder that only its owner can write to if it has to be made: others see the old file
/// or the new one, and no other.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_private(folder)?;
    }
    // Several processes may do so at a time.
    let temporary = path.with_extension(format!("{}.part", process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    // It may not be there.
    written.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What lies below the folder of a user's local data is that user's.
#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

//! Outputs that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use framepress::{Error, ErrorKind, Result, SyncData};
use tempfile::{NamedTempFile, TempDir};

use super::interrupt;

const BUFFER_BYTES: usize = 1 << 20;

/// Where the bytes of one file go.
pub enum Output {
    Stdout(BufWriter<io::Stdout>),
    /// A pipe or device, which cannot be replaced by renaming.
    Special(BufWriter<File>),
    /// A temporary file beside `path`, renamed at the end and removed if that is never reached.
    File {
        temporary: BufWriter<NamedTempFile>,
        path: PathBuf,
        force: bool,
    },
}

impl Output {
    /// Prepares to write `path`; `-` is standard output.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())));
        }
        if is_special(path) {
            let file = File::options().write(true).open(path).map_err(|error| at(path, error))?;
            return Ok(Self::Special(BufWriter::with_capacity(BUFFER_BYTES, file)));
        }
        if path.is_dir() {
            return Err(failed(path, "expected a file name, found a folder"));
        }
        check_free(path, force)?;
        let temporary = temporary(0o666).tempfile_in(folder(path)).map_err(|error| at(path, error))?;
        interrupt::half_written(temporary.path());
        Ok(Self::File { temporary: BufWriter::with_capacity(BUFFER_BYTES, temporary), path: path.to_owned(), force })
    }

    /// Writes `bytes` over the first ones of a file.
    pub fn overwrite_start(&mut self, bytes: &[u8]) -> Result<()> {
        let Self::File { temporary, .. } = self else {
            let message = "the header is not that of the frames that came; name an output file with -o";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        temporary.seek(SeekFrom::Start(0))?;
        temporary.write_all(bytes)?;
        temporary.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// Makes the file appear under its name.
    pub fn commit(self) -> Result<()> {
        match self {
            Self::Stdout(mut stdout) => Ok(stdout.flush()?),
            Self::Special(mut file) => Ok(file.flush()?),
            Self::File { temporary, path, force } => {
                let temporary = temporary.into_inner().map_err(|error| at(&path, error.into_error()))?;
                let half_written = temporary.path().to_owned();
                let rename = || if force { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
                interrupt::commit(&half_written, rename).map(drop).map_err(|error| at(&path, error.error))
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(output) => output.write(bytes),
            Self::Special(output) => output.write(bytes),
            Self::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::Special(output) => output.flush(),
            Self::File { temporary, .. } => temporary.flush(),
        }
    }
}

impl SyncData for Output {
    fn sync_data(&mut self) -> io::Result<()> {
        self.flush()?;
        match self {
            Self::File { temporary, .. } => temporary.get_ref().as_file().sync_data(),
            // What becomes of the bytes is up to who reads them.
            Self::Stdout(_) | Self::Special(_) => Ok(()),
        }
    }
}

/// Brings the name of a file to the disk. Its bytes are there already.
pub fn sync_folder(path: &Path) -> Result<()> {
    // Elsewhere a folder cannot be opened, and names need no such care.
    if cfg!(unix) {
        let folder = folder(path);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(folder, error))?;
    }
    Ok(())
}

/// A folder that is filled under a temporary name.
pub struct OutputFolder {
    temporary: TempDir,
    path: PathBuf,
}

impl OutputFolder {
    /// Prepares to make the folder `path`, which must not exist unless `force` is set.
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        check_free(path, force)?;
        let temporary = temporary(0o777).tempdir_in(folder(path)).map_err(|error| at(path, error))?;
        interrupt::half_written(temporary.path());
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// Where to put files.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Makes the folder appear under its name. If it is there already, its files of the same names
    /// are replaced and others stay.
    pub fn commit(self) -> Result<()> {
        let half_written = self.temporary.path().to_owned();
        interrupt::commit(&half_written, || self.rename())
    }

    fn rename(self) -> Result<()> {
        let path = &self.path;
        if !path.exists() {
            fs::rename(self.temporary.path(), path).map_err(|error| at(path, error))?;
            // It is no longer where it would be removed.
            let _ = self.temporary.keep();
            return Ok(());
        }
        for entry in fs::read_dir(self.temporary.path()).map_err(|error| at(path, error))? {
            let entry = entry?;
            fs::rename(entry.path(), path.join(entry.file_name())).map_err(|error| at(path, error))?;
        }
        Ok(())
    }
}

/// Whether the path is there and is neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn check_free(path: &Path, force: bool) -> Result<()> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(failed(path, "it exists already; use -f to overwrite it, or -o for another name"));
    }
    Ok(())
}

/// The folder that a path is in.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".framepress-").suffix(".tmp");
    // The rights that an ordinary new file gets, less the umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    builder
}

fn at(path: &Path, error: io::Error) -> Error {
    Error::from(error).context(path.display())
}

fn failed(path: &Path, message: &str) -> Error {
    Error::new(ErrorKind::Io, format!("{}: {message}", path.display()))
}

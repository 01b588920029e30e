//! Times of frames as text: a line for each, in nanoseconds.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use framepress::{Error, ErrorKind, Result};

use super::output::Output;

/// The times in a file.
pub fn read(path: &Path) -> Result<Vec<i64>> {
    let text = fs::read_to_string(path).map_err(|error| Error::from(error).context(path.display()))?;
    let number = |(at, line): (usize, &str)| {
        line.trim().parse().map_err(|_| {
            let message = format!("{}: line {}: expected a number, found {line:?}", path.display(), at + 1);
            Error::new(ErrorKind::InvalidInput, message)
        })
    };
    text.lines().enumerate().map(number).collect()
}

/// Where the times of restored frames go.
pub struct Times {
    output: Output,
    path: PathBuf,
}

impl Times {
    pub fn create(path: &Path, force: bool) -> Result<Self> {
        Ok(Self { output: Output::create(path, force)?, path: path.to_owned() })
    }

    /// Writes the times of `frames` frames.
    pub fn write(&mut self, timestamps: &[i64], frames: usize) -> Result<()> {
        if timestamps.len() != frames {
            let message = format!("{}: the file has no times of these frames", self.path.display());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(timestamps.iter().try_for_each(|time| writeln!(self.output, "{time}"))?)
    }

    /// Makes the file appear.
    pub fn commit(self) -> Result<()> {
        self.output.commit()
    }
}

//! Several inputs in one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use framepress::{Error, ErrorKind, Result};

use super::inputs::Inputs;

/// Does `work` with every input and the output that goes with it. One that fails is told, and the others are done all the
/// same; the exit code is that of the first failure.
pub fn each(inputs: &Inputs, outputs: &Outputs, mut work: impl FnMut(&str, &Path) -> Result<()>) -> Result<ExitCode> {
    if let [input] = &inputs.names[..] {
        return work(input, &outputs.of(input)?).map(|()| ExitCode::SUCCESS);
    }
    let mut failed = None;
    for input in &inputs.names {
        match outputs.of(input).and_then(|output| work(input, &output)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted || super::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                eprintln!("framepress: {error}");
                failed.get_or_insert(super::code(&error));
            }
        }
    }
    Ok(failed.map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// Where results go.
pub enum Outputs {
    /// All to this one: of a single input, or one after another.
    One(PathBuf),
    /// Each under the name that it would have, but in this folder.
    Folder(PathBuf, fn(&str) -> Result<PathBuf>),
    /// Each under a name of its own.
    ByName(fn(&str) -> Result<PathBuf>),
}

impl Outputs {
    /// Those of `inputs`, given what the user has asked for and how results are named otherwise.
    pub fn new(inputs: &Inputs, asked: Option<PathBuf>, name: fn(&str) -> Result<PathBuf>) -> Result<Self> {
        match asked {
            None => Ok(Self::ByName(name)),
            Some(output) if !inputs.are_several => Ok(Self::One(output)),
            Some(folder) => {
                fs::create_dir_all(&folder).map_err(|error| Error::from(error).context(folder.display()))?;
                Ok(Self::Folder(folder, name))
            }
        }
    }

    fn of(&self, input: &str) -> Result<PathBuf> {
        match self {
            Self::One(output) => Ok(output.clone()),
            Self::ByName(name) => name(input),
            Self::Folder(folder, name) => {
                let name = name(input)?;
                Ok(folder.join(name.file_name().unwrap_or(name.as_os_str())))
            }
        }
    }
}

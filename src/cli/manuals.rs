//! `framepress completions` and `framepress man`: what other programs know of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use framepress::{Error, Result};

use super::arguments::Arguments;

/// Prints the script with which `shell` completes our arguments.
pub fn completions(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "framepress", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes `framepress.1` and a page for every subcommand to `folder`.
pub fn man(folder: &Path) -> Result<ExitCode> {
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .map_err(|error| Error::from(error).context(folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

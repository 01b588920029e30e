//! The command line: parsed arguments to calls of the library, errors to exit codes.

mod analyze;
mod append;
mod arguments;
mod bench;
mod compress;
mod decompress;
mod devices;
mod follow;
mod info;
mod inputs;
mod interrupt;
mod manuals;
mod output;
mod progress;
mod recover;
mod report;
mod several;
mod source;
mod statistics;
mod summary;
mod timestamps;
mod verify;

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use framepress::{Error, ErrorKind, Result};

use self::arguments::{Arguments, Command};

/// Wrong usage or unsupported input.
const USAGE: u8 = 2;
/// Damaged data.
const DAMAGED: u8 = 3;
/// Ended by Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version are no errors. Nobody is left to tell if this cannot be printed.
            let _ = message.print();
            return ExitCode::from(if message.use_stderr() { USAGE } else { 0 });
        }
    };
    interrupt::install();
    if arguments.command.is_verbose() {
        tell_of_batches();
    }
    let result = match arguments.command {
        Command::Compress(arguments) => compress::run(arguments),
        Command::Decompress(arguments) => decompress::run(arguments),
        Command::Info(arguments) => info::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Recover(arguments) => recover::run(arguments),
        Command::Devices(arguments) => devices::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Analyze(arguments) => analyze::run(arguments),
        Command::Completions { shell } => manuals::completions(shell),
        Command::Man { folder } => manuals::man(&folder),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            if !is_broken_pipe(&error) {
                eprintln!("framepress: {error}");
            }
            ExitCode::from(code(&error))
        }
    }
}

/// How a command ends that found a file intact, or told of its damage.
fn ended(is_intact: bool) -> ExitCode {
    ExitCode::from(if is_intact { 0 } else { DAMAGED })
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Unsupported | ErrorKind::InvalidInput | ErrorKind::Limit => USAGE,
        ErrorKind::Corrupt | ErrorKind::Truncated => DAMAGED,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => 1,
    }
}

/// Prints what the library tells of each batch, on standard error, from now on.
fn tell_of_batches() {
    let teller = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_target(false);
    teller.with_writer(io::stderr).init();
}

/// How many times smaller packed bytes are.
fn ratio(raw_bytes: u64, packed_bytes: u64) -> f64 {
    raw_bytes as f64 / packed_bytes.max(1) as f64
}

/// Prints a line on standard output, which may be full or closed.
fn print(line: impl Display) -> Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// Whether whoever read our output has gone: no news to anyone.
fn is_broken_pipe(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::BrokenPipe)
}

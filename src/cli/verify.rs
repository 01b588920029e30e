//! `framepress verify`.

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use framepress::plan::DeviceChoice;
use framepress::{Decompressor, Error, ErrorKind, Limits, Reader, Result};
use serde_json::{Value, json};

use super::arguments::Examine;
use super::{ended, interrupt, print};

pub fn run(arguments: Examine) -> Result<ExitCode> {
    let name = arguments.file.display().to_string();
    let file = File::open(&arguments.file).map_err(|error| Error::from(error).context(&name))?;
    // The CPU decides what is sound.
    let decompressor = Decompressor::new(&DeviceChoice::Cpu, None, Limits::default())?;
    let mut reader =
        Reader::new(BufReader::with_capacity(1 << 20, file), &decompressor).map_err(|error| error.context(&name))?;
    let (mut batches, mut frames, mut damage) = (0u64, 0u64, Vec::new());
    reader.read_batches(|batch| {
        interrupt::check()?;
        match batch {
            Ok(batch) => {
                batches += 1;
                frames += batch.frames.frames() as u64;
                decompressor.reuse(batch.frames.into_bytes());
            }
            Err(error) => match error.kind() {
                ErrorKind::Corrupt | ErrorKind::Truncated => damage.push(error),
                _ => return Err(error.context(&name)),
            },
        }
        Ok(())
    })?;
    if arguments.json {
        let damage: Vec<Value> = damage.iter().map(object).collect();
        print(json!({ "file": name, "intact_batches": batches, "intact_frames": frames, "damage": damage }))?;
    } else {
        for error in &damage {
            print(format_args!("{name}: {error}"))?;
        }
        let verdict = if damage.is_empty() { "intact" } else { "DAMAGED" };
        print(format_args!("{name}: {verdict}, {batches} intact batches with {frames} frames"))?;
    }
    Ok(ended(damage.is_empty()))
}

fn object(error: &Error) -> Value {
    let location = error.location();
    json!({
        "batch": location.map(|at| at.batch),
        "first_frame": location.map(|at| at.first_frame),
        "frames": location.map(|at| at.frames),
        "error": error.to_string(),
    })
}

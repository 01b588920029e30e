//! `framepress recover`.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use framepress::plan::DeviceChoice;
use framepress::{Decompressor, Error, ErrorKind, Limits, LostFrames, Recovery, Result, recover};
use serde_json::{Value, json};

use super::arguments::Recover;
use super::output::Output;
use super::{ended, interrupt, print};

pub fn run(arguments: Recover) -> Result<ExitCode> {
    let Recover { file, output, json, quiet, force } = arguments;
    let name = file.display().to_string();
    let input = open(&file).map_err(|error| error.context(&name))?;
    // The CPU decides what is sound.
    let decompressor = Decompressor::new(&DeviceChoice::Cpu, None, Limits::default())?;
    let mut written = Output::create(&output, force)?;
    let recovery = recover(input, &mut written, &decompressor).map_err(|error| error.context(&name))?;
    interrupt::check()?;
    written.commit()?;

    let output_name = output.display().to_string();
    if !quiet {
        tell(&name, &output_name, &recovery);
    }
    let object = json.then(|| object(&name, &output_name, &recovery));
    match object {
        Some(object) if output == Path::new("-") => eprintln!("{object}"),
        Some(object) => print(object)?,
        None => {}
    }
    Ok(ended(recovery.lost.is_empty()))
}

/// Opens the input, which is read in several places.
fn open(path: &Path) -> Result<File> {
    let refused = || {
        let message = "expected a file, found a pipe, device or folder: batches are read more than once; save it first";
        Error::new(ErrorKind::InvalidInput, message)
    };
    if path == Path::new("-") {
        return Err(refused());
    }
    // A pipe would wait to be opened.
    if !std::fs::metadata(path)?.is_file() {
        return Err(refused());
    }
    Ok(File::open(path)?)
}

/// What was lost and what was found, for people.
fn tell(name: &str, output: &str, recovery: &Recovery) {
    let of_part = |part: u64| match recovery.parts {
        0 | 1 => String::new(),
        _ => format!("part {part}: "),
    };
    for lost in &recovery.lost {
        eprintln!("framepress: {name}: {}{} lost: {}", of_part(lost.part), which(lost), lost.reason);
    }
    for repeated in &recovery.repeated {
        let (batch, part) = (repeated.batch, of_part(repeated.part));
        let last = batch.first_frame + batch.frames.saturating_sub(1);
        eprintln!(
            "framepress: {name}: {part}batch {} (frames {} to {last}) comes again, and is written again",
            batch.batch, batch.first_frame
        );
    }
    let unused = match recovery.unused_bytes {
        0 => String::new(),
        bytes => format!(", {bytes} bytes of no use"),
    };
    eprintln!("{name} -> {output}: {} intact batches with {} frames{unused}", recovery.batches, recovery.frames);
}

fn which(lost: &LostFrames) -> String {
    let first = lost.first_frame;
    match lost.frames {
        Some(1) => format!("frame {first}"),
        Some(frames) => format!("frames {first} to {}", first + (frames - 1)),
        None => format!("frames from {first} on, if there were any,"),
    }
}

fn object(input: &str, output: &str, recovery: &Recovery) -> Value {
    let lost = |lost: &LostFrames| json!({ "part": lost.part, "first_frame": lost.first_frame, "frames": lost.frames, "reason": lost.reason });
    json!({
        "input": input,
        "output": output,
        "parts": recovery.parts,
        "batches": recovery.batches,
        "frames": recovery.frames,
        "lost": recovery.lost.iter().map(lost).collect::<Vec<_>>(),
        "repeated": recovery.repeated.iter().map(|repeated| {
            let batch = repeated.batch;
            json!({
                "part": repeated.part,
                "batch": batch.batch,
                "first_frame": batch.first_frame,
                "frames": batch.frames,
            })
        }).collect::<Vec<_>>(),
        "unused_bytes": recovery.unused_bytes,
    })
}

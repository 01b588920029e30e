//! `framepress bench`: ratio and speed in memory.
//!
//! Every level on every device runs once per round, so that whatever else the machine does hits all of
//! them alike. The first round warms up and does not count.

mod contender;
mod device;
#[cfg_attr(not(feature = "gpu"), path = "no_gpu.rs")]
mod gpu;
mod input;
mod kernels;
mod methods;
mod page;
mod report;
mod schedule;
mod stages;
mod targets;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use framepress::plan::DeviceChoice;
use framepress::{Result, Settings};
use serde_json::Value;

use self::contender::{Buffers, Contender};
use self::input::Input;
use self::report::Row;
use super::arguments::{Bench, Benched};
use super::output::Output;
use super::{interrupt, print, progress};

pub fn run(arguments: Bench) -> Result<ExitCode> {
    // There is an input unless placement is measured.
    let Some(name) = arguments.input else { return schedule::run(arguments.device, arguments.json) };
    let asked = arguments.device.unwrap_or(Benched::One(DeviceChoice::Cpu));
    let devices = device::open(asked, arguments.threads, arguments.stages)?;
    // A file that is in the way is not news to hear after the measurement.
    let create = |path: &Option<PathBuf>| path.as_ref().map(|path| Output::create(path, arguments.force)).transpose();
    let (html, svg) = (create(&arguments.html)?, create(&arguments.svg)?);
    let settings = Settings::new()
        .with_codec(arguments.codec.into())
        .with_batch_frames(arguments.batch)
        .with_threads(arguments.threads);
    let mut contenders = Vec::new();
    for &level in &arguments.level {
        for device in &devices {
            contenders.push(Contender::new(settings.clone().with_level(level)?, device)?);
        }
    }

    let input = Input::read(&name, arguments.raw)?;
    let mut buffers = Buffers::new(&input);
    let raw_bytes = input.raw.len();
    let rounds = arguments.runs.get().saturating_add(1);
    let bar = progress::bar(Some((raw_bytes * contenders.len()).saturating_mul(rounds) as u64), false);
    for round in 0..rounds {
        for contender in &mut contenders {
            interrupt::check()?;
            match contender.run(&input, &mut buffers)? {
                Ok(times) if round > 0 => contender.runs.push(times),
                Ok(times) => contender.first = Some(times),
                Err(difference) => {
                    bar.finish_and_clear();
                    eprintln!("framepress: {name}: {}: {difference}", contender.name());
                    return Ok(ExitCode::FAILURE);
                }
            }
            bar.inc(raw_bytes as u64);
        }
    }
    interrupt::check()?;
    bar.finish_and_clear();

    for contender in &contenders {
        warn_of_redone(contender);
    }
    let rows: Vec<Row> = contenders.iter().map(|contender| Row::of(contender, raw_bytes)).collect();
    if arguments.json {
        print(Value::Array(rows.iter().map(Row::json).collect()))?;
    } else {
        print(report::table(&rows))?;
        for text in report::gpu_texts(&rows) {
            print(format_args!("\n{text}"))?;
        }
    }
    if let Some(mut output) = html {
        output.write_all(page::page(&name, &input, &rows).as_bytes())?;
        output.commit()?;
    }
    if let Some(mut output) = svg {
        output.write_all(super::report::svg(&page::charts(&rows)).as_bytes())?;
        output.commit()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says whose figures are partly the CPU's.
fn warn_of_redone(contender: &Contender<'_>) {
    let (there, back) = (contender.compressor.counts(), contender.device.decompressor.counts());
    if there.redone > 0 || back.redone > 0 {
        eprintln!(
            "framepress: {}: batches were redone on the CPU ({} to compress, {} to decompress at any level): the \
             figures are not those of the device",
            contender.name(),
            there.redone,
            back.redone
        );
    }
}

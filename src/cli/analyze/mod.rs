//! `framepress analyze`: what frames are like, and what becomes of them.

mod frames;
mod levels;
mod map;
mod page;
mod report;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use framepress::Result;
use framepress::input;
use framepress::plan::Settings;

use self::frames::Findings;
use self::report::Report;
use super::arguments::Analyze;
use super::output::Output;
use super::progress::Progress;
use super::{interrupt, print, progress};

pub fn run(arguments: Analyze) -> Result<ExitCode> {
    let Analyze { input: name, level, run, batch, raw, html, price_per_gb } = arguments;
    // A page that is in the way is not news to hear after the measurement.
    let page = html.as_ref().map(|path| Output::create(path, run.force)).transpose()?;
    let settings = Settings::new()
        .with_level(level)?
        .with_device(run.device.clone())
        .with_batch_frames(batch)
        .with_threads(run.threads)
        .with_memory_limit(run.memory);
    let mut reader = input::open(Path::new(&name), raw)?;
    let description = reader.description().clone();
    let mut progress = Progress::new(progress::raw_bytes(&name, &description), run.show());

    let mut findings = Findings::new(&description.format, settings.clone(), page.is_some())?;
    let batch_frames = findings.batch_frames();
    while let Some(batch) = reader.read_batch(batch_frames).map_err(|error| error.context(&name))? {
        interrupt::check()?;
        findings.add(&batch)?;
        progress.advance(batch.frames as u64, batch.bytes.len() as u64, Some(findings.packed_bytes));
        reader.reuse(batch.bytes);
    }
    progress.finish();
    let levels = levels::measure(&description.format, findings.take_sample(), &settings)?;

    let report = Report { name, level, format: description.format, findings, levels, price_per_gb };
    if run.json {
        print(report.json())?;
    } else if !run.quiet {
        print(report.text())?;
    }
    if let Some(mut output) = page {
        output.write_all(page::page(&report).as_bytes())?;
        interrupt::check()?;
        output.commit()?;
    }
    Ok(ExitCode::SUCCESS)
}

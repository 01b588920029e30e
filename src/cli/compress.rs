//! `framepress compress`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{channel, sync_channel};
use std::time::{Duration, Instant};

use framepress::input::{self, FrameReader, InputBatch};
use framepress::plan::{Policy, Settings};
use framepress::{Compressor, Result, Writer};

use super::arguments::Compress;
use super::output::Output;
use super::summary::Summary;
use super::{interrupt, progress};

pub fn run(arguments: Compress) -> Result<ExitCode> {
    let start = Instant::now();
    let Compress { input, output, level, codec, run, batch, raw, max_latency } = arguments;
    let output = output.unwrap_or_else(|| default_output(&input));
    let settings = Settings::new()
        .with_level(level)?
        .with_codec(codec.into())
        .with_device(run.device)
        .with_batch_frames(batch)
        .with_threads(run.threads)
        .with_policy(
            max_latency
                .map_or(Policy::Throughput, |millis| Policy::Deadline(Duration::from_millis(u64::from(millis.get())))),
        );
    let compressor = Compressor::new(settings)?;
    let reader = input::open(Path::new(&input), raw)?;
    let description = reader.description().clone();
    let frame_bytes = description.format.frame_bytes() as u64;

    let bar = progress::bar(description.frames.map(|frames| frames.saturating_mul(frame_bytes)), run.quiet || run.json);
    let mut counted = Counted { output: Output::create(&output, run.force)?, bytes: 0 };
    let mut writer = Writer::with_origin(&mut counted, description.format.clone(), description.origin, &compressor)?;
    let mut frames = 0;
    read_ahead(reader, writer.batch_frames(), |batch| {
        interrupt::check()?;
        let batch = batch.map_err(|error| error.context(&input))?;
        writer.write_batch(batch.frames, &batch.bytes, &batch.side)?;
        frames += batch.frames as u64;
        bar.inc(batch.bytes.len() as u64);
        Ok(batch)
    })?;
    writer.finish()?;
    let packed_bytes = counted.bytes;
    interrupt::check()?;
    counted.output.commit()?;
    bar.finish_and_clear();

    let summary = Summary {
        input,
        output: output.display().to_string(),
        frames,
        raw_bytes: frames * frame_bytes,
        packed_bytes,
        elapsed: start.elapsed(),
        statistics: compressor.statistics(),
    };
    summary.print(run.json, run.quiet, Some(level), output == Path::new("-"))?;
    Ok(ExitCode::SUCCESS)
}

/// Standard input goes to standard output; anything else to a file beside it.
fn default_output(input: &str) -> PathBuf {
    if input == "-" {
        return PathBuf::from("-");
    }
    PathBuf::from(format!("{}.fpk", input.trim_end_matches(['/', std::path::MAIN_SEPARATOR])))
}

/// Reads batches in a thread of its own while `work` has the one before, which it hands back.
fn read_ahead(
    mut reader: Box<dyn FrameReader>,
    batch_frames: usize,
    mut work: impl FnMut(Result<InputBatch>) -> Result<InputBatch>,
) -> Result<()> {
    std::thread::scope(|scope| {
        // No queue: one batch in work and one being read bound the memory.
        let (sender, receiver) = sync_channel::<Result<InputBatch>>(0);
        let (return_sender, returned) = channel::<InputBatch>();
        scope.spawn(move || {
            while let Some(batch) = reader.read_batch(batch_frames).transpose() {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    break;
                }
                if let Ok(batch) = returned.try_recv() {
                    reader.reuse(batch.bytes);
                }
            }
        });
        for batch in receiver {
            // Reading may be over.
            let _ = return_sender.send(work(batch)?);
        }
        Ok(())
    })
}

/// Counts what is written.
struct Counted {
    output: Output,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

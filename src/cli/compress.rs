//! `framepress compress`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Instant;

use framepress::input::{self, FrameReader, InputBatch};
use framepress::plan::Settings;
use framepress::{Compressor, Result, Writer};

use super::arguments::Compress;
use super::interrupt;
use super::output::Output;
use super::progress::Progress;
use super::summary::Summary;

pub fn run(arguments: Compress) -> Result<ExitCode> {
    let start = Instant::now();
    let Compress { input, output, level, codec, run, batch, raw, verify } = arguments;
    let output = output.unwrap_or_else(|| default_output(&input));
    let settings = Settings::new()
        .with_level(level)?
        .with_codec(codec.into())
        .with_device(run.device.clone())
        .with_batch_frames(batch)
        .with_threads(run.threads)
        .with_memory_limit(run.memory)
        .with_verification(verify);
    let compressor = Compressor::new(settings)?;
    let reader = input::open(Path::new(&input), raw)?;
    let description = reader.description().clone();
    let frame_bytes = description.format.frame_bytes() as u64;

    let raw_bytes = description.frames.map(|frames| frames.saturating_mul(frame_bytes));
    let mut progress = Progress::new(raw_bytes, run.show());
    let mut counted = Counted { output: Output::create(&output, run.force)?, bytes: Arc::default() };
    let packed_bytes = Arc::clone(&counted.bytes);
    let mut writer = Writer::with_origin(&mut counted, description.format.clone(), description.origin, &compressor)?;
    let mut frames = 0;
    let batch_frames = writer.batch_frames();
    read_ahead(reader, batch_frames, |batches, give_back| {
        let batches = batches.into_iter().map(|batch| {
            interrupt::check()?;
            batch.map_err(|error| error.context(&input))
        });
        writer.write_batches(batches, |batch| {
            frames += batch.frames as u64;
            let packed_bytes = packed_bytes.load(Ordering::Relaxed);
            progress.advance(batch.frames as u64, batch.bytes.len() as u64, Some(packed_bytes));
            // Reading may be over.
            let _ = give_back.send(batch.bytes);
            Ok(())
        })
    })?;
    writer.finish()?;
    interrupt::check()?;
    counted.output.commit()?;
    progress.finish();

    let summary = Summary {
        input,
        output: output.display().to_string(),
        frames,
        raw_bytes: frames * frame_bytes,
        packed_bytes: packed_bytes.load(Ordering::Relaxed),
        elapsed: start.elapsed(),
        counts: compressor.counts(),
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

/// Does `work` with the batches that a thread of its own reads, and gives their memory back to it.
fn read_ahead(
    mut reader: Box<dyn FrameReader>,
    batch_frames: usize,
    work: impl FnOnce(Receiver<Result<InputBatch>>, Sender<Vec<u8>>) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        // No queue: what is in work and one batch being read bound the memory.
        let (sender, batches) = sync_channel(0);
        let (give_back, returned) = channel();
        scope.spawn(move || {
            while let Some(batch) = reader.read_batch(batch_frames).transpose() {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    break;
                }
                if let Ok(bytes) = returned.try_recv() {
                    reader.reuse(bytes);
                }
            }
        });
        work(batches, give_back)
    })
}

/// Counts what is written.
struct Counted {
    output: Output,
    bytes: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

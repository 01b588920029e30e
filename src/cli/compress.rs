//! `framepress compress`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{channel, sync_channel};
use std::time::Instant;

use framepress::input::{self, Description, FrameReader, InputBatch};
use framepress::plan::Settings;
use framepress::{Compressor, Error, ErrorKind, Result, SyncData, SyncPolicy, Writer};
use indicatif::ProgressBar;

use super::arguments::Compress;
use super::output::{Output, sync_folder};
use super::summary::Summary;
use super::{append, interrupt, progress};

pub fn run(arguments: Compress) -> Result<ExitCode> {
    let start = Instant::now();
    let Compress { input, output, level, codec, run, batch, raw, append, sync } = arguments;
    let output = output.unwrap_or_else(|| default_output(&input));
    let settings = Settings::new()
        .with_level(level)?
        .with_codec(codec.into())
        .with_device(run.device)
        .with_batch_frames(batch)
        .with_threads(run.threads);
    let compressor = Compressor::new(settings)?;
    let reader = input::open(Path::new(&input), raw)?;
    let description = reader.description();
    let frame_bytes = description.format.frame_bytes() as u64;
    let bar = progress::bar(description.frames.map(|frames| frames.saturating_mul(frame_bytes)), run.quiet || run.json);
    let source = Source { name: &input, reader, bar: &bar };
    let Written { frames, packed_bytes } = if append {
        append::write(source, &output, sync.into(), &compressor)?
    } else {
        write(source, &output, run.force, sync.into(), &compressor)?
    };
    bar.finish_and_clear();

    let summary = Summary {
        input,
        output: output.display().to_string(),
        frames,
        raw_bytes: frames * frame_bytes,
        packed_bytes,
        elapsed: start.elapsed(),
        counts: compressor.counts(),
    };
    summary.print(run.json, run.quiet, Some(level), output == Path::new("-"))?;
    Ok(ExitCode::SUCCESS)
}

/// Frames to compress.
pub struct Source<'a> {
    pub name: &'a str,
    pub reader: Box<dyn FrameReader>,
    pub bar: &'a ProgressBar,
}

/// What was compressed.
pub struct Written {
    pub frames: u64,
    pub packed_bytes: u64,
}

/// Writes a new file.
fn write(source: Source<'_>, output: &Path, force: bool, sync: SyncPolicy, compressor: &Compressor) -> Result<Written> {
    let Description { format, origin, .. } = source.reader.description().clone();
    let mut counted = Counted { output: Output::create(output, force)?, bytes: 0 };
    if sync != SyncPolicy::Never && !matches!(counted.output, Output::File { .. }) {
        return Err(Error::new(ErrorKind::InvalidInput, "--sync: expected a file to write; name it with -o"));
    }
    let mut writer = Writer::with_origin(&mut counted, format, origin, compressor)?.with_sync(sync);
    let frames = source.write_to(&mut writer, |_| Ok(()))?;
    writer.finish()?;
    let packed_bytes = counted.bytes;
    interrupt::check()?;
    counted.output.commit()?;
    if sync != SyncPolicy::Never {
        sync_folder(output)?;
    }
    Ok(Written { frames, packed_bytes })
}

impl Source<'_> {
    /// Writes the frames, batch by batch, as long as `admit` takes them. Returns how many there were.
    pub fn write_to<W: Write>(
        self,
        writer: &mut Writer<'_, W>,
        mut admit: impl FnMut(&InputBatch) -> Result<()>,
    ) -> Result<u64> {
        let mut frames = 0;
        read_ahead(self.reader, writer.batch_frames(), |batch| {
            interrupt::check()?;
            let batch = batch.and_then(|batch| admit(&batch).map(|()| batch));
            let batch = batch.map_err(|error| error.context(self.name))?;
            writer.write_batch(batch.frames, &batch.bytes, &batch.side)?;
            frames += batch.frames as u64;
            self.bar.inc(batch.bytes.len() as u64);
            Ok(batch)
        })?;
        Ok(frames)
    }
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

impl SyncData for Counted {
    fn sync_data(&mut self) -> io::Result<()> {
        self.output.sync_data()
    }
}

//! `framepress compress`.

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use framepress::input;
use framepress::plan::{Policy, Settings};
use framepress::{Compressor, Error, ErrorKind, Result, SyncData, SyncPolicy, Writer};

use super::arguments::Compress;
use super::inputs::Inputs;
use super::output::{Output, sync_folder};
use super::progress::Progress;
use super::several::Outputs;
use super::source::Source;
use super::summary::Summary;
use super::{append, interrupt, progress, several, timestamps};

pub fn run(arguments: Compress) -> Result<ExitCode> {
    // What raw video is called, nobody knows.
    let endings: &[&str] = if arguments.raw.is_some() { &[] } else { &["npy", "y4m"] };
    let inputs = Inputs::new(&arguments.inputs, endings)?;
    if inputs.are_several && arguments.timestamps.is_some() {
        return Err(Error::new(ErrorKind::InvalidInput, "--timestamps: expected one input"));
    }
    let outputs = match &arguments.output {
        Some(output) if arguments.append => Outputs::One(output.clone()),
        output => Outputs::new(&inputs, output.clone(), default_output)?,
    };
    several::each(&inputs, &outputs, |input, output| compress(input, output, &arguments))
}

fn compress(input: &str, output: &Path, arguments: &Compress) -> Result<()> {
    let start = Instant::now();
    let Compress { level, codec, run, batch, raw, meta, timestamps, verify, append, sync, max_latency, .. } = arguments;
    let deadline = |millis: NonZeroU32| Policy::Deadline(Duration::from_millis(millis.get().into()));
    let settings = Settings::new()
        .with_level(*level)?
        .with_codec((*codec).into())
        .with_device(run.device.clone())
        .with_batch_frames(*batch)
        .with_threads(run.threads)
        .with_memory_limit(run.memory)
        .with_verification(*verify)
        .with_policy(max_latency.map_or(Policy::Throughput, deadline));
    let compressor = Compressor::new(settings)?;
    let reader = input::open(Path::new(input), raw.clone())?;
    let description = reader.description();
    let frame_bytes = description.format.frame_bytes() as u64;
    let progress = Progress::new(progress::raw_bytes(input, description), run.show());
    let timestamps = timestamps.as_deref().map(timestamps::read).transpose()?;
    let source = Source { name: input, reader, metadata: meta.iter().cloned().collect(), timestamps, progress };
    let Written { frames, packed_bytes } = if *append {
        append::write(source, output, (*sync).into(), &compressor)?
    } else {
        write(source, output, run.force, (*sync).into(), &compressor)?
    };

    let summary = Summary {
        input: input.to_owned(),
        output: output.display().to_string(),
        frames,
        raw_bytes: frames * frame_bytes,
        packed_bytes,
        elapsed: start.elapsed(),
        statistics: compressor.statistics(),
    };
    summary.print(run.json, run.quiet, Some(*level), output == Path::new("-"))
}

/// What was compressed.
pub struct Written {
    pub frames: u64,
    pub packed_bytes: u64,
}

/// Writes a new file.
fn write(source: Source<'_>, output: &Path, force: bool, sync: SyncPolicy, compressor: &Compressor) -> Result<Written> {
    let (format, origin) = source.header();
    let packed_bytes = Arc::new(AtomicU64::new(0));
    let mut counted = Counted { output: Output::create(output, force)?, bytes: Arc::clone(&packed_bytes) };
    if sync != SyncPolicy::Never && !matches!(counted.output, Output::File { .. }) {
        return Err(Error::new(ErrorKind::InvalidInput, "--sync: expected a file to write; name it with -o"));
    }
    let mut writer = Writer::with_origin(&mut counted, format, origin, compressor)?.with_sync(sync);
    let frames = source.write_to(&mut writer, Some(&packed_bytes), |_| Ok(()))?;
    writer.finish()?;
    interrupt::check()?;
    counted.output.commit()?;
    if sync != SyncPolicy::Never {
        sync_folder(output)?;
    }
    Ok(Written { frames, packed_bytes: packed_bytes.load(Ordering::Relaxed) })
}

/// Standard input goes to standard output; anything else to a file beside it.
#[expect(clippy::unnecessary_wraps, reason = "the signature of names of results")]
fn default_output(input: &str) -> Result<PathBuf> {
    if input == "-" {
        return Ok(PathBuf::from("-"));
    }
    Ok(PathBuf::from(format!("{}.fpk", input.trim_end_matches(['/', std::path::MAIN_SEPARATOR]))))
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

impl SyncData for Counted {
    fn sync_data(&mut self) -> io::Result<()> {
        self.output.sync_data()
    }
}

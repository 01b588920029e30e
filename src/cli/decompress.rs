//! `framepress decompress`.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use framepress::frame::{FrameFormat, Origin, OriginKind, Rectangle};
use framepress::input::{self, Restorer};
use framepress::{DecodedBatch, Decompressor, Error, ErrorKind, Limits, Reader, Result, SeekReader};

use super::arguments::Decompress;
use super::inputs::Inputs;
use super::output::{Output, OutputFolder};
use super::progress::{Progress, Show};
use super::several::Outputs;
use super::summary::Summary;
use super::timestamps::Times;
use super::{follow, interrupt, several};

pub fn run(arguments: Decompress) -> Result<ExitCode> {
    let files = Inputs::new(&arguments.files, &["fpk"])?;
    if files.are_several && (arguments.timestamps.is_some() || arguments.follow) {
        return Err(Error::new(ErrorKind::InvalidInput, "--timestamps and --follow: expected one file"));
    }
    let outputs = Outputs::new(&files, arguments.output.clone(), default_output)?;
    several::each(&files, &outputs, |file, output| decompress(file, output, &arguments))
}

fn decompress(file: &str, output: &Path, arguments: &Decompress) -> Result<()> {
    let Decompress { frames, region, follow, timeout, timestamps, max_output, run, .. } = arguments;
    let start = Instant::now();
    let decompressor = Decompressor::new(&run.device, run.threads, limits(run.memory, *max_output))?;
    let named = |error: Error| if error.kind() == ErrorKind::Interrupted { error } else { error.context(file) };
    let mut times = timestamps.as_ref().map(|path| Times::create(path, run.force)).transpose()?;
    let path = Path::new(file);
    let wanted = Wanted { frames: frames.clone(), region: *region };
    let (done, end) = if *follow {
        follow::restore(&decompressor, path, *timeout, output, run.force, run.show()).map_err(named)?
    } else if file == "-" {
        let done = from_stream(&decompressor, &wanted, output, times.as_mut(), run.force, run.show());
        (done.map_err(named)?, None)
    } else {
        let done = from_file(&decompressor, path, wanted, output, times.as_mut(), run.force, run.show());
        (done.map_err(named)?, None)
    };
    times.map_or(Ok(()), Times::commit)?;
    let summary = Summary {
        input: file.to_owned(),
        output: output.display().to_string(),
        frames: done.frames,
        raw_bytes: done.raw_bytes,
        packed_bytes: done.packed_bytes,
        elapsed: start.elapsed(),
        statistics: decompressor.statistics(),
    };
    summary.print(run.json, run.quiet, None, output == Path::new("-"))?;
    end.map(named).map_or(Ok(()), Err)
}

/// What is asked for, or as much as is usual.
fn limits(memory: Option<NonZeroU64>, max_output: Option<NonZeroU64>) -> Limits {
    let usual = Limits::default();
    let max_output_bytes = max_output.map_or(usual.max_output_bytes, NonZeroU64::get);
    Limits { max_output_bytes, ..memory.map_or(usual, |memory| usual.with_memory(memory)) }
}

/// What is asked for of a file.
struct Wanted {
    frames: Option<Range<u64>>,
    region: Option<Rectangle>,
}

/// What was done, for the summary.
#[derive(Default)]
pub struct Done {
    pub frames: u64,
    pub raw_bytes: u64,
    pub packed_bytes: u64,
}

/// What every restored batch goes through.
struct Restoration<'a> {
    decompressor: &'a Decompressor,
    times: Option<&'a mut Times>,
    progress: Progress,
    done: Done,
}

impl Restoration<'_> {
    fn take(&mut self, restorer: &mut dyn Restorer, batch: DecodedBatch) -> Result<()> {
        interrupt::check()?;
        self.done.write(restorer, &batch)?;
        if let Some(times) = &mut self.times {
            times.write(&batch.timestamps, batch.frames.frames())?;
        }
        self.progress.advance(batch.frames.frames() as u64, batch.frames.as_bytes().len() as u64, None);
        self.decompressor.reuse(batch.frames.into_bytes());
        Ok(())
    }
}

fn from_file(
    decompressor: &Decompressor,
    path: &Path,
    wanted: Wanted,
    output: &Path,
    times: Option<&mut Times>,
    force: bool,
    show: Show,
) -> Result<Done> {
    let file = File::open(path)?;
    let file_bytes = file.metadata()?.len();
    let mut reader = SeekReader::new(BufReader::with_capacity(1 << 16, file), decompressor)?;
    if let Some(damage) = reader.damage().first() {
        if wanted.frames.is_none() {
            let remedy = match reader.frames() {
                0 => "nothing is left of it".to_owned(),
                left => {
                    format!("--frames 0..{left} restores what is left of it, and recover makes a whole file of that")
                }
            };
            return Err(Error::new(damage.kind(), format!("the file is not whole: {damage}; {remedy}")));
        }
        eprintln!("framepress: {}: {damage}", path.display());
    }
    let range = wanted.frames.unwrap_or(0..reader.frames());
    let frames = range.end - range.start;
    // The original's own header, if these are its frames: not parts of them, nor more that were appended.
    let origin = match wanted.region {
        None => input::origin_of_part(reader.origin(), reader.format(), frames)?,
        Some(region) => input::origin_of_region(reader.origin(), reader.format(), frames, &region)?,
    };
    if let Some(region) = wanted.region {
        reader = reader.with_region(region)?;
    }
    let format = reader.format().clone();
    let raw_bytes = frames.saturating_mul(format.frame_bytes() as u64);
    let progress = Progress::new(Some(raw_bytes), show);
    let mut restoration = Restoration { decompressor, times, progress, done: Done::default() };
    restore(output, &origin, &format, force, |restorer| {
        let batches = reader.batches_of_frames(range.clone())?;
        restoration.done.packed_bytes =
            if range == (0..reader.frames()) { file_bytes } else { packed_bytes(&mut reader, &batches)? };
        reader.read_range(range, |batch| restoration.take(restorer, batch?))
    })?;
    restoration.progress.finish();
    Ok(restoration.done)
}

fn from_stream(
    decompressor: &Decompressor,
    wanted: &Wanted,
    output: &Path,
    times: Option<&mut Times>,
    force: bool,
    show: Show,
) -> Result<Done> {
    if wanted.frames.is_some() || wanted.region.is_some() {
        let message = "--frames and --region need a file, not standard input";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let mut packed = Counted { input: io::stdin().lock(), bytes: 0 };
    let mut reader = Reader::new(BufReader::with_capacity(1 << 20, &mut packed), decompressor)?;
    let (origin, format) = (reader.origin().clone(), reader.format().clone());
    let progress = Progress::new(None, show);
    let mut restoration = Restoration { decompressor, times, progress, done: Done::default() };
    restore(output, &origin, &format, force, |restorer| {
        reader.read_batches(|batch| restoration.take(restorer, batch?))?;
        check_origin(&origin, &format, restoration.done.frames)
    })?;
    let Restoration { progress, mut done, .. } = restoration;
    progress.finish();
    drop(reader);
    done.packed_bytes = packed.bytes;
    Ok(done)
}

/// What these batches take in the file.
fn packed_bytes(reader: &mut SeekReader<'_, impl Read + Seek>, batches: &Range<usize>) -> Result<u64> {
    batches.clone().map(|batch| reader.batch_info(batch).map(|info| info.packed_bytes)).sum()
}

/// Checks that the recorded header, which went first, is right for the number of frames that came.
fn check_origin(origin: &Origin, format: &FrameFormat, frames: u64) -> Result<()> {
    if origin.kind != OriginKind::Npy || input::origin_of_part(origin, format, frames)? == *origin {
        return Ok(());
    }
    let message =
        format!("the .npy header is not that of {frames} frames: some were appended; name a file, not a stream");
    Err(Error::new(ErrorKind::InvalidInput, message))
}

/// Makes `output` with what `work` gives the restorer.
fn restore(
    output: &Path,
    origin: &Origin,
    format: &FrameFormat,
    force: bool,
    work: impl FnOnce(&mut dyn Restorer) -> Result<()>,
) -> Result<()> {
    if origin.kind == OriginKind::Images {
        if output == Path::new("-") {
            let message = "image files cannot go to standard output; name a folder with -o";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let folder = OutputFolder::create(output, force)?;
        let mut restorer = input::restore_images(folder.path(), format, false)?;
        work(restorer.as_mut())?;
        restorer.finish()?;
        interrupt::check()?;
        return folder.commit();
    }
    let mut file = Output::create(output, force)?;
    let mut restorer = input::restorer(origin, format, &mut file)?;
    work(restorer.as_mut())?;
    restorer.finish()?;
    drop(restorer);
    interrupt::check()?;
    file.commit()
}

impl Done {
    /// Restores a batch and counts it.
    pub fn write(&mut self, restorer: &mut dyn Restorer, batch: &DecodedBatch) -> Result<()> {
        restorer.write_batch(batch.frames.frames(), batch.frames.as_bytes(), &batch.side)?;
        self.frames += batch.frames.frames() as u64;
        self.raw_bytes += batch.frames.as_bytes().len() as u64;
        Ok(())
    }
}

/// The original name; standard input goes to standard output.
fn default_output(file: &str) -> Result<PathBuf> {
    if file == "-" {
        return Ok(PathBuf::from("-"));
    }
    match file.strip_suffix(".fpk") {
        Some(name) if !name.is_empty() && !name.ends_with(['/', std::path::MAIN_SEPARATOR]) => Ok(PathBuf::from(name)),
        _ => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{file}: the name does not end in .fpk; name the output with -o"),
        )),
    }
}

/// Counts what is read.
pub struct Counted<R> {
    pub input: R,
    pub bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

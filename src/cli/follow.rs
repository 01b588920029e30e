//! `framepress decompress --follow`.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use framepress::frame::{FrameFormat, Origin, OriginKind};
use framepress::input::{self, Restorer};
use framepress::{Decompressor, Error, ErrorKind, Following, Reader, Result};

use super::decompress::{Counted, Done};
use super::interrupt;
use super::output::{Output, OutputFolder};
use super::progress::{Progress, Show};

/// Restores a file while it is written. With what was done comes why that is not all, if so; then the output has the
/// frames so far.
pub fn restore(
    decompressor: &Decompressor,
    path: &Path,
    timeout: Option<Duration>,
    output: &Path,
    force: bool,
    show: Show,
) -> Result<(Done, Option<Error>)> {
    if path == Path::new("-") || path.metadata()?.is_dir() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "--follow: expected a file; a stream is read as it comes anyway",
        ));
    }
    // A first signal ends the waiting, and what is there is kept.
    interrupt::wait_for_the_end();
    let mut following = Following::new(File::open(path)?).with_stop(|| interrupt::check().is_err());
    if let Some(timeout) = timeout {
        following = following.with_timeout(timeout);
    }
    let mut packed = Counted { input: following, bytes: 0 };
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, &mut packed), decompressor)?;
    let (origin, format) = (reader.origin().clone(), reader.format().clone());
    let mut progress = Progress::new(None, show);
    let (mut done, end) = if origin.kind == OriginKind::Images {
        if output == Path::new("-") {
            let message = "image files cannot go to standard output; name a folder with -o";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let folder = OutputFolder::create(output, force)?;
        let mut restorer = input::restore_images(folder.path(), &format, false)?;
        let done = write_all(&mut reader, restorer.as_mut(), &mut progress)?;
        restorer.finish()?;
        folder.commit()?;
        done
    } else {
        to_file(&mut reader, &origin, &format, Output::create(output, force)?, &mut progress)?
    };
    progress.finish();
    drop(reader);
    done.packed_bytes = packed.bytes;
    Ok((done, end))
}

/// Writes one file. A header that says how many frames there are is put right at the end.
fn to_file<R: Read>(
    reader: &mut Reader<'_, R>,
    origin: &Origin,
    format: &FrameFormat,
    mut output: Output,
    progress: &mut Progress,
) -> Result<(Done, Option<Error>)> {
    let first = match (origin.kind, &output) {
        (OriginKind::Memory, Output::File { .. }) => input::origin_of_part(origin, format, u64::MAX)?,
        _ => origin.clone(),
    };
    let mut restorer = input::restorer(&first, format, Prompt(&mut output))?;
    let (done, end) = write_all(reader, restorer.as_mut(), progress)?;
    restorer.finish()?;
    drop(restorer);
    if first.kind == OriginKind::Npy {
        let last = input::origin_of_part_in(origin, format, done.frames, first.header.len())?;
        if last != first {
            output.overwrite_start(&last.header)?;
        }
    }
    output.commit()?;
    Ok((done, end))
}

/// Restores batches as they come, to the end or until the writer is given up.
fn write_all<R: Read>(
    reader: &mut Reader<'_, R>,
    restorer: &mut dyn Restorer,
    progress: &mut Progress,
) -> Result<(Done, Option<Error>)> {
    let mut done = Done::default();
    loop {
        if let Err(stopped) = interrupt::check() {
            return Ok((done, Some(stopped)));
        }
        match reader.next_batch() {
            Ok(Some(batch)) => {
                done.write(restorer, &batch)?;
                progress.advance(batch.frames.frames() as u64, batch.frames.as_bytes().len() as u64, None);
            }
            Ok(None) => return Ok((done, None)),
            Err(error) if error.kind() == ErrorKind::Truncated => {
                let end = interrupt::check().err().unwrap_or(error);
                return Ok((done, Some(end)));
            }
            Err(error) => return Err(error),
        }
    }
}

/// An output that is flushed with every write: somebody waits for the frames.
struct Prompt<'a>(&'a mut Output);

impl Write for Prompt<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

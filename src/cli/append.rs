//! `framepress compress --append`.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use framepress::frame::{FrameFormat, Origin, OriginKind};
use framepress::input::InputBatch;
use framepress::{
    Appended, Compressor, Decompressor, Error, ErrorKind, Result, SeekReader, SyncPolicy, Writer, open_to_append,
};

use super::compress::Written;
use super::info::layout;
use super::interrupt;
use super::output::sync_folder;
use super::source::Source;

/// Adds frames to a file, in place.
pub fn write(source: Source<'_>, path: &Path, sync: SyncPolicy, compressor: &Compressor) -> Result<Written> {
    let named = |error: Error| error.context(path.display());
    if path == Path::new("-") || path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(named(Error::new(ErrorKind::InvalidInput, "--append: expected a file to add to")));
    }
    let file = open_to_append(path).map_err(named)?;
    let before = file.metadata()?.len();
    let (format, origin) = source.header();
    let mut names = Names::default();
    let mut writer = if before == 0 {
        // It may have been made just now.
        if sync != SyncPolicy::Never {
            sync_folder(path)?;
        }
        Writer::with_origin(Appended::new(file, 0), format, origin, compressor)?
    } else {
        names = check(&file, &format, &origin).map_err(named)?;
        Writer::append(file, compressor).map_err(named)?
    };
    writer = writer.with_sync(sync);
    interrupt::keep();
    let frames = source.write_to(&mut writer, None, |batch| names.admit(batch));
    // What was added before an error stays.
    let finished = writer.finish();
    let (frames, file) = (frames?, finished?.into_inner());
    Ok(Written { frames, packed_bytes: file.metadata()?.len().saturating_sub(before) })
}

/// Checks that frames can be added to a file, and returns the names that it has.
fn check(file: &File, format: &FrameFormat, origin: &Origin) -> Result<Names> {
    let decompressor = Decompressor::default();
    let mut reader = SeekReader::new(file, &decompressor)?;
    if (reader.format(), reader.origin().kind) != (format, origin.kind) {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "--append: expected frames of {} {} with {} bits from {:?}, found {} {} with {} bits from {:?}",
                layout(reader.format()),
                reader.format().dtype(),
                reader.format().bit_depth(),
                reader.origin().kind,
                layout(format),
                format.dtype(),
                format.bit_depth(),
                origin.kind,
            ),
        ));
    }
    if !origin.metadata.is_empty() && origin.metadata != reader.origin().metadata {
        let message = "--meta: the file's own metadata cannot be changed by adding to it";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let mut names = Names { unique: origin.kind == OriginKind::Images, taken: HashSet::new() };
    if names.unique {
        for batch in 0..reader.batches() {
            names.taken.extend(lines(&reader.batch_info(batch)?.side));
        }
    }
    Ok(names)
}

/// Names of image files, of which each may come once.
#[derive(Default)]
struct Names {
    unique: bool,
    taken: HashSet<Vec<u8>>,
}

impl Names {
    fn admit(&mut self, batch: &InputBatch) -> Result<()> {
        for name in lines(&batch.side).filter(|_| self.unique) {
            if self.taken.contains(&name) {
                let name = String::from_utf8_lossy(&name).into_owned();
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("--append: the file has an image {name} already"),
                ));
            }
            self.taken.insert(name);
        }
        Ok(())
    }
}

fn lines(side: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    side.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line).to_vec())
}

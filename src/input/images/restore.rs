//! Writing image sequences.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::name::{self, ImageKind};
use super::pixels::Pixels;
use super::{png, tiff};
use crate::error::{Error, Result};
use crate::frame::FrameFormat;
use crate::input::Restorer;
use crate::pool::{self, Crew};

/// A restorer that writes each frame into `folder`, which is made if it is not there, under the name it
/// was read from. A file that is there already is an error unless `overwrite` is set. Names come from
/// the side data, which may be hostile: none leads out of the folder.
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for frames that no image file can hold; I/O errors.
pub fn restore_images(folder: &Path, format: &FrameFormat, overwrite: bool) -> Result<Box<dyn Restorer>> {
    let pixels = Pixels::of(format)?;
    fs::create_dir_all(folder).map_err(|error| Error::from(error).context(folder.display()))?;
    let (folder, format) = (folder.to_owned(), format.clone());
    Ok(Box::new(ImageRestorer { folder, format, pixels, overwrite, written: HashSet::new() }))
}

struct ImageRestorer {
    folder: PathBuf,
    format: FrameFormat,
    pixels: Pixels,
    overwrite: bool,
    written: HashSet<String>,
}

impl Restorer for ImageRestorer {
    fn write_batch(&mut self, frames: usize, bytes: &[u8], side: &[u8]) -> Result<()> {
        self.format.check_frames(frames, bytes.len())?;
        if frames == 0 {
            return Ok(());
        }
        let corrupt = |message: String| Error::corrupt(format!("image names: {message}"));
        let side = str::from_utf8(side).map_err(|_| corrupt("expected UTF-8, found other bytes".to_owned()))?;
        let found = side.lines().count();
        if found != frames {
            return Err(corrupt(format!("expected {frames}, found {found}")));
        }
        // All names are checked before the first file is written.
        let kinds = side
            .lines()
            .map(|name| {
                let kind = name::check(name).map_err(|error| corrupt(error.to_string()))?;
                if !self.written.insert(name.to_owned()) {
                    return Err(corrupt(format!("'{name}' comes twice")));
                }
                Ok((name, kind))
            })
            .collect::<Result<Vec<_>>>()?;
        // A picture has at least one byte.
        let images = kinds.into_iter().zip(bytes.chunks_exact(self.format.frame_bytes().max(1))).collect();
        let (folder, pixels, overwrite) = (&self.folder, &self.pixels, self.overwrite);
        pool::for_each(&Crew::new(pool::threads(None)), images, |((name, kind), bytes)| {
            let path = folder.join(name);
            write_image(&path, kind, pixels, bytes, overwrite).map_err(|error| error.context(path.display()))
        })
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

fn write_image(path: &Path, kind: ImageKind, pixels: &Pixels, bytes: &[u8], overwrite: bool) -> Result<()> {
    if overwrite {
        // Removed, not opened: the name may be a link to a file elsewhere.
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut output = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
    match kind {
        ImageKind::Png => png::write(&mut output, pixels, bytes)?,
        ImageKind::Tiff => tiff::write(&mut output, pixels, bytes)?,
    }
    output.flush()?;
    Ok(())
}

//! Image sequences: PNG and TIFF files of one size and type, one frame each.
//!
//! Pixels and names of files come back, not the compressed bytes or the metadata of the images. The
//! side data of a batch is the names of its files, each with a line feed after it.

mod name;
mod natural_order;
mod pixels;
mod png;
mod restore;
mod tiff;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use self::name::ImageKind;
use self::pixels::shown;
use super::fill::{addressable_frames, emptied};
use super::{Description, FrameReader, InputBatch};
use crate::error::{Error, Result};
use crate::frame::{FrameFormat, Origin, OriginKind};
use crate::pool::{self, Crew};

pub use restore::restore_images;

/// Images decoded at a time, per thread. Memory of a batch is touched in these steps, so that a
/// small file that claims to be a large image costs little before it fails to decode.
const IMAGES_PER_THREAD: usize = 4;

/// Reads image files in natural order (`frame2` before `frame10`).
#[derive(Debug)]
pub struct ImageReader {
    images: Vec<NamedImage>,
    next: usize,
    description: Description,
    spare: Vec<u8>,
}

#[derive(Debug)]
struct NamedImage {
    path: PathBuf,
    name: String,
    kind: ImageKind,
}

impl ImageReader {
    /// Reads the `.png`, `.tif` and `.tiff` files of a folder. Files of other names, hidden files and folders within
    /// it are passed over.
    ///
    /// # Errors
    /// As [`ImageReader::files`]; I/O errors.
    pub fn folder(folder: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            paths.push(entry?.path());
        }
        Self::files(paths.into_iter().filter(|path| is_image(path)).collect())
    }

    /// Reads the `.png`, `.tif` and `.tiff` files that match a pattern of `*`, `?`, `[...]` and `**`; others
    /// are passed over.
    ///
    /// # Errors
    /// As [`ImageReader::files`]; I/O errors.
    pub fn pattern(pattern: &str) -> Result<Self> {
        let matches = glob::glob(pattern).map_err(|error| Error::invalid(format!("pattern: {error}")))?;
        let mut paths = Vec::new();
        for path in matches {
            paths.push(path.map_err(|error| Error::from(std::io::Error::from(error)))?);
        }
        Self::files(paths.into_iter().filter(|path| is_image(path)).collect())
    }

    /// Reads these files, in natural order of their paths.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if there are none, or for a name that cannot be
    /// restored or comes twice; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a type framepress has
    /// no format for; and what can be wrong with the first image.
    pub fn files(paths: Vec<PathBuf>) -> Result<Self> {
        let mut names = HashSet::new();
        let mut images = Vec::new();
        for path in paths {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .ok_or_else(|| Error::invalid(format!("image name: expected UTF-8, found '{}'", path.display())))?;
            let (name, kind) = (name.to_owned(), name::check(name)?);
            if !names.insert(name.clone()) {
                return Err(Error::invalid(format!("image name '{name}': expected once, found in several folders")));
            }
            images.push(NamedImage { path, name, kind });
        }
        images.sort_by(|a, b| natural_order::compare(&a.path.to_string_lossy(), &b.path.to_string_lossy()));
        let first = images
            .first()
            .ok_or_else(|| Error::invalid("images: expected files that end in .png, .tif or .tiff, found none"))?;
        let format = first.open()?.format().map_err(|error| error.context(&first.name))?;
        let origin = Origin { kind: OriginKind::Images, ..Origin::default() };
        let description = Description { format, origin, frames: Some(images.len() as u64) };
        Ok(Self { images, next: 0, description, spare: Vec::new() })
    }

    /// Decodes an image into its frame.
    fn read_image(&self, image: &NamedImage, bytes: &mut [u8]) -> Result<()> {
        let opened = image.open()?;
        let found = opened.format().map_err(|error| error.context(&image.name))?;
        let expected = &self.description.format;
        if found != *expected {
            let first = self.images.first().map(|first| first.name.as_str()).unwrap_or_default();
            return Err(Error::invalid(format!(
                "{}: expected {} as in {first}, found {}",
                image.name,
                shown(expected),
                shown(&found)
            )));
        }
        opened.read(bytes).map_err(|error| error.context(&image.name))
    }
}

impl FrameReader for ImageReader {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>> {
        let frame_bytes = self.description.format.frame_bytes().max(1);
        let mut bytes = emptied(&mut self.spare);
        let left = self.images.get(self.next..).unwrap_or_default();
        let images = left.get(..addressable_frames(frames, frame_bytes)).unwrap_or(left);
        if images.is_empty() {
            return Ok(None);
        }
        let batch_bytes = images.len() * frame_bytes;
        bytes.try_reserve_exact(batch_bytes).map_err(|_| {
            Error::limit(format!("batch memory: expected room for {batch_bytes} bytes; use fewer frames in a batch"))
        })?;
        let crew = Crew::new(pool::threads(None));
        for group in images.chunks(IMAGES_PER_THREAD * crew.threads()) {
            let start = bytes.len();
            bytes.resize(start + group.len() * frame_bytes, 0);
            let frames = bytes.get_mut(start..).unwrap_or_default().chunks_exact_mut(frame_bytes);
            let work = group.iter().zip(frames).collect();
            pool::for_each(&crew, work, |(image, frame)| self.read_image(image, frame))?;
        }
        let side: String = images.iter().flat_map(|image| [image.name.as_str(), "\n"]).collect();
        let batch = InputBatch { frames: images.len(), bytes, side: side.into_bytes(), timestamps: Vec::new() };
        self.next += batch.frames;
        Ok(Some(batch))
    }

    fn reuse(&mut self, bytes: Vec<u8>) {
        self.spare = bytes;
    }
}

/// Whether a path found in a folder is taken: it has a known extension and is neither hidden nor a folder.
fn is_image(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && ImageKind::of(path).is_some() && !path.is_dir()
}

/// An image whose header has been read.
enum OpenedImage {
    Png(Box<png::PngImage<BufReader<File>>>),
    Tiff(Box<tiff::TiffImage<BufReader<File>>>),
}

impl NamedImage {
    fn open(&self) -> Result<OpenedImage> {
        let open = || -> Result<OpenedImage> {
            let reader = BufReader::new(File::open(&self.path)?);
            Ok(match self.kind {
                ImageKind::Png => OpenedImage::Png(Box::new(png::PngImage::open(reader)?)),
                ImageKind::Tiff => OpenedImage::Tiff(Box::new(tiff::TiffImage::open(reader)?)),
            })
        };
        open().map_err(|error| error.context(&self.name))
    }
}

impl OpenedImage {
    fn format(&self) -> Result<FrameFormat> {
        match self {
            OpenedImage::Png(image) => image.pixels.format(),
            OpenedImage::Tiff(image) => image.pixels.format(),
        }
    }

    fn read(self, bytes: &mut [u8]) -> Result<()> {
        match self {
            OpenedImage::Png(image) => image.read(bytes),
            OpenedImage::Tiff(image) => image.read(bytes),
        }
    }
}

#[cfg(test)]
mod tests;

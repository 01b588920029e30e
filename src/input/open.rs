//! Finding out what an input is.

use std::fs::{self, File};
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use super::{Description, FrameReader, InputBatch, NpyReader, RawReader, RawSpec, Y4mReader, npy, y4m};
use crate::error::{Error, Result};

/// Longest magic looked at, in bytes.
const MAGIC_BYTES: u64 = 9;

/// Opens an input: a folder or a glob pattern of images, `-` for stdin, or a file. What a file is, its
/// first bytes say; its name is for messages only. With `raw` a file or stdin is read as raw video,
/// whatever its first bytes are.
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for an input that is none of the above; otherwise as the
/// readers. Messages begin with the name of the input.
pub fn open(path: &Path, raw: Option<RawSpec>) -> Result<Box<dyn FrameReader>> {
    if path == Path::new("-") {
        return named("stdin", open_stream(std::io::stdin(), raw));
    }
    named(&path.display().to_string(), open_path(path, raw))
}

/// Opens a stream that need not be seekable: `.npy` or `.y4m` by its first bytes, or raw video.
///
/// # Errors
/// As [`open`].
pub fn open_stream(reader: impl Read + Send + 'static, raw: Option<RawSpec>) -> Result<Box<dyn FrameReader>> {
    if let Some(spec) = raw {
        return Ok(Box::new(RawReader::new(reader, spec, None)?));
    }
    let (content, head, reader) = Content::of(reader)?;
    match content {
        Content::Npy => Ok(Box::new(NpyReader::new(reader, None)?)),
        Content::Y4m => Ok(Box::new(Y4mReader::new(reader)?)),
        Content::Image => Err(Error::unsupported("expected .npy, .y4m or raw video in a stream, found an image")),
        Content::Unknown => Err(unknown(&head, "")),
    }
}

fn open_path(path: &Path, raw: Option<RawSpec>) -> Result<Box<dyn FrameReader>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound && is_pattern(path) => {
            refuse_raw(raw.as_ref())?;
            return open_images(path, ImageSource::Pattern);
        }
        Err(error) => return Err(error.into()),
    };
    if metadata.is_dir() {
        refuse_raw(raw.as_ref())?;
        return open_images(path, ImageSource::Folder);
    }
    let file = File::open(path)?;
    // Pipes and devices have no length to go by.
    let file_bytes = metadata.is_file().then_some(metadata.len());
    if let Some(spec) = raw {
        return Ok(Box::new(RawReader::new(file, spec, file_bytes)?));
    }
    let (content, head, reader) = Content::of(file)?;
    match content {
        Content::Npy => Ok(Box::new(NpyReader::new(reader, file_bytes)?)),
        Content::Y4m => Ok(Box::new(Y4mReader::new(reader)?)),
        Content::Image => open_images(path, ImageSource::File),
        Content::Unknown => {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            Err(unknown(&head, extension))
        }
    }
}

/// What the first bytes of a file say it is.
enum Content {
    Npy,
    Y4m,
    Image,
    Unknown,
}

impl Content {
    /// Looks at the first bytes, and returns them and a reader that still has them.
    fn of<R: Read>(mut reader: R) -> Result<(Self, Vec<u8>, impl Read + use<R>)> {
        let mut head = Vec::new();
        reader.by_ref().take(MAGIC_BYTES).read_to_end(&mut head)?;
        let images: [&[u8]; 5] = [b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
        let content = if head.starts_with(npy::MAGIC) {
            Content::Npy
        } else if head.starts_with(y4m::MAGIC) {
            Content::Y4m
        } else if images.iter().any(|magic| head.starts_with(magic)) {
            Content::Image
        } else {
            Content::Unknown
        };
        Ok((content, head.clone(), Cursor::new(head).chain(reader)))
    }
}

fn unknown(head: &[u8], extension: &str) -> Error {
    let despite = match extension.to_ascii_lowercase().as_str() {
        known @ ("npy" | "y4m" | "png" | "tif" | "tiff") => format!(" (although its name ends in .{known})"),
        _ => String::new(),
    };
    let found = if head.is_empty() { "nothing".to_owned() } else { format!("'{}'", head.escape_ascii()) };
    Error::unsupported(format!(
        "first bytes: expected those of .npy, .y4m, .png or .tiff, found {found}{despite}; for raw video say --raw \
         WxH:FORMAT"
    ))
}

fn refuse_raw(raw: Option<&RawSpec>) -> Result<()> {
    match raw {
        Some(_) => Err(Error::invalid("--raw: expected one file or stdin, found a folder or pattern of images")),
        None => Ok(()),
    }
}

/// Whether a path has characters that glob patterns are made of.
fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains(['*', '?', '[']))
}

/// Where images are looked for.
enum ImageSource {
    Folder,
    Pattern,
    File,
}

#[cfg(feature = "cli")]
fn open_images(path: &Path, source: ImageSource) -> Result<Box<dyn FrameReader>> {
    use super::ImageReader;
    Ok(Box::new(match source {
        ImageSource::Folder => ImageReader::folder(path)?,
        ImageSource::Pattern => ImageReader::pattern(&path.to_string_lossy())?,
        ImageSource::File => ImageReader::files(vec![path.to_owned()])?,
    }))
}

#[cfg(not(feature = "cli"))]
fn open_images(_: &Path, source: ImageSource) -> Result<Box<dyn FrameReader>> {
    let what = match source {
        ImageSource::Folder | ImageSource::Pattern => "image sequences",
        ImageSource::File => "images",
    };
    Err(Error::unsupported(format!("{what} are read by builds with the feature cli only")))
}

/// Puts the name of the input before the messages of opening and reading it.
fn named(name: &str, reader: Result<Box<dyn FrameReader>>) -> Result<Box<dyn FrameReader>> {
    let reader = reader.map_err(|error| error.context(name))?;
    Ok(Box::new(Named { name: name.to_owned(), reader }))
}

struct Named {
    name: String,
    reader: Box<dyn FrameReader>,
}

impl FrameReader for Named {
    fn description(&self) -> &Description {
        self.reader.description()
    }

    fn read_batch(&mut self, frames: usize) -> Result<Option<InputBatch>> {
        self.reader.read_batch(frames).map_err(|error| error.context(&self.name))
    }

    fn reuse(&mut self, bytes: Vec<u8>) {
        self.reader.reuse(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;
    use crate::frame::OriginKind;

    const Y4M: &[u8] = b"YUV4MPEG2 W2 H1 Cmono\nFRAME\nabFRAME\nc";

    #[test]
    fn streams_are_told_apart() {
        let mut reader = open_stream(&Y4M[..30], None).unwrap();
        assert_eq!(reader.description().origin.kind, OriginKind::Y4m);
        assert_eq!(reader.read_batch(5).unwrap().unwrap().bytes, b"ab");
        let raw = open_stream(Y4M, Some("1x1:gray".parse().unwrap())).unwrap();
        assert_eq!(raw.description().origin.kind, OriginKind::Raw);
        for bytes in [&b""[..], b"hello", b"II*\0", b"\x93NUMP"] {
            let error = open_stream(bytes, None).err().unwrap();
            assert_eq!(error.kind(), error::ErrorKind::Unsupported);
        }
    }

    #[test]
    fn messages_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.npy");
        fs::write(&path, Y4M).unwrap();
        let mut reader = open(&path, None).unwrap();
        assert_eq!(reader.read_batch(1).unwrap().unwrap().frames, 1);
        let error = reader.read_batch(1).unwrap_err().to_string();
        assert!(error.contains("clip.npy: y4m frame 1"), "{error}");

        fs::write(&path, b"PK").unwrap();
        let error = open(&path, None).err().unwrap().to_string();
        assert!(error.contains("clip.npy: first bytes") && error.contains("--raw") && error.contains("although"));

        let error = open(&folder.path().join("none"), None).err().unwrap();
        assert_eq!(error.kind(), error::ErrorKind::Io);
        assert!(open(folder.path(), Some("1x1:gray".parse().unwrap())).is_err());
        assert!(open(&folder.path().join("*.png"), None).is_err());
    }

    #[test]
    fn raw_files_have_a_known_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.yuv");
        fs::write(&path, [7; 12]).unwrap();
        let reader = open(&path, Some("2x3:gray".parse().unwrap())).unwrap();
        assert_eq!(reader.description().frames, Some(2));
        assert!(open(&path, Some("5x1:gray".parse().unwrap())).is_err());
    }
}

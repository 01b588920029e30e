//! PNG and TIFF files: pixels that are read come back.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use framepress::Result;
use framepress::frame::FrameFormat;
use framepress::input::{FrameReader, ImageReader, InputBatch, restore_images};
use libfuzzer_sys::fuzz_target;

/// A folder of this process. Readers take paths.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("framepress-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// Bytes of the largest image that is decoded: a few bytes may claim a gigabyte, which takes time and shows nothing else.
const MOST_BYTES: usize = 1 << 22;

fn read(path: PathBuf) -> Result<Option<(FrameFormat, InputBatch)>> {
    let mut reader = ImageReader::files(vec![path])?;
    let format = reader.description().format.clone();
    if format.frame_bytes() > MOST_BYTES {
        return Ok(None);
    }
    let batch = reader.read_batch(2)?.expect("one image");
    Ok(Some((format, batch)))
}

fuzz_target!(|input: &[u8]| {
    let name = if input.starts_with(b"\x89PNG") { "a.png" } else { "a.tif" };
    fs::write(FOLDER.join(name), input).expect("a file");
    let Ok(Some((format, batch))) = read(FOLDER.join(name)) else { return };
    let again = FOLDER.join("again");
    let mut restorer = restore_images(&again, &format, true).expect("a folder");
    restorer.write_batch(1, &batch.bytes, &batch.side).expect("pixels that were read");
    restorer.finish().expect("an image");
    assert!(read(again.join(name)).expect("an image that was written") == Some((format, batch)));
});

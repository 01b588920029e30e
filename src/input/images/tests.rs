use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;
use crate::frame::{Dtype, Layout};
use crate::input::open;

fn gray(width: usize) -> FrameFormat {
    FrameFormat::new(Dtype::U16, Layout::Gray { width, height: 3 }).unwrap()
}

/// Writes frames whose bytes are all their number.
fn write(folder: &Path, format: &FrameFormat, names: &[&str]) -> Vec<u8> {
    let bytes: Vec<u8> = (0..names.len()).flat_map(|frame| vec![frame as u8; format.frame_bytes()]).collect();
    let mut restorer = restore_images(folder, format, false).unwrap();
    restorer.write_batch(names.len(), &bytes, (names.join("\n") + "\n").as_bytes()).unwrap();
    restorer.finish().unwrap();
    bytes
}

fn read(path: &Path, frames: usize) -> Result<(Vec<String>, Vec<u8>)> {
    let mut reader = open(path, None)?;
    let (mut names, mut bytes) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.read_batch(frames)? {
        names.extend(str::from_utf8(&batch.side).unwrap().lines().map(str::to_owned));
        bytes.extend(&batch.bytes);
        assert!(batch.frames <= frames);
        reader.reuse(batch.bytes);
    }
    assert_eq!(reader.description().frames, Some(names.len() as u64));
    Ok((names, bytes))
}

#[test]
fn folders_patterns_and_files_round_trip() {
    let folder = TempDir::new().unwrap();
    let names = ["a.tif", "f2.png", "f10.PNG", "f10b.tiff"];
    let bytes = write(folder.path(), &gray(5), &names);
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    fs::write(folder.path().join("._f2.png"), "x").unwrap();
    fs::create_dir(folder.path().join("sub.png")).unwrap();
    for frames in [1, 3, 100] {
        let (found, read_bytes) = read(folder.path(), frames).unwrap();
        assert_eq!(found, names);
        assert!(read_bytes == bytes);
    }
    let (found, _) = read(&folder.path().join("f*.[pP]*"), 9).unwrap();
    assert_eq!(found, ["f2.png", "f10.PNG"]);
    let (found, one) = read(&folder.path().join("f2.png"), 9).unwrap();
    assert_eq!((found, one), (vec!["f2.png".to_owned()], bytes[30..60].to_vec()));
}

#[test]
fn frames_must_agree() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &gray(5), &["a.png"]);
    write(folder.path(), &gray(6), &["b.tif"]);
    let error = read(folder.path(), 9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let message = error.to_string();
    assert!(message.contains("b.tif: expected 3x5 uint16 as in a.png, found 3x6"), "{message}");
}

#[test]
fn unreadable_sequences() {
    let folder = TempDir::new().unwrap();
    assert!(read(folder.path(), 9).unwrap_err().to_string().contains("found none"));
    fs::write(folder.path().join("a.png"), b"\x89PNG\r\n\x1a\nrest").unwrap();
    assert!(read(folder.path(), 9).unwrap_err().to_string().contains("a.png"));
    for sub in ["x", "y"] {
        write(&folder.path().join(sub), &gray(5), &["same.png"]);
    }
    let error = read(&folder.path().join("*/same.png"), 9).unwrap_err().to_string();
    assert!(error.contains("several folders"), "{error}");
    #[cfg(unix)]
    {
        write(&folder.path().join("z"), &gray(5), &["b.png"]);
        fs::rename(folder.path().join("z/b.png"), folder.path().join("z/b\n.png")).unwrap();
        assert!(read(&folder.path().join("z"), 9).unwrap_err().to_string().contains("line feeds"));
    }
}

#[test]
fn hostile_names_write_nothing() {
    let outer = TempDir::new().unwrap();
    let folder = outer.path().join("inner");
    let frame = vec![1; gray(5).frame_bytes()];
    for side in ["../a.png", "/a.png", "..", "", "a.png\nb.png", "a.png\n\n", "sub/a.png", "a.exe", "\u{7}.png"] {
        let mut restorer = restore_images(&folder, &gray(5), true).unwrap();
        let error = restorer.write_batch(1, &frame, side.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{side:?}");
    }
    let mut restorer = restore_images(&folder, &gray(5), true).unwrap();
    assert!(restorer.write_batch(1, &frame, b"\xff.png").is_err());
    assert!(restorer.write_batch(2, &[frame.clone(), frame.clone()].concat(), b"a.png\na.png").is_err());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
}

#[test]
fn files_that_are_there_stay() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &gray(5), &["a.png"]);
    let frame = vec![9; gray(5).frame_bytes()];
    let mut restorer = restore_images(folder.path(), &gray(5), false).unwrap();
    assert_eq!(restorer.write_batch(1, &frame, b"a.png").unwrap_err().kind(), ErrorKind::Io);
    let mut restorer = restore_images(folder.path(), &gray(5), true).unwrap();
    restorer.write_batch(1, &frame, b"a.png").unwrap();
    assert_eq!(read(folder.path(), 1).unwrap().1, frame);
}

//! Frames that are added to a file.

use std::fs::File;
use std::io::Cursor;
use std::time::Duration;

use framepress::{Decompressor, SeekReader};

use super::images::write_png;
use super::*;

/// Bytes of the header of the clip, and of a frame with its line.
fn y4m_sizes(clip: &[u8]) -> (usize, usize) {
    let header = clip.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    (header, (clip.len() - header) / Y4M_FRAMES)
}

#[test]
fn frames_are_added() {
    let folder = Folder::new();
    for (name, header) in [(NPY, 128), (Y4M, y4m_sizes(&folder.clip(Y4M)).0)] {
        let clip = folder.clip(name);
        // The file is made if it is not there.
        for (times, frames) in [(1, 5), (2, 3), (3, 100)] {
            let batch = frames.to_string();
            folder.run(&["compress", name, "-o", "x.fpk", "--append", "--batch", &batch]).ok();
            folder.run(&["verify", "x.fpk"]).ok();
            folder.run(&["decompress", "x.fpk", "-o", "back", "-f"]).ok();
            let back = folder.read("back");
            assert!(back[header..] == clip[header..].repeat(times), "{name}");
            let stream = folder.run_with_input(&["decompress", "-"], &folder.read("x.fpk"));
            if name == Y4M || times == 1 {
                assert!(back[..header] == clip[..header] && stream.ok().stdout == back, "{name}");
            } else {
                let found = String::from_utf8_lossy(&back[..header]).replace(' ', "");
                assert!(found.contains(&format!("({},179,317,3)", times * NPY_FRAMES)), "{found}");
                // The header goes first, when it is not known yet how many frames there are.
                stream.fails(2, &[".npy header", "a file"]);
            }
        }
        fs::remove_file(folder.path("x.fpk")).unwrap();
    }
    let said = folder.run(&["compress", NPY, "-o", "x.fpk", "--append", "--json"]).ok().json();
    assert_eq!(said["packed_bytes"].as_u64(), Some(folder.read("x.fpk").len() as u64));
}

#[test]
fn images_are_added_once() {
    let folder = Folder::new();
    for (batch, names) in [["a.png", "b.png"], ["c.png", "d.png"]].into_iter().enumerate() {
        fs::create_dir(folder.path(&batch.to_string())).unwrap();
        for name in names {
            let data = name.as_bytes()[0..1].repeat(12);
            let path = folder.path(&batch.to_string()).join(name);
            write_png(&path, png::ColorType::Grayscale, png::BitDepth::Eight, 4, 3, &data);
        }
    }
    folder.run(&["compress", "0", "-o", "x.fpk", "--append"]).ok();
    folder.run(&["compress", "1", "-o", "x.fpk", "--append"]).ok();
    let whole = folder.read("x.fpk");
    folder.run(&["compress", "1", "-o", "x.fpk", "--append"]).fails(2, &["c.png", "already"]);
    assert!(folder.read("x.fpk") == whole);
    folder.run(&["decompress", "x.fpk", "-o", "back"]).ok();
    let mut names: Vec<_> =
        fs::read_dir(folder.path("back")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.png", "b.png", "c.png", "d.png"]);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let folder = Folder::new();
    folder.clip(NPY);
    let clip = folder.clip(Y4M);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    let file = folder.read("x.fpk");
    let (header, frame) = y4m_sizes(&clip);
    folder.write("gray.raw", &vec![7; 317 * 179 * 3]);
    folder.write("cut.y4m", &clip[..header + frame / 2]);
    folder.write("small.npy", &npy("|u1", "(2, 5, 4, 3)", &[1; 120]));
    folder.run(&["compress", Y4M, "-o", "x.fpk", "--append"]).fails(2, &["x.fpk", "expected frames of rgb", "yuv420"]);
    folder.run(&["compress", "small.npy", "-o", "x.fpk", "--append"]).fails(2, &["rgb 4x5"]);
    let raw = ["compress", "gray.raw", "--raw", "317x179:rgb24", "-o", "x.fpk", "--append"];
    folder.run(&raw).fails(2, &["Npy", "Raw"]);
    folder.run(&["compress", "missing.npy", "-o", "x.fpk", "--append"]).fails(1, &["missing.npy"]);
    folder.run(&["compress", NPY, "--append"]).fails(2, &["--output"]);
    folder.run(&["compress", NPY, "-o", "x.fpk", "--append", "-f"]).fails(2, &["--force"]);
    folder.run(&["compress", NPY, "-o", "-", "--append"]).fails(2, &["expected a file"]);
    folder.run(&["compress", NPY, "-o", ".", "--append"]).fails(2, &["expected a file"]);
    folder.run(&["compress", NPY, "-o", NPY, "--append"]).fails(3, &[NPY]);
    assert!(folder.read("x.fpk") == file);

    folder.write("both.fpk", &[&file[..], &file].concat());
    folder.run(&["compress", NPY, "-o", "both.fpk", "--append"]).fails(3, &["both.fpk", "recover"]);

    // Somebody else is at it.
    let other = File::options().write(true).open(folder.path("x.fpk")).unwrap();
    other.lock().unwrap();
    folder.run(&["compress", NPY, "-o", "x.fpk", "--append"]).fails(1, &["x.fpk", "somebody else"]);
    drop(other);
    assert!(folder.read("x.fpk") == file);

    // Of an input that ends too early, what came before is added.
    folder.run(&["compress", Y4M, "-o", "y.fpk", "--batch", "1"]).ok();
    folder.write("cut.y4m", &clip[..header + 2 * frame + frame / 2]);
    folder.run(&["compress", "cut.y4m", "-o", "y.fpk", "--batch", "1", "--append"]).fails(3, &["cut.y4m"]);
    let verdict = folder.run(&["verify", "y.fpk", "--json"]).ok().json();
    assert_eq!(verdict["intact_frames"].as_u64(), Some(Y4M_FRAMES as u64 + 2));
}

/// The frames of a file that may have no index.
fn frames_of(file: &[u8]) -> (u64, Vec<u8>) {
    let decompressor = Decompressor::default();
    let mut reader = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
    let frames = reader.frames();
    (frames, reader.read_frames(0..frames).unwrap().into_bytes())
}

/// The writer is killed, for good, again and again; the next one goes on with what is left.
#[test]
fn kills_lose_at_most_the_batch_being_written() {
    const KILLS: u64 = 20;
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    let (header, frame) = y4m_sizes(&clip);
    let frames: Vec<&[u8]> = clip[header..].chunks(frame).map(|frame| &frame[b"FRAME\n".len()..]).collect();
    let append = ["compress", "-", "-o", "x.fpk", "--append", "--batch", "1", "--level", "1"];
    folder.run(&["compress", Y4M, "-o", "x.fpk", "--batch", "1", "--level", "1"]).ok();
    let mut expected = frames.concat();
    let (mut count, mut unfinished) = (frames.len() as u64, 0);
    let bytes = || fs::metadata(folder.path("x.fpk")).unwrap().len();
    for kill in 0..KILLS {
        let before = bytes();
        let mut child = piped(folder.command(&append));
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // It stays open, so that the program does not finish.
            let stdin = &mut stdin;
            let clip = &clip;
            scope.spawn(move || drop(stdin.write_all(clip)));
            // Every other one once it is at work, and all of them some moments later.
            while kill % 2 == 0 && bytes() == before && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(kill * kill * 31 % 60));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let file = folder.read("x.fpk");
        let (left, bytes) = frames_of(&file);
        assert!((count..=count + frames.len() as u64).contains(&left), "kill {kill}: {count} frames, then {left}");
        expected.extend(frames[..(left - count) as usize].concat());
        assert!(bytes == expected, "kill {kill}");
        count = left;
        unfinished += u32::from(!file.ends_with(b"FPKE"));
    }
    assert!(unfinished > 0, "no kill came while frames were added");
    let ran = folder.run_with_input(&append, &clip).ok();
    assert!(ran.stderr.contains(&format!("{Y4M_FRAMES} frames")), "{}", ran.stderr);
    expected.extend(frames.concat());
    assert!(frames_of(&folder.read("x.fpk")) == (count + frames.len() as u64, expected));
    folder.run(&["verify", "x.fpk"]).ok();
}

/// That the disk has the bytes cannot be seen here; that they are the same can.
#[test]
fn files_are_brought_to_the_disk() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk", "--batch", "3"]).ok();
    for policy in ["never", "end", "batch"] {
        for options in [&["-f"][..], &["--append"]] {
            let _ = fs::remove_file(folder.path("y.fpk"));
            folder.run(&[&["compress", NPY, "-o", "y.fpk", "--batch", "3", "--sync", policy], options].concat()).ok();
            assert!(folder.read("y.fpk") == folder.read("x.fpk"), "{policy} {options:?}");
        }
    }
    folder.run(&["compress", NPY, "-o", "y.fpk", "--sync", "always", "-f"]).fails(2, &["--sync", "batch"]);
    folder.run(&["compress", NPY, "-o", "-", "--sync", "end"]).fails(2, &["--sync", "-o"]);
}

//! Reading a file while it is written.

use std::io::Read;

use super::*;

const APPEND: [&str; 7] = ["compress", "-", "-o", "live.fpk", "--append", "--batch", "1"];

/// Bytes of the header of the clip, and of a frame with its line.
fn y4m_sizes(clip: &[u8]) -> (usize, usize) {
    let header = clip.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    (header, (clip.len() - header) / Y4M_FRAMES)
}

#[test]
fn frames_come_out_while_others_are_written() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    let (header, frame) = y4m_sizes(&clip);
    folder.write("live.fpk", b"");
    // It may start before the writer does.
    let mut reader = piped(folder.command(&["decompress", "--follow", "live.fpk", "-o", "-"]));
    let mut writer = piped(folder.command(&APPEND));
    let (mut stdin, mut stdout) = (writer.stdin.take().unwrap(), reader.stdout.take().unwrap());
    let mut written = 0;
    for frames in [1, 4, 5, Y4M_FRAMES] {
        stdin.write_all(&clip[written..header + frames * frame]).unwrap();
        stdin.flush().unwrap();
        // Everything that went in comes out, although the writer waits for more.
        let mut read = vec![0; header + frames * frame - written];
        stdout.read_exact(&mut read).unwrap();
        assert!(read == clip[written..header + frames * frame], "{frames} frames");
        written = header + frames * frame;
    }
    drop(stdin);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
    Ran::of(writer.wait_with_output().unwrap()).ok();
    Ran::of(reader.wait_with_output().unwrap()).ok();
}

#[test]
fn a_whole_file_is_restored_as_ever() {
    let folder = Folder::new();
    for name in [NPY, Y4M] {
        let clip = folder.clip(name);
        folder.run(&["compress", name, "-o", "x.fpk", "-f", "--batch", "3"]).ok();
        folder.run(&["decompress", "x.fpk", "--follow", "-o", "back", "-f"]).ok();
        assert!(folder.read("back") == clip, "{name}");
        let ran = folder.run(&["decompress", "x.fpk", "--follow", "--timeout", "60", "-o", "-"]).ok();
        assert!(ran.stdout == clip, "{name}");
    }
}

/// The output has the frames so far, with a header that says how many.
#[test]
fn a_dead_writer_is_given_up() {
    let folder = Folder::new();
    for (name, header) in [(NPY, 128), (Y4M, y4m_sizes(&folder.clip(Y4M)).0)] {
        let clip = folder.clip(name);
        folder.run(&["compress", name, "-o", "x.fpk", "-f", "--batch", "3"]).ok();
        let file = folder.read("x.fpk");
        folder.write("cut.fpk", &file[..file.len() * 2 / 3]);
        let follow = ["decompress", "cut.fpk", "--follow", "--timeout", "0.1", "-o", "back", "-f", "--json"];
        let ran = folder.run(&follow).fails(3, &["cut.fpk"]);
        let frames = ran.json()["frames"].as_u64().unwrap() as usize;
        assert!((1..NPY_FRAMES).contains(&frames));
        let back = folder.read("back");
        assert!(clip[header..].starts_with(&back[header..]), "{name}");
        if name == NPY {
            assert_eq!(back.len(), 128 + frames * 317 * 179 * 3);
            let found = String::from_utf8_lossy(&back[..header]).replace(' ', "");
            assert!(found.contains(&format!("({frames},179,317,3)")), "{found}");
        } else {
            assert!(back[..header] == clip[..header]);
        }
    }
    folder.write("cut.fpk", b"");
    folder.run(&["decompress", "cut.fpk", "--follow", "--timeout", "0", "-o", "none"]).fails(3, &["cut.fpk"]);
    assert!(!folder.path("none").exists());
}

/// Frames of no original file become a `.npy` file, as without `--follow`.
#[test]
fn frames_from_memory() {
    let folder = Folder::new();
    let frames = ndarray::Array3::from_shape_fn((1000, 3, 5), |(f, y, x)| (f + 3 * y + x) as u16);
    let settings = framepress::Settings::new().with_batch_frames(std::num::NonZeroUsize::new(7));
    folder.write("x.fpk", &framepress::Compressor::new(settings).unwrap().compress(frames.view()).unwrap());
    folder.run(&["decompress", "x.fpk", "-o", "x.npy"]).ok();
    folder.run(&["decompress", "x.fpk", "--follow", "-o", "y.npy"]).ok();
    let (plain, followed) = (folder.read("x.npy"), folder.read("y.npy"));
    assert!(followed.ends_with(&plain[128..]) && followed.len() % 64 == plain.len() % 64);
    folder.run(&["compress", "y.npy", "-o", "y.fpk"]).ok();
    folder.run(&["verify", "y.fpk"]).ok();
    let info = folder.run(&["info", "y.fpk", "--json"]).ok().json();
    assert_eq!(info["frames"].as_u64(), Some(1000));
}

#[test]
fn what_cannot_be_followed() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "x.fpk"]).ok();
    let file = folder.read("x.fpk");
    folder.run_with_input(&["decompress", "-", "--follow"], &file).fails(2, &["--follow", "stream"]);
    folder.run(&["decompress", ".", "--follow", "-o", "y"]).fails(2, &["--follow", "one file"]);
    folder.run(&["decompress", "none.fpk", "--follow"]).fails(1, &["none.fpk"]);
    folder.run(&["decompress", "x.fpk", "--follow", "--frames", "0..1"]).fails(2, &["--frames"]);
    folder.run(&["decompress", "x.fpk", "--timeout", "1"]).fails(2, &["--follow"]);
    for seconds in ["x", "-1", "inf", "NaN", ""] {
        let timeout = format!("--timeout={seconds}");
        folder.run(&["decompress", "x.fpk", "--follow", &timeout]).fails(2, &["--timeout", "seconds"]);
    }
    folder.run(&["decompress", "x.fpk", "--follow", "-o", NPY]).fails(1, &[NPY, "-f"]);
}

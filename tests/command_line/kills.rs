//! The program is killed, for good, at random moments. `FRAMEPRESS_KILLS` says how often; a few times without it.

use std::io::Cursor;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use framepress::{Decompressor, SeekReader};

use super::*;

const KILLS_VARIABLE: &str = "FRAMEPRESS_KILLS";
const FEW_KILLS: u64 = 36;

/// Appended frames are dropped once there are so many.
const MOST_FRAMES: u64 = 400;

fn kills() -> u64 {
    std::env::var(KILLS_VARIABLE).map_or(FEW_KILLS, |kills| kills.parse().expect("a number of kills"))
}

/// A number below `most` that looks random.
fn random(seed: u64, most: u64) -> u64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 33) % most.max(1)
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A run that ends well takes so long at least.
fn time_of(command: impl Fn() -> Command) -> Duration {
    let run = |_| {
        let start_of = Instant::now();
        assert!(start(command()).wait().unwrap().success());
        start_of.elapsed()
    };
    (0..4).map(run).min().unwrap()
}

/// Whether the kill came before the end. Some runs are faster than others, and are let off.
fn killed(command: Command, time: Duration, round: u64) -> bool {
    let mut child = start(command);
    let micros = u64::try_from(time.as_micros()).unwrap();
    std::thread::sleep(Duration::from_micros(random(round, micros * 3 / 4)));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success() || status.code().is_none(), "{status}");
    !status.success()
}

/// Removes what a killed run cannot: its temporary files. Nothing else is there but `names`.
fn clean(folder: &Folder, names: &[&str]) {
    for name in folder.names() {
        if !names.contains(&name.as_str()) {
            assert!(
                name.starts_with(".framepress-") && name.ends_with(".tmp"),
                "{name}: neither asked for nor a temporary file"
            );
            fs::remove_file(folder.path(&name)).unwrap();
        }
    }
}

/// What is under the output's name is a whole file: the one that was there, or the new one.
fn outputs_are_whole(arguments: &[&str], folder: &Folder, names: &[&str], round_of: impl Fn(u64) -> u64) {
    let command = || folder.command(arguments);
    let _ = fs::remove_file(folder.path("out.fpk"));
    let time = time_of(command);
    let new = folder.read("out.fpk");
    let old = b"not a file of this program".as_slice();
    let mut unfinished = 0;
    for kill in 0..kills().div_ceil(3) {
        match kill % 2 {
            0 => drop(fs::remove_file(folder.path("out.fpk"))),
            _ => folder.write("out.fpk", old),
        }
        unfinished += u64::from(killed(command(), time, round_of(kill)));
        match fs::read(folder.path("out.fpk")) {
            Ok(found) => assert!(found == new || kill % 2 == 1 && found == old, "kill {kill}: {} bytes", found.len()),
            Err(_) => assert!(kill.is_multiple_of(2), "kill {kill}: the old file is gone"),
        }
        clean(folder, names);
    }
    assert!(unfinished > 0, "no kill came before the end");
}

#[test]
fn compress_leaves_a_whole_file_or_none() {
    let folder = Folder::new();
    folder.clip(NPY);
    let arguments = ["compress", NPY, "-o", "out.fpk", "-f", "--batch", "1", "--level", "3", "--threads", "2"];
    outputs_are_whole(&arguments, &folder, &[NPY, "out.fpk"], |kill| kill);
}

#[test]
fn recover_leaves_a_whole_file_or_none() {
    let folder = Folder::new();
    folder.clip(NPY);
    folder.run(&["compress", NPY, "-o", "in.fpk", "--batch", "1", "--level", "1"]).ok();
    let mut file = folder.read("in.fpk");
    file.truncate(file.len() - 5);
    folder.write("in.fpk", &file);
    let recover = ["recover", "in.fpk", "-o", "out.fpk", "-f", "-q"];
    outputs_are_whole(&recover, &folder, &[NPY, "in.fpk", "out.fpk"], |kill| kill + 7919);
    assert!(folder.read("in.fpk") == file);
}

/// Every frame of batches that were written stays, whatever becomes of the writers after them.
#[test]
fn append_loses_at_most_the_batch_being_written() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let frames = &clip[128..];
    let frame_bytes = frames.len() / NPY_FRAMES;
    let whole = ["compress", NPY, "-o", "x.fpk", "--batch", "2", "--level", "1"];
    let append = || folder.command(&[&whole[..], &["--append"]].concat());
    let time = time_of(append);
    let left = |round: u64| {
        let file = folder.read("x.fpk");
        let decompressor = Decompressor::default();
        let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
        let mut expected = frames.chunks(frame_bytes);
        let all = reader.read_frames(0..reader.frames()).unwrap();
        for (at, frame) in all.as_bytes().chunks(frame_bytes).enumerate() {
            // A writer that died leaves some frames of the clip, from the first on; the next one starts again.
            if expected.clone().next() != Some(frame) {
                expected = frames.chunks(frame_bytes);
            }
            assert!(expected.next() == Some(frame), "round {round}: frame {at}");
        }
        reader.frames()
    };
    let (mut before, mut unfinished) = (left(0), 0);
    for kill in 0..kills().div_ceil(3) {
        unfinished += u64::from(killed(append(), time, kill + 104_729));
        let now = left(kill);
        assert!((before..=before + NPY_FRAMES as u64).contains(&now), "kill {kill}: {before} frames, then {now}");
        assert_eq!(folder.names(), [NPY, "x.fpk"], "appending needs no other file");
        before = now;
        if now > MOST_FRAMES {
            fs::remove_file(folder.path("x.fpk")).unwrap();
            folder.run(&whole).ok();
            before = left(kill);
        }
    }
    assert!(unfinished > 0, "no kill came before the end");
    folder.run(&[&whole[..], &["--append"]].concat()).ok();
    assert_eq!(left(kills()), before + NPY_FRAMES as u64);
    folder.run(&["verify", "x.fpk"]).ok();
}

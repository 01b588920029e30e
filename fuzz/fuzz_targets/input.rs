//! .npy, .y4m and raw video: what is read comes back byte for byte, in batches of any length.

#![no_main]

use std::io::Cursor;

use framepress::Result;
use framepress::input::{Description, InputBatch, RawSpec, open_stream, origin_of_part, restorer, side_of_part};
use framepress_fuzz::number;
use libfuzzer_sys::fuzz_target;

type Read = (Description, Vec<InputBatch>);

fn read(file: &[u8], raw: Option<RawSpec>, frames: usize) -> Result<Read> {
    let mut reader = open_stream(Cursor::new(file.to_vec()), raw)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.read_batch(frames)? {
        assert!(batch.frames > 0 && batch.bytes.len() == batch.frames * reader.description().format.frame_bytes());
        batches.push(batch);
    }
    Ok((reader.description().clone(), batches))
}

fn restored((description, batches): &Read) -> Vec<u8> {
    let mut out = Vec::new();
    let mut restorer = restorer(&description.origin, &description.format, &mut out).expect("one stream");
    for batch in batches {
        restorer.write_batch(batch.frames, &batch.bytes, &batch.side).expect("what was read");
    }
    restorer.finish().expect("what was written");
    drop(restorer);
    out
}

/// The first frames by themselves are a file that reads as those frames.
fn check_part((description, batches): &Read) {
    let Some(batch) = batches.first() else { return };
    let Description { format, origin, .. } = description;
    let frames = batch.frames.div_ceil(2);
    let part = InputBatch {
        frames,
        bytes: batch.bytes[..frames * format.frame_bytes()].to_vec(),
        side: side_of_part(&batch.side, 0..frames),
        timestamps: Vec::new(),
    };
    let origin = origin_of_part(origin, format, frames as u64).expect("a header that was read");
    let file = restored(&(Description { origin, format: format.clone(), frames: None }, vec![part.clone()]));
    let (_, again) = read(&file, None, usize::MAX).expect("a file of some frames");
    let bytes: Vec<u8> = again.iter().flat_map(|batch| &batch.bytes).copied().collect();
    assert!(again.iter().map(|batch| batch.frames).sum::<usize>() == frames && bytes == part.bytes);
}

fuzz_target!(|input: &[u8]| {
    let mut file = input;
    let raw = match number(&mut file, 1) % 4 {
        0 => Some(["2x2:gray", "3x1:rgb24", "2x2:yuv420p", "5x3:gray16be"][number(&mut file, 1) % 4]),
        _ => None,
    };
    let spec = || raw.map(|spec| spec.parse().expect("a spec"));
    // Frames of no bytes go on for as long as a header says.
    let all = match read(file, spec(), 1 << 20) {
        Ok(all) => all,
        Err(error) => {
            let again = read(file, spec(), 1 << 20).expect_err("it was refused");
            assert!(again.to_string() == error.to_string());
            return;
        }
    };
    assert!(restored(&all) == file);
    if all.1.len() <= 1 {
        for frames in [1, 3] {
            if all.1.iter().all(|batch| batch.frames < 1 << 12) {
                assert!(restored(&read(file, spec(), frames).expect("it was read before")) == file);
            }
        }
    }
    if raw.is_none() {
        check_part(&all);
    }
});

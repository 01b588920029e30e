//! What is left of a file: a whole file comes out, of every batch that a reader finds, and of it the same again.

#![no_main]

use std::io::Cursor;

use framepress::{Recovery, recover};
use framepress_fuzz::files::{decompressor, seal, stream, whole};
use framepress_fuzz::number;
use libfuzzer_sys::fuzz_target;

fn recovered(file: &[u8]) -> Option<(Recovery, Vec<u8>)> {
    let mut out = Vec::new();
    let recovery = recover(Cursor::new(file), &mut out, &decompressor(1)).ok()?;
    Some((recovery, out))
}

fn check(file: &[u8]) {
    let decompressor = decompressor(1);
    let Some((recovery, out)) = recovered(file) else {
        assert!(stream(file, &decompressor).is_err(), "a reader finds a header where recover finds none");
        return;
    };
    let frames = whole(&out, &decompressor).expect("what was recovered is whole");
    assert!(frames.frames() as u64 == recovery.frames);
    let (again, same) = recovered(&out).expect("what was recovered");
    assert!(same == out && again.lost.is_empty() && again.unused_bytes == 0);
    assert!((again.frames, again.batches) == (recovery.frames, recovery.batches));
    if let Some(all) = whole(file, &decompressor) {
        assert!(recovery.lost.is_empty() && frames.as_bytes() == all.as_bytes());
    } else if let Ok(all) = stream(file, &decompressor) {
        // What comes in order up to the first damage is there, in order.
        let good = all.iter().map_while(|batch| batch.as_ref().ok());
        let bytes: Vec<u8> = good.flat_map(|batch| batch.frames.as_bytes()).copied().collect();
        assert!(frames.as_bytes().starts_with(&bytes));
    }
}

fuzz_target!(|input: &[u8]| {
    // The last bytes say what happens to the file: nothing, a cut, a hole, other bytes or itself once more.
    let (file, mut how) = input.split_at(input.len().saturating_sub(5));
    let mut file = file.to_vec();
    seal(&mut file);
    let (kind, from, to) = (number(&mut how, 1) % 5, number(&mut how, 2), number(&mut how, 2));
    let (from, to) = (from % (file.len() + 1), to % (file.len() + 1));
    let (from, to) = (from.min(to), from.max(to));
    match kind {
        0 => {}
        1 => file.truncate(from),
        2 => drop(file.drain(from..to)),
        3 => file[from..to].iter_mut().for_each(|byte| *byte ^= 0x5A),
        _ => {
            let part = file[from..to].to_vec();
            file.extend(part);
        }
    }
    check(&file);
});

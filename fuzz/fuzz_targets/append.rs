//! Frames that are added to a file: what it has stays, whatever becomes of the writer, and what is refused is not touched.

#![no_main]

use std::io::Cursor;
use std::num::NonZeroUsize;

use framepress::internal::{FileHeader, RecordReader};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Limits, Settings, Writer};
use framepress_fuzz::files::{decompressor, frames_left, seal, whole};
use framepress_fuzz::number;
use libfuzzer_sys::fuzz_target;

/// Bytes of the largest frame that is added.
const MOST_BYTES: usize = 1 << 12;

fn header(file: &[u8]) -> Option<FileHeader> {
    Some(RecordReader::new(file, Limits::default()).ok()?.header().clone())
}

fn check(file: &[u8], added: usize, finishes: bool) {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_threads(NonZeroUsize::new(1));
    let settings = settings.with_level(2).expect("a level").with_batch_frames(NonZeroUsize::new(2));
    let compressor = Compressor::new(settings).expect("a compressor");
    let decompressor = decompressor(1);
    let mut after = Cursor::new(file.to_vec());
    let Ok(mut writer) = Writer::append(&mut after, &compressor) else {
        assert!(after.into_inner() == file);
        assert!(whole(file, &decompressor).is_none(), "a whole file can be gone on with");
        return;
    };
    let frame_bytes = header(file).expect("a header").format.frame_bytes();
    let left = frames_left(file, &decompressor);
    if frame_bytes > MOST_BYTES {
        return;
    }
    let raw: Vec<u8> = (0..added * frame_bytes).map(|at| (at / 3) as u8).collect();
    let fits = writer.write_frames(added, &raw).is_ok();
    if finishes && fits && writer.finish().is_ok() {
        let after = after.into_inner();
        match left {
            Some(left) => {
                let all = whole(&after, &decompressor).expect("a whole file");
                assert!(all.as_bytes() == [left.as_bytes(), &raw].concat());
                assert!(all.frames() == left.frames() + added);
            }
            // Its last batches were damaged, or too large; so they are still.
            None => assert!(whole(&after, &decompressor).is_none()),
        }
    } else {
        let after = after.into_inner();
        if let Some(left) = left {
            let now = frames_left(&after, &decompressor).expect("a file that was cut");
            assert!(now.as_bytes().starts_with(left.as_bytes()));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    // The last bytes say where the file is cut, how many frames are added and whether their writer gets to the end.
    let (file, mut how) = input.split_at(input.len().saturating_sub(4));
    let mut file = file.to_vec();
    seal(&mut file);
    let cut = number(&mut how, 2);
    if cut % 2 == 0 {
        file.truncate(file.len() - (cut / 2).min(file.len()));
    }
    check(&file, number(&mut how, 1) % 6, number(&mut how, 1) % 2 == 0);
});

//! Whole files: every way to read one says the same of it, and what is read is written again as the same bytes (but for
//! timestamps, which can be written in several ways).

#![no_main]

use std::io::Cursor;

use framepress::internal::{RecordReader, RecordWriter};
use framepress::{Decompressor, Reader, SeekReader};
use framepress_fuzz::files::{Outcome, decompressor, outcome, seal, stream};
use libfuzzer_sys::fuzz_target;

/// What a stream says when several batches are in work.
fn ahead(file: &[u8], decompressor: &Decompressor) -> Vec<Outcome> {
    let mut all = Vec::new();
    let mut reader = Reader::new(file, decompressor).expect("the header is sound");
    let collect = |batch| {
        all.push(outcome(batch));
        Ok(())
    };
    reader.read_batches(collect).expect("nothing but what is collected");
    all
}

/// Reads a file by frame; its index is what leads to them.
fn seek(file: &[u8], decompressor: &Decompressor, expected: Option<&[Outcome]>) {
    let opened = SeekReader::new(Cursor::new(file), decompressor);
    let Some(expected) = expected else {
        if let Ok(mut reader) = opened {
            for batch in 0..reader.batches() {
                let _ = (reader.batch_info(batch), reader.read_batch(batch));
            }
            let _ = reader.read_frames(0..reader.frames());
        }
        return;
    };
    let mut reader = opened.expect("a whole file");
    assert!(reader.damage().is_empty());
    let all: Vec<_> = (0..reader.batches()).map(|batch| outcome(reader.read_batch(batch))).collect();
    assert!(all == expected);
    for batch in 0..reader.batches() {
        reader.batch_info(batch).expect("what was decoded can be described");
    }
    let middle = reader.frames() / 2;
    let parts = [0..middle, middle..reader.frames()].map(|range| reader.read_frames(range).expect("frames"));
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.as_bytes()).copied().collect();
    let good = expected.iter().flatten().flat_map(|batch| batch.frames.as_bytes());
    assert!(bytes.iter().eq(good));
}

fn check(file: &[u8]) {
    let one = decompressor(1);
    let Ok(all) = stream(file, &one) else {
        assert!(one.decompress(file).is_err());
        seek(file, &one, None);
        return;
    };
    assert!(ahead(file, &decompressor(2)) == all);
    let good: Vec<u8> = all.iter().flatten().flat_map(|batch| batch.frames.as_bytes()).copied().collect();
    let is_whole = all.iter().all(Result::is_ok);
    let mut into = vec![0; good.len()];
    match one.decompress(file) {
        Ok(frames) => {
            assert!(is_whole && frames.as_bytes() == good);
            one.decompress_into(file, &mut into).expect("as much room as there are frames");
            assert!(into == good);
        }
        Err(_) => {
            assert!(!is_whole);
            assert!(one.decompress_into(file, &mut into).is_err());
        }
    }
    seek(file, &one, is_whole.then_some(&all));
    if is_whole {
        let mut again = Vec::new();
        let mut records = RecordReader::new(file, one.limits()).expect("a header");
        let mut writer = RecordWriter::new(&mut again, records.header()).expect("a header");
        let mut timed = false;
        while let Some(record) = records.next().expect("a record") {
            timed |= !record.timestamps.is_empty();
            writer.write(&record).expect("a record that was read");
        }
        writer.finish().expect("an index");
        match timed {
            false => assert!(again == file),
            true => assert!(stream(&again, &one).expect("a file that was written") == all),
        }
    }
}

fuzz_target!(|input: &[u8]| {
    check(input);
    let mut file = input.to_vec();
    seal(&mut file);
    if file != input {
        check(&file);
    }
});

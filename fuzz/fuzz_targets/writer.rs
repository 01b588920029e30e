//! Writer against reader: however frames are handed over, the same file comes of them, and they come back from it.

#![no_main]

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::ops::Range;

use framepress::frame::Frames;
use framepress::plan::{CodecChoice, DeviceChoice};
use framepress::{Compressor, Decompressor, Reader, SeekReader, Settings, Writer};
use framepress_fuzz::{format, number};
use libfuzzer_sys::fuzz_target;

fn compressor(input: &mut &[u8]) -> Compressor {
    let codecs = [CodecChoice::Auto, CodecChoice::Ans, CodecChoice::Lz4, CodecChoice::Zstd, CodecChoice::Pack];
    let settings = Settings::new()
        .with_device(DeviceChoice::Cpu)
        .with_level((number(input, 1) % 9 + 1) as u8)
        .expect("a level")
        .with_codec(codecs[(number(input, 1) % 16).saturating_sub(11)])
        .with_batch_frames(NonZeroUsize::new(number(input, 1) % 5))
        .with_threads(NonZeroUsize::new(number(input, 1) % 2 + 1));
    Compressor::new(settings).expect("a compressor")
}

fn bytes_of(frames: &Frames, range: Range<usize>) -> &[u8] {
    let frame_bytes = frames.format().frame_bytes();
    &frames.as_bytes()[range.start * frame_bytes..range.end * frame_bytes]
}

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let compressor = compressor(&mut input);
    let format = format(number(&mut input, 1), [number(&mut input, 1) % 18, number(&mut input, 1) % 18]);
    let count = number(&mut input, 1) % 9;
    // Frames are handed over in some calls, with or without timestamps.
    let (calls, timed) = (number(&mut input, 1) % 4, number(&mut input, 1) % 4 == 0);
    let mut cuts: Vec<usize> = (0..calls).map(|_| number(&mut input, 1) % (count + 1)).collect();
    cuts.extend([0, count]);
    cuts.sort_unstable();
    let noise = |at: usize| input.get(at % input.len().max(1)).copied().unwrap_or(at as u8);
    let raw = (0..count * format.frame_bytes()).map(|at| noise(at).wrapping_add((at / 97) as u8)).collect();
    let frames = Frames::new(format.clone(), count, raw).expect("frames");

    let times: Vec<i64> = (0..count).map(|frame| i64::from(noise(frame)) << (frame * 5)).collect();
    let mut writer = Writer::new(Vec::new(), format.clone(), &compressor).expect("a writer");
    for cut in cuts.windows(2) {
        let range = cut[0]..cut[1];
        let bytes = bytes_of(&frames, range.clone());
        let written = match timed {
            true => writer.write_frames_at(&times[range], bytes),
            false => writer.write_frames(range.len(), bytes),
        };
        written.expect("frames that fit");
    }
    let file = writer.finish().expect("a file");
    if !timed {
        assert!(file == compressor.compress_frames(&frames).expect("a file"));
    }

    let decompressor = Decompressor::default();
    assert!(decompressor.decompress(&file).expect("frames") == frames);
    let (mut bytes, mut found) = (Vec::new(), Vec::new());
    let mut reader = Reader::new(file.as_slice(), &decompressor).expect("a reader");
    while let Some(batch) = reader.next_batch().expect("a batch") {
        bytes.extend_from_slice(batch.frames.as_bytes());
        found.extend(batch.timestamps);
    }
    assert!(bytes == frames.as_bytes() && found == if timed { times } else { Vec::new() });
    let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).expect("a reader");
    assert!(reader.damage().is_empty() && reader.frames() == count as u64);
    for cut in cuts.windows(2) {
        let part = reader.read_frames(cut[0] as u64..cut[1] as u64).expect("frames of the file");
        assert!(part.as_bytes() == bytes_of(&frames, cut[0]..cut[1]));
    }
});

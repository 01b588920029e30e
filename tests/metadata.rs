//! What is kept with frames: metadata of the file, and the time of every frame.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::num::NonZeroUsize;

use framepress::frame::{Dtype, FrameFormat, Origin};
use framepress::input::InputBatch;
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, ErrorKind, Reader, SeekReader, Settings, Writer, recover};

const FRAMES: usize = 11;

fn compressor() -> Compressor {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(4));
    Compressor::new(settings).unwrap()
}

fn format() -> FrameFormat {
    FrameFormat::from_shape(Dtype::U8, &[6, 7]).unwrap()
}

fn raw() -> Vec<u8> {
    (0..FRAMES * format().frame_bytes()).map(|at| (at / 5) as u8).collect()
}

fn origin() -> Origin {
    let pairs = [("camera", "7"), ("place", "north gate"), ("\u{3b1}", "")];
    let metadata = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    Origin { metadata, ..Origin::default() }
}

/// A clock that starts anywhere and does not always run forward.
fn times() -> Vec<i64> {
    (0..FRAMES as i64).map(|frame| 1_700_000_000_000_000_000 + frame * 40_000_000 - frame % 3 * 90_000_000).collect()
}

/// A file whose frames are handed over in pieces.
fn file(pieces: usize) -> Vec<u8> {
    let (compressor, times, raw) = (compressor(), times(), raw());
    let mut writer = Writer::with_origin(Vec::new(), format(), origin(), &compressor).unwrap();
    for (times, raw) in times.chunks(pieces).zip(raw.chunks(pieces * format().frame_bytes())) {
        writer.write_frames_at(times, raw).unwrap();
    }
    writer.finish().unwrap()
}

/// All times, as a stream has them and by number, and the metadata.
fn read(file: &[u8]) -> (Vec<i64>, BTreeMap<String, String>) {
    let decompressor = Decompressor::default();
    let mut reader = Reader::new(file, &decompressor).unwrap();
    let mut times = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        times.extend(batch.timestamps);
    }
    let mut seeking = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
    let infos = (0..seeking.batches()).flat_map(|batch| seeking.batch_info(batch).unwrap().timestamps);
    assert_eq!(infos.collect::<Vec<_>>(), times);
    assert_eq!(seeking.origin(), reader.origin());
    (times, reader.origin().metadata.clone())
}

#[test]
fn everything_comes_back() {
    let whole = file(FRAMES);
    assert_eq!(read(&whole), (times(), origin().metadata));
    for pieces in 1..FRAMES {
        assert!(file(pieces) == whole, "{pieces}");
    }
    let mut recovered = Vec::new();
    recover(Cursor::new(&whole[..whole.len() - 5]), &mut recovered, &Decompressor::default()).unwrap();
    assert!(recovered == whole, "as if nothing had happened");
}

#[test]
fn appended_frames_have_times_or_not() {
    let (compressor, raw) = (compressor(), raw());
    let mut writer = Writer::append(Cursor::new(file(3)), &compressor).unwrap();
    writer.write_frames(2, &raw[..2 * format().frame_bytes()]).unwrap();
    writer.write_frames_at(&times()[..3], &raw[..3 * format().frame_bytes()]).unwrap();
    let longer = writer.finish().unwrap().into_inner().into_inner();
    let (found, metadata) = read(&longer);
    assert_eq!(found, [times(), times()[..3].to_vec()].concat());
    assert_eq!(metadata, origin().metadata);
}

/// A time for each frame or for none.
#[test]
fn counts_are_checked() {
    let compressor = compressor();
    let mut writer = Writer::new(Vec::new(), format(), &compressor).unwrap();
    let error = writer.write_frames_at(&times(), &raw()[1..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let batch = InputBatch { frames: FRAMES, bytes: raw(), side: Vec::new(), timestamps: vec![1, 2] };
    assert_eq!(writer.write_batch(&batch).unwrap_err().kind(), ErrorKind::InvalidInput);
    let empty = Origin { metadata: [(String::new(), "x".to_owned())].into(), ..Origin::default() };
    let error = Writer::with_origin(Vec::new(), format(), empty, &compressor).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// No bit of it can be changed unnoticed.
#[test]
fn damage_is_found() {
    let whole = file(4);
    for bit in 0..8 * whole.len() {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let decompressor = Decompressor::default();
        let intact = Reader::new(damaged.as_slice(), &decompressor).and_then(|mut reader| {
            let mut times = Vec::new();
            while let Some(batch) = reader.next_batch()? {
                times.extend(batch.timestamps);
            }
            Ok((times, reader.origin().clone()))
        });
        assert!(intact.is_err(), "bit {bit}");
    }
}

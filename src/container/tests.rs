//! Whole files: what is written comes back, and damage is an error, never a panic or a wrong record.

use std::io::Cursor;

use super::*;
use crate::codec::CodecId;
use crate::error::{ErrorKind, Result};
use crate::frame::{ChannelOrder, Dtype, FrameFormat, Geometry, Layout, Origin, OriginKind};
use crate::plan::{Colour, Method, Plan, PlanePlan, Predictor, Shuffle, Values};

fn header(dtype: Dtype, layout: Layout) -> FileHeader {
    let origin = Origin { kind: OriginKind::Raw, big_endian: false, header: b"hi".to_vec(), ..Origin::default() };
    FileHeader { format: FrameFormat::new(dtype, layout).unwrap(), origin }
}

fn rgb() -> FileHeader {
    header(Dtype::U8, Layout::Packed { width: 3, height: 2, order: ChannelOrder::Rgb })
}

pub(super) fn gray(width: usize, height: usize) -> FileHeader {
    header(Dtype::U8, Layout::Gray { width, height })
}

/// A record of stored blocks. What they hold does not matter to the container.
pub(super) fn record(header: &FileHeader, number: u64, first_frame: u64, frames: u64) -> BatchRecord {
    record_of_spans(header, number, first_frame, frames, 8)
}

/// The same in blocks of so many samples.
pub(super) fn record_of_spans(
    header: &FileHeader,
    number: u64,
    first_frame: u64,
    frames: u64,
    span_samples: u32,
) -> BatchRecord {
    let geometry = Geometry::new(&header.format, frames as usize);
    let plane = PlanePlan {
        intra: Predictor::Median,
        temporal: true,
        inter: Predictor::Average,
        shuffle: if geometry.sample_bytes > 1 { Shuffle::Byte } else { Shuffle::Bit },
    };
    let plan = Plan {
        values: Values::default(),
        colour: if geometry.colour { Colour::SubtractGreen } else { Colour::None },
        span_samples,
        planes: vec![plane; geometry.planes.len()],
    };
    let raw_bytes = geometry.raw_bytes();
    BatchRecord {
        number,
        first_frame,
        frames,
        raw_bytes: raw_bytes as u64,
        raw_checksum: 0x0123_4567_89AB_CDEF,
        blocks: blocks(&geometry, span_samples)
            .map(|block| BlockEntry { codec: CodecId::Store, packed_bytes: block.bytes.len() as u32 })
            .collect(),
        method: Method::Planes(plan),
        side: vec![number as u8; number as usize],
        timestamps: Vec::new(),
        payload: (0..raw_bytes).map(|at| (at as u8).wrapping_mul(29)).collect(),
    }
}

/// Records of the given numbers of frames.
fn records(header: &FileHeader, frames: &[u64]) -> Vec<BatchRecord> {
    let mut first = 0;
    let numbered = frames.iter().enumerate();
    numbered
        .map(|(number, &frames)| {
            first += frames;
            record(header, number as u64, first - frames, frames)
        })
        .collect()
}

/// What a small file is made of.
pub(super) fn header_and_records() -> (FileHeader, Vec<BatchRecord>) {
    let header = rgb();
    let records = records(&header, &[2, 1, 3]);
    (header, records)
}

pub(super) fn file(header: &FileHeader, records: &[BatchRecord]) -> Vec<u8> {
    let mut writer = RecordWriter::new(Vec::new(), header).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap()
}

/// Everything a streaming reader says about `bytes`.
fn stream(bytes: &[u8]) -> Vec<Result<BatchRecord>> {
    let mut reader = match RecordReader::new(bytes, Limits::default()) {
        Ok(reader) => reader,
        Err(error) => return vec![Err(error)],
    };
    let mut all = Vec::new();
    while let Some(next) = reader.next().transpose() {
        all.push(next);
    }
    assert!(reader.next().unwrap().is_none(), "the end is the end");
    all
}

/// Everything an indexed reader says about `bytes`.
fn seek(bytes: &[u8]) -> (bool, Vec<Result<BatchRecord>>) {
    let mut reader = match IndexedReader::open(Cursor::new(bytes), Limits::default()) {
        Ok(reader) => reader,
        Err(error) => return (false, vec![Err(error)]),
    };
    let all = (0..reader.table().batches().len()).map(|at| reader.read_record(at)).collect();
    (reader.table().damage().is_empty(), all)
}

fn good(all: Vec<Result<BatchRecord>>) -> Vec<BatchRecord> {
    all.into_iter().filter_map(Result::ok).collect()
}

#[test]
fn files_come_back() {
    let formats = [
        rgb(),
        header(Dtype::F64, Layout::Array { shape: vec![] }),
        header(Dtype::I16, Layout::Array { shape: vec![3, 5, 2] }),
        header(Dtype::F32, Layout::Array { shape: vec![0, 3] }),
    ];
    for header in formats {
        for frames in [&[][..], &[1], &[2, 1, 3, 1]] {
            let records = records(&header, frames);
            let bytes = file(&header, &records);
            assert_eq!(stream(&bytes).into_iter().collect::<Result<Vec<_>>>().unwrap(), records);
            let (intact, back) = seek(&bytes);
            assert!(intact);
            assert_eq!(back.into_iter().collect::<Result<Vec<_>>>().unwrap(), records);
            let reader = IndexedReader::open(Cursor::new(&bytes), Limits::default()).unwrap();
            assert_eq!(reader.table().header(), &header);
            assert_eq!(reader.table().total_frames(), frames.iter().sum::<u64>());
        }
    }
}

#[test]
fn frames_are_found_in_batches() {
    let header = rgb();
    let bytes = file(&header, &records(&header, &[2, 1, 3]));
    let mut reader = IndexedReader::open(Cursor::new(&bytes), Limits::default()).unwrap();
    let found: Vec<_> = (0..7).map(|frame| reader.table().find(frame)).collect();
    assert_eq!(found, [Some(0), Some(0), Some(1), Some(2), Some(2), Some(2), None]);
    assert_eq!(reader.table().find(u64::MAX), None);
    assert_eq!(reader.read_record(3).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn every_truncation_keeps_the_whole_batches() {
    let header = rgb();
    let records = records(&header, &[2, 1]);
    let bytes = file(&header, &records);
    let header_bytes = header.to_bytes().unwrap().len();
    let ends: Vec<usize> = (0..3).map(|count| file(&header, &records[..count]).len() - 40 - 24 * count).collect();
    for length in 0..bytes.len() {
        let whole = if length < header_bytes { 0 } else { ends.iter().filter(|&&end| end <= length).count() - 1 };
        let mut streamed = stream(&bytes[..length]);
        assert_eq!(streamed.pop().unwrap().unwrap_err().kind(), ErrorKind::Truncated, "cut at {length}");
        assert_eq!(good(streamed), records[..whole], "cut at {length}");
        let (intact, sought) = seek(&bytes[..length]);
        assert!(!intact);
        assert_eq!(good(sought), records[..whole], "cut at {length}");
    }
}

#[test]
fn every_bit_flip_is_noticed_and_contained() {
    let header = rgb();
    let records = records(&header, &[2, 1, 1]);
    let bytes = file(&header, &records);
    let header_bytes = header.to_bytes().unwrap().len();
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let streamed = stream(&damaged);
        assert!(streamed.iter().any(Result::is_err), "bit {bit}");
        let (intact, sought) = seek(&damaged);
        assert!(!intact || sought.iter().any(Result::is_err), "bit {bit}");
        for kept in [good(streamed), good(sought)] {
            assert!(kept.iter().all(|record| records.contains(record)), "bit {bit}");
            if bit / 8 >= header_bytes {
                assert!(kept.len() >= 2, "bit {bit}: one batch at most is lost, {} are left", kept.len());
            }
        }
    }
}

#[test]
fn a_damaged_payload_is_reported_with_its_batch() {
    let header = rgb();
    let records = records(&header, &[2, 1, 1]);
    let mut bytes = file(&header, &records);
    let at = file(&header, &records[..2]).len() - 40 - 48 - 1;
    bytes[at] ^= 1;
    let streamed = stream(&bytes);
    assert_eq!(streamed.len(), 3);
    let error = streamed[1].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.location(), Some(records[1].location()));
    assert_eq!(streamed[2].as_ref().unwrap(), &records[2]);
}

#[test]
fn without_an_index_records_are_found_around_damage() {
    let header = rgb();
    let records = records(&header, &[2, 1, 1]);
    let mut bytes = file(&header, &records);
    bytes.truncate(bytes.len() - 12);
    let second = file(&header, &records[..1]).len() - 40 - 24;
    bytes[second + 20] ^= 1;
    let (intact, sought) = seek(&bytes);
    assert!(!intact);
    assert_eq!(good(sought), [records[0].clone(), records[2].clone()]);
    let reader = IndexedReader::open(Cursor::new(&bytes), Limits::default()).unwrap();
    assert_eq!(reader.table().damage().len(), 2);
    assert_eq!((reader.table().find(1), reader.table().find(2), reader.table().find(3)), (Some(0), None, Some(1)));
}

#[test]
fn bytes_after_the_end_are_reported() {
    let header = rgb();
    let records = records(&header, &[1]);
    let mut bytes = file(&header, &records);
    bytes.push(0);
    let mut streamed = stream(&bytes);
    assert_eq!(streamed.pop().unwrap().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(good(streamed), records);
    assert!(!seek(&bytes).0);
}

#[test]
fn a_missing_record_is_reported() {
    let header = rgb();
    let records = records(&header, &[1, 1]);
    let bytes = file(&header, &records);
    let first = file(&header, &records[..1]).len() - 40 - 24;
    let start = header.to_bytes().unwrap().len();
    let spliced = [&bytes[..start], &bytes[first..]].concat();
    assert_eq!(stream(&spliced)[0].as_ref().unwrap_err().kind(), ErrorKind::Corrupt);
    let repeated = [&bytes[..first], &bytes[start..]].concat();
    let streamed = stream(&repeated);
    assert!(streamed.iter().any(Result::is_err));
    assert_eq!(good(streamed), records);
}

#[test]
fn batches_above_the_limit_are_skipped() {
    let header = rgb();
    let records = records(&header, &[2, 1]);
    let bytes = file(&header, &records);
    let limits = Limits { max_batch_bytes: 18, ..Limits::default() };
    let mut reader = RecordReader::new(&bytes[..], limits).unwrap();
    let error = reader.next().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(error.location(), Some(records[0].location()));
    assert_eq!(reader.next().unwrap().unwrap(), records[1]);
    assert!(reader.next().unwrap().is_none());
    let mut reader = IndexedReader::open(Cursor::new(&bytes), limits).unwrap();
    assert_eq!(reader.read_record(0).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(reader.read_record(1).unwrap(), records[1]);
}

/// Records with good checksums whose parts do not fit: a writer's errors, or an attack.
#[test]
fn records_that_contradict_themselves_are_refused() {
    let header = rgb();
    let good = record(&header, 0, 0, 1);
    let refused = |change: &dyn Fn(&mut BatchRecord)| {
        let mut record = good.clone();
        change(&mut record);
        let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
        assert_eq!(writer.write(&record).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(writer.finish().unwrap(), file(&header, &[]), "nothing was written");
    };
    refused(&|record| record.number = 1);
    refused(&|record| record.first_frame = 1);
    refused(&|record| record.frames = 0);
    refused(&|record| record.frames = 2);
    refused(&|record| record.raw_bytes += 1);
    fn plan(record: &mut BatchRecord) -> &mut Plan {
        let Method::Planes(plan) = &mut record.method else { panic!("planes") };
        plan
    }
    refused(&|record| plan(record).span_samples = 0);
    refused(&|record| plan(record).planes.truncate(2));
    refused(&|record| record.blocks.truncate(1));
    refused(&|record| record.blocks[0].packed_bytes += 1);
    refused(&|record| record.blocks[0].packed_bytes -= 1);
    refused(&|record| record.blocks[0] = BlockEntry { codec: CodecId::Zstd, packed_bytes: 1 });
    refused(&|record| record.payload.push(0));
}

/// As above, through the reader: bytes are changed and the checksums made good.
#[test]
fn bytes_that_contradict_themselves_are_refused() {
    let header = rgb();
    let start = header.to_bytes().unwrap().len();
    let bytes = file(&header, &[record(&header, 0, 0, 1)]);
    let details = 11 + 3 * 4 + 3 * 5 + 4 + 8;
    let kind = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = bytes.clone();
        let head = &mut bytes[start..start + 72 + details];
        change(head);
        let sum = checksum(&head[..64]);
        head[64..72].copy_from_slice(&sum.to_le_bytes());
        let sum = checksum(&head[..72 + details - 8]);
        head[72 + details - 8..].copy_from_slice(&sum.to_le_bytes());
        let mut reader = RecordReader::new(&bytes[..], Limits::default()).unwrap();
        let error = reader.next().unwrap_err();
        while reader.next().is_ok_and(|next| next.is_some()) {}
        error.kind()
    };
    assert_eq!(kind(&|head| head[4] -= 1), ErrorKind::Corrupt, "shorter details");
    assert_eq!(kind(&|head| head[4..8].fill(0)), ErrorKind::Corrupt, "no details");
    assert_eq!(kind(&|head| head[4..8].fill(0xFF)), ErrorKind::Limit, "endless details");
    assert_eq!(kind(&|head| head[8] -= 1), ErrorKind::Corrupt, "shorter payload");
    assert_eq!(kind(&|head| head[8..16].fill(0xFF)), ErrorKind::Corrupt, "endless payload");
    assert_eq!(kind(&|head| head[16] = 1), ErrorKind::Corrupt, "number");
    assert_eq!(kind(&|head| head[24..32].fill(0xFF)), ErrorKind::Corrupt, "first frame");
    assert_eq!(kind(&|head| head[32] = 0), ErrorKind::Corrupt, "no frames");
    assert_eq!(kind(&|head| head[40] = 0), ErrorKind::Corrupt, "raw bytes");
    assert_eq!(kind(&|head| head[56] ^= 1), ErrorKind::Corrupt, "payload checksum");
    assert_eq!(kind(&|head| head[72] = 9), ErrorKind::Unsupported, "method");
    assert_eq!(kind(&|head| head[73] = 2), ErrorKind::Unsupported, "colour");
    assert_eq!(kind(&|head| head[74] = 2), ErrorKind::Corrupt, "planes");
    assert_eq!(kind(&|head| head[74] = 255), ErrorKind::Corrupt, "planes");
    assert_eq!(kind(&|head| head[75..79].fill(0)), ErrorKind::Corrupt, "span");
    assert_eq!(kind(&|head| head[79..83].fill(0xFF)), ErrorKind::Corrupt, "more values than there are");
    assert_eq!(kind(&|head| head[83] = 6), ErrorKind::Unsupported, "predictor");
    assert_eq!(kind(&|head| head[84] = 2), ErrorKind::Corrupt, "temporal");
    assert_eq!(kind(&|head| head[86] = 3), ErrorKind::Unsupported, "shuffle");
    assert_eq!(kind(&|head| head[95] = CodecId::ALL.len() as u8), ErrorKind::Unsupported, "codec");
    assert_eq!(kind(&|head| head[96] = 7), ErrorKind::Corrupt, "block length");
    assert_eq!(kind(&|head| head[110] = 1), ErrorKind::Corrupt, "side data");
}

/// A record that asks for gigabytes in a file of a hundred bytes.
#[test]
fn lying_lengths_do_not_allocate() {
    let header = header(Dtype::U8, Layout::Gray { width: 1 << 15, height: 1 << 15 });
    let prefix = prefix::Prefix {
        details_bytes: 60 << 20,
        payload_bytes: 4 << 30,
        number: 0,
        first_frame: 0,
        frames: 4,
        raw_bytes: 4 << 30,
        raw_checksum: 0,
        payload_checksum: 0,
    };
    let mut bytes = header.to_bytes().unwrap();
    bytes.extend(prefix.to_bytes());
    bytes.extend([0; 50]);
    let kinds: Vec<_> = stream(&bytes).into_iter().map(|next| next.unwrap_err().kind()).collect();
    assert_eq!(kinds, [ErrorKind::Truncated]);
    assert!(seek(&bytes).1.is_empty());

    let mut index = header.to_bytes().unwrap();
    let offset = index.len() as u64;
    index.extend(b"FPKI");
    index.extend((u64::MAX / 30).to_le_bytes());
    index.extend(offset.to_le_bytes());
    index.extend(b"FPKE");
    assert_eq!(stream(&index)[0].as_ref().unwrap_err().kind(), ErrorKind::Truncated);
    assert!(!seek(&index).0);
}

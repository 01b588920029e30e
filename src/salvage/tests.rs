use std::io::{Cursor, SeekFrom};
use std::num::NonZeroUsize;

use super::*;
use crate::container::{IndexedReader, Limits, checksum};
use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};
use crate::input::InputBatch;
use crate::plan::{CodecChoice, Settings};
use crate::{Compressor, SeekReader, Writer};

const BATCH_FRAMES: usize = 2;
const FRAMES: usize = 5;
/// First frame and frames of each batch.
const BATCHES: [(u64, u64); 3] = [(0, 2), (2, 2), (4, 1)];

fn gray() -> FrameFormat {
    FrameFormat::new(Dtype::U8, Layout::Gray { width: 6, height: 4 }).unwrap()
}

fn compressor() -> Compressor {
    let settings = Settings::new().with_codec(CodecChoice::Store).with_batch_frames(NonZeroUsize::new(BATCH_FRAMES));
    Compressor::new(settings.with_device(crate::plan::DeviceChoice::Cpu)).unwrap()
}

/// A `.npy` header of this many frames.
fn npy(frames: u64) -> Origin {
    input::origin_of_part(&Origin::default(), &gray(), frames).unwrap()
}

/// Frames unlike those of another `seed`.
fn raw(format: &FrameFormat, seed: u8) -> Vec<u8> {
    (0..FRAMES * format.frame_bytes())
        .map(|at| (at as u8).wrapping_mul(37).wrapping_add(seed) ^ (at >> 3) as u8)
        .collect()
}

fn file_of(format: &FrameFormat, origin: Origin, seed: u8) -> Vec<u8> {
    let compressor = compressor();
    let mut writer = Writer::with_origin(Vec::new(), format.clone(), origin, &compressor).unwrap();
    writer.write_frames(FRAMES, &raw(format, seed)).unwrap();
    writer.finish().unwrap()
}

fn file(seed: u8) -> Vec<u8> {
    file_of(&gray(), Origin::default(), seed)
}

/// Ends of the header and of each record.
fn ends(file: &[u8]) -> Vec<usize> {
    let reader = IndexedReader::open(Cursor::new(file), Limits::default()).unwrap();
    let starts = reader.table().batches().iter().map(|entry| entry.offset as usize);
    let index = u64::from_le_bytes(file[file.len() - 12..file.len() - 4].try_into().unwrap()) as usize;
    starts.chain([index]).collect()
}

/// The raw frames of some batches.
fn frames_of(batches: &[usize], seed: u8) -> Vec<u8> {
    let (raw, bytes) = (raw(&gray(), seed), gray().frame_bytes());
    let of = |&batch: &usize| {
        let (first, frames) = BATCHES[batch];
        &raw[first as usize * bytes..(first + frames) as usize * bytes]
    };
    batches.iter().flat_map(of).copied().collect()
}

/// What comes out, which must be a whole file, and what is said of it.
#[track_caller]
fn recovered(file: &[u8]) -> (Vec<u8>, Recovery) {
    let decompressor = Decompressor::default();
    let mut whole = Vec::new();
    let recovery = recover(Cursor::new(file), &mut whole, &decompressor).unwrap();
    let reader = SeekReader::new(Cursor::new(&whole), &decompressor).unwrap();
    assert!(reader.damage().is_empty());
    assert_eq!((reader.frames(), reader.batches() as u64), (recovery.frames, recovery.batches));
    if let Some(counted) = input::recorded_frames(reader.origin()) {
        assert_eq!(counted, recovery.frames, "the header of the original is corrected");
    }
    (decompressor.decompress(&whole).unwrap().into_bytes(), recovery)
}

fn lost(recovery: &Recovery) -> Vec<(u64, u64, Option<u64>)> {
    recovery.lost.iter().map(|lost| (lost.part, lost.first_frame, lost.frames)).collect()
}

fn fails(file: &[u8]) -> ErrorKind {
    let mut whole = Vec::new();
    let error = recover(Cursor::new(file), &mut whole, &Decompressor::default()).unwrap_err();
    assert!(whole.is_empty(), "nothing is written");
    error.kind()
}

#[test]
fn a_whole_file_comes_out_as_it_is() {
    for origin in [Origin::default(), npy(FRAMES as u64), Origin { kind: OriginKind::Raw, ..Origin::default() }] {
        let file = file_of(&gray(), origin, 1);
        let mut whole = Vec::new();
        let recovery = recover(Cursor::new(&file), &mut whole, &Decompressor::default()).unwrap();
        assert_eq!(whole, file);
        assert_eq!(recovery, Recovery { batches: 3, frames: 5, parts: 1, ..Recovery::default() });
    }
    let empty = Writer::new(Vec::new(), gray(), &compressor()).unwrap().finish().unwrap();
    assert_eq!(recovered(&empty).1, Recovery { parts: 1, ..Recovery::default() });
}

#[test]
fn every_cut() {
    for origin in [Origin::default(), npy(FRAMES as u64)] {
        let file = file_of(&gray(), origin.clone(), 1);
        let ends = ends(&file);
        for length in 0..file.len() {
            if length < ends[0] {
                assert_eq!(fails(&file[..length]), ErrorKind::Truncated, "cut at {length}");
                continue;
            }
            let (bytes, recovery) = recovered(&file[..length]);
            let whole: Vec<usize> = (0..3).filter(|&batch| ends[batch + 1] <= length).collect();
            assert_eq!(bytes, frames_of(&whole, 1), "cut at {length}");

            // The number of a batch that has a prefix is known, and the length of an original `.npy` file.
            let (first, frames) = BATCHES.get(whole.len()).copied().unwrap_or((5, 0));
            let beyond = length - ends[whole.len()];
            let expected = match whole.len() {
                3 if origin.kind == OriginKind::Npy || beyond == 0 || beyond >= 4 => vec![],
                _ if origin.kind == OriginKind::Npy && beyond < 72 => vec![(0, first, Some(5 - first))],
                2 if beyond >= 72 => vec![(0, 4, Some(1))],
                _ if origin.kind == OriginKind::Npy => {
                    vec![(0, first, Some(frames)), (0, first + frames, Some(5 - first - frames))]
                }
                _ if beyond >= 72 => vec![(0, first, Some(frames))],
                _ if beyond > 0 => vec![(0, first, None)],
                _ => vec![],
            };
            assert_eq!(lost(&recovery), expected, "cut at {length}");
        }
    }
}

/// Every byte is damaged: of lengths and magics too.
#[test]
fn every_damaged_byte() {
    let file = file(1);
    let ends = ends(&file);
    for at in 0..file.len() {
        for bit in [0, 7] {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            if at < ends[0] {
                recover(Cursor::new(damaged), Vec::new(), &Decompressor::default()).unwrap_err();
                continue;
            }
            let (bytes, recovery) = recovered(&damaged);
            let hit = (0..3).find(|&batch| (ends[batch]..ends[batch + 1]).contains(&at));
            let whole: Vec<usize> = (0..3).filter(|&batch| Some(batch) != hit).collect();
            assert_eq!(bytes, frames_of(&whole, 1), "byte {at}");
            let expected: Vec<_> = hit.iter().map(|&hit| (0, BATCHES[hit].0, Some(BATCHES[hit].1))).collect();
            let is_magic_of_index = (ends[3]..ends[3] + 4).contains(&at);
            let expected = if is_magic_of_index { vec![(0, 5, None)] } else { expected };
            assert_eq!(lost(&recovery), expected, "byte {at}");
        }
    }
}

#[test]
fn a_record_behind_good_checksums_that_does_not_decode_is_lost() {
    let mut file = file(1);
    let ends = ends(&file);
    let start = ends[1];
    file[start + 48] ^= 1;
    let sum = checksum(&file[start..start + 64]);
    file[start + 64..start + 72].copy_from_slice(&sum.to_le_bytes());
    let details = u32::from_le_bytes(file[start + 4..start + 8].try_into().unwrap()) as usize;
    let end = start + 72 + details - 8;
    let sum = checksum(&file[start..end]);
    file[end..end + 8].copy_from_slice(&sum.to_le_bytes());
    let (bytes, recovery) = recovered(&file);
    assert_eq!((bytes, lost(&recovery)), (frames_of(&[0, 2], 1), vec![(0, 2, Some(2))]));
    assert!(recovery.lost[0].reason.contains("checksum of the frames"), "{}", recovery.lost[0].reason);
}

#[test]
fn files_one_after_another() {
    let (first, second) = (file(1), file(2));
    let all = [frames_of(&[0, 1, 2], 1), frames_of(&[0, 1, 2], 2)].concat();
    let (bytes, recovery) = recovered(&[&first[..], &second].concat());
    assert_eq!(bytes, all);
    assert_eq!(recovery, Recovery { batches: 6, frames: 10, parts: 2, ..Recovery::default() });

    // The second one has no header, or a damaged one: it is taken for what the first one is.
    let (header, mut no_header) = (ends(&second)[0], second.clone());
    no_header[20] ^= 1;
    for second in [&second[header..], &no_header] {
        let (bytes, recovery) = recovered(&[&first[..], second].concat());
        assert_eq!((bytes, recovery.parts, recovery.lost.len()), (all.clone(), 2, 0));
        // The other way round too.
        let (bytes, recovery) = recovered(&[second, &first[..]].concat());
        let other_way = [frames_of(&[0, 1, 2], 2), frames_of(&[0, 1, 2], 1)].concat();
        assert_eq!((bytes, recovery.parts, recovery.lost.len()), (other_way, 2, 0));
    }
    assert_eq!(fails(&no_header), ErrorKind::Corrupt);
}

/// What a cut record says of its length reaches into the next file.
#[test]
fn a_cut_file_and_another() {
    let (first, second) = (file(1), file(2));
    let ends = ends(&first);
    for cut in ends[1]..ends[2] {
        let (bytes, recovery) = recovered(&[&first[..cut], &second].concat());
        assert_eq!(bytes, [frames_of(&[0], 1), frames_of(&[0, 1, 2], 2)].concat(), "cut at {cut}");
        let expected = match cut - ends[1] {
            0 => vec![],
            1..72 => vec![(0, 2, None)],
            _ => vec![(0, 2, Some(2))],
        };
        assert_eq!(lost(&recovery), expected, "cut at {cut}");
    }
}

#[test]
fn frames_of_another_kind_are_left_out_and_listed() {
    let rgb = FrameFormat::new(Dtype::U8, Layout::Packed { width: 2, height: 4, order: ChannelOrder::Rgb }).unwrap();
    assert_eq!(rgb.frame_bytes(), gray().frame_bytes());
    let raw_video = Origin { kind: OriginKind::Raw, ..Origin::default() };
    for other in [file_of(&rgb, Origin::default(), 2), file_of(&gray(), raw_video, 2)] {
        let (bytes, recovery) = recovered(&[&file(1)[..], &other, &file(3)].concat());
        assert_eq!(bytes, [frames_of(&[0, 1, 2], 1), frames_of(&[0, 1, 2], 3)].concat());
        assert_eq!((lost(&recovery), recovery.parts), (vec![(1, 0, Some(5))], 3));
        assert!(recovery.lost[0].reason.contains("left out"), "{}", recovery.lost[0].reason);
    }
}

#[test]
fn foreign_bytes_are_passed_over() {
    let file = file(1);
    let ends = ends(&file);
    let all = frames_of(&[0, 1, 2], 1);
    let prefix = file[ends[0]..ends[0] + 72].to_vec();
    for foreign in [b"x".to_vec(), b"FPKB".repeat(30), b"FPKIFPKE\x89FPK\r\n\x1a\nFPKB".repeat(9), file[..20].to_vec()]
    {
        for at in [0].into_iter().chain(ends.clone()).chain([file.len()]) {
            let (bytes, recovery) = recovered(&[&file[..at], &foreign, &file[at..]].concat());
            assert_eq!((&bytes, lost(&recovery)), (&all, vec![]), "{} bytes at {at}", foreign.len());
            assert_eq!(recovery.unused_bytes, foreign.len() as u64);
        }
    }
    // The prefix of a record whose body is something else.
    let (bytes, recovery) = recovered(&[&file[..ends[1]], &prefix, &file[ends[1]..]].concat());
    assert_eq!((bytes, lost(&recovery)), (all, vec![]), "it is known to be there before");
}

#[test]
fn batches_that_come_again_are_written_again() {
    let file = file(1);
    let ends = ends(&file);
    let again = &file[ends[0]..ends[1]];
    let (bytes, recovery) = recovered(&[&file[..ends[2]], again, &file[ends[2]..]].concat());
    assert_eq!(bytes, frames_of(&[0, 1, 0, 2], 1));
    let batch = BatchLocation { batch: 0, first_frame: 0, frames: 2 };
    assert_eq!(recovery.repeated, [RepeatedBatch { part: 0, batch }]);
    assert!(recovery.lost.is_empty());
    // In another order.
    let swapped = [&file[..ends[0]], &file[ends[1]..ends[2]], again, &file[ends[2]..]].concat();
    let (bytes, recovery) = recovered(&swapped);
    assert_eq!(bytes, frames_of(&[1, 0, 2], 1));
    assert!(recovery.lost.is_empty() && recovery.repeated.is_empty());
}

#[test]
fn batches_above_the_limit_are_lost() {
    let file = file(1);
    let limits = Limits { max_batch_bytes: 24, ..Limits::default() };
    let decompressor = Decompressor::new(&crate::plan::DeviceChoice::Cpu, None, limits).unwrap();
    let mut whole = Vec::new();
    let recovery = recover(Cursor::new(&file), &mut whole, &decompressor).unwrap();
    assert_eq!(decompressor.decompress(&whole).unwrap().into_bytes(), frames_of(&[2], 1));
    assert_eq!(lost(&recovery), [(0, 0, Some(2)), (0, 2, Some(2))]);
}

/// Pieces of files in any order, with bytes changed: whatever comes out is frames that went in.
#[test]
fn any_damage_at_all() {
    let files = [file(1), file(2)];
    let frame_bytes = gray().frame_bytes();
    let known: Vec<Vec<u8>> = [1, 2]
        .iter()
        .flat_map(|&seed| raw(&gray(), seed).chunks(frame_bytes).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    let mut random = 3u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (random >> 33) as usize % below
    };
    let mut came = 0;
    for round in 0..1500 {
        let mut damaged = files[0][..ends(&files[0])[0]].to_vec();
        for _ in 0..1 + next(4) {
            let file = &files[next(2)];
            let from = if next(2) == 0 { next(file.len()) } else { ends(file)[next(4)] };
            let length = (1 + next(400)).min(file.len() - from);
            damaged.extend(&file[from..from + length]);
        }
        let length = damaged.len();
        for _ in 0..next(3) {
            damaged[52 + next(length - 52)] ^= 1 << next(8);
        }
        let (bytes, recovery) = recovered(&damaged);
        for frame in bytes.chunks(frame_bytes) {
            assert!(known.iter().any(|known| known == frame), "round {round}");
        }
        assert!(recovery.unused_bytes < length as u64);
        came += recovery.batches;
    }
    assert!(came > 500, "{came} batches came out");
}

/// Files that hold files: what is inside a batch stays inside, even if the batch is damaged.
#[test]
fn files_within_frames_stay_there() {
    let inner = file(1);
    let format = FrameFormat::new(Dtype::U8, Layout::Array { shape: vec![inner.len()] }).unwrap();
    let compressor = compressor();
    let mut writer = Writer::new(Vec::new(), format, &compressor).unwrap();
    for _ in 0..3 {
        writer.write_batch(&InputBatch { frames: 1, bytes: inner.clone(), ..InputBatch::default() }).unwrap();
    }
    let outer = writer.finish().unwrap();
    let (bytes, recovery) = recovered(&outer);
    assert_eq!((bytes, recovery.parts), (inner.repeat(3), 1));
    let mut damaged = outer.clone();
    let payload = ends(&outer)[2] - 1;
    damaged[payload] ^= 1;
    let (bytes, recovery) = recovered(&damaged);
    assert_eq!((bytes, recovery.parts), (inner.repeat(2), 1));
    assert_eq!(lost(&recovery), [(0, 1, Some(1))]);
}

#[test]
fn what_is_no_file_at_all_is_refused() {
    assert_eq!(fails(b""), ErrorKind::Truncated);
    assert_eq!(fails(b"P5 3 2"), ErrorKind::Corrupt);
    let file = file(1);
    assert_eq!(fails(&file[ends(&file)[0]..]), ErrorKind::Corrupt, "records without a header");
    let mut later = file.clone();
    later[8] = 2;
    assert_eq!(fails(&later), ErrorKind::Unsupported);
}

/// Counts the bytes that are read.
struct Counting<'a> {
    input: Cursor<Vec<u8>>,
    read: &'a mut u64,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        *self.read += read as u64;
        Ok(read)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.input.seek(position)
    }
}

/// Prefixes with good checksums, headers and indices that all claim to reach far.
#[test]
fn hostile_claims_cost_no_more_than_the_file_is_long() {
    let header = file(1)[..ends(&file(1))[0]].to_vec();
    let claims: [fn(u64) -> Vec<u8>; 4] = [
        |left| {
            let mut prefix = b"FPKB\x20\0\0\0".to_vec();
            let frames = left / 24;
            for field in [left.saturating_sub(200), 0, 0, frames, frames * 24, 0, 0] {
                prefix.extend(field.to_le_bytes());
            }
            prefix.extend(checksum(&prefix).to_le_bytes());
            prefix
        },
        |left| [b"\x89FPK\r\n\x1a\n\x01\0\0\0", &((left - 1) as u32).to_le_bytes()[..]].concat(),
        |left| [b"FPKI", &(left / 24 - 2).to_le_bytes()[..]].concat(),
        |_| b"FPKB".to_vec(),
    ];
    for claim in claims {
        const BYTES: u64 = 1 << 21;
        let mut hostile = header.clone();
        while (hostile.len() as u64) < BYTES - 1000 {
            hostile.extend(claim(BYTES - hostile.len() as u64));
        }
        hostile.resize(BYTES as usize, b'.');
        let mut read = 0;
        let counting = Counting { input: Cursor::new(hostile), read: &mut read };
        let recovery = recover(counting, Vec::new(), &Decompressor::default()).unwrap();
        assert_eq!(recovery.batches, 0);
        assert!(read < 8 * BYTES, "{read} bytes were read of a file of {BYTES}");
    }
}

//! Damage is found and contained: every truncation and every flipped bit of small files of every method,
//! and files that ask for more memory than a reader agreed to.

mod made;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::ops::Range;

use framepress::frame::{Dtype, FrameFormat, Frames, Layout, Origin};
use framepress::internal::{BatchRecord, BlockEntry, FileHeader, RecordWriter, checksum};
use framepress::plan::{
    CodecChoice, Colour, DeviceChoice, Method, Plan, PlanePlan, Predictor, Settings, Shuffle, Values,
};
use framepress::{
    CodecId, Compressor, DecodedBatch, Decompressor, Error, ErrorKind, Limits, Reader, Result, SeekReader, decompress,
};

const FRAMES: usize = 7;
const BATCHES: usize = 4;

/// A small file of several batches, with what should be read from it.
struct Sample {
    file: Vec<u8>,
    raw: Frames,
    header: Range<usize>,
    records: Vec<Range<usize>>,
    methods: Vec<Method>,
    codecs: Vec<Vec<CodecId>>,
}

impl Sample {
    /// Planes by one codec.
    fn of(choice: CodecChoice, codec: CodecId) -> Self {
        // Small frames that LZ4, Zstandard and `pack` still shrink.
        let format = FrameFormat::from_shape(Dtype::U8, &[10, 6, 3]).unwrap();
        let bytes = (0..FRAMES * format.frame_bytes()).map(|at| if at % 90 < 7 { (at / 180 * 9) as u8 } else { 50 });
        let raw = Frames::new(format, FRAMES, bytes.collect()).unwrap();
        let sample = Self::at_level(raw, Settings::DEFAULT_LEVEL, choice);
        assert!(sample.methods.iter().all(|method| matches!(method, Method::Planes(_))));
        assert!(sample.codecs.iter().all(|codecs| codecs.contains(&codec)), "the codec is in use");
        sample
    }

    fn tiles() -> Self {
        let format = FrameFormat::from_shape(Dtype::U8, &[21, 18, 3]).unwrap();
        let sample = |at: usize| (at / 3 % 18 * 3 + at / 54 + at * at % 31 % 5) as u8;
        let raw = (0..FRAMES * format.frame_bytes()).map(sample).collect();
        let sample = Self::at_level(Frames::new(format, FRAMES, raw).unwrap(), 2, CodecChoice::Ans);
        assert!(sample.methods.iter().all(|method| matches!(method, Method::Tiles(_))), "{:?}", sample.methods);
        sample
    }

    fn discrete() -> Self {
        let format = FrameFormat::from_shape(Dtype::U16, &[40, 60]).unwrap();
        let sample = |at: usize| {
            // Letters that move.
            let (x, y) = (at % 60 + 5 * (at / 2400), at / 60 % 40 + at / 2400);
            let shape = ((x / 8 + 3 * (y / 8)) as u64 % 11 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let ink = shape >> (x % 8 / 2 + y % 8 / 2 * 4 + 20) & 1;
            (if ink == 1 { 700 * (shape >> 61) as u16 } else { 9 }).to_le_bytes()
        };
        let raw = (0..FRAMES * format.frame_samples()).flat_map(sample).collect();
        let sample = Self::at_level(Frames::new(format, FRAMES, raw).unwrap(), 7, CodecChoice::Auto);
        assert!(sample.methods.iter().all(|method| *method == Method::Discrete), "{:?}", sample.methods);
        sample
    }

    fn strips() -> Self {
        let format = FrameFormat::from_shape(Dtype::U8, &[20, 22]).unwrap();
        let sample = |at: usize| {
            let (x, y, frame) = (at % 22, at / 22 % 20, at / 440);
            ((x + frame) * 3 + y * 2 + (at * at + 7 * at) % 1031 % 3) as u8
        };
        let raw = (0..FRAMES * format.frame_bytes()).map(sample).collect();
        let sample = Self::at_level(Frames::new(format, FRAMES, raw).unwrap(), 9, CodecChoice::Auto);
        assert!(sample.methods.iter().all(|method| matches!(method, Method::Strips(_))), "{:?}", sample.methods);
        sample
    }

    fn moving(level: u8) -> Self {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 41, height: 34 }).unwrap();
        let noise = |x: usize, y: usize| {
            let mixed = (x * 7919 + y * 104_729).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40 & 255
        };
        let sample = |at: usize| {
            let (x, y, frame) = (at % 41, at / 41 % 34, at / 1394);
            ((0..9).map(|at| noise(x + 2 * frame + at % 3, y + at / 3)).sum::<usize>() / 9) as u8
        };
        let raw = (0..FRAMES * format.frame_bytes()).map(sample).collect();
        let choice = if level == 7 { CodecChoice::Ans } else { CodecChoice::Auto };
        let sample = Self::at_level(Frames::new(format, FRAMES, raw).unwrap(), level, choice);
        let moves = |method: &Method| match method {
            Method::Strips(plan) => plan.moves,
            Method::Tiles(plan) => plan.moves && level == 7,
            _ => false,
        };
        assert!(sample.methods.iter().any(moves), "{:?}", sample.methods);
        sample
    }

    /// Batches of three frames, of which the second one refers to the third one too.
    fn between(level: u8) -> Self {
        let layout = Layout::Gray { width: 25, height: 18 };
        let raw = made::between::frames(layout, &[0, 2, 3, 5, 6, 8, 9, 10]);
        let sample = Self::at_level(raw, level, CodecChoice::Auto);
        assert!(made::between::refers_to_later(&sample.file));
        sample
    }

    fn recovered() -> Self {
        let raw = made::Made { overlay: 1, ..made::Made::new(22, 18) }.frames(FRAMES);
        let sample = Self::at_level(raw, 2, CodecChoice::Auto);
        let excepted = |method: &Method| matches!(method, Method::Recovered(plan) if plan.exceptions > 0);
        assert!(sample.methods.iter().all(excepted), "{:?}", sample.methods);
        sample
    }

    fn patched() -> Self {
        let foreign = |x, y| x < 16 && y < 16 || x >= 32;
        let raw = made::Made { foreign, noise: 1, ..made::Made::new(34, 18) }.frames(FRAMES);
        let sample = Self::at_level(raw, 2, CodecChoice::Auto);
        let has_runs = |method: &Method| matches!(method, Method::Patched(plan) if !plan.patch.runs.is_empty());
        assert!(sample.methods.iter().all(has_runs), "{:?}", sample.methods);
        sample
    }

    fn at_level(raw: Frames, level: u8, choice: CodecChoice) -> Self {
        let settings = Settings::new()
            .with_level(level)
            .unwrap()
            .with_codec(choice)
            .with_device(DeviceChoice::Cpu)
            .with_threads(NonZeroUsize::new(1))
            .with_batch_frames(NonZeroUsize::new(raw.frames().div_ceil(BATCHES)));
        let file = Compressor::new(settings).unwrap().compress_frames(&raw).unwrap();

        let decompressor = decompressor(Limits::default());
        let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
        let infos: Vec<_> = (0..reader.batches()).map(|batch| reader.batch_info(batch).unwrap()).collect();
        assert_eq!(infos.len(), BATCHES);
        let methods = infos.iter().map(|info| info.method.clone()).collect();
        let codecs = infos.iter().map(|info| info.codecs.iter().map(|used| used.0).collect()).collect();
        let header = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
        let mut end = header;
        let records = infos.iter().map(|info| {
            end += info.packed_bytes as usize;
            end - info.packed_bytes as usize..end
        });
        Self { header: 0..header, records: records.collect(), raw, methods, codecs, file }
    }

    /// One of every codec of planes that damage is likely to get past, and one of every other method.
    fn all() -> Vec<Self> {
        let planes = [
            (CodecChoice::Store, CodecId::Store),
            (CodecChoice::Lz4, CodecId::Lz4),
            (CodecChoice::Zstd, CodecId::Zstd),
            (CodecChoice::Pack, CodecId::Pack),
        ];
        let planes = planes.map(|(choice, codec)| Self::of(choice, codec));
        planes
            .into_iter()
            .chain([
                Self::tiles(),
                Self::discrete(),
                Self::strips(),
                Self::moving(7),
                Self::moving(9),
                Self::between(8),
                Self::between(9),
                Self::recovered(),
                Self::patched(),
            ])
            .collect()
    }

    /// Checks that `batch` is one of the file, and says which.
    fn number_of(&self, batch: &DecodedBatch) -> usize {
        let batch_frames = self.raw.frames().div_ceil(BATCHES);
        let number = batch.first_frame as usize / batch_frames;
        let frames = number * batch_frames..((number + 1) * batch_frames).min(self.raw.frames());
        assert_eq!(batch.first_frame, frames.start as u64);
        assert_eq!(batch.frames, self.raw.part(frames).unwrap(), "a batch that is not in the file");
        number
    }
}

/// One thread: the work is small.
fn decompressor(limits: Limits) -> Decompressor {
    Decompressor::new(&DeviceChoice::Cpu, NonZeroUsize::new(1), limits).unwrap()
}

/// What a streaming reader says, to the end.
fn stream(file: &[u8], decompressor: &Decompressor) -> Result<Vec<Result<DecodedBatch>>> {
    let mut reader = Reader::new(file, decompressor)?;
    let mut all = Vec::new();
    while let Some(next) = reader.next_batch().transpose() {
        all.push(next);
        assert!(all.len() <= 2 * BATCHES + 2, "reading does not end");
    }
    Ok(all)
}

/// What a seeking reader says of every batch, and of the file.
fn seek(file: &[u8], decompressor: &Decompressor) -> Result<(Vec<Result<DecodedBatch>>, bool)> {
    let mut reader = SeekReader::new(Cursor::new(file), decompressor)?;
    let all = (0..reader.batches()).map(|batch| reader.read_batch(batch)).collect();
    // Any outcome but a panic.
    let _ = reader.read_frames(0..reader.frames());
    for batch in 0..reader.batches() {
        let _ = reader.batch_info(batch);
    }
    Ok((all, reader.damage().is_empty()))
}

fn split(all: Vec<Result<DecodedBatch>>) -> (Vec<DecodedBatch>, Vec<Error>) {
    let (good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    (good.into_iter().flatten().collect(), bad.into_iter().filter_map(Result::err).collect())
}

/// Kinds of errors that blame the data.
fn blames_the_data(error: &Error) -> bool {
    use ErrorKind::{Corrupt, Limit, Truncated, Unsupported};
    matches!(error.kind(), Corrupt | Truncated | Limit | Unsupported)
}

#[test]
fn every_truncation() {
    let decompressor = decompressor(Limits::default());
    for sample in Sample::all() {
        for length in 0..sample.file.len() {
            let cut = &sample.file[..length];
            assert_eq!(decompressor.decompress(cut).unwrap_err().kind(), ErrorKind::Truncated, "cut at {length}");
            let mut raw = vec![0; sample.raw.as_bytes().len()];
            let error = decompressor.decompress_into(cut, &mut raw).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated, "cut at {length}");
            if length < sample.header.end {
                assert_eq!(stream(cut, &decompressor).unwrap_err().kind(), ErrorKind::Truncated, "cut at {length}");
                assert_eq!(seek(cut, &decompressor).unwrap_err().kind(), ErrorKind::Truncated, "cut at {length}");
                continue;
            }
            let whole: Vec<usize> = (0..BATCHES).filter(|&batch| sample.records[batch].end <= length).collect();

            let (good, bad) = split(stream(cut, &decompressor).unwrap());
            assert_eq!(good.iter().map(|batch| sample.number_of(batch)).collect::<Vec<_>>(), whole, "cut at {length}");
            assert_eq!(bad.iter().map(Error::kind).collect::<Vec<_>>(), [ErrorKind::Truncated], "cut at {length}");

            let (all, intact) = seek(cut, &decompressor).unwrap();
            let (good, bad) = split(all);
            assert_eq!(good.iter().map(|batch| sample.number_of(batch)).collect::<Vec<_>>(), whole, "cut at {length}");
            assert!(!intact && bad.is_empty(), "cut at {length}: {bad:?}");
        }
    }
}

/// Bits are shared out to as many threads as there are.
#[test]
fn every_flipped_bit() {
    let decompressor = decompressor(Limits::default());
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    for sample in Sample::all() {
        std::thread::scope(|scope| {
            for first in 0..threads {
                let (sample, decompressor) = (&sample, &decompressor);
                let bits = (first..8 * sample.file.len()).step_by(threads);
                scope.spawn(move || bits.for_each(|bit| check_flipped(sample, bit, decompressor)));
            }
        });
    }
}

fn check_flipped(sample: &Sample, bit: usize, decompressor: &Decompressor) {
    let mut file = sample.file.clone();
    file[bit / 8] ^= 1 << (bit % 8);
    // Every byte is under a checksum or compared, so nothing goes unnoticed.
    let error = decompressor.decompress(&file).unwrap_err();
    assert!(blames_the_data(&error), "bit {bit}: {error}");
    let mut raw = vec![0; sample.raw.as_bytes().len()];
    let into = decompressor.decompress_into(&file, &mut raw).unwrap_err();
    assert_eq!(into.to_string(), error.to_string(), "bit {bit}");
    if sample.header.contains(&(bit / 8)) {
        assert!(blames_the_data(&stream(&file, decompressor).unwrap_err()), "bit {bit}");
        assert!(blames_the_data(&seek(&file, decompressor).unwrap_err()), "bit {bit}");
        return;
    }
    let hit = sample.records.iter().position(|record| record.contains(&(bit / 8)));
    let untouched: Vec<usize> = (0..BATCHES).filter(|&batch| Some(batch) != hit).collect();

    let (good, bad) = split(stream(&file, decompressor).unwrap());
    let numbers: Vec<usize> = good.iter().map(|batch| sample.number_of(batch)).collect();
    assert_eq!(numbers, untouched, "bit {bit}, as a stream");
    assert!(!bad.is_empty() && bad.iter().all(blames_the_data), "bit {bit}");
    if let Some(hit) = hit
        && bit / 8 >= sample.records[hit].start + PREFIX_BYTES
    {
        // Only where its prefix is sound is it known which batch is lost.
        let found: Vec<_> = bad.iter().map(|error| error.location().map(|at| at.batch)).collect();
        assert_eq!(found, [Some(hit as u64)], "bit {bit}");
    }

    let (all, intact) = seek(&file, decompressor).unwrap();
    let (good, bad) = split(all);
    let numbers: Vec<usize> = good.iter().map(|batch| sample.number_of(batch)).collect();
    assert_eq!(numbers, untouched, "bit {bit}, by seeking");
    assert!(!intact || !bad.is_empty(), "bit {bit}: nobody noticed");
    assert_eq!(intact, hit.is_some(), "bit {bit}: the index is blamed for what is wrong with it alone");
    if hit.is_some() {
        assert_eq!(
            bad.iter().map(|error| error.location().map(|at| at.batch)).collect::<Vec<_>>(),
            [hit.map(|hit| hit as u64)]
        );
    }
}

/// Whole bytes overwritten, with and without the checksums that would tell: the codecs then see the damage.
#[test]
fn damage_behind_good_checksums() {
    let decompressor = decompressor(Limits::default());
    for sample in Sample::all() {
        let record = sample.records[1].clone();
        let details = u32::from_le_bytes(sample.file[record.start + 4..record.start + 8].try_into().unwrap()) as usize;
        let payload = record.start + PREFIX_BYTES + details..record.end;
        let mut unchanged = 0;
        for at in payload.clone() {
            for value in [0, 1, 0x7F, 0x80, 0xFF, sample.file[at] ^ 0x10] {
                let mut file = sample.file.clone();
                file[at] = value;
                let sum = checksum(&file[payload.clone()]);
                file[record.start + 56..record.start + 64].copy_from_slice(&sum.to_le_bytes());
                make_good(&mut file, record.start, details);
                let (good, bad) = split(stream(&file, &decompressor).unwrap());
                let numbers: Vec<usize> = good.iter().map(|batch| sample.number_of(batch)).collect();
                // Some bytes of a Zstandard frame may differ and mean the same.
                if numbers == [0, 1, 2, 3] {
                    unchanged += 1;
                    continue;
                }
                assert_eq!(numbers, [0, 2, 3], "byte {at}");
                // The form of vectors may become one of a later version.
                let is_told = |error: &Error| matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported);
                assert!(matches!(bad.as_slice(), [error] if is_told(error)), "byte {at}: {bad:?}");
            }
        }
        assert!(unchanged < 2 * payload.len(), "most of the damage does damage");
    }
}

/// Every bit of the details flipped, with checksums that do not tell: the readers of plans and tables then see it.
#[test]
fn damaged_details_behind_good_checksums() {
    let decompressor = decompressor(Limits::default());
    for sample in Sample::all() {
        let start = sample.records[1].start;
        let details = u32::from_le_bytes(sample.file[start + 4..start + 8].try_into().unwrap()) as usize;
        let mut refused = 0;
        for bit in 0..8 * (details - 8) {
            let mut file = sample.file.clone();
            file[start + PREFIX_BYTES + bit / 8] ^= 1 << (bit % 8);
            make_good(&mut file, start, details);
            let (good, bad) = split(stream(&file, &decompressor).unwrap());
            let numbers: Vec<usize> = good.iter().map(|batch| sample.number_of(batch)).collect();
            assert!(bad.iter().all(blames_the_data), "bit {bit}: {bad:?}");
            refused += bad.len();
            // Some bits of a plan may differ and mean the same.
            assert!(numbers == if bad.is_empty() { vec![0, 1, 2, 3] } else { vec![0, 2, 3] }, "bit {bit}: {numbers:?}");
        }
        assert!(refused > details, "most of the damage does damage");
    }
}

const PREFIX_BYTES: usize = 72;

/// Makes the checksums of prefix and details of the record at `start` good.
fn make_good(file: &mut [u8], start: usize, details: usize) {
    let sum = checksum(&file[start..start + 64]);
    file[start + 64..start + 72].copy_from_slice(&sum.to_le_bytes());
    let end = start + PREFIX_BYTES + details - 8;
    let sum = checksum(&file[start..end]);
    file[end..end + 8].copy_from_slice(&sum.to_le_bytes());
}

/// A header for frames of `frame_bytes` bytes, and a record that claims what it likes.
fn claiming(frame_bytes: usize, frames: u64, payload_bytes: u64, details_bytes: u32) -> Vec<u8> {
    let layout = Layout::Array { shape: vec![frame_bytes] };
    let format = FrameFormat::new(Dtype::U8, layout).unwrap();
    let mut file = FileHeader { format, origin: Origin::default() }.to_bytes().unwrap();
    let start = file.len();
    file.extend(b"FPKB");
    file.extend(details_bytes.to_le_bytes());
    for field in [payload_bytes, 0, 0, frames, (frame_bytes as u64).wrapping_mul(frames), 0, 0] {
        file.extend(field.to_le_bytes());
    }
    file.extend(checksum(&file[start..]).to_le_bytes());
    file.extend([0; 100]);
    file
}

/// The claims are beyond any machine's memory: a reader that believed one would abort.
#[test]
fn huge_claims_are_refused_or_come_to_nothing() {
    let unlimited = Limits { max_batch_bytes: u64::MAX, max_header_bytes: u64::MAX, ..Limits::default() };
    for frame_bytes in [1 << 33, 1 << 45, 1 << 62] {
        let frames = (1 << 62) / frame_bytes as u64;
        for payload_bytes in [0, 1, 1 << 33, 1 << 62] {
            for details_bytes in [0, 30, 60 << 20, u32::MAX] {
                let file = claiming(frame_bytes, frames, payload_bytes, details_bytes);
                assert_eq!(decompress(&file).unwrap_err().kind(), ErrorKind::Limit, "{frame_bytes} {payload_bytes}");
                // The limits raised, what is not there still takes no memory.
                for limits in [unlimited, Limits { max_header_bytes: 64 << 20, ..unlimited }] {
                    let decompressor = decompressor(limits);
                    let error = decompressor.decompress(&file).unwrap_err();
                    assert!(blames_the_data(&error), "{frame_bytes} {payload_bytes} {details_bytes}: {error}");
                    let (good, _) = split(stream(&file, &decompressor).unwrap());
                    assert!(good.is_empty());
                    assert!(split(seek(&file, &decompressor).unwrap().0).0.is_empty());
                }
            }
        }
    }
}

#[test]
fn long_headers_are_refused() {
    let mut file = Sample::of(CodecChoice::Store, CodecId::Store).file;
    file[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decompress(&file).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(seek(&file, &decompressor(Limits::default())).unwrap_err().kind(), ErrorKind::Limit);
    let limits = Limits { max_header_bytes: 16, ..Limits::default() };
    let sound = Sample::of(CodecChoice::Store, CodecId::Store).file;
    assert_eq!(decompressor(limits).decompress(&sound).unwrap_err().kind(), ErrorKind::Limit);
}

/// A batch that is what it claims, small in the file and large in memory: only the limit stands in its way.
#[test]
fn large_batches_need_a_large_limit() {
    const WIDTH: usize = 1 << 22;
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: WIDTH, height: 1 }).unwrap();
    let plane = PlanePlan { intra: Predictor::Left, temporal: false, inter: Predictor::Left, shuffle: Shuffle::None };
    let payload = zstd::bulk::compress(&vec![0; WIDTH], 1).unwrap();
    let raw = vec![0; WIDTH];
    let record = |number| BatchRecord {
        number,
        first_frame: number,
        frames: 1,
        raw_bytes: WIDTH as u64,
        raw_checksum: checksum(&raw),
        method: Method::Planes(Plan {
            values: Values::default(),
            colour: Colour::None,
            span_samples: 1 << 31,
            planes: vec![plane],
        }),
        blocks: vec![BlockEntry { codec: CodecId::Zstd, packed_bytes: payload.len() as u32 }],
        side: Vec::new(),
        timestamps: Vec::new(),
        payload: payload.clone(),
    };
    let mut writer = RecordWriter::new(Vec::new(), &FileHeader { format, origin: Origin::default() }).unwrap();
    writer.write(&record(0)).unwrap();
    writer.write(&record(1)).unwrap();
    let file = writer.finish().unwrap();
    assert!(file.len() < WIDTH / 100);

    let limited = decompressor(Limits { max_batch_bytes: WIDTH as u64 - 1, ..Limits::default() });
    let (all, intact) = seek(&file, &limited).unwrap();
    assert!(intact);
    for all in [stream(&file, &limited).unwrap(), all] {
        let (good, bad) = split(all);
        assert!(good.is_empty());
        let found: Vec<_> = bad.iter().map(|error| (error.kind(), error.location().unwrap().batch)).collect();
        assert_eq!(found, [(ErrorKind::Limit, 0), (ErrorKind::Limit, 1)]);
    }
    let enough = decompressor(Limits { max_batch_bytes: WIDTH as u64, ..Limits::default() });
    assert_eq!(enough.decompress(&file).unwrap().as_bytes(), [raw.clone(), raw].concat());
}

/// What comes out of a file is bounded, whatever its method: by the heads of its batches, so before any is decoded.
#[test]
fn output_has_a_limit() {
    for sample in Sample::all() {
        let raw_bytes = sample.raw.as_bytes().len();
        let mut raw = vec![0; raw_bytes];
        let limited = |bytes: usize| decompressor(Limits { max_output_bytes: bytes as u64, ..Limits::default() });
        let enough = limited(raw_bytes);
        assert!(enough.decompress(&sample.file).unwrap() == sample.raw);
        enough.decompress_into(&sample.file, &mut raw).unwrap();
        let frames = |decompressor: &Decompressor, range: Range<u64>| {
            SeekReader::new(Cursor::new(&sample.file), decompressor).and_then(|mut reader| reader.read_frames(range))
        };
        assert!(frames(&enough, 0..sample.raw.frames() as u64).unwrap() == sample.raw);

        let little = limited(raw_bytes - 1);
        assert_eq!(little.decompress(&sample.file).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(little.decompress_into(&sample.file, &mut raw).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(frames(&little, 0..sample.raw.frames() as u64).unwrap_err().kind(), ErrorKind::Limit);
        assert!(frames(&little, 0..1).is_ok(), "one batch is below it");
        let (good, bad) = split(stream(&sample.file, &little).unwrap());
        assert_eq!(good.iter().map(|batch| sample.number_of(batch)).collect::<Vec<_>>(), [0, 1, 2]);
        let found: Vec<_> = bad.iter().map(|error| (error.kind(), error.location().map(|at| at.batch))).collect();
        assert_eq!(found, [(ErrorKind::Limit, Some(3))]);
    }
}

/// Blocks that decode to more than their place hold nothing but their place.
#[test]
fn blocks_that_expand_too_far_are_refused() {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 64, height: 8 }).unwrap();
    let plane = PlanePlan { intra: Predictor::None, temporal: false, inter: Predictor::None, shuffle: Shuffle::None };
    let zeros = vec![0; 1 << 20];
    let bombs = [
        (CodecId::Zstd, zstd::bulk::compress(&zeros, 1).unwrap()),
        (CodecId::Lz4, lz4_flex::block::compress(&zeros[..1 << 16])),
        (CodecId::Zstd, zstd::bulk::compress(&zeros[..511], 1).unwrap()),
        (CodecId::Lz4, lz4_flex::block::compress(&zeros[..511])),
    ];
    for (codec, payload) in bombs {
        assert!(payload.len() <= 512);
        let record = BatchRecord {
            number: 0,
            first_frame: 0,
            frames: 1,
            raw_bytes: 512,
            raw_checksum: checksum(&zeros[..512]),
            method: Method::Planes(Plan {
                values: Values::default(),
                colour: Colour::None,
                span_samples: 1 << 20,
                planes: vec![plane],
            }),
            blocks: vec![BlockEntry { codec, packed_bytes: payload.len() as u32 }],
            side: Vec::new(),
            timestamps: Vec::new(),
            payload,
        };
        let header = FileHeader { format: format.clone(), origin: Origin::default() };
        let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
        writer.write(&record).unwrap();
        let error = decompress(&writer.finish().unwrap()).unwrap_err();
        assert_eq!((error.kind(), error.location().unwrap().batch), (ErrorKind::Corrupt, 0), "{codec:?}");
    }
}

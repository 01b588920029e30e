//! Random bits of real files are flipped: clips, at several levels and by every method. Nothing is accepted silently, and
//! memory stays within the limits. `FRAMEPRESS_FLIPS` says how often; some hundred times without it.

mod made;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::{env, fs};

use framepress::frame::{Dtype, FrameFormat, Frames};
use framepress::input::open;
use framepress::internal::checksum;
use framepress::plan::{CodecChoice, DeviceChoice, Method};
use framepress::{Compressor, Decompressor, Error, ErrorKind, Limits, SeekReader, Settings};

const FLIPS_VARIABLE: &str = "FRAMEPRESS_FLIPS";
const SOME_FLIPS: u64 = 400;

/// Every so many flips all of the file is read.
const ALL_READ: u64 = 32;

/// Memory that decompressing may take besides what was there before, for each byte of a batch and in all.
const FOOTPRINT: usize = 4;
const TABLES_KB: usize = 24 << 10;

const RGB: &str = "bbb_rgb_317x179.npy";
const YUV: &str = "bbb_yuv420_320x176.y4m";

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// A packed file with what is in it.
struct Sample {
    name: String,
    raw: Frames,
    batch_frames: usize,
    file: Vec<u8>,
    records: Vec<Range<usize>>,
}

fn clip(name: &str) -> Frames {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut reader = open(&path, None).unwrap();
    let batch = reader.read_batch(usize::MAX).unwrap().unwrap();
    Frames::new(reader.description().format.clone(), batch.frames, batch.bytes).unwrap()
}

/// The first picture of [`YUV`] as two frames of another kind: labels, or samples of two bytes.
fn like(frames: &Frames, dtype: Dtype, sample: fn(u8) -> u16) -> Frames {
    let format = FrameFormat::from_shape(dtype, &[88, 320]).unwrap();
    let samples = &frames.as_bytes()[..2 * format.frame_samples()];
    let bytes = |&byte: &u8| sample(byte).to_le_bytes().into_iter().take(dtype.bytes());
    Frames::new(format, 2, samples.iter().flat_map(bytes).collect()).unwrap()
}

impl Sample {
    fn new(name: &str, raw: Frames, level: u8, codec: CodecChoice) -> (Self, Vec<Method>) {
        let batch_frames = raw.frames().div_ceil(3).min(4);
        let settings = Settings::new().with_device(DeviceChoice::Cpu).with_codec(codec);
        let settings = settings.with_level(level).unwrap().with_batch_frames(NonZeroUsize::new(batch_frames));
        let file = Compressor::new(settings).unwrap().compress_frames(&raw).unwrap();
        let decompressor = decompressor();
        let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
        let infos: Vec<_> = (0..reader.batches()).map(|batch| reader.batch_info(batch).unwrap()).collect();
        let mut end = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
        let records = infos.iter().map(|info| {
            end += info.packed_bytes as usize;
            end - info.packed_bytes as usize..end
        });
        let name = format!("{name}, level {level}, {codec:?}");
        let sample = Self { name, batch_frames, records: records.collect(), raw, file };
        (sample, infos.into_iter().map(|info| info.method).collect())
    }

    /// The clips at several levels, which brings about every method.
    fn all() -> Vec<Self> {
        let (rgb, yuv) = (clip(RGB), clip(YUV));
        let few = like(&yuv, Dtype::U8, |byte| u16::from(byte / 50 * 9));
        let deep = like(&yuv, Dtype::U16, |byte| u16::from(byte) * 37 + u16::from(byte % 5));
        let foreign = |x: usize, y: usize| x < 64 && y < 48;
        let patched = made::Made { foreign, noise: 1, ..made::Made::new(160, 96) }.frames(4);
        let auto = CodecChoice::Auto;
        let mut methods = [false; 6];
        let mut all = Vec::new();
        for (name, frames, level, codec) in [
            ("rgb", &rgb, 1, auto),
            ("rgb", &rgb, 2, auto),
            ("rgb", &rgb, 9, auto),
            ("rgb", &rgb, 3, CodecChoice::Ans),
            ("rgb", &rgb, 3, CodecChoice::Zstd),
            ("rgb", &rgb, 3, CodecChoice::Lz4),
            ("rgb", &rgb, 3, CodecChoice::Pack),
            ("yuv", &yuv, 1, auto),
            ("yuv", &yuv, 5, auto),
            ("yuv", &yuv, 8, auto),
            ("few", &few, 4, auto),
            ("few", &few, 7, auto),
            ("deep", &deep, 4, auto),
            ("deep", &deep, 8, auto),
            ("patched", &patched, 2, auto),
        ] {
            let (sample, found) = Self::new(name, frames.clone(), level, codec);
            all.push(sample);
            for method in found {
                methods[match method {
                    Method::Planes(_) => 0,
                    Method::Tiles(_) => 1,
                    Method::Discrete => 2,
                    Method::Strips(_) => 3,
                    Method::Recovered(_) => 4,
                    Method::Patched(_) => 5,
                }] = true;
            }
        }
        assert_eq!(methods, [true; 6], "every method is in use");
        all
    }

    fn batch(&self, batch: usize) -> Frames {
        let start = batch * self.batch_frames;
        self.raw.part(start..(start + self.batch_frames).min(self.raw.frames())).unwrap()
    }

    fn largest_batch(&self) -> usize {
        self.batch_frames * self.raw.format().frame_bytes()
    }

    /// Flips `bit`, which no reader may miss.
    fn check_flipped(&self, bit: usize, everything: bool) {
        let decompressor = decompressor();
        let mut file = self.file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        let hit = self.records.iter().position(|record| record.contains(&(bit / 8)));
        match SeekReader::new(Cursor::new(&file), &decompressor) {
            Err(error) => assert!(bit / 8 < self.records[0].start && blames_the_data(&error), "{error}"),
            Ok(mut reader) => {
                assert_eq!(reader.damage().is_empty(), hit.is_some(), "the index is blamed for itself alone");
                assert_eq!(reader.batches(), self.records.len());
                if let Some(hit) = hit {
                    let error = reader.read_batch(hit).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                }
            }
        }
        if everything {
            assert!(blames_the_data(&decompressor.decompress(&file).unwrap_err()));
            let mut recovered = Vec::new();
            if let Ok(recovery) = framepress::recover(Cursor::new(&file), &mut recovered, &decompressor) {
                assert_eq!(recovery.batches as usize, self.records.len() - usize::from(hit.is_some()));
                let expected = (0..self.records.len()).filter(|&batch| Some(batch) != hit);
                let expected: Vec<u8> = expected.flat_map(|batch| self.batch(batch).into_bytes()).collect();
                assert!(decompressor.decompress(&recovered).unwrap().as_bytes() == expected);
            }
        }
    }

    /// Flips a bit of a record and makes the checksums good, so that decoders meet it: they refuse it, or it means the same.
    fn check_behind_checksums(&self, batch: usize, random: &mut Random) -> bool {
        const PREFIX: usize = 72;
        let decompressor = decompressor();
        let mut file = self.file[..self.records[batch].end].to_vec();
        let record = &mut file[self.records[batch].clone()];
        let details = u32::from_le_bytes(record[4..8].try_into().unwrap()) as usize;
        // Details are short, and say how all of the rest is read.
        let at = match random.below(4) {
            0 => PREFIX + random.below(details - 8),
            _ => PREFIX + details + random.below(record.len() - PREFIX - details),
        };
        record[at] ^= 1 << random.below(8);
        let sums = [(PREFIX + details..record.len(), 56), (0..64, 64), (0..PREFIX + details - 8, PREFIX + details - 8)];
        for (covered, place) in sums {
            let sum = checksum(&record[covered]);
            record[place..place + 8].copy_from_slice(&sum.to_le_bytes());
        }
        let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
        match reader.read_batch(batch) {
            Ok(found) => {
                assert!(found.frames == self.batch(batch), "byte {at} of batch {batch}: other frames");
                false
            }
            Err(error) => {
                assert!(blames_the_data(&error), "byte {at} of batch {batch}: {error}");
                true
            }
        }
    }
}

fn decompressor() -> Decompressor {
    let limits = Limits { max_batch_bytes: 1 << 20, max_header_bytes: 1 << 20, ..Limits::default() };
    Decompressor::new(&DeviceChoice::Cpu, NonZeroUsize::new(1), limits).unwrap()
}

fn blames_the_data(error: &Error) -> bool {
    use ErrorKind::{Corrupt, Limit, Truncated, Unsupported};
    matches!(error.kind(), Corrupt | Truncated | Limit | Unsupported)
}

/// The most memory that this process has had, in KiB, where that is known.
fn peak_kb() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn flipped_bits_of_real_files_are_found() {
    let flips = env::var(FLIPS_VARIABLE).map_or(SOME_FLIPS, |flips| flips.parse().expect("a number of flips"));
    let samples = Sample::all();
    let mut random = Random(1);
    for sample in &samples {
        assert!(decompressor().decompress(&sample.file).unwrap() == sample.raw, "{}", sample.name);
    }
    let before = peak_kb();
    let (mut refused, mut met) = (0, 0);
    for flip in 0..flips {
        let sample = &samples[flip as usize % samples.len()];
        if (flip / samples.len() as u64).is_multiple_of(2) {
            sample.check_flipped(random.below(8 * sample.file.len()), flip % ALL_READ < samples.len() as u64 / 8);
        } else {
            let batch = random.below(sample.records.len());
            met += 1;
            refused += u64::from(sample.check_behind_checksums(batch, &mut random));
        }
    }
    assert!(refused > met / 2, "of {met} bits that decoders met, {refused} did damage");
    if let (Some(before), Some(after)) = (before, peak_kb()) {
        let largest = samples.iter().map(Sample::largest_batch).max().unwrap();
        let most = before + FOOTPRINT * largest / 1024 + TABLES_KB;
        assert!(after <= most, "{after} KiB, {before} before");
    }
}

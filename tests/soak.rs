//! Mixed work for as long as `FRAMEPRESS_SOAK` says, in seconds: some threads share compressors and a decompressor, and
//! their inputs and outputs fail, are cut, damaged and given up. Every result is checked, and memory stays within its limit.
//! `scripts/soak.sh` runs it for long.

mod faulty;

use std::io::{Cursor, ErrorKind as Io};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use faulty::Faulty;
use framepress::frame::{ChannelOrder, Dtype, FrameFormat, Frames, Layout};
use framepress::plan::DeviceChoice;
use framepress::{Compressor, Decompressor, ErrorKind, Limits, Reader, Result, SeekReader, Settings, Writer, recover};

const SOAK_VARIABLE: &str = "FRAMEPRESS_SOAK";
const SHORT: Duration = Duration::from_secs(3);

const WORKERS: u64 = 4;

/// Memory of the batches of one call, and of the whole process.
const BATCH_MEMORY: u64 = 8 << 20;
const PROCESS_KB: usize = 192 << 10;

/// What the process may take more at the end than soon after the start.
const GROWTH_KB: usize = 16 << 10;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

struct Shared {
    clip: Vec<u8>,
    compressors: Vec<Compressor>,
    decompressor: Decompressor,
}

impl Shared {
    fn new() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bbb_rgb_317x179.npy");
        let compressor = |level| {
            let settings = Settings::new().with_device(DeviceChoice::Cpu).with_level(level).unwrap();
            let settings = settings.with_batch_frames(NonZeroUsize::new(1 + level as usize % 3));
            Compressor::new(settings.with_memory_limit(NonZeroU64::new(BATCH_MEMORY))).unwrap()
        };
        let limits = Limits::default().with_memory(NonZeroU64::new(BATCH_MEMORY).unwrap());
        Self {
            clip: fs::read(path).unwrap(),
            compressors: [1, 2, 4, 5, 7, 8].map(compressor).into(),
            decompressor: Decompressor::new(&DeviceChoice::Cpu, None, limits).unwrap(),
        }
    }

    fn compressor(&self, random: &mut Random) -> &Compressor {
        &self.compressors[random.below(self.compressors.len())]
    }

    /// A piece of the clip as frames of some kind.
    fn frames(&self, random: &mut Random) -> Frames {
        let [width, height] = [317, 8 + random.below(24)];
        let format = match random.below(4) {
            0 => FrameFormat::new(Dtype::U8, Layout::Gray { width, height }),
            1 => FrameFormat::new(Dtype::U16, Layout::Gray { width, height }),
            2 => FrameFormat::from_shape(Dtype::F32, &[height, width]),
            _ => FrameFormat::new(Dtype::U8, Layout::Packed { width, height, order: ChannelOrder::Rgb }),
        };
        let format = format.unwrap();
        let count = 1 + random.below(7);
        let bytes = count * format.frame_bytes();
        let start = random.below(self.clip.len() - bytes);
        let mut raw = self.clip[start..start + bytes].to_vec();
        if random.below(3) == 0 {
            // Few values, as in labels.
            raw.iter_mut().for_each(|byte| *byte = byte.wrapping_shr(6));
        }
        Frames::new(format, count, raw).unwrap()
    }
}

/// One thing that happens to frames on their way. What is wrong with the outcome panics.
type Deed = fn(&Shared, &mut Random);

const DEEDS: [(&str, Deed); 6] = [
    ("round trips", round_trip),
    ("full disks", full_disk),
    ("failing inputs", failing_input),
    ("flipped bits", flipped_bit),
    ("cuts and appends", cut_and_append),
    ("files put together", put_together),
];

fn round_trip(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let file = shared.compressor(random).compress_frames(&frames).unwrap();
    let mut raw = vec![0; frames.as_bytes().len()];
    shared.decompressor.decompress_into(&file, &mut raw).unwrap();
    assert!(raw == frames.as_bytes());
    let mut reader = SeekReader::new(Cursor::new(&file), &shared.decompressor).unwrap();
    let start = random.below(frames.frames());
    let part = reader.read_frames(start as u64..frames.frames() as u64).unwrap();
    assert!(part == frames.part(start..frames.frames()).unwrap());
}

fn full_disk(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let compressor = shared.compressor(random);
    let file = compressor.compress_frames(&frames).unwrap();
    let left = random.below(file.len());
    let mut written = Vec::new();
    let mut write = || {
        let output = Faulty::new(&mut written, left, Io::StorageFull);
        let mut writer = Writer::new(output, frames.format().clone(), compressor)?;
        writer.write_frames(frames.frames(), frames.as_bytes())?;
        writer.finish().map(drop)
    };
    assert_eq!(write().unwrap_err().kind(), ErrorKind::Io);
    assert!(written == file[..left]);
}

/// The bytes of all batches before the first error.
fn read(input: impl std::io::Read, decompressor: &Decompressor) -> (Vec<u8>, Result<()>) {
    let mut bytes = Vec::new();
    let result = Reader::new(input, decompressor).and_then(|mut reader| {
        reader.read_batches(|batch| {
            bytes.extend_from_slice(batch?.frames.as_bytes());
            Ok(())
        })
    });
    (bytes, result)
}

fn failing_input(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let file = shared.compressor(random).compress_frames(&frames).unwrap();
    let left = random.below(file.len());
    let (bytes, result) = read(Faulty::new(file.as_slice(), left, Io::TimedOut), &shared.decompressor);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Io);
    assert!(frames.as_bytes().starts_with(&bytes));
}

fn flipped_bit(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let mut file = shared.compressor(random).compress_frames(&frames).unwrap();
    let at = random.below(file.len());
    file[at] ^= 1 << random.below(8);
    assert!(shared.decompressor.decompress(&file).is_err());
    let mut left = Vec::new();
    if let Ok(recovery) = recover(Cursor::new(&file), &mut left, &shared.decompressor) {
        assert!(recovery.frames <= frames.frames() as u64);
        assert_eq!(shared.decompressor.decompress(&left).unwrap().frames() as u64, recovery.frames);
    }
}

/// A writer that dies, and one that goes on.
fn cut_and_append(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let compressor = shared.compressor(random);
    let mut file = compressor.compress_frames(&frames).unwrap();
    let header = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    file.truncate(header + random.below(file.len() - header));
    let mut disk = Cursor::new(file);
    let mut writer = Writer::append(&mut disk, compressor).unwrap();
    writer.write_frames(frames.frames(), frames.as_bytes()).unwrap();
    drop(writer);
    let mut writer = Writer::append(&mut disk, compressor).unwrap();
    writer.write_frames(frames.frames(), frames.as_bytes()).unwrap();
    writer.finish().unwrap();
    let all = shared.decompressor.decompress(disk.get_ref()).unwrap();
    assert!(all.frames() >= frames.frames() && all.as_bytes().ends_with(frames.as_bytes()));
}

fn put_together(shared: &Shared, random: &mut Random) {
    let frames = shared.frames(random);
    let file = shared.compressor(random).compress_frames(&frames).unwrap();
    let noise: Vec<u8> = (0..random.below(3000)).map(|_| random.below(256) as u8).collect();
    let mut left = Vec::new();
    recover(Cursor::new([&file, &noise, &file[..]].concat()), &mut left, &shared.decompressor).unwrap();
    let all = shared.decompressor.decompress(&left).unwrap();
    assert!(all.as_bytes() == [frames.as_bytes(), frames.as_bytes()].concat());
}

/// Memory of this process now, in KiB, where that is known.
fn resident_kb() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn mixed_work_with_faults() {
    let time = env::var(SOAK_VARIABLE).map_or(SHORT, |time| Duration::from_secs(time.parse().expect("seconds")));
    let shared = Shared::new();
    let rounds = Mutex::new([0u64; DEEDS.len()]);
    // A worker that panics ends all of it.
    let ended = AtomicBool::new(false);
    let start = Instant::now();
    let work = |worker: u64| {
        let mut random = Random(worker.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        while start.elapsed() < time && !ended.load(Ordering::Relaxed) {
            let deed = random.below(DEEDS.len());
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| DEEDS[deed].1(&shared, &mut random)));
            if let Err(panic) = done {
                ended.store(true, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
            rounds.lock().unwrap()[deed] += 1;
        }
    };
    let (mut soon, mut most, mut last) = (None, 0, 0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker))).collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
            last = resident_kb().unwrap_or(0);
            most = most.max(last);
            if start.elapsed() > time / 4 {
                soon.get_or_insert(most);
            }
        }
    });
    let rounds = rounds.into_inner().unwrap();
    let told: Vec<String> = DEEDS.iter().zip(rounds).map(|(deed, rounds)| format!("{rounds} {}", deed.0)).collect();
    println!("{:.0?}: {}; at most {most} KiB, {last} KiB at the end", start.elapsed(), told.join(", "));
    assert!(rounds.iter().all(|&rounds| rounds > 0), "{rounds:?}");
    assert!(most <= PROCESS_KB, "{most} KiB");
    assert!(soon.is_none_or(|soon| last <= soon + GROWTH_KB), "{last} KiB, {soon:?} before");
}

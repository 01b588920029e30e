//! What can be typed.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use framepress::input::RawSpec;
use framepress::plan::{CodecChoice, DeviceChoice, Settings};

/// Lossless compression for batches of video frames and image-like arrays.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Compress frames to a .fpk file.
    Compress(Compress),
    /// Restore the original file.
    Decompress(Decompress),
    /// Describe a .fpk file without decoding it.
    Info(Examine),
    /// Decode everything and check it against its checksums.
    Verify(Examine),
    /// List the devices that batches can run on.
    Devices(Devices),
    /// Measure ratio and speed in memory, level by level.
    Bench(Bench),
}

#[derive(Args)]
pub struct Compress {
    /// A .npy or .y4m file, raw video (with --raw), a folder or a quoted glob of .png or .tiff files, or - for
    /// standard input.
    pub input: String,
    /// Output file, or - for standard output [default: INPUT with .fpk added].
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// 1 is fastest, 9 smallest.
    #[arg(short, long, default_value_t = Settings::DEFAULT_LEVEL, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub level: u8,
    /// Codec of the residuals.
    #[arg(long, value_enum, default_value_t)]
    pub codec: Codec,
    #[command(flatten)]
    pub run: Run,
    /// Frames that are compressed together [default: as many as fit 64 MiB].
    #[arg(long, value_name = "FRAMES")]
    pub batch: Option<NonZeroUsize>,
    /// Take INPUT as raw video of this size and pixel format (FFmpeg's names), for example 1920x1080:rgb24.
    #[arg(long, value_name = "WxH:FORMAT")]
    pub raw: Option<RawSpec>,
    /// Milliseconds that a batch should take at most: its level is lowered until it is expected to. The packed bytes then depend
    /// on the machine and on what else it does.
    #[arg(long, value_name = "MS")]
    pub max_latency: Option<NonZeroU32>,
}

#[derive(Args)]
pub struct Decompress {
    /// A .fpk file, or - for standard input.
    pub file: String,
    /// Output file (folder for image sequences), or - for standard output [default: FILE without .fpk].
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// Only frames A up to, but without, B, counted from 0.
    #[arg(long, value_name = "A..B", value_parser = frame_range)]
    pub frames: Option<std::ops::Range<u64>>,
    #[command(flatten)]
    pub run: Run,
}

#[derive(Args)]
pub struct Examine {
    /// A .fpk file.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Devices {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Bench {
    /// As for `compress`.
    #[arg(required_unless_present = "schedule")]
    pub input: Option<String>,
    /// Levels to measure.
    #[arg(short, long, value_name = "L,..", value_delimiter = ',', default_values_t = 1..=9,
        hide_default_value = true, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub level: Vec<u8>,
    /// Codec of the residuals.
    #[arg(long, value_enum, default_value_t)]
    pub codec: Codec,
    /// all, cpu, gpu, or the index, PCI bus id or part of the name of a device (see `framepress devices`) [default: cpu].
    #[arg(long, value_parser = benched)]
    pub device: Option<Benched>,
    /// Most threads [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Runs of which the median counts, besides one to warm up.
    #[arg(long, value_name = "N", default_value = "5")]
    pub runs: NonZeroUsize,
    /// Frames that are compressed together [default: as for `compress`].
    #[arg(long, value_name = "FRAMES")]
    pub batch: Option<NonZeroUsize>,
    /// Take INPUT as raw video of this size and pixel format (FFmpeg's names), for example 1920x1080:rgb24.
    #[arg(long, value_name = "WxH:FORMAT")]
    pub raw: Option<RawSpec>,
    /// Time the parts of both directions too.
    #[arg(long)]
    pub stages: bool,
    /// Measure instead how well batches of a mix are placed: on the GPU of --device [default: the first that is not
    /// emulated]; on simulated ones if there is none, or with --device cpu.
    #[arg(long, conflicts_with_all = ["input", "level", "codec", "threads", "runs", "batch", "raw", "stages"])]
    pub schedule: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The devices to measure.
#[derive(Clone)]
pub enum Benched {
    /// The CPU and every adapter.
    All,
    One(DeviceChoice),
}

/// How to run, whatever runs.
#[derive(Args)]
pub struct Run {
    /// auto, cpu, gpu, or the index, PCI bus id or part of the name of a device (see `framepress devices`).
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: DeviceChoice,
    /// Most threads [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print a summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
    /// Overwrite the output if it exists.
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum Codec {
    /// The best for the level, per block.
    #[default]
    Auto,
    Store,
    Lz4,
    Zstd,
    Ans,
    Pack,
}

impl From<Codec> for CodecChoice {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::Auto => CodecChoice::Auto,
            Codec::Store => CodecChoice::Store,
            Codec::Lz4 => CodecChoice::Lz4,
            Codec::Zstd => CodecChoice::Zstd,
            Codec::Ans => CodecChoice::Ans,
            Codec::Pack => CodecChoice::Pack,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a clap value parser")]
fn device(name: &str) -> Result<DeviceChoice, String> {
    Ok(match name {
        "auto" => DeviceChoice::Auto,
        "cpu" => DeviceChoice::Cpu,
        "gpu" => DeviceChoice::Gpu,
        name => DeviceChoice::Named(name.to_owned()),
    })
}

fn benched(name: &str) -> Result<Benched, String> {
    match name {
        "all" => Ok(Benched::All),
        "auto" => Err("expected all, cpu, gpu or a device; auto may mix them".to_owned()),
        name => device(name).map(Benched::One),
    }
}

fn frame_range(text: &str) -> Result<std::ops::Range<u64>, String> {
    let (start, end) = text.split_once("..").ok_or("expected A..B, for example 10..20")?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("expected a frame number, found {text:?}"));
    let range = number(start)?..number(end)?;
    if range.start >= range.end {
        return Err(format!("expected A below B, found {text}"));
    }
    Ok(range)
}

//! What can be typed.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use framepress::SyncPolicy;
use framepress::frame::Rectangle;
use framepress::input::RawSpec;
use framepress::plan::{CodecChoice, DeviceChoice, Settings};

use super::progress::{Show, Style};

/// Lossless compression for batches of video frames and image-like arrays.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

impl Command {
    /// Whether to tell how and where each batch is done.
    pub fn is_verbose(&self) -> bool {
        match self {
            Self::Compress(Compress { run, .. })
            | Self::Decompress(Decompress { run, .. })
            | Self::Analyze(Analyze { run, .. }) => run.verbose,
            _ => false,
        }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Compress frames to a .fpk file.
    Compress(Compress),
    /// Restore the original file.
    Decompress(Decompress),
    /// Describe a .fpk file without decoding it.
    Info(Info),
    /// Decode everything and check it against its checksums.
    Verify(Examine),
    /// Write what is intact in a damaged, cut or concatenated file to a new one.
    Recover(Recover),
    /// List the devices that batches can run on.
    Devices(Devices),
    /// Tell what frames are like, what becomes of them, and what would at other levels.
    Analyze(Analyze),
    /// Measure ratio and speed in memory, level by level.
    Bench(Bench),
    /// Print a script with which a shell completes these arguments.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write manual pages, one for each command.
    Man {
        /// Where to put them.
        folder: PathBuf,
    },
}

#[derive(Args)]
pub struct Compress {
    /// .npy or .y4m files, raw video (with --raw), folders or quoted globs of either or of .png or .tiff files, which are the
    /// frames of one input, or - for standard input.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Output file (of several inputs, a folder or a glob, a folder for them), or - for standard output [default: INPUT with .fpk added].
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
    /// Keep VALUE with the frames, under KEY; for example camera=7. Can be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata)]
    pub meta: Vec<(String, String)>,
    /// Keep the time of every frame: a file with a line for each, in nanoseconds.
    #[arg(long, value_name = "FILE")]
    pub timestamps: Option<PathBuf>,
    /// Decompress every batch again before it is written, and compare.
    #[arg(long)]
    pub verify: bool,
    /// Add the frames to those of OUTPUT, which is made if it is not there. It is written in place: whole batches can
    /// be read while others are added, and stay whatever happens.
    #[arg(long, requires = "output", conflicts_with = "force")]
    pub append: bool,
    /// When OUTPUT has to be on the disk, in case the power fails.
    #[arg(long, value_enum, default_value_t)]
    pub sync: Sync,
    /// Milliseconds that a batch should take at most: its level is lowered until it is expected to. The packed bytes then depend
    /// on the machine and on what else it does.
    #[arg(long, value_name = "MS")]
    pub max_latency: Option<NonZeroU32>,
}

#[derive(Args)]
pub struct Decompress {
    /// .fpk files, folders or quoted globs of them, or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Output file (folder for image sequences, or of several files), or - for standard output [default: FILE without
    /// .fpk].
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// Only frames A up to, but without, B, counted from 0.
    #[arg(long, value_name = "A..B", value_parser = frame_range)]
    pub frames: Option<std::ops::Range<u64>>,
    /// Only a rectangle of every frame: its size, then its first column and row, in pixels. Where chroma is shared by
    /// pixels, it begins at an even column (4:2:2), and at an even row too (4:2:0).
    #[arg(long, value_name = "WxH+X+Y")]
    pub region: Option<Rectangle>,
    /// Wait for more at the end of FILE, which is still being written, until it is whole. Ctrl-C ends it with the frames
    /// so far.
    #[arg(long, conflicts_with_all = ["frames", "region"])]
    pub follow: bool,
    /// Give up, with the frames so far, once FILE has not grown for this long [default: wait for ever].
    #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Write the times of the frames to this file, a line for each, in nanoseconds.
    #[arg(long, value_name = "FILE", conflicts_with = "follow")]
    pub timestamps: Option<PathBuf>,
    /// Refuse to restore more than this, for example 2G: a small file may stand for very much.
    #[arg(long, value_name = "SIZE", value_parser = memory, conflicts_with = "follow")]
    pub max_output: Option<NonZeroU64>,
    #[command(flatten)]
    pub run: Run,
}

#[derive(Args)]
pub struct Analyze {
    /// As for `compress`.
    pub input: String,
    /// The level to analyze with; others are tried on some frames.
    #[arg(short, long, default_value_t = Settings::DEFAULT_LEVEL, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub level: u8,
    #[command(flatten)]
    pub run: Run,
    /// Frames that are compressed together [default: as for `compress`].
    #[arg(long, value_name = "FRAMES")]
    pub batch: Option<NonZeroUsize>,
    /// Take INPUT as raw video of this size and pixel format (FFmpeg's names), for example 1920x1080:rgb24.
    #[arg(long, value_name = "WxH:FORMAT")]
    pub raw: Option<RawSpec>,
    /// Write a page with charts to this file.
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,
    /// What it costs to store a gigabyte for a month, or to send it.
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub price_per_gb: Option<f64>,
}

#[derive(Args)]
pub struct Info {
    #[command(flatten)]
    pub file: Examine,
    /// Add sums over all batches, and what earlier runs on this machine have learnt of placing batches.
    #[arg(long)]
    pub stats: bool,
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
pub struct Recover {
    /// A .fpk file; it may be damaged, cut, without its index, or several files one after another.
    pub file: PathBuf,
    /// Output file, or - for standard output.
    #[arg(short, long)]
    pub output: PathBuf,
    /// Print what was found and lost as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
    /// Overwrite the output if it exists.
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Args)]
pub struct Devices {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(group = ArgGroup::new("drawn").args(["html", "svg"]).multiple(true))]
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
    /// all, cpu, gpu, auto (beside cpu), or the index, PCI bus id or part of the name of a device (see `framepress devices`)
    /// [default: cpu].
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
    /// Time the parts of both directions too, and the kernels and transfers of a GPU.
    #[arg(long)]
    pub stages: bool,
    /// Measure instead how well batches of a mix are placed: on the GPU of --device [default: the first that is not
    /// emulated]; on simulated ones if there is none, or with --device cpu.
    #[arg(long, conflicts_with_all = ["input", "level", "codec", "threads", "runs", "batch", "raw", "stages", "drawn"])]
    pub schedule: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the figures as a page with charts too.
    #[arg(long, value_name = "OUT", value_parser = page_name)]
    pub html: Option<PathBuf>,
    /// Write the charts of ratio and speed as a picture too.
    #[arg(long, value_name = "OUT", value_parser = page_name)]
    pub svg: Option<PathBuf>,
    /// Overwrite page and picture if they exist.
    #[arg(short, long, requires = "drawn")]
    pub force: bool,
}

/// The devices to measure.
#[derive(Clone)]
pub enum Benched {
    /// The CPU and every adapter.
    All,
    /// The CPU, and what places each batch by itself.
    Auto,
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
    /// Most working memory, for example 300M or 2G [default: what one batch takes, and 1G for several at a time].
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<NonZeroU64>,
    /// Print a summary as JSON.
    #[arg(long)]
    pub json: bool,
    /// How progress is shown, on standard error.
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    pub progress: Style,
    /// Tell how and where each batch is done, on standard error.
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
    /// Overwrite the output if it exists.
    #[arg(short, long)]
    pub force: bool,
}

impl Run {
    /// What to show while it runs.
    pub fn show(&self) -> Show {
        Show { style: self.progress, quiet: self.quiet || self.json || self.verbose }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum Sync {
    /// When the system likes.
    #[default]
    Never,
    /// Before the program ends.
    End,
    /// After each batch.
    Batch,
}

impl From<Sync> for SyncPolicy {
    fn from(sync: Sync) -> Self {
        match sync {
            Sync::Never => SyncPolicy::Never,
            Sync::End => SyncPolicy::AtEnd,
            Sync::Batch => SyncPolicy::EachBatch,
        }
    }
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
        "auto" => Ok(Benched::Auto),
        name => device(name).map(Benched::One),
    }
}

/// Bytes, or units of 1024, 1024^2, 1024^3 or 1024^4 bytes.
fn memory(text: &str) -> Result<NonZeroU64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let shift = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        "t" | "tib" => 40,
        _ => return Err("expected a number of bytes, or one with K, M, G or T, for example 300M".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| format!("expected a size, for example 300M, found {text:?}"))?;
    let bytes = number.checked_mul(1 << shift).and_then(NonZeroU64::new);
    bytes.ok_or_else(|| format!("expected a size above 0 and below 2^64 bytes, found {text:?}"))
}

fn metadata(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, for example camera=7".to_owned()),
    }
}

fn price(text: &str) -> Result<f64, String> {
    let price = text.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| format!("expected a price, for example 0.02, found {text:?}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "expected a number of seconds, for example 10 or 0.5".to_owned())
}

fn page_name(name: &str) -> Result<PathBuf, String> {
    match name {
        "-" => Err("expected a file; standard output has the table".to_owned()),
        name => Ok(name.into()),
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

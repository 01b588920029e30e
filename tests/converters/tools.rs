//! The programs that convert.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use framepress::frame::{ChannelOrder, ChromaSampling};
use tempfile::tempdir;

use super::planes::Planes;

/// A program and what it is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    /// FFmpeg: options before the input, its pixel format, a filter, and the pixel format of the output.
    Ffmpeg { options: &'static [&'static str], input: &'static str, filter: &'static str, output: &'static str },
    /// `cvtColor` of OpenCV, by the name of the conversion.
    CvtColor(&'static str),
    /// `VideoCapture` of OpenCV, of a file that loses nothing.
    VideoCapture,
}

impl Tool {
    /// Of the YUV that goes in.
    pub fn sampling(&self) -> ChromaSampling {
        let name = match self {
            Tool::Ffmpeg { input, .. } => input,
            Tool::CvtColor(name) => name,
            Tool::VideoCapture => "420",
        };
        match name {
            name if name.contains("422") || name.ends_with("YUY2") => ChromaSampling::Cs422,
            name if name.contains("444") || name.ends_with("2RGB") || name.ends_with("2BGR") => ChromaSampling::Cs444,
            _ => ChromaSampling::Cs420,
        }
    }

    /// Of the pixels that come out.
    pub fn order(&self) -> ChannelOrder {
        let name = match self {
            Tool::Ffmpeg { output, .. } => output.to_uppercase(),
            Tool::CvtColor(name) => name.split_once('2').unwrap().1.to_owned(),
            Tool::VideoCapture => "BGR".to_owned(),
        };
        match name {
            name if name.starts_with("RGBA") => ChannelOrder::Rgba,
            name if name.starts_with("BGRA") => ChannelOrder::Bgra,
            name if name.starts_with("BGR") => ChannelOrder::Bgr,
            _ => ChannelOrder::Rgb,
        }
    }

    pub fn blue_first(&self) -> bool {
        matches!(self.order(), ChannelOrder::Bgr | ChannelOrder::Bgra)
    }

    /// The pixels that are made of planes.
    pub fn convert(&self, planes: &Planes) -> Vec<u8> {
        let folder = tempdir().unwrap();
        let [source, clip, target] = ["in", "in.mkv", "out"].map(|name| folder.path().join(name));
        match self {
            Tool::Ffmpeg { options, input, filter, output } => {
                let bytes = if *input == "nv12" { planes.semi_planar() } else { planes.bytes.clone() };
                fs::write(&source, bytes).unwrap();
                let mut ffmpeg = ffmpeg(options, input, planes, &source);
                if !filter.is_empty() {
                    ffmpeg.args(["-vf", filter]);
                }
                run(ffmpeg.args(["-f", "rawvideo", "-pix_fmt", output]).arg(&target));
            }
            Tool::CvtColor(name) => {
                let (bytes, shape) = match *name {
                    name if name.ends_with("NV12") => (planes.semi_planar(), [3 * planes.height / 2, planes.width, 1]),
                    name if name.ends_with("I420") => (planes.bytes.clone(), [3 * planes.height / 2, planes.width, 1]),
                    name if name.ends_with("YUY2") => (planes.packed(), [planes.height, planes.width, 2]),
                    name => {
                        let swap = |[y, u, v]: [u8; 3]| if name.contains("YCrCb") { [y, v, u] } else { [y, u, v] };
                        (planes.pixels().flat_map(swap).collect(), [planes.height, planes.width, 3])
                    }
                };
                fs::write(&source, bytes).unwrap();
                let shape = shape.map(|size| size.to_string());
                run(python().arg(name).args([&source, &target]).args(shape));
            }
            Tool::VideoCapture => {
                fs::write(&source, &planes.bytes).unwrap();
                run(ffmpeg(&[], "yuv420p", planes, &source).args(["-c:v", "ffv1"]).arg(&clip));
                run(python().arg("VideoCapture").args([&clip, &target]));
            }
        }
        let pixels = fs::read(target).unwrap();
        assert_eq!(pixels.len(), planes.frames * planes.width * planes.height * self.order().channels());
        pixels
    }
}

fn ffmpeg(options: &[&str], format: &str, planes: &Planes, source: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]).args(options);
    let size = format!("{}x{}", planes.width, planes.height);
    command.args(["-f", "rawvideo", "-pix_fmt", format, "-s", &size, "-i"]).arg(source);
    command
}

fn python() -> Command {
    let mut command = Command::new(env::var_os("FRAMEPRESS_PYTHON").unwrap_or_else(|| "python3".into()));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/converters/opencv.py"));
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

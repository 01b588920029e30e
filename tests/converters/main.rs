//! Conversions against the programs that they are named after.
//!
//! Rows of `made` run everywhere: a converter's own pixels, in `tests/data/converted`, are what the conversion makes of
//! the same YUV. The others run FFmpeg and OpenCV, compress what these make, and look at how it was recognised; they are
//! ignored unless `FRAMEPRESS_REQUIRE_CONVERTERS` is 1. OpenCV is that of `FRAMEPRESS_PYTHON`, or of `python3`. What FFmpeg
//! does depends on the processor: rows are those of x86-64.
//!
//! `FRAMEPRESS_REQUIRE_CONVERTERS=1 FRAMEPRESS_WRITE_GOLDEN=1` writes the pixels of FFmpeg and OpenCV anew.

mod planes;
mod rows;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use framepress::frame::{ChromaSampling, Dtype, FrameFormat, Frames, Layout};
use framepress::internal::KNOWN;
use framepress::plan::{Method, Settings};
use framepress::{Compressor, Decompressor, SeekReader};
use libtest_mimic::{Arguments, Trial, run};

use self::planes::Planes;
use self::rows::{Expected, Row, kept_rows, rows};

const REQUIRE_VARIABLE: &str = "FRAMEPRESS_REQUIRE_CONVERTERS";
const WRITE_VARIABLE: &str = "FRAMEPRESS_WRITE_GOLDEN";

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/converted")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = is_set(REQUIRE_VARIABLE) && cfg!(target_arch = "x86_64");
    let trial = |row: Row| {
        let (name, kind) = (row.name, if required { "" } else { "needs FFmpeg, OpenCV" });
        let runner = move || {
            check(&row);
            Ok(())
        };
        Trial::test(name, runner).with_kind(kind).with_ignored_flag(!required)
    };
    let made = kept_rows().map(|(name, conversion, sampling)| {
        let runner = move || {
            compare_kept(name, conversion, sampling);
            Ok(())
        };
        Trial::test(format!("made::{name}"), runner)
    });
    run(&arguments, rows().into_iter().map(trial).chain(made).collect()).exit_code()
}

/// Converts frames and compresses them.
fn check(row: &Row) {
    if let Some(name) = row.kept
        && is_set(WRITE_VARIABLE)
    {
        let planes = Planes::kept(row.tool.sampling());
        fs::write(folder().join(name).with_extension("rgb"), row.tool.convert(&planes)).unwrap();
    }
    let planes = Planes::smooth(row.width, row.height, 3, row.tool.sampling());
    let raw = row.tool.convert(&planes);
    let layout = Layout::Packed { width: row.width, height: row.height, order: row.tool.order() };
    let frames = Frames::new(FrameFormat::new(Dtype::U8, layout).unwrap(), 3, raw).unwrap();
    let file = Compressor::new(Settings::new()).unwrap().compress_frames(&frames).unwrap();
    let decompressor = Decompressor::default();
    assert!(decompressor.decompress(&file).unwrap() == frames, "other frames come back");

    let method = SeekReader::new(std::io::Cursor::new(&file), &decompressor).unwrap().batch_info(0).unwrap().method;
    match (row.expected, &method) {
        (Expected::Made(conversion, sampling), Method::Recovered(plan)) => {
            assert_eq!((plan.making.conversion.name(), plan.making.sampling), (Some(conversion), sampling));
            assert_eq!(plan.making.blue_first, row.tool.blue_first());
            let pixels = 3 * row.width * row.height;
            assert!(plan.exceptions as usize * 1000 <= pixels, "{} exceptions of {pixels}", plan.exceptions);
        }
        (Expected::Made(conversion, _), _) => panic!("{conversion} was not recognised"),
        (Expected::Ordinary, Method::Recovered(plan)) => {
            panic!("{:?}, {} exceptions", plan.making.conversion.name(), plan.exceptions)
        }
        (Expected::Ordinary, _) => {}
    }
}

/// The pixels of a converter are those of the conversion.
fn compare_kept(name: &str, conversion: &str, sampling: ChromaSampling) {
    let expected = fs::read(folder().join(name).with_extension("rgb")).unwrap();
    let conversion = KNOWN.iter().find(|known| known.name == conversion).expect("a known conversion").conversion;
    let planes = Planes::kept(sampling);
    let found = planes.pixels().flat_map(|[y, u, v]| conversion.pixel(y, u, v));
    assert!(found.eq(expected), "other pixels");
}

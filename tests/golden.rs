//! Files of `tests/golden/v1`, written once, are read for ever: by the library, as a stream and by frame,
//! and by the [reference decoder](reference). `manifest.txt` says what is in them:
//!
//! | name | frames | raw bytes | XXH3-64 of the raw bytes, seed 0 |
//!
//! Files of a released version of the format never change. While version 1 is not released, they are written anew with
//!
//! ```text
//! FRAMEPRESS_WRITE_GOLDEN=1 cargo test --release --test golden
//! ```

mod made;
mod reference;

use std::fs;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{LazyLock, Once};

use framepress::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Layout};
use framepress::plan::{CodecChoice, DeviceChoice, Method, Settings};
use framepress::{BatchInfo, CodecId, Compressor, Decompressor, Reader, SeekReader, decompress};
use made::{Made, conversion};
use twox_hash::XxHash3_64;

const WRITE_VARIABLE: &str = "FRAMEPRESS_WRITE_GOLDEN";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// A file to be written.
struct Recipe {
    name: &'static str,
    format: FrameFormat,
    frames: usize,
    batch_frames: Option<usize>,
    level: u8,
    codec: CodecChoice,
    /// The sample of a frame at a position in it.
    sample: fn(usize, usize) -> u64,
}

/// A hash: noise that stays the same.
fn noise(a: usize, b: usize) -> u64 {
    let mixed = (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (b as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32
}

/// A picture of gentle slopes, up to `height`.
fn waves(x: usize, y: usize, height: usize) -> u64 {
    let wave = |at: usize, length: usize| (at % (2 * length)).abs_diff(length) * height / length;
    ((wave(x, 31) + wave(y, 23) + wave(x + 2 * y, 47)) / 3) as u64
}

/// RGB of 4:2:0, with a square drawn over it.
fn made_rgb() -> Made {
    Made { overlay: 2, ..Made::new(75, 58) }
}

/// BGRA of 4:4:4.
fn made_bgra() -> Made {
    let conversion = conversion("libjpeg-turbo, BT.601 full");
    Made { order: ChannelOrder::Bgra, conversion, sampling: ChromaSampling::Cs444, ..Made::new(49, 36) }
}

/// BGR of 4:2:2, of odd size.
fn made_bgr() -> Made {
    let conversion = conversion("swscale, tables, BT.709 limited");
    Made { order: ChannelOrder::Bgr, conversion, sampling: ChromaSampling::Cs422, overlay: 2, ..Made::new(61, 37) }
}

/// RGBA of 4:2:0 with something else in an upper corner.
fn patched_rgba() -> Made {
    Made { order: ChannelOrder::Rgba, foreign: |x, y| x >= 48 && y < 32, ..Made::new(75, 58) }
}

/// BGR of 4:4:4 with something else along two sides, and a square drawn over it.
fn patched_bgr() -> Made {
    let conversion = conversion("libjpeg-turbo, BT.601 full");
    let sampling = ChromaSampling::Cs444;
    let foreign = |x, y| x < 18 || y > 60;
    Made { order: ChannelOrder::Bgr, conversion, sampling, overlay: 2, foreign, ..Made::new(141, 77) }
}

/// A byte of a frame.
fn made(made: &Made, frame: usize, at: usize) -> u64 {
    let channels = made.order.channels();
    let (x, y) = (at / channels % made.width, at / channels / made.width);
    match at % channels {
        3 => (x / 9 * 20 + y) as u64 % 256,
        channel => made.pixel(frame, x, y)[if made.blue_first() { 2 - channel } else { channel }].into(),
    }
}

/// Texture that is nowhere like its neighbours by much.
fn texture(x: usize, y: usize) -> u64 {
    (0..16).map(|at| noise(x + at % 4, y + at / 4) % 256).sum::<u64>() / 16
}

/// 4:2:0 of 101 x 67.
fn coded_yuv() -> FrameFormat {
    let sampling = ChromaSampling::Cs420;
    let layout = Layout::Yuv { width: 101, height: 67, sampling, chroma: ChromaOrder::Planar };
    FrameFormat::new(Dtype::U8, layout).unwrap()
}

/// The numbers of MPEG-2's filter, and of MPEG-4's where halves are rounded down: of quarters, and of halves.
const MPEG_2: i32 = 11;
const MPEG_4: i32 = 13;
const MPEG_4_HALVES: i32 = 15;

/// A byte of texture, or of what a filter of that number makes of it; units to the left move otherwise than the rest.
fn coded(filter: i32, frame: usize, at: usize) -> u64 {
    let planes = [(101, 67, 0), (51, 34, 101 * 67), (51, 34, 101 * 67 + 51 * 34)];
    let plane = if at < planes[1].2 { 0 } else { 1 + usize::from(at >= planes[2].2) };
    let (width, height, first) = planes[plane];
    let sample = |x: i32, y: i32| {
        let (x, y) = (x.clamp(0, width - 1) as usize, y.clamp(0, height - 1) as usize);
        texture(x + 500 * plane, y) as i32
    };
    let (x, y) = ((at - first) as i32 % width, (at - first) as i32 / width);
    let unit = if plane == 0 { 8 } else { 4 };
    let falls_apart = x < 2 * unit;
    let (vx, vy) = if x < unit { (-3, 6) } else { (9, -5) };
    if frame == 0 {
        return sample(x, y) as u64;
    }
    if filter == MPEG_4 && plane == 0 {
        let size = if falls_apart { 8 } else { 16 };
        let block = [x / size * size + (vx >> 2), y / size * size + (vy >> 2)];
        return reference::taps::mpeg4(&sample, block, size, [x % size, y % size], [vx & 3, vy & 3], 1) as u64;
    }
    if matches!(filter, MPEG_2 | MPEG_4 | MPEG_4_HALVES) {
        // Halves: the vectors, or quarters that are rounded towards 0.
        let of_luma = |v: i32| if filter == MPEG_4 { v / 2 } else { v };
        let halves = |v: i32| match (plane, filter) {
            (0, _) => v,
            (_, MPEG_2) => v / 2,
            _ => (of_luma(v) >> 1) | (of_luma(v) & 1),
        };
        let (k, l) = if filter != MPEG_2 && plane > 0 && falls_apart {
            // Two units move by one vector, two by the other.
            let both = |one: i32, other: i32| reference::taps::of_four(2 * (of_luma(one) + of_luma(other)));
            (both(-3, 9), both(6, -5))
        } else {
            (halves(vx), halves(vy))
        };
        let (x, y, right, down) = (x + (k >> 1), y + (l >> 1), k & 1, l & 1);
        let four = sample(x, y) + sample(x + right, y) + sample(x, y + down) + sample(x + right, y + down);
        return ((four + if filter == MPEG_2 { 2 } else { 1 }) >> 2) as u64;
    }
    let bits = if plane == 0 { 2 } else { 3 };
    let eighths = |v: i32| (v << (3 - bits)) & 7;
    let (is_first, narrow) = (plane == 0, (falls_apart, falls_apart));
    let moved = (x + (vx >> bits), y + (vy >> bits));
    reference::taps::between(filter, is_first, narrow, &sample, moved, (eighths(vx), eighths(vy))) as u64
}

/// One frame between anchors, then three.
fn between() -> Frames {
    made::between::frames(coded_yuv().layout().clone(), &[0, 2, 3, 7])
}

/// A byte of them.
fn byte_between(frame: usize, at: usize) -> u64 {
    static BETWEEN: LazyLock<Frames> = LazyLock::new(between);
    BETWEEN.as_bytes()[frame * BETWEEN.format().frame_bytes() + at].into()
}

fn recipes() -> Vec<Recipe> {
    let format = |dtype, shape: &[usize]| FrameFormat::from_shape(dtype, shape).unwrap();
    let yuv =
        Layout::Yuv { width: 37, height: 21, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::UvInterleaved };
    let gray = Layout::Gray { width: 31, height: 19 };
    let wide = Layout::Gray { width: 67, height: 43 };
    let tiled = Layout::Gray { width: 83, height: 61 };
    let tiled_yuv =
        Layout::Yuv { width: 65, height: 49, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::VuInterleaved };
    let deep = Layout::Yuv { width: 75, height: 67, sampling: ChromaSampling::Cs444, chroma: ChromaOrder::Planar };
    let strips_yuv =
        Layout::Yuv { width: 41, height: 33, sampling: ChromaSampling::Cs422, chroma: ChromaOrder::Planar };
    let moving_yuv =
        Layout::Yuv { width: 101, height: 67, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar };
    let moving_nv21 =
        Layout::Yuv { width: 101, height: 67, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::VuInterleaved };
    let banded = Layout::Gray { width: 391, height: 340 };
    let recipe = |name, format, frames, sample| Recipe {
        name,
        format,
        frames,
        batch_frames: None,
        level: Settings::DEFAULT_LEVEL,
        codec: CodecChoice::Auto,
        sample,
    };
    vec![
        Recipe {
            batch_frames: Some(3),
            ..recipe("rgb_u8", format(Dtype::U8, &[24, 33, 3]), 8, |frame, at| {
                (at / 99 * 3 + at / 3 % 33 * 2 + at % 3 * 40 + frame) as u64 + noise(at / 3, frame) % 3
            })
        },
        Recipe {
            level: 7,
            ..recipe("yuv420_u8", FrameFormat::new(Dtype::U8, yuv).unwrap(), 5, |frame, at| {
                (at % 37 * 4 + 3 * frame) as u64 + noise(at, 0) % 5
            })
        },
        Recipe {
            batch_frames: Some(4),
            ..recipe("gray_u16", FrameFormat::with_bit_depth(Dtype::U16, gray, 12).unwrap(), 6, |frame, at| {
                (1000 + at % 31 * 40 + at / 31 * 7 + frame) as u64 + noise(at, frame) % 17
            })
        },
        Recipe {
            level: 1,
            ..recipe("line_i64", format(Dtype::I64, &[]), 3000, |frame, _| {
                ((frame * frame) as u64).wrapping_sub(2_000_000) ^ (noise(frame, 1) % 4)
            })
        },
        Recipe {
            batch_frames: Some(2),
            ..recipe("array_f32", format(Dtype::F32, &[5, 7, 6, 2]), 3, |frame, at| match at {
                17 => 0x7FC0_1234,
                18 => 0xFF80_0001,
                19 => 0x8000_0000,
                _ => (1.0 + (at as f32) / 64.0 - frame as f32).to_bits().into(),
            })
        },
        recipe("depth_i16", format(Dtype::I16, &[60, 90]), 3, |frame, at| {
            let far = (at % 90 + at / 90 + 2 * frame) as u64 / 3 + noise(at, frame) % 3;
            if noise(at / 7, frame).is_multiple_of(9) { 0 } else { far * 19 + 0xFC00 }
        }),
        Recipe {
            level: 5,
            ..recipe("features_f32", format(Dtype::F32, &[6, 40, 50]), 2, |frame, at| {
                let active = at / 50 % 40 + at % 50 > 50 + frame || noise(at, frame).is_multiple_of(20);
                if active { ((noise(at, frame) % 100_000) as f32 / 20_000.0).to_bits().into() } else { 0 }
            })
        },
        Recipe {
            codec: CodecChoice::Zstd,
            ..recipe("mask_bool", format(Dtype::Bool, &[40, 41]), 4, |frame, at| {
                u64::from(at / 41 + at % 41 < 30 + frame)
            })
        },
        Recipe {
            codec: CodecChoice::Ans,
            ..recipe("bgr_u8", format(Dtype::U8, &[48, 70, 3]), 2, |frame, at| {
                let size = if at / 210 < 16 { 2 } else { 40 };
                (at / 210 * 2 + at / 3 % 70 + frame) as u64 + if at / 210 > 36 { 0 } else { noise(at, frame) % size }
            })
        },
        Recipe {
            codec: CodecChoice::Pack,
            ..recipe("gray_u8", FrameFormat::new(Dtype::U8, wide).unwrap(), 3, |frame, at| match at / 67 {
                // A still picture, a ramp, and noise of every size.
                0..20 => 90,
                20..30 => (at % 67 + 3 * frame) as u64,
                row => 128 + noise(at, frame) % (1 << (row % 8)),
            })
        },
        Recipe {
            codec: CodecChoice::Lz4,
            ..recipe("rgba_u16", format(Dtype::U16, &[9, 10, 4]), 2, |frame, at| {
                if at % 4 == 3 { 0xFFFF } else { (500 * (at % 4) + at / 4 * 11 + frame) as u64 }
            })
        },
        Recipe { codec: CodecChoice::Store, ..recipe("noise_i16", format(Dtype::I16, &[13]), 21, noise) },
        // Tiles: chroma in phases, planes of two sizes, edges of every kind.
        Recipe {
            batch_frames: Some(3),
            ..recipe("tiles_rgb_u8", format(Dtype::U8, &[51, 70, 3]), 4, |frame, at| {
                let (x, y, channel) = (at / 3 % 70, at / 210, at % 3);
                let luma = 60 + waves(x + frame, y, 90) + noise(at / 3, frame) % 4;
                // Differences from green are those of 2 x 2 pixels.
                let difference = (noise(x / 2 + 40 * (y / 2), channel) % 8) as usize * 2 + x / 2;
                if channel == 1 { luma } else { (luma + difference as u64) % 256 }
            })
        },
        Recipe {
            level: 3,
            ..recipe("tiles_gray_u8", FrameFormat::new(Dtype::U8, tiled).unwrap(), 5, |frame, at| {
                // Its left part stands still.
                let (x, y) = (at % 83, at / 83);
                if x < 36 { waves(x, y, 200) } else { waves(x + 2 * frame, y, 120) + noise(at, frame) % 9 }
            })
        },
        Recipe {
            level: 2,
            ..recipe("tiles_yuv420_u8", FrameFormat::new(Dtype::U8, tiled_yuv).unwrap(), 4, |frame, at| {
                if at < 65 * 49 {
                    waves(at % 65 + frame, at / 65, 150) + noise(at, frame) % 7
                } else {
                    118 + noise(at, frame) % 5
                }
            })
        },
        // Discrete.
        Recipe {
            level: 7,
            ..recipe("discrete_mask_u16", format(Dtype::U16, &[100, 121]), 4, |frame, at| {
                let (x, y) = (at % 121 + 40 - 3 * frame, at / 121);
                u64::from(x * x / 9 + y * y / 5 < 900 || x / 8 % 3 == 1 && y > 70 || noise(x, y).is_multiple_of(400))
                    * 0xFF00
            })
        },
        Recipe {
            level: 6,
            ..recipe("discrete_labels_i32", format(Dtype::I32, &[70, 90]), 4, |frame, at| {
                let (x, y) = ((at % 90 + 2 * frame) as u64, (at / 90) as u64);
                [7, 0xFFFF_FFFF, 300, 70_000][((x / 20 + y / 16) % 4) as usize] + u64::from(x % 20 + y % 16 == 9)
            })
        },
        Recipe {
            level: 7,
            ..recipe("discrete_screen_u8", format(Dtype::U8, &[64, 96, 3]), 3, |frame, at| {
                // Letters of 8 x 8 that return, on two backgrounds.
                let (x, y) = (at / 3 % 96, at / 288 + 8 * frame);
                let letter = noise(x / 8 + 12 * (y / 8), 5) % 6;
                let ink = noise((x % 8 + 8 * (y % 8)) / 2, letter as usize).is_multiple_of(3);
                if ink { 20 + 50 * letter } else { [250, 248, 255][at % 3] }
            })
        },
        Recipe {
            level: 1,
            ..recipe("discrete_plain_u8", format(Dtype::U8, &[75, 90, 3]), 6, |frame, at| {
                // The same below a bar that stays.
                let (x, y) = (at / 3 % 90, at / 270);
                let y = if y < 20 { y } else { y + 8 * frame };
                let letter = noise(x / 8 + 12 * (y / 8), 5) % 6;
                let ink = noise((x % 8 + 8 * (y % 8)) / 2, letter as usize).is_multiple_of(3);
                if ink { 20 + 50 * letter } else { [250, 248, 255][at % 3] }
            })
        },
        // Strips: cells of 2 x 2 and 2 x 1, whole planes, deep samples.
        Recipe {
            level: 8,
            ..recipe("strips_rgb_u8", format(Dtype::U8, &[37, 52, 3]), 3, |frame, at| {
                let (x, y, channel) = (at / 3 % 52, at / 156, at % 3);
                let luma = 60 + waves(x + frame, y, 90) + noise(at / 3, frame) % 4;
                let difference = (noise(x / 2 + 40 * (y / 2), channel) % 8) as usize * 2 + x / 2;
                if channel == 1 { luma } else { (luma + difference as u64) % 256 }
            })
        },
        Recipe {
            level: 9,
            ..recipe("strips_yuv422_u8", FrameFormat::new(Dtype::U8, strips_yuv).unwrap(), 3, |frame, at| {
                if at < 41 * 33 {
                    waves(at % 41 + frame, at / 41, 150) + noise(at, frame) % 7
                } else {
                    118 + noise(at, frame) % 5
                }
            })
        },
        Recipe {
            level: 8,
            ..recipe("strips_yuv444_u16", FrameFormat::new(Dtype::U16, deep).unwrap(), 3, |frame, at| {
                let (plane, x, y) = (at / 5025, at % 75, at / 75 % 67);
                let moved = if x < 25 { x } else { x + 2 * frame };
                let light = 20 + waves(moved, y, 240) + noise(at % 5025, frame) % 9;
                light + (((x / 2 * 7) ^ (y / 2 * 5)) % 16) as u64 * u64::from(plane != 1)
            })
        },
        // Texture that moves: by whole samples, and, beside it, by halves.
        Recipe {
            level: 9,
            ..recipe("moving_u8", format(Dtype::U8, &[57, 90]), 4, |frame, at| {
                texture(at % 90 + 3 * frame, at / 90 + frame)
            })
        },
        // Two bands of two segments.
        Recipe {
            level: 7,
            ..recipe("moving_tiles_u8", FrameFormat::new(Dtype::U8, banded).unwrap(), 17, |frame, at| {
                100 + texture(at % 391 / 2 + 3 * frame, at / 391 / 2 + frame) / 8
            })
        },
        Recipe {
            level: 7,
            ..recipe("moving_tiles_yuv420_u8", FrameFormat::new(Dtype::U8, moving_nv21).unwrap(), 3, |frame, at| {
                let (x, y) = (at % 101, at / 101);
                match at {
                    6767.. => 100 + texture(at % 102 / 2 + frame, at / 102) / 4,
                    _ if x < 40 => (texture(x, y) + texture(x + frame % 2, y)).div_ceil(2),
                    _ => texture(x + 2 * frame, y),
                }
            })
        },
        Recipe {
            level: 9,
            ..recipe("moving_yuv420_u8", FrameFormat::new(Dtype::U8, moving_yuv).unwrap(), 3, |frame, at| {
                let (x, y) = (at % 101, at / 101);
                match at {
                    6767.. => 100 + texture(at % 51 + frame, at / 51) / 4,
                    _ if x < 40 => (texture(x, y) + texture(x + frame % 2, y)).div_ceil(2),
                    _ => texture(x + 2 * frame, y),
                }
            })
        },
        // Frames that are made of those on either side.
        Recipe { level: 9, ..recipe("moving_between_yuv420_u8", coded_yuv(), between().frames(), byte_between) },
        Recipe { level: 8, ..recipe("moving_tiles_between_yuv420_u8", coded_yuv(), between().frames(), byte_between) },
        // What HEVC, VP9 and AV1 make between the samples of the frame before; beside it, by another vector.
        Recipe { level: 7, ..recipe("moving_hevc_yuv420_u8", coded_yuv(), 2, |frame, at| coded(4, frame, at)) },
        Recipe { level: 7, ..recipe("moving_vp9_yuv420_u8", coded_yuv(), 2, |frame, at| coded(5, frame, at)) },
        Recipe { level: 9, ..recipe("moving_vp9_smooth_yuv420_u8", coded_yuv(), 2, |frame, at| coded(6, frame, at)) },
        Recipe { level: 7, ..recipe("moving_vp9_sharp_yuv420_u8", coded_yuv(), 2, |frame, at| coded(7, frame, at)) },
        Recipe { level: 7, ..recipe("moving_av1_yuv420_u8", coded_yuv(), 2, |frame, at| coded(8, frame, at)) },
        Recipe { level: 9, ..recipe("moving_av1_smooth_yuv420_u8", coded_yuv(), 2, |frame, at| coded(9, frame, at)) },
        Recipe { level: 7, ..recipe("moving_av1_sharp_yuv420_u8", coded_yuv(), 2, |frame, at| coded(10, frame, at)) },
        Recipe { level: 7, ..recipe("moving_mpeg2_yuv420_u8", coded_yuv(), 2, |frame, at| coded(MPEG_2, frame, at)) },
        Recipe { level: 7, ..recipe("moving_mpeg4_yuv420_u8", coded_yuv(), 2, |frame, at| coded(MPEG_4, frame, at)) },
        Recipe {
            level: 7,
            ..recipe("moving_mpeg4_half_yuv420_u8", coded_yuv(), 2, |frame, at| coded(MPEG_4_HALVES, frame, at))
        },
        // Terraces, as places in a table of values.
        Recipe {
            level: 9,
            ..recipe("strips_terraces_i16", format(Dtype::I16, &[61, 83]), 2, |frame, at| {
                let (x, y) = (at % 83 + 2 * frame, at / 83);
                let height = waves(x, y, 200) / 9 + noise(at, frame) % 16 / 15;
                // Further apart the higher they are, as distances of a depth camera, some of them negative.
                (height * height * 3 + 5 * height).wrapping_sub(400)
            })
        },
        // Exponents that change from place to place, in blocks by distributions that adapt.
        Recipe {
            level: 8,
            ..recipe("adaptive_f32", format(Dtype::F32, &[40, 70]), 3, |frame, at| {
                let active = waves(at % 70 + frame, at / 70, 200) > 90;
                let size = (waves(at / 70, at % 70, 90) / 9 + noise(at, frame) % 8) / 4;
                let mantissa = (noise(at, frame + 9) % 4096) << 11;
                if active { (100 + size) << 23 | mantissa } else { 0 }
            })
        },
        // More values than one symbol tells apart.
        Recipe {
            level: 8,
            ..recipe("adaptive_wide_f32", format(Dtype::F32, &[40, 70]), 3, |frame, at| {
                let active = waves(at % 70 + frame, at / 70, 200) > 90;
                let size = waves(at / 70, at % 70, 90) / 2 + noise(at, 1) % 4 + noise(at, frame) % 2;
                let mantissa = (noise(at, frame + 9) % 4096) << 11;
                if active { (60 + size) << 23 | mantissa } else { 0 }
            })
        },
        // Lower bytes of which most are 0 because the sample is.
        Recipe {
            level: 2,
            ..recipe("sparse_f32", format(Dtype::F32, &[60, 70]), 3, |frame, at| {
                let active = waves(at % 70 + frame, at / 70, 200) > 90 && !noise(at, frame + 2).is_multiple_of(4);
                let (exponent, mantissa) = (100 + noise(at, 3) % 9, noise(at, frame + 9) % (1 << 23));
                if active { exponent << 23 | mantissa } else { 0 }
            })
        },
        // Highest bytes of which many are 0, in short runs.
        Recipe {
            level: 2,
            ..recipe("mapped_u16", format(Dtype::U16, &[90, 70]), 3, |frame, at| {
                let active = noise(at / 5, frame + 2).is_multiple_of(3);
                let (high, low) = (40 + noise(at, 3) % 7, noise(at, frame + 9) % 256);
                if active { high << 8 | low } else { 0 }
            })
        },
        // Recovered: every sampling, with and without exceptions and alpha.
        Recipe {
            batch_frames: Some(3),
            ..recipe("recovered_rgb_u8", made_rgb().format(), 4, |frame, at| made(&made_rgb(), frame, at))
        },
        Recipe {
            level: 2,
            ..recipe("recovered_bgra_u8", made_bgra().format(), 3, |frame, at| made(&made_bgra(), frame, at))
        },
        Recipe {
            level: 8,
            ..recipe("recovered_bgr_u8", made_bgr().format(), 3, |frame, at| made(&made_bgr(), frame, at))
        },
        // Patched: a rectangle, and cells of one.
        Recipe {
            batch_frames: Some(3),
            ..recipe("patched_rgba_u8", patched_rgba().format(), 4, |frame, at| made(&patched_rgba(), frame, at))
        },
        Recipe {
            level: 9,
            ..recipe("patched_bgr_u8", patched_bgr().format(), 3, |frame, at| made(&patched_bgr(), frame, at))
        },
        recipe("empty_u8", format(Dtype::U8, &[4, 6, 3]), 0, |_, _| 0),
        recipe("no_samples_f64", format(Dtype::F64, &[0, 5]), 3, |_, _| 0),
    ]
}

/// Writes the files anew if that is asked for. Every test calls this first.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os(WRITE_VARIABLE).is_some_and(|value| value == "1") {
            write_all();
        }
    });
}

fn write_all() {
    // Files that are no longer made must not stay.
    let _ = fs::remove_dir_all(folder());
    fs::create_dir_all(folder()).unwrap();
    let mut manifest = String::new();
    for Recipe { name, format, frames, batch_frames, level, codec, sample } in recipes() {
        let samples = (0..frames).flat_map(|frame| (0..format.frame_samples()).map(move |at| sample(frame, at)));
        let raw: Vec<u8> = samples.flat_map(|sample| sample.to_le_bytes()[..format.dtype().bytes()].to_vec()).collect();
        manifest += &format!("{name} {frames} {} {:016x}\n", raw.len(), XxHash3_64::oneshot(&raw));
        let settings = Settings::new()
            .with_level(level)
            .unwrap()
            .with_codec(codec)
            .with_device(DeviceChoice::Cpu)
            .with_batch_frames(batch_frames.and_then(NonZeroUsize::new));
        let compressor = Compressor::new(settings).unwrap();
        let file = compressor.compress_frames(&Frames::new(format, frames, raw).unwrap()).unwrap();
        fs::write(folder().join(name).with_extension("fpk"), file).unwrap();
    }
    fs::write(folder().join("manifest.txt"), manifest).unwrap();
}

/// What a file is expected to hold.
struct Golden {
    name: String,
    frames: usize,
    raw_bytes: usize,
    checksum: u64,
    file: Vec<u8>,
}

impl Golden {
    fn check(&self, frames: usize, raw: &[u8], how: &str) {
        assert_eq!((frames, raw.len()), (self.frames, self.raw_bytes), "{}: {how}", self.name);
        assert_eq!(XxHash3_64::oneshot(raw), self.checksum, "{}: {how}: other bytes", self.name);
    }
}

fn goldens() -> Vec<Golden> {
    prepare();
    let manifest = fs::read_to_string(folder().join("manifest.txt")).unwrap();
    let golden = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        Golden {
            name: fields[0].to_owned(),
            frames: fields[1].parse().unwrap(),
            raw_bytes: fields[2].parse().unwrap(),
            checksum: u64::from_str_radix(fields[3], 16).unwrap(),
            file: fs::read(folder().join(fields[0]).with_extension("fpk")).unwrap(),
        }
    };
    manifest.lines().map(golden).collect()
}

#[test]
fn the_library_reads_them() {
    let decompressor = Decompressor::default();
    for golden in goldens() {
        let frames = decompress(&golden.file).unwrap();
        golden.check(frames.frames(), frames.as_bytes(), "whole");

        let mut reader = Reader::new(golden.file.as_slice(), &decompressor).unwrap();
        let (mut count, mut raw) = (0, Vec::new());
        while let Some(batch) = reader.next_batch().unwrap() {
            assert_eq!(batch.first_frame, count as u64, "{}", golden.name);
            count += batch.frames.frames();
            raw.extend_from_slice(batch.frames.as_bytes());
        }
        golden.check(count, &raw, "stream");

        let mut reader = SeekReader::new(Cursor::new(&golden.file), &decompressor).unwrap();
        assert!(reader.damage().is_empty(), "{}", golden.name);
        let mut raw = Vec::new();
        for frame in 0..reader.frames() {
            raw.extend(reader.read_frames(frame..frame + 1).unwrap().into_bytes());
        }
        golden.check(reader.frames() as usize, &raw, "frame by frame");
    }
}

#[test]
fn the_reference_reads_them() {
    for golden in goldens() {
        // It does not count frames: empty ones leave no trace.
        golden.check(golden.frames, &reference::decode(&golden.file), "reference");
    }
}

/// Every method is among them, and `adaptive`, `sparse` and `mapped`, tiles with and without a chroma split; those of a method are named for it.
#[test]
fn every_method_is_among_them() {
    let decompressor = Decompressor::default();
    let (mut splits, mut recovered, mut patches) = (Vec::new(), Vec::new(), Vec::new());
    for Golden { name, file, .. } in goldens() {
        let mut reader = SeekReader::new(Cursor::new(&file), &decompressor).unwrap();
        for batch in 0..reader.batches() {
            let BatchInfo { method, codecs, .. } = reader.batch_info(batch).unwrap();
            match (name.split('_').next().unwrap(), &method) {
                ("tiles", Method::Tiles(plan)) if !plan.moves => splits.push(plan.split_chroma),
                ("moving", Method::Tiles(plan)) => {
                    assert!(plan.moves, "{name}");
                    assert_eq!(made::between::refers_to_later(&file), name.contains("_between_"), "{name}");
                }
                ("recovered", Method::Recovered(plan)) => recovered.push((plan.making.sampling, plan.exceptions > 0)),
                ("patched", Method::Patched(plan)) => patches.push(plan.patch.runs.is_empty()),
                ("discrete", Method::Discrete) => {}
                ("strips" | "moving", Method::Strips(plan)) => {
                    assert_eq!(plan.moves, name.starts_with("moving"), "{name}");
                    assert_eq!(made::between::refers_to_later(&file), name.contains("_between_"), "{name}");
                }
                ("adaptive", _) => assert!(codecs.iter().any(|used| used.0 == CodecId::Adaptive), "{name}: {codecs:?}"),
                ("sparse", _) => assert!(codecs.iter().any(|used| used.0 == CodecId::Sparse), "{name}: {codecs:?}"),
                ("mapped", _) => assert!(codecs.iter().any(|used| used.0 == CodecId::Mapped), "{name}: {codecs:?}"),
                ("tiles" | "discrete" | "strips" | "moving" | "recovered" | "patched", _) => {
                    panic!("{name}: {method:?}")
                }
                _ => {}
            }
        }
    }
    assert!(splits.contains(&true) && splits.contains(&false));
    assert!(patches.contains(&true) && patches.contains(&false));
    for sampling in ChromaSampling::ALL {
        assert!(recovered.iter().any(|found| found.0 == sampling), "{sampling:?}");
    }
    assert!(recovered.iter().any(|found| found.1) && recovered.iter().any(|found| !found.1), "exceptions");
}

/// What is read is what the recipes say, so the formats are right too; and no file is without a recipe.
#[test]
fn they_are_what_they_are_called() {
    let goldens = goldens();
    let names: Vec<&str> = goldens.iter().map(|golden| golden.name.as_str()).collect();
    assert_eq!(names, recipes().iter().map(|recipe| recipe.name).collect::<Vec<_>>());
    for (golden, recipe) in goldens.iter().zip(recipes()) {
        let frames = decompress(&golden.file).unwrap();
        assert_eq!(frames.format(), &recipe.format, "{}", golden.name);
        assert_eq!(frames.frames(), recipe.frames, "{}", golden.name);
    }
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "fpk")).collect();
    assert_eq!(files.len(), goldens.len(), "files and lines of the manifest");
    assert!(goldens.iter().any(|golden| golden.raw_bytes > 0 && golden.file.len() < golden.raw_bytes / 2));
}

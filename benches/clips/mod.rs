//! The clips of `tests/data`, for benches: real frames, never ramps or noise.

use std::path::Path;

use framepress::frame::{FrameFormat, Frames};
use framepress::input;

/// A clip in memory.
pub struct Clip {
    /// What bench ids call it.
    pub name: &'static str,
    pub frames: Frames,
}

/// Every clip.
pub fn clips() -> Vec<Clip> {
    vec![rgb(), yuv420()]
}

/// Interleaved 8-bit colour of an odd size.
pub fn rgb() -> Clip {
    Clip { name: "rgb", frames: read("bbb_rgb_317x179.npy") }
}

/// Planar 8-bit 4:2:0.
pub fn yuv420() -> Clip {
    Clip { name: "yuv420", frames: read("bbb_yuv420_320x176.y4m") }
}

fn read(name: &str) -> Frames {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut reader = input::open(&path, None).expect("a clip of tests/data");
    let format: FrameFormat = reader.description().format.clone();
    let (mut frames, mut bytes) = (0, Vec::new());
    while let Some(batch) = reader.read_batch(64).expect("whole frames") {
        frames += batch.frames;
        bytes.extend(batch.bytes);
    }
    Frames::new(format, frames, bytes).expect("whole frames")
}

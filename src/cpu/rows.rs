//! **What**: frames whose rows lie at some distance of one another, as copies of textures leave them, to frames without
//! gaps, and back.
//!
//! **Forward**: to frames without gaps.
//!
//! **Inverse**: back; gaps are zeros.
//!
//! **Wire parameters**: none: files have frames without gaps.
//!
//! **Twin**: `shaders/rows.wgsl`.

use std::ops::Range;

use crate::frame::PitchedFrames;

/// Copies the rows of `pitched` to `dense`.
pub fn forward(frames: &PitchedFrames, pitched: &[u8], dense: &mut [u8]) {
    for (from, to) in rows(frames) {
        dense[to].copy_from_slice(&pitched[from]);
    }
}

/// Copies the rows of `dense` to `pitched`.
pub fn inverse(frames: &PitchedFrames, dense: &[u8], pitched: &mut [u8]) {
    pitched.fill(0);
    for (to, from) in rows(frames) {
        pitched[to].copy_from_slice(&dense[from]);
    }
}

/// Where each row lies with gaps and without.
fn rows(frames: &PitchedFrames) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    frames.stretches.iter().flat_map(move |&(stretch, pitch)| {
        let all = (0..frames.frames).flat_map(move |frame| (0..stretch.rows).map(move |row| (frame, row)));
        all.map(move |(frame, row)| {
            let pitched = pitch.offset + frame * pitch.frame + row * pitch.row;
            let dense = frame * frames.frame_bytes + stretch.start + row * stretch.row_bytes;
            (pitched..pitched + stretch.row_bytes, dense..dense + stretch.row_bytes)
        })
    })
}

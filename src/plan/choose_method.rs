//! Which path a batch takes.
//!
//! Tiles suit pictures from cameras. What repeats itself (screens, masks, labels) is for
//! Zstandard, and so for the path of whole planes: a sample of the raw frames that Zstandard
//! already shrinks about as well as tiles would is a sign of that, and then both are estimated.

use super::{CodecChoice, LevelParameters, Plan, Settings, TileChoice, choose, choose_tiles};
use crate::codec::repeats;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Tiling};
use crate::stage::Backend;

/// A method with what only the encoder knows.
pub enum MethodChoice {
    /// Whole planes.
    Planes(Plan),
    /// Tiles.
    Tiles(TileChoice),
}

/// Raw bytes that repetition is looked for in, from each of two frames.
const PROBE_BYTES: usize = 1 << 16;

/// The method for a batch. `backend` measures; the result is the same for every backend.
pub fn choose_method(
    batch: Batch<'_>,
    settings: &Settings,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<MethodChoice> {
    let level = LevelParameters::of(settings.level());
    let tiled = matches!(level.codec(settings.codec()), CodecChoice::Auto | CodecChoice::Ans);
    let planes = || choose(batch, settings, backend, cpu);
    let Some(effort) = level.tiles.filter(|_| tiled && Tiling::suits(batch.geometry) && !batch.raw.is_empty()) else {
        return planes().map(|choice| MethodChoice::Planes(choice.plan));
    };
    let tiles = choose_tiles(batch, effort, cpu)?;
    // Bytes of packed tiles and of packed planes for the same raw bytes, without divisions.
    let by_tiles = tiles.bits / 8;
    let probe = probe(batch);
    let repeated = repeats(&probe)? as u64;
    if repeated * tiles.sampled_bytes as u64 * 2 < by_tiles * probe.len() as u64 * 3 {
        let planes = planes()?;
        if planes.packed_bytes as u64 * tiles.sampled_bytes as u64 <= by_tiles * planes.sampled_bytes as u64 {
            return Ok(MethodChoice::Planes(planes.plan));
        }
    }
    Ok(MethodChoice::Tiles(tiles))
}

/// Some rows of two neighbouring frames.
fn probe(batch: Batch<'_>) -> Vec<u8> {
    let frame_bytes = batch.geometry.frame_samples * batch.geometry.sample_bytes;
    let first = batch.geometry.frames.saturating_sub(1) / 2;
    let mut probe = Vec::new();
    for frame in batch.raw.chunks_exact(frame_bytes).skip(first).take(2) {
        let start = frame_bytes.saturating_sub(PROBE_BYTES) / 2;
        probe.extend_from_slice(&frame[start..frame_bytes.min(start + PROBE_BYTES)]);
    }
    probe
}

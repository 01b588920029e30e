//! The plan of the tiled path, from a sample of the batch.
//!
//! Bands of some frames are predicted as they will be. The colour transform and the chroma split
//! are those that need the fewest bits on a few of them; what the residuals of the others count is
//! what the frequency tables are made from.

use super::{Colour, TileCoding, TilePlan};
use crate::codec::{TileClasses, TileCounts};
use crate::cpu::CpuBackend;
use crate::cpu::tiles::BandState;
use crate::error::Result;
use crate::frame::{Band, Batch, Geometry, TILE_GROUPS, Tiling};
use crate::pool;
use crate::stage::{TileEffort, TiledFrames};

/// Samples of the largest plane in a band, about: bands of that size stay in a core's cache.
const BAND_SAMPLES: usize = 1 << 16;
/// Raw bytes of a segment, about.
const SEGMENT_BYTES: usize = 3 << 19;
/// The same without tables, which lose nothing by short segments: residuals are packed while they are in the cache.
const PACKED_SEGMENT_BYTES: usize = 1 << 18;
/// Raw bytes that are taken to choose the colour transform, about, for each.
const COLOUR_BYTES: usize = 1 << 18;
/// Least raw bytes that tables are made from, if there are as many.
const TABLE_BYTES: usize = 3 << 19;
/// Raw bytes that are taken where no tables are needed.
const PACKED_BYTES: usize = 1 << 19;
/// Part of a batch that tables are made from.
const TABLE_PART: usize = 32;

/// A plan with what only the encoder knows.
pub struct TileChoice {
    /// The plan.
    pub plan: TilePlan,
    /// Which class of groups has which table, where there are tables.
    pub classes: Option<TileClasses>,
    /// Predictors to try.
    pub effort: TileEffort,
    /// Bits that a sample of `sampled_bytes` raw bytes needs, about.
    pub bits: u64,
    /// Raw bytes of the sample.
    pub sampled_bytes: usize,
}

/// The plan of a batch that [suits](Tiling::suits): with tables, or `packed`, which is taken to be a third larger.
pub fn choose_tiles(batch: Batch<'_>, effort: TileEffort, packed: bool, cpu: &CpuBackend) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let samples = geometry.planes.iter().map(|plane| plane.frame_samples()).max().unwrap_or(0);
    let bands = (samples / BAND_SAMPLES).clamp(1, Tiling::most_bands(geometry, geometry.colour));
    let band_bytes = (geometry.frame_samples / bands).max(1);

    let ways: &[(Colour, bool)] = if geometry.colour {
        &[(Colour::None, false), (Colour::SubtractGreen, false), (Colour::SubtractGreen, true)]
    } else {
        &[(Colour::None, false)]
    };
    let mut best = (u64::MAX, ways[0]);
    if ways.len() > 1 {
        let pieces = (COLOUR_BYTES / band_bytes).max(2);
        for &(colour, split_chroma) in ways {
            let tiling = Tiling::new(geometry, bands, split_chroma);
            let bits = count(batch, &tiling, colour, TileEffort::Few, cpu, pieces)?.bits();
            if bits < best.0 {
                best = (bits, (colour, split_chroma));
            }
        }
    }
    let (colour, split_chroma) = best.1;
    let tiling = Tiling::new(geometry, bands, split_chroma);
    let table_bytes = if packed { PACKED_BYTES } else { TABLE_BYTES.max(batch.raw.len() / TABLE_PART) };
    let pieces = (table_bytes / band_bytes).clamp(1, bands * geometry.frames);
    let counts = count(batch, &tiling, colour, effort, cpu, pieces)?;
    let segment_bytes = if packed { PACKED_SEGMENT_BYTES } else { SEGMENT_BYTES };
    let segment_frames = (segment_bytes / band_bytes).clamp(1, geometry.frames) as u32;
    let (coding, classes, bits) = if packed {
        (TileCoding::Packed, None, counts.bits() / 3 * 4)
    } else {
        let (tables, classes) = counts.tables();
        (TileCoding::Tables(tables), Some(classes), counts.bits())
    };
    let plan = TilePlan { colour, split_chroma, bands: bands as u32, segment_frames, coding };
    Ok(TileChoice { plan, classes, effort, bits, sampled_bytes: pieces * band_bytes })
}

/// Counts the residuals of `pieces` frames of bands, spread over the batch.
fn count(
    batch: Batch<'_>,
    tiling: &Tiling,
    colour: Colour,
    effort: TileEffort,
    cpu: &CpuBackend,
    pieces: usize,
) -> Result<TileCounts> {
    let geometry = batch.geometry;
    let bands = tiling.bands.len();
    // Bands take turns; frames are spread evenly, from the first one.
    let piece = |at: usize| (at % bands, at * geometry.frames / pieces);
    let parts = pool::map(cpu.crew(), (0..pieces).collect(), |at| {
        let (band, frame) = piece(at);
        let band = &tiling.bands[band];
        let mut state = BandState::new(cpu.simd(), colour, geometry, tiling, band);
        if frame > 0 {
            state.see(&band_slices(geometry, tiling, band, batch.raw, frame - 1));
        }
        let mut frames = TiledFrames::default();
        state.forward(effort, &band_slices(geometry, tiling, band, batch.raw, frame), &mut frames);
        let mut counts = TileCounts::new(tiling.sets);
        let (mut sums, mut groups) = (frames.sums.iter(), frames.groups.iter());
        for plane in &band.planes {
            for (&sum, group) in
                sums.by_ref().take(plane.tiles() * TILE_GROUPS).filter(|&&sum| sum > 0).zip(groups.by_ref())
            {
                counts.count(plane.set, sum, group);
            }
        }
        Ok(counts)
    })?;
    let mut total = TileCounts::new(tiling.sets);
    parts.iter().for_each(|part| total.add(part));
    Ok(total)
}

/// The rows of a band in a raw frame, one slice per region.
pub(crate) fn band_slices<'a>(
    geometry: &Geometry,
    tiling: &Tiling,
    band: &Band,
    raw: &'a [u8],
    frame: usize,
) -> Vec<&'a [u8]> {
    let frame = &raw[frame * geometry.frame_samples..];
    let slice = |(region, rows): (&crate::frame::Region, &std::ops::Range<usize>)| {
        &frame[region.offset + rows.start * region.row_samples..region.offset + rows.end * region.row_samples]
    };
    tiling.regions.iter().zip(&band.rows).map(slice).collect()
}

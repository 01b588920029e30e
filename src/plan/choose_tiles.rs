//! The plan of the tiled path, from a sample of the batch.
//!
//! Bands of some frames are predicted as they will be. The colour transform and the chroma split
//! are those that need the fewest bits on a few of them; what the residuals of the others count is
//! what the frequency tables are made from.

use std::ops::Range;
use std::sync::Arc;

use super::{Colour, TileCoding, TilePlan};
use crate::codec::{TileClasses, TileCounts};
use crate::cpu::CpuBackend;
use crate::cpu::tiles::BandState;
use crate::error::Result;
use crate::frame::{Band, Batch, Geometry, TILE_GROUPS, Tiling};
use crate::motion::OrderedMotion;
use crate::pool;
use crate::stage::{TileEffort, TiledFrames};

/// Samples of the largest plane in a band, about: bands of that size stay in a core's cache.
const BAND_SAMPLES: usize = 1 << 16;
/// Raw bytes of a segment, about.
const SEGMENT_BYTES: usize = 3 << 19;
/// The same without tables, which lose nothing by short segments: residuals are packed while they are in the cache.
const PACKED_SEGMENT_BYTES: usize = 1 << 18;
/// Raw bytes that are taken to choose the colour transform, about, for each; of small batches a part.
const COLOUR_BYTES: usize = 1 << 18;
const COLOUR_PART: usize = 16;
/// Least raw bytes that tables are made from, if there are as many.
const TABLE_BYTES: usize = 3 << 19;
/// Raw bytes that are taken where no tables are needed; of small batches a part.
const PACKED_BYTES: usize = 1 << 19;
const PACKED_PART: usize = 8;
/// Part of a batch that tables are made from.
const TABLE_PART: usize = 32;

/// A plan with what only the encoder knows.
#[derive(Clone)]
pub struct TileChoice {
    /// The plan.
    pub plan: TilePlan,
    /// Which class of groups has which table, where there are tables.
    pub classes: Option<TileClasses>,
    /// Predictors to try.
    pub effort: TileEffort,
    /// How frames move, if the plan says that they do.
    pub motion: Option<Arc<OrderedMotion>>,
    /// Bits that a sample of `sampled_bytes` raw bytes needs, about.
    pub bits: u64,
    /// Raw bytes of the sample.
    pub sampled_bytes: usize,
}

/// The plan of a batch that [suits](Tiling::suits): with tables, or `packed`, which is taken to be a third larger.
pub fn choose_tiles(batch: Batch<'_>, effort: TileEffort, packed: bool, cpu: &CpuBackend) -> Result<TileChoice> {
    let geometry = batch.geometry;
    let Pieces { bands, band_bytes, of_ways, of_tables } = Pieces::of(geometry, packed);
    let ways = ways(geometry);
    let mut best = (u64::MAX, ways[0]);
    if ways.len() > 1 {
        for &(colour, split_chroma) in ways {
            let tiling = Tiling::new(geometry, bands, split_chroma);
            let pieces = pieces(geometry, bands, of_ways).collect();
            let bits = count(batch, &tiling, colour, TileEffort::Few, None, pieces, cpu)?.bits();
            if bits < best.0 {
                best = (bits, (colour, split_chroma));
            }
        }
    }
    let (colour, split_chroma) = best.1;
    let tiling = Tiling::new(geometry, bands, split_chroma);
    let counts = count(batch, &tiling, colour, effort, None, pieces(geometry, bands, of_tables).collect(), cpu)?;
    let segment_bytes = if packed { PACKED_SEGMENT_BYTES } else { SEGMENT_BYTES };
    let segment_frames = (segment_bytes / band_bytes).clamp(1, geometry.frames) as u32;
    let (coding, classes, bits) = if packed {
        (TileCoding::Packed, None, counts.bits() / 3 * 4)
    } else {
        let (tables, classes) = counts.tables();
        (TileCoding::Tables(tables), Some(classes), counts.bits())
    };
    let plan = TilePlan { colour, split_chroma, bands: bands as u32, segment_frames, moves: false, coding };
    Ok(TileChoice { plan, classes, effort, motion: None, bits, sampled_bytes: of_tables * band_bytes })
}

/// The bytes that [`choose_tiles`] looks at, of frames without gaps.
pub(crate) fn places(geometry: &Geometry, packed: bool) -> Vec<Range<usize>> {
    let Pieces { bands, of_ways, of_tables, .. } = Pieces::of(geometry, packed);
    let ways = ways(geometry);
    let counts: &[usize] = if ways.len() > 1 { &[of_ways, of_tables] } else { &[of_tables] };
    let mut places = Vec::new();
    for &(_, split_chroma) in ways {
        let tiling = Tiling::new(geometry, bands, split_chroma);
        for (band, frame) in counts.iter().flat_map(|&count| pieces(geometry, bands, count)) {
            for frame in frame.saturating_sub(1)..=frame {
                places.extend(band_places(geometry, &tiling, &tiling.bands[band], frame));
            }
        }
    }
    places
}

/// Colour transforms and splits of chroma to choose among.
fn ways(geometry: &Geometry) -> &'static [(Colour, bool)] {
    if geometry.colour {
        &[(Colour::None, false), (Colour::SubtractGreen, false), (Colour::SubtractGreen, true)]
    } else {
        &[(Colour::None, false)]
    }
}

/// How many pieces are counted, each a band of a frame.
pub(super) struct Pieces {
    pub bands: usize,
    pub band_bytes: usize,
    /// To choose a colour transform.
    of_ways: usize,
    /// To make tables of.
    pub of_tables: usize,
}

impl Pieces {
    pub fn of(geometry: &Geometry, packed: bool) -> Self {
        let samples = geometry.planes.iter().map(|plane| plane.frame_samples()).max().unwrap_or(0);
        let bands = (samples / BAND_SAMPLES).clamp(1, Tiling::most_bands(geometry, geometry.colour));
        let band_bytes = (geometry.frame_samples / bands).max(1);
        let raw_bytes = geometry.raw_bytes();
        let table_bytes = match packed {
            true => PACKED_BYTES.min(raw_bytes / PACKED_PART),
            false => TABLE_BYTES.max(raw_bytes / TABLE_PART),
        };
        Self {
            bands,
            band_bytes,
            of_ways: (COLOUR_BYTES.min(raw_bytes / COLOUR_PART) / band_bytes).max(2),
            of_tables: (table_bytes / band_bytes).clamp(1, bands * geometry.frames),
        }
    }
}

/// The band and the frame of each of so many pieces: bands take turns; frames are spread evenly, from the first one.
pub(super) fn pieces(geometry: &Geometry, bands: usize, count: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
    let frames = geometry.frames;
    (0..count).map(move |at| (at % bands, at * frames / count))
}

/// Counts the residuals of pieces.
pub(super) fn count(
    batch: Batch<'_>,
    tiling: &Tiling,
    colour: Colour,
    effort: TileEffort,
    motion: Option<&OrderedMotion>,
    pieces: Vec<(usize, usize)>,
    cpu: &CpuBackend,
) -> Result<TileCounts> {
    let geometry = batch.geometry;
    let parts = pool::map(cpu.crew(), pieces, |(band, frame): (usize, usize)| {
        let band = &tiling.bands[band];
        let mut state = BandState::new(cpu.simd(), colour, geometry, tiling, band);
        let raw_frame = |frame: usize| &batch.raw[frame * geometry.frame_samples..];
        match motion {
            Some(motion) => {
                let step = motion.steps().iter().position(|step| step.frame == frame).unwrap_or(0);
                if let Some(expected) = motion.expectation(step, raw_frame) {
                    state.expect(geometry, &expected);
                }
            }
            None if frame > 0 => state.see(&band_slices(geometry, tiling, band, batch.raw, frame - 1)),
            None => {}
        }
        let mut frames = TiledFrames::default();
        state.forward(effort, &band_slices(geometry, tiling, band, batch.raw, frame), &[], &mut frames);
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
    band_places(geometry, tiling, band, frame).map(|place| &raw[place]).collect()
}

/// Where they are.
fn band_places(geometry: &Geometry, tiling: &Tiling, band: &Band, frame: usize) -> impl Iterator<Item = Range<usize>> {
    let frame = frame * geometry.frame_samples;
    tiling.regions.iter().zip(&band.rows).map(move |(region, rows)| {
        let row = |row: usize| frame + region.offset + row * region.row_samples;
        row(rows.start)..row(rows.end)
    })
}

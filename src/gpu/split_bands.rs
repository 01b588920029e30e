//! Tiles of frames beyond what a device can bind: some bands of all frames after the others. Bands know nothing of one
//! another, so each run of them is a batch of its own.

use std::borrow::Cow;
use std::ops::Range;

use super::engine::Engine;
use super::parts::with_least_frames;
use super::record_coded::Encoding;
use super::record_packed::{self, Packing};
use super::record_tiles::RawFrames;
use super::rows::Rows;
use super::{record_decoded, split_tiles};
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::error::{Error, Result};
use crate::frame::{Batch, Geometry, TILE_GROUPS, Tiling};
use crate::plan::TilePlan;
use crate::stage::{CodedTiles, PackedTiles, TileEffort};

/// Some bands of all frames.
struct Run<'a> {
    rows: Rows<'a>,
    /// That of the batch for these bands.
    plan: TilePlan,
    /// The tiles among those of all bands.
    tiles: Range<usize>,
    /// Likewise the segments.
    segments: Range<usize>,
}

/// Raw frames to packed tiles.
pub(super) fn pack(
    engine: &Engine,
    batch: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
) -> Result<PackedTiles<'static>> {
    let check = |run: &Run<'_>| {
        let geometry = least_frames(run);
        let packing = Packing::new(RawFrames::Uploaded, &geometry, &run.plan, effort);
        engine.check(packing.map(|packing| packing.recording), geometry.raw_bytes())
    };
    let mut whole = PackedTiles::default();
    for Run { rows, plan, .. } in runs(batch.geometry, plan, check)? {
        let raw = rows.take(batch.raw);
        whole.append(split_tiles::pack(engine, Batch { geometry: &rows.geometry, raw: &raw }, &plan, effort)?);
    }
    Ok(whole)
}

/// Packed tiles to raw frames.
pub(super) fn unpack(
    engine: &Engine,
    geometry: &Geometry,
    plan: &TilePlan,
    packed: &PackedTiles<'_>,
    raw: &mut [u8],
) -> Result<()> {
    let check = |run: &Run<'_>| check_bytes(engine, record_packed::most_bytes((&least_frames(run)).into(), &run.plan));
    for Run { rows, plan, tiles, segments } in runs(geometry, plan, check)? {
        let own = PackedTiles {
            predictors: packed.predictors[tiles.clone()].to_vec(),
            widths: packed.widths[tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS].to_vec(),
            numbers: packed.numbers[segments].iter().map(|numbers| Cow::Borrowed(&**numbers)).collect(),
        };
        let mut own_raw = vec![0; rows.geometry.raw_bytes()];
        split_tiles::unpack(engine, (&rows.geometry).into(), &plan, &own, &mut own_raw)?;
        rows.put(&own_raw, raw);
    }
    Ok(())
}

/// Raw frames to coded tiles.
pub(super) fn encode(
    engine: &Engine,
    batch: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
    tables: &TileEncoderTables,
) -> Result<CodedTiles<'static>> {
    let check = |run: &Run<'_>| {
        let geometry = least_frames(run);
        let encoding = Encoding::new(&geometry, &run.plan, effort, tables, None);
        engine.check(encoding.map(|encoding| encoding.recording), geometry.raw_bytes())
    };
    let mut whole = CodedTiles::default();
    for Run { rows, plan, .. } in runs(batch.geometry, plan, check)? {
        let raw = rows.take(batch.raw);
        let batch = Batch { geometry: &rows.geometry, raw: &raw };
        whole.append(split_tiles::encode(engine, batch, &plan, effort, tables, None)?);
    }
    Ok(whole)
}

/// Coded tiles, of whose segments `groups` are coded, to raw frames.
pub(super) fn decode(
    engine: &Engine,
    geometry: &Geometry,
    plan: &TilePlan,
    tables: &TileDecoderTables,
    (coded, groups): (&CodedTiles<'_>, &[usize]),
    raw: &mut [u8],
) -> Result<()> {
    let check = |run: &Run<'_>| {
        let escapes = coded.segments[run.segments.clone()].iter().map(|segment| segment.escapes.len()).sum();
        check_bytes(engine, record_decoded::most_bytes((&least_frames(run)).into(), &run.plan, escapes))
    };
    for Run { rows, plan, tiles, segments } in runs(geometry, plan, check)? {
        let own = CodedTiles {
            predictors: coded.predictors[tiles.clone()].to_vec(),
            classes: coded.classes[tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS].to_vec(),
            segments: coded.segments[segments.clone()].to_vec(),
        };
        let mut own_raw = vec![0; rows.geometry.raw_bytes()];
        let own = (&own, &groups[segments]);
        split_tiles::decode(engine, ((&rows.geometry).into(), None), &plan, tables, own, &mut own_raw)?;
        rows.put(&own_raw, raw);
    }
    Ok(())
}

/// Why frames that move are not done in runs: what is expected of a band is made from all bands of the frame before.
pub(super) fn moves() -> Error {
    Error::gpu("batch too large: a segment of frames that move is more than the device can bind")
}

/// The least frames that a run can have in a part: a segment, and the frame before.
fn least_frames(run: &Run<'_>) -> Geometry {
    with_least_frames(&run.rows.geometry, run.plan.segment_frames as usize, 1)
}

fn check_bytes(engine: &Engine, bytes: u64) -> Result<()> {
    let largest = engine.largest_buffer();
    if bytes > largest {
        return Err(Error::gpu(format!(
            "batch too large: a buffer of {bytes} bytes is needed for a band, the device has at most {largest}"
        )));
    }
    Ok(())
}

/// Cuts all bands but one alone into runs that each pass `check`, and are cut by themselves as they are within the whole.
///
/// # Errors
/// What `check` says of one band, or that there is just one.
fn runs<'a>(geometry: &'a Geometry, plan: &TilePlan, check: impl Fn(&Run<'_>) -> Result<()>) -> Result<Vec<Run<'a>>> {
    let tiling = plan.tiling(geometry);
    let bands = tiling.bands.len();
    if bands < 2 {
        return Err(Error::gpu("batch too large: a segment of its only band is more than the device can bind"));
    }
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut first = 0;
    while first < bands {
        let mut count = (bands - first).min(bands / 2);
        let run = loop {
            let before = runs.last().map_or((0, 0), |run| (run.tiles.end, run.segments.end));
            let run = run_of(geometry, plan, &tiling, first..first + count, before);
            match check(&run) {
                Ok(()) if is_cut_alike(&run, &tiling, first) => break run,
                Err(error) if count == 1 => return Err(error),
                _ => count = count.div_ceil(2),
            }
        };
        runs.push(run);
        first += count;
    }
    Ok(runs)
}

fn run_of<'a>(
    geometry: &'a Geometry,
    plan: &TilePlan,
    tiling: &Tiling,
    bands: Range<usize>,
    (first_tile, first_segment): (usize, usize),
) -> Run<'a> {
    let tiles: usize = tiling.bands[bands.clone()].iter().map(|band| band.tiles() * geometry.frames).sum();
    let segments = bands.len() * plan.segments(geometry);
    Run {
        rows: Rows::of_bands(geometry, tiling, &bands),
        plan: TilePlan { bands: bands.len() as u32, ..plan.clone() },
        tiles: first_tile..first_tile + tiles,
        segments: first_segment..first_segment + segments,
    }
}

/// Whether the bands of a run, of which `first` is the first, have the rows that they have within the whole. One band has.
fn is_cut_alike(run: &Run<'_>, tiling: &Tiling, first: usize) -> bool {
    let own = run.plan.tiling(&run.rows.geometry).bands;
    own.iter().zip(&tiling.bands[first..]).all(|(own, of_whole)| {
        let regions = own.rows.iter().zip(&of_whole.rows).zip(&run.rows.rows);
        regions
            .into_iter()
            .all(|((own, of_whole), rows)| own.start + rows.start == of_whole.start && own.len() == of_whole.len())
    })
}

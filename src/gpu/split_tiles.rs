//! Tiles on a device, in parts where a batch is too large for it.

use std::ops::Range;

use super::engine::Engine;
use super::parts::{Part, parts, with_frames};
use super::record_coded::Encoding;
use super::record_decoded::{self, Decoding};
use super::record_tiles;
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, TILE, TILE_GROUPS, TILE_SAMPLES, Tiling};
use crate::plan::{TileCut, TilePlan, TilePredictor};
use crate::stage::{CodedTiles, TileBatch, TileEffort};

/// Samples in a row of a group.
const GROUP_ROW: usize = TILE / 2;

/// Raw frames to tiles.
pub(super) fn forward(
    engine: &Engine,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
    out: &mut TileBatch,
) -> Result<()> {
    let Batch { geometry, raw } = batch;
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        engine.fits(record_tiles::forward(&geometry, cut, effort), geometry.raw_bytes())
    };
    let parts = parts(geometry.frames, 1, 1, fits);
    if parts.len() == 1 {
        return engine.execute(&record_tiles::forward(geometry, cut, effort)?, raw, out.as_bytes_mut());
    }
    let tiling = cut.tiling(geometry);
    for part in parts {
        let of_part = part.geometry(geometry);
        let raw = &raw[part.bytes(geometry.frame_samples)];
        let mut tiles = TileBatch::default();
        tiles.resize_for_overwrite(tiling.tiles() * of_part.frames);
        engine.execute(&record_tiles::forward(&of_part, cut, effort)?, raw, tiles.as_bytes_mut())?;
        let (from, to) = (part.lead..of_part.frames, part.frames.start);
        copy_frames(&tiling, (&tiles, of_part.frames), from, (out, geometry.frames), to);
    }
    Ok(())
}

/// Tiles to raw frames.
pub(super) fn inverse(
    engine: &Engine,
    geometry: &Geometry,
    cut: TileCut,
    tiles: &TileBatch,
    raw: &mut [u8],
) -> Result<()> {
    let tiling = cut.tiling(geometry);
    let fits = |frames: usize| {
        let recording = record_tiles::inverse(&with_frames(geometry, frames), cut);
        engine.fits(recording, TileBatch::bytes_of(tiling.tiles() * frames))
    };
    let parts = parts(geometry.frames, 1, 1, fits);
    if parts.len() == 1 {
        return engine.execute(&record_tiles::inverse(geometry, cut)?, tiles.as_bytes(), raw);
    }
    let mut before = None;
    for part in parts {
        let of_part = part.geometry(geometry);
        let mut own = TileBatch::default();
        own.resize_for_overwrite(tiling.tiles() * of_part.frames);
        if let Some(before) = &before {
            copy_frames(&tiling, (before, 1), 0..1, (&mut own, of_part.frames), 0);
        }
        copy_frames(&tiling, (tiles, geometry.frames), part.frames.clone(), (&mut own, of_part.frames), part.lead);
        let (recording, samples) = record_tiles::inverse_by_samples(&of_part, cut)?;
        let mut rest = recording.continuation();
        if part.frames.end < geometry.frames {
            record_tiles::download_last(&mut rest, 0, samples, &of_part, &tiling);
        }
        let raw = &mut raw[part.bytes(geometry.frame_samples)];
        before = Some(of_samples(&engine.execute_in_two(&recording, own.as_bytes(), raw, |_| Ok(rest))?));
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
    let Batch { geometry, raw } = batch;
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        let recording = Encoding::new(&geometry, plan, effort, tables).map(|encoding| encoding.recording);
        engine.fits(recording, geometry.raw_bytes())
    };
    // Segments are not cut.
    let parts = parts(geometry.frames, plan.segment_frames as usize, 1, fits);
    let encode = |part: &Part| {
        let encoding = Encoding::after(part.lead, &part.geometry(geometry), plan, effort, tables)?;
        let mut head = vec![0; encoding.head_bytes()];
        let mut ends = Vec::new();
        let raw = &raw[part.bytes(geometry.frame_samples)];
        let rest = engine.execute_in_two(&encoding.recording, raw, &mut head, |head| {
            ends = encoding.ends(head)?;
            Ok(encoding.rest(&ends))
        })?;
        encoding.coded(&head, &ends, &rest)
    };
    let mut coded = parts.iter().map(encode).collect::<Result<Vec<_>>>()?;
    if parts.len() == 1 {
        return Ok(coded.remove(0));
    }
    let mut whole = CodedTiles::default();
    for (at, band) in plan.tiling(geometry).bands.iter().enumerate() {
        for (part, coded) in parts.iter().zip(&mut coded) {
            // What is taken of the band before is no longer there.
            let tiles = |frames: usize| frames * band.tiles();
            let (lead, own) = (tiles(part.lead), tiles(part.frames.len()));
            whole.predictors.extend(coded.predictors.drain(..lead + own).skip(lead));
            let classes = coded.classes.drain(..(lead + own) * TILE_GROUPS);
            whole.classes.extend(classes.skip(lead * TILE_GROUPS));
            let segments = segments(part.frames.clone(), plan);
            let of_part = segments.len();
            whole.segments.extend_from_slice(&coded.segments[at * of_part..][..of_part]);
        }
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
    let tiling = plan.tiling(geometry);
    let escapes = coded.segments.iter().map(|segment| segment.escapes.len()).sum();
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        record_decoded::most_bytes(&geometry, plan, escapes) <= engine.largest_buffer()
    };
    let whole = Decoding::new(geometry, plan, tables, coded, groups);
    let is_whole = engine.fits(whole.as_ref().map(|it| &it.recording), Decoding::input_bytes(coded));
    let fits = |frames| frames < geometry.frames && fits(frames) || is_whole;
    let parts = parts(geometry.frames, plan.segment_frames as usize, 1, fits);
    if parts.len() == 1 {
        let decoding = whole?;
        let ends = engine.execute_in_two(&decoding.recording, &Decoding::input(coded), raw, |_| Ok(decoding.rest()))?;
        return Decoding::check(coded, &ends);
    }
    drop(whole);
    let mut before = None;
    for part in parts {
        let (own, its_groups) = part_of(geometry, plan, &tiling, (coded, groups), &part, before.as_ref());
        let of_part = part.geometry(geometry);
        let decoding = Decoding::after(before.as_ref(), &of_part, plan, tables, &own, &its_groups)?;
        let mut rest = decoding.rest();
        let ends = rest.download_bytes() as usize;
        if part.frames.end < geometry.frames {
            record_tiles::download_last(&mut rest, ends, decoding.samples, &of_part, &tiling);
        }
        let raw = &mut raw[part.bytes(geometry.frame_samples)];
        let rest = engine.execute_in_two(&decoding.recording, &Decoding::input(&own), raw, |_| Ok(rest))?;
        Decoding::check(&own, &rest[..ends])?;
        before = Some(of_samples(&rest[ends..]));
    }
    Ok(())
}

/// The coded tiles of a part, and how many groups are coded of each of its segments. The frame before has those of `before`,
/// none of which is coded.
fn part_of<'a>(
    geometry: &Geometry,
    plan: &TilePlan,
    tiling: &Tiling,
    (coded, groups): (&CodedTiles<'a>, &[usize]),
    part: &Part,
    before: Option<&TileBatch>,
) -> (CodedTiles<'a>, Vec<usize>) {
    let (mut own, mut its_groups) = (CodedTiles::default(), Vec::new());
    let (mut first, mut before) = (0, before.map_or(&[][..], TileBatch::predictors));
    for (at, band) in tiling.bands.iter().enumerate() {
        let lead = before.split_off(..part.lead * band.tiles()).unwrap_or_default();
        let tiles = first + part.frames.start * band.tiles()..first + part.frames.end * band.tiles();
        own.predictors.extend(lead);
        own.classes.extend(std::iter::repeat_n(0, lead.len() * TILE_GROUPS));
        own.classes.extend(&coded.classes[tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS]);
        own.predictors.extend(&coded.predictors[tiles]);
        let segments = segments(part.frames.clone(), plan);
        let of_band = at * plan.segments(geometry);
        own.segments.extend_from_slice(&coded.segments[of_band + segments.start..of_band + segments.end]);
        its_groups.extend(&groups[of_band + segments.start..of_band + segments.end]);
        first += geometry.frames * band.tiles();
    }
    (own, its_groups)
}

/// The segments of each band that frames are in, which begin with one.
fn segments(frames: Range<usize>, plan: &TilePlan) -> Range<usize> {
    let of_segment = plan.segment_frames as usize;
    frames.start / of_segment..frames.end.div_ceil(of_segment)
}

/// Tiles of one frame that have these samples, as those of a first frame. What they have beyond their planes counts too.
fn of_samples(samples: &[u8]) -> TileBatch {
    let mut tiles = TileBatch::default();
    tiles.resize_for_overwrite(samples.len() / TILE_SAMPLES);
    let (predictors, groups) = tiles.parts_mut();
    // All samples before a first frame are 0.
    predictors.fill(TilePredictor::Previous as u8);
    for (tile, groups) in samples.as_chunks::<TILE_SAMPLES>().0.iter().zip(groups.as_chunks_mut::<TILE_GROUPS>().0) {
        for (at, residual) in groups.as_flattened_mut().iter_mut().enumerate() {
            let (group, row, column) = (at / GROUP, at % GROUP / GROUP_ROW, at % GROUP_ROW);
            let sample = tile[(group / 2 * GROUP_ROW + row) * TILE + group % 2 * GROUP_ROW + column];
            *residual = sample << 1 ^ (sample as i8 >> 7) as u8;
        }
    }
    tiles
}

/// Copies tiles of some frames of a batch to frames from `to_frame` on of another; both say how many frames they have.
fn copy_frames(
    tiling: &Tiling,
    (from, from_frames): (&TileBatch, usize),
    frames: Range<usize>,
    (to, to_frames): (&mut TileBatch, usize),
    to_frame: usize,
) {
    let bands = from.bands(tiling, from_frames).into_iter().zip(to.bands_mut(tiling, to_frames));
    for (band, ((predictors, groups), (to_predictors, to_groups))) in tiling.bands.iter().zip(bands) {
        let tiles = frames.start * band.tiles()..frames.end * band.tiles();
        let (first, count) = (to_frame * band.tiles(), tiles.len());
        let of_tiles = tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS;
        to_predictors[first..first + count].copy_from_slice(&predictors[tiles]);
        to_groups[first * TILE_GROUPS..(first + count) * TILE_GROUPS].copy_from_slice(&groups[of_tiles]);
    }
}

//! Tiles on a device, in parts where a batch is too large for it.

use std::borrow::Cow;
use std::ops::Range;

use super::engine::Engine;
use super::parts::{Part, parts, with_frames};
use super::record_coded::Encoding;
use super::record_decoded::{self, Decoding};
use super::record_packed::{self, Packing, Unpacking};
use super::record_tiles::{self, RawFrames};
use super::{split_bands, split_recovered};
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, TILE, TILE_GROUPS, TILE_SAMPLES, Tiling};
use crate::motion::Motion;
use crate::plan::{TilePlan, TilePredictor};
use crate::stage::{CodedTiles, PackedTiles, Restored, TileBatch, TileEffort};

/// Samples in a row of a group.
const GROUP_ROW: usize = TILE / 2;

/// Raw frames to packed tiles.
pub(super) fn pack(
    engine: &Engine,
    batch: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
) -> Result<PackedTiles<'static>> {
    let Batch { geometry, raw } = batch;
    let packing = |geometry: &Geometry| Packing::new(RawFrames::Uploaded, geometry, plan, effort);
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        engine.fits(packing(&geometry).map(|packing| packing.recording), geometry.raw_bytes())
    };
    let Some(parts) = parts(geometry.frames, plan.segment_frames as usize, 1, fits) else {
        return split_bands::pack(engine, batch, plan, effort);
    };
    let pack = |part: &Part| {
        let of_part = part.geometry(geometry);
        let packing = packing(&of_part)?;
        let mut head = vec![0; packing.head_bytes()];
        let raw = &raw[part.bytes(geometry.frame_samples)];
        let rest = engine.execute_in_two(&packing.recording, raw, &mut head, |head| packing.rest(head))?;
        Packing::packed(part.lead, &of_part, plan, &head, &rest)
    };
    let mut packed = parts.iter().map(pack).collect::<Result<Vec<_>>>()?;
    if parts.len() == 1 {
        return Ok(packed.remove(0));
    }
    let mut whole = PackedTiles::default();
    for band in &plan.tiling(geometry).bands {
        for (part, packed) in parts.iter().zip(&mut packed) {
            // What is taken of the band before is no longer there.
            let tiles = part.frames.len() * band.tiles();
            whole.predictors.extend(packed.predictors.drain(..tiles));
            whole.widths.extend(packed.widths.drain(..tiles * TILE_GROUPS));
            let of_part = segments(part.frames.clone(), plan).len();
            whole.numbers.extend(packed.numbers.drain(..of_part));
        }
    }
    Ok(whole)
}

/// Packed tiles to raw frames.
pub(super) fn unpack(
    engine: &Engine,
    restored: Restored<'_>,
    plan: &TilePlan,
    packed: &PackedTiles<'_>,
    raw: &mut [u8],
) -> Result<()> {
    let geometry = &*restored.tiled();
    let tiling = plan.tiling(geometry);
    let whole = Unpacking::new(restored, plan, packed);
    let is_whole = engine.fits(whole.as_ref().map(|it| &it.recording), Unpacking::input_bytes(packed));
    let fits = |frames: usize| {
        let of_part = with_frames(restored.geometry, frames);
        let most_bytes = || record_packed::most_bytes(Restored { geometry: &of_part, ..restored }, plan);
        is_whole || frames < geometry.frames && most_bytes() <= engine.largest_buffer()
    };
    let Some(parts) = parts(geometry.frames, plan.segment_frames as usize, 1, fits) else {
        let Some(making) = restored.making else {
            return split_bands::unpack(engine, geometry, plan, packed, raw);
        };
        return split_recovered::after_planes(engine, (restored.geometry, making), raw, |planes| {
            unpack(engine, geometry.into(), plan, packed, planes)
        });
    };
    if parts.len() == 1 {
        return engine.execute(&whole?.recording, &Unpacking::input(packed), raw);
    }
    drop(whole);
    let mut before = None;
    for part in parts {
        let own = packed_part(geometry, plan, &tiling, packed, &part, before.as_ref());
        let of_part = part.geometry(geometry);
        let raw_part = Restored { geometry: &part.geometry(restored.geometry), ..restored };
        let unpacking = Unpacking::new(raw_part, plan, &own)?;
        let mut rest = unpacking.recording.continuation();
        if part.frames.end < geometry.frames {
            record_tiles::download_last(&mut rest, 0, unpacking.samples, &of_part, &tiling);
        }
        let raw = &mut raw[part.bytes(restored.geometry.frame_samples)];
        let last = engine.execute_in_two(&unpacking.recording, &Unpacking::input(&own), raw, |_| Ok(rest))?;
        before = Some(of_samples(&last));
    }
    Ok(())
}

/// The packed tiles of a part. Numbers of eight bits are residuals as they are: so are those of the frame before.
fn packed_part<'a>(
    geometry: &Geometry,
    plan: &TilePlan,
    tiling: &Tiling,
    packed: &'a PackedTiles<'_>,
    part: &Part,
    before: Option<&'a TileBatch>,
) -> PackedTiles<'a> {
    const EIGHT_BITS: u16 = 0x8888;
    let mut own = PackedTiles::default();
    let mut before = before.map(|before| before.bands(tiling, 1)).unwrap_or_default().into_iter();
    let mut first = 0;
    for (at, band) in tiling.bands.iter().enumerate() {
        if let Some((predictors, groups)) = before.next() {
            own.predictors.extend(predictors);
            own.widths.extend(groups.iter().map(|_| EIGHT_BITS));
            own.numbers.push(groups.as_flattened().into());
        }
        let tiles = first + part.frames.start * band.tiles()..first + part.frames.end * band.tiles();
        own.widths.extend(&packed.widths[tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS]);
        own.predictors.extend(&packed.predictors[tiles]);
        let of_band = at * plan.segments(geometry);
        let segments = segments(part.frames.clone(), plan);
        let numbers = &packed.numbers[of_band + segments.start..of_band + segments.end];
        own.numbers.extend(numbers.iter().map(|numbers| Cow::Borrowed(&**numbers)));
        first += geometry.frames * band.tiles();
    }
    own
}

/// Raw frames to coded tiles.
pub(super) fn encode(
    engine: &Engine,
    batch: Batch<'_>,
    plan: &TilePlan,
    effort: TileEffort,
    tables: &TileEncoderTables,
    motion: Option<&Motion>,
) -> Result<CodedTiles<'static>> {
    let Batch { geometry, raw } = batch;
    let fits = |frames: usize| {
        let geometry = with_frames(geometry, frames);
        let motion = motion.map(|motion| motion.of_frames(0..frames));
        let encoding = Encoding::new(&geometry, plan, effort, tables, motion.as_ref());
        let recording = encoding.map(|encoding| encoding.recording);
        engine.fits(recording, geometry.raw_bytes())
    };
    // Segments are not cut.
    let Some(parts) = parts(geometry.frames, plan.segment_frames as usize, 1, fits) else {
        return match motion {
            None => split_bands::encode(engine, batch, plan, effort, tables),
            Some(_) => Err(split_bands::moves()),
        };
    };
    let encode = |part: &Part| {
        let motion = motion.map(|motion| motion.of_frames(part.with_lead()));
        let encoding = Encoding::after(part.lead, &part.geometry(geometry), plan, effort, tables, motion.as_ref())?;
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
    (restored, motion): (Restored<'_>, Option<&Motion>),
    plan: &TilePlan,
    tables: &TileDecoderTables,
    (coded, groups): (&CodedTiles<'_>, &[usize]),
    raw: &mut [u8],
) -> Result<()> {
    let geometry = &*restored.tiled();
    let tiling = plan.tiling(geometry);
    let escapes = coded.segments.iter().map(|segment| segment.escapes.len()).sum();
    let fits = |frames: usize| {
        let of_part = with_frames(restored.geometry, frames);
        record_decoded::most_bytes(Restored { geometry: &of_part, ..restored }, plan, escapes)
            <= engine.largest_buffer()
    };
    let whole = Decoding::new(restored, plan, tables, coded, groups, motion);
    let is_whole = engine.fits(whole.as_ref().map(|it| &it.recording), Decoding::input_bytes(coded));
    let fits = |frames| frames < geometry.frames && fits(frames) || is_whole;
    let Some(parts) = parts(geometry.frames, plan.segment_frames as usize, 1, fits) else {
        return match (restored.making, motion) {
            (Some(making), _) => split_recovered::after_planes(engine, (restored.geometry, making), raw, |planes| {
                decode(engine, (geometry.into(), motion), plan, tables, (coded, groups), planes)
            }),
            (None, None) => split_bands::decode(engine, geometry, plan, tables, (coded, groups), raw),
            (None, Some(_)) => Err(split_bands::moves()),
        };
    };
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
        let motion = motion.map(|motion| motion.of_frames(part.with_lead()));
        let raw_part = Restored { geometry: &part.geometry(restored.geometry), ..restored };
        let decoding = Decoding::after(before.as_ref(), raw_part, plan, tables, &own, &its_groups, motion.as_ref())?;
        let mut rest = decoding.rest();
        let ends = rest.download_bytes() as usize;
        if part.frames.end < geometry.frames {
            record_tiles::download_last(&mut rest, ends, decoding.samples, &of_part, &tiling);
        }
        let raw = &mut raw[part.bytes(restored.geometry.frame_samples)];
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

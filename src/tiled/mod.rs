//! The tiled path: bands are jobs of their own, from raw rows to packed segments and back.
//!
//! On the CPU a band goes from rows to segments, and back, while it is in the cache; a device has the tiles of the
//! whole batch at once. Bands that move are decoded frame by frame ([`moving`]). Those of recovered planes go on to be pixels
//! ([`pixels`]).

mod moving;
mod pixels;

pub use self::pixels::converts;
use crate::codec::model::vectors;
use crate::codec::{DecodedTiles, TileDecoder, TileDecoderTables, TileEncoder, TileEncoderTables, packed_tiles};
use crate::cpu::frame_sums::{self, FrameSums, Output};
use crate::cpu::tiles::BandState;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::{Band, Batch, GROUP, Geometry, TILE_GROUPS, Tiling, WorkBuffer};
use crate::motion::order::{Order, Step};
use crate::motion::{Motion, OrderedMotion};
use crate::part::Part;
use crate::plan::{Making, TileChoice, TileCoding, TilePlan, band_slices};
use crate::pool::{self, Spares};
use crate::stage::{Backend, CodedTiles, PackedTiles, Resident, Restored, TileBatch, TiledFrames, spread};

/// The packed segments of a batch, band by band, and the plan. Those of frames that move come after the vectors. On the CPU,
/// `sums` of the batch are taken on the way.
pub fn encode(
    batch: Batch<'_>,
    choice: TileChoice,
    backend: &dyn Backend,
    cpu: &CpuBackend,
    sums: Option<&FrameSums>,
) -> Result<(TilePlan, Vec<Vec<u8>>)> {
    // Devices code frames in turn.
    if backend.is_cpu() || choice.motion.as_ref().is_some_and(|motion| !motion.order().is_in_turn()) {
        return encode_tiles(batch, choice, None, cpu, sums);
    }
    let tables = encoder_tables(&choice);
    let TileChoice { plan, effort, motion, .. } = choice;
    let segments = match &tables {
        Some(tables) => {
            let in_turn = motion.as_ref().and_then(|motion| motion.turns());
            let coded = backend.tiles_encode(batch, &plan, effort, tables, in_turn.as_ref())?;
            segments_of_coded(batch.geometry, &plan, tables, coded, cpu)?
        }
        None => {
            let packed = backend.tiles_pack(batch, &plan, effort)?;
            segments_of_packed(batch.geometry, &plan, &packed, cpu)?
        }
    };
    Ok((plan, after_vectors(motion.as_deref(), segments, cpu)))
}

/// The same of frames that are on a device and do not move.
pub fn encode_resident(
    geometry: &Geometry,
    frames: &dyn Resident,
    choice: TileChoice,
    cpu: &CpuBackend,
) -> Result<(TilePlan, Vec<Vec<u8>>)> {
    let segments = match encoder_tables(&choice) {
        Some(tables) => {
            let coded = frames.tiles_encode(geometry, &choice.plan, choice.effort, &tables)?;
            segments_of_coded(geometry, &choice.plan, &tables, coded, cpu)?
        }
        None => {
            let packed = frames.tiles_pack(geometry, &choice.plan, choice.effort)?;
            segments_of_packed(geometry, &choice.plan, &packed, cpu)?
        }
    };
    Ok((choice.plan, segments))
}

/// Segments, after the vectors if there are any.
fn after_vectors(motion: Option<&OrderedMotion>, segments: Vec<Vec<u8>>, cpu: &CpuBackend) -> Vec<Vec<u8>> {
    let vectors = motion.map(|motion| vectors::encode_ordered(cpu.simd(), motion.order(), motion.moved.clone()).0);
    vectors.into_iter().chain(segments).collect()
}

/// The packed segments of tiles that are packed, band by band: the CPU writes their widths.
fn segments_of_packed(
    geometry: &Geometry,
    plan: &TilePlan,
    packed: &PackedTiles<'_>,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let segments = packed.bands(geometry, plan, &plan.tiling(geometry)).into_iter().flatten().collect();
    pool::map(cpu.crew(), segments, |segment| {
        let mut packed = Vec::new();
        packed_tiles::put(cpu.simd(), segment, &mut packed);
        Ok(packed)
    })
}

/// The packed segments of coded tiles, band by band: the CPU codes what is adaptive.
fn segments_of_coded(
    geometry: &Geometry,
    plan: &TilePlan,
    tables: &TileEncoderTables,
    mut coded: CodedTiles<'_>,
    cpu: &CpuBackend,
) -> Result<Vec<Vec<u8>>> {
    let tiling = plan.tiling(geometry);
    let jobs = tiling.bands.iter().zip(coded.bands(geometry, plan, &tiling)).collect();
    let bands = pool::map(cpu.crew(), jobs, |(band, segments)| {
        let mut encoder = TileEncoder::new(cpu.simd(), tables, band);
        let segment = |segment| {
            let mut packed = Vec::new();
            encoder.put(segment, &mut packed)?;
            Ok(packed)
        };
        segments.into_iter().map(segment).collect::<Result<Vec<_>>>()
    })?;
    Ok(bands.into_iter().flatten().collect())
}

/// The tables, where there are any.
pub(crate) fn encoder_tables(choice: &TileChoice) -> Option<TileEncoderTables> {
    match (&choice.plan.coding, &choice.classes) {
        (TileCoding::Tables(tables), Some(classes)) => Some(TileEncoderTables::new(tables, classes.clone())),
        _ => None,
    }
}

/// Codes the tiles of a batch, of frames in turn; `None`: makes them of its rows on the way, and takes `sums` of these.
pub fn encode_tiles(
    batch: Batch<'_>,
    choice: TileChoice,
    tiles: Option<&TileBatch>,
    cpu: &CpuBackend,
    sums: Option<&FrameSums>,
) -> Result<(TilePlan, Vec<Vec<u8>>)> {
    let tables = encoder_tables(&choice);
    let TileChoice { plan, effort, motion, .. } = choice;
    let (geometry, simd) = (batch.geometry, cpu.simd());
    let tiling = plan.tiling(geometry);
    let jobs: Vec<_> = match tiles {
        None => tiling.bands.iter().map(|band| (band, None)).collect(),
        Some(tiles) => tiling.bands.iter().zip(tiles.bands(&tiling, geometry.frames).into_iter().map(Some)).collect(),
    };
    let in_turn = Order::in_turn(geometry.frames).steps();
    let steps: Vec<_> = motion.as_ref().map_or(&in_turn[..], |motion| motion.steps()).iter().enumerate().collect();
    let raw_frame = |frame: usize| &batch.raw[frame * geometry.frame_samples..];
    // A thread codes one band after another in the same memory.
    let coders = Spares::default();
    let bands = pool::map(cpu.crew(), jobs, |(band, tiles)| {
        let known = coders.take();
        let (mut state, mut encoder, mut tiled) = known.unwrap_or_else(|| {
            let encoder = tables.as_ref().map(|tables| TileEncoder::new(simd, tables, band));
            (BandState::new(simd, plan.colour, geometry, &tiling, band), encoder, TiledFrames::default())
        });
        state.turn_to(band, geometry, None);
        if let Some(encoder) = &mut encoder {
            encoder.turn_to(band);
        }
        let mut last_bytes = 0;
        let segment = |of_segment: &[(usize, &Step)]| {
            tiled.clear();
            for &(at, &Step { frame, .. }) in of_segment {
                match tiles {
                    None => {
                        let expected = motion.as_ref().and_then(|motion| motion.expectation(at, raw_frame));
                        if let Some(expected) = expected {
                            state.expect(geometry, &expected);
                        }
                        let rows_of = |frame| band_slices(geometry, &tiling, band, batch.raw, frame);
                        let rows = rows_of(frame);
                        let soon = steps.get(at + 1).map(|(_, next)| rows_of(next.frame)).unwrap_or_default();
                        state.forward(effort, &rows, &soon, &mut tiled);
                        rows.iter().for_each(|rows| frame_sums::add(sums, rows));
                    }
                    Some((predictors, groups)) => {
                        let of_frame = frame * band.tiles()..(frame + 1) * band.tiles();
                        let its_groups = of_frame.start * TILE_GROUPS..of_frame.end * TILE_GROUPS;
                        tiled.extend(&predictors[of_frame], &groups[its_groups]);
                    }
                }
            }
            // Segments of a band are about as long as each other.
            let mut packed = cpu.take_block();
            packed.reserve(last_bytes + last_bytes / 8);
            match &mut encoder {
                Some(encoder) => encoder.encode(&mut tiled, &mut packed)?,
                None => packed_tiles::encode(simd, &tiled, &mut packed),
            }
            last_bytes = packed.len();
            Ok(packed)
        };
        let segments = steps.chunks(plan.segment_frames as usize).map(segment).collect::<Result<Vec<_>>>()?;
        coders.give((state, encoder, tiled));
        Ok(segments)
    })?;
    let segments = bands.into_iter().flatten().collect();
    Ok((plan, after_vectors(motion.as_deref(), segments, cpu)))
}

/// Restores a part of the raw frames of a batch from its segments, and the vectors before them. On the CPU, those of later
/// frames are not looked at, and those of other bands only if frames move.
///
/// # Errors
/// Corrupt if a segment is not what the plan says.
pub fn decode(
    geometry: &Geometry,
    plan: &TilePlan,
    segments: &[&[u8]],
    part: &Part,
    output: Output<'_>,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<()> {
    let Output { raw, sums } = output;
    if !backend.is_cpu()
        && let Some(tiles) = tiles_of(geometry, plan, segments, cpu)?
    {
        return decode_on_device(geometry.into(), plan, &tiles, raw, backend);
    }
    let decoding = Decoding::new(geometry, plan, cpu)?;
    let frames = part.frames_of_runs(plan.segment_frames as usize, geometry);
    if plan.moves {
        let whole = |_| vec![()];
        return moving::decode(&decoding, segments, frames, raw, whole, |(), frame| frame_sums::add(sums, frame));
    }
    let rows = decoding.tiling.rows_mut(geometry.frame_samples, &mut raw[..frames * geometry.frame_samples]);
    let wanted = |&(at, _): &(usize, _)| part.needs_band(&decoding.tiling, at);
    let jobs = decoding.bands(segments).zip(rows).enumerate().filter(wanted).map(|(_, job)| job).collect();
    pool::for_each(cpu.crew(), jobs, |((band, segments), rows)| decoding.to_rows(band, segments, rows, sums))
}

/// Restores packed raw frames from the segments of the planes that they were made from: on a device, or on the CPU if these
/// can be converted (`converts`) band by band, or frame by frame if they move. The CPU uses memory of the `planes` where bands
/// meet, or for all frames that move.
///
/// # Errors
/// Corrupt if a segment is not what the plan says.
pub fn decode_to_pixels(
    (of_pixels, making): (&Geometry, &Making),
    plan: &TilePlan,
    segments: &[&[u8]],
    planes: &mut WorkBuffer,
    output: Output<'_>,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<()> {
    let geometry = making.planes(of_pixels);
    if !backend.is_cpu()
        && let Some(tiles) = tiles_of(&geometry, plan, segments, cpu)?
    {
        return decode_on_device(Restored::made(of_pixels, making), plan, &tiles, output.raw, backend);
    }
    planes.resize_for_overwrite(geometry.raw_bytes());
    let planes = planes.as_bytes_mut();
    let decoding = Decoding::new(&geometry, plan, cpu)?;
    if plan.moves {
        return pixels::decode_moving(&decoding, (of_pixels, making), segments, planes, output);
    }
    pixels::decode(&decoding, making, of_pixels, segments, planes, output)
}

/// What the CPU does not decode, which is adaptive.
fn decode_on_device(
    restored: Restored<'_>,
    plan: &TilePlan,
    tiles: &TilesOf<'_>,
    raw: &mut [u8],
    backend: &dyn Backend,
) -> Result<()> {
    match tiles {
        TilesOf::Coded(tables, coded, motion) => {
            backend.tiles_decode(restored, plan, tables, coded, motion.as_ref(), raw)
        }
        TilesOf::Packed(packed) => backend.tiles_unpack(restored, plan, packed, raw),
    }
}

/// The tiles of a batch with what a device makes residuals of.
pub(crate) enum TilesOf<'a> {
    /// They are coded with these tables, and frames may move.
    Coded(TileDecoderTables, CodedTiles<'a>, Option<Motion>),
    /// They are packed.
    Packed(PackedTiles<'a>),
}

/// The tiles of a batch from its segments, and the vectors before them; residuals stay as they are there. `None` of frames that
/// are not coded in turn, as devices decode them.
///
/// # Errors
/// Corrupt if a segment is not what the plan says.
pub(crate) fn tiles_of<'a>(
    geometry: &Geometry,
    plan: &TilePlan,
    segments: &[&'a [u8]],
    cpu: &CpuBackend,
) -> Result<Option<TilesOf<'a>>> {
    let mut decoding = Decoding::new(geometry, plan, cpu)?;
    let (motion, segments) = moving::vectors(geometry, plan, segments, cpu)?;
    if motion.as_ref().is_some_and(|motion| !motion.order().is_in_turn()) {
        return Ok(None);
    }
    let tiles = match decoding.tables.take() {
        Some(tables) => {
            let coded = coded_tiles(&decoding, &tables, segments)?;
            TilesOf::Coded(tables, coded, motion.and_then(|motion| motion.turns()))
        }
        None => TilesOf::Packed(packed_tiles_of(&decoding, segments)?),
    };
    Ok(Some(tiles))
}

fn packed_tiles_of<'a>(decoding: &Decoding<'_>, segments: &[&'a [u8]]) -> Result<PackedTiles<'a>> {
    let Decoding { geometry, plan, cpu, .. } = *decoding;
    let bands = pool::map(cpu.crew(), decoding.bands(segments).collect(), |(band, segments)| {
        let mut tiles = PackedTiles::default();
        for (segment, frames) in segments.iter().zip(plan.segment_lengths(geometry)) {
            let (count, PackedTiles { predictors, widths, numbers }) = (frames * band.tiles(), &mut tiles);
            numbers.push(packed_tiles::read(cpu.simd(), segment, count, predictors, widths)?.into());
        }
        Ok(tiles)
    })?;
    let mut packed = PackedTiles::default();
    bands.into_iter().for_each(|band| packed.append(band));
    Ok(packed)
}

fn coded_tiles<'a>(
    decoding: &Decoding<'_>,
    tables: &TileDecoderTables,
    segments: &[&'a [u8]],
) -> Result<CodedTiles<'a>> {
    let Decoding { geometry, plan, cpu, .. } = *decoding;
    let bands = pool::map(cpu.crew(), decoding.bands(segments).collect(), |(band, segments)| {
        let mut decoder = TileDecoder::new(cpu.simd(), tables, band);
        let mut coded = CodedTiles::default();
        let CodedTiles { predictors, classes, segments: of_band } = &mut coded;
        for (segment, frames) in segments.iter().zip(plan.segment_lengths(geometry)) {
            let first = predictors.len();
            predictors.resize(first + frames * band.tiles(), 0);
            classes.resize(predictors.len() * TILE_GROUPS, 0);
            of_band.push(decoder.read(segment, &mut predictors[first..], &mut classes[first * TILE_GROUPS..])?);
        }
        Ok(coded)
    })?;
    let mut coded = CodedTiles::default();
    bands.into_iter().for_each(|band| coded.append(band));
    Ok(coded)
}

/// Decodes the segments of a batch to its tiles.
///
/// # Errors
/// Corrupt if a segment is not what the plan says.
pub fn decode_tiles(
    geometry: &Geometry,
    plan: &TilePlan,
    segments: &[&[u8]],
    tiles: &mut TileBatch,
    cpu: &CpuBackend,
) -> Result<()> {
    let decoding = Decoding::new(geometry, plan, cpu)?;
    tiles.resize_for_overwrite(decoding.tiling.tiles() * geometry.frames);
    let jobs = decoding.bands(segments).zip(tiles.bands_mut(&decoding.tiling, geometry.frames)).collect();
    pool::for_each(cpu.crew(), jobs, |((band, segments), tiles)| decoding.to_tiles(band, segments, tiles))
}

/// What all bands of a batch are decoded with.
struct Decoding<'a> {
    geometry: &'a Geometry,
    plan: &'a TilePlan,
    tiling: Tiling,
    tables: Option<TileDecoderTables>,
    cpu: &'a CpuBackend,
}

impl<'a> Decoding<'a> {
    fn new(geometry: &'a Geometry, plan: &'a TilePlan, cpu: &'a CpuBackend) -> Result<Self> {
        let tiling = plan.tiling(geometry);
        let tables = match &plan.coding {
            TileCoding::Tables(tables) if tables.sets() != tiling.sets => {
                return Err(Error::corrupt("tile plan: not as many sets of tables as of statistics"));
            }
            TileCoding::Tables(tables) => Some(TileDecoderTables::new(tables)),
            TileCoding::Packed => None,
        };
        Ok(Self { geometry, plan, tiling, tables, cpu })
    }

    /// Each band with its segments.
    fn bands<'b, 's>(&'b self, segments: &'b [&'s [u8]]) -> impl Iterator<Item = (&'b Band, &'b [&'s [u8]])> {
        self.tiling.bands.iter().zip(segments.chunks(self.plan.segments(self.geometry).max(1)))
    }

    fn to_rows(
        &self,
        band: &Band,
        segments: &[&[u8]],
        mut frames: Vec<Vec<&mut [u8]>>,
        sums: Option<&FrameSums>,
    ) -> Result<()> {
        self.restore(
            band,
            segments,
            &mut frames,
            |rows| rows,
            |state, rows| {
                state.join(rows);
                rows.iter().for_each(|rows| frame_sums::add(sums, rows));
            },
        )
    }

    /// Restores the frames of a band one after another, and hands on each with its place among `frames`, of which it will write
    /// what is `soon`.
    fn restore<'r, F>(
        &self,
        band: &Band,
        segments: &[&[u8]],
        frames: &mut [F],
        soon: impl for<'m> Fn(&'m F) -> &'m [&'r mut [u8]],
        mut each: impl FnMut(&mut BandState<'_>, &mut F),
    ) -> Result<()> {
        let mut state = BandState::new(self.cpu.simd(), self.plan.colour, self.geometry, &self.tiling, band);
        let mut decoder = self.decoder(band);
        let mut tiles = DecodedTiles::default();
        for (segment, frames) in segments.iter().zip(frames.chunks_mut(self.plan.segment_frames as usize)) {
            decoder.decode(segment, frames.len(), &mut tiles)?;
            let mut groups = tiles.groups.iter();
            let predictors = tiles.predictors.chunks(band.tiles().max(1));
            let classes = tiles.classes.chunks((band.tiles() * TILE_GROUPS).max(1));
            for ((frame, predictors), classes) in frames.iter_mut().zip(predictors).zip(classes) {
                state.restore(predictors, classes, &mut groups, soon(frame));
                each(&mut state, frame);
            }
        }
        Ok(())
    }

    fn to_tiles(
        &self,
        band: &Band,
        segments: &[&[u8]],
        (predictors, groups): (&mut [u8], &mut [[u8; GROUP]]),
    ) -> Result<()> {
        let mut decoder = self.decoder(band);
        let mut tiles = DecodedTiles::default();
        let segment_tiles = (self.plan.segment_frames as usize).saturating_mul(band.tiles()).max(1);
        let out =
            predictors.chunks_mut(segment_tiles).zip(groups.chunks_mut(segment_tiles.saturating_mul(TILE_GROUPS)));
        for (segment, (predictors, groups)) in segments.iter().zip(out) {
            decoder.decode(segment, predictors.len() / band.tiles().max(1), &mut tiles)?;
            predictors.copy_from_slice(&tiles.predictors);
            spread(&tiles.classes, &mut tiles.groups.iter(), groups);
        }
        Ok(())
    }

    fn decoder<'b>(&'b self, band: &'b Band) -> SegmentDecoder<'b> {
        let simd = self.cpu.simd();
        match &self.tables {
            Some(tables) => SegmentDecoder::Tables(Box::new(TileDecoder::new(simd, tables, band))),
            None => SegmentDecoder::Packed(simd, band),
        }
    }
}

/// Decodes the segments of a band, in order.
enum SegmentDecoder<'a> {
    Tables(Box<TileDecoder<'a>>),
    Packed(SimdLevel, &'a Band),
}

impl SegmentDecoder<'_> {
    fn decode(&mut self, packed: &[u8], frames: usize, out: &mut DecodedTiles) -> Result<()> {
        match self {
            Self::Tables(decoder) => decoder.decode(packed, frames, out),
            Self::Packed(simd, band) => packed_tiles::decode(*simd, packed, frames * band.tiles(), out),
        }
    }
}

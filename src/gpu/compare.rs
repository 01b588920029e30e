//! Comparison of what two backends give.

use std::fmt;

use super::probe::sample_bytes;
use crate::codec::{TileCounts, TileDecoderTables, TileEncoderTables};
use crate::cpu;
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, GROUP, Geometry, Tiling, WorkBuffer};
use crate::motion::{Field, Filter, Motion, SearchEffort};
use crate::plan::{Candidate, Making, Plan, TileCoding, TileCut, TilePlan, TilePredictor};
use crate::stage::{Backend, Restored, Segments, SolvedPlanes, TileBatch, TileEffort};

/// The first result in which two backends differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Residuals.
    Forward {
        /// The plane.
        plane: usize,
        /// Within the plane.
        byte: usize,
    },
    /// Raw frames.
    Inverse {
        /// Within the batch.
        byte: usize,
    },
    /// Costs.
    Costs {
        /// Candidate-major.
        value: usize,
    },
    /// Predictors of tiles.
    Predictors {
        /// Number of the tile.
        tile: usize,
    },
    /// How many bits residuals of tiles are packed to.
    Widths {
        /// Number of the group.
        group: usize,
    },
    /// Packed residuals of tiles.
    Numbers {
        /// Number of the segment.
        segment: usize,
    },
    /// Frames that are expected.
    Expected {
        /// Within all of them.
        byte: usize,
    },
    /// Planes that frames seem to be made from.
    Solved {
        /// Within the batch.
        byte: usize,
    },
    /// Which pixels are not made of them.
    Misfits {
        /// Number of the block.
        block: usize,
    },
    /// How many blocks have such pixels.
    Misfitting {
        /// Number of the span of blocks.
        span: usize,
    },
    /// Pages that were copied.
    Pages {
        /// Within the buffer.
        byte: usize,
    },
    /// Classes of groups.
    Classes {
        /// Number of the group.
        group: usize,
    },
    /// Vectors that were found.
    Vectors {
        /// Number of the first frame of a pair.
        pair: usize,
        /// Number of the unit.
        unit: usize,
    },
    /// Coded segments.
    Code {
        /// Number of the segment.
        segment: usize,
    },
    /// Copied bytes.
    Copy {
        /// Within the buffer.
        byte: usize,
    },
    /// Decoded groups.
    Decoded {
        /// Number of the group.
        group: usize,
    },
    /// Rows that have lost their gaps, or got them.
    Rows {
        /// Within what they are copied to.
        byte: usize,
    },
    /// Raw frames with exceptions.
    Exceptions {
        /// Within the batch.
        byte: usize,
    },
    /// The checksum of raw frames.
    Checksum,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Forward { plane, byte } => write!(f, "forward, plane {plane}, byte {byte}"),
            Difference::Inverse { byte } => write!(f, "inverse, byte {byte}"),
            Difference::Costs { value } => write!(f, "costs, value {value}"),
            Difference::Predictors { tile } => write!(f, "predictors, tile {tile}"),
            Difference::Widths { group } => write!(f, "packed tiles, group {group}"),
            Difference::Numbers { segment } => write!(f, "packed tiles, segment {segment}"),
            Difference::Expected { byte } => write!(f, "expected frames, byte {byte}"),
            Difference::Solved { byte } => write!(f, "recovered planes, byte {byte}"),
            Difference::Misfits { block } => write!(f, "misfits, block {block}"),
            Difference::Misfitting { span } => write!(f, "misfits, span {span}"),
            Difference::Pages { byte } => write!(f, "pages, byte {byte}"),
            Difference::Classes { group } => write!(f, "classes, group {group}"),
            Difference::Vectors { pair, unit } => write!(f, "vectors, pair {pair}, unit {unit}"),
            Difference::Code { segment } => write!(f, "code, segment {segment}"),
            Difference::Copy { byte } => write!(f, "copy, byte {byte}"),
            Difference::Decoded { group } => write!(f, "decoded residuals, group {group}"),
            Difference::Rows { byte } => write!(f, "rows, byte {byte}"),
            Difference::Exceptions { byte } => write!(f, "exceptions, byte {byte}"),
            Difference::Checksum => write!(f, "checksum"),
        }
    }
}

/// The first difference of forward and inverse.
pub fn compare(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    plan: &Plan,
) -> Result<Option<Difference>> {
    let geometry = batch.geometry;
    let mut expected = WorkBuffer::default();
    let mut found = WorkBuffer::default();
    reference.forward(batch, plan, &mut expected)?;
    device.forward(batch, plan, &mut found)?;
    for plane in 0..geometry.planes.len() {
        let range = geometry.plane_range(plane);
        if let Some(byte) = first_difference(&expected.as_bytes()[range.clone()], &found.as_bytes()[range]) {
            return Ok(Some(Difference::Forward { plane, byte }));
        }
    }
    let mut raw = vec![0xA5; batch.raw.len()];
    device.inverse(geometry, plan, &mut expected, &mut raw)?;
    Ok(first_difference(batch.raw, &raw).map(|byte| Difference::Inverse { byte }))
}

/// The first difference of costs.
pub fn compare_costs(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    candidates: &[Candidate],
) -> Result<Option<Difference>> {
    let expected = reference.costs(batch, candidates)?;
    let found = device.costs(batch, candidates)?;
    Ok(first_difference(&expected, &found).map(|value| Difference::Costs { value }))
}

/// The first difference of tiles whose residuals are packed, there and back. The way back is also taken with predictors
/// that were not chosen, as damaged files have them.
pub fn compare_packed(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
    segment_frames: u32,
) -> Result<Option<Difference>> {
    let TileCut { colour, split_chroma, bands } = cut;
    let plan = TilePlan { colour, split_chroma, bands, segment_frames, moves: false, coding: TileCoding::Packed };
    let mut expected = reference.tiles_pack(batch, &plan, effort)?;
    let found = device.tiles_pack(batch, &plan, effort)?;
    if let Some(tile) = first_difference(&expected.predictors, &found.predictors) {
        return Ok(Some(Difference::Predictors { tile }));
    }
    if let Some(group) = first_difference(&expected.widths, &found.widths) {
        return Ok(Some(Difference::Widths { group }));
    }
    if let Some(segment) = first_difference(&expected.numbers, &found.numbers) {
        return Ok(Some(Difference::Numbers { segment }));
    }
    let mut raw = vec![0xA5; batch.raw.len()];
    device.tiles_unpack(batch.geometry.into(), &plan, &expected, &mut raw)?;
    if let Some(byte) = first_difference(batch.raw, &raw) {
        return Ok(Some(Difference::Inverse { byte }));
    }
    for (at, predictor) in expected.predictors.iter_mut().enumerate() {
        *predictor = ((usize::from(*predictor) + at) % TilePredictor::ALL.len()) as u8;
    }
    let mut damaged = raw.clone();
    reference.tiles_unpack(batch.geometry.into(), &plan, &expected, &mut damaged)?;
    device.tiles_unpack(batch.geometry.into(), &plan, &expected, &mut raw)?;
    Ok(first_difference(&damaged, &raw).map(|byte| Difference::Inverse { byte }))
}

/// The first difference of tiles whose residuals are coded, there and back, of frames that move if there is `motion`. The way
/// back is then also taken with vectors that are not those of the frames, as damaged files have them.
pub fn compare_coded(
    device: &dyn Backend,
    reference: &CpuBackend,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
    segment_frames: u32,
    motion: Option<&Motion>,
) -> Result<Option<Difference>> {
    let (plan, encode, decode) = coded_plan(reference, batch, cut, effort, segment_frames, motion.is_some())?;
    let expected = reference.tiles_encode(batch, &plan, effort, &encode, motion)?;
    let found = device.tiles_encode(batch, &plan, effort, &encode, motion)?;
    if let Some(tile) = first_difference(&expected.predictors, &found.predictors) {
        return Ok(Some(Difference::Predictors { tile }));
    }
    if let Some(group) = first_difference(&expected.classes, &found.classes) {
        return Ok(Some(Difference::Classes { group }));
    }
    if let Some(segment) = first_difference(&expected.segments, &found.segments) {
        return Ok(Some(Difference::Code { segment }));
    }
    let mut raw = vec![0xA5; batch.raw.len()];
    device.tiles_decode(batch.geometry.into(), &plan, &decode, &expected, motion, &mut raw)?;
    let wrong = motion.filter(|_| batch.raw == raw).cloned();
    let Some(mut wrong) = wrong else {
        return Ok(first_difference(batch.raw, &raw).map(|byte| Difference::Inverse { byte }));
    };
    wrong.fields.reverse();
    wrong.fields.iter_mut().for_each(|field| field.vectors.reverse());
    let mut damaged = raw.clone();
    reference.tiles_decode(batch.geometry.into(), &plan, &decode, &expected, Some(&wrong), &mut damaged)?;
    device.tiles_decode(batch.geometry.into(), &plan, &decode, &expected, Some(&wrong), &mut raw)?;
    Ok(first_difference(&damaged, &raw).map(|byte| Difference::Inverse { byte }))
}

/// A plan of tiles that are coded, and its tables.
fn coded_plan(
    reference: &CpuBackend,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
    segment_frames: u32,
    moves: bool,
) -> Result<(TilePlan, TileEncoderTables, TileDecoderTables)> {
    let mut tiles = TileBatch::default();
    reference.tiles_forward(batch, cut, effort, &mut tiles)?;
    // The tables are made from a part, so that some residuals have no frequency of their own.
    let mut counts = TileCounts::new(Tiling::sets(batch.geometry, cut.split_chroma));
    let sets = (0..Tiling::sets(batch.geometry, cut.split_chroma)).cycle();
    for (set, group) in sets.zip(tiles.groups().iter().filter(|group| sum(group) > 0).step_by(3)) {
        counts.count(set, sum(group), group);
    }
    let (tables, classes) = counts.tables();
    let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
    let TileCut { colour, split_chroma, bands } = cut;
    let coding = TileCoding::Tables(tables);
    Ok((TilePlan { colour, split_chroma, bands, segment_frames, moves, coding }, encode, decode))
}

/// The first difference of frames that are made of planes in one step with the restoration of their tiles: packed ones, and
/// coded ones, of planes that move if there is `motion`.
pub fn compare_made(
    device: &dyn Backend,
    reference: &CpuBackend,
    (geometry, making): (&Geometry, &Making),
    planes: &[u8],
    cut: TileCut,
    segment_frames: u32,
    motion: Option<&Motion>,
) -> Result<Option<Difference>> {
    let of_planes = making.planes(geometry);
    let (batch, restored) = (Batch { geometry: &of_planes, raw: planes }, Restored::made(geometry, making));
    let mut expected = vec![0xA5; geometry.raw_bytes()];
    reference.convert(geometry, making, planes, &mut expected)?;
    let mut raw = vec![0x5A; expected.len()];

    let TileCut { colour, split_chroma, bands } = cut;
    let plan = TilePlan { colour, split_chroma, bands, segment_frames, moves: false, coding: TileCoding::Packed };
    let packed = reference.tiles_pack(batch, &plan, TileEffort::Few)?;
    device.tiles_unpack(restored, &plan, &packed, &mut raw)?;
    if let Some(byte) = first_difference(&expected, &raw) {
        return Ok(Some(Difference::Inverse { byte }));
    }
    raw.fill(0x5A);
    let (plan, encode, decode) = coded_plan(reference, batch, cut, TileEffort::Few, segment_frames, motion.is_some())?;
    let coded = reference.tiles_encode(batch, &plan, TileEffort::Few, &encode, motion)?;
    device.tiles_decode(restored, &plan, &decode, &coded, motion, &mut raw)?;
    Ok(first_difference(&expected, &raw).map(|byte| Difference::Inverse { byte }))
}

/// The first difference of the frames that are expected.
pub fn compare_expected(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    motion: &Motion,
) -> Result<Option<Difference>> {
    let bytes = motion.fields.len() * batch.geometry.frame_samples;
    let mut expected = [vec![0xA5; bytes], vec![0x5A; bytes]];
    reference.expect(batch, motion, &mut expected[0])?;
    device.expect(batch, motion, &mut expected[1])?;
    Ok(first_difference(&expected[0], &expected[1]).map(|byte| Difference::Expected { byte }))
}

/// The first difference of recovery, there and back. The way back is also taken from planes of noise.
pub fn compare_recovery(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    making: &Making,
) -> Result<Option<Difference>> {
    let mut expected = SolvedPlanes::default();
    let mut found = SolvedPlanes::default();
    reference.solve(batch, making, &mut expected)?;
    device.solve(batch, making, &mut found)?;
    if let Some(byte) = first_difference(expected.planes(), found.planes()) {
        return Ok(Some(Difference::Solved { byte }));
    }
    if let Some(block) = first_difference(expected.misfits(), found.misfits()) {
        return Ok(Some(Difference::Misfits { block }));
    }
    for planes in [expected.planes(), &sample_bytes(expected.planes().len(), 1)] {
        let mut raw = [vec![0xA5; batch.raw.len()], vec![0x5A; batch.raw.len()]];
        reference.convert(batch.geometry, making, planes, &mut raw[0])?;
        device.convert(batch.geometry, making, planes, &mut raw[1])?;
        if let Some(byte) = first_difference(&raw[0], &raw[1]) {
            return Ok(Some(Difference::Inverse { byte }));
        }
    }
    Ok(None)
}

/// The first difference of what a search finds.
pub fn compare_search(
    device: &dyn Backend,
    reference: &dyn Backend,
    (frames, width): (&[&[u8]], usize),
    filter: Filter,
    last: Option<&Field>,
    effort: SearchEffort,
) -> Result<Option<Difference>> {
    let expected = reference.search(frames, width, filter, last, effort)?;
    let found = device.search(frames, width, filter, last, effort)?;
    let Some(pair) = first_difference(&expected, &found) else { return Ok(None) };
    let units = expected.get(pair).zip(found.get(pair));
    let unit = units.and_then(|(expected, found)| first_difference(&expected.vectors, &found.vectors)).unwrap_or(0);
    Ok(Some(Difference::Vectors { pair, unit }))
}

/// The first byte in which the copy that `copy` makes of some bytes is not that of the CPU.
pub fn compare_copy(copy: impl FnOnce(&[u8], &mut [u8]) -> Result<()>, words: usize) -> Result<Option<Difference>> {
    let input = sample_bytes(4 * words, 9);
    let numbers: Vec<u32> = input.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
    let mut expected = vec![0xA5A5_A5A5; words];
    cpu::copy::forward(&numbers, &mut expected);
    let mut found = vec![0x5A; 4 * words];
    copy(&input, &mut found)?;
    Ok(first_difference(bytemuck::cast_slice(&expected), &found).map(|byte| Difference::Copy { byte }))
}

/// The first difference of the codes of `groups`, cut into `segments` segments of uneven lengths, there
/// and back.
pub fn compare_rans(
    device: &dyn Backend,
    reference: &dyn Backend,
    groups: &[[u8; GROUP]],
    segments: usize,
) -> Result<Option<Difference>> {
    let groups: Vec<_> = groups.iter().filter(|group| sum(group) > 0).copied().collect();
    // The tables are made from a part, so that some residuals have no frequency of their own.
    let mut counts = TileCounts::new(1);
    groups.iter().step_by(3).for_each(|group| counts.count(0, sum(group), group));
    let (tables, classes) = counts.tables();
    let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
    let ids: Vec<u16> = groups.iter().filter_map(|group| encode.table_of(0, sum(group))).collect();
    // The number of a segment is about as good a length as any; the last one has what is left.
    let mut lengths: Vec<usize> = Vec::new();
    let mut rest = groups.len();
    for segment in 0..segments {
        let length = if segment + 1 == segments { rest } else { rest.min(segment * 5) };
        lengths.push(length);
        rest -= length;
    }
    let segments = Segments { lengths: &lengths, tables: &ids };
    let expected = reference.rans_encode(&encode.all(), segments, &groups)?;
    let found = device.rans_encode(&encode.all(), segments, &groups)?;
    if let Some(segment) = first_difference(&expected, &found) {
        return Ok(Some(Difference::Code { segment }));
    }
    let mut decoded = [vec![[0xA5; GROUP]; groups.len()], vec![[0x5A; GROUP]; groups.len()]];
    reference.rans_decode(&decode.all(), segments, &expected, &mut decoded[0])?;
    device.rans_decode(&decode.all(), segments, &expected, &mut decoded[1])?;
    Ok(first_difference(&decoded[0], &decoded[1]).map(|group| Difference::Decoded { group }))
}

/// What says which class a group is in.
fn sum(group: &[u8; GROUP]) -> u16 {
    group.iter().map(|&residual| u16::from(residual)).sum()
}

/// Where two slices differ first. One that is longer differs at the end of the other.
pub(super) fn first_difference<T: PartialEq>(expected: &[T], found: &[T]) -> Option<usize> {
    let at = expected.iter().zip(found).position(|(expected, found)| expected != found);
    at.or_else(|| (expected.len() != found.len()).then(|| expected.len().min(found.len())))
}

//! Checks a device against the CPU before it is trusted: drivers fail silently.

use std::fmt;

use crate::codec::{TileCounts, TileDecoderTables, TileEncoderTables};
use crate::cpu::{self, CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::{Batch, ChannelOrder, ChromaSampling, Dtype, FrameFormat, GROUP, Geometry, Layout, WorkBuffer};
use crate::plan::{Candidate, Colour, KNOWN, Making, Plan, PlanePlan, Predictor, Shuffle, TileCut, TilePredictor};
use crate::stage::{Backend, Segments, SolvedPlanes, TileBatch, TileEffort};

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
    /// Residuals of tiles.
    Groups {
        /// Number of the group.
        group: usize,
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
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Forward { plane, byte } => write!(f, "forward, plane {plane}, byte {byte}"),
            Difference::Inverse { byte } => write!(f, "inverse, byte {byte}"),
            Difference::Costs { value } => write!(f, "costs, value {value}"),
            Difference::Predictors { tile } => write!(f, "predictors, tile {tile}"),
            Difference::Groups { group } => write!(f, "residuals of tiles, group {group}"),
            Difference::Solved { byte } => write!(f, "recovered planes, byte {byte}"),
            Difference::Misfits { block } => write!(f, "misfits, block {block}"),
            Difference::Code { segment } => write!(f, "code, segment {segment}"),
            Difference::Copy { byte } => write!(f, "copy, byte {byte}"),
            Difference::Decoded { group } => write!(f, "decoded residuals, group {group}"),
        }
    }
}

/// Runs probe batches on `device`.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) naming the first stage whose result is not the CPU's.
pub fn check(device: &dyn Backend) -> Result<()> {
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    for dtype in [Dtype::U8, Dtype::U16, Dtype::F32, Dtype::I64] {
        // Rows longer than a workgroup's part of a running sum, more rows than a band of the
        // wavefront, and neither a whole number of words.
        let width = 257 * (4 / dtype.bytes()).max(1) + 1;
        let layout = Layout::Packed { width, height: 67, order: ChannelOrder::Rgb };
        let geometry = Geometry::new(&FrameFormat::new(dtype, layout)?, 2);
        let raw = sample_bytes(geometry.raw_bytes(), dtype as u64);
        let batch = Batch { geometry: &geometry, raw: &raw };
        let refuse = |stage: &str, difference: Difference| {
            Err(Error::gpu(format!("probe: {stage} of {dtype} is wrong on this device ({difference})")))
        };
        for (stage, plan) in plans(&geometry) {
            if let Some(difference) = compare(device, &cpu, batch, &plan)? {
                return refuse(stage, difference);
            }
        }
        if let Some(difference) = compare_costs(device, &cpu, batch, &candidates(&geometry))? {
            return refuse("histogram or entropy", difference);
        }
    }
    check_tiles(device, &cpu)?;
    check_recovery(device, &cpu)
}

/// The same for the tiled path.
fn check_tiles(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    let refuse = |stage: &str, difference: Difference| {
        Err(Error::gpu(format!("probe: {stage} is wrong on this device ({difference})")))
    };
    // More bands than one, neither width nor height whole tiles, and one more than an even number.
    let layout = Layout::Packed { width: 75, height: 99, order: ChannelOrder::Rgb };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout)?, 3);
    let raw = sample_bytes(geometry.raw_bytes(), 7);
    let batch = Batch { geometry: &geometry, raw: &raw };
    let cut = TileCut { colour: Colour::SubtractGreen, split_chroma: true, bands: 2 };
    if let Some(difference) = compare_tiles(device, cpu, batch, cut, TileEffort::All)? {
        return refuse("prediction of tiles", difference);
    }
    let mut tiles = TileBatch::default();
    cpu.tiles_forward(batch, cut, TileEffort::All, &mut tiles)?;
    if let Some(difference) = compare_rans(device, cpu, tiles.groups(), 3)? {
        return refuse("rANS coding", difference);
    }
    Ok(())
}

/// The same for recovery, with conversions of several kinds.
fn check_recovery(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    for (at, order) in [ChannelOrder::Rgb, ChannelOrder::Bgra, ChannelOrder::Bgr].into_iter().enumerate() {
        let layout = Layout::Packed { width: 75, height: 33, order };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout)?, 2);
        let blue_first = order != ChannelOrder::Rgb;
        let making = Making { conversion: KNOWN[at].conversion, sampling: ChromaSampling::ALL[at], blue_first };
        let raw = made_frames(&geometry, &making, cpu)?;
        let batch = Batch { geometry: &geometry, raw: &raw };
        if let Some(difference) = compare_recovery(device, cpu, batch, &making)? {
            return Err(Error::gpu(format!("probe: recovery is wrong on this device ({difference})")));
        }
    }
    Ok(())
}

/// Frames that were made in some way, but for the last quarter of the batch, which was not.
pub fn made_frames(geometry: &Geometry, making: &Making, backend: &dyn Backend) -> Result<Vec<u8>> {
    let planes = sample_bytes(making.planes(geometry).raw_bytes(), 5);
    // Chroma is near neutral, so that not all is clipped.
    let planes: Vec<u8> = planes.iter().map(|byte| 100 + byte / 5).collect();
    let mut raw = vec![0; geometry.raw_bytes()];
    backend.convert(geometry, making, &planes, &mut raw)?;
    let made = raw.len() / 4 * 3;
    let others = sample_bytes(raw.len() - made, 6);
    raw[made..].copy_from_slice(&others);
    Ok(raw)
}

/// Plans that each add a stage to the one before.
fn plans(geometry: &Geometry) -> Vec<(&'static str, Plan)> {
    let mut plan = Plan::identity(geometry);
    // Spans of which the last is short.
    plan.span_samples = 4096;
    if geometry.colour {
        plan.colour = Colour::SubtractGreen;
    }
    let colour = plan.clone();
    for plane in &mut plan.planes {
        plane.temporal = true;
    }
    let temporal = plan.clone();
    let predictors = [
        (Predictor::Left, Predictor::Median),
        (Predictor::Up, Predictor::Average),
        (Predictor::Gradient, Predictor::None),
    ];
    for (plane, (intra, inter)) in plan.planes.iter_mut().zip(predictors) {
        (plane.intra, plane.inter) = (intra, inter);
    }
    let predict = plan.clone();
    for plane in &mut plan.planes {
        plane.shuffle = Shuffle::Bit;
    }
    let bit_shuffle = plan.clone();
    let mut plans =
        vec![("colour", colour), ("temporal", temporal), ("predict", predict), ("bit shuffle", bit_shuffle)];
    if geometry.sample_bytes > 1 {
        for plane in &mut plan.planes {
            *plane = PlanePlan { shuffle: Shuffle::Byte, ..*plane };
        }
        plans.push(("byte shuffle", plan));
    }
    plans
}

fn candidates(geometry: &Geometry) -> Vec<Candidate> {
    let colour = if geometry.colour { Colour::SubtractGreen } else { Colour::None };
    vec![
        Candidate { colour: Colour::None, temporal: false, predictor: Predictor::None },
        Candidate { colour, temporal: true, predictor: Predictor::Median },
    ]
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

/// The first difference of tiles, there and back. The way back is also taken with predictors that
/// were not chosen, as damaged files have them.
pub fn compare_tiles(
    device: &dyn Backend,
    reference: &dyn Backend,
    batch: Batch<'_>,
    cut: TileCut,
    effort: TileEffort,
) -> Result<Option<Difference>> {
    let mut expected = TileBatch::default();
    let mut found = TileBatch::default();
    reference.tiles_forward(batch, cut, effort, &mut expected)?;
    device.tiles_forward(batch, cut, effort, &mut found)?;
    if let Some(tile) = first_difference(expected.predictors(), found.predictors()) {
        return Ok(Some(Difference::Predictors { tile }));
    }
    if let Some(group) = first_difference(expected.groups(), found.groups()) {
        return Ok(Some(Difference::Groups { group }));
    }
    let mut raw = vec![0xA5; batch.raw.len()];
    device.tiles_inverse(batch.geometry, cut, &expected, &mut raw)?;
    if let Some(byte) = first_difference(batch.raw, &raw) {
        return Ok(Some(Difference::Inverse { byte }));
    }
    for (at, predictor) in expected.parts_mut().0.iter_mut().enumerate() {
        *predictor = ((usize::from(*predictor) + at) % TilePredictor::ALL.len()) as u8;
    }
    let mut damaged = raw.clone();
    reference.tiles_inverse(batch.geometry, cut, &expected, &mut damaged)?;
    device.tiles_inverse(batch.geometry, cut, &expected, &mut raw)?;
    Ok(first_difference(&damaged, &raw).map(|byte| Difference::Inverse { byte }))
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
    let sum = |group: &[u8; GROUP]| group.iter().map(|&residual| u16::from(residual)).sum::<u16>();
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

/// Where two slices differ first. One that is longer differs at the end of the other.
fn first_difference<T: PartialEq>(expected: &[T], found: &[T]) -> Option<usize> {
    let at = expected.iter().zip(found).position(|(expected, found)| expected != found);
    at.or_else(|| (expected.len() != found.len()).then(|| expected.len().min(found.len())))
}

/// Bytes with smooth, noisy and extreme stretches, the same for the same seed.
pub fn sample_bytes(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut kind = 0;
    (0..bytes)
        .map(|at| {
            let value = random();
            if at.is_multiple_of(61) {
                kind = value >> 32;
            }
            match kind % 4 {
                0 => (at / 7) as u8,
                1 => value as u8,
                2 => [0x00, 0x7F, 0x80, 0xFF][value as usize % 4],
                _ => 0x80 ^ (value as u8 & 3),
            }
        })
        .collect()
}

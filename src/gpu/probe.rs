//! Checks a device against the CPU before it is trusted: drivers fail silently.

use super::compare::{
    Difference, compare, compare_checksum, compare_coded, compare_costs, compare_packed, compare_rans,
    compare_recovery, compare_rows, compare_search,
};
use super::resident::Residence;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::{
    Batch, ChannelOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout, Pitch, PitchedFrames, Stretch,
};
use crate::motion::{Compensation, Field, Filter, Reference, SearchEffort, Share, Vector};
use crate::plan::{Candidate, Colour, KNOWN, Making, Plan, PlanePlan, Predictor, Shuffle, TileCut};
use crate::stage::{Backend, TileBatch, TileEffort};

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
    check_recovery(device, &cpu)?;
    check_search(device, &cpu)
}

/// The same for what is done to frames that stay on the device: rows of odd lengths, at odd distances and at none, and more
/// bytes than the blocks of a workgroup have.
///
/// # Errors
/// As [`check`].
pub fn check_residence(device: &dyn Residence) -> Result<()> {
    let stretch = |start, row_bytes, rows| Stretch { start, row_bytes, rows };
    let pitch = |offset, row| Pitch { offset, row, frame: 4096 };
    let stretches = vec![
        (stretch(0, 37, 41), pitch(3, 48)),
        (stretch(1517, 19, 21), pitch(2000, 19)),
        (stretch(1916, 19, 21), pitch(2500, 61)),
    ];
    let frames = PitchedFrames { frames: 3, frame_bytes: 2315, stretches };
    let difference = match compare_rows(device, &frames)? {
        None => compare_checksum(device, 40 * 1024 + 7)?,
        difference => difference,
    };
    match difference {
        Some(difference) => Err(Error::gpu(format!("probe: frames that stay are wrong on this device ({difference})"))),
        None => Ok(()),
    }
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
    if let Some(difference) = compare_packed(device, cpu, batch, cut, TileEffort::All, 2)? {
        return refuse("packing of tiles", difference);
    }
    if let Some(difference) = compare_coded(device, cpu, batch, cut, TileEffort::All, 2)? {
        return refuse("coding of tiles", difference);
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

/// The same for the search for motion, with filters of several kinds: all around in the first pair of frames, and from there on in
/// the second.
fn check_search(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    let size = (75, 53);
    for (seed, filter) in [Filter::HalfDown, Filter::Quarter, Filter::Hevc, Filter::Vp9Sharp].into_iter().enumerate() {
        let frames = moving_frames(size, 3, filter, 24, seed as u64);
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        if let Some(difference) = compare_search(device, cpu, (&frames, size.0), filter, None, SearchEffort::Light)? {
            return Err(Error::gpu(format!("probe: search is wrong on this device ({difference})")));
        }
    }
    Ok(())
}

/// First planes of frames, of so many samples a row and rows, that move with a filter by up to so many quarters of a sample, in
/// blocks or in units, but for some noise.
pub fn moving_frames(
    (width, height): (usize, usize),
    frames: usize,
    filter: Filter,
    most: i16,
    seed: u64,
) -> Vec<Vec<u8>> {
    let mut all = vec![sample_bytes(width * height, seed)];
    for frame in 1..frames {
        let mut field = Field { filter, ..Field::still(width, height) };
        let numbers = sample_bytes(2 * field.vectors.len(), seed + frame as u64);
        let number = |at: usize| ((i32::from(numbers[at]) - 128) * i32::from(most) / 128) as i16;
        for (at, vector) in field.vectors.iter_mut().enumerate() {
            // Mostly as one.
            let of = if numbers[at].is_multiple_of(4) { at } else { 0 };
            *vector = Vector { x: number(2 * of), y: number(2 * of + 1) };
        }
        let earlier = Reference { samples: &all[frame - 1], width, height, step: 1 };
        let share = Share { is_first: true, across: 0, down: 0 };
        let mut moved = vec![0; width * height];
        Compensation { field: &field, share, earlier }.put(SimdLevel::detect(), 0..height, &mut moved, width);
        moved.iter_mut().step_by(97).for_each(|sample| *sample ^= 1);
        all.push(moved);
    }
    all
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

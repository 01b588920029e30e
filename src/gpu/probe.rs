//! Checks a device against the CPU before it is trusted: drivers fail silently.

use super::compare::{
    Difference, compare, compare_coded, compare_costs, compare_expected, compare_made, compare_packed, compare_rans,
    compare_recovery, compare_search,
};
use super::compare_resident::{compare_checksum, compare_exceptions, compare_pages, compare_rows, compare_solved};
use super::resident::Residence;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::error::{Error, Result};
use crate::frame::{
    Batch, ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Geometry, Layout, Pitch, PitchedFrames,
    Stretch,
};
use crate::motion::{BLOCK_UNITS, Compensation, Filter, Motion, Reference, SearchEffort, Vector};
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
    let difference = match difference {
        None => compare_exceptions(device, 3, 2003)?,
        difference => difference,
    };
    match difference {
        Some(difference) => Err(Error::gpu(format!("probe: frames that stay are wrong on this device ({difference})"))),
        None => Ok(()),
    }
}

/// The same for planes that stay there: of pixels that were made of them and that were not, and pages of them.
///
/// # Errors
/// As [`check`].
pub fn check_solved(device: &dyn Residence) -> Result<()> {
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let (geometry, making) = made_pictures(2, ChannelOrder::Rgba)?;
    let raw = made_frames(&geometry, &making, &cpu)?;
    let difference = match compare_solved(device, &cpu, Batch { geometry: &geometry, raw: &raw }, &making)? {
        None => compare_pages(device, 10_007)?,
        difference => difference,
    };
    match difference {
        Some(difference) => Err(Error::gpu(format!("probe: planes that stay are wrong on this device ({difference})"))),
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
    if let Some(difference) = compare_coded(device, cpu, batch, cut, TileEffort::All, 2, None)? {
        return refuse("coding of tiles", difference);
    }
    check_motion(device, cpu)?;
    let mut tiles = TileBatch::default();
    cpu.tiles_forward(batch, cut, TileEffort::All, &mut tiles)?;
    if let Some(difference) = compare_rans(device, cpu, tiles.groups(), 3)? {
        return refuse("rANS coding", difference);
    }
    Ok(())
}

/// The same for frames that move, with every filter.
fn check_motion(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    let chroma = ChromaOrder::UvInterleaved;
    let layout = Layout::Yuv { width: 75, height: 67, sampling: ChromaSampling::Cs420, chroma };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout)?, Filter::ALL.len() + 1);
    let raw = sample_bytes(geometry.raw_bytes(), 8);
    let batch = Batch { geometry: &geometry, raw: &raw };
    let motion = sample_motion(&geometry, 41, 1)?;
    let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 2 };
    let difference = match compare_expected(device, cpu, batch, &motion)? {
        None => compare_coded(device, cpu, batch, cut, TileEffort::All, 5, Some(&motion))?,
        difference => difference,
    };
    match difference {
        Some(difference) => Err(Error::gpu(format!("probe: motion is wrong on this device ({difference})"))),
        None => Ok(()),
    }
}

/// The same for recovery, with conversions of several kinds.
fn check_recovery(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    for (at, order) in [ChannelOrder::Rgb, ChannelOrder::Bgra, ChannelOrder::Bgr].into_iter().enumerate() {
        let (geometry, making) = made_pictures(at, order)?;
        let raw = made_frames(&geometry, &making, cpu)?;
        let batch = Batch { geometry: &geometry, raw: &raw };
        let difference = match compare_recovery(device, cpu, batch, &making)? {
            None => {
                let planes = sample_bytes(making.planes(&geometry).raw_bytes(), 5);
                let cut = TileCut { colour: Colour::None, split_chroma: false, bands: 1 };
                compare_made(device, cpu, (&geometry, &making), &planes, cut, 2, None)?
            }
            difference => difference,
        };
        if let Some(difference) = difference {
            return Err(Error::gpu(format!("probe: recovery is wrong on this device ({difference})")));
        }
    }
    Ok(())
}

/// The same for the search for motion, with filters of several kinds: all around in the first pair of frames, and from there on in
/// the second.
fn check_search(device: &dyn Backend, cpu: &CpuBackend) -> Result<()> {
    let size = (75, 53);
    let filters = [Filter::HalfDown, Filter::Quarter, Filter::Hevc, Filter::Vp9Sharp, Filter::Mpeg4QuarterDown];
    for (seed, filter) in filters.into_iter().enumerate() {
        let frames = moving_frames(size, 3, filter, 24, seed as u64)?;
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        if let Some(difference) = compare_search(device, cpu, (&frames, size.0), filter, None, SearchEffort::Light)? {
            return Err(Error::gpu(format!("probe: search is wrong on this device ({difference})")));
        }
    }
    Ok(())
}

/// First planes of frames, of so many samples a row and rows, that move with a filter as [`sample_motion`] says, but for some
/// noise.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the frames are too small to move.
pub fn moving_frames(
    (width, height): (usize, usize),
    frames: usize,
    filter: Filter,
    most: i16,
    seed: u64,
) -> Result<Vec<Vec<u8>>> {
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, Layout::Gray { width, height })?, frames);
    let Motion { shares, mut fields } = sample_motion(&geometry, most, seed as usize)?;
    let mut all = vec![sample_bytes(width * height, seed)];
    for (earlier, field) in fields.iter_mut().enumerate() {
        field.filter = filter;
        let earlier = Reference { samples: &all[earlier], width, height, step: 1 };
        let mut moved = vec![0; width * height];
        Compensation { field, share: shares[0], earlier }.put(SimdLevel::detect(), 0..height, &mut moved, width);
        moved.iter_mut().step_by(97).for_each(|sample| *sample ^= 1);
        all.push(moved);
    }
    Ok(all)
}

/// Two frames in an order of channels, and a known conversion that makes them, with one of the samplings.
fn made_pictures(known: usize, order: ChannelOrder) -> Result<(Geometry, Making)> {
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, Layout::Packed { width: 75, height: 33, order })?, 2);
    let blue_first = matches!(order, ChannelOrder::Bgr | ChannelOrder::Bgra);
    let making = Making { conversion: KNOWN[known].conversion, sampling: ChromaSampling::ALL[known], blue_first };
    Ok((geometry, making))
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

/// Vectors of up to so many quarters of a sample for frames that can move, half of them those of whole blocks. Each frame has the
/// next filter, from that with the number `seed` on.
///
/// # Errors
/// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the frames cannot move.
pub fn sample_motion(geometry: &Geometry, most: i16, seed: usize) -> Result<Motion> {
    let mut motion = Motion::still(geometry).ok_or_else(|| Error::gpu("vectors: of frames that cannot move"))?;
    let numbers = sample_bytes(motion.fields.len() * motion.fields[0].vectors.len() * 8, seed as u64);
    let mut numbers = numbers.as_chunks().0.iter().map(|&number| {
        let number = u64::from(u32::from_le_bytes(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        ((number * (2 * u64::from(most.unsigned_abs()) + 1)) >> 32) as i32 - i32::from(most)
    });
    let mut number = || numbers.next().unwrap_or_default() as i16;
    for (at, field) in motion.fields.iter_mut().enumerate() {
        field.filter = Filter::ALL[(seed + at) % Filter::ALL.len()];
        for unit in 0..field.vectors.len() {
            let (column, row) = (unit % field.across, unit / field.across);
            let of_block = row / BLOCK_UNITS * BLOCK_UNITS * field.across + column / BLOCK_UNITS * BLOCK_UNITS;
            let is_one = (column / BLOCK_UNITS + row / BLOCK_UNITS).is_multiple_of(2);
            let own = Vector { x: number(), y: number() };
            field.vectors[unit] = if is_one && unit != of_block { field.vectors[of_block] } else { own };
        }
    }
    Ok(motion)
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

//! The path of recovered planes: packed frames to the YUV that they were made from, and back. What becomes of the
//! planes is another method's business.
//!
//! On the CPU rows are repaired as soon as they are estimated, while they are in the cache; a device estimates the
//! whole batch at once, and the CPU repairs what it finds wrong. Where some places of the planes say what becomes of them,
//! they stay on the device, and only what is to be repaired comes here and goes back.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::codec::exceptions;
use crate::cpu::CpuBackend;
use crate::cpu::frame_sums::{self, FrameSums};
use crate::cpu::recover::batch::{Strip, copy_alpha, strips, strips_of_misfits};
use crate::cpu::recover::{Before, Exceptions, Hidden, PlaneRows, Recovery, RepairPlaces, misfitting};
use crate::error::Result;
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::part::Part;
use crate::plan::{Making, Patch, TileChoice};
use crate::pool;
use crate::stage::{Backend, SolvedPlanes, SolvedThere};
use crate::tiled;

/// Recovery is given up where more than one block in so many is to be repaired, because that takes time. Where rounding
/// hides what chroma was, as with tables of 4:2:2, it is one in eight of those that are made by the conversion.
const MOST_REPAIRED: usize = 4;

/// The planes of a batch, and what they leave out.
pub struct Recovered<P = WorkBuffer> {
    /// How frames are made from the planes.
    pub making: Making,
    /// Geometry of the planes.
    pub geometry: Geometry,
    /// The planes, frame by frame.
    pub planes: P,
    /// What is not made of them.
    pub excepted: Excepted,
}

/// Pixels of a batch that are not made of its planes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Excepted {
    /// How many there are.
    pub pixels: usize,
    /// Where these are, and what they are, to be coded.
    pub bytes: [Vec<u8>; 2],
}

impl Recovered {
    /// The planes as a batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: self.planes.as_bytes() }
    }
}

impl Recovered<SolvedThere<'_>> {
    /// The planes as a batch, of which there is what has come here.
    pub fn seen(&self) -> Batch<'_> {
        Batch { geometry: &self.geometry, raw: self.planes.seen.planes() }
    }

    /// Whether tiles can be made of all planes at once where they are.
    pub fn has_room(&self, choice: &TileChoice) -> bool {
        let tables = tiled::encoder_tables(choice);
        self.planes.there.has_room(&self.geometry, &choice.plan, choice.effort, tables.as_ref())
    }

    /// The same with all planes here.
    pub fn brought(self, cpu: &CpuBackend) -> Result<Recovered> {
        let Self { making, geometry, planes: SolvedThere { there, .. }, excepted } = self;
        let mut planes = cpu.take_buffer(geometry.raw_bytes());
        there.bring(planes.as_bytes_mut())?;
        Ok(Recovered { making, geometry, planes, excepted })
    }
}

impl Excepted {
    /// Those of all parts of a batch, in order.
    fn of(parts: &[Exceptions]) -> Self {
        Self { pixels: parts.iter().map(|part| part.places.len()).sum(), bytes: exceptions::to_bytes(parts) }
    }
}

/// The planes that a batch was made from; `None` if too much of it was not. What a patch hides does not count. On the CPU, `sums`
/// of the batch are taken on the way.
pub fn recover(
    batch: Batch<'_>,
    making: Making,
    patch: Option<&Patch>,
    backend: &dyn Backend,
    cpu: &CpuBackend,
    sums: Option<&FrameSums>,
) -> Result<Option<Recovered>> {
    let geometry = making.planes(batch.geometry);
    let picture = making.picture(batch.geometry);
    let hidden = patch.map_or_else(Hidden::default, |patch| Hidden::of(patch, &picture));
    let (planes, excepted) = if backend.is_cpu() {
        let mut planes = cpu.take_buffer(geometry.raw_bytes());
        copy_alpha(batch, &making, planes.as_bytes_mut());
        hidden.hide_alpha(&geometry, &picture, planes.as_bytes_mut());
        let excepted = repaired(batch, &making, planes.as_bytes_mut(), None, &hidden, cpu, sums)?;
        (planes, excepted)
    } else {
        let mut solved = SolvedPlanes::within(cpu.take_buffer(0));
        backend.solve(batch, &making, &mut solved)?;
        let (planes, misfits) = solved.parts_mut();
        hidden.hide_all(&geometry, &picture, planes, misfits);
        hidden.hide_alpha(&geometry, &picture, planes);
        let excepted = repair(batch, &making, &mut solved, &hidden, cpu)?;
        (solved.into_planes(), excepted)
    };
    let Some(excepted) = excepted else {
        cpu.give_back(planes);
        return Ok(None);
    };
    Ok(Some(Recovered { making, geometry, planes, excepted }))
}

/// Planes that stay where they were solved, repaired; `None` if too much is to be repaired. Repairs look at `pixels` of some
/// places of the frames, which are as long.
pub fn recover_there<'a, 'r>(
    geometry: &Geometry,
    making: Making,
    mut planes: SolvedThere<'a>,
    pixels: impl FnOnce(&[Range<usize>]) -> Result<&'r [u8]>,
    cpu: &CpuBackend,
) -> Result<Option<Recovered<SolvedThere<'a>>>> {
    let SolvedThere { there, misfitting, seen } = &mut planes;
    let blocks: usize = misfitting.iter().map(|&blocks| blocks as usize).sum();
    if blocks > most_repaired(geometry, &making) {
        return Ok(None);
    }
    let mut excepted = Excepted::default();
    if blocks > 0 {
        let places = RepairPlaces::of(geometry, &making, misfitting);
        let raw = pixels(&places.frames)?;
        there.download(&places.solved, seen.as_bytes_mut())?;
        match repair(Batch { geometry, raw }, &making, seen, &Hidden::default(), cpu)? {
            Some(found) => excepted = found,
            None => return Ok(None),
        }
        there.upload(&places.repaired, seen.as_bytes_mut())?;
    }
    Ok(Some(Recovered { making, geometry: making.planes(geometry), planes, excepted }))
}

/// Repairs planes that were solved elsewhere, and returns what is not made of them; `None` if too much is to be repaired.
fn repair(
    batch: Batch<'_>,
    making: &Making,
    solved: &mut SolvedPlanes,
    hidden: &Hidden,
    cpu: &CpuBackend,
) -> Result<Option<Excepted>> {
    let (planes, misfits) = solved.parts_mut();
    if misfitting(misfits) > most_repaired(batch.geometry, making) {
        return Ok(None);
    }
    repaired(batch, making, planes, Some(misfits), hidden, cpu, None)
}

/// The most blocks of a batch that are repaired.
fn most_repaired(geometry: &Geometry, making: &Making) -> usize {
    making.planes(geometry).plane_samples(1) / MOST_REPAIRED
}

/// Repairs planes, which it estimates on the way if it is not given their misfits. Returns what is not made of them; `None` if
/// more blocks are to be repaired than may be.
fn repaired(
    batch: Batch<'_>,
    making: &Making,
    planes: &mut [u8],
    misfits: Option<&[u8]>,
    hidden: &Hidden,
    cpu: &CpuBackend,
    sums: Option<&FrameSums>,
) -> Result<Option<Excepted>> {
    let picture = making.picture(batch.geometry);
    let frames = batch.geometry.frames;
    let all = strips(batch, making, planes);
    let mut misfits = misfits.map(|misfits| strips_of_misfits(batch.geometry, making, misfits));
    // A strip is a job: it goes through the frames in order.
    let of_frame = all.len() / frames;
    let mut jobs = Vec::new();
    jobs.resize_with(of_frame, Vec::new);
    for (at, strip) in all.into_iter().enumerate() {
        jobs[at % of_frame].push((strip, misfits.as_mut().and_then(Iterator::next)));
    }
    let (repaired, most) = (AtomicUsize::new(0), most_repaired(batch.geometry, making));
    let may_repair = |blocks: usize| repaired.fetch_add(blocks, Ordering::Relaxed) + blocks <= most;
    let exceptions = pool::map(cpu.crew(), jobs, |frames| {
        let mut recovery = Recovery::new(cpu.simd(), &making.conversion, picture).without(hidden);
        let mut before: Option<Before<'_>> = None;
        let mut all = Vec::new();
        for (Strip { first_pixel, raw, planes: PlaneRows { y, u, v } }, misfits) in frames {
            let mut exceptions = Exceptions::default();
            let planes = PlaneRows { y: &mut *y, u: &mut *u, v: &mut *v };
            if let Some(misfits) = misfits {
                recovery.repair_rows(raw, before, first_pixel, planes, misfits, &mut exceptions);
            } else if !recovery.recover(raw, before, first_pixel, planes, may_repair, &mut exceptions) {
                return Ok(None);
            }
            frame_sums::add(sums, raw);
            before = Some(Before { raw, y, u, v });
            all.push(exceptions);
        }
        Ok(Some(all))
    })?;
    let Some(mut exceptions) = exceptions.into_iter().collect::<Option<Vec<Vec<_>>>>() else { return Ok(None) };
    // Strip by strip; wanted frame by frame.
    let of_frame = |frame: usize| exceptions.iter_mut().map(|strip| std::mem::take(&mut strip[frame])).collect();
    Ok(Some(Excepted::of(&(0..frames).flat_map::<Vec<_>, _>(of_frame).collect::<Vec<_>>())))
}

/// Makes the raw frames of a batch, up to the last one of a part, from its planes and exceptions.
///
/// # Errors
/// Corrupt if exceptions have no place.
pub fn convert(
    geometry: &Geometry,
    making: &Making,
    planes: &[u8],
    part: &Part,
    exceptions: [&[u8]; 2],
    raw: &mut [u8],
    backend: &dyn Backend,
) -> Result<()> {
    let wanted = Geometry { frames: part.frames_of_runs(1, geometry), ..geometry.clone() };
    let planes = &planes[..making.planes(&wanted).raw_bytes()];
    backend.convert(&wanted, making, planes, &mut raw[..wanted.raw_bytes()])?;
    exceptions::put(exceptions, geometry.planes.len(), raw.into())
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::cpu::SimdLevel;
    use crate::cpu::recover::tests::noise;
    use crate::cpu::recover::{RepairPlaces, misfitting_of_spans};
    use crate::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::plan::KNOWN;

    /// Some rows of frames that are made of planes have pixels that are not, and some are clipped; half of the frames are those
    /// before.
    fn frames(geometry: &Geometry, making: &Making, cpu: &CpuBackend) -> Vec<u8> {
        let mut next = noise(5);
        let of_planes = making.planes(geometry);
        let planes: Vec<u8> = (0..of_planes.raw_bytes()).map(|_| 110 + next() % 32).collect();
        let mut raw = vec![0; geometry.raw_bytes()];
        cpu.convert(geometry, making, &planes, &mut raw).unwrap();
        let row_bytes = geometry.planes[0].width * geometry.planes.len();
        for row in raw.chunks_exact_mut(row_bytes).skip(7).step_by(150) {
            row.iter_mut().step_by(17).for_each(|byte| *byte ^= 64);
            row[row_bytes / 2..].iter_mut().take(9).for_each(|byte| *byte |= 240);
        }
        for pair in raw.chunks_exact_mut(2 * geometry.frame_samples) {
            pair.copy_within(..geometry.frame_samples, geometry.frame_samples);
        }
        raw
    }

    /// Repairs are the same with noise wherever they do not look.
    #[test]
    fn repairs_look_at_their_places_alone() {
        let cpu = CpuBackend::new(SimdLevel::detect(), 2);
        for sampling in ChromaSampling::ALL {
            for (order, (width, height)) in
                ChannelOrder::ALL.into_iter().zip([(2067, 171), (2048, 160), (2051, 99), (2070, 131)])
            {
                let format = FrameFormat::new(Dtype::U8, Layout::Packed { width, height, order }).unwrap();
                let geometry = Geometry::new(&format, 4);
                let blue_first = matches!(order, ChannelOrder::Bgr | ChannelOrder::Bgra);
                let making = Making { conversion: KNOWN[0].conversion, sampling, blue_first };
                let raw = frames(&geometry, &making, &cpu);
                let mut expected = SolvedPlanes::default();
                cpu.solve(Batch { geometry: &geometry, raw: &raw }, &making, &mut expected).unwrap();
                let counts = misfitting_of_spans(expected.misfits(), making.picture(&geometry).blocks());
                let places = RepairPlaces::of(&geometry, &making, &counts);
                assert!(2 * places.frames.iter().map(Range::len).sum::<usize>() < raw.len());

                let mut next = noise(5);
                let mut sparse_raw: Vec<u8> = raw.iter().map(|_| next()).collect();
                places.frames.iter().for_each(|place| sparse_raw[place.clone()].copy_from_slice(&raw[place.clone()]));
                let mut found = SolvedPlanes::zeroed(&making.planes(&geometry));
                found.parts_mut().0.fill_with(&mut next);
                for place in &places.solved {
                    found.as_bytes_mut()[place.clone()].copy_from_slice(&expected.as_bytes_mut()[place.clone()]);
                }
                let mut rebuilt = expected.clone();

                let repair = |raw: &[u8], solved: &mut SolvedPlanes| {
                    let batch = Batch { geometry: &geometry, raw };
                    repair(batch, &making, solved, &Hidden::default(), &cpu).unwrap().unwrap()
                };
                let excepted = repair(&raw, &mut expected);
                assert!(excepted.pixels > 0 && excepted == repair(&sparse_raw, &mut found), "{sampling:?} {order:?}");
                for place in places.repaired {
                    rebuilt.as_bytes_mut()[place.clone()].copy_from_slice(&found.as_bytes_mut()[place]);
                }
                assert!(rebuilt.planes() == expected.planes(), "{sampling:?} {order:?}");
            }
        }
    }
}

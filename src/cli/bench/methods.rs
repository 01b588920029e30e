//! The parts of each method, apart.
//!
//! They are those of the pipeline, on batches as long as its own, but for tiles on the CPU: the pipeline predicts and codes
//! a band while it is in the cache, and converts what it restores of recovered planes there too; here all tiles of a batch, and
//! all planes, are in memory in between. A device does both, and the conversion besides, which counts as transform. Planes are recovered while the method is chosen: the time of that is not here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use framepress::frame::{Geometry, WorkBuffer};
use framepress::internal::{
    Backend, Batch, CodedBlock, CpuBackend, LevelParameters, MethodChoice, Part, Patched, Recovered, TileBatch,
    convert, decode_tiles, discrete, encode_tiles, exceptions, packed_bytes, planes, put_over, strips, tiles,
};
use framepress::plan::{Making, Plan, StripPlan, TilePlan};
use framepress::{Compressor, Decompressor, Result};

/// Between transform and coding.
#[derive(Default)]
pub struct Memory {
    planes: WorkBuffer,
    tiles: TileBatch,
    recovered: WorkBuffer,
    patch: WorkBuffer,
}

/// Time of either part in one direction.
#[derive(Default)]
pub struct Parts {
    pub transform: Duration,
    pub code: Duration,
}

/// What carries methods out.
pub struct Pipeline<'a> {
    pub cpu: &'a CpuBackend,
    pub backend: &'a dyn Backend,
    pub compressor: &'a Compressor,
    pub decompressor: &'a Decompressor,
}

/// A coded batch.
pub enum Coded {
    Planes(Plan, Vec<CodedBlock>),
    Tiles(TilePlan, Vec<Vec<u8>>),
    Strips(StripPlan, Vec<Vec<u8>>),
    Discrete(discrete::Picture, Vec<u8>),
    Recovered(Made, Box<Coded>),
    Patched(Arc<Patched>, Made, Box<Coded>, Box<Coded>),
}

/// How frames are made of planes, wherever these are.
pub struct Made {
    making: Making,
    of_planes: Geometry,
    exceptions: [Vec<u8>; 2],
}

impl<P> From<&Recovered<P>> for Made {
    fn from(recovered: &Recovered<P>) -> Self {
        let Recovered { making, geometry, excepted, .. } = recovered;
        Self { making: *making, of_planes: geometry.clone(), exceptions: excepted.bytes.clone() }
    }
}

impl Coded {
    pub fn packed_bytes(&self) -> usize {
        match self {
            Self::Planes(_, blocks) => packed_bytes(blocks),
            Self::Tiles(_, segments) | Self::Strips(_, segments) => segments.iter().map(Vec::len).sum(),
            Self::Discrete(_, packed) => packed.len(),
            Self::Recovered(_, coded) => coded.packed_bytes(),
            Self::Patched(.., planes, rest) => planes.packed_bytes() + rest.packed_bytes(),
        }
    }
}

impl Pipeline<'_> {
    /// `None` if the method gives up.
    pub fn compress(
        &self,
        batch: Batch<'_>,
        choice: MethodChoice<'_>,
        memory: &mut Memory,
        parts: &mut Parts,
    ) -> Result<Option<Coded>> {
        let Self { cpu, backend, compressor, .. } = *self;
        let geometry = batch.geometry;
        let Memory { planes, tiles: tile_batch, .. } = memory;
        let Parts { transform, code } = parts;
        Ok(Some(match choice {
            MethodChoice::Planes(plan) => {
                timed(transform, || planes::forward(batch, &plan, backend, planes))?;
                let blocks = timed(code, || compressor.encode(geometry, &plan, planes))?;
                Coded::Planes(plan, blocks)
            }
            MethodChoice::Tiles(choice) if is_one_step(backend, &choice.plan) => {
                let (plan, segments) = timed(transform, || tiles::encode(batch, choice, backend, cpu, None))?;
                Coded::Tiles(plan, segments)
            }
            MethodChoice::Tiles(choice) => {
                timed(transform, || cpu.tiles_forward(batch, choice.plan.cut(), choice.effort, tile_batch))?;
                let (plan, segments) = timed(code, || encode_tiles(batch, choice, Some(tile_batch), cpu, None))?;
                Coded::Tiles(plan, segments)
            }
            MethodChoice::Strips(plan, motion) => {
                timed(transform, || planes::forward(batch, &plan.planes(geometry), backend, planes))?;
                let strips = timed(code, || strips::encode(geometry, &plan, motion.as_deref(), planes, backend, cpu))?;
                Coded::Strips(plan, strips)
            }
            MethodChoice::Discrete(picture) => {
                let effort = LevelParameters::of(compressor.settings().level()).discrete;
                let mut packed = Vec::new();
                if !timed(code, || discrete::encode(picture, effort, cpu.crew(), batch.raw, &mut packed)) {
                    return Ok(None);
                }
                Coded::Discrete(picture, packed)
            }
            MethodChoice::Recovered(recovered, choice) => {
                match self.compress(recovered.batch(), *choice, memory, parts)? {
                    Some(coded) => Coded::Recovered(Made::from(&*recovered), Box::new(coded)),
                    None => return Ok(None),
                }
            }
            MethodChoice::RecoveredThere(recovered, choice) => {
                let there = &*recovered.planes.there;
                let (plan, segments) =
                    timed(transform, || tiles::encode_resident(&recovered.geometry, there, choice, cpu))?;
                Coded::Recovered(Made::from(&*recovered), Box::new(Coded::Tiles(plan, segments)))
            }
            MethodChoice::Patched(patched, planes, rest) => {
                let planes = self.compress(patched.recovered.batch(), *planes, memory, parts)?;
                let rest = self.compress(patched.batch(), *rest, memory, parts)?;
                match planes.zip(rest) {
                    Some((planes, rest)) => {
                        let made = Made::from(&patched.recovered);
                        Coded::Patched(patched, made, Box::new(planes), Box::new(rest))
                    }
                    None => return Ok(None),
                }
            }
        }))
    }

    /// Restores the frames to `raw`.
    pub fn decompress(
        &self,
        geometry: &Geometry,
        coded: &Coded,
        raw: &mut [u8],
        memory: &mut Memory,
        parts: &mut Parts,
    ) -> Result<()> {
        let Self { cpu, backend, decompressor, .. } = *self;
        let Memory { planes, tiles: tile_batch, .. } = memory;
        let Parts { transform, code } = parts;
        match coded {
            Coded::Planes(plan, blocks) => {
                let found: Vec<_> = blocks.iter().map(CodedBlock::as_found).collect();
                timed(code, || decompressor.decode(geometry, plan, &found, planes))?;
                timed(transform, || planes::inverse(geometry, plan, backend, planes, raw))
            }
            Coded::Tiles(plan, segments) if is_one_step(backend, plan) => {
                let whole = Part::whole(geometry);
                timed(transform, || tiles::decode(geometry, plan, &slices(segments), &whole, raw.into(), backend, cpu))
            }
            Coded::Tiles(plan, segments) => {
                timed(code, || decode_tiles(geometry, plan, &slices(segments), tile_batch, cpu))?;
                timed(transform, || cpu.tiles_inverse(geometry, plan.cut(), tile_batch, raw))
            }
            Coded::Strips(plan, segments) => {
                timed(code, || strips::decode(geometry, plan, &slices(segments), &Part::whole(geometry), planes, cpu))?;
                timed(transform, || planes::inverse(geometry, &plan.planes(geometry), backend, planes, raw))
            }
            Coded::Discrete(picture, packed) => timed(code, || discrete::decode(*picture, cpu.crew(), packed, raw)),
            Coded::Recovered(made, coded) => self.convert(geometry, made, coded, raw, memory, parts),
            Coded::Patched(patched, made, planes, rest) => {
                self.convert(geometry, made, planes, raw, memory, parts)?;
                let mut pixels = std::mem::take(&mut memory.patch);
                pixels.resize_for_overwrite(patched.geometry.raw_bytes());
                self.decompress(&patched.geometry, rest, pixels.as_bytes_mut(), memory, parts)?;
                timed(&mut parts.transform, || put_over(geometry, &patched.patch, pixels.as_bytes(), raw, cpu))?;
                memory.patch = pixels;
                Ok(())
            }
        }
    }

    /// Restores frames whose planes were recovered.
    fn convert(
        &self,
        geometry: &Geometry,
        made: &Made,
        coded: &Coded,
        raw: &mut [u8],
        memory: &mut Memory,
        parts: &mut Parts,
    ) -> Result<()> {
        let Self { cpu, backend, .. } = *self;
        let Made { making, of_planes, exceptions } = made;
        let exceptions = exceptions.each_ref().map(Vec::as_slice);
        let mut frames = std::mem::take(&mut memory.recovered);
        if let Coded::Tiles(plan, segments) = coded
            && !backend.is_cpu()
        {
            let (to, segments) = ((geometry, making), slices(segments));
            timed(&mut parts.transform, || {
                tiles::decode_to_pixels(to, plan, &segments, &mut frames, (&mut *raw).into(), backend, cpu)?;
                exceptions::put(exceptions, geometry.planes.len(), raw.into())
            })?;
            memory.recovered = frames;
            return Ok(());
        }
        frames.resize_for_overwrite(of_planes.raw_bytes());
        self.decompress(of_planes, coded, frames.as_bytes_mut(), memory, parts)?;
        let convert = || convert(geometry, making, frames.as_bytes(), &Part::whole(geometry), exceptions, raw, backend);
        timed(&mut parts.transform, convert)?;
        memory.recovered = frames;
        Ok(())
    }
}

/// Whether tiles are predicted and coded at once: on a device, and where frames are made from frames that are restored.
fn is_one_step(backend: &dyn Backend, plan: &TilePlan) -> bool {
    plan.moves || !backend.is_cpu()
}

fn slices(segments: &[Vec<u8>]) -> Vec<&[u8]> {
    segments.iter().map(Vec::as_slice).collect()
}

pub fn timed<R>(time: &mut Duration, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    *time += start.elapsed();
    result
}

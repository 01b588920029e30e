//! Frames on a GPU that were made from YUV to the packed tiles of their planes.
//!
//! Planes are solved and coded there. Blocks that are to be repaired come to the CPU, with what is around them, and go back.

use super::compress::pack_tiles;
use crate::compressor::{Compressor, Packed};
use crate::cpu::CpuBackend;
use crate::cpu::recover::{Hidden, RepairPlaces};
use crate::error::Result;
use crate::frame::{Batch, Geometry};
use crate::gpu::ResidentFrames;
use crate::packed::packed_bytes;
use crate::plan::{self, Making, Method};
use crate::recovered::{Excepted, most_repaired, repair};
use crate::stage::SolvedPlanes;

impl Compressor {
    /// Packs frames of which some places are in `sparse`, which is as long; `None` if that takes more than the device and
    /// repairs can do.
    pub(super) fn pack_made(
        &self,
        geometry: &Geometry,
        frames: &ResidentFrames<'_>,
        mut sparse: Vec<u8>,
        making: Making,
    ) -> Result<Option<Packed>> {
        let (settings, cpu) = (self.settings(), self.scheduler.cpu());
        let of_planes = making.planes(geometry);
        let Some(places) = plan::places_of_planes(&of_planes, settings) else { return Ok(None) };
        let mut solved = SolvedPlanes::zeroed(&of_planes);
        let (planes, misfitting) = frames.solve(geometry, &making, places, solved.as_bytes_mut())?;
        let there = There { geometry, making: &making, frames, planes: &planes };
        let Some(excepted) = there.repaired(&misfitting, &mut sparse, &mut solved, cpu)? else { return Ok(None) };
        drop(sparse);
        let batch = Batch { geometry: &of_planes, raw: solved.planes() };
        let choice = plan::choose_planes_by_places(geometry, batch, &excepted, settings, cpu)?;
        drop(solved);
        let Some(choice) = choice else { return Ok(None) };
        let Some(packed) = pack_tiles(&of_planes, &planes, choice, cpu)? else { return Ok(None) };
        let (plan, blocks) = self.pack_excepted(making, packed, &excepted)?;
        Ok((packed_bytes(&blocks) <= geometry.raw_bytes()).then_some((Method::Recovered(plan), blocks)))
    }
}

/// Frames and their solved planes.
struct There<'a> {
    geometry: &'a Geometry,
    making: &'a Making,
    frames: &'a ResidentFrames<'a>,
    planes: &'a ResidentFrames<'a>,
}

impl There<'_> {
    /// Repairs the planes, there and where they are in `solved`, and returns what is not made of them; `None` if too much is to be
    /// repaired. What that looks at is copied to where it belongs in `raw` and `solved`.
    fn repaired(
        &self,
        misfitting: &[u32],
        raw: &mut [u8],
        solved: &mut SolvedPlanes,
        cpu: &CpuBackend,
    ) -> Result<Option<Excepted>> {
        let Self { geometry, making, .. } = *self;
        let blocks: usize = misfitting.iter().map(|&blocks| blocks as usize).sum();
        if blocks == 0 {
            return Ok(Some(Excepted::default()));
        }
        if blocks > most_repaired(geometry, making) {
            return Ok(None);
        }
        let places = RepairPlaces::of(geometry, making, misfitting);
        self.frames.download(&places.frames, raw)?;
        self.planes.download(&places.solved, solved.as_bytes_mut())?;
        let excepted = repair(Batch { geometry, raw }, making, solved, &Hidden::default(), cpu)?;
        self.planes.upload(&places.repaired, solved.as_bytes_mut())?;
        Ok(excepted)
    }
}

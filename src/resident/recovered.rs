//! Frames on a GPU that were made from YUV to the packed tiles of their planes.
//!
//! Planes are solved and coded there. Blocks that are to be repaired come to the CPU, with what is around them, and go back.

use crate::compressor::{Compressor, Packed};
use crate::error::Result;
use crate::frame::Geometry;
use crate::gpu::ResidentFrames;
use crate::packed::packed_bytes;
use crate::plan::{self, Making};
use crate::recovered::recover_there;
use crate::stage::Resident;

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
        let Some(places) = plan::places_of_planes(&making.planes(geometry), settings) else { return Ok(None) };
        let solved = frames.solve(geometry, &making, places)?;
        let raw = &mut sparse[..];
        let recovered = recover_there(
            geometry,
            making,
            solved,
            move |places| {
                frames.download(places, raw)?;
                Ok(raw)
            },
            cpu,
        )?;
        drop(sparse);
        let Some(recovered) = recovered else { return Ok(None) };
        let choice = plan::choose_planes_by_places(geometry, recovered.seen(), &recovered.excepted, settings, cpu)?;
        let Some(choice) = choice else { return Ok(None) };
        let packed = self.pack_there(recovered, choice)?;
        Ok(packed.filter(|(_, blocks)| packed_bytes(blocks) <= geometry.raw_bytes()))
    }
}

//! Frames on a GPU to batch records.

use std::io::Write;
use std::time::Instant;

use super::{Gpu, GpuFrames};
use crate::compressor::{Compressor, Packed, PackedBatch, packed_tiles, recorded};
use crate::container::{self, Payload};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{Batch, Geometry, WorkBuffer};
use crate::gpu::ResidentFrames;
use crate::packed::CodedBlock;
use crate::part::Part;
use crate::plan::{self, ChoiceByPlaces};
use crate::telemetry::{self, BatchWatch};
use crate::tiled;
use crate::writer::Writer;

impl Compressor {
    /// Compresses frames that are on a GPU to a whole file in memory: the one that
    /// [`compress_frames`](Self::compress_frames) makes of the same frames. They are read when this is called, after
    /// all that was submitted to the queue of the device before.
    ///
    /// Batches that the device can do alone, or but for repairs of the planes that frames were made from, are done there; others
    /// are downloaded and go the ordinary way, with the settings of this compressor. [`statistics`](Self::statistics)
    /// counts both. A deadline does not lower the level of the former.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`] if the device fails, or frames of a batch are too large for a buffer of it;
    /// [`ErrorKind::Limit`] if one frame is too large for a batch.
    pub fn compress_gpu(&self, gpu: &Gpu, frames: &GpuFrames<'_>) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::new(), frames.format().clone(), self)?;
        writer.write_gpu(gpu, frames)?;
        writer.finish()
    }

    /// Compresses one batch to a record, without its place in a file.
    fn pack_gpu(&self, gpu: &Gpu, frames: &GpuFrames<'_>) -> Result<PackedBatch> {
        let geometry = Geometry::new(frames.format(), frames.frames());
        let raw_bytes = geometry.raw_bytes();
        self.check_memory(raw_bytes as u64)?;
        if raw_bytes == 0 {
            return self.pack(frames.format(), frames.frames(), &[]);
        }
        let resident = gpu.backend.copy_of(frames)?;
        match self.pack_resident(&geometry, &resident) {
            Ok(Some(packed)) => return Ok(packed),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Gpu => {
                telemetry::failed(&gpu.description().name, &error, false);
            }
            Err(error) => return Err(error),
        }
        let raw = resident.downloaded()?;
        drop(resident);
        self.scheduler.was_transferred();
        self.pack(frames.format(), frames.frames(), &raw)
    }

    /// `None` if that takes more than the device can do, but for repairs.
    fn pack_resident(&self, geometry: &Geometry, frames: &ResidentFrames<'_>) -> Result<Option<PackedBatch>> {
        let start = Instant::now();
        let cpu = self.scheduler.cpu();
        let _seat = cpu.crew().enter();
        let _span =
            tracing::debug_span!("compress", frames = geometry.frames, level = self.settings().level()).entered();
        let (watch, _in_work) = (BatchWatch::compress(), telemetry::in_work());
        let Some(places) = plan::places(geometry, self.settings()) else { return Ok(None) };
        let raw_bytes = geometry.raw_bytes();
        // Memory of which next to nothing is ever touched.
        let mut sparse = vec![0; raw_bytes];
        let raw_checksum = frames.look(places, &mut sparse)?;
        let batch = Batch { geometry, raw: &sparse };
        let packed = match plan::choose_by_places(batch, self.settings(), cpu)? {
            Some(ChoiceByPlaces::Tiles(choice)) => {
                drop(sparse);
                let (plan, segments) = tiled::encode_resident(geometry, frames, choice, cpu)?;
                packed_tiles(raw_bytes, plan, segments)
            }
            Some(ChoiceByPlaces::Recovered(making)) => self.pack_made(geometry, frames, sparse, making)?,
            None => None,
        };
        let Some(packed) = packed else { return Ok(None) };
        self.verify_resident(geometry, &packed, raw_checksum)?;
        let packed = PackedBatch::new(recorded(packed)?, raw_bytes, raw_checksum);
        watch.done(&packed.method, raw_bytes, packed.payload.bytes());
        self.scheduler.ran_resident(raw_bytes, start.elapsed());
        Ok(Some(packed))
    }

    /// Restores the frames on the CPU, if that was asked for, and compares their checksum.
    fn verify_resident(&self, geometry: &Geometry, (method, blocks): &Packed, raw_checksum: u64) -> Result<()> {
        let Some(verifier) = &self.verifier else { return Ok(()) };
        let mut restored = WorkBuffer::default();
        restored.resize_for_overwrite(geometry.raw_bytes());
        let found: Vec<_> = blocks.iter().map(CodedBlock::as_found).collect();
        let cpu = self.scheduler.cpu();
        verifier
            .restore_method(geometry, method, &found, &Part::whole(geometry), cpu, restored.as_bytes_mut().into())
            .map_err(|error| error.context("verification"))?;
        if container::checksum(restored.as_bytes()) != raw_checksum {
            return Err(Error::corrupt("verification: other frames came back than were packed"));
        }
        Ok(())
    }
}

impl<W: Write + Send> Writer<'_, W> {
    /// Appends frames that are on a GPU, as [`Compressor::compress_gpu`] does. Frames given before go first, into a batch of
    /// their own.
    ///
    /// # Errors
    /// As [`Compressor::compress_gpu`], [`ErrorKind::InvalidInput`] if the frames are not of the file's format, and
    /// [`ErrorKind::Io`] if writing fails.
    pub fn write_gpu(&mut self, gpu: &Gpu, frames: &GpuFrames<'_>) -> Result<()> {
        if frames.format() != self.format() {
            return Err(Error::invalid(format!("frames: expected {:?}, found {:?}", self.format(), frames.format())));
        }
        self.flush()?;
        let batch_frames = self.batch_frames();
        for first in (0..frames.frames()).step_by(batch_frames) {
            let batch = frames.part(first, batch_frames.min(frames.frames() - first));
            let packed = self.compressor.pack_gpu(gpu, &batch)?;
            self.write_packed(batch.frames(), packed)?;
        }
        Ok(())
    }
}

//! Batch records to frames on a GPU.

use std::time::Instant;

use super::Gpu;
use crate::codec::exceptions;
use crate::container::{BatchRecord, RecordReader};
use crate::cpu::recover::Exceptions;
use crate::decompressor::{Decompressor, check_frames, frame_count};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{BufferLayout, Geometry};
use crate::gpu::{ResidentFrames, check_target};
use crate::packed::bytes_of;
use crate::plan::Method;
use crate::stage::Restored;
use crate::telemetry::{self, BatchWatch};
use crate::tiled::{self, TilesOf};

impl Decompressor {
    /// Decompresses a whole file in memory to a buffer on a GPU, which may be copied to (`COPY_DST`): what is submitted to the
    /// queue of the device afterwards finds the frames there. `layout` must have their format and number. Bytes between
    /// rows, planes and frames, and up to three after the last, are overwritten.
    ///
    /// Batches that the device can restore alone, which are all tiles, those of recovered planes too, do not pass through the
    /// host; others are restored with the settings of this
    /// decompressor and uploaded. [`statistics`](Self::statistics) counts both. A batch is
    /// copied to the buffer once its checksum is found to be right: after an error the buffer has the batches before it and
    /// is otherwise as it was.
    ///
    /// # Errors
    /// As [`decompress`](Self::decompress); [`ErrorKind::InvalidInput`] unless the layout is that of the frames and the
    /// buffer has room and the usage for them; [`ErrorKind::Gpu`] if the device fails, or a batch is too large for it.
    pub fn decompress_gpu(&self, gpu: &Gpu, file: &[u8], buffer: &wgpu::Buffer, layout: &BufferLayout) -> Result<()> {
        check_target(buffer, layout)?;
        let mut records = RecordReader::in_memory(file, self.limits())?;
        let format = records.header().format.clone();
        if format != *layout.format() {
            return Err(Error::invalid(format!(
                "layout: the file has frames of {format:?}, the buffer of {:?}",
                layout.format()
            )));
        }
        let (mut first, mut word) = (0, Default::default());
        while let Some(record) = records.next()? {
            let frames = frame_count(&record)?;
            if frames > layout.frames() - first {
                return Err(Error::invalid(format!("layout: has {} frames, the file has more", layout.frames())));
            }
            let geometry = Geometry::new(&format, frames);
            if geometry.raw_bytes() > 0 {
                let restored =
                    self.restore_gpu(gpu, &geometry, &record).map_err(|error| error.at(record.location()))?;
                restored.copy_to(buffer, &layout.part(first, frames), &mut word)?;
            }
            first += frames;
        }
        if first < layout.frames() {
            return Err(Error::invalid(format!("layout: has {} frames, the file has {first}", layout.frames())));
        }
        Ok(())
    }

    /// Any error of the device is answered by the ordinary way: if the data is at fault, that says the same.
    fn restore_gpu<'g>(
        &self,
        gpu: &'g Gpu,
        geometry: &Geometry,
        record: &BatchRecord<&[u8]>,
    ) -> Result<ResidentFrames<'g>> {
        match self.restore_resident(gpu, geometry, record) {
            Ok(Some(restored)) => return Ok(restored),
            Ok(None) => {}
            Err(error) => telemetry::failed(&gpu.description().name, &error, error.kind() != ErrorKind::Gpu),
        }
        let mut raw = vec![0; geometry.raw_bytes()];
        self.restore(geometry, record, &mut raw)?;
        let uploaded = gpu.backend.uploaded(&raw)?;
        self.scheduler.was_transferred();
        Ok(uploaded)
    }

    /// `None` if that takes more than the device can do alone.
    fn restore_resident<'g>(
        &self,
        gpu: &'g Gpu,
        geometry: &Geometry,
        record: &BatchRecord<&[u8]>,
    ) -> Result<Option<ResidentFrames<'g>>> {
        let (plan, recovered) = match &record.method {
            Method::Tiles(plan) => (plan, None),
            Method::Recovered(recovered) => match &*recovered.method {
                Method::Tiles(plan) => (plan, Some(recovered)),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let start = Instant::now();
        let _seat = self.crew().enter();
        let (watch, _in_work) = (BatchWatch::decompress(), telemetry::in_work());
        let blocks = record.coded_blocks()?;
        let (blocks, exceptions) = match recovered {
            None => (&blocks[..], Exceptions::default()),
            Some(recovered) => {
                let (blocks, bytes) = self.exceptions_after(recovered, &blocks)?;
                (blocks, exceptions::from_bytes(bytes.each_ref().map(Vec::as_slice), geometry.plane_samples(0))?)
            }
        };
        let restored = Restored { geometry, making: recovered.map(|recovered| &recovered.making) };
        let tiles = tiled::tiles_of(&restored.tiled(), plan, &bytes_of(blocks), self.scheduler.cpu())?;
        let Some(tiles) = tiles else { return Ok(None) };
        let (frames, checksum) = match tiles {
            TilesOf::Coded(tables, coded, motion) => {
                gpu.backend.decoded((restored, motion.as_ref()), plan, &tables, &coded, &exceptions)?
            }
            TilesOf::Packed(packed) => gpu.backend.unpacked(restored, plan, &packed, &exceptions)?,
        };
        check_frames(record, checksum)?;
        watch.done(&record.method, geometry.raw_bytes(), record.payload.len());
        self.scheduler.ran_resident(geometry.raw_bytes(), start.elapsed());
        Ok(Some(frames))
    }
}

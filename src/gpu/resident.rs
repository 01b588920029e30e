//! Raw frames that stay in the memory of a device.

use std::ops::Range;

use super::backend::GpuBackend;
use super::gpu_frames::{COPY_ALIGNMENT, GpuFrames, check_target};
use super::lending::Copy;
use super::record_coded::Encoding;
use super::record_decoded::Decoding;
use super::record_packed::{Packing, Unpacking};
use super::record_recover::Solving;
use super::record_resident::{self, Places, Sums, exceptions_of_host, put_exceptions, rows, rows_of_host, upload};
use super::record_tiles::RawFrames;
use super::recording::{Recording, Slot};
use super::shaders::Kernel;
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::cpu::pages::{self, PAGE_BYTES};
use crate::cpu::recover::Exceptions;
use crate::error::Result;
use crate::frame::{Batch, BufferLayout, Geometry, PitchedFrames};
use crate::motion::Motion;
use crate::plan::{Making, TilePlan};
use crate::stage::{CodedTiles, PackedTiles, Resident, Restored, SolvedPlanes, SolvedThere, TileEffort};

/// Raw frames without gaps, not empty, or [`SolvedPlanes`] of such, in a buffer of ours.
pub struct ResidentFrames<'a> {
    backend: &'a GpuBackend,
    /// Some until it is dropped.
    buffer: Option<wgpu::Buffer>,
    raw_bytes: usize,
}

/// What a device does to frames that stay there, besides stages. Each call brings its own.
pub trait Residence {
    /// Rows with gaps to rows without.
    fn rows_forward(&self, frames: &PitchedFrames, pitched: &[u8], dense: &mut [u8]) -> Result<()>;

    /// The other way round; gaps are zeros.
    fn rows_inverse(&self, frames: &PitchedFrames, dense: &[u8], pitched: &mut [u8]) -> Result<()>;

    /// Puts exceptions, whose places are within, into raw frames whose pixels have `channels` bytes.
    fn put_exceptions(&self, exceptions: &Exceptions, channels: usize, raw: &mut [u8]) -> Result<()>;

    /// The checksum of raw frames, which are not empty.
    fn checksum(&self, raw: &[u8]) -> Result<u64>;

    /// Copies the pages that have bytes of `places` of `content` to where they belong in `copied`, which is as long.
    fn pages_forward(&self, places: &[Range<usize>], content: &[u8], copied: &mut [u8]) -> Result<()>;

    /// Puts whole pages of `content`, those that have bytes of `places`, into `there`, which is as long.
    fn pages_inverse(&self, places: &[Range<usize>], content: &[u8], there: &mut [u8]) -> Result<()>;

    /// The planes that frames, which suit ([`Making::suits`]), seem to be made from, and how many blocks of each span of a row of
    /// blocks are not made of these.
    fn solved(&self, batch: Batch<'_>, making: &Making) -> Result<(Vec<u8>, Vec<u32>)>;
}

impl Residence for GpuBackend {
    fn rows_forward(&self, frames: &PitchedFrames, pitched: &[u8], dense: &mut [u8]) -> Result<()> {
        self.engine.execute(&rows_of_host(frames, Kernel::RowsForward)?, pitched, dense)
    }

    fn rows_inverse(&self, frames: &PitchedFrames, dense: &[u8], pitched: &mut [u8]) -> Result<()> {
        self.engine.execute(&rows_of_host(frames, Kernel::RowsInverse)?, dense, pitched)
    }

    fn put_exceptions(&self, exceptions: &Exceptions, channels: usize, raw: &mut [u8]) -> Result<()> {
        let uploaded = raw.to_vec();
        self.engine.execute(&exceptions_of_host(exceptions, channels, raw.len())?, &uploaded, raw)
    }

    fn checksum(&self, raw: &[u8]) -> Result<u64> {
        self.uploaded(raw)?.look(Vec::new(), &mut vec![0; raw.len()])
    }

    fn pages_forward(&self, places: &[Range<usize>], content: &[u8], copied: &mut [u8]) -> Result<()> {
        self.uploaded(content)?.download(places, copied)
    }

    fn pages_inverse(&self, places: &[Range<usize>], content: &[u8], there: &mut [u8]) -> Result<()> {
        let resident = self.uploaded(there)?;
        resident.upload(places, content)?;
        there.copy_from_slice(&resident.downloaded()?);
        Ok(())
    }

    fn solved(&self, batch: Batch<'_>, making: &Making) -> Result<(Vec<u8>, Vec<u32>)> {
        let all = std::iter::once(0..making.planes(batch.geometry).raw_bytes()).collect();
        let solved = self.uploaded(batch.raw)?.solve(batch.geometry, making, all)?;
        Ok((solved.seen.planes().to_vec(), solved.misfitting))
    }
}

impl Drop for ResidentFrames<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.backend.engine.give(buffer);
        }
    }
}

impl GpuBackend {
    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        self.engine.device()
    }

    /// Its queue.
    pub fn queue(&self) -> &wgpu::Queue {
        self.engine.queue()
    }

    /// A copy of frames, without gaps.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if they are too large for one buffer, or the device fails.
    pub fn copy_of(&self, frames: &GpuFrames<'_>) -> Result<ResidentFrames<'_>> {
        let pitched = frames.pitched();
        let resident = self.room(pitched.dense_bytes())?;
        if pitched.is_dense() {
            self.engine.copy(&frames.copies(&pitched, resident.buffer()))?;
        } else {
            let staging = self.engine.buffer(pitched.pitched_bytes())?;
            self.engine.copy(&frames.copies(&pitched, &staging))?;
            self.move_rows(&pitched, Kernel::RowsForward, &staging, resident.buffer())?;
            self.engine.give(staging);
        }
        Ok(resident)
    }

    /// Frames that come from the host.
    ///
    /// # Errors
    /// As [`copy_of`](Self::copy_of).
    pub fn uploaded(&self, raw: &[u8]) -> Result<ResidentFrames<'_>> {
        let resident = self.room(raw.len())?;
        let (recording, slot) = upload(raw.len())?;
        self.engine.execute_on(&recording, &[(slot, resident.buffer())], raw, &mut [], |_| Ok(None))?;
        Ok(resident)
    }

    /// Coded tiles to frames that stay, with their checksum; of frames that move if there is `motion`. Frames that are made get
    /// `exceptions`, whose places are within.
    ///
    /// # Errors
    /// As [`Backend::tiles_decode`](crate::stage::Backend::tiles_decode).
    pub fn decoded(
        &self,
        (restored, motion): (Restored<'_>, Option<&Motion>),
        plan: &TilePlan,
        tables: &TileDecoderTables,
        coded: &CodedTiles<'_>,
        exceptions: &Exceptions,
    ) -> Result<(ResidentFrames<'_>, u64)> {
        let tiled = restored.tiled();
        let groups = coded.check(&tiled, plan, &plan.tiling(&tiled), tables)?;
        let decoding = Decoding::resident(restored, plan, tables, coded, &groups, motion)?;
        let (input, rest) = (Decoding::input(coded), decoding.rest());
        let to = (decoding.raw, exceptions);
        let (frames, checksum, ends) = self.kept(restored.geometry, decoding.recording, to, &input, Some(rest))?;
        Decoding::check(coded, &ends)?;
        Ok((frames, checksum))
    }

    /// The same of packed tiles.
    ///
    /// # Errors
    /// As [`Backend::tiles_unpack`](crate::stage::Backend::tiles_unpack).
    pub fn unpacked(
        &self,
        restored: Restored<'_>,
        plan: &TilePlan,
        packed: &PackedTiles<'_>,
        exceptions: &Exceptions,
    ) -> Result<(ResidentFrames<'_>, u64)> {
        let tiled = restored.tiled();
        packed.check(&tiled, plan, &plan.tiling(&tiled))?;
        let Unpacking { recording, raw, .. } = Unpacking::resident(restored, plan, packed)?;
        let (input, to) = (Unpacking::input(packed), (raw, exceptions));
        let (frames, checksum, _) = self.kept(restored.geometry, recording, to, &input, None)?;
        Ok((frames, checksum))
    }

    /// Frames that a recording restores to `raw`, where they get their exceptions and stay, with their checksum, and what `rest`
    /// downloads.
    fn kept(
        &self,
        geometry: &Geometry,
        mut recording: Recording,
        (raw, exceptions): (Slot, &Exceptions),
        input: &[u8],
        rest: Option<Recording>,
    ) -> Result<(ResidentFrames<'_>, u64, Vec<u8>)> {
        put_exceptions(&mut recording, exceptions, geometry.planes.len(), raw)?;
        let sums = Sums::of(geometry.raw_bytes());
        sums.record(&mut recording, raw)?;
        let mut restored = self.room(recording.buffers[raw.0] as usize)?;
        restored.raw_bytes = geometry.raw_bytes();
        let mut downloaded = vec![0; recording.download_bytes() as usize];
        let kept = [(raw, restored.buffer())];
        let downloaded_later = self.engine.execute_on(&recording, &kept, input, &mut downloaded, |_| Ok(rest))?;
        Ok((restored, sums.checksum(&downloaded), downloaded_later))
    }

    /// What is solved of frames that are in `raw`, or else are `uploaded`, and stays here.
    pub(super) fn solved_there(
        &self,
        solving: &Solving,
        planes: &Geometry,
        raw: Option<&wgpu::Buffer>,
        uploaded: &[u8],
    ) -> Result<SolvedThere<'_>> {
        let recording = &solving.recording;
        let mut there = self.room(recording.buffers[solving.solved.0] as usize)?;
        there.raw_bytes = SolvedPlanes::bytes_of(planes);
        let solved = (solving.solved, there.buffer());
        let kept: Vec<_> = raw.map(|raw| (solving.raw, raw)).into_iter().chain([solved]).collect();
        let mut downloaded = vec![0; recording.download_bytes() as usize];
        self.engine.execute_on(recording, &kept, uploaded, &mut downloaded, |_| Ok(None))?;
        let mut seen = SolvedPlanes::zeroed(planes);
        solving.places.put(&downloaded, seen.as_bytes_mut());
        let misfitting = downloaded[..solving.misfitting].as_chunks().0;
        let misfitting = misfitting.iter().map(|&count| u32::from_le_bytes(count)).collect();
        Ok(SolvedThere { there: Box::new(there), misfitting, seen })
    }

    fn room(&self, bytes: usize) -> Result<ResidentFrames<'_>> {
        Ok(ResidentFrames { backend: self, buffer: Some(self.engine.buffer(bytes)?), raw_bytes: bytes })
    }

    fn move_rows(&self, frames: &PitchedFrames, kernel: Kernel, from: &wgpu::Buffer, to: &wgpu::Buffer) -> Result<()> {
        let kept = [(Slot(0), from), (Slot(1), to)];
        self.engine.execute_on(&rows(frames, kernel)?, &kept, &[], &mut [], |_| Ok(None))?;
        Ok(())
    }
}

impl<'a> ResidentFrames<'a> {
    fn buffer(&self) -> &wgpu::Buffer {
        self.buffer.as_ref().expect("there until it is dropped")
    }

    /// The checksum of the frames. Copies `places`, in order and each from a multiple of 4 on, to where they belong in
    /// `raw`, which is as long as the frames.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device fails.
    pub fn look(&self, places: Vec<Range<usize>>, raw: &mut [u8]) -> Result<u64> {
        let sums = Sums::of(self.raw_bytes);
        let places = Places::after(sums.bytes(), places);
        let mut recording = Recording::default();
        let slot = recording.buffer(self.raw_bytes)?;
        sums.record(&mut recording, slot)?;
        places.record(&mut recording, slot);
        let mut downloaded = vec![0; recording.download_bytes() as usize];
        let kept = [(slot, self.buffer())];
        self.backend.engine.execute_on(&recording, &kept, &[], &mut downloaded, |_| Ok(None))?;
        places.put(&downloaded, raw);
        Ok(sums.checksum(&downloaded))
    }

    /// The planes that frames which suit ([`Making::suits`]) seem to be made from, which stay too. What comes to the host are
    /// `places` of them, as [`look`](Self::look) takes them.
    ///
    /// # Errors
    /// As [`look`](Self::look), and if the planes are too large for one buffer.
    pub fn solve(&self, geometry: &Geometry, making: &Making, places: Vec<Range<usize>>) -> Result<SolvedThere<'a>> {
        let solving = Solving::new(RawFrames::Resident, geometry, making, places)?;
        self.backend.solved_there(&solving, &making.planes(geometry), Some(self.buffer()), &[])
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn downloaded(&self) -> Result<Vec<u8>> {
        let mut raw = vec![0; self.raw_bytes];
        self.bring(&mut raw)?;
        Ok(raw)
    }

    /// Copies them to a buffer of somebody else. Words are copied whole: `word` has what the batch before has of the one in which
    /// these frames begin, and then what there is of the one in which they end.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if they must not be copied there; otherwise as
    /// [`look`](Self::look).
    pub fn copy_to(&self, buffer: &wgpu::Buffer, layout: &BufferLayout, word: &mut [u8; COPY_ALIGNMENT]) -> Result<()> {
        check_target(buffer, layout)?;
        let before = layout.offset() % COPY_ALIGNMENT;
        let pitched = layout.pitched().after(before);
        let first = layout.offset() - before;
        if pitched.is_dense() {
            return self.copy_all_to(buffer, first, word);
        }
        let staging = self.backend.room(pitched.pitched_bytes())?;
        self.backend.move_rows(&pitched, Kernel::RowsInverse, self.buffer(), staging.buffer())?;
        if before > 0 {
            staging.change(0..before, |bytes| bytes.copy_from_slice(&word[..before]))?;
        }
        staging.copy_all_to(buffer, first, word)
    }

    /// Copies all that is here to a place in a buffer of somebody else, and its last bytes, if they are no whole word, to `word`.
    fn copy_all_to(&self, buffer: &wgpu::Buffer, first: usize, word: &mut [u8; COPY_ALIGNMENT]) -> Result<()> {
        let bytes = self.raw_bytes.next_multiple_of(COPY_ALIGNMENT) as u64;
        self.backend.engine.copy(&[Copy::Buffer { from: (self.buffer(), 0), to: (buffer, first as u64), bytes }])?;
        let last = self.raw_bytes / COPY_ALIGNMENT * COPY_ALIGNMENT..self.raw_bytes;
        if !last.is_empty() {
            let content = self.some(last.clone())?;
            word[..last.len()].copy_from_slice(&content[last]);
        }
        Ok(())
    }

    /// Memory for all that is here, with a copy of the pages of a place.
    fn some(&self, place: Range<usize>) -> Result<Vec<u8>> {
        // Of which next to nothing is ever touched.
        let mut content = vec![0; self.raw_bytes];
        self.download(&[place], &mut content)?;
        Ok(content)
    }

    /// Changes the bytes of a place.
    fn change(&self, place: Range<usize>, change: impl FnOnce(&mut [u8])) -> Result<()> {
        let mut content = self.some(place.clone())?;
        change(&mut content[place.clone()]);
        self.upload(&[place], &content)
    }
}

impl Resident for ResidentFrames<'_> {
    fn download(&self, places: &[Range<usize>], content: &mut [u8]) -> Result<()> {
        let pages = pages::of_places(places);
        let (recording, slot) = record_resident::pages(self.raw_bytes, &pages, Kernel::PagesForward)?;
        let mut copied = vec![0; pages.len() * PAGE_BYTES];
        let kept = [(slot, self.buffer())];
        self.backend.engine.execute_on(&recording, &kept, &[], &mut copied, |_| Ok(None))?;
        pages::inverse(&pages, &copied, content);
        Ok(())
    }

    fn upload(&self, places: &[Range<usize>], content: &[u8]) -> Result<()> {
        let pages = pages::of_places(places);
        let (recording, slot) = record_resident::pages(self.raw_bytes, &pages, Kernel::PagesInverse)?;
        let mut copied = vec![0; pages.len() * PAGE_BYTES];
        pages::forward(&pages, content, &mut copied);
        let kept = [(slot, self.buffer())];
        self.backend.engine.execute_on(&recording, &kept, &copied, &mut [], |_| Ok(None))?;
        Ok(())
    }

    fn bring(&self, content: &mut [u8]) -> Result<()> {
        let mut recording = Recording::default();
        let slot = recording.buffer(self.raw_bytes)?;
        recording.download(slot, 0..content.len());
        let kept = [(slot, self.buffer())];
        self.backend.engine.execute_on(&recording, &kept, &[], content, |_| Ok(None))?;
        Ok(())
    }

    fn has_room(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: Option<&TileEncoderTables>,
    ) -> bool {
        let recording = match tables {
            Some(tables) => Encoding::resident(geometry, plan, effort, tables).map(|it| it.recording),
            None => Packing::new(RawFrames::Resident, geometry, plan, effort).map(|it| it.recording),
        };
        self.backend.engine.fits(recording, 0)
    }

    fn tiles_encode(
        &self,
        geometry: &Geometry,
        plan: &TilePlan,
        effort: TileEffort,
        tables: &TileEncoderTables,
    ) -> Result<CodedTiles<'static>> {
        let encoding = Encoding::resident(geometry, plan, effort, tables)?;
        let mut head = vec![0; encoding.head_bytes()];
        let mut ends = Vec::new();
        let kept = [(encoding.raw, self.buffer())];
        let rest = self.backend.engine.execute_on(&encoding.recording, &kept, &[], &mut head, |head| {
            ends = encoding.ends(head)?;
            Ok(Some(encoding.rest(&ends)))
        })?;
        encoding.coded(&head, &ends, &rest)
    }

    fn tiles_pack(&self, geometry: &Geometry, plan: &TilePlan, effort: TileEffort) -> Result<PackedTiles<'static>> {
        let packing = Packing::new(RawFrames::Resident, geometry, plan, effort)?;
        let mut head = vec![0; packing.head_bytes()];
        let kept = [(packing.raw, self.buffer())];
        let engine = &self.backend.engine;
        let rest = engine.execute_on(&packing.recording, &kept, &[], &mut head, |head| packing.rest(head).map(Some))?;
        Packing::packed(0, geometry, plan, &head, &rest)
    }
}

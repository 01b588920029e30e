//! From a plan of tiles to the commands that pack its residuals, and from packed ones to those that make raw frames.

use super::record_recover;
use super::record_tiles::{CHOSEN_TILES, RawFrames, Recorder};
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::Kernel;
use crate::error::{Error, Result};
use crate::frame::{GROUP, Geometry, TILE_GROUPS, TILE_SAMPLES};
use crate::plan::{TilePlan, TilePredictor};
use crate::stage::{PackedTiles, Restored, TileBatch, TileEffort, numbers_bytes};

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Groups of a workgroup.
const GROUPS: usize = CHOSEN_TILES * TILE_GROUPS;
/// Most words of what a workgroup packs: widths, and numbers of eight bits.
const MOST_WORDS: usize = GROUPS * (size_of::<u16>() + GROUP) / 4;
/// Words that a workgroup of the decoder is given besides numbers: where its own begin, and widths.
const TABLE_WORDS: usize = 1 + GROUPS * size_of::<u16>() / 4;
/// Bytes past the numbers that the decoder may read.
const SLACK: usize = 8;

/// Raw frames in, packed tiles out, in two submissions: how long they are has to be known before they are downloaded.
pub(super) struct Packing {
    pub recording: Recording,
    /// What has the raw frames to begin with.
    pub raw: Slot,
    pieces: Slot,
    /// Tiles of the batch.
    count: usize,
}

impl Packing {
    pub fn new(frames: RawFrames, geometry: &Geometry, plan: &TilePlan, effort: TileEffort) -> Result<Self> {
        let mut recorder = Recorder::new(geometry, plan.cut())?;
        let count = recorder.tiles;
        let workgroups = count.div_ceil(CHOSEN_TILES);
        let raw = recorder.recording.buffer(geometry.raw_bytes())?;
        if frames == RawFrames::Uploaded {
            recorder.recording.upload(raw);
        }
        let pieces = recorder.recording.buffer(4 * workgroups * MOST_WORDS)?;
        let head_bytes = Head::bytes(workgroups);
        let head = recorder.recording.buffer(head_bytes)?;
        // Nothing is taken of the pieces' buffer yet.
        recorder.recording.clear_part(head, 0..4);
        recorder.try_predictors(effort);
        recorder.dispatch(Kernel::PackedEncode, &[raw, pieces, head], Work::Workgroups(workgroups));
        // How much is written besides is not known.
        recorder.recording.moves_only(geometry.raw_bytes() + head_bytes);
        recorder.recording.download(head, 0..head_bytes);
        Ok(Self { recording: recorder.recording, raw, pieces, count })
    }

    /// Length of what the recording downloads.
    pub fn head_bytes(&self) -> usize {
        self.recording.download_bytes() as usize
    }

    /// What is downloaded when it is known how long all pieces are.
    ///
    /// # Errors
    /// [`ErrorKind::Gpu`](crate::ErrorKind::Gpu) if the device says nonsense.
    pub fn rest(&self, head: &[u8]) -> Result<Recording> {
        let words = Head(head).words();
        if words > self.count.div_ceil(CHOSEN_TILES) * MOST_WORDS {
            return Err(Error::gpu(format!("the device says that it packed {words} words")));
        }
        let mut rest = self.recording.continuation();
        if words > 0 {
            rest.download(self.pieces, 0..4 * words);
        }
        Ok(rest)
    }

    /// The packed tiles from what both submissions downloaded, but for the first `lead` frames.
    ///
    /// # Errors
    /// As [`rest`](Self::rest).
    pub fn packed(
        lead: usize,
        geometry: &Geometry,
        plan: &TilePlan,
        head: &[u8],
        rest: &[u8],
    ) -> Result<PackedTiles<'static>> {
        let mut pieces = Pieces { head: Head(head), rest, next: 0, widths: &[], numbers: &[] };
        let mut packed = PackedTiles::default();
        let of_segment = plan.segment_frames as usize;
        for band in plan.tiling(geometry).bands {
            pieces.take(lead * band.tiles(), &mut PackedTiles::default(), &mut Vec::new())?;
            for first in (lead..geometry.frames).step_by(of_segment) {
                let frames = of_segment.min(geometry.frames - first);
                let mut numbers = Vec::new();
                pieces.take(frames * band.tiles(), &mut packed, &mut numbers)?;
                packed.numbers.push(numbers.into());
            }
        }
        Ok(packed)
    }
}

/// What is downloaded first: how many words all pieces have, then of each workgroup its tiles and where its piece begins.
struct Head<'a>(&'a [u8]);

impl Head<'_> {
    fn bytes(workgroups: usize) -> usize {
        4 * (1 + 2 * workgroups)
    }

    fn word(&self, at: usize) -> [u8; 4] {
        self.0.as_chunks().0[at]
    }

    fn words(&self) -> usize {
        u32::from_le_bytes(self.word(0)) as usize
    }

    /// As a segment has them.
    fn tiles(&self, workgroup: usize) -> [u8; CHOSEN_TILES] {
        self.word(1 + 2 * workgroup)
    }

    fn first_byte(&self, workgroup: usize) -> usize {
        4 * u32::from_le_bytes(self.word(2 + 2 * workgroup)) as usize
    }
}

/// Pieces, in the order of tiles.
struct Pieces<'a> {
    head: Head<'a>,
    rest: &'a [u8],
    /// The next tile.
    next: usize,
    /// What is left of its piece.
    widths: &'a [u8],
    numbers: &'a [u8],
}

impl Pieces<'_> {
    /// Appends what the next `tiles` tiles have, their numbers to `numbers`.
    fn take(&mut self, tiles: usize, to: &mut PackedTiles<'_>, numbers: &mut Vec<u8>) -> Result<()> {
        for tile in self.next..self.next + tiles {
            let workgroup = tile / CHOSEN_TILES;
            let bytes = self.head.tiles(workgroup);
            if tile.is_multiple_of(CHOSEN_TILES) {
                let groups: u32 = bytes.iter().map(|byte| (byte >> 4).count_ones()).sum();
                let piece = self.rest.get(self.head.first_byte(workgroup)..).ok_or_else(nonsense)?;
                let widths = groups as usize * size_of::<u16>();
                (self.widths, self.numbers) = piece.split_at_checked(widths).ok_or_else(nonsense)?;
            }
            let byte = bytes[tile % CHOSEN_TILES];
            if usize::from(byte & 15) >= TilePredictor::ALL.len() {
                return Err(Error::gpu("the device chose a predictor that there is not"));
            }
            to.predictors.push(byte & 15);
            let mut of_tile = 0;
            for group in 0..TILE_GROUPS {
                let widths = if byte >> (4 + group) & 1 == 0 { 0 } else { self.widths_of_group()? };
                of_tile += numbers_bytes(widths).ok_or_else(nonsense)?;
                to.widths.push(widths);
            }
            numbers.extend(self.numbers.split_off(..of_tile).ok_or_else(nonsense)?);
        }
        self.next += tiles;
        Ok(())
    }

    fn widths_of_group(&mut self) -> Result<u16> {
        let (widths, rest) = self.widths.split_first_chunk().ok_or_else(nonsense)?;
        self.widths = rest;
        Ok(u16::from_le_bytes(*widths))
    }
}

fn nonsense() -> Error {
    Error::gpu("the device says that it packed residuals where there are none")
}

/// Widths and numbers in, raw frames out.
pub(super) struct Unpacking {
    pub recording: Recording,
    /// What has the raw frames in the end.
    pub raw: Slot,
    /// Has the samples of tiles in the end.
    pub samples: Slot,
}

impl Unpacking {
    /// `packed` has been [checked](PackedTiles::check).
    pub fn new(restored: Restored<'_>, plan: &TilePlan, packed: &PackedTiles<'_>) -> Result<Self> {
        let mut unpacking = Self::resident(restored, plan, packed)?;
        unpacking.recording.download(unpacking.raw, 0..restored.geometry.raw_bytes());
        Ok(unpacking)
    }

    /// The same for frames that are not downloaded.
    pub fn resident(restored: Restored<'_>, plan: &TilePlan, packed: &PackedTiles<'_>) -> Result<Self> {
        let geometry = &*restored.tiled();
        let mut recorder = Recorder::new(geometry, plan.cut())?;
        let tiles = recorder.recording.buffer(TileBatch::bytes_of(recorder.tiles))?;
        recorder.recording.fill(tiles, recorder.tiles * TILE_SAMPLES, &packed.predictors);
        let input_bytes = Self::input_bytes(packed);
        let input = recorder.recording.buffer(input_bytes + SLACK)?;
        recorder.recording.upload(input);
        let workgroups = recorder.tiles.div_ceil(CHOSEN_TILES);
        let (params, work) = (recorder.params, Work::Workgroups(workgroups));
        recorder.recording.dispatch(Kernel::PackedDecode, OVERRIDES, params, &[input, tiles], work);
        let [tiled, samples] = recorder.restore(geometry, tiles, None)?;
        let raw = record_recover::made(&mut recorder.recording, restored, tiled)?;
        Ok(Self { recording: recorder.recording, raw, samples })
    }

    /// Length of what is uploaded.
    pub fn input_bytes(packed: &PackedTiles<'_>) -> usize {
        let numbers: usize = packed.numbers.iter().map(|numbers| numbers.len()).sum();
        4 * packed.predictors.len().div_ceil(CHOSEN_TILES) * TABLE_WORDS + numbers
    }

    /// What is uploaded.
    pub fn input(packed: &PackedTiles<'_>) -> Vec<u8> {
        let mut input = Vec::with_capacity(Self::input_bytes(packed));
        let mut before = 0;
        for widths in packed.widths.chunks(GROUPS) {
            // In half words: widths are of pairs of bytes.
            input.extend((before as u32 / 2).to_le_bytes());
            before += widths.iter().filter_map(|&widths| numbers_bytes(widths)).sum::<usize>();
            input.extend(widths.iter().flat_map(|widths| widths.to_le_bytes()));
            input.resize(input.len().next_multiple_of(4 * TABLE_WORDS), 0);
        }
        packed.numbers.iter().for_each(|numbers| input.extend(numbers.iter()));
        input
    }
}

/// Bytes of the largest buffer for any packed tiles of such a batch.
pub(super) fn most_bytes(restored: Restored<'_>, plan: &TilePlan) -> u64 {
    let geometry = &*restored.tiled();
    let tiles = plan.tiling(geometry).tiles() * geometry.frames;
    let packed = tiles.div_ceil(CHOSEN_TILES) * 4 * (TABLE_WORDS + MOST_WORDS) + SLACK;
    packed.max(restored.geometry.raw_bytes()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::cpu::{CpuBackend, SimdLevel};
    use crate::frame::{Batch, Dtype, FrameFormat, Layout};
    use crate::gpu::recording::Command;
    use crate::gpu::sample_bytes;
    use crate::plan::{Colour, TileCoding};
    use crate::stage::Backend;

    const PLAN: TilePlan = TilePlan {
        colour: Colour::None,
        split_chroma: false,
        bands: 2,
        segment_frames: 2,
        moves: false,
        coding: TileCoding::Packed,
    };

    fn geometry(width: usize, height: usize, frames: usize) -> Geometry {
        Geometry::new(&FrameFormat::new(Dtype::U8, Layout::Gray { width, height }).unwrap(), frames)
    }

    /// What there is already is not uploaded, and nothing writes to it.
    #[test]
    fn each_kernel_runs_once() {
        let geometry = geometry(40, 70, 5);
        let packing = |frames| Packing::new(frames, &geometry, &PLAN, TileEffort::Few).unwrap();
        let uploads = |recording: &Recording| {
            recording.commands.iter().filter(|command| matches!(command, Command::Upload { .. })).count()
        };
        for (frames, uploaded) in [(RawFrames::Uploaded, 1), (RawFrames::Resident, 0)] {
            let Packing { recording, raw, .. } = packing(frames);
            // 15 tiles in each of 5 frames.
            let dispatches: Vec<_> = recording.dispatches().map(|it| (it.kernel, it.workgroups)).collect();
            assert_eq!(dispatches, [(Kernel::PackedEncode, [19, 1])]);
            assert_eq!(uploads(&recording), uploaded);
            assert_eq!(recording.download_bytes(), 4 + 19 * 8);
            assert_eq!(recording.dispatches().next().unwrap().storage[0], raw);
        }

        let raw = sample_bytes(geometry.raw_bytes(), 3);
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let packed = cpu.tiles_pack(Batch { geometry: &geometry, raw: &raw }, &PLAN, TileEffort::Few).unwrap();
        let Unpacking { recording, raw, .. } = Unpacking::new((&geometry).into(), &PLAN, &packed).unwrap();
        let kernels: Vec<_> = recording.dispatches().map(|it| it.kernel).collect();
        assert_eq!(kernels, [Kernel::PackedDecode, Kernel::RestoreInverse, Kernel::PhasesInverse]);
        assert_eq!(recording.download_bytes() as usize, geometry.raw_bytes());
        assert!(recording.buffers[raw.0] as usize >= geometry.raw_bytes());
        let input = Unpacking::input(&packed);
        assert_eq!(input.len(), Unpacking::input_bytes(&packed));
        assert!(most_bytes((&geometry).into(), &PLAN) >= (input.len() + SLACK) as u64);
        let resident = Unpacking::resident((&geometry).into(), &PLAN, &packed).unwrap().recording;
        assert_eq!(resident.download_bytes(), 0);
    }

    /// Pieces are found wherever they are, and what cannot be one is not taken for one.
    #[test]
    fn nonsense_of_a_device_is_an_error() {
        // Seven tiles in each of two frames, of which the first has a workgroup, and a part of the next one.
        let geometry = geometry(16, 112, 2);
        let plan = TilePlan { bands: 1, segment_frames: 1, ..PLAN };
        let packing = Packing::new(RawFrames::Uploaded, &geometry, &plan, TileEffort::Few).unwrap();
        // The fifth tile has a group with three bits in its second part, the last one has one with eight.
        let mut head = vec![0u32; 9];
        (head[0], head[3], head[7]) = (8, 0x15, 0x8B00);
        head[4] = 5;
        let rest: Vec<u8> = [&[0x80, 0][..], &[9; 16], &[0; 2], &[0x30, 0], &[7; 6], &[0; 4]].concat();
        let unpacked = |head: &[u32], lead: usize| {
            let head: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
            packing.rest(&head).and_then(|recording| {
                assert_eq!(recording.download_bytes() as usize, rest.len());
                Packing::packed(lead, &geometry, &plan, &head, &rest)
            })
        };
        let packed = unpacked(&head, 0).unwrap();
        assert_eq!(packed.numbers, [vec![7; 6], vec![9; 16]]);
        assert_eq!((packed.predictors[4], packed.predictors[13]), (5, 11));
        assert_eq!((packed.widths[16], packed.widths[4 * 13 + 3]), (0x30, 0x80));
        assert_eq!(packed.widths.iter().filter(|&&widths| widths > 0).count(), 2);
        packed.check(&geometry, &plan, &plan.tiling(&geometry)).unwrap();
        let second = unpacked(&head, 1).unwrap();
        assert_eq!((second.numbers, second.predictors), (vec![vec![9; 16].into()], packed.predictors[7..].to_vec()));
        for (at, nonsense) in [(0, u32::MAX), (4, 8), (4, u32::MAX), (3, 0x1C), (3, 0xF5), (7, 0xFFFB)] {
            let mut damaged = head.clone();
            damaged[at] = nonsense;
            assert_eq!(unpacked(&damaged, 0).unwrap_err().kind(), ErrorKind::Gpu, "{at} {nonsense:x}");
        }
    }

    #[test]
    fn a_batch_beyond_any_device_is_an_error() {
        let huge = geometry(1 << 16, 1 << 12, 16);
        let packing = Packing::new(RawFrames::Resident, &huge, &PLAN, TileEffort::Few);
        assert_eq!(packing.err().unwrap().kind(), ErrorKind::Gpu);
        let unpacking = Unpacking::new((&huge).into(), &PLAN, &PackedTiles::default());
        assert_eq!(unpacking.err().unwrap().kind(), ErrorKind::Gpu);
    }
}

//! How much a device has to move, counted from recordings without one.
//!
//! What crosses the bus counts once: uploads, tables and parameters, downloads. In the device's memory every dispatch
//! counts each of its buffers once, read or written: neighbouring invocations share what they read, by workgroup memory
//! or a cache. A buffer that is larger than what is in it counts with that, which [`Used`] says.

use std::ops::Range;
use std::path::Path;

use super::record_coded::Encoding;
use super::record_decoded::Decoding;
use super::record_packed::{Packing, Unpacking};
use super::record_rans::EncodedEnd;
use super::record_recover::{self, Solving};
use super::record_resident;
use super::record_tiles::RawFrames;
use super::recording::{Command, Recording, Slot};
use super::shaders::Kernel;
use crate::codec::{TileDecoderTables, TileEncoderTables};
use crate::cpu::recover::RepairPlaces;
use crate::cpu::{CpuBackend, SimdLevel, pages};
use crate::frame::{Batch, ChannelOrder, ChromaSampling, Dtype, FrameFormat, GROUP, Geometry, Layout, PlaneGeometry};
use crate::input;
use crate::plan::{KNOWN, LevelParameters, Making, TileCoding, choose_tiles};
use crate::stage::{Backend, Restored, SolvedPlanes, TileBatch, TileEffort};

/// Bytes that a kernel uses of a buffer it is bound to, where that is not all of it.
struct Used<'a>(&'a [(Kernel, Slot, usize)]);

impl Used<'_> {
    fn bytes(&self, kernel: Kernel, slot: Slot, recording: &Recording) -> u64 {
        let found = self.0.iter().find(|&&(of, in_slot, _)| (of, in_slot) == (kernel, slot));
        found.map_or(recording.buffers[slot.0], |&(_, _, bytes)| bytes as u64)
    }
}

/// Bytes that are moved to carry out `recording`, of which `uploaded` come from the host.
fn moved(recording: &Recording, uploaded: usize, used: &Used<'_>) -> u64 {
    let tables: usize = recording.tables.iter().map(|(_, _, content)| content.len()).sum();
    let of_command = |command: &Command| match command {
        Command::Upload { .. } => uploaded as u64,
        Command::Clear { bytes, .. } => *bytes,
        Command::Download { bytes, .. } => *bytes,
        Command::Dispatch(dispatch) => {
            let of_buffer = |&slot: &Slot| used.bytes(dispatch.kernel, slot, recording);
            let storage = &dispatch.storage;
            let distinct = storage.iter().enumerate().filter(|(at, slot)| !storage[..*at].contains(slot));
            dispatch.params.len() as u64 + distinct.map(|(_, slot)| of_buffer(slot)).sum::<u64>()
        }
    };
    tables as u64 + recording.commands.iter().map(of_command).sum::<u64>()
}

/// A clip of the tests.
fn clip(name: &str) -> (Geometry, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut reader = input::open(&path, None).unwrap();
    let clip = reader.read_batch(usize::MAX).unwrap().unwrap();
    (Geometry::new(&reader.description().format, clip.frames), clip.bytes)
}

/// Clips at level 1, in one dispatch: besides the frames, which are uploaded and read once, only what is packed is written
/// and downloaded.
#[test]
fn packing_moves_what_comes_out_and_nothing_else() {
    for name in ["bbb_rgb_317x179.npy", "bbb_yuv420_320x176.y4m"] {
        let (geometry, raw) = clip(name);
        let batch = Batch { geometry: &geometry, raw: &raw };
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let choice = choose_tiles(batch, LevelParameters::of(1).tiles, true, &cpu).unwrap();
        let packed = cpu.tiles_pack(batch, &choice.plan, choice.effort).unwrap();
        let groups = packed.widths.iter().filter(|&&widths| widths > 0).count();
        let numbers: usize = packed.numbers.iter().map(|numbers| numbers.len()).sum();
        // What a file has of it.
        let tiles = packed.predictors.len();
        let written = tiles + size_of::<u16>() * groups + numbers;

        let packing = Packing::new(RawFrames::Uploaded, &geometry, &choice.plan, choice.effort).unwrap();
        let recording = &packing.recording;
        assert_eq!(recording.dispatches().count(), 1);
        let storage = &recording.dispatches().next().unwrap().storage;
        // A piece is filled up to a whole word, of four tiles.
        let pieces = written - tiles + tiles;
        let used = [(Kernel::PackedEncode, storage[0], raw.len()), (Kernel::PackedEncode, storage[1], pieces)];
        let mut head = vec![0; packing.head_bytes()];
        head[..4].copy_from_slice(&(pieces as u32 / 4).to_le_bytes());
        let rest = packing.rest(&head).unwrap();
        let bytes = moved(recording, raw.len(), &Used(&used)) + moved(&rest, 0, &Used(&[]));
        let most = 2 * (raw.len() + written) as u64 + raw.len() as u64 / 20;
        assert!(bytes <= most, "{name}: {bytes} bytes for {}, of which {written} are left", raw.len());
        assert!(bytes <= 4 * raw.len() as u64);
    }
}

/// Frames that are made of planes, in one recording from what is packed to pixels: it takes what restoring the planes and
/// making frames of them take, but for the planes themselves, which are neither downloaded nor uploaded.
#[test]
fn recovered_planes_stay() {
    let (of_planes, planes) = clip("bbb_yuv420_320x176.y4m");
    let PlaneGeometry { width, height, .. } = of_planes.planes[0];
    let layout = Layout::Packed { width, height, order: ChannelOrder::Rgb };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), of_planes.frames);
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    assert_eq!(making.planes(&geometry).raw_bytes(), planes.len());
    let batch = Batch { geometry: &of_planes, raw: &planes };
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let making_alone = record_recover::inverse(&geometry, &making).unwrap();

    let choice = choose_tiles(batch, LevelParameters::of(4).tiles, false, &cpu).unwrap();
    let TileCoding::Tables(tables) = &choice.plan.coding else { panic!("{:?}", choice.plan) };
    let (encode, decode) = (TileEncoderTables::new(tables, choice.classes.unwrap()), TileDecoderTables::new(tables));
    let coded = cpu.tiles_encode(batch, &choice.plan, choice.effort, &encode, None).unwrap();
    let groups = coded.check(&of_planes, &choice.plan, &choice.plan.tiling(&of_planes), &decode).unwrap();
    let decoding = |restored: Restored<'_>| {
        Decoding::new(restored, &choice.plan, &decode, &coded, &groups, None).unwrap().recording
    };
    let packing = choose_tiles(batch, LevelParameters::of(1).tiles, true, &cpu).unwrap().plan;
    let packed = cpu.tiles_pack(batch, &packing, TileEffort::Few).unwrap();
    let unpacking = |restored: Restored<'_>| Unpacking::new(restored, &packing, &packed).unwrap().recording;
    let (alone, made) = (Restored::from(&of_planes), Restored::made(&geometry, &making));
    for (tiles_alone, both, input) in [
        (decoding(alone), decoding(made), Decoding::input_bytes(&coded)),
        (unpacking(alone), unpacking(made), Unpacking::input_bytes(&packed)),
    ] {
        let of_planes = both.dispatches().last().unwrap().storage[0];
        let moved = [
            moved(&both, input, &Used(&[(Kernel::ConvertInverse, of_planes, planes.len())])),
            moved(&tiles_alone, input, &Used(&[])),
            moved(&making_alone, planes.len(), &Used(&[])),
        ];
        assert_eq!(moved[0] + 2 * planes.len() as u64, moved[1] + moved[2]);
        let kernels: Vec<_> = both.dispatches().map(|it| it.kernel).collect();
        assert_eq!(kernels[kernels.len() - 2..], [Kernel::PhasesInverse, Kernel::ConvertInverse]);
        assert_eq!(both.download_bytes() as usize, geometry.raw_bytes());
    }
}

/// Frames to planes that stay: they are uploaded once, unless they are there, and of planes nothing is downloaded but
/// how many blocks of a row are not made of them, and places that are asked for.
#[test]
fn planes_stay_where_they_are_solved() {
    let layout = Layout::Packed { width: 320, height: 176, order: ChannelOrder::Rgb };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 6);
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    for (frames, uploads) in [(RawFrames::Uploaded, 1), (RawFrames::Resident, 0)] {
        let solving = Solving::new(frames, &geometry, &making, vec![8..20, 400..410]).unwrap();
        let Solving { recording, raw, misfitting, .. } = solving;
        let uploaded: Vec<_> =
            recording.commands.iter().filter(|command| matches!(command, Command::Upload { .. })).collect();
        assert_eq!(uploaded, vec![&Command::Upload { to: raw }; uploads]);
        // Of 160 blocks a row in three spans.
        assert_eq!(misfitting, 4 * 3 * 88 * 6);
        assert_eq!(recording.download_bytes() as usize, misfitting + 12 + 12);
        let kernels: Vec<_> = recording.dispatches().map(|it| it.kernel).collect();
        assert_eq!(kernels, [Kernel::SolveForward]);
    }
}

/// Of planes that are repaired, pages around the blocks and the same of the frame before come to the host, and pages of the
/// blocks alone go back.
#[test]
fn repaired_pages_go_back_alone() {
    let layout = Layout::Packed { width: 4096, height: 512, order: ChannelOrder::Rgb };
    let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 2);
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    let mut misfitting = vec![0; 2 * 256 * 32];
    misfitting[(256 + 64) * 32 + 16] = 3;
    let places = RepairPlaces::of(&geometry, &making, &misfitting);
    let bytes = SolvedPlanes::bytes_of(&making.planes(&geometry));
    let count = |places: &[Range<usize>]| pages::of_places(places).len();
    // Two rows of 128 pixels, of two frames, and a pixel or two to their left.
    assert_eq!(count(&places.frames), 2 * 2 * 3);
    // Two of Y, of which what is left of them is another page, and one of U and V each; a page of misfits.
    assert_eq!([count(&places.solved), count(&places.repaired)], [2 * (2 * 2 + 2 * 2) + 1, 2 + 2]);
    let listed = pages::of_places(&places.repaired);
    let (recording, buffer) = record_resident::pages(bytes, &listed, Kernel::PagesInverse).unwrap();
    assert_eq!(recording.download_bytes(), 0);
    assert!(recording.commands.contains(&Command::Upload { to: Slot(1) }) && recording.buffers[1] == 4 * 256);
    let (recording, _) = record_resident::pages(bytes, &listed, Kernel::PagesForward).unwrap();
    assert_eq!(recording.download_bytes(), 4 * 256);
    assert!(!recording.commands.contains(&Command::Upload { to: buffer }));
}

/// Bytes in which residuals are written and read: of groups that have any, each half in as few bits a residual as it fits.
fn residual_bytes(tiles: &TileBatch) -> usize {
    let of_half = |half: &[u8]| {
        let used = half.iter().fold(0, |bits, residual| bits | residual);
        let bits = [1, 2, 4].into_iter().find(|&bits| used < 1 << bits).unwrap_or(8);
        half.len() * bits / 8
    };
    let groups = tiles.groups().iter().filter(|group| group.iter().any(|&residual| residual > 0));
    groups.flat_map(|group| group.chunks(GROUP / 2)).map(of_half).sum()
}

/// Clips at level 4, in three dispatches: RGB of a film, about half of whose groups are zeros, and YUV, where nearly
/// every group has residuals.
#[test]
fn encoding_moves_four_bytes_for_each() {
    for name in ["bbb_rgb_317x179.npy", "bbb_yuv420_320x176.y4m"] {
        let (geometry, raw) = clip(name);
        let batch = Batch { geometry: &geometry, raw: &raw };
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let choice = choose_tiles(batch, LevelParameters::of(4).tiles, false, &cpu).unwrap();
        let TileCoding::Tables(tables) = &choice.plan.coding else { panic!("{:?}", choice.plan) };
        let tables = TileEncoderTables::new(tables, choice.classes.unwrap());

        // What is coded, and how long it gets, is what the CPU makes of it.
        let coded = cpu.tiles_encode(batch, &choice.plan, choice.effort, &tables, None).unwrap();
        let groups = coded.classes.iter().filter(|&&class| class > 0).count();
        let mut tiles = TileBatch::default();
        cpu.tiles_forward(batch, choice.plan.cut(), choice.effort, &mut tiles).unwrap();
        let residuals = residual_bytes(&tiles);
        let codes = || coded.segments.iter().flat_map(|segment| &segment.codes);
        let words: usize = codes().map(|code| code.words.len()).sum();
        let escapes: usize = coded.segments.iter().map(|segment| segment.escapes.len()).sum();
        let encoding = Encoding::new(&geometry, &choice.plan, choice.effort, &tables, None).unwrap();
        let recording = &encoding.recording;
        let storage = |kernel| &recording.dispatches().find(|dispatch| dispatch.kernel == kernel).unwrap().storage;
        let (chosen, listed, lanes) =
            (storage(Kernel::ChooseForward), storage(Kernel::ListForward), storage(Kernel::LanesEncode));
        let head = encoding.head_bytes() - coded.predictors.len() - coded.classes.len();
        // A code begins and ends somewhere in the list, and has 36 numbers of its own.
        let list = head / 36 * 2 + groups * size_of::<u32>();
        let used = [
            (Kernel::ChooseForward, chosen[0], batch.raw.len()),
            (Kernel::ChooseForward, chosen[1], residuals + coded.predictors.len() + coded.classes.len()),
            (Kernel::ListForward, listed[0], coded.classes.len()),
            (Kernel::ListForward, listed[1], list),
            (Kernel::LanesEncode, lanes[0], list),
            (Kernel::LanesEncode, lanes[1], residuals + escapes + coded.classes.len()),
            (Kernel::LanesEncode, lanes[2], head + words),
        ];
        assert_eq!(recording.dispatches().count(), 3);
        // As far as sizes go, it is all the same where the pieces lie.
        let end = |words: usize, escapes: usize| EncodedEnd { states: [0; 32], words: 0..words, escapes: 0..escapes };
        let ends: Vec<_> = codes().map(|code| end(code.words.len(), 0)).chain([end(0, escapes)]).collect();
        let rest = encoding.rest(&ends);
        let bytes = moved(recording, batch.raw.len(), &Used(&used)) + moved(&rest, 0, &Used(&[]));
        assert!(bytes <= 4 * batch.raw.len() as u64, "{name}: {bytes} bytes for {}", batch.raw.len());
    }
}

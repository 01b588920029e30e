//! Packed frames of the host that were made of YUV: their planes stay on the device that solves them, and come to the bytes that the CPU
//! makes of them.

use framepress::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry};
use framepress::internal::gpu::GpuBackend;
use framepress::internal::{
    Backend, Batch, Detail, DeviceRun, KNOWN, MethodChoice, RecordReader, TileChoice, choose_methods, recover, tiles,
};
use framepress::plan::{CodecChoice, DeviceChoice, Making, Method, TilePlan};
use framepress::{Compressor, ErrorKind, Limits, Settings};
use libtest_mimic::Trial;

use super::backends::{Adapter, adapters, reference, row};
use super::cases::packed;
use super::made::Made;

pub fn rows() -> Vec<Trial> {
    let mut rows = Vec::new();
    for it in adapters() {
        rows.push(row("recovered", it, "files", || files(it.adapter())));
        rows.push(row("recovered", it, "in-part", || in_part(it.adapter())));
        rows.push(row("recovered", it, "many-exceptions", || many_exceptions(it.adapter())));
        rows.push(row("recovered", it, "few-values", || few_values(it.adapter())));
        rows.push(row("recovered", it, "too-large", || too_large(it.adapter())));
        rows.push(row("recovered", it, "traffic", || traffic(it.adapter())));
        rows.push(row("recovered", it, "lost-device", || lost_device(it.adapter())));
    }
    rows
}

fn at_level(level: u8) -> Settings {
    Settings::new().with_level(level).unwrap()
}

/// Frames that are made, but for a colour of every so many pixels.
fn excepted(made: Made, count: usize, every: usize) -> Frames {
    let frames = made.frames(count);
    let (format, count, mut bytes) = (frames.format().clone(), frames.frames(), frames.into_bytes());
    let pixels = bytes.chunks_exact_mut(made.order.channels()).step_by(every);
    pixels.enumerate().for_each(|(at, pixel)| pixel[at % 3] ^= 64);
    Frames::new(format, count, bytes).unwrap()
}

fn geometry(frames: &Frames) -> Geometry {
    Geometry::new(frames.format(), frames.frames())
}

/// Tiles of recovered planes.
#[derive(Debug, PartialEq)]
struct Packed {
    stayed: bool,
    plan: TilePlan,
    segments: Vec<Vec<u8>>,
    exceptions: [Vec<u8>; 2],
}

/// What becomes of frames on a backend, if that is tiles of recovered planes and nothing else.
fn packed_on(backend: &dyn Backend, frames: &Frames, settings: &Settings) -> Option<Packed> {
    let (cpu, geometry) = (reference(), geometry(frames));
    let batch = Batch { geometry: &geometry, raw: frames.as_bytes() };
    let mut choices = choose_methods(batch, settings, backend, &cpu, None).unwrap().into_iter();
    let (choice, others) = (choices.next()?, choices.next());
    assert!(others.is_none());
    let encode = |batch, choice: TileChoice| tiles::encode(batch, choice, backend, &cpu, None).unwrap();
    let (stayed, exceptions, (plan, segments)) = match choice {
        MethodChoice::RecoveredThere(recovered, choice) => {
            let coded = tiles::encode_resident(&recovered.geometry, &*recovered.planes.there, choice, &cpu).unwrap();
            (true, recovered.excepted.bytes, coded)
        }
        MethodChoice::Recovered(recovered, choice) => match *choice {
            MethodChoice::Tiles(choice) => (false, recovered.excepted.bytes.clone(), encode(recovered.batch(), choice)),
            _ => return None,
        },
        _ => return None,
    };
    Some(Packed { stayed, plan, segments, exceptions })
}

/// The same on a device and on the CPU; whether planes stayed.
fn stays(device: &dyn Backend, frames: &Frames, settings: &Settings) -> bool {
    let expected = packed_on(&reference(), frames, settings).expect("tiles of recovered planes");
    let found = packed_on(device, frames, settings).expect("tiles of recovered planes");
    let stayed = found.stayed;
    assert!(Packed { stayed: false, ..found } == expected, "{:?} at level {}", frames.format(), settings.level());
    stayed
}

/// The same file from the device, which does all of it, as from the CPU; its method.
fn file(adapter: &Adapter, frames: &Frames, settings: &Settings) -> Method {
    let on = |device| Compressor::new(settings.clone().with_device(device)).unwrap();
    let on_device = on(DeviceChoice::Named(adapter.index()));
    let file = on_device.compress_frames(frames).unwrap();
    assert!(file == on(DeviceChoice::Cpu).compress_frames(frames).unwrap(), "{:?}", frames.format());
    assert_eq!((on_device.counts().gpu, on_device.counts().redone), (1, 0));
    RecordReader::new(&file[..], Limits::default()).unwrap().next().unwrap().unwrap().method
}

/// Sizes that are odd and not, in every order of channels and every sampling, packed and coded, with exceptions and without.
fn files(adapter: &Adapter) {
    let sizes = [(257, 131), (192, 96), (202, 101)];
    for (order, (width, height)) in ChannelOrder::ALL.into_iter().zip(sizes.into_iter().cycle()) {
        for sampling in ChromaSampling::ALL {
            let made = Made { order, sampling, noise: 2, ..Made::new(width, height) };
            for (frames, has_exceptions) in [(made.frames(5), false), (excepted(made, 5, 1009), true)] {
                for (level, codec) in [(2, CodecChoice::Auto), (4, CodecChoice::Auto), (4, CodecChoice::Pack)] {
                    let settings = at_level(level).with_codec(codec);
                    assert!(stays(adapter.shared(), &frames, &settings), "{made:?} at level {level}");
                    let Method::Recovered(plan) = file(adapter, &frames, &settings) else { panic!("{made:?}") };
                    assert_eq!(plan.exceptions > 0, has_exceptions, "{made:?}");
                }
            }
        }
    }
}

/// Of frames of which a part is made in some way, all planes come to the host.
fn in_part(adapter: &Adapter) {
    for order in [ChannelOrder::Rgb, ChannelOrder::Bgra] {
        let frames = Made { order, foreign: |x, y| x < 96 && y < 64, ..Made::new(202, 101) }.frames(5);
        for level in [2, 4] {
            let method = file(adapter, &frames, &at_level(level));
            assert!(matches!(method, Method::Patched(_)), "{method:?}");
        }
    }
}

/// Frames with so many exceptions that they compete with their planes, and with so many that these are not recovered.
fn many_exceptions(adapter: &Adapter) {
    let made = Made { noise: 2, ..Made::new(202, 101) };
    for (every, is_recovered) in [(150, true), (3, false)] {
        let frames = excepted(made, 5, every);
        for level in [2, 4] {
            let method = file(adapter, &frames, &at_level(level));
            assert_eq!(matches!(method, Method::Recovered(_)), is_recovered, "{every} at level {level}: {method:?}");
        }
    }
    assert!(stays(adapter.shared(), &excepted(made, 5, 150), &at_level(4)));
}

/// Planes that repeat themselves and have few values have to be seen as a whole: they come to the host, from where they were solved.
fn few_values(adapter: &Adapter) {
    let format = FrameFormat::new(Dtype::U8, packed(202, 102, ChannelOrder::Rgb)).unwrap();
    let geometry = Geometry::new(&format, 5);
    let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
    let plane = |at: usize| 100 + 4 * ((at % 97).pow(2) % 97 % 11) as u8;
    let planes: Vec<u8> = (0..making.planes(&geometry).raw_bytes()).map(plane).collect();
    let mut raw = vec![0; geometry.raw_bytes()];
    reference().convert(&geometry, &making, &planes, &mut raw).unwrap();
    let frames = Frames::new(format, 5, raw).unwrap();
    let device = adapter.open();
    let cpu = reference();
    let batch = Batch { geometry: &geometry, raw: frames.as_bytes() };
    let settings = at_level(4);
    let choose = || choose_methods(batch, &settings, &device, &cpu, None).unwrap();
    let (choices, runs) = device.profile(Detail::Host, choose);
    assert!(matches!(choices[..], [MethodChoice::Recovered(..)]));
    // The frames are not brought there again.
    let solved = runs.iter().filter(|run| run.uploaded_bytes == raw_bytes(&frames)).count();
    let brought = |run: &&DeviceRun| run.kernels.is_empty() && run.downloaded_bytes >= planes.len() as u64;
    let brought = runs.iter().filter(brought).count();
    assert_eq!((solved, brought), (1, 1));
    assert!(matches!(file(adapter, &frames, &settings), Method::Recovered(_)));
}

/// What kernels cannot see as a whole is solved, or tiled, in parts.
fn too_large(adapter: &Adapter) {
    let most_bound = 8 << 20;
    let device = adapter.open_with_most_bound(most_bound);
    for (order, width, expected) in
        [(ChannelOrder::Rgb, 202, true), (ChannelOrder::Rgba, 322, false), (ChannelOrder::Rgb, 482, false)]
    {
        let made = Made { order, noise: 2, ..Made::new(width, 161) };
        let frames = excepted(made, 40, 1009);
        assert_eq!(raw_bytes(&frames) <= most_bound, width < 482, "whether they are solved as a whole");
        assert_eq!(stays(&device, &frames, &at_level(4)), expected, "{order:?} {width}");
    }
}

fn raw_bytes(frames: &Frames) -> u64 {
    frames.as_bytes().len() as u64
}

/// The bytes that are uploaded and downloaded by `work`.
fn transferred<R>(device: &GpuBackend, work: impl FnOnce() -> R) -> (R, [u64; 2]) {
    let (result, runs) = device.profile(Detail::Host, work);
    let sum = |of: fn(&DeviceRun) -> u64| runs.iter().map(of).sum();
    (result, [sum(|run| run.uploaded_bytes), sum(|run| run.downloaded_bytes)])
}

/// The frames are brought there once, and pages of planes that are repaired; of the planes only some places come to the host. Where
/// they do not stay, as at levels with motion, they cross the bus twice.
fn traffic(adapter: &Adapter) {
    let device = &adapter.open();
    let made = Made { noise: 2, ..Made::new(1280, 704) };
    let frames = made.frames(16);
    let mut changed = frames.as_bytes().to_vec();
    for (frame, row) in [(0, 0), (3, 200), (4, 200), (15, 703)] {
        let first = frame * frames.format().frame_bytes() + row * 3 * 1280;
        changed[first..first + 3 * 1280].iter_mut().step_by(500).for_each(|byte| *byte ^= 64);
    }
    let changed = Frames::new(frames.format().clone(), 16, changed).unwrap();
    // Eight spans with misfits of each of four rows of blocks at most, each of which has two or three pages of four rows of samples.
    for (frames, most_pages) in [(&frames, 0), (&changed, 4 * 8 * 4 * 3)] {
        let (packed, [up, down]) =
            transferred(device, || packed_on(device, frames, &at_level(4)).expect("tiles of recovered planes"));
        assert!(packed.stayed);
        let packed_bytes: u64 = packed.segments.iter().map(|segment| segment.len() as u64).sum();
        let pages = up - raw_bytes(frames);
        assert!(pages.is_multiple_of(256) && pages / 256 <= most_pages && (pages > 0) == (most_pages > 0), "{pages}");
        let planes = raw_bytes(frames) / 2;
        assert!(down - packed_bytes < planes / 2, "{down} bytes, of which {packed_bytes} are packed, for {planes}");

        let (geometry, cpu) = (geometry(frames), reference());
        let batch = Batch { geometry: &geometry, raw: frames.as_bytes() };
        let making = Making { conversion: made.conversion, sampling: made.sampling, blue_first: false };
        let recover = || recover(batch, making, None, device, &cpu, None).unwrap().unwrap();
        let (recovered, [up, down]) = transferred(device, recover);
        assert_eq!(up, raw_bytes(frames));
        // Planes, and misfits, one for each sample of U.
        assert_eq!(down, planes + planes / 6);
        assert!(recovered.excepted.bytes == packed.exceptions);
    }
}

/// Planes are gone with their device.
fn lost_device(adapter: &Adapter) {
    let frames = Made { noise: 2, ..Made::new(202, 101) }.frames(5);
    let (device, geometry, cpu, settings) = (adapter.open(), geometry(&frames), reference(), at_level(4));
    let batch = Batch { geometry: &geometry, raw: frames.as_bytes() };
    let mut choices = choose_methods(batch, &settings, &device, &cpu, None).unwrap();
    let Some(MethodChoice::RecoveredThere(recovered, choice)) = choices.pop() else { panic!("planes stay") };
    device.destroy();
    let there = &*recovered.planes.there;
    let error = tiles::encode_resident(&recovered.geometry, there, choice, &cpu).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gpu, "{error}");
    let error = recovered.brought(&cpu).err().expect("there is nothing to be brought");
    assert_eq!(error.kind(), ErrorKind::Gpu, "{error}");
}

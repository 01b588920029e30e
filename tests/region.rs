//! A rectangle of frames, and frames within a batch: the same samples as of all that is decoded, and less is decoded.

mod made;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;

use framepress::frame::{
    ChromaOrder, ChromaSampling, Dtype, FrameFormat, Frames, Geometry, Layout, PlaneGeometry, Rectangle,
};
use framepress::internal::{BatchRecord, RecordReader, RecordWriter, recovered_count};
use framepress::plan::{DeviceChoice, Method, Settings};
use framepress::{Compressor, Decompressor, ErrorKind, Limits, Reader, SeekReader, SharedReader, decompress};
use made::Made;

fn decompressor(threads: usize) -> Decompressor {
    Decompressor::new(&DeviceChoice::Cpu, NonZeroUsize::new(threads), Limits::default()).unwrap()
}

fn compress(frames: &Frames, level: u8, batch_frames: usize) -> Vec<u8> {
    let settings = Settings::new().with_device(DeviceChoice::Cpu).with_batch_frames(NonZeroUsize::new(batch_frames));
    Compressor::new(settings.with_level(level).unwrap()).unwrap().compress_frames(frames).unwrap()
}

/// Moving light with a little noise.
fn moving(format: FrameFormat, frames: usize) -> Frames {
    let geometry = Geometry::new(&format, 1);
    let PlaneGeometry { width, step, .. } = geometry.planes[0];
    let mut noise = 1u32;
    let sample = |at: usize| {
        let (frame, at) = (at / geometry.frame_samples, at % geometry.frame_samples);
        let (x, y) = (at / step % width + frame, at / step / width + 2 * frame);
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x / 2 + y / 3 + (x * y / 97) % 5 + (noise >> 30) as usize) as u8
    };
    let raw = (0..frames * geometry.frame_samples * geometry.sample_bytes).map(sample).collect();
    Frames::new(format, frames, raw).unwrap()
}

/// Samples of a plane one by one, in the order of a frame that is as large as the rectangle.
fn cropped(frames: &Frames, range: Range<usize>, rectangle: &Rectangle) -> Vec<u8> {
    let geometry = Geometry::new(frames.format(), 1);
    let format = frames.format().cropped(rectangle).unwrap();
    let of_part = Geometry::new(&format, 1);
    let (sample_bytes, height) = (geometry.sample_bytes, geometry.planes[0].height);
    let width = geometry.planes[0].width;
    let mut out = vec![0; range.len() * format.frame_bytes()];
    for (to, from) in range.enumerate() {
        let frame = &frames.as_bytes()[from * frames.format().frame_bytes()..];
        let to = &mut out[to * format.frame_bytes()..];
        for (plane, part) in geometry.planes.iter().zip(&of_part.planes) {
            let left = if plane.width == width { rectangle.left } else { rectangle.left / 2 };
            let top = if plane.height == height { rectangle.top } else { rectangle.top / 2 };
            for (y, x) in (0..part.height).flat_map(|y| (0..part.width).map(move |x| (y, x))) {
                let from = plane.offset + plane.step * ((top + y) * plane.width + left + x);
                let to_sample = part.offset + part.step * (y * part.width + x);
                to[to_sample * sample_bytes..][..sample_bytes]
                    .copy_from_slice(&frame[from * sample_bytes..][..sample_bytes]);
            }
        }
    }
    out
}

/// Rectangles of all sorts that frames of this format have.
fn rectangles(format: &FrameFormat) -> Vec<Rectangle> {
    let (width, height) = format.picture().unwrap();
    let (across, down) = match format.layout() {
        Layout::Yuv { sampling: ChromaSampling::Cs420, .. } => (2, 2),
        Layout::Yuv { sampling: ChromaSampling::Cs422, .. } => (2, 1),
        _ => (1, 1),
    };
    let rectangle = |left: usize, top: usize, width: usize, height: usize| Rectangle {
        left: left / across * across,
        top: top / down * down,
        width,
        height,
    };
    vec![
        rectangle(0, 0, width, height),
        rectangle(0, 0, 1, 1),
        rectangle(width - 1, height - 1, 1, 1),
        rectangle(width / 3, 0, width / 2, height),
        rectangle(0, height / 2, width, 1),
        rectangle(width / 3, height / 3, width / 2 + 1, height / 4 + 1),
        rectangle(width / 4, height / 2, width / 2, height / 2),
    ]
}

/// Checks every reader, over rectangles and ranges of frames.
fn check(file: &[u8], raw: &Frames, name: &str) {
    let count = raw.frames();
    let ranges = [0..count, 0..1, count - 1..count, count / 3..count / 2 + 1];
    for threads in [1, 3] {
        let decompressor = decompressor(threads);
        for range in &ranges {
            let wanted = range.start as u64..range.end as u64;
            let mut reader = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
            assert!(
                reader.read_frames(wanted.clone()).unwrap() == raw.part(range.clone()).unwrap(),
                "{name} {range:?}"
            );
            for rectangle in rectangles(raw.format()) {
                let expected = cropped(raw, range.clone(), &rectangle);
                let reader = SeekReader::new(Cursor::new(file), &decompressor).unwrap();
                let found = reader.with_region(rectangle).unwrap().read_frames(wanted.clone()).unwrap();
                assert_eq!(found.format(), &raw.format().cropped(&rectangle).unwrap());
                assert!(found.as_bytes() == expected, "{name}: {rectangle} of {range:?}, {threads} threads");
                let found = decompressor.decompress_region(file, wanted.clone(), rectangle).unwrap();
                assert!(found.as_bytes() == expected, "{name}: {rectangle} of {range:?} in memory");
            }
        }
        for rectangle in rectangles(raw.format()) {
            let mut reader = Reader::new(file, &decompressor).unwrap().with_region(rectangle).unwrap();
            let mut found = Vec::new();
            while let Some(batch) = reader.next_batch().unwrap() {
                found.extend(batch.frames.into_bytes());
            }
            assert!(found == cropped(raw, 0..count, &rectangle), "{name}: {rectangle} of a stream");
        }
    }
}

/// Files of every method and many formats. Those that are no pictures are refused.
#[test]
fn regions_of_golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    let (mut pictures, mut others) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "fpk") {
            continue;
        }
        let file = std::fs::read(&path).unwrap();
        let raw = decompress(&file).unwrap();
        if raw.format().picture().is_some_and(|(width, height)| width > 0 && height > 0) && raw.frames() > 0 {
            check(&file, &raw, &path.display().to_string());
            pictures += 1;
        } else {
            let decompressor = decompressor(1);
            let reader = SharedReader::new(file, &decompressor).unwrap();
            let rectangle = Rectangle { left: 0, top: 0, width: 1, height: 1 };
            if raw.format().picture().is_none() {
                let error = reader.with_region(rectangle).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{}", path.display());
            }
            others += 1;
        }
    }
    assert!(pictures > 20 && others > 2, "{pictures} {others}");
}

fn yuv420() -> FrameFormat {
    let sampling = ChromaSampling::Cs420;
    let layout = Layout::Yuv { width: 501, height: 403, sampling, chroma: ChromaOrder::Planar };
    FrameFormat::new(Dtype::U8, layout).unwrap()
}

/// Files whose batches have several bands or strips, and several segments, with the method that they must have.
fn large() -> Vec<(&'static str, Frames, Vec<u8>)> {
    let gray = FrameFormat::from_shape(Dtype::U8, &[500, 600]).unwrap();
    let rgb = FrameFormat::from_shape(Dtype::U8, &[420, 501, 3]).unwrap();
    let colour = FrameFormat::from_shape(Dtype::U8, &[400, 601, 3]).unwrap();
    let made = Made::new(602, 510);
    let foreign = |x, y| (100..300).contains(&x) && (150..270).contains(&y);
    [
        ("tiles", moving(gray.clone(), 9), 1, 9),
        ("tiles", moving(rgb, 11), 4, 9),
        ("tiles", moving(yuv420(), 20), 4, 20),
        ("tiles", moving(yuv420(), 20), 7, 20),
        ("strips", moving(gray, 3), 9, 3),
        ("strips", moving(colour, 3), 9, 3),
        ("recovered", made.frames(16), 4, 16),
        ("patched", Made { foreign, noise: 1, ..made }.frames(8), 4, 8),
    ]
    .into_iter()
    .map(|(name, frames, level, batch_frames)| {
        let file = compress(&frames, level, batch_frames);
        assert_eq!(record(&file).1.method.name(), name);
        (name, frames, file)
    })
    .collect()
}

#[test]
fn regions_of_large_batches() {
    for (name, raw, file) in large() {
        check(&file, &raw, name);
    }
}

/// Frames that refer to later ones, which a region of earlier ones needs.
#[test]
fn regions_of_frames_between_others() {
    let raw = made::between::frames(yuv420().layout().clone(), &[0, 4, 6]);
    for (level, method) in [(8, "tiles"), (9, "strips")] {
        let file = compress(&raw, level, raw.frames());
        assert_eq!(record(&file).1.method.name(), method);
        assert!(made::between::refers_to_later(&file), "level {level}");
        check(&file, &raw, method);
    }
}

/// The header of a file and its first record.
fn record(file: &[u8]) -> (framepress::internal::FileHeader, BatchRecord) {
    let mut reader = RecordReader::new(file, Limits::default()).unwrap();
    let header = reader.header().clone();
    (header, reader.next().unwrap().unwrap())
}

/// The blocks of the first batch of a file that a region of some frames cannot do without. What the others say is made
/// nonsense, with good checksums.
fn needed(file: &[u8], raw: &Frames, range: Range<usize>, rectangle: Rectangle) -> Vec<usize> {
    let (header, record) = record(file);
    let expected = cropped(raw, range.clone(), &rectangle);
    let decompressor = decompressor(2);
    let mut end = 0;
    let starts = record.blocks.iter().map(|block| {
        end += block.packed_bytes as usize;
        end - block.packed_bytes as usize..end
    });
    let matters = |bytes: &Range<usize>| {
        let mut damaged = record.clone();
        damaged.payload[bytes.clone()].fill(0xA5);
        let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
        writer.write(&damaged).unwrap();
        let file = writer.finish().unwrap();
        let wanted = range.start as u64..range.end as u64;
        let found = decompressor.decompress_region(&file, wanted, rectangle);
        assert!(decompress(&file).is_err(), "damage that is not found in the whole batch");
        found.map_or(true, |found| found.as_bytes() != expected)
    };
    let matter: Vec<bool> = starts.map(|bytes| matters(&bytes)).collect();
    (0..matter.len()).filter(|&at| matter[at]).collect()
}

/// Bands that share a row with a rectangle, times segments up to the last frame: nothing else is decoded.
#[test]
fn no_more_is_decoded_than_is_needed() {
    let (mut seen, mut moving_tiles) = (Vec::new(), 0);
    for (name, raw, file) in large() {
        let (_, record) = record(&file);
        let (width, height) = raw.format().picture().unwrap();
        // Above the patch, if there is one.
        let top = if name == "patched" { 0 } else { height / 4 * 2 };
        let rectangle = Rectangle { left: width / 4 * 2, top, width: width / 3, height: 2 };
        let rows = rectangle.top..rectangle.top + rectangle.height;
        let geometry = Geometry::new(raw.format(), record.frames as usize);
        let shares = |band: &Range<usize>| band.start < rows.end && rows.start < band.end;
        let frames = 1..2;
        let blocks = record.blocks.len();
        let found = needed(&file, &raw, frames.clone(), rectangle);
        match &record.method {
            Method::Tiles(plan) => {
                let segments = plan.segments(&geometry);
                let upto = frames.end.div_ceil(plan.segment_frames as usize);
                let bands = plan.tiling(&geometry).bands;
                assert!(bands.len() > 2 && segments > 1, "{} bands, {segments} segments", bands.len());
                // What is expected of a frame that moves is made from all bands of the one before, and from vectors.
                let vectors = usize::from(plan.moves);
                let of_bands = (0..bands.len())
                    .filter(|&band| plan.moves || shares(&bands[band].rows[0]))
                    .flat_map(|band| (0..upto).map(move |segment| vectors + band * segments + segment));
                assert_eq!(found, (0..vectors).chain(of_bands).collect::<Vec<_>>(), "{name}");
                moving_tiles += vectors;
            }
            // What is expected of a frame is made from all of the one before.
            Method::Strips(plan) if plan.moves => assert_eq!(found, (0..blocks).collect::<Vec<_>>()),
            Method::Strips(plan) => {
                let strips = 0..plan.strips as usize;
                let expected: Vec<usize> = strips.filter(|&strip| shares(&plan.rows(height, strip))).collect();
                assert_eq!(found, expected);
            }
            // Chroma may be in another band than its luma.
            Method::Recovered(plan) => {
                assert!(matches!(*plan.method, Method::Tiles(_)), "{}", plan.method.name());
                assert!(!found.is_empty() && found.len() * 2 <= blocks, "{found:?} of {blocks} blocks");
            }
            Method::Patched(plan) => {
                let of_patch = recovered_count(&plan.recovered, &geometry)..blocks;
                assert!(
                    !of_patch.is_empty() && !found.iter().any(|at| of_patch.contains(at)),
                    "{found:?}, {of_patch:?}"
                );
            }
            other => panic!("{}", other.name()),
        }
        seen.push(name);
    }
    assert_eq!((seen.len(), moving_tiles), (8, 1));
}

/// The checksum of the frames is left out with some of them alone.
#[test]
fn damage_is_found_in_regions() {
    let decompressor = decompressor(1);
    let raw = moving(FrameFormat::from_shape(Dtype::U8, &[40, 50]).unwrap(), 5);
    let file = compress(&raw, 4, 5);
    let whole = Rectangle { left: 0, top: 0, width: 50, height: 40 };
    let (header, good) = record(&file);
    let mut writer = RecordWriter::new(Vec::new(), &header).unwrap();
    writer.write(&BatchRecord { raw_checksum: !good.raw_checksum, ..good }).unwrap();
    let wrong = writer.finish().unwrap();
    let kind =
        |file: &[u8], rectangle| decompressor.decompress_region(file, 0..5, rectangle).map_err(|error| error.kind());
    assert_eq!(kind(&wrong, whole), Err(ErrorKind::Corrupt));
    assert_eq!(kind(&wrong, Rectangle { width: 49, ..whole }), Err(ErrorKind::Corrupt), "all rows are decoded");
    let part = Rectangle { height: 3, ..whole };
    assert!(kind(&wrong, part).is_ok());
    // Whatever bit is flipped, in whatever part of the batch.
    for at in 12..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        if let Ok(found) = decompressor.decompress_region(&damaged, 0..5, part) {
            // The index is a convenience.
            assert!(found.as_bytes() == cropped(&raw, 0..5, &part), "byte {at}");
        }
    }
}

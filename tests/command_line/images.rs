//! Image sequences.

use std::fs::{self, File};
use std::path::Path;

use super::*;

pub(super) fn write_png(
    path: &Path,
    colour: png::ColorType,
    depth: png::BitDepth,
    width: u32,
    height: u32,
    data: &[u8],
) {
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(data).unwrap();
}

pub(super) fn read_png(path: &Path) -> (png::ColorType, png::BitDepth, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    data.truncate(info.buffer_size());
    (info.color_type, info.bit_depth, data)
}

#[test]
fn folders_and_globs_of_png() {
    use png::{BitDepth, ColorType};
    for (colour, depth, channels) in [
        (ColorType::Rgb, BitDepth::Eight, 3),
        (ColorType::Rgba, BitDepth::Sixteen, 8),
        (ColorType::Grayscale, BitDepth::Sixteen, 2),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, 2),
    ] {
        let folder = Folder::new();
        fs::create_dir(folder.path("shots")).unwrap();
        let names = ["f1.png", "f2.png", "f10.png"];
        let pixels = |at: usize| (0..13 * 7 * channels).map(|byte| (byte * (at + 3) / 5) as u8).collect::<Vec<_>>();
        for (at, name) in names.iter().enumerate() {
            write_png(&folder.path("shots").join(name), colour, depth, 13, 7, &pixels(at));
        }
        folder.write("shots/notes.txt", b"passed over");
        folder.run(&["compress", "shots/"]).ok();
        folder.run(&["compress", "shots/f*.png", "-o", "glob.fpk"]).ok();
        assert!(folder.read("shots.fpk") == folder.read("glob.fpk"));

        folder.run(&["decompress", "shots.fpk", "-o", "back"]).ok();
        let mut found: Vec<_> = fs::read_dir(folder.path("back"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, ["f1.png", "f10.png", "f2.png"]);
        for (at, name) in names.iter().enumerate() {
            assert_eq!(read_png(&folder.path("back").join(name)), (colour, depth, pixels(at)), "{name}");
        }

        // The folder exists: nothing is touched without -f, and other files stay with it.
        folder.write("back/f1.png", b"mine");
        folder.write("back/other.png", b"mine too");
        folder.run(&["decompress", "shots.fpk", "-o", "back"]).fails(1, &["back", "-f"]);
        assert_eq!(folder.read("back/f1.png"), b"mine");
        folder.run(&["decompress", "shots.fpk", "-o", "back", "-f"]).ok();
        assert_eq!(read_png(&folder.path("back/f1.png")).2, pixels(0));
        assert_eq!(folder.read("back/other.png"), b"mine too");

        folder.run(&["decompress", "shots.fpk", "-o", "part", "--frames", "1..2"]).ok();
        assert_eq!(fs::read_dir(folder.path("part")).unwrap().count(), 1);
        assert_eq!(read_png(&folder.path("part/f2.png")).2, pixels(1));

        folder.run(&["decompress", "shots.fpk", "-o", "-"]).fails(2, &["-o"]);
        assert_eq!(folder.names(), ["back", "glob.fpk", "part", "shots", "shots.fpk"]);
    }
}

#[test]
fn folders_of_tiff() {
    use tiff::encoder::{TiffEncoder, colortype};
    let folder = Folder::new();
    fs::create_dir(folder.path("depth")).unwrap();
    let pixels = |at: u16| (0..11 * 5).map(|pixel| 1000 * at + 7 * pixel).collect::<Vec<u16>>();
    for at in 0..3 {
        let file = File::create(folder.path(&format!("depth/d{at}.tiff"))).unwrap();
        TiffEncoder::new(file).unwrap().write_image::<colortype::Gray16>(11, 5, &pixels(at)).unwrap();
    }
    folder.run(&["compress", "depth"]).ok();
    folder.run(&["decompress", "depth.fpk", "-o", "back"]).ok();
    for at in 0..3 {
        let file = File::open(folder.path(&format!("back/d{at}.tiff"))).unwrap();
        let mut decoder = tiff::decoder::Decoder::new(file).unwrap();
        assert_eq!(decoder.dimensions().unwrap(), (11, 5));
        match decoder.read_image().unwrap() {
            tiff::decoder::DecodingResult::U16(found) => assert_eq!(found, pixels(at)),
            other => panic!("expected 16-bit samples, found {other:?}"),
        }
    }
}

#[test]
fn images_of_two_sizes_are_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path("shots")).unwrap();
    for (name, width) in [("a.png", 3), ("b.png", 4)] {
        let data = vec![9; width as usize * 2];
        write_png(&folder.path("shots").join(name), png::ColorType::Grayscale, png::BitDepth::Eight, width, 2, &data);
    }
    folder.run(&["compress", "shots"]).fails(2, &["b.png", "a.png"]);
    assert_eq!(folder.names(), ["shots"]);
}

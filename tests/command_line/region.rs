//! `decompress --region`.

use std::fs;

use super::images::{read_png, write_png};
use super::*;

/// Rows of bytes of a rectangle of a picture whose rows have `width` pixels.
fn rows(picture: &[u8], width: usize, pixel: usize, [columns, rows, left, top]: [usize; 4]) -> Vec<u8> {
    (top..top + rows).flat_map(|row| &picture[(row * width + left) * pixel..][..columns * pixel]).copied().collect()
}

/// 8 frames of 317 x 179 RGB.
#[test]
fn of_an_array() {
    let folder = Folder::new();
    let clip = folder.clip(NPY);
    let data = &clip[clip.len() - 8 * 317 * 179 * 3..];
    folder.run(&["compress", NPY]).ok();
    let packed = format!("{NPY}.fpk");
    let arguments = ["decompress", &packed, "-o", "part.npy", "--region", "31x7+200+101", "--frames", "2..5", "--json"];
    let summary = folder.run(&arguments).ok().json();
    assert_eq!((&summary["frames"], &summary["raw_bytes"]), (&3.into(), &(3 * 31 * 7 * 3).into()));
    let frames = data.chunks_exact(317 * 179 * 3).skip(2).take(3);
    let expected: Vec<u8> = frames.flat_map(|frame| rows(frame, 317, 3, [31, 7, 200, 101])).collect();
    assert!(folder.read("part.npy") == npy("|u1", "(3, 7, 31, 3)", &expected));
    // The whole picture is a region too.
    folder.run(&["decompress", &packed, "-o", "all.npy", "--region", "317x179+0+0"]).ok();
    assert!(folder.read("all.npy").ends_with(data));
}

/// The header says the size, and what else it said.
#[test]
fn of_a_y4m_stream() {
    let folder = Folder::new();
    let clip = folder.clip(Y4M);
    let header = clip.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    folder.run(&["compress", Y4M]).ok();
    let packed = format!("{Y4M}.fpk");
    folder.run(&["decompress", &packed, "-o", "part.y4m", "--region", "33x18+100+64", "--frames", "1..2"]).ok();
    let frame = &clip[header + 6 + (6 + 320 * 176 * 3 / 2)..];
    let line = str::from_utf8(&clip[..header]).unwrap().replace("W320", "W33").replace("H176", "H18");
    let (u, v) = (&frame[320 * 176..], &frame[320 * 176 + 160 * 88..]);
    let mut expected = [line.as_bytes(), b"FRAME\n"].concat();
    expected.extend(rows(frame, 320, 1, [33, 18, 100, 64]));
    expected.extend([u, v].map(|plane| rows(plane, 160, 1, [17, 9, 50, 32])).concat());
    assert!(folder.read("part.y4m") == expected);

    folder.run(&["compress", "part.y4m"]).ok();
    folder.run(&["decompress", "part.y4m.fpk", "-o", "again.y4m"]).ok();
    assert!(folder.read("again.y4m") == expected);
}

#[test]
fn of_raw_video_and_images() {
    let folder = Folder::new();
    let raw: Vec<u8> = (0..2 * 24 * 20 * 2).map(|at| (at % 251) as u8).collect();
    folder.write("a.raw", &raw);
    folder.run(&["compress", "a.raw", "--raw", "24x20:gray16le"]).ok();
    folder.run(&["decompress", "a.raw.fpk", "-o", "b.raw", "--region", "5x3+19+17"]).ok();
    let expected: Vec<u8> = raw.chunks_exact(960).flat_map(|frame| rows(frame, 24, 2, [5, 3, 19, 17])).collect();
    assert!(folder.read("b.raw") == expected);

    let pixels: Vec<u8> = (0..13 * 7 * 3).map(|at| (at * 5 / 3) as u8).collect();
    fs::create_dir(folder.path("shots")).unwrap();
    let (colour, depth) = (png::ColorType::Rgb, png::BitDepth::Eight);
    write_png(&folder.path("shots/a.png"), colour, depth, 13, 7, &pixels);
    folder.run(&["compress", "shots"]).ok();
    folder.run(&["decompress", "shots.fpk", "-o", "cut", "--region", "4x5+9+1"]).ok();
    assert_eq!(read_png(&folder.path("cut/a.png")), (colour, depth, rows(&pixels, 13, 3, [4, 5, 9, 1])));
}

#[test]
fn what_is_no_region_is_refused() {
    let folder = Folder::new();
    folder.clip(Y4M);
    folder.run(&["compress", Y4M]).ok();
    let packed = format!("{Y4M}.fpk");
    for region in ["10x10", "10,10,4,4", "0x4+0+0", "321x1+0+0", "4x4+318+0", "4x4+1+0", "4x4+0+3", "4x4+-2+0"] {
        folder.run(&["decompress", &packed, "-o", "x.y4m", &format!("--region={region}")]).fails(2, &["region"]);
    }
    folder.run(&["decompress", &packed, "-o", "x.y4m", "--region", "4x4+0+0", "--follow"]).fails(2, &["--region"]);
    let stream = folder.read(&packed);
    folder.run_with_input(&["decompress", "-", "--region", "4x4+0+0"], &stream).fails(2, &["--region"]);
    folder.write("line.npy", &npy("|u1", "(3, 2, 2, 5)", &[7; 60]));
    folder.run(&["compress", "line.npy"]).ok();
    folder.run(&["decompress", "line.npy.fpk", "-o", "x.npy", "--region", "1x1+0+0"]).fails(2, &["pictures"]);
    assert!(!folder.names().iter().any(|name| name.starts_with("x.")));
}

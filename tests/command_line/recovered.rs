//! Frames that were made from YUV, as `info` shows them.

use framepress::frame::ChannelOrder;

use super::made::{Made, conversion};
use super::*;

#[test]
fn info_says_how_frames_were_made() {
    let folder = Folder::new();
    let conversion = conversion("OpenCV, BT.601 limited");
    let made = Made { order: ChannelOrder::Bgr, conversion, overlay: 2, ..Made::new(96, 64) };
    let original = made.frames(3).as_bytes().to_vec();
    folder.write("clip.raw", &original);
    folder.run(&["compress", "clip.raw", "--raw", "96x64:bgr24"]).ok();

    let text = folder.run(&["info", "clip.raw.fpk"]).ok();
    let text = text.text();
    assert!(text.contains("recovered tiles"), "{text}");
    assert!(text.contains("made from 4:2:0 by OpenCV, BT.601 limited, blue first, 0.146 % of pixels"), "{text}");

    let json = folder.run(&["info", "clip.raw.fpk", "--json"]).ok().json();
    let method = &json["batches"][0]["method"];
    let fields = ["name", "conversion", "sampling", "blue_first", "exceptions", "exception_share", "planes"];
    assert_eq!(keys(method), fields);
    assert_eq!(method["name"], "recovered");
    assert_eq!(method["conversion"], "OpenCV, BT.601 limited");
    assert_eq!(method["sampling"], "4:2:0");
    assert_eq!(method["blue_first"], true);
    assert_eq!(method["exceptions"], 27);
    assert_eq!(method["exception_share"].as_f64().unwrap(), 27.0 / (3.0 * 96.0 * 64.0));
    assert_eq!(method["planes"]["name"], "tiles");
    assert!(keys(&method["planes"]).contains(&"bands"));

    folder.run(&["decompress", "clip.raw.fpk", "-o", "back.raw"]).ok();
    assert!(folder.read("back.raw") == original);
}

#[test]
fn info_says_what_was_not_made() {
    let folder = Folder::new();
    let made = Made { foreign: |x, _| x >= 112, ..Made::new(160, 64) };
    let original = made.frames(3).as_bytes().to_vec();
    folder.write("clip.raw", &original);
    folder.run(&["compress", "clip.raw", "--raw", "160x64:rgb24"]).ok();

    let text = folder.run(&["info", "clip.raw.fpk"]).ok();
    let text = text.text();
    assert!(text.contains("recovered tiles"), "{text}");
    assert!(text.contains("; patched by tiles"), "{text}");
    assert!(text.contains("made from 4:2:0 by swscale, BT.601 limited, red first, 0.000 % of pixels"), "{text}");
    assert!(text.contains("not made from it: 30.0 % of the picture, within 48x64 at 112,0"), "{text}");

    let json = folder.run(&["info", "clip.raw.fpk", "--json"]).ok().json();
    let method = &json["batches"][0]["method"];
    assert_eq!(keys(method), ["name", "left", "top", "width", "height", "patch_share", "recovered", "patch"]);
    assert_eq!(method["name"], "patched");
    let place = ["left", "top", "width", "height"].map(|field| method[field].as_u64().unwrap());
    assert_eq!(place, [112, 0, 48, 64]);
    assert_eq!(method["patch_share"].as_f64().unwrap(), 0.3);
    assert_eq!(method["recovered"]["name"], "recovered");
    assert_eq!(method["recovered"]["exceptions"], 0);
    assert_eq!(method["patch"]["name"], "tiles");

    folder.run(&["decompress", "clip.raw.fpk", "-o", "back.raw"]).ok();
    assert!(folder.read("back.raw") == original);
}

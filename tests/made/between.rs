//! Frames between anchors, to the bit what anchors around them make, as B frames of video coders are that nothing was coded for.

use framepress::Limits;
use framepress::frame::{Dtype, FrameFormat, Frames, Geometry, Layout};
use framepress::internal::{BatchRecord, RecordReader};

use super::hash;

/// How far everything moves from a frame to the next, in samples of the first plane.
const PACE: (i32, i32) = (4, 2);

/// A plane that moves, and how many samples of the first plane one of its own stands for.
struct Plane {
    size: (i32, i32),
    scale: (i32, i32),
    number: usize,
}

impl Plane {
    /// A sample of a frame; those beyond the edges are the outermost ones.
    fn sample(&self, anchors: &[usize], frame: usize, (x, y): (i32, i32)) -> u8 {
        let (x, y) = (x.clamp(0, self.size.0 - 1), y.clamp(0, self.size.1 - 1));
        let pace = (PACE.0 / self.scale.0, PACE.1 / self.scale.1);
        if anchors.contains(&frame) {
            let (left, top) = (x + pace.0 * frame as i32, y + pace.1 * frame as i32);
            let (left, top, plane) = (left as usize, top as usize, 1000 * self.number);
            let texture = (0..9).map(|at| hash(plane, left + at % 3, top + at / 3) % 256).sum::<u64>() / 9;
            // What is new in each of them.
            return (texture * 7 / 8 + hash(plane + frame + 1, x as usize, y as usize) % 24) as u8;
        }
        let before = *anchors.iter().rfind(|&&anchor| anchor < frame).unwrap();
        let after = *anchors.iter().find(|&&anchor| anchor > frame).unwrap();
        let (mut a, mut b) = (before, after);
        loop {
            let middle = (a + b) / 2;
            match frame.cmp(&middle) {
                std::cmp::Ordering::Less => b = middle,
                std::cmp::Ordering::Equal => break,
                std::cmp::Ordering::Greater => a = middle,
            }
        }
        let of = |other: usize| {
            let away = frame as i32 - other as i32;
            u16::from(self.sample(anchors, other, (x + pace.0 * away, y + pace.1 * away)))
        };
        // Units of the first plane are 8 wide.
        match x * self.scale.0 / 8 % 5 {
            0 => of(a) as u8,
            3 => of(b) as u8,
            _ => (of(a) + of(b)).div_ceil(2) as u8,
        }
    }
}

/// As many frames as the last anchor says, of a layout whose planes move.
pub fn frames(layout: Layout, anchors: &[usize]) -> Frames {
    let format = FrameFormat::new(Dtype::U8, layout).unwrap();
    let geometry = Geometry::new(&format, 1);
    let count = anchors.last().unwrap() + 1;
    let mut raw = vec![0; count * format.frame_bytes()];
    for (frame, raw) in raw.chunks_exact_mut(format.frame_bytes()).enumerate() {
        for (number, plane) in geometry.planes.iter().enumerate() {
            let scale = |own: usize, first: usize| if own == first { 1 } else { 2 };
            let first = &geometry.planes[0];
            let scale = (scale(plane.width, first.width), scale(plane.height, first.height));
            let of = Plane { size: (plane.width as i32, plane.height as i32), scale, number };
            for at in 0..plane.frame_samples() {
                let place = ((at % plane.width) as i32, (at / plane.width) as i32);
                raw[plane.offset + at * plane.step] = of.sample(anchors, frame, place);
            }
        }
    }
    Frames::new(format, count, raw).unwrap()
}

/// Whether frames of the first batch of a file refer to later ones: then its vectors have form 2.
pub fn refers_to_later(file: &[u8]) -> bool {
    let mut reader = RecordReader::new(file, Limits::default()).unwrap();
    let BatchRecord { payload, method, .. } = reader.next().unwrap().unwrap();
    assert!(["strips", "tiles", "recovered"].contains(&method.name()), "{}", method.name());
    payload.starts_with(&[2, 0, 0, 0])
}

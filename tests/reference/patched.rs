//! Section 8.4: method patched.

use super::recovered::count;
use super::{Plane, Record, number};

const CELL: usize = 16;

impl Record<'_> {
    pub(super) fn patched(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let [left, top, width, height] = [(); 4].map(|()| number(file, at, 4) as usize);
        let runs_length = number(file, at, 4) as usize;
        let runs = &file[*at..*at + runs_length];
        *at += runs_length;
        let plan_length = number(file, at, 4) as usize;
        let plan = &file[*at..*at + plan_length];
        *at += plan_length;

        let across = width.div_ceil(CELL);
        let cells = across * height.div_ceil(CELL);
        let mut of_patch = vec![true; if runs.is_empty() { cells } else { 0 }];
        let (mut from, mut belongs) = (0, true);
        while from < runs.len() {
            of_patch.extend(vec![belongs; count(runs, &mut from)]);
            belongs = !belongs;
        }
        assert_eq!(of_patch.len(), cells);

        let mut raw = self.recovered(file, at, payload);

        let channels = self.planes.len();
        let plane = |offset| Plane { width, height, offset, step: channels };
        let record = Record {
            header: self.header,
            colour: self.colour,
            pictures: self.pictures,
            planes: (0..channels).map(plane).collect(),
            raw_bytes: self.pictures * width * height * channels,
        };
        // The plan, and then what is left of the block table.
        let rest = [plan, &file[*at..]].concat();
        let mut rest_at = 0;
        let patch = record.decode(&rest, &mut rest_at, payload);
        *at += rest_at - plan_length;

        let frame_width = self.planes[0].width;
        for (picture, patch) in patch.chunks_exact(width * height * channels).enumerate() {
            let frame = picture * frame_width * self.planes[0].height;
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                if of_patch[y / CELL * across + x / CELL] {
                    let pixel = frame + (top + y) * frame_width + left + x;
                    let from = (y * width + x) * channels;
                    raw[pixel * channels..][..channels].copy_from_slice(&patch[from..][..channels]);
                }
            }
        }
        raw
    }
}

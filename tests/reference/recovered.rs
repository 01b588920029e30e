//! Section 8: method recovered.

use super::{Plane, Record, decode_block, next_block, number};

/// A scale and an offset.
#[derive(Clone, Copy)]
struct Term(i64, i64);

impl Term {
    fn read(file: &[u8], at: &mut usize) -> Self {
        let mut signed = || i64::from(number(file, at, 4) as u32 as i32);
        Self(signed(), signed())
    }

    /// Of a number, then divided by 2^shift.
    fn of(self, value: i64, shift: u64) -> i64 {
        (self.0 * value + self.1).div_euclid(1 << shift)
    }
}

impl Record<'_> {
    pub(super) fn recovered(&self, file: &[u8], at: &mut usize, payload: &mut &[u8]) -> Vec<u8> {
        let sampling = number(file, at, 1);
        let blue_first = number(file, at, 1) == 1;
        let [luma_shift, chroma_shift, output_shift] = [(); 3].map(|()| number(file, at, 1));
        let [luma, red, green_u, green_v, blue, output] = [(); 6].map(|()| Term::read(file, at));
        let exceptions = number(file, at, 4) as usize;
        let places_length = number(file, at, 4) as usize;

        // 8.1
        assert!(self.colour && self.header.sample_bytes() == 1);
        let Plane { width, height, .. } = self.planes[0];
        let channels = self.planes.len();
        let (across, down) = [(2, 2), (2, 1), (1, 1)][sampling as usize];
        let (chroma_width, chroma_height) = (width.div_ceil(across), height.div_ceil(down));
        let chroma = (chroma_width, chroma_height);
        let mut frame = 0;
        let mut planes = Vec::new();
        for (width, height) in [(width, height), chroma, chroma, (width, height)].into_iter().take(channels) {
            planes.push(Plane { width, height, offset: frame, step: 1 });
            frame += width * height;
        }
        let [of_u, of_v] = [1, 2].map(|plane| planes[plane].offset);
        let of_alpha = planes.get(3).map(|plane| plane.offset);
        let record = Record {
            header: self.header,
            colour: false,
            pictures: self.pictures,
            planes,
            raw_bytes: self.pictures * frame,
        };
        let yuv = record.decode(file, at, payload);

        // 8.2
        let mut raw = Vec::new();
        for yuv in yuv.chunks_exact(frame) {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let here = y * width + x;
                let there = y / down * chroma_width + x / across;
                let [luma_sample, u, v] = [here, of_u + there, of_v + there].map(|at| i64::from(yuv[at]));
                let l = luma.of(luma_sample, luma_shift);
                let r = red.of(v, chroma_shift);
                let g = green_u.of(u, chroma_shift) + green_v.of(v, chroma_shift);
                let b = blue.of(u, chroma_shift);
                let [r, g, b] = [r, g, b].map(|term| output.of(l + term, output_shift).clamp(0, 255) as u8);
                raw.extend(if blue_first { [b, g, r] } else { [r, g, b] });
                raw.extend(of_alpha.map(|of_alpha| yuv[of_alpha + here]));
            }
        }

        // 8.3
        if exceptions > 0 {
            // These blocks are no part of a plane: they have no neighbours.
            let nowhere = Plane { width: 0, height: 0, offset: 0, step: 0 };
            let mut block = |length| {
                let (codec, packed) = next_block(file, at, payload);
                decode_block(codec, packed, length, &nowhere, &[])
            };
            let (places, pixels) = (block(places_length), block(3 * exceptions));
            let pixel = |exception: usize, channel: usize| -> u8 {
                let differences = &pixels[channel * exceptions..=channel * exceptions + exception];
                differences.iter().fold(0, |sum: u8, &difference| sum.wrapping_add(difference))
            };
            let (mut from, mut pixel_at, mut exception) = (0, 0, 0);
            while from < places.len() {
                pixel_at += count(&places, &mut from);
                for _ in 0..count(&places, &mut from) + 1 {
                    for channel in 0..3 {
                        raw[channels * pixel_at + channel] = pixel(exception, channel);
                    }
                    pixel_at += 1;
                    exception += 1;
                }
            }
            assert_eq!(exception, exceptions);
        }
        raw
    }
}

/// A number in bytes that are added up until one of them is not 255.
pub(super) fn count(bytes: &[u8], at: &mut usize) -> usize {
    let mut sum = 0;
    loop {
        let byte = bytes[*at];
        *at += 1;
        sum += usize::from(byte);
        if byte != 255 {
            return sum;
        }
    }
}

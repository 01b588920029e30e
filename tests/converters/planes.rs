//! YUV for converters.

use std::fs;

use framepress::frame::ChromaSampling;

use super::folder;

/// Frames of 8-bit YUV.
pub struct Planes {
    pub width: usize,
    pub height: usize,
    pub frames: usize,
    pub sampling: ChromaSampling,
    /// Y, U, V of the first frame, of the second one, and so on.
    pub bytes: Vec<u8>,
}

impl Planes {
    /// Moving light of slowly changing colour, with noise; nothing is clipped.
    pub fn smooth(width: usize, height: usize, frames: usize, sampling: ChromaSampling) -> Self {
        let mut state = 1u32;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as usize
        };
        let wave = |at: usize, length: usize| (at % (2 * length)).abs_diff(length) * 60 / length;
        let mut bytes = Vec::new();
        for frame in 0..frames {
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                bytes.push((60 + wave(x + 2 * frame, 37) + wave(y, 29) + noise() % 7) as u8);
            }
            let (width, height) = sampling.chroma_size(width, height);
            for first in [100, 115] {
                for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                    bytes.push((first + wave(x + first + frame, 23) / 3 + wave(y, 17) / 3 + noise() % 4) as u8);
                }
            }
        }
        Self { width, height, frames, sampling, bytes }
    }

    /// Noise over all of limited range: one small frame of `tests/data/converted`.
    pub fn kept(sampling: ChromaSampling) -> Self {
        let name = match sampling {
            ChromaSampling::Cs420 => "noise_420_32x12.yuv",
            ChromaSampling::Cs422 => "noise_422_32x12.yuv",
            ChromaSampling::Cs444 => "noise_444_32x12.yuv",
        };
        let bytes = fs::read(folder().join(name)).unwrap();
        Self { width: 32, height: 12, frames: 1, sampling, bytes }
    }

    /// Bytes of Y, and of U or V, of one frame.
    fn sizes(&self) -> (usize, usize) {
        let (width, height) = self.sampling.chroma_size(self.width, self.height);
        (self.width * self.height, width * height)
    }

    /// Y, U and V of each frame.
    fn each(&self) -> impl Iterator<Item = [&[u8]; 3]> {
        let (luma, chroma) = self.sizes();
        self.bytes.chunks_exact(luma + 2 * chroma).map(move |frame| {
            let (y, uv) = frame.split_at(luma);
            let (u, v) = uv.split_at(chroma);
            [y, u, v]
        })
    }

    /// Y, U and V of each pixel, with the chroma of its block.
    pub fn pixels(&self) -> impl Iterator<Item = [u8; 3]> {
        let (chroma_width, chroma_height) = self.sampling.chroma_size(self.width, self.height);
        let (columns, rows) = (self.width.div_ceil(chroma_width), self.height.div_ceil(chroma_height));
        self.each().flat_map(move |[luma, u, v]| {
            let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (y, x)));
            places.map(move |(y, x)| {
                let there = y / rows * chroma_width + x / columns;
                [luma[y * self.width + x], u[there], v[there]]
            })
        })
    }

    /// Semi-planar: U and V in turn.
    pub fn semi_planar(&self) -> Vec<u8> {
        let frame = |[y, u, v]: [&[u8]; 3]| {
            y.iter().copied().chain(u.iter().zip(v).flat_map(|(&u, &v)| [u, v])).collect::<Vec<_>>()
        };
        self.each().flat_map(frame).collect()
    }

    /// Y U Y V, of 4:2:2.
    pub fn packed(&self) -> Vec<u8> {
        let pairs = |[y, u, v]: [&[u8]; 3]| -> Vec<u8> {
            y.chunks_exact(2).zip(u.iter().zip(v)).flat_map(|(y, (&u, &v))| [y[0], u, y[1], v]).collect()
        };
        self.each().flat_map(pairs).collect()
    }
}

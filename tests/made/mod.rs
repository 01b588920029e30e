//! Packed frames that a converter made of YUV, pixel by pixel, with something drawn over them.

// No test uses all of it.
#![allow(dead_code)]

pub mod between;

use framepress::frame::{ChannelOrder, ChromaSampling, Dtype, FrameFormat, Frames, Layout};
use framepress::internal::KNOWN;
use framepress::plan::Conversion;

/// The conversion that is known by this name.
pub fn conversion(name: &str) -> Conversion {
    KNOWN.iter().find(|known| known.name == name).unwrap_or_else(|| panic!("{name} is not known")).conversion
}

/// How frames are made.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    pub width: usize,
    pub height: usize,
    pub order: ChannelOrder,
    pub conversion: Conversion,
    pub sampling: ChromaSampling,
    /// Y is noisy by less than this.
    pub noise: u64,
    /// The side of a square of another colour that is drawn over each frame.
    pub overlay: usize,
    /// Whether something that was not made of YUV is shown at a column and a row.
    pub foreign: fn(usize, usize) -> bool,
}

impl Made {
    /// 4:2:0 to RGB by swscale, with nothing drawn over it.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            order: ChannelOrder::Rgb,
            conversion: conversion("swscale, BT.601 limited"),
            sampling: ChromaSampling::Cs420,
            noise: 5,
            overlay: 0,
            foreign: |_, _| false,
        }
    }

    pub fn blue_first(&self) -> bool {
        matches!(self.order, ChannelOrder::Bgr | ChannelOrder::Bgra)
    }

    pub fn format(&self) -> FrameFormat {
        let Self { width, height, order, .. } = *self;
        FrameFormat::new(Dtype::U8, Layout::Packed { width, height, order }).unwrap()
    }

    /// Moving light of slowly changing colour.
    pub fn pixel(&self, frame: usize, x: usize, y: usize) -> [u8; 3] {
        if x.abs_diff(self.width / 3) < self.overlay && y.abs_diff(self.height / 2) < self.overlay {
            return [250, 40 + x as u8 % 3, 90];
        }
        let wave = |at: usize, length: usize| (at % (2 * length)).abs_diff(length) * 40 / length;
        if (self.foreign)(x, y) {
            let light = [wave(x + frame, 29), wave(y, 37), wave(x + y, 41)];
            return [0, 1, 2].map(|channel| (70 + light[channel] as u64 + hash(frame + 9 * channel, x, y) % 6) as u8);
        }
        let (block_x, block_y) = match self.sampling {
            ChromaSampling::Cs420 => (x / 2, y / 2),
            ChromaSampling::Cs422 => (x / 2, y),
            ChromaSampling::Cs444 => (x, y),
        };
        let light = 60 + wave(x + 2 * frame, 31) + wave(y, 23) + wave(x + y, 17);
        let light = light as u64 + hash(frame, x, y) % self.noise;
        let u = 110 + wave(block_x + frame, 19) / 2 + hash(frame, block_x, block_y) as usize % 3;
        let v = 120 + wave(block_y + frame, 13) / 2 + hash(frame, block_y, block_x) as usize % 3;
        self.conversion.pixel(light as u8, u as u8, v as u8)
    }

    pub fn frames(&self, frames: usize) -> Frames {
        let mut raw = Vec::new();
        for (frame, y, x) in (0..frames)
            .flat_map(|frame| (0..self.height).flat_map(move |y| (0..self.width).map(move |x| (frame, y, x))))
        {
            let [r, g, b] = self.pixel(frame, x, y);
            raw.extend(if self.blue_first() { [b, g, r] } else { [r, g, b] });
            if self.order.channels() == 4 {
                raw.push(if x < self.width / 2 { 255 } else { (x + y) as u8 });
            }
        }
        Frames::new(self.format(), frames, raw).unwrap()
    }
}

/// Noise that stays the same.
fn hash(a: usize, b: usize, c: usize) -> u64 {
    let mixed = ((a as u64) << 40 ^ (b as u64) << 20 ^ c as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
}

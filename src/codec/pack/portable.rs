//! The loops in plain words of 64 bits: half a group at a time, by halving or doubling the distance
//! of its numbers three times.

use super::control::{Maps, Nibbles, Widths};
use super::{GROUP, Group};

/// The width of a group: the bits of its largest byte.
fn width(halves: [u64; 2]) -> u8 {
    let mut all = halves[0] | halves[1];
    for shift in [32, 16, 8] {
        all |= all >> shift;
    }
    (u8::BITS - (all as u8).leading_zeros()) as u8
}

/// Bytes of up to `width` bits to numbers of `width` bits, the first one lowest.
fn join(bytes: u64, width: u32) -> u64 {
    let step = |word: u64, low: u64, by: u32| word & low | (word & !low) >> by;
    let word = step(bytes, 0x00FF_00FF_00FF_00FF, 8 - width);
    let word = step(word, 0x0000_FFFF_0000_FFFF, 2 * (8 - width));
    step(word, 0xFFFF_FFFF, 4 * (8 - width))
}

/// What [`join`] joined; bits past it do not matter.
fn split(word: u64, width: u32) -> u64 {
    let ones = (1 << width) - 1;
    let step = |word: u64, low: u64, by: u32, apart: u32| word & low | (word >> by & low) << apart;
    let word = step(word, (1 << (4 * width)) - 1, 4 * width, 32);
    let low = (1u64 << (2 * width)) - 1;
    let word = step(word, low << 32 | low, 2 * width, 16);
    step(word, ones * 0x0001_0001_0001_0001, width, 8)
}

fn halves(group: &Group) -> [u64; 2] {
    let mut halves = [0; 2];
    for (half, bytes) in halves.iter_mut().zip(group.as_chunks::<8>().0) {
        *half = u64::from_le_bytes(*bytes);
    }
    halves
}

/// As [`pack`](super::pack).
pub(super) fn pack(groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    let mut at = 0;
    for (group, to) in groups.iter().zip(widths) {
        let halves = halves(group);
        *to = width(halves);
        for half in halves {
            data[at..at + 8].copy_from_slice(&join(half, u32::from(*to)).to_le_bytes());
            at += usize::from(*to);
        }
    }
    at
}

/// As [`unpack`](super::unpack).
pub(super) fn unpack(widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    let mut at = 0;
    for (&width, group) in widths.iter().zip(groups) {
        if width == 0 {
            *group = [0; GROUP];
            continue;
        }
        let packed = 2 * usize::from(width);
        let window: Group = match data.get(at..at + GROUP) {
            Some(window) => window.try_into().ok()?,
            None => {
                let mut window = [0; GROUP];
                window[..packed].copy_from_slice(data.get(at..at + packed)?);
                window
            }
        };
        // Both halves from one word: 16 numbers of up to 8 bits.
        let window = u128::from_le_bytes(window);
        let parts = [window as u64, (window >> (8 * width)) as u64];
        for (bytes, part) in group.as_chunks_mut::<8>().0.iter_mut().zip(parts) {
            *bytes = split(part, u32::from(width)).to_le_bytes();
        }
        at += packed;
    }
    Some(at)
}

/// As [`squeeze`](super::squeeze).
pub(super) fn squeeze(widths: &Widths) -> (u64, Nibbles) {
    let (mut map, mut nibbles, mut count) = (0, Nibbles::default(), 0);
    for (at, &width) in widths.iter().enumerate() {
        if width != 0 {
            map |= 1 << at;
            nibbles[count / 2] |= width << (4 * (count % 2));
            count += 1;
        }
    }
    (map, nibbles)
}

/// As [`expand`](super::expand).
pub(super) fn expand(maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    let (mut map, mut runs) = ([0; 8], 0);
    for (run, groups) in map.iter_mut().enumerate() {
        let here = maps.runs >> run & 1;
        *groups = maps.groups[runs % 8] & here.wrapping_neg();
        runs += usize::from(here);
    }
    let map = u64::from_le_bytes(map);
    let (mut count, mut valid) = (0, true);
    for (at, width) in widths.iter_mut().enumerate() {
        let here = (map >> at & 1) as u8;
        let nibble = nibbles[count / 2 % nibbles.len()] >> (4 * (count % 2)) & 15;
        *width = nibble & here.wrapping_neg();
        valid &= here == 0 || matches!(nibble, 1..=8);
        count += usize::from(here);
    }
    valid.then_some(map)
}

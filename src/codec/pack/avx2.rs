//! The loops with AVX2: 8 groups at a time to pack, four to unpack.
//!
//! Unsafe only where a proof stands for the instruction set (invariant S1 of `cpu::simd`).

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::control::{CLUSTER, Maps, Nibbles, Widths};
use super::{AHEAD, GROUP, Group, portable};
use crate::cpu::simd::Avx2;

/// Bytes within which four packed groups begin and end, whatever four bits say of their widths.
const WINDOW: usize = 160;

/// For each width, where the bytes of a group go whose halves are joined.
static CLOSE: [Group; 16] = {
    let mut rows = [[0x80; GROUP]; 16];
    let mut width = 1;
    while width <= 8 {
        let mut at = 0;
        while at < 2 * width {
            rows[width][at] = (at + if at < width { 0 } else { 8 - width }) as u8;
            at += 1;
        }
        width += 1;
    }
    rows
};

/// How to unpack the numbers of one width.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Row {
    /// For each number, the two bytes it lies in.
    bytes: [[u8; 2]; GROUP],
    /// A factor that moves it to the upper end of the two.
    up: [u16; GROUP],
    /// A factor whose product has the number in its upper half.
    down: [u16; GROUP],
}

/// A row for each width. The others are there to make every nibble a valid index.
static ROWS: [Row; 16] = {
    let mut rows = [Row { bytes: [[0x80; 2]; GROUP], up: [0; GROUP], down: [0; GROUP] }; 16];
    let mut width = 1;
    while width <= 8 {
        let mut at = 0;
        while at < GROUP {
            let bit = at * width;
            rows[width].bytes[at] = [(bit / 8) as u8, (bit / 8 + 1) as u8];
            rows[width].up[at] = 1 << (16 - width - bit % 8);
            rows[width].down[at] = 1 << width;
            at += 1;
        }
        width += 1;
    }
    rows
};

/// For each map of 8 bytes, which of them are set, in order; zeros follow.
static SQUEEZE: [[u8; 8]; 256] = {
    let mut table = [[0x80; 8]; 256];
    let mut map = 0;
    while map < 256 {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if map >> from & 1 == 1 {
                table[map][to] = from as u8;
                to += 1;
            }
            from += 1;
        }
        map += 1;
    }
    table
};

/// The other way: for each byte that is set, the place where it was put; zeros elsewhere.
static EXPAND: [[u8; 8]; 256] = {
    let mut table = [[0x80; 8]; 256];
    let mut map = 0;
    while map < 256 {
        let (mut to, mut from) = (0, 0);
        while to < 8 {
            if map >> to & 1 == 1 {
                table[map][to] = from;
                from += 1;
            }
            to += 1;
        }
        map += 1;
    }
    table
};

/// Has the cache make ready for stores to come, [`AHEAD`] bytes after `groups`.
#[allow(unused_unsafe, reason = "the intrinsic is unsafe in older compilers")]
pub(super) fn announce(groups: &[Group; 4]) {
    // SAFETY: a prefetch reads and writes nothing, wherever it points.
    unsafe { _mm_prefetch::<_MM_HINT_ET0>(groups.as_ptr().cast::<i8>().wrapping_add(AHEAD)) };
}

/// As [`pack`](super::pack).
pub(super) fn pack(_proof: Avx2, groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    // SAFETY: the proof.
    unsafe { pack_groups(groups, widths, data) }
}

/// As [`unpack`](super::unpack).
pub(super) fn unpack(_proof: Avx2, widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    // SAFETY: the proof.
    unsafe { unpack_groups(widths, data, groups) }
}

/// As [`squeeze`](super::squeeze).
pub(super) fn squeeze(_proof: Avx2, widths: &Widths) -> (u64, Nibbles) {
    // SAFETY: the proof.
    unsafe { squeeze_widths(widths) }
}

/// As [`expand`](super::expand).
pub(super) fn expand(_proof: Avx2, maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    // SAFETY: the proof.
    unsafe { expand_widths(maps, nibbles, widths) }
}

/// Moves 8 bytes as a row of [`SQUEEZE`] or [`EXPAND`] says.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn moved(bytes: [u8; 8], row: [u8; 8]) -> [u8; 8] {
    let bytes = _mm_cvtsi64_si128(i64::from_le_bytes(bytes));
    let row = _mm_cvtsi64_si128(i64::from_le_bytes(row));
    _mm_cvtsi128_si64(_mm_shuffle_epi8(bytes, row)).to_le_bytes()
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn squeeze_widths(widths: &Widths) -> (u64, Nibbles) {
    let vectors: [__m256i; 2] = bytemuck::cast(*widths);
    let zeros = vectors.map(|part| _mm256_movemask_epi8(_mm256_cmpeq_epi8(part, _mm256_setzero_si256())) as u32);
    let map = !(u64::from(zeros[0]) | u64::from(zeros[1]) << 32);
    let mut squeezed = [0; CLUSTER + 8];
    let mut at = 0;
    for (&run, occupied) in widths.as_chunks::<8>().0.iter().zip(map.to_le_bytes()) {
        // What is past the end of a run is overwritten by the next.
        squeezed[at..at + 8].copy_from_slice(&moved(run, SQUEEZE[usize::from(occupied)]));
        at += occupied.count_ones() as usize;
    }
    let (bytes, _) = squeezed.as_chunks::<32>();
    let pairs = |bytes| _mm256_maddubs_epi16(bytemuck::cast(bytes), _mm256_set1_epi16(16 << 8 | 1));
    let nibbles = _mm256_packus_epi16(pairs(bytes[0]), pairs(bytes[1]));
    (map, bytemuck::cast(_mm256_permute4x64_epi64::<0xD8>(nibbles)))
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn expand_widths(maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    let map = moved(maps.groups, EXPAND[usize::from(maps.runs)]);
    let halves: [__m128i; 2] = bytemuck::cast(*nibbles);
    let bytes = halves.map(|half| {
        let words = _mm256_cvtepu8_epi16(half);
        _mm256_and_si256(_mm256_or_si256(words, _mm256_slli_epi16::<4>(words)), _mm256_set1_epi8(15))
    });
    let mut squeezed = [0; CLUSTER + 8];
    squeezed[..CLUSTER].copy_from_slice(&bytemuck::cast::<_, Widths>(bytes));
    let mut at = 0;
    for (run, occupied) in widths.as_chunks_mut::<8>().0.iter_mut().zip(map) {
        let mut next = [0; 8];
        next.copy_from_slice(&squeezed[at..at + 8]);
        *run = moved(next, EXPAND[usize::from(occupied)]);
        at += occupied.count_ones() as usize;
    }
    let vectors: [__m256i; 2] = bytemuck::cast(*widths);
    let valid = vectors.map(|part| {
        let below = _mm256_sub_epi8(part, _mm256_set1_epi8(1));
        let valid = _mm256_cmpeq_epi8(_mm256_min_epu8(below, _mm256_set1_epi8(7)), below);
        _mm256_movemask_epi8(valid) as u32
    });
    let map = u64::from_le_bytes(map);
    (u64::from(valid[0]) | u64::from(valid[1]) << 32 == map).then_some(map)
}

/// The widths of 8 groups, two in each vector, as words of 32 bits: half `h` of the result has those of
/// half `h` of every vector.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn widths_of(groups: [__m256i; 4]) -> __m256i {
    let fold = |a, b| _mm256_or_si256(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let low = _mm256_castsi256_ps(fold(groups[0], groups[1]));
    let high = _mm256_castsi256_ps(fold(groups[2], groups[3]));
    let even = _mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, high));
    let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0xDD>(low, high));
    let all = _mm256_or_si256(even, odd);
    let all = _mm256_or_si256(all, _mm256_srli_epi32::<16>(all));
    let all = _mm256_or_si256(all, _mm256_srli_epi32::<8>(all));
    let all = _mm256_and_si256(all, _mm256_set1_epi32(0xFF));
    // The exponent of a float is the bit length plus 126; that of 0 is 0.
    let exponent = _mm256_srli_epi32::<23>(_mm256_castps_si256(_mm256_cvtepi32_ps(all)));
    _mm256_subs_epu16(exponent, _mm256_set1_epi32(126))
}

/// Numbers of half a group in every 64 bits, joined. `unused` has the bits that each byte does not use.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn join(groups: __m256i, unused: __m256i) -> __m256i {
    let pairs = _mm256_set1_epi32(0x00FF_00FF);
    let fours = _mm256_set1_epi32(0xFFFF);
    let eights = _mm256_set1_epi64x(0xFFFF_FFFF);
    let twice = _mm256_add_epi32(unused, unused);
    let four_times = _mm256_and_si256(_mm256_add_epi32(twice, twice), eights);
    let upper = _mm256_srlv_epi32(_mm256_andnot_si256(pairs, groups), unused);
    let joined = _mm256_or_si256(_mm256_and_si256(pairs, groups), upper);
    let upper = _mm256_srlv_epi32(_mm256_andnot_si256(fours, joined), twice);
    let joined = _mm256_or_si256(_mm256_and_si256(fours, joined), upper);
    let upper = _mm256_srlv_epi64(_mm256_andnot_si256(eights, joined), four_times);
    _mm256_or_si256(_mm256_and_si256(eights, joined), upper)
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn pack_groups(groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    let (eights, rest) = groups.as_chunks::<8>();
    let (widths, rest_widths) = widths.split_at_mut(8 * eights.len());
    let mut at = 0;
    for (eight, to) in eights.iter().zip(widths.as_chunks_mut::<8>().0) {
        let vectors: [__m256i; 4] = bytemuck::cast(*eight);
        let words = widths_of(vectors);
        let even = _mm256_castsi256_si128(words);
        let odd = _mm256_extracti128_si256::<1>(words);
        let in_order = _mm_or_si128(even, _mm_slli_epi32::<16>(odd));
        *to = _mm_cvtsi128_si64(_mm_packus_epi16(in_order, in_order)).to_le_bytes();

        // The mask changes nothing; it tells the compiler that no shift goes too far.
        let unused = _mm256_and_si256(_mm256_sub_epi32(_mm256_set1_epi32(8), words), _mm256_set1_epi32(15));
        let joined = [
            join(vectors[0], _mm256_shuffle_epi32::<0x00>(unused)),
            join(vectors[1], _mm256_shuffle_epi32::<0x55>(unused)),
            join(vectors[2], _mm256_shuffle_epi32::<0xAA>(unused)),
            join(vectors[3], _mm256_shuffle_epi32::<0xFF>(unused)),
        ];
        for (joined, widths) in joined.as_chunks::<2>().0.iter().zip(to.as_chunks::<4>().0) {
            let widths = widths.map(|width| usize::from(width % 16));
            let closed = [close(joined[0], [widths[0], widths[1]]), close(joined[1], [widths[2], widths[3]])];
            // What is past a group is overwritten by the next.
            let room: &mut [u8] = &mut data[at..at + WINDOW];
            let mut place = 0;
            for (group, width) in bytemuck::cast::<_, [Group; 4]>(closed).into_iter().zip(widths) {
                room[place..place + GROUP].copy_from_slice(&group);
                place += 2 * width;
            }
            at += place;
        }
    }
    at + portable::pack(rest, rest_widths, &mut data[at..])
}

/// Two groups whose halves are moved together.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn close(joined: __m256i, widths: [usize; 2]) -> __m256i {
    _mm256_shuffle_epi8(joined, bytemuck::cast(widths.map(|width| CLOSE[width])))
}

/// The numbers in the first bytes of `window`, as words of 16 bits.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn split(window: Group, row: &Row) -> __m256i {
    let window = _mm256_broadcastsi128_si256(bytemuck::cast(window));
    let words = _mm256_shuffle_epi8(window, bytemuck::cast(row.bytes));
    let words = _mm256_mullo_epi16(words, bytemuck::cast(row.up));
    _mm256_mulhi_epu16(words, bytemuck::cast(row.down))
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn unpack_groups(widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    let (mut at, mut done) = (0, 0);
    for (four, widths) in groups.as_chunks_mut::<4>().0.iter_mut().zip(widths.as_chunks::<4>().0) {
        let Some(window) = data.get(at..).and_then(<[u8]>::first_chunk::<WINDOW>) else { break };
        announce(four);
        let widths = widths.map(|width| usize::from(width % 16));
        let mut place = 0;
        let words = widths.map(|width| {
            let mut packed = [0; GROUP];
            packed.copy_from_slice(&window[place..place + GROUP]);
            place += 2 * width;
            split(packed, &ROWS[width])
        });
        let groups = [_mm256_packus_epi16(words[0], words[1]), _mm256_packus_epi16(words[2], words[3])];
        *four = bytemuck::cast(groups.map(|mixed| _mm256_permute4x64_epi64::<0xD8>(mixed)));
        at += place;
        done += 4;
    }
    Some(at + portable::unpack(&widths[done..], data.get(at..)?, &mut groups[done..])?)
}

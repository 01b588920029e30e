//! Interleaved rANS with static tables, one per class of groups.
//!
//! A block is cut into groups of 256 bytes. Groups are sorted into up to 15 classes by the size of
//! their bytes (and one for groups of zeros, which cost nothing more); each class has a frequency
//! table. Classes and tables are coded by an adaptive binary coder, the bytes by 32 interleaved
//! rANS coders.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(super) mod classes;
pub(super) mod contexts;
pub(super) mod lanes;
mod portable;
pub(super) mod segments;
pub(super) mod table;

use self::classes::Classes;
use self::lanes::{DecodeTable, EncodeTable, LANES, START, States, Stream, Words};
use self::table::Frequencies;
use crate::codec::bits::{BitDecoder, BitEncoder, Nibble};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::stage::SegmentCode;

/// Bytes of a group.
const GROUP: usize = 256;
const STATES_BYTES: usize = 4 * LANES;

/// Appends the coded block if it is shorter than `block`.
pub fn encode(simd: SimdLevel, block: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let Classes { groups, counts } = Classes::of(block);
    let frequencies: Vec<Frequencies> = counts.iter().map(Frequencies::of).collect();

    out.extend([0; 4]);
    write_model(&groups, &frequencies, out);
    let model_bytes = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&model_bytes.to_le_bytes());

    let tables: Vec<EncodeTable> = frequencies.iter().map(EncodeTable::new).collect();
    // The last group is filled up with zeros.
    let (whole, rest) = block.as_chunks::<GROUP>();
    let mut last = [0; GROUP];
    last[..rest.len()].copy_from_slice(rest);
    let coded = groups.iter().zip(whole.iter().chain([&last])).filter(|(class, _)| **class > 0);
    let coded: Vec<_> = coded.map(|(&class, group)| (&tables[usize::from(class) - 1], group)).collect();
    encode_groups(simd, &coded, &mut Words::default(), out);
    out.len() - start < block.len()
}

/// About the bytes that `block` adds to a larger block of like classes, whose tables are paid for.
pub(super) fn estimate(block: &[u8]) -> usize {
    let classes = Classes::of(block);
    // A class costs about three bits.
    classes.payload_bytes() + classes.groups.len() * 3 / 8
}

/// Decodes exactly `block`.
pub fn decode(simd: SimdLevel, packed: &[u8], block: &mut [u8]) -> Result<()> {
    let short = || Error::corrupt("ans block: it ends within its model");
    let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
    let model_bytes = u32::from_le_bytes(*length) as usize;
    let (model, rest) = rest.split_at_checked(model_bytes).ok_or_else(short)?;
    let (groups, frequencies) = read_model(model, block.len().div_ceil(GROUP))?;
    let tables: Vec<DecodeTable> = frequencies.iter().map(DecodeTable::new).collect();
    let (whole, tail) = block.as_chunks_mut::<GROUP>();
    let mut last = [0; GROUP];
    let mut coded = Vec::with_capacity(groups.len());
    for (class, group) in groups.into_iter().zip(whole.iter_mut().chain([&mut last])) {
        match class {
            0 => group.fill(0),
            class => coded.push((&tables[usize::from(class) - 1], group)),
        }
    }
    decode_groups(simd, rest, &mut coded)?;
    let (head, filling) = last.split_at(tail.len());
    tail.copy_from_slice(head);
    if filling.iter().any(|&byte| byte != 0) {
        return Err(Error::corrupt("ans block: more bytes than expected"));
    }
    Ok(())
}

/// Appends the states and words of `groups`: the end of a block.
pub(super) fn encode_groups<const N: usize>(
    simd: SimdLevel,
    groups: &[(&EncodeTable, &[u8; N])],
    words: &mut Words,
    out: &mut Vec<u8>,
) {
    let mut states = START;
    let states_at = out.len();
    out.extend([0; STATES_BYTES]);
    lanes::encode(simd, groups, &mut states, words, out);
    for (bytes, state) in out[states_at..].as_chunks_mut::<4>().0.iter_mut().zip(states) {
        *bytes = state.to_le_bytes();
    }
}

/// Decodes `groups` from the states and words that end a block.
pub(super) fn decode_groups<'b, const N: usize>(
    simd: SimdLevel,
    coded: &[u8],
    groups: &mut [(&'b DecodeTable, &'b mut [u8; N])],
) -> Result<()> {
    lanes::decode(simd, &mut [stream(&code(coded)?, groups)])
}

/// The states and words that end a block.
pub(super) fn code(coded: &[u8]) -> Result<SegmentCode<'_>> {
    let short = || Error::corrupt("ans block: it ends within its states");
    let (state_bytes, words) = coded.split_first_chunk::<STATES_BYTES>().ok_or_else(short)?;
    if words.len() % 2 != 0 {
        return Err(Error::corrupt("ans block: half a word at its end"));
    }
    let mut states: States = [0; LANES];
    for (state, &bytes) in states.iter_mut().zip(state_bytes.as_chunks::<4>().0) {
        *state = u32::from_le_bytes(bytes);
        if !lanes::STATES.contains(state) {
            return Err(Error::corrupt(format!("ans block: {state} is no state of a lane")));
        }
    }
    Ok(SegmentCode { states, words: words.into() })
}

/// A code, to be decoded to `groups`.
pub(super) fn stream<'a, 'b, const N: usize>(
    code: &SegmentCode<'_>,
    groups: &'a mut [(&'b DecodeTable, &'b mut [u8; N])],
) -> Stream<'a, 'b, N> {
    Stream::new(groups, code.states, &code.words)
}

fn write_model(groups: &[u8], frequencies: &[Frequencies], out: &mut Vec<u8>) {
    let mut out = BitEncoder::new(out);
    out.direct(frequencies.len() as u32, 4);
    let mut lengths = <[Nibble; 16]>::default();
    frequencies.iter().for_each(|frequencies| frequencies.write(&mut out, &mut lengths));
    let mut by_class_before = <[Nibble; 16]>::default();
    let mut before = 0;
    for &class in groups {
        out.nibble(&mut by_class_before[before], u32::from(class));
        before = usize::from(class);
    }
    out.finish();
}

fn read_model(model: &[u8], groups: usize) -> Result<(Vec<u8>, Vec<Frequencies>)> {
    let mut input = BitDecoder::new(model);
    let tables = input.direct(4);
    let mut lengths = <[Nibble; 16]>::default();
    let frequencies: Vec<_> =
        (0..tables).map(|_| Frequencies::read(&mut input, &mut lengths)).collect::<Result<_>>()?;
    let mut by_class_before = <[Nibble; 16]>::default();
    let mut before = 0;
    let mut classes = Vec::with_capacity(groups);
    for _ in 0..groups {
        let class = input.nibble(&mut by_class_before[before]);
        if class > tables {
            return Err(Error::corrupt(format!("ans block: class {class} of {tables}")));
        }
        before = class as usize;
        classes.push(class as u8);
    }
    Ok((classes, frequencies))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of zeros, of one value, of small and of large noise, in turn.
    fn mixed(length: usize) -> Vec<u8> {
        let mut state = 9u32;
        let bytes = (0..length).map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = state >> 16;
            match at / 1000 % 5 {
                0 => 0,
                1 => 77,
                2 => (noise % 3) as u8,
                3 => (noise % 40 * (noise >> 8) % 50) as u8,
                _ => noise as u8,
            }
        });
        bytes.collect()
    }

    #[test]
    fn every_level_gives_and_takes_the_same_bytes() {
        for block in [mixed(100_000), mixed(99_999), mixed(6_000), vec![5; 70_000], vec![0; 3000]] {
            let mut expected = Vec::new();
            assert!(encode(SimdLevel::available()[0], &block, &mut expected));
            for level in SimdLevel::available() {
                let mut packed = Vec::new();
                assert!(encode(level, &block, &mut packed));
                assert!(packed == expected, "{level:?}");
                let mut decoded = vec![1; block.len()];
                decode(level, &packed, &mut decoded).unwrap();
                assert!(decoded == block, "{level:?}");
            }
        }
    }

    /// The comparison above does fail: a lane that starts elsewhere gives other bytes, or none.
    #[test]
    fn a_wrong_state_is_noticed() {
        let block = mixed(10_000);
        let mut packed = Vec::new();
        encode(SimdLevel::detect(), &block, &mut packed);
        let states_at = 4 + u32::from_le_bytes(packed[..4].try_into().unwrap()) as usize;
        packed[states_at] ^= 1;
        for level in SimdLevel::available() {
            assert!(decode(level, &packed, &mut vec![0; block.len()]).is_err(), "{level:?}");
        }
    }

    /// What is wrong is refused at every level alike, with no way out of bounds.
    #[test]
    fn damaged_blocks_are_treated_alike_at_every_level() {
        let block = mixed(3000);
        let mut packed = Vec::new();
        encode(SimdLevel::detect(), &block, &mut packed);
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let results = SimdLevel::available().into_iter().map(|level| {
                let mut decoded = vec![0; block.len()];
                decode(level, &damaged, &mut decoded).is_ok().then_some(decoded)
            });
            let results: Vec<_> = results.collect();
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "bit {bit}");
        }
    }
}

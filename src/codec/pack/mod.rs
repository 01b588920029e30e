//! Fixed-width bit packing of small groups: the fastest codec that still shrinks residuals.
//!
//! A block is cut into groups of 16 bytes. Each is stored as 16 numbers of as many bits as its
//! largest byte needs: none at all for a group of zeros. The widths stand apart from the numbers, so
//! that they are known before the numbers are read and no branch depends on them; runs of zero
//! groups are a bit each.
//!
//! [`Packer`] and [`Unpacker`] take a block in pieces, so that a caller can pack residuals while
//! they are in the cache.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod control;
mod portable;

use self::control::{CLUSTER, Control, Maps, Nibbles, Widths};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};

/// Bytes of a group, packed at one width.
pub const GROUP: usize = 16;
/// The bytes of a group.
pub type Group = [u8; GROUP];

/// Groups whose widths, numbers and bytes stay in the first-level cache between loops.
const STRIP: usize = 256;
/// Bytes past the packed ones that kernels may write.
const SLACK: usize = 160;

/// How far ahead of what is unpacked the cache is told of stores to come.
const AHEAD: usize = 2048;

/// Packs `groups`, writes the width of each, and returns how many bytes of `data` are packed ones. There must be room
/// for `SLACK` bytes more than `groups` has.
fn pack(simd: SimdLevel, groups: &[Group], widths: &mut [u8], data: &mut [u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512_vbmi2() {
            return avx512::pack(proof, groups, widths, data);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::pack(proof, groups, widths, data);
        }
    }
    let _ = simd;
    portable::pack(groups, widths, data)
}

/// Unpacks `groups` of the widths, which are at most 8, and returns how many bytes of `data` they took; nothing if they
/// take more than there are.
fn unpack(simd: SimdLevel, widths: &[u8], data: &[u8], groups: &mut [Group]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512_vbmi2() {
            return avx512::unpack(proof, widths, data, groups);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::unpack(proof, widths, data, groups);
        }
    }
    let _ = simd;
    portable::unpack(widths, data, groups)
}

/// The map of the widths that are not 0, and these.
fn squeeze(simd: SimdLevel, widths: &Widths) -> (u64, Nibbles) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512_vbmi2() {
            return avx512::squeeze(proof, widths);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::squeeze(proof, widths);
        }
    }
    let _ = simd;
    portable::squeeze(widths)
}

/// What [`squeeze`] squeezed, and the map. Nothing if a width that the map has is not from 1 to 8. Nibbles and groups that
/// it does not have do not matter.
fn expand(simd: SimdLevel, maps: &Maps, nibbles: &Nibbles, widths: &mut Widths) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(proof) = simd.avx512_vbmi2() {
            return avx512::expand(proof, maps, nibbles, widths);
        }
        if let Some(proof) = simd.avx2() {
            return avx2::expand(proof, maps, nibbles, widths);
        }
    }
    let _ = simd;
    portable::expand(maps, nibbles, widths)
}

/// Writes one block, group by group.
pub struct Packer<'a> {
    simd: SimdLevel,
    out: &'a mut Vec<u8>,
    start: usize,
    widths: Vec<u8>,
    /// Room for the numbers of a strip.
    numbers: Vec<u8>,
}

impl<'a> Packer<'a> {
    /// Starts a block at the end of `out`.
    pub fn new(simd: SimdLevel, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend([0; 4]);
        Self { simd, out, start, widths: Vec::new(), numbers: vec![0; STRIP * GROUP + SLACK] }
    }

    /// Appends groups.
    pub fn append(&mut self, groups: &[Group]) {
        for strip in groups.chunks(STRIP) {
            let at = self.widths.len();
            self.widths.resize(at + strip.len(), 0);
            let packed = pack(self.simd, strip, &mut self.widths[at..], &mut self.numbers);
            self.out.extend_from_slice(&self.numbers[..packed]);
        }
    }

    /// Ends the block. Returns its length.
    #[must_use = "a block that is not shorter than its groups is better stored"]
    pub fn finish(self) -> usize {
        let data_bytes = self.out.len() - self.start - 4;
        // A longer block is never shorter than what it packs, which has less than 4 GiB: it is not kept.
        let field = u32::try_from(data_bytes).unwrap_or(u32::MAX);
        self.out[self.start..self.start + 4].copy_from_slice(&field.to_le_bytes());
        control::write(self.simd, &self.widths, self.out);
        self.out.len() - self.start
    }
}

/// Appends a block whose groups were packed elsewhere: their widths, and their numbers one after another.
pub fn put(simd: SimdLevel, widths: &[u8], numbers: &[u8], out: &mut Vec<u8>) {
    // Numbers are no longer than the groups, which have less than 4 GiB.
    out.extend((numbers.len() as u32).to_le_bytes());
    out.extend(numbers);
    control::write(simd, widths, out);
}

/// The widths of the groups of a block of as many, and their numbers, for which there is room elsewhere then.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) unless the widths are of numbers of that length.
pub fn take(simd: SimdLevel, packed: &[u8], groups: usize) -> Result<(Vec<u8>, &[u8])> {
    let Unpacker { mut control, data, .. } = Unpacker::new(simd, packed, groups)?;
    let mut widths = vec![0; groups.next_multiple_of(CLUSTER)];
    for cluster in widths.as_chunks_mut::<CLUSTER>().0 {
        control.read(simd, cluster)?;
    }
    control.finish()?;
    widths.truncate(groups);
    let needed: usize = widths.iter().map(|&width| 2 * usize::from(width)).sum();
    if needed != data.len() {
        return Err(Error::corrupt(format!("pack block: {} bytes of numbers for widths of {needed}", data.len())));
    }
    Ok((widths, data))
}

/// Reads one block, group by group.
pub struct Unpacker<'a> {
    simd: SimdLevel,
    control: Control<'a>,
    /// Numbers that are not unpacked yet.
    data: &'a [u8],
    /// Widths of the groups that come next, from `next` on.
    widths: [u8; STRIP],
    next: usize,
}

impl<'a> Unpacker<'a> {
    /// Starts a block of as many groups.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), as of the other functions.
    pub fn new(simd: SimdLevel, packed: &'a [u8], groups: usize) -> Result<Self> {
        let short = || Error::corrupt("pack block: it ends within its numbers");
        let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
        let data_bytes = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
        let (data, control) = rest.split_at_checked(data_bytes).ok_or_else(short)?;
        Ok(Self { simd, control: Control::new(control, groups)?, data, widths: [0; STRIP], next: STRIP })
    }

    /// Unpacks the next groups.
    pub fn unpack(&mut self, mut groups: &mut [Group]) -> Result<()> {
        while !groups.is_empty() {
            if self.next == STRIP {
                for cluster in self.widths.as_chunks_mut::<CLUSTER>().0 {
                    self.control.read(self.simd, cluster)?;
                }
                self.next = 0;
            }
            let count = groups.len().min(STRIP - self.next);
            let (head, rest) = groups.split_at_mut(count);
            let taken = unpack(self.simd, &self.widths[self.next..self.next + count], self.data, head)
                .ok_or_else(|| Error::corrupt("pack block: too few numbers for its widths"))?;
            self.data = &self.data[taken..];
            self.next += count;
            groups = rest;
        }
        Ok(())
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<()> {
        if !self.data.is_empty() {
            return Err(Error::corrupt(format!("pack block: {} bytes left of its numbers", self.data.len())));
        }
        self.control.finish()
    }
}

/// Appends the coded block if it is shorter than `block`.
pub fn encode(simd: SimdLevel, block: &[u8], out: &mut Vec<u8>) -> bool {
    let (whole, rest) = block.as_chunks::<GROUP>();
    let mut packer = Packer::new(simd, out);
    packer.append(whole);
    if !rest.is_empty() {
        // The last group is filled up with zeros.
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        packer.append(&[last]);
    }
    packer.finish() < block.len()
}

/// Decodes exactly `block`.
pub fn decode(simd: SimdLevel, packed: &[u8], block: &mut [u8]) -> Result<()> {
    let mut unpacker = Unpacker::new(simd, packed, block.len().div_ceil(GROUP))?;
    let (whole, rest) = block.as_chunks_mut::<GROUP>();
    unpacker.unpack(whole)?;
    if !rest.is_empty() {
        let mut last = [[0; GROUP]];
        unpacker.unpack(&mut last)?;
        let (head, filling) = last[0].split_at(rest.len());
        rest.copy_from_slice(head);
        if filling.iter().any(|&byte| byte != 0) {
            return Err(Error::corrupt("pack block: more bytes than expected"));
        }
    }
    unpacker.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of zeros, of every width alone, of widths in turn and of groups with one large byte.
    fn mixed(length: usize) -> Vec<u8> {
        let mut state = 5u32;
        let bytes = (0..length).map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (noise, run) = ((state >> 24) as u8, at / 200);
            match run % 12 {
                0 | 1 => 0,
                width @ 2..=9 => noise >> (9 - width),
                10 => noise >> (at / GROUP % 9).min(7),
                _ => {
                    if at % 37 == 0 {
                        noise
                    } else {
                        0
                    }
                }
            }
        });
        bytes.collect()
    }

    fn encoded(simd: SimdLevel, block: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        encode(simd, block, &mut packed);
        packed
    }

    fn decoded(simd: SimdLevel, packed: &[u8], length: usize) -> Option<Vec<u8>> {
        let mut block = vec![0xA5; length];
        decode(simd, packed, &mut block).is_ok().then_some(block)
    }

    /// What every level makes of `packed`, if they agree.
    fn agreed(packed: &[u8], length: usize) -> Option<Vec<u8>> {
        let expected = decoded(SimdLevel::available()[0], packed, length);
        for level in SimdLevel::available() {
            assert!(decoded(level, packed, length) == expected, "{level:?}");
        }
        expected
    }

    #[test]
    fn every_level_gives_and_takes_the_same_bytes() {
        let lengths = (0..300).chain((0..40).map(|at| 9_997 * at % 65_536)).chain([100_000, 70_001]);
        for length in lengths {
            let block = mixed(length);
            let packed = encoded(SimdLevel::available()[0], &block);
            for level in SimdLevel::available() {
                assert!(encoded(level, &block) == packed, "{level:?} {length}");
            }
            assert_eq!(agreed(&packed, length), Some(block), "{length}");
        }
    }

    #[test]
    fn every_width_at_every_place_comes_back() {
        for place in [0, 1, 2, 7, 8, 15, 16, 31, 32] {
            for byte in 0..=255 {
                let mut block = vec![0; 33 * GROUP];
                block[32 * GROUP] = 1;
                block[place * GROUP + usize::from(byte / 2) % GROUP] |= byte;
                let packed = encoded(SimdLevel::detect(), &block);
                // A length, 5 runs, the runs' groups, the widths, the numbers.
                let width = 8 - byte.leading_zeros() as usize;
                let expected = match (place, byte) {
                    (_, 0) => 4 + 1 + 1 + 1 + 2,
                    (32, _) => 4 + 1 + 1 + 1 + 2 * width,
                    _ => 4 + 1 + 2 + 1 + 2 + 2 * width,
                };
                assert_eq!(packed.len(), expected);
                assert_eq!(agreed(&packed, block.len()), Some(block));
            }
        }
    }

    /// A bit for 128 zeros.
    #[test]
    fn zeros_cost_next_to_nothing() {
        assert_eq!(encoded(SimdLevel::detect(), &[0; 1 << 17]).len(), 4 + 128);
    }

    /// The comparison with other levels does fail: a width that is another gives other bytes, or none.
    #[test]
    fn a_wrong_width_is_noticed() {
        let block = [vec![1; 64], vec![3; 64]].concat();
        let mut packed = encoded(SimdLevel::detect(), &block);
        assert_eq!(packed[4 + 24..], [1, 0xFF, 0x11, 0x11, 0x22, 0x22]);
        packed[4 + 24 + 2] = 0x21;
        assert_eq!(agreed(&packed, block.len()), None);
        // As many bits, elsewhere.
        packed[4 + 24 + 4] = 0x21;
        assert!(agreed(&packed, block.len()).is_some_and(|other| other != block));
    }

    /// What is wrong is refused at every level alike, with no way out of bounds.
    #[test]
    fn damaged_blocks_are_treated_alike_at_every_level() {
        let mut block = mixed(5003);
        block[5002] = 7;
        let packed = encoded(SimdLevel::detect(), &block);
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(agreed(&damaged, block.len()) != Some(block.clone()), "bit {bit}");
        }
        for length in 0..packed.len() {
            assert_eq!(agreed(&packed[..length], block.len()), None, "cut at {length}");
        }
        for length in [0, 1, 4990, 5002, 6000, 70_000] {
            assert_eq!(agreed(&packed, length), None, "{length}");
        }
        assert_eq!(agreed(&[packed.as_slice(), &[0]].concat(), block.len()), None);
    }

    /// Widths and numbers by themselves are what a block is made of, and no damage to it is theirs.
    #[test]
    fn blocks_are_taken_apart_and_put_together() {
        for length in [0, 16, 1600, 5008, 70_016] {
            let block = mixed(length);
            for level in SimdLevel::available() {
                let packed = encoded(level, &block);
                let (widths, numbers) = take(level, &packed, length / GROUP).unwrap();
                let mut again = Vec::new();
                put(level, &widths, numbers, &mut again);
                assert!(again == packed, "{level:?} {length}");
                for end in (0..packed.len()).step_by(1 + length / 5000) {
                    assert!(take(level, &packed[..end], length / GROUP).is_err(), "{level:?} {length} {end}");
                }
            }
        }
    }

    /// Groups that come and go in pieces make the same block.
    #[test]
    fn pieces_make_the_same_block() {
        let block = mixed(64 * 1000);
        let expected = encoded(SimdLevel::detect(), &block);
        let (groups, _) = block.as_chunks::<GROUP>();
        for level in SimdLevel::available() {
            for pieces in [1, 4, 52, 300] {
                let mut packed = b"before".to_vec();
                let mut packer = Packer::new(level, &mut packed);
                groups.chunks(pieces).for_each(|piece| packer.append(piece));
                assert_eq!(packer.finish(), expected.len());
                assert!(packed[6..] == expected, "{level:?} {pieces}");

                let mut unpacker = Unpacker::new(level, &expected, groups.len()).unwrap();
                let mut back = vec![[0; GROUP]; groups.len()];
                back.chunks_mut(pieces).for_each(|piece| unpacker.unpack(piece).unwrap());
                unpacker.finish().unwrap();
                assert!(back == groups, "{level:?} {pieces}");
            }
        }
    }
}

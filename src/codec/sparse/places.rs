//! Which bytes of a block are kept.

#[cfg(target_arch = "x86_64")]
use super::avx512;
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};

/// Bytes that are done together: a bit of a word says of each whether it is kept.
pub const PIECE: usize = u64::BITS as usize;
pub(super) type Piece = [u8; PIECE];

/// Some places of a block.
pub struct Places {
    simd: SimdLevel,
    /// A bit for each, the lowest one first. There are none after the end of the block.
    words: Vec<u64>,
    length: usize,
    count: usize,
}

impl Places {
    /// Those in a block of `length` bytes where any of `blocks`, which are as long, is not 0.
    pub fn of(simd: SimdLevel, length: usize, blocks: &[&[u8]]) -> Self {
        let mut words = vec![0; length.div_ceil(PIECE)];
        let whole = length / PIECE;
        let pieces: Vec<&[Piece]> = blocks.iter().map(|bytes| bytes.as_chunks().0).collect();
        any(simd, &pieces, &mut words[..whole]);
        if let Some(last) = words.get_mut(whole) {
            let rests = blocks.iter().map(|bytes| &bytes[whole * PIECE..]);
            *last = rests.map(of_some).fold(0, |all, word| all | word);
        }
        Self::new(simd, words, length)
    }

    /// Those that a map of a block of `length` bytes says, a bit for each, the lowest one of a byte first.
    ///
    /// # Errors
    /// Corrupt if it says so of others.
    pub fn of_map(simd: SimdLevel, length: usize, map: &[u8]) -> Result<Self> {
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        };
        let words: Vec<u64> = map.chunks(8).map(word).collect();
        let used = (words.len() * PIECE).saturating_sub(words.last().map_or(0, |word| word.leading_zeros() as usize));
        if words.len() != length.div_ceil(PIECE) || used > length {
            return Err(Error::corrupt("mapped block: a map of other bytes"));
        }
        Ok(Self::new(simd, words, length))
    }

    fn new(simd: SimdLevel, words: Vec<u64>, length: usize) -> Self {
        let count = simd.run(Count(&words));
        Self { simd, words, length, count }
    }

    /// The map of them.
    pub fn map(&self) -> Vec<u8> {
        let mut map: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        map.truncate(map_bytes(self.length));
        map
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bytes of `block` there; `None` if another one is not 0.
    pub fn compact(&self, block: &[u8]) -> Option<Vec<u8>> {
        // More than are kept is written, and written over.
        let mut kept = vec![0; self.count + PIECE];
        let (pieces, rest) = block.as_chunks();
        let (words, last) = self.words.split_at(pieces.len());
        let count = compact(self.simd, pieces, words, &mut kept)?;
        portable::compact(&[rest], last, &mut kept[count..])?;
        kept.truncate(self.count);
        Some(kept)
    }

    /// Memory for the bytes that are kept, and for what is read beyond those that are left.
    pub fn memory(&self) -> usize {
        self.count + PIECE
    }

    /// Puts the bytes that were kept, the first ones of so much [memory](Self::memory), back there in `block`, which is as
    /// long as the one that the places are of, and 0 elsewhere.
    pub fn spread(&self, kept: &[u8], block: &mut [u8]) {
        self.spread_part(0, kept, block);
    }

    /// The same of a part of the block that begins after so many pieces, and of the bytes that were kept from there on. Says how
    /// many of them there are in the part.
    pub fn spread_part(&self, first: usize, kept: &[u8], part: &mut [u8]) -> usize {
        let (pieces, rest) = part.as_chunks_mut();
        let (words, last) = self.words[first..].split_at(pieces.len());
        let count = spread(self.simd, kept, words, pieces);
        count + portable::spread(&kept[count..], last, [rest])
    }
}

/// Bytes of the map of a block.
pub fn map_bytes(length: usize) -> usize {
    length.div_ceil(8)
}

/// Which bytes of each piece are not 0 in any block.
fn any(simd: SimdLevel, blocks: &[&[Piece]], words: &mut [u64]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = simd.avx512_vbmi2() {
        return avx512::any(proof, blocks, words);
    }
    words.fill(0);
    blocks.iter().for_each(|pieces| simd.run(Mark { pieces, words }));
}

/// Puts the bytes of these places to the front of `kept`, where there is room for a piece more than these, and says how
/// many they are; nothing if another one is not 0.
fn compact(simd: SimdLevel, block: &[Piece], words: &[u64], kept: &mut [u8]) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = simd.avx512_vbmi2() {
        return avx512::compact(proof, block, words, kept);
    }
    let _ = simd;
    portable::compact(block, words, kept)
}

/// The inverse of [`compact`]: there is a piece more in `kept` than is put back.
fn spread(simd: SimdLevel, kept: &[u8], words: &[u64], block: &mut [Piece]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = simd.avx512_vbmi2() {
        return avx512::spread(proof, kept, words, block);
    }
    let _ = simd;
    portable::spread(kept, words, block)
}

/// The same byte by byte.
mod portable {
    use super::of_byte;

    pub fn compact<P: AsRef<[u8]>>(pieces: &[P], words: &[u64], kept: &mut [u8]) -> Option<usize> {
        let (mut count, mut lost) = (0, 0);
        for (piece, word) in pieces.iter().zip(words) {
            for (at, &byte) in piece.as_ref().iter().enumerate() {
                let is_kept = of_byte(word >> at);
                kept[count] = byte;
                count += usize::from(is_kept);
                lost |= byte & is_kept.wrapping_sub(1);
            }
        }
        (lost == 0).then_some(count)
    }

    pub fn spread<P: AsMut<[u8]>>(kept: &[u8], words: &[u64], pieces: impl IntoIterator<Item = P>) -> usize {
        let mut count = 0;
        for (mut piece, word) in pieces.into_iter().zip(words) {
            for (at, byte) in piece.as_mut().iter_mut().enumerate() {
                let is_kept = of_byte(word >> at);
                *byte = kept[count] & 0u8.wrapping_sub(is_kept);
                count += usize::from(is_kept);
            }
        }
        count
    }
}

/// The lowest bit. There is no telling what comes next, so it is a number and no branch.
#[inline(always)]
fn of_byte(bits: u64) -> u8 {
    bits as u8 & 1
}

/// Which of at most 64 bytes are not 0.
#[inline(always)]
fn of_some(bytes: &[u8]) -> u64 {
    const LOWER: u64 = u64::from_le_bytes([0x7F; 8]);
    /// Takes the lowest bit of each byte to the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut word = 0;
    for (at, &eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(eight);
        let highest = (eight | (eight & LOWER).wrapping_add(LOWER)) & !LOWER;
        word |= ((highest >> 7).wrapping_mul(GATHER) >> 56) << (8 * at);
    }
    for (at, &byte) in rest.iter().enumerate() {
        word |= u64::from(byte != 0) << (8 * eights.len() + at);
    }
    word
}

struct Mark<'a> {
    pieces: &'a [Piece],
    words: &'a mut [u64],
}

impl Kernel for Mark<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (word, piece) in self.words.iter_mut().zip(self.pieces) {
            *word |= of_some(piece);
        }
    }
}

struct Count<'a>(&'a [u64]);

impl Kernel for Count<'_> {
    type Output = usize;

    #[inline(always)]
    fn run(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 1000, 5000] {
            let highest: Vec<u8> = (0..length).map(|at| if at / 20 % 3 == 0 { noise() % 3 } else { 0 }).collect();
            let middle: Vec<u8> = highest.iter().map(|&byte| if noise() < 9 { noise() } else { byte / 2 }).collect();
            let marked: Vec<bool> = highest.iter().zip(&middle).map(|(one, other)| (one | other) != 0).collect();
            let block: Vec<u8> = marked.iter().map(|&marked| if marked { noise() } else { 0 }).collect();
            let expected: Vec<u8> =
                block.iter().zip(&marked).filter(|(_, marked)| **marked).map(|(&byte, _)| byte).collect();
            for simd in SimdLevel::available() {
                let places = Places::of(simd, length, &[&middle, &highest]);
                let kept = places.compact(&block).unwrap();
                assert!(kept == expected, "{length}, {simd:?}");
                assert_eq!(kept.len(), places.count());
                let memory = [kept.as_slice(), &vec![7; places.memory() - kept.len()]].concat();
                let map = places.map();
                let bits: Vec<bool> = (0..length).map(|at| map[at / 8] >> (at % 8) & 1 == 1).collect();
                assert!(map.len() == map_bytes(length) && bits == marked, "{length}, {simd:?}");
                for places in [places, Places::of_map(simd, length, &map).unwrap()] {
                    let mut spread = vec![1; length];
                    places.spread(&memory, &mut spread);
                    assert!(spread == block, "{length}, {simd:?}");
                    for other in (0..length).filter(|&at| !marked[at]) {
                        let mut block = block.clone();
                        block[other] = 1;
                        assert!(places.compact(&block).is_none(), "{other} of {length}, {simd:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_map_is_of_its_block() {
        let of = |length, map: &[u8]| Places::of_map(SimdLevel::detect(), length, map);
        assert_eq!(of(12, &[0xFF, 0x0F]).unwrap().count(), 12);
        assert!(of(11, &[0xFF, 0x0F]).is_err());
        assert!(of(12, &[0xFF, 0x10]).is_err());
        assert!(of(64, &[0; 9]).is_err());
        assert!(of(65, &[0; 8]).is_err());
    }
}

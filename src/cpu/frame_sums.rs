//! What frames add to their checksum, taken of their parts while these are in the cache. To go over all of the frames again
//! takes as long as memory needs to give them.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::SimdLevel;
use super::block_sums::{self, ACCUMULATORS, BLOCK_BYTES};
use crate::error::Result;
use crate::pool::{self, Crew};

/// Blocks whose sums are made at a time.
const BLOCKS_AT_A_TIME: usize = 32;
/// Bytes that a thread goes over again at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The sums of the blocks of some frames ([`block_sums`]), as far as they are known. Threads that work on parts of the frames
/// share it.
#[derive(Debug)]
pub struct FrameSums {
    simd: SimdLevel,
    /// Where the frames are in memory, by which their parts are recognised.
    addresses: Range<usize>,
    /// How many blocks are wanted.
    count: usize,
    /// At least as many, when a sum is known: frames that cannot be restored take no memory here.
    blocks: OnceLock<Blocks>,
}

/// What blocks add to the accumulators.
#[derive(Debug)]
struct Blocks {
    sums: Vec<[AtomicU64; ACCUMULATORS]>,
    /// Of which blocks that is known. These are looked at more often, and by themselves they are few bytes.
    known: Vec<AtomicBool>,
}

impl Blocks {
    fn new(count: usize) -> Self {
        let sums = std::iter::repeat_with(Default::default).take(count).collect();
        Self { sums, known: std::iter::repeat_with(AtomicBool::default).take(count).collect() }
    }
}

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

impl FrameSums {
    /// Of no frames.
    pub fn new(simd: SimdLevel) -> Self {
        Self { simd, addresses: 0..0, count: 0, blocks: OnceLock::new() }
    }

    /// Begins with the first `count` blocks of other frames.
    pub fn begin(&mut self, raw: &[u8], count: usize) {
        let start = raw.as_ptr().addr();
        self.addresses = start..start + raw.len();
        self.count = count;
        match self.blocks.get_mut() {
            Some(blocks) if blocks.known.len() >= count => {
                blocks.known.iter_mut().take(count).for_each(|known| *known.get_mut() = false);
            }
            _ => self.blocks = OnceLock::new(),
        }
    }

    /// The sums of the wanted blocks, and which of them are known.
    fn blocks(&self) -> (&[[AtomicU64; ACCUMULATORS]], &[AtomicBool]) {
        let blocks = self.blocks.get_or_init(|| Blocks::new(self.count));
        (&blocks.sums[..self.count], &blocks.known[..self.count])
    }

    /// Takes the sums of the whole blocks of a part of the frames, which will stay as it is. Nothing is taken of other bytes.
    pub fn add(&self, part: &[u8]) {
        let Some(start) = self.place(part) else { return };
        let skipped = start.next_multiple_of(BLOCK_BYTES) - start;
        let bytes = part.get(skipped..).unwrap_or_default().as_chunks::<BLOCK_BYTES>().0;
        let (sums, known) = self.blocks();
        let first = (start + skipped) / BLOCK_BYTES;
        let (Some(sums), Some(known)) = (sums.get(first..), known.get(first..)) else { return };
        let blocks = sums.chunks(BLOCKS_AT_A_TIME).zip(known.chunks(BLOCKS_AT_A_TIME));
        for (bytes, (sums, known)) in bytes.chunks(BLOCKS_AT_A_TIME).zip(blocks) {
            if known.iter().take(bytes.len()).all(is_set) {
                continue;
            }
            let mut found = [[0; ACCUMULATORS]; BLOCKS_AT_A_TIME];
            block_sums::forward(self.simd, bytes.as_flattened(), &mut found);
            for ((found, sums), known) in found.iter().zip(sums).zip(known).take(bytes.len()) {
                sums.iter().zip(found).for_each(|(sum, &found)| sum.store(found, Ordering::Relaxed));
                known.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Forgets the sums of the blocks of a part that was changed.
    pub fn forget(&self, part: &[u8]) {
        let Some(start) = self.place(part) else { return };
        let last = (start + part.len()).saturating_sub(1) / BLOCK_BYTES;
        let known = self.blocks.get().into_iter().flat_map(|blocks| &blocks.known).take(last + 1);
        known.skip(start / BLOCK_BYTES).for_each(|known| known.store(false, Ordering::Relaxed));
    }

    /// Whether there are sums of any block.
    pub fn knows_any(&self) -> bool {
        self.blocks.get().is_some_and(|blocks| blocks.known.iter().take(self.count).any(is_set))
    }

    /// The sums of all blocks of the frames that it began with.
    pub fn finish(&self, raw: &[u8], crew: &Crew) -> Result<impl ExactSizeIterator<Item = [u64; ACCUMULATORS]>> {
        let mut unknown: Vec<&[u8]> = Vec::new();
        let (sums, known) = self.blocks();
        for (piece, known) in raw.chunks(PIECE_BYTES).zip(known.chunks(PIECE_BYTES / BLOCK_BYTES)) {
            let mut start = 0;
            for run in known.chunk_by(|one, next| is_set(one) == is_set(next)) {
                let end = start + run.len() * BLOCK_BYTES;
                unknown.extend(piece.get(start..end).filter(|_| !is_set(&run[0])));
                start = end;
            }
        }
        pool::for_each(crew, unknown, |part| {
            self.add(part);
            Ok(())
        })?;
        Ok(sums.iter().map(|sums| sums.each_ref().map(|sum| sum.load(Ordering::Relaxed))))
    }

    /// Where a part begins, from the first of the frames; `None` if it is not one.
    fn place(&self, part: &[u8]) -> Option<usize> {
        let start = part.as_ptr().addr();
        let is_part = self.addresses.start <= start && start + part.len() <= self.addresses.end;
        is_part.then(|| start - self.addresses.start)
    }
}

/// Memory that raw frames are restored to, and who takes their sums on the way.
#[derive(Debug)]
pub struct Output<'a> {
    /// The frames.
    pub raw: &'a mut [u8],
    /// Their sums, if anyone wants them.
    pub sums: Option<&'a FrameSums>,
}

impl<'a> From<&'a mut [u8]> for Output<'a> {
    fn from(raw: &'a mut [u8]) -> Self {
        Self { raw, sums: None }
    }
}

impl<'a> From<&'a mut Vec<u8>> for Output<'a> {
    fn from(raw: &'a mut Vec<u8>) -> Self {
        raw.as_mut_slice().into()
    }
}

/// Takes the sums of a part from `start` on, if anyone wants them; those of what comes before are taken but for a block that ends
/// only here.
pub fn add_next(sums: Option<&FrameSums>, part: &[u8], start: usize) {
    add(sums, &part[start.saturating_sub(BLOCK_BYTES - 1)..]);
}

/// Takes the sums of a part, if anyone wants them.
pub fn add(sums: Option<&FrameSums>, part: &[u8]) {
    if let Some(sums) = sums {
        sums.add(part);
    }
}

/// Forgets the sums of a part that was changed, if anyone wants them.
pub fn forget(sums: Option<&FrameSums>, part: &[u8]) {
    if let Some(sums) = sums {
        sums.forget(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container;

    /// Frames of every kind of length, of which some parts are added, in any order, some twice, some before they change.
    #[test]
    fn sums_of_parts_come_to_the_checksum() {
        let mut state = 5_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below.max(1)
        };
        let mut sums = FrameSums::new(SimdLevel::detect());
        let lengths = [0, 1, 240, 241, 1023, 1024, 1025, 2048, 5000, 70_001, PIECE_BYTES + 1, 3 * PIECE_BYTES];
        for (length, parts) in lengths.into_iter().flat_map(|length| [0, 1, 7, 40].map(|parts| (length, parts))) {
            let mut raw: Vec<u8> = (0..length).map(|_| random(256) as u8).collect();
            let before = container::checksum(&raw);
            sums.begin(&raw, container::summed_blocks(length));
            for _ in 0..parts {
                let start = random(length);
                sums.add(&raw[start..start + random(length - start + 1)]);
                sums.add(&[7; 3000]);
            }
            for threads in [1, 3] {
                let found = container::checksum_of_frames(&raw, &sums, &Crew::new(threads)).unwrap();
                assert_eq!(found, before, "{length} bytes, {parts} parts");
            }
            if length > 0 {
                let (first, last) = (random(length), length - 1);
                for at in [first, last] {
                    raw[at] ^= 1;
                    sums.forget(&raw[at..=at]);
                }
                let found = container::checksum_of_frames(&raw, &sums, &Crew::new(2)).unwrap();
                assert_eq!(found, container::checksum(&raw), "{length} bytes, {first} and the last one changed");
            }
        }
    }

    /// Sums are used: those of bytes that changed without a word come to another checksum.
    #[test]
    fn what_is_known_is_not_looked_at_again() {
        let mut raw = vec![1; 4 * BLOCK_BYTES];
        let mut sums = FrameSums::new(SimdLevel::detect());
        sums.begin(&raw, container::summed_blocks(raw.len()));
        sums.add(&raw);
        assert!(sums.knows_any());
        raw[BLOCK_BYTES] = 2;
        let found = container::checksum_of_frames(&raw, &sums, &Crew::new(1)).unwrap();
        assert_ne!(found, container::checksum(&raw));
    }
}

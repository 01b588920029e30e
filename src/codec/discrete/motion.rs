//! What an encoder says of the blocks of a frame: what moved where, what stayed, what is coded.
//!
//! Moved content (a scrolled or dragged window) is found by anchors: places whose surroundings
//! select themselves by their hash, wherever they are. Anchors of both pictures with equal
//! surroundings vote for the vector between them.

use super::band::{Choice, Vector, MOST_VECTORS};
use super::{BLOCK, Picture};

/// Width of an anchor's surroundings, in units, and the distance of its two rows.
const ANCHOR_WIDTH: usize = 8;
const ANCHOR_ROWS: usize = 4;
/// One in so many places is an anchor.
const ANCHOR_BITS: u32 = 6;
const TABLE_BITS: u32 = 12;
/// More tell nothing new.
const MOST_VOTES: usize = 1 << 13;
/// Fewer are chance.
const LEAST_VOTES: usize = 4;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A band of a frame, and the frame before it.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub picture: Picture,
    /// First row of the band.
    pub top: usize,
    pub rows: &'a [u8],
    pub before: &'a [u8],
}

impl Pair<'_> {
    fn row_bytes(&self) -> usize {
        self.picture.width * self.picture.unit_bytes
    }

    fn height(&self) -> usize {
        self.rows.len() / self.row_bytes()
    }

    /// Where the band's rows are in the frame before.
    fn unmoved(&self) -> &[u8] {
        &self.before[self.top * self.row_bytes()..][..self.rows.len()]
    }

    /// What to say of every block.
    pub fn choose(&self) -> Choice {
        let changed = self.changed();
        let mut vectors = vec![Vector { x: 0, y: 0 }];
        if changed.iter().filter(|&&changed| changed).count() > 1 {
            vectors.extend(self.moves(&changed));
        }
        let across = self.picture.blocks_across();
        let mut symbols: Vec<u8> = Vec::with_capacity(changed.len());
        for (at, &changed) in changed.iter().enumerate() {
            let hint = if at % across > 0 { symbols[at - 1] >> 1 } else { 0 };
            let symbol = if changed { self.symbol(at % across, at / across, &vectors, hint) } else { 0 };
            symbols.push(symbol);
        }
        Choice { vectors, symbols }
    }

    /// Which blocks differ from what was there before.
    fn changed(&self) -> Vec<bool> {
        let (row_bytes, across) = (self.row_bytes(), self.picture.blocks_across());
        let mut changed = vec![false; across * self.height().div_ceil(BLOCK)];
        let slab = row_bytes * BLOCK;
        let slabs = self.rows.chunks(slab).zip(self.unmoved().chunks(slab));
        for ((now, before), changed) in slabs.zip(changed.chunks_exact_mut(across)) {
            for (now, before) in now.chunks_exact(row_bytes).zip(before.chunks_exact(row_bytes)) {
                if now == before {
                    continue;
                }
                let block_bytes = BLOCK * self.picture.unit_bytes;
                let blocks = now.chunks(block_bytes).zip(before.chunks(block_bytes));
                for (changed, (now, before)) in changed.iter_mut().zip(blocks) {
                    *changed |= now != before;
                }
            }
        }
        changed
    }

    /// The vectors that most anchors speak for.
    fn moves(&self, changed: &[bool]) -> Vec<Vector> {
        const EMPTY: (u64, u32, u32) = (0, 0, 0);
        let mut table = vec![EMPTY; 1 << TABLE_BITS];
        let place = |hash: u64| (hash >> (u64::BITS - TABLE_BITS)) as usize;
        self.anchors(self.unmoved(), changed, |x, y, hash| {
            table[place(hash)] = (hash, x as u32, y as u32);
            true
        });
        let mut votes = Vec::new();
        self.anchors(self.rows, changed, |x, y, hash| {
            let (found, from_x, from_y) = table[place(hash)];
            let (x, y) = (i64::from(from_x) - x as i64, i64::from(from_y) - y as i64);
            if let (true, Ok(x), Ok(y)) = (found == hash && (x, y) != (0, 0), i16::try_from(x), i16::try_from(y)) {
                votes.push((x, y));
            }
            votes.len() < MOST_VOTES
        });
        votes.sort_unstable();
        let mut elected: Vec<(usize, (i16, i16))> =
            votes.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
        elected.retain(|&(count, _)| count >= LEAST_VOTES);
        elected.sort_unstable_by_key(|&(count, vector)| (std::cmp::Reverse(count), vector));
        elected.into_iter().take(MOST_VECTORS - 1).map(|(_, (x, y))| Vector { x, y }).collect()
    }

    /// Calls `found` with every anchor in changed blocks of `rows`, until it says that it is enough.
    fn anchors(&self, rows: &[u8], changed: &[bool], mut found: impl FnMut(usize, usize, u64) -> bool) {
        let Picture { width, unit_bytes, .. } = self.picture;
        let (row_bytes, across) = (self.row_bytes(), self.picture.blocks_across());
        let last = (width + 1).saturating_sub(ANCHOR_WIDTH);
        for y in 0..self.height().saturating_sub(ANCHOR_ROWS) {
            let (upper, lower) = (&rows[y * row_bytes..][..row_bytes], &rows[(y + ANCHOR_ROWS) * row_bytes..][..row_bytes]);
            let changed = &changed[y / BLOCK * across..][..across];
            for (block, _) in changed.iter().enumerate().filter(|(_, changed)| **changed) {
                for x in block * BLOCK..((block + 1) * BLOCK).min(last) {
                    let bytes = x * unit_bytes..(x + ANCHOR_WIDTH) * unit_bytes;
                    let around = &upper[bytes.clone()];
                    if mix(0, &around[..8]) >> (u64::BITS - ANCHOR_BITS) != 0
                        || around[unit_bytes..] == around[..around.len() - unit_bytes]
                    {
                        continue;
                    }
                    let hash = around.chunks_exact(8).chain(lower[bytes].chunks_exact(8)).fold(1, mix);
                    if !found(x, y, hash) {
                        return;
                    }
                }
            }
        }
    }

    /// The symbol of a changed block: a copy if there is one, first by vector `hint`, or else coded with
    /// the vector that comes nearest.
    fn symbol(&self, column: usize, row: usize, vectors: &[Vector], hint: u8) -> u8 {
        let (mut nearest, mut most) = (0, 0);
        let of_hint = usize::from(hint);
        for at in std::iter::once(of_hint).chain((0..vectors.len()).filter(|&at| at != of_hint)) {
            let Some((whole, equal)) = self.equal(column, row, vectors[at], vectors.len() > 1) else { continue };
            if whole {
                return (at << 1) as u8;
            }
            if equal > most {
                (nearest, most) = (at, equal);
            }
        }
        (nearest << 1 | 1) as u8
    }

    /// Whether a block is a copy by `vector`, and if it is asked how many of its bytes are; nothing if
    /// that is not in the picture.
    fn equal(&self, column: usize, row: usize, vector: Vector, count: bool) -> Option<(bool, usize)> {
        let block = self.picture.block(column, row, self.height());
        let (from_x, from_y) = self.picture.moved(&block, self.top, vector)?;
        let row_bytes = self.row_bytes();
        let bytes = block.width * self.picture.unit_bytes;
        let (mut whole, mut equal) = (true, 0);
        for y in 0..block.height {
            let now = &self.rows[(block.y + y) * row_bytes + block.x * self.picture.unit_bytes..][..bytes];
            let before = &self.before[(from_y + y) * row_bytes + from_x * self.picture.unit_bytes..][..bytes];
            whole &= now == before;
            if count {
                equal += now.iter().zip(before).map(|(now, before)| u8::from(now == before)).sum::<u8>() as usize;
            } else if !whole {
                break;
            }
        }
        Some((whole, equal))
    }
}

fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let word = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let hash = (hash ^ word ^ MULTIPLIER).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 29
}

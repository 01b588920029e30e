//! What an encoder says of the blocks of a frame: what moved where, what stayed, what is coded.
//!
//! Moved content (a scrolled or dragged window) is found by anchors: places whose surroundings
//! select themselves by their hash, wherever they are. Anchors of both pictures with equal
//! surroundings vote for the vector between them.

use super::band::{Choice, MOST_VECTORS, Vector};
use super::{BLOCK, Picture};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;

/// Width of an anchor's surroundings, in units, and the distance of its two rows.
const ANCHOR_WIDTH: usize = 8;
const ANCHOR_ROWS: usize = 4;
/// Bytes that are looked at together.
const PIECE: usize = 64;
/// One in 64 places is an anchor: where these bits of the mark are such.
const MARK_BITS: u8 = 0b1111_1100;
const MARK: u8 = 0b1010_0000;
/// Rows of the frame itself that are searched: one in so many.
const SEARCHED_ROWS: usize = 2;
const TABLE_BITS: u32 = 12;
/// More tell nothing new.
const MOST_VOTES: usize = 1 << 13;
/// Fewer are chance.
const LEAST_VOTES: usize = 4;

/// Vectors of the frame before will do if they leave at most one changed block in so many.
const LEFT: usize = 2;

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

    /// What to say of every block. Movement is looked for if it is asked.
    pub fn choose(&self, search: bool) -> Choice {
        let changed = self.changed();
        let vectors = if search { self.moves(&changed) } else { Vec::new() };
        self.symbols(&changed, &vectors, true)
    }

    /// The same where units are not modelled: whatever went on as in the frame before, which had the vectors `last`,
    /// is not looked for again, and coded blocks need no vector.
    pub fn choose_quickly(&self, search: bool, last: &[Vector]) -> Choice {
        let changed = self.changed();
        let followed = self.symbols(&changed, last.get(1..).unwrap_or(&[]), false);
        let left = followed.symbols.iter().filter(|&&symbol| symbol & 1 == 1).count();
        if !search || left * LEFT <= changed.iter().filter(|&&changed| changed).count() {
            return followed;
        }
        self.symbols(&changed, &self.moves(&changed), false)
    }

    /// The symbols of all blocks, with vectors besides that of no movement. Coded blocks have the one that comes nearest
    /// if a model will `refer` to it.
    fn symbols(&self, changed: &[bool], others: &[Vector], refer: bool) -> Choice {
        let vectors = [&[Vector { x: 0, y: 0 }], others].concat();
        let across = self.picture.blocks_across();
        let mut symbols: Vec<u8> = Vec::with_capacity(changed.len());
        for (at, &changed) in changed.iter().enumerate() {
            let hint = if at % across > 0 { symbols[at - 1] >> 1 } else { 0 };
            let symbol = if changed { self.symbol(at % across, at / across, &vectors, hint, refer) } else { 0 };
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
                    *changed = *changed || now != before;
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
        let simd = SimdLevel::detect();
        let remember = |x, y, hash| {
            table[place(hash)] = (hash, x as u32, y as u32);
            true
        };
        simd.run(Anchors { picture: self.picture, rows: self.unmoved(), changed, row_step: 1, found: remember });
        let mut votes = Vec::new();
        let vote = |x, y, hash| {
            let (found, from_x, from_y) = table[place(hash)];
            let (x, y) = (i64::from(from_x) - x as i64, i64::from(from_y) - y as i64);
            if let (true, Ok(x), Ok(y)) = (found == hash && (x, y) != (0, 0), i16::try_from(x), i16::try_from(y)) {
                votes.push((x, y));
            }
            votes.len() < MOST_VOTES
        };
        simd.run(Anchors { picture: self.picture, rows: self.rows, changed, row_step: SEARCHED_ROWS, found: vote });
        votes.sort_unstable();
        let mut elected: Vec<(usize, (i16, i16))> =
            votes.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
        elected.retain(|&(count, _)| count >= LEAST_VOTES);
        elected.sort_unstable_by_key(|&(count, vector)| (std::cmp::Reverse(count), vector));
        elected.into_iter().take(MOST_VECTORS - 1).map(|(_, (x, y))| Vector { x, y }).collect()
    }

    /// The symbol of a changed block: a copy if there is one, first by vector `hint`, or else coded with
    /// the vector that comes nearest.
    fn symbol(&self, column: usize, row: usize, vectors: &[Vector], hint: u8, refer: bool) -> u8 {
        let of_hint = usize::from(hint);
        let others = (1..vectors.len()).filter(|&at| at != of_hint);
        let copy = std::iter::once(of_hint).chain(others).filter(|&at| at > 0);
        if let Some(at) = copy.into_iter().find(|&at| self.is_copy(column, row, vectors[at])) {
            return (at << 1) as u8;
        }
        let (mut nearest, mut most) = (0, 0);
        if refer && vectors.len() > 1 {
            for (at, &vector) in vectors.iter().enumerate() {
                let equal = self.equal_bytes(column, row, vector);
                if equal > most {
                    (nearest, most) = (at, equal);
                }
            }
        }
        (nearest << 1 | 1) as u8
    }

    fn is_copy(&self, column: usize, row: usize, vector: Vector) -> bool {
        self.pairs(column, row, vector).is_some_and(|mut pairs| pairs.all(|(now, before)| now == before))
    }

    fn equal_bytes(&self, column: usize, row: usize, vector: Vector) -> usize {
        let equal = |(now, before): (&[u8], &[u8])| -> u8 {
            // At most 16 units of 8 bytes.
            now.iter().zip(before).map(|(now, before)| u8::from(now == before)).sum()
        };
        self.pairs(column, row, vector).map_or(0, |pairs| pairs.map(|pair| usize::from(equal(pair))).sum())
    }

    /// The rows of a block and those where it was by `vector`; nothing if that is not in the picture.
    fn pairs(&self, column: usize, row: usize, vector: Vector) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
        let block = self.picture.block(column, row, self.height());
        let (from_x, from_y) = self.picture.moved(&block, self.top, vector)?;
        let (row_bytes, unit_bytes) = (self.row_bytes(), self.picture.unit_bytes);
        let bytes = block.width * unit_bytes;
        Some((0..block.height).map(move |y| {
            let now = &self.rows[(block.y + y) * row_bytes + block.x * unit_bytes..][..bytes];
            let before = &self.before[(from_y + y) * row_bytes + from_x * unit_bytes..][..bytes];
            (now, before)
        }))
    }
}

/// Calls `found` with every anchor in changed blocks of every `row_step`-th of `rows`, until it says that it is enough.
struct Anchors<'a, F> {
    picture: Picture,
    rows: &'a [u8],
    changed: &'a [bool],
    row_step: usize,
    found: F,
}

impl<F: FnMut(usize, usize, u64) -> bool> Kernel for Anchors<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { picture: Picture { width, unit_bytes, .. }, rows, changed, row_step, mut found } = self;
        let (row_bytes, across) = (self.picture.row_bytes(), self.picture.blocks_across());
        let height = rows.len() / row_bytes;
        let last = (width + 1).saturating_sub(ANCHOR_WIDTH);
        for y in (0..height.saturating_sub(ANCHOR_ROWS)).step_by(row_step) {
            let (upper, lower) =
                (&rows[y * row_bytes..][..row_bytes], &rows[(y + ANCHOR_ROWS) * row_bytes..][..row_bytes]);
            let changed = &changed[y / BLOCK * across..][..across];
            for (block, _) in changed.iter().enumerate().filter(|(_, changed)| **changed) {
                let end = ((block + 1) * BLOCK).min(last) * unit_bytes;
                for start in (block * BLOCK * unit_bytes..end).step_by(PIECE) {
                    let Some(piece) = upper[start..].first_chunk() else { break };
                    for at in marked(piece).map(|at| start + at).take_while(|&at| at < end) {
                        if at % unit_bytes != 0 {
                            continue;
                        }
                        let bytes = at..at + ANCHOR_WIDTH * unit_bytes;
                        let around = &upper[bytes.clone()];
                        if around[unit_bytes..] == around[..around.len() - unit_bytes] {
                            continue;
                        }
                        let hash = around.chunks_exact(8).chain(lower[bytes].chunks_exact(8)).fold(1, mix);
                        if !found(at / unit_bytes, y, hash) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// For each byte of a piece, a hash of eight bytes from there on that is cheap to compute for all.
#[inline(always)]
fn marks(piece: &[u8; PIECE + 7]) -> [u8; PIECE] {
    let mut marks = [0u8; PIECE];
    for from in 0..8 {
        for (mark, byte) in marks.iter_mut().zip(&piece[from..]) {
            // Times 5, with no multiplication of bytes: there is none in SIMD.
            *mark = (*mark << 2).wrapping_add(*mark).wrapping_add(*byte);
        }
    }
    marks.map(|mark| mark & MARK_BITS)
}

/// The places in a piece that have the mark of an anchor.
#[inline(always)]
fn marked(piece: &[u8; PIECE + 7]) -> impl Iterator<Item = usize> {
    let found = marks(piece).map(|mark| u8::from(mark == MARK));
    let words: [u64; PIECE / 8] =
        std::array::from_fn(|at| found[8 * at..].first_chunk().map_or(0, |&eight| u64::from_le_bytes(eight)));
    // A bit in the byte of each place.
    words.into_iter().enumerate().filter(|&(_, word)| word != 0).flat_map(|(at, word)| {
        let rest = std::iter::successors(Some(word), |&word| Some(word & (word - 1)).filter(|&word| word != 0));
        rest.map(move |word| 8 * at + word.trailing_zeros() as usize / 8)
    })
}

fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let word = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let hash = (hash ^ word ^ MULTIPLIER).wrapping_mul(MULTIPLIER);
    hash ^ hash >> 29
}

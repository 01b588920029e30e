//! Some rows of every frame: the coder of one band knows what it saw in the frames before.

use std::ops::Range;

use super::counter::{Coder, Counter};
use super::model::Model;
use super::plain::Plain;
use super::window::{Place, WIDEST, Window};
use super::{BLOCK, Picture};
use crate::error::{Error, Result};

/// Vectors of a frame, that of no movement included.
pub(super) const MOST_VECTORS: usize = 8;
const VECTOR_BITS: u32 = 3;
/// A block's vector, and above it whether the block is coded.
const SYMBOL_BITS: u32 = VECTOR_BITS + 1;
const SYMBOLS: usize = 1 << SYMBOL_BITS;

/// From where a block is to where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vector {
    pub x: i16,
    pub y: i16,
}

/// What an encoder says of a frame.
#[derive(Default)]
pub(super) struct Choice {
    /// The first is that of no movement.
    pub vectors: Vec<Vector>,
    /// For each block, twice its vector, plus 1 if it is coded.
    pub symbols: Vec<u8>,
}

impl Choice {
    /// Whether any block is copied from elsewhere.
    pub fn moves(&self) -> bool {
        self.symbols.iter().any(|symbol| symbol & 1 == 0 && *symbol > 0)
    }
}

/// The rows of a band in one frame: known to an encoder, filled in by a decoder.
pub(super) trait Rows {
    fn bytes(&self) -> &[u8];
    /// Puts `from` at byte `to`.
    fn copy(&mut self, to: usize, from: &[u8]);
    fn store(&mut self, window: &Window, picture: Picture, place: Place);
    /// Units that are kept as they are: appends these bytes to `plain`, or takes them from it.
    fn keep(&mut self, bytes: Range<usize>, plain: &mut Plain) -> Result<()>;
}

impl Rows for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
    fn copy(&mut self, _: usize, _: &[u8]) {}
    fn store(&mut self, _: &Window, _: Picture, _: Place) {}
    fn keep(&mut self, bytes: Range<usize>, plain: &mut Plain) -> Result<()> {
        plain.append(&self[bytes]);
        Ok(())
    }
}

impl Rows for &mut [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
    fn copy(&mut self, to: usize, from: &[u8]) {
        self[to..to + from.len()].copy_from_slice(from);
    }
    fn store(&mut self, window: &Window, picture: Picture, place: Place) {
        window.store(picture, self, place);
    }
    fn keep(&mut self, bytes: Range<usize>, plain: &mut Plain) -> Result<()> {
        plain.take(&mut self[bytes])
    }
}

/// How the units of coded blocks are coded, and what that has to know.
pub(super) enum Units {
    Modelled(Box<Model>, Window),
    Plain(Plain),
}

/// Counters of the symbols of blocks.
struct BlockModel {
    as_west: Vec<Counter>,
    as_north: Vec<Counter>,
    others: Vec<Counter>,
}

/// A band between frames.
pub(super) struct Band<C> {
    coder: C,
    picture: Picture,
    /// First row in the picture.
    top: usize,
    units: Units,
    blocks: BlockModel,
    /// Symbols of a row of blocks, and of the row above it.
    symbols: Vec<u8>,
    above: Vec<u8>,
}

impl<C: Coder> Band<C> {
    pub fn new(coder: C, picture: Picture, top: usize, units: Units) -> Self {
        let contexts = || vec![Counter::default(); SYMBOLS * SYMBOLS * SYMBOLS];
        Self {
            coder,
            picture,
            top,
            units,
            blocks: BlockModel {
                as_west: contexts(),
                as_north: contexts(),
                others: vec![Counter::default(); SYMBOLS * SYMBOLS],
            },
            symbols: Vec::new(),
            above: Vec::new(),
        }
    }

    pub fn into_parts(self) -> (C, Units) {
        (self.coder, self.units)
    }

    /// Codes one frame's rows. `before` is the whole frame before.
    pub fn frame(&mut self, before: Option<&[u8]>, choice: &Choice, mut rows: impl Rows) -> Result<()> {
        let height = rows.bytes().len() / self.picture.row_bytes();
        let vectors = match before {
            Some(_) => self.vectors(&choice.vectors),
            None => Vec::new(),
        };
        let across = self.picture.blocks_across();
        self.above.clear();
        self.above.resize(across, 0);
        for row in 0..height.div_ceil(BLOCK) {
            self.symbols.clear();
            match before {
                Some(before) => {
                    for column in 0..across {
                        let symbol = self.symbol(choice.symbols.get(row * across + column).copied().unwrap_or(0));
                        self.symbols.push(symbol);
                    }
                    self.copy(before, &vectors, row, height, &mut rows)?;
                }
                None => self.symbols.resize(across, 1),
            }
            if let Units::Plain(plain) = &mut self.units {
                keep(self.picture, plain, &self.symbols, row, height, &mut rows)?;
                std::mem::swap(&mut self.symbols, &mut self.above);
                continue;
            }
            let mut column = 0;
            while column < across {
                if self.symbols[column] & 1 == 0 {
                    column += 1;
                    continue;
                }
                let blocks = self.symbols[column..].iter().take(WIDEST / BLOCK).take_while(|&&symbol| symbol & 1 == 1);
                let end = column + blocks.count();
                self.window(before, &vectors, column..end, row, height, &mut rows)?;
                column = end;
            }
            std::mem::swap(&mut self.symbols, &mut self.above);
        }
        Ok(())
    }

    /// Checks the vectors of a row of blocks and copies those blocks that are not coded.
    fn copy(&self, before: &[u8], vectors: &[Vector], row: usize, height: usize, rows: &mut impl Rows) -> Result<()> {
        let (row_bytes, unit_bytes) = (self.picture.row_bytes(), self.picture.unit_bytes);
        let mut column = 0;
        for same in self.symbols.chunk_by(|a, b| a == b) {
            let (block, from_x, from_y) = self.source(vectors, column, row, height)?;
            column += same.len();
            let (last, _, _) = self.source(vectors, column - 1, row, height)?;
            if same[0] & 1 == 1 {
                continue;
            }
            let bytes = (last.x + last.width - block.x) * unit_bytes;
            for y in 0..block.height {
                let from = (from_y + y) * row_bytes + from_x * unit_bytes;
                rows.copy((block.y + y) * row_bytes + block.x * unit_bytes, &before[from..from + bytes]);
            }
        }
        Ok(())
    }

    fn vectors(&mut self, asked: &[Vector]) -> Vec<Vector> {
        let mut vectors = vec![Vector { x: 0, y: 0 }];
        let count = self.coder.direct(asked.len().saturating_sub(1) as u32, VECTOR_BITS);
        for at in 1..=count as usize {
            let Vector { x, y } = asked.get(at).copied().unwrap_or(vectors[0]);
            let [x, y] = [x, y].map(|part| self.coder.direct(u32::from(part as u16), 16) as u16 as i16);
            vectors.push(Vector { x, y });
        }
        vectors
    }

    /// Codes the symbol of the next block of the row.
    fn symbol(&mut self, symbol: u8) -> u8 {
        let column = self.symbols.len();
        let west = if column > 0 { self.symbols[column - 1] } else { 0 };
        let north = self.above[column];
        let north_east = self.above.get(column + 1).copied().unwrap_or(0);
        let context = (usize::from(west) * SYMBOLS + usize::from(north)) * SYMBOLS + usize::from(north_east);
        if self.coder.bit(&mut self.blocks.as_west[context], symbol == west) {
            return west;
        }
        if north != west && self.coder.bit(&mut self.blocks.as_north[context], symbol == north) {
            return north;
        }
        let counters = &mut self.blocks.others[usize::from(west) * SYMBOLS..][..SYMBOLS];
        self.coder.tree(counters, usize::from(symbol), SYMBOL_BITS) as u8
    }

    /// A block of the current row, and where in the frame before it is from.
    fn source(&self, vectors: &[Vector], column: usize, row: usize, height: usize) -> Result<(Place, usize, usize)> {
        let block = self.picture.block(column, row, height);
        let vector = vectors.get(usize::from(self.symbols[column] >> 1));
        match vector.and_then(|&vector| self.picture.moved(&block, self.top, vector)) {
            Some((x, y)) => Ok((block, x, y)),
            None => Err(Error::corrupt("discrete block: a vector that is not there, or leads out of the picture")),
        }
    }

    /// Codes the units of some blocks beside one another.
    fn window(
        &mut self,
        before: Option<&[u8]>,
        vectors: &[Vector],
        columns: Range<usize>,
        row: usize,
        height: usize,
        rows: &mut impl Rows,
    ) -> Result<()> {
        let first = self.picture.block(columns.start, row, height);
        let last = self.picture.block(columns.end - 1, row, height);
        let place = Place {
            width: last.x + last.width - first.x,
            cut: self.symbols.get(columns.end).is_some_and(|&symbol| symbol & 1 == 1),
            ..first
        };
        let sources = before.map(|before| {
            let source = |column| self.source(vectors, column, row, height);
            columns.map(source).collect::<Result<Vec<_>>>().map(|sources| (before, sources))
        });
        let Units::Modelled(model, window) = &mut self.units else { return Ok(()) };
        window.load(self.picture, rows.bytes(), place);
        window.clear_reference(place.height);
        if let Some((before, sources)) = sources.transpose()? {
            for (block, x, y) in sources {
                window.load_reference(self.picture, before, block.x - place.x, block.width, x, y);
            }
        }
        for y in 0..place.height {
            match before {
                Some(_) => model.row::<C, true>(&mut self.coder, window, y),
                None => model.row::<C, false>(&mut self.coder, window, y),
            }
        }
        rows.store(window, self.picture, place);
        Ok(())
    }
}

/// The units of the coded blocks of a row as they are, row by row.
fn keep(
    picture: Picture,
    plain: &mut Plain,
    symbols: &[u8],
    row: usize,
    height: usize,
    rows: &mut impl Rows,
) -> Result<()> {
    let mut column = 0;
    let mut runs = Vec::new();
    for same in symbols.chunk_by(|a, b| a & 1 == b & 1) {
        let units = column * BLOCK..picture.width.min((column + same.len()) * BLOCK);
        column += same.len();
        if same[0] & 1 == 1 {
            runs.push(units.start * picture.unit_bytes..units.end * picture.unit_bytes);
        }
    }
    for y in row * BLOCK..height.min((row + 1) * BLOCK) {
        let at = y * picture.row_bytes();
        for run in &runs {
            rows.keep(at + run.start..at + run.end, plain)?;
        }
    }
    Ok(())
}

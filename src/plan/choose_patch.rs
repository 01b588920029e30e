//! Which part of the frames a conversion did not make, where it made some of them.
//!
//! A few frames are taken apart, and blocks that come out otherwise are counted in every cell. All of it is the CPU's:
//! every backend comes to the same patch.

use super::Making;
use super::patched::{CELL, Patch, cells};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::frame::{Batch, Geometry};
use crate::stage::{Backend, SolvedPlanes};

/// Frames that are looked at.
const FRAMES: usize = 3;
/// Of so many blocks of a cell, more than this many must come out otherwise for it to be of the patch. Fewer may be due
/// to rounding, and repaired.
const SURE: (usize, usize) = (2, 1);
/// The same for a cell that touches such a one: it is likely to lie at the edge of what the patch shows. Exceptions take
/// more bytes than the pixels of all blocks from there on, about.
const LIKELY: (usize, usize) = (4, 1);
/// A cell is of the patch if so many of the eight around it are.
const CLOSED: usize = 6;
/// A group of cells that touch must be one in so many of the frame's at least: anything smaller is exceptions.
const GROUP_PART: usize = 256;
/// One in so many cells must be left to recover.
const LEFT_PART: usize = 4;

/// The part of the frames that is not made in this way; `None` if there is none, or if it is nearly all.
pub fn choose_patch(batch: Batch<'_>, making: &Making, cpu: &CpuBackend) -> Result<Option<Patch>> {
    let geometry = batch.geometry;
    let mut grid = Grid::of(geometry);
    let (mut blocks, mut misfits) = (vec![0; grid.cells.len()], vec![0; grid.cells.len()]);
    let one = Geometry { frames: 1, ..geometry.clone() }.with_planes(geometry.planes.clone());
    let mut solved = SolvedPlanes::default();
    let frames = FRAMES.min(geometry.frames);
    for frame in (0..frames).map(|at| (2 * at + 1) * geometry.frames / (2 * frames)) {
        let raw = &batch.raw[frame * geometry.frame_samples..][..geometry.frame_samples];
        cpu.solve(Batch { geometry: &one, raw }, making, &mut solved)?;
        count(raw, geometry, making, solved.misfits(), |cell, misfit| {
            blocks[cell] += 1;
            misfits[cell] += usize::from(misfit);
        });
    }
    let more_than = |(of, part): (usize, usize)| -> Vec<bool> {
        blocks.iter().zip(&misfits).map(|(blocks, misfits)| of * misfits > part * blocks).collect()
    };
    grid.cells = more_than(SURE);
    grid.grow(&more_than(LIKELY));
    grid.close();
    grid.drop_small_groups(grid.cells.len() / GROUP_PART);
    let left = grid.cells.iter().filter(|&&is_in| !is_in).count();
    Ok(if LEFT_PART * left < grid.cells.len() { None } else { grid.patch(geometry) })
}

/// Names every block of a frame by its cell, and whether it comes out otherwise although not all of its pixels are
/// clipped: where they are, repair finds what made them.
fn count(raw: &[u8], geometry: &Geometry, making: &Making, misfits: &[u8], mut block: impl FnMut(usize, bool)) {
    let picture = making.picture(geometry);
    let (columns, rows) = picture.block();
    let across = cells(picture.width);
    for (row, misfits) in misfits.chunks_exact(picture.blocks()).enumerate() {
        let first = row * rows * picture.width;
        for (column, &misfits) in misfits.iter().enumerate() {
            let pixel = first + column * columns;
            let is_whole = |at: usize| {
                let at = (pixel + at) * picture.channels;
                raw.get(at..at + 3).is_some_and(|pixel| pixel.iter().all(|channel| (1..255).contains(channel)))
            };
            let misfit = misfits != 0
                && (0..rows).any(|row| {
                    let inside = columns.min(picture.width - column * columns);
                    (0..inside).any(|column| is_whole(row * picture.width + column))
                });
            block(row * rows / CELL * across + column * columns / CELL, misfit);
        }
    }
}

/// The cells of a frame.
struct Grid {
    width: usize,
    height: usize,
    /// Whether each is of the patch.
    cells: Vec<bool>,
}

impl Grid {
    fn of(geometry: &Geometry) -> Self {
        let (width, height) = (cells(geometry.planes[0].width), cells(geometry.planes[0].height));
        Self { width, height, cells: vec![false; width * height] }
    }

    /// The cells that touch one.
    fn around(&self, cell: usize) -> impl Iterator<Item = usize> + use<> {
        let (width, height) = (self.width, self.height);
        let (x, y) = (cell % width, cell / width);
        let rows = y.saturating_sub(1)..height.min(y + 2);
        let all = rows.flat_map(move |row| (x.saturating_sub(1)..width.min(x + 2)).map(move |x| row * width + x));
        all.filter(move |&other| other != cell)
    }

    /// Takes in those of some other cells that touch it.
    fn grow(&mut self, others: &[bool]) {
        let grown = |cell: usize| self.cells[cell] || others[cell] && self.around(cell).any(|at| self.cells[at]);
        self.cells = (0..self.cells.len()).map(grown).collect();
    }

    /// Takes in cells that come out right by chance: those that nearly all cells around are of the patch.
    fn close(&mut self) {
        let closed = |cell: usize| self.cells[cell] || self.around(cell).filter(|&at| self.cells[at]).count() >= CLOSED;
        self.cells = (0..self.cells.len()).map(closed).collect();
    }

    /// Leaves out what touches fewer than `least` cells.
    fn drop_small_groups(&mut self, least: usize) {
        let mut seen = vec![false; self.cells.len()];
        for cell in 0..self.cells.len() {
            if !self.cells[cell] || seen[cell] {
                continue;
            }
            seen[cell] = true;
            let mut group = vec![cell];
            let mut at = 0;
            while let Some(&cell) = group.get(at) {
                for other in self.around(cell).filter(|&other| self.cells[other]) {
                    if !std::mem::replace(&mut seen[other], true) {
                        group.push(other);
                    }
                }
                at += 1;
            }
            if group.len() < least {
                group.into_iter().for_each(|cell| self.cells[cell] = false);
            }
        }
    }

    /// The rectangle around the cells of the patch, if there are any.
    fn patch(&self, geometry: &Geometry) -> Option<Patch> {
        let within = || (0..self.cells.len()).filter(|&cell| self.cells[cell]);
        let columns = within().map(|cell| cell % self.width);
        let (left, right) = (columns.clone().min()?, columns.max()? + 1);
        let (top, bottom) = (within().min()? / self.width, within().max()? / self.width + 1);
        let mut runs = vec![0];
        for row in top..bottom {
            for &cell in &self.cells[row * self.width..][left..right] {
                // Runs of the patch are the first, the third, ...
                if cell != (runs.len() % 2 == 1) {
                    runs.push(0);
                }
                if let Some(run) = runs.last_mut() {
                    *run += 1;
                }
            }
        }
        if runs.len() == 1 {
            runs.clear();
        }
        let plane = &geometry.planes[0];
        let pixels = |cell: usize, whole: usize| (CELL * cell).min(whole);
        let number = |pixels: usize| u32::try_from(pixels).ok();
        Some(Patch {
            left: number(pixels(left, plane.width))?,
            top: number(pixels(top, plane.height))?,
            width: number(pixels(right, plane.width) - pixels(left, plane.width))?,
            height: number(pixels(bottom, plane.height) - pixels(top, plane.height))?,
            runs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};

    /// A grid of 47 x 38 pixels in which `#` is of the patch.
    fn grid(rows: [&str; 3]) -> (Grid, Geometry) {
        let layout = Layout::Packed { width: 47, height: 38, order: ChannelOrder::Rgb };
        let geometry = Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 2);
        let cells = rows.concat().bytes().map(|cell| cell == b'#').collect();
        (Grid { cells, ..Grid::of(&geometry) }, geometry)
    }

    #[test]
    fn a_rectangle_has_no_runs() {
        let (grid, geometry) = grid(["...", ".##", ".##"]);
        let patch = grid.patch(&geometry).unwrap();
        assert_eq!(patch, Patch { left: 16, top: 16, width: 31, height: 22, runs: Vec::new() });
        patch.check(&geometry).unwrap();
        assert_eq!(patch.pixels(), 31 * 22);
        assert_eq!(self::grid(["...", "...", "..."]).0.patch(&geometry), None);
    }

    #[test]
    fn other_shapes_have_runs() {
        let (grid, geometry) = grid(["..#", "#.#", "###"]);
        let patch = grid.patch(&geometry).unwrap();
        assert_eq!(patch, Patch { left: 0, top: 0, width: 47, height: 38, runs: vec![0, 2, 2, 1, 4] });
        patch.check(&geometry).unwrap();
        assert_eq!(patch.pixels(), 47 * 38 - 32 * 16 - 16 * 16);
    }

    #[test]
    fn edges_are_taken_in() {
        let (mut grid, _) = grid(["#..", "...", "..."]);
        grid.grow(&self::grid([".#.", "..#", "#.."]).0.cells);
        assert_eq!(grid.cells, self::grid(["##.", "...", "..."]).0.cells);
    }

    #[test]
    fn gaps_are_closed_and_small_groups_left_out() {
        let (mut grid, _) = grid(["##.", "#.#", "##."]);
        grid.close();
        assert_eq!(grid.cells, self::grid(["##.", "###", "##."]).0.cells);
        let (mut grid, _) = self::grid(["#..", "...", ".##"]);
        grid.drop_small_groups(2);
        assert_eq!(grid.cells, self::grid(["...", "...", ".##"]).0.cells);
    }
}

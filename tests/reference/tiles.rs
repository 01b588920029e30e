//! Section 6.

use std::collections::VecDeque;
use std::ops::Range;

use super::ans::{self, Table};
use super::{number, pack};

/// Section 6.2.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Whole,
    Corner,
    Right,
    Below,
    Diagonal,
}

use Phase::{Below, Corner, Diagonal, Right, Whole};

impl Phase {
    /// Column and row in its 2 x 2 block.
    fn place(self) -> (usize, usize) {
        match self {
            Whole | Corner => (0, 0),
            Right => (1, 0),
            Below => (0, 1),
            Diagonal => (1, 1),
        }
    }

    fn detail(self) -> bool {
        matches!(self, Right | Below | Diagonal)
    }
}

/// A coded plane, with what is kept of it from frame to frame.
struct Coded {
    plane: usize,
    phase: Phase,
    set: usize,
    /// Tiles in a row, and rows of them.
    columns: usize,
    rows: usize,
    /// The frame before, whole tiles.
    before: Vec<u8>,
    /// Symbols of tiles and classes of groups in the frame before.
    symbols: Vec<usize>,
    classes: Vec<usize>,
}

/// Section 6.5: c[0] to c[16].
type Model = [i64; 17];

/// What is left of a decoded segment.
pub struct Segment {
    predictors: VecDeque<usize>,
    residuals: VecDeque<u8>,
}

pub struct Band {
    rows: Vec<Range<usize>>,
    widths: Vec<usize>,
    coded: Vec<Coded>,
    /// Those of predictors, then those of classes; for details again.
    models: [Vec<Model>; 2],
}

impl Band {
    /// Band `b` of `bands`. `sizes` are the widths and heights of planes.
    pub fn new(sizes: &[(usize, usize)], split: bool, b: usize, bands: usize) -> Self {
        let unit = if split { 32 } else { 16 };
        let edge = |height: usize, b: usize| (unit * (b * height.div_ceil(unit) / bands)).min(height);
        let rows: Vec<_> = sizes.iter().map(|&(_, height)| edge(height, b)..edge(height, b + 1)).collect();
        let mut coded = Vec::new();
        for (plane, &(width, _)) in sizes.iter().enumerate() {
            let phases: &[Phase] =
                if split && [0, 2].contains(&plane) { &[Corner, Right, Below, Diagonal] } else { &[Whole] };
            for &phase in phases {
                let (x, y) = phase.place();
                let part = |size: usize, odd| match (phase, odd) {
                    (Whole, _) => size,
                    (_, 0) => size.div_ceil(2),
                    _ => size / 2,
                };
                let (columns, rows) = (part(width, x).div_ceil(16), part(rows[plane].len(), y).div_ceil(16));
                coded.push(Coded {
                    plane,
                    phase,
                    set: if phase.detail() { sizes.len() } else { plane },
                    columns,
                    rows,
                    before: vec![0; columns * rows * 256],
                    symbols: vec![12; columns * rows],
                    classes: vec![0; columns * rows * 4],
                });
            }
        }
        let model = std::array::from_fn(|i| 1024 * i as i64);
        let models = [vec![model; 256 + 216], vec![model; 256 + 216]];
        Self { rows, widths: sizes.iter().map(|&(width, _)| width).collect(), coded, models }
    }

    /// The rows that the band has of a plane.
    pub fn rows(&self, plane: usize) -> Range<usize> {
        self.rows[plane].clone()
    }

    /// Section 6.4.
    pub fn segment(&mut self, segment: &[u8], frames: usize, tables: &[Vec<Table>]) -> Segment {
        let side_length = number(segment, &mut 0, 4) as usize;
        let marked = number(segment, &mut 4, 4) as usize;
        let (two_codes, escapes_length) = (marked >> 31 == 1, marked & 0x7FFF_FFFF);
        let (side, rest) = segment[8..].split_at(side_length);
        let (escapes, code) = rest.split_at(escapes_length);

        let mut side = Side::new(side);
        let mut predictors = Vec::new();
        let mut of_groups = Vec::new();
        for _ in 0..frames {
            for coded in &mut self.coded {
                let models = &mut self.models[usize::from(coded.phase.detail())];
                coded.side(&mut side, models, &mut predictors, |class, set| {
                    of_groups.push(class.checked_sub(1).map(|class: usize| &tables[set][class]));
                });
            }
        }
        side.finish();

        let mut residuals = if of_groups.iter().all(Option::is_none) {
            assert!(code.is_empty() && !two_codes);
            vec![0; 64 * of_groups.len()]
        } else if two_codes {
            let first_length = number(code, &mut 0, 4) as usize;
            let (first, second) = code[4..].split_at(first_length);
            let coded: Vec<usize> = (0..of_groups.len()).filter(|&group| of_groups[group].is_some()).collect();
            let (head, tail) = of_groups.split_at(coded[coded.len().div_ceil(2)]);
            [ans::groups(first, 0, 64, head), ans::groups(second, 0, 64, tail)].concat()
        } else {
            ans::groups(code, 0, 64, &of_groups)
        };
        let mut escapes = escapes.iter();
        for residual in residuals.iter_mut().filter(|residual| **residual == 255) {
            *residual = *escapes.next().expect("a byte of escapes");
        }
        assert_eq!(escapes.len(), 0);

        Segment { predictors: predictors.into(), residuals: residuals.into() }
    }

    /// Section 6.5.
    pub fn packed_segment(&mut self, segment: &[u8], frames: usize) -> Segment {
        let tiles = frames * self.coded.iter().map(|coded| coded.columns * coded.rows).sum::<usize>();
        let (tiles, groups) = segment.split_at(tiles);
        let present = |tile: u8| (4..8).map(move |bit| tile >> bit & 1 == 1);
        let count = tiles.iter().flat_map(|&tile| present(tile)).filter(|&present| present).count();
        let groups = pack::decode(groups, 64 * count);
        let mut groups = groups.chunks(64);
        let mut residuals = Vec::new();
        for present in tiles.iter().flat_map(|&tile| present(tile)) {
            residuals.extend_from_slice(if present { groups.next().expect("a group") } else { &[0; 64] });
        }
        Segment { predictors: tiles.iter().map(|&tile| usize::from(tile & 15)).collect(), residuals: residuals.into() }
    }

    /// Section 6.7: the samples of each plane of the next frame of a segment within the band.
    pub fn frame(&mut self, segment: &mut Segment) -> Vec<Vec<u8>> {
        self.coded.iter_mut().for_each(|coded| coded.restore(segment));
        (0..self.rows.len()).map(|plane| self.plane(plane)).collect()
    }

    /// Section 6.8: pictures of all planes take the place of the frame before.
    pub fn expect(&mut self, planes: &[Vec<u64>]) {
        for coded in &mut self.coded {
            let (width, rows) = (self.widths[coded.plane], self.rows[coded.plane].clone());
            for (i, before) in coded.before.iter_mut().enumerate() {
                let (x, y) = (i % (16 * coded.columns), i / (16 * coded.columns));
                let (x, y) = (x.min(width - 1), (rows.start + y).min(rows.end - 1));
                *before = planes[coded.plane][y * width + x] as u8;
            }
        }
    }

    /// Section 6.2: a plane from its coded planes.
    fn plane(&self, plane: usize) -> Vec<u8> {
        let of_plane = |phase| self.coded.iter().find(|coded| coded.plane == plane && coded.phase == phase);
        let mut samples = Vec::new();
        for y in 0..self.rows[plane].len() {
            for x in 0..self.widths[plane] {
                samples.push(if let Some(whole) = of_plane(Whole) {
                    whole.sample(x, y)
                } else {
                    let (i, j) = (x / 2, y / 2);
                    let corner = of_plane(Corner).expect("a corner").sample(i, j);
                    let difference = match (x % 2, y % 2) {
                        (0, 0) => 0,
                        (1, 0) => of_plane(Right).expect("a phase").sample(i, j),
                        (0, _) => of_plane(Below).expect("a phase").sample(i, j),
                        _ => of_plane(Diagonal).expect("a phase").sample(i, j),
                    };
                    corner.wrapping_add(difference)
                });
            }
        }
        samples
    }
}

impl Coded {
    fn sample(&self, x: usize, y: usize) -> u8 {
        self.before[y * self.columns * 16 + x]
    }

    /// Section 6.5: predictors and classes of one frame.
    fn side(
        &mut self,
        side: &mut Side<'_>,
        models: &mut [Model],
        predictors: &mut Vec<usize>,
        mut group: impl FnMut(usize, usize),
    ) {
        let k = |class: usize| [0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5][class];
        for row in 0..self.rows {
            for column in 0..self.columns {
                let tile = row * self.columns + column;
                let left = if column == 0 { 15 } else { self.symbols[tile - 1] };
                let symbol = side.symbol(&mut models[16 * left + self.symbols[tile]]);
                assert!(symbol <= 12);
                self.symbols[tile] = symbol;
                predictors.push(symbol % 12);
                for part in 0..4 {
                    // Column and row among the groups of the coded plane.
                    let (x, y) = (2 * column + part % 2, 2 * row + part / 2);
                    let at = y * 2 * self.columns + x;
                    let left = if x == 0 { 0 } else { self.classes[at - 1] };
                    let above = if y == 0 { 0 } else { self.classes[at - 2 * self.columns] };
                    let model = 256 + 36 * k(left) + 6 * k(above) + k(self.classes[at]);
                    self.classes[at] = if symbol == 12 { 0 } else { side.symbol(&mut models[model]) };
                    group(self.classes[at], self.set);
                }
            }
        }
    }

    /// Section 6.6: one frame.
    fn restore(&mut self, segment: &mut Segment) {
        let (width, height) = (16 * self.columns, 16 * self.rows);
        let previous = self.before.clone();
        for (row, column) in (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (row, column))) {
            let predictor = segment.predictors.pop_front().expect("a predictor");
            let tile: Vec<u8> = segment.residuals.drain(..256).collect();
            for (y, x) in (0..16).flat_map(|y| (0..16).map(move |x| (y, x))) {
                let z = tile[64 * (y / 8 * 2 + x / 8) + y % 8 * 8 + x % 8];
                let d = (z >> 1) ^ 0u8.wrapping_sub(z & 1);
                let at = |frame: &[u8], dx: isize, dy: isize| -> i64 {
                    let x = (16 * column + x).checked_add_signed(dx).filter(|&x| x < width);
                    let y = (16 * row + y).checked_add_signed(dy).filter(|&y| y < height);
                    x.zip(y).map_or(0, |(x, y)| i64::from(frame[y * width + x]))
                };
                let (w, n, nw) = (at(&self.before, -1, 0), at(&self.before, 0, -1), at(&self.before, -1, -1));
                let ne = if x == 15 { n } else { at(&self.before, 1, -1) };
                let (p, pw) = (at(&previous, 0, 0), at(&previous, -1, 0));
                let (pn, pnw) = (at(&previous, 0, -1), at(&previous, -1, -1));
                let half = |v: i64| i64::from(v as i8).div_euclid(2);
                let prediction = match predictor {
                    0 => p,
                    1 => p + w - pw,
                    2 => p + n - pn,
                    3 => p + (w - pw) + (n - pn) - (nw - pnw),
                    4 => w,
                    5 => n,
                    6 => w + n - nw,
                    7 => w + half(n - nw),
                    8 => w + half(ne - nw),
                    9 => p + (w - pw) + half((n - pn) - (nw - pnw)),
                    10 => p + half(n - p),
                    11 => p + half(n - pn),
                    other => panic!("predictor {other}"),
                };
                self.before[(16 * row + y) * width + 16 * column + x] = d.wrapping_add(prediction as u8);
            }
        }
    }
}

/// Section 6.5: the code.
struct Side<'a> {
    bytes: &'a [u8],
    at: usize,
    states: [u64; 2],
    turn: usize,
}

impl<'a> Side<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let states = [number(bytes, &mut 0, 4), number(bytes, &mut 4, 4)];
        assert!(states.iter().all(|&x| x >= 1 << 16));
        Self { bytes, at: 8, states, turn: 0 }
    }

    fn symbol(&mut self, c: &mut Model) -> usize {
        let x = &mut self.states[self.turn];
        self.turn = 1 - self.turn;
        let r = *x % 16384;
        let s = (0..16).rev().find(|&s| c[s] as u64 <= r).expect("c[0] is 0");
        *x = (c[s + 1] - c[s]) as u64 * (*x / 16384) + r - c[s] as u64;
        if *x < 1 << 16 {
            *x = 65536 * *x + number(self.bytes, &mut self.at, 2);
        }
        for (i, c) in c.iter_mut().enumerate().take(16) {
            let goal = i as i64 + if i <= s { 0 } else { 16368 };
            *c += (goal - *c).div_euclid(32);
        }
        s
    }

    fn finish(self) {
        assert_eq!(self.at, self.bytes.len());
        assert_eq!(self.states, [1 << 16; 2]);
    }
}

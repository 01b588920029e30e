//! Sections 4.8 and 7.1.

use super::model::{Bit, Decisions, Distribution, EVEN};
use super::taps::{between, mpeg4, of_four};

/// The motion of a frame.
pub struct Field {
    filter: i32,
    /// Units side by side.
    across: usize,
    vectors: Vec<(i32, i32)>,
}

impl Field {
    fn at(&self, x: isize, y: isize) -> Option<(i32, i32)> {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.across;
        inside.then(|| self.vectors[y as usize * self.across + x as usize])
    }
}

fn middle(a: i32, b: i32, c: i32) -> i32 {
    let mut three = [a, b, c];
    three.sort_unstable();
    three[1]
}

/// A frame, as it is coded: the frames that it refers to, with the fields to them, and the sides of its units.
pub struct Step {
    pub frame: usize,
    pub references: Vec<(usize, Field)>,
    pub sides: Vec<usize>,
}

impl Step {
    /// Sections 6.8 and 7: what is expected of planes of these sizes, of all but the first frame, from the planes of others.
    pub fn expected(&self, sizes: &[(usize, usize)], frames: &[Vec<Vec<u64>>]) -> Option<Vec<Vec<u64>>> {
        let of = |(i, &size): (usize, &(usize, usize))| {
            let made =
                |(reference, field): &(usize, Field)| expected(field, i == 0, sizes[0], size, &frames[*reference][i]);
            match &self.references[..] {
                [earlier] => made(earlier),
                [earlier, later] => mean_by_sides(self, sizes[0], size, &[made(earlier), made(later)]),
                references => panic!("{} references", references.len()),
            }
        };
        (!self.references.is_empty()).then(|| sizes.iter().enumerate().map(of).collect())
    }
}

/// Section 4.8: the fields of all frames but the first, each of which refers to the one before.
fn fields(block: &[u8], frames: usize, size: (usize, usize)) -> Vec<Field> {
    let (filter_bits, words) = match block {
        [1, 0, 0, 0, words @ ..] => (4, words),
        [_, _, 0, 0, ..] => panic!("another form of vectors"),
        words => (2, words),
    };
    let mut decisions = Decisions::new(words);
    let mut fields = Fields::new(size);
    let decoded = (1..frames).map(|_| fields.next(&mut decisions, filter_bits, &|_| true)).collect();
    decisions.finish();
    decoded
}

/// Section 4.8: all frames in the order in which they are coded.
pub fn steps(block: &[u8], frames: usize, size: (usize, usize)) -> Vec<Step> {
    let first = Step { frame: 0, references: Vec::new(), sides: Vec::new() };
    let [2, 0, 0, 0, words @ ..] = block else {
        let in_turn = fields(block, frames, size).into_iter().enumerate();
        let of_frame =
            |(before, field)| Step { frame: before + 1, references: vec![(before, field)], sides: Vec::new() };
        return std::iter::once(first).chain(in_turn.map(of_frame)).collect();
    };
    let mut decisions = Decisions::new(words);
    let mut bits = [EVEN; 7];
    let mut anchors = vec![0];
    for frame in 1..frames - 1 {
        let run = frame - anchors[anchors.len() - 1] - 1;
        if run == 7 || !decisions.bit(&mut bits[run]) {
            anchors.push(frame);
        }
    }
    anchors.push(frames - 1);
    let (mut to_earlier, mut to_later) = (Fields::new(size), Fields::new(size));
    let mut sides_of = Sides { splits: [EVEN; 16], means: [EVEN; 32], laters: [EVEN; 32] };
    let mut steps = vec![first];
    for pair in anchors.windows(2) {
        let field = to_earlier.next(&mut decisions, 4, &|_| true);
        steps.push(Step { frame: pair[1], references: vec![(pair[0], field)], sides: Vec::new() });
        for (a, m, b) in halves(pair[0], pair[1]) {
            let sides = sides_of.next(&mut decisions, size);
            let earlier = to_earlier.next(&mut decisions, 4, &|unit| sides[unit] != 1);
            let later = to_later.next(&mut decisions, 4, &|unit| sides[unit] != 0);
            steps.push(Step { frame: m, references: vec![(a, earlier), (b, later)], sides });
        }
    }
    decisions.finish();
    steps
}

fn halves(a: usize, b: usize) -> Vec<(usize, usize, usize)> {
    if a + 1 == b {
        return Vec::new();
    }
    let m = (a + b) / 2;
    [vec![(a, m, b)], halves(a, m), halves(m, b)].concat()
}

struct Sides {
    splits: [Bit; 16],
    means: [Bit; 32],
    laters: [Bit; 32],
}

impl Sides {
    fn next(&mut self, decisions: &mut Decisions<'_>, (width, height): (usize, usize)) -> Vec<usize> {
        let (across, down) = (2 * width.div_ceil(16), 2 * height.div_ceil(16));
        let mut sides = vec![0; across * down];
        for (y, x) in (0..down).step_by(2).flat_map(|y| (0..across).step_by(2).map(move |x| (y, x))) {
            let context = |sides: &[usize], x: usize, y: usize| {
                let left = if x > 0 { sides[y * across + x - 1] } else { 3 };
                let above = if y > 0 { sides[(y - 1) * across + x] } else { 3 };
                4 * left + above
            };
            let units = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            let apart = decisions.bit(&mut self.splits[context(&sides, x, y)]);
            let mut whole = None;
            for (x, y) in units {
                let context = 16 * usize::from(apart) + context(&sides, x, y);
                sides[y * across + x] = whole.unwrap_or_else(|| {
                    if decisions.bit(&mut self.means[context]) {
                        2
                    } else {
                        usize::from(decisions.bit(&mut self.laters[context]))
                    }
                });
                if !apart {
                    whole = Some(sides[y * across + x]);
                }
            }
        }
        sides
    }
}

/// What fields are coded by.
struct Fields {
    size: (usize, usize),
    splits: [Bit; 3],
    as_expected: [Bit; 6],
    first: Vec<Distribution>,
    second: Vec<Distribution>,
    escapes: [[Bit; 16]; 2],
}

impl Fields {
    fn new(size: (usize, usize)) -> Self {
        let even = Distribution::of([2048; 16]);
        let (first, second) = (vec![even.clone(); 16], vec![even; 2]);
        Self { size, splits: [EVEN; 3], as_expected: [EVEN; 6], first, second, escapes: [[EVEN; 16]; 2] }
    }

    /// The next one, of which some units are used.
    fn next(&mut self, decisions: &mut Decisions<'_>, filter_bits: u32, used: &dyn Fn(usize) -> bool) -> Field {
        let Self { size: (width, height), splits, as_expected, first, second, escapes } = self;
        let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
        let filter = decisions.plain(filter_bits);
        let mut field = Field { filter, across: 2 * columns, vectors: vec![(0, 0); 4 * columns * rows] };
        // Whether a block fell apart, and how far it was from what was expected.
        let mut blocks = vec![(0, 0); columns * rows];
        for at in 0..columns * rows {
            let left = if at % columns > 0 { blocks[at - 1] } else { (0, 0) };
            let above = if at >= columns { blocks[at - columns] } else { (0, 0) };
            let (x, y) = (2 * (at % columns) as isize, 2 * (at / columns) as isize);
            let upper_left = y as usize * field.across + x as usize;
            let is_used = [0, 1, field.across, field.across + 1].iter().any(|to| used(upper_left + to));
            let split = is_used && decisions.bit(&mut splits[left.0 + above.0]);
            let units: &[(isize, isize)] = if split { &[(0, 0), (1, 0), (0, 1), (1, 1)] } else { &[(0, 0)] };
            let d = left.1 + above.1;
            for &(right, down) in units {
                let (x, y) = (x + right, y + down);
                let corner = match (split, right, down) {
                    (true, 1, 1) => None,
                    (true, ..) => field.at(x + 1, y - 1),
                    (false, ..) => field.at(x + 2, y - 1),
                };
                let around = [field.at(x - 1, y), field.at(x, y - 1), corner.or(field.at(x - 1, y - 1))];
                let [a, b, c] = around.map(Option::unwrap_or_default);
                let e = (middle(a.0, b.0, c.0), middle(a.1, b.1, c.1));
                let near = usize::from(d > 0) + usize::from(d > 8);
                let mut v = e;
                let codes = if split { used(y as usize * field.across + x as usize) } else { is_used };
                if codes && !decisions.bit(&mut as_expected[3 * usize::from(split) + near]) {
                    let near = near + usize::from(d > 40);
                    let mut part = |way: usize, e: i32| {
                        let first = &mut first[(2 * usize::from(split) + way) * 4 + near];
                        let symbol = decisions.symbol(first, &mut second[way]);
                        let difference =
                            if symbol == 15 { decisions.escape(&mut escapes[way]) } else { symbol as i32 - 7 };
                        i32::from((e + difference) as i16)
                    };
                    v = (part(0, e.0), part(1, e.1));
                }
                let unit = y as usize * field.across + x as usize;
                field.vectors[unit] = v;
                if !split {
                    [1, field.across, field.across + 1].iter().for_each(|next| field.vectors[unit + next] = v);
                }
                if codes {
                    blocks[at] = (usize::from(split), ((v.0 - e.0).abs() + (v.1 - e.1).abs()).min(65535));
                }
            }
        }
        field
    }
}

/// Section 7: what two references make of a plane.
fn mean_by_sides(step: &Step, first: (usize, usize), size: (usize, usize), made: &[Vec<u64>; 2]) -> Vec<u64> {
    let across = 2 * first.0.div_ceil(16);
    let (a, b) = (usize::from(size.0 != first.0), usize::from(size.1 != first.1));
    let sample = |(at, (p, q)): (usize, (&u64, &u64))| {
        let (x, y) = (at % size.0, at / size.0);
        match step.sides[(y << b) / 8 * across + (x << a) / 8] {
            0 => *p,
            1 => *q,
            _ => (p + q + 1) >> 1,
        }
    };
    made[0].iter().zip(&made[1]).enumerate().map(sample).collect()
}

/// Section 7.1: what is expected of a plane. `first` is the size of the first plane, `size` that of this one, of which
/// `earlier` is the frame before.
fn expected(field: &Field, is_first: bool, first: (usize, usize), size: (usize, usize), earlier: &[u64]) -> Vec<u64> {
    let (w, h) = (size.0 as i32, size.1 as i32);
    let s = |x: i32, y: i32| earlier[(y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) as usize] as i32;
    let a = i32::from(size.0 != first.0);
    let b = i32::from(size.1 != first.1);
    // The vectors of the block that a unit is in, and whether they differ.
    let of_block = |unit: usize| {
        let first = unit / field.across / 2 * 2 * field.across + unit % field.across / 2 * 2;
        [0, 1, field.across, field.across + 1].map(|to| field.vectors[first + to])
    };
    let falls_apart = |unit: usize| of_block(unit) != [of_block(unit)[0]; 4];
    let sample = |x: i32, y: i32| {
        let unit = ((y << b) / 8) as usize * field.across + ((x << a) / 8) as usize;
        let (vx, vy) = field.vectors[unit];
        match (field.filter, is_first) {
            (0, true) => s(x + (vx >> 2), y + (vy >> 2)),
            (3, true) => quarter(&s, x + (vx >> 2), y + (vy >> 2), (vx & 3, vy & 3)),
            (4..=10, true) => between(
                field.filter,
                true,
                (false, false),
                &s,
                (x + (vx >> 2), y + (vy >> 2)),
                (2 * (vx & 3), 2 * (vy & 3)),
            ),
            (12 | 13, true) => {
                let size = if falls_apart(unit) { 8 } else { 16 };
                let block = [x / size * size + (vx >> 2), y / size * size + (vy >> 2)];
                mpeg4(&s, block, size, [x % size, y % size], [vx & 3, vy & 3], field.filter - 12)
            }
            (0 | 3..=10, false) => {
                let (px, py) = ((vx << (1 - a)) & 7, (vy << (1 - b)) & 7);
                let (x, y) = (x + (vx >> (2 + a)), y + (vy >> (2 + b)));
                if field.filter > 3 {
                    let narrow = |halved: i32| falls_apart(unit) && halved == 1;
                    return between(field.filter, false, (narrow(a), narrow(b)), &s, (x, y), (px, py));
                }
                let sum = (8 - px) * (8 - py) * s(x, y)
                    + px * (8 - py) * s(x + 1, y)
                    + (8 - px) * py * s(x, y + 1)
                    + px * py * s(x + 1, y + 1);
                (sum + 32) >> 6
            }
            _ => {
                let halves = |v: i32, shared: i32| match (shared, field.filter) {
                    (1, 11) => (v >> 1) / 2,
                    (1, 12 | 13) => (v / 2) >> 1 | (v / 2) & 1,
                    (_, 12 | 13) => v / 2,
                    (1, _) => v >> 2 | v >> 1 & 1,
                    _ => v >> 1,
                };
                let (hx, hy) = if field.filter > 11 && (a, b) == (1, 1) && falls_apart(unit) {
                    let sum = |way: fn((i32, i32)) -> i32| of_block(unit).iter().map(|&v| halves(way(v), 0)).sum();
                    (of_four(sum(|(vx, _)| vx)), of_four(sum(|(_, vy)| vy)))
                } else {
                    (halves(vx, a), halves(vy, b))
                };
                let (x, y) = (x + (hx >> 1), y + (hy >> 1));
                let down = i32::from(matches!(field.filter, 2 | 13 | 15));
                match (hx & 1, hy & 1) {
                    (0, 0) => s(x, y),
                    (1, 0) => (s(x, y) + s(x + 1, y) + 1 - down) >> 1,
                    (0, _) => (s(x, y) + s(x, y + 1) + 1 - down) >> 1,
                    _ => (s(x, y) + s(x + 1, y) + s(x, y + 1) + s(x + 1, y + 1) + 2 - down) >> 2,
                }
            }
        }
    };
    (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| sample(x, y) as u64).collect()
}

/// Luma samples of H.264, 8.4.2.2.1.
fn quarter(s: &dyn Fn(i32, i32) -> i32, x: i32, y: i32, phase: (i32, i32)) -> i32 {
    let six = |of: &dyn Fn(i32) -> i32| of(-2) - 5 * of(-1) + 20 * of(0) + 20 * of(1) - 5 * of(2) + of(3);
    let across = |x: i32, y: i32| six(&|i| s(x + i, y));
    let b = |y: i32| ((across(x, y) + 16) >> 5).clamp(0, 255);
    let h = |x: i32| ((six(&|i| s(x, y + i)) + 16) >> 5).clamp(0, 255);
    let j = || ((six(&|i| across(x, y + i)) + 512) >> 10).clamp(0, 255);
    let mean = |a: i32, b: i32| (a + b + 1) >> 1;
    match phase {
        (0, 0) => s(x, y),
        (1, 0) => mean(s(x, y), b(y)),
        (2, 0) => b(y),
        (3, 0) => mean(b(y), s(x + 1, y)),
        (0, 1) => mean(s(x, y), h(x)),
        (0, 2) => h(x),
        (0, 3) => mean(h(x), s(x, y + 1)),
        (1, 1) => mean(b(y), h(x)),
        (3, 1) => mean(b(y), h(x + 1)),
        (1, 3) => mean(b(y + 1), h(x)),
        (3, 3) => mean(b(y + 1), h(x + 1)),
        (2, 1) => mean(b(y), j()),
        (2, 3) => mean(b(y + 1), j()),
        (1, 2) => mean(h(x), j()),
        (3, 2) => mean(h(x + 1), j()),
        _ => j(),
    }
}

//! Sections 4.5, 4.6 and 4.8.

use super::number;

/// The decisions.
pub struct Decisions<'a> {
    words: &'a [u8],
    at: usize,
    states: [u64; 2],
    count: usize,
}

impl<'a> Decisions<'a> {
    pub fn new(words: &'a [u8]) -> Self {
        Self { words, at: 0, states: [1 << 16; 2], count: 0 }
    }

    pub fn finish(self) {
        assert_eq!(self.states, [1 << 16; 2]);
        assert_eq!(self.at, self.words.len());
    }

    fn word(&mut self) -> u64 {
        if self.at < self.words.len() { number(self.words, &mut self.at, 2) } else { 0 }
    }

    /// `size_of` says where the choice that a number falls in starts, and its size.
    fn decide(&mut self, choice_of: impl FnOnce(u64) -> (u64, u64)) -> u64 {
        if self.count.is_multiple_of(65536) {
            assert_eq!(self.states, [1 << 16; 2]);
            for i in [1, 0] {
                self.states[i] = self.word() + 65536 * self.word();
                assert!(self.states[i] >= 1 << 16);
            }
        }
        let turn = self.count % 2;
        self.count += 1;
        let x = self.states[turn];
        let r = x % 32768;
        let (start, size) = choice_of(r);
        assert!(start <= r && r < start + size);
        self.states[turn] = size * (x >> 15) + r - start;
        if self.states[turn] < 1 << 16 {
            self.states[turn] = 65536 * self.states[turn] + self.word();
        }
        r
    }

    pub fn plain(&mut self, n: u32) -> i32 {
        let size = 1 << (15 - n);
        (self.decide(|r| (r / size * size, size)) / size) as i32
    }

    pub fn bit(&mut self, bit: &mut Bit) -> bool {
        let p = u64::from((bit.q + bit.s) >> 2).clamp(4, 32764);
        let one = self.decide(|r| if r < p { (0, p) } else { (p, 32768 - p) }) < p;
        if one {
            bit.q += (65535 - bit.q) >> 4;
            bit.s += (65535 - bit.s) >> 7;
        } else {
            bit.q -= bit.q >> 4;
            bit.s -= bit.s >> 7;
        }
        one
    }

    pub fn symbol(&mut self, first: &mut Distribution, second: &mut Distribution) -> usize {
        self.symbol_at([6, 5], first, second)
    }

    fn symbol_at(&mut self, rates: [i32; 2], first: &mut Distribution, second: &mut Distribution) -> usize {
        let end = |symbol: usize| -> u64 {
            if symbol == 15 {
                return 32768;
            }
            let m = (first.c[symbol] + second.c[symbol]) >> 1;
            (m - (m >> 10)) as u64 + 2 * (symbol as u64 + 1)
        };
        let start = |symbol: usize| if symbol == 0 { 0 } else { end(symbol - 1) };
        let mut found = 0;
        self.decide(|r| {
            found = (0..16).find(|&symbol| r < end(symbol)).expect("a symbol");
            (start(found), end(found) - start(found))
        });
        first.learn(found, rates[0]);
        second.learn(found, rates[1]);
        found
    }

    pub fn escape(&mut self, e: &mut [Bit; 16]) -> i32 {
        let negative = self.decide(|r| (r / 16384 * 16384, 16384)) < 16384;
        let mut n = 0;
        while n < 15 && self.bit(&mut e[n]) {
            n += 1;
        }
        let l = if n > 0 { self.plain(n as u32) } else { 0 };
        let value = 7 + (1 << n) + l;
        if negative { -value } else { value }
    }
}

#[derive(Clone, Copy)]
pub struct Bit {
    q: u32,
    s: u32,
}

pub const EVEN: Bit = Bit { q: 32768, s: 32768 };

#[derive(Clone)]
pub struct Distribution {
    c: [i32; 15],
    count: usize,
}

impl Distribution {
    pub fn of(sizes: [i32; 16]) -> Self {
        Self { c: std::array::from_fn(|i| sizes[..=i].iter().sum()), count: 0 }
    }

    fn learn(&mut self, symbol: usize, most: i32) {
        const RATES: [i32; 32] =
            [1, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7];
        let rate = RATES[self.count].min(most);
        for (i, c) in self.c.iter_mut().enumerate() {
            if i >= symbol {
                *c += (32768 - *c) >> rate;
            } else {
                *c -= *c >> rate;
            }
        }
        self.count = (self.count + 1).min(31);
    }
}

/// Numbers of a picture; 0 around it.
#[derive(Clone)]
struct Grid {
    width: usize,
    height: usize,
    cells: Vec<i32>,
}

impl Grid {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![0; width * height] }
    }

    fn index(&self, x: isize, y: isize) -> Option<usize> {
        let inside = (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y);
        inside.then(|| y as usize * self.width + x as usize)
    }

    fn get(&self, x: isize, y: isize) -> i32 {
        self.index(x, y).map_or(0, |at| self.cells[at])
    }

    fn set(&mut self, x: isize, y: isize, value: i32) {
        let at = self.index(x, y).expect("a place in the picture");
        self.cells[at] = value;
    }
}

/// Values of a picture, with what is around them.
#[derive(Clone)]
struct Values {
    grid: Grid,
    above: Vec<i32>,
}

impl Values {
    fn get(&self, x: isize, y: isize) -> i32 {
        let x = x.clamp(0, self.grid.width as isize - 1);
        if y < 0 { self.above[x as usize] } else { self.grid.get(x, y.min(self.grid.height as isize - 1)) }
    }
}

/// What later samples see of a picture.
#[derive(Clone)]
struct Traces {
    r: Grid,
    m: Grid,
    same: Grid,
}

impl Traces {
    fn new(width: usize, height: usize) -> Self {
        let grid = || Grid::new(width, height);
        Self { r: grid(), m: grid(), same: grid() }
    }

    fn size(&self) -> (usize, usize) {
        (self.r.width, self.r.height)
    }

    /// As a picture of this size sees them.
    fn at_size(&self, (width, height): (usize, usize)) -> Traces {
        let (w, h) = self.size();
        if (w, h) == (width, height) {
            return self.clone();
        }
        let mut joined = Traces::new(width, height);
        let fits = |own: usize, other: usize| own == other || own == other.div_ceil(2);
        if !fits(width, w) || !fits(height, h) {
            return joined;
        }
        let pair = |own: usize, other: usize, at: usize| -> [isize; 2] {
            if own == other { [at as isize; 2] } else { [2 * at as isize, 2 * at as isize + 1] }
        };
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let [left, right] = pair(width, w, x);
            let [up, down] = pair(height, h, y).map(|y| y.min(h as isize - 1));
            let of = |grid: &Grid| [(left, up), (right, up), (left, down), (right, down)].map(|(x, y)| grid.get(x, y));
            let (x, y) = (x as isize, y as isize);
            joined.r.set(x, y, of(&self.r).iter().sum::<i32>() >> 2);
            joined.m.set(x, y, (of(&self.m).iter().sum::<i32>() + 1) >> 1);
            joined.same.set(x, y, of(&self.same).iter().fold(1, |all, same| all & same));
        }
        joined
    }
}

type Weights = [i32; 32];

/// The picture of leaders of a plane.
struct Picture {
    depth: u32,
    phases: bool,
    first: bool,
    values: Values,
    before: Values,
    traces: Traces,
    traces_before: Traces,
    /// Errors of both predictions.
    errors: [Grid; 2],
    skipped: Grid,
    skipped_before: Grid,
    skip: [Bit; 32],
    spatial: Vec<Weights>,
    temporal: Vec<Weights>,
    same: Vec<Bit>,
    flat: Vec<Bit>,
    one: Vec<Distribution>,
    two: Vec<Distribution>,
    escape: [Bit; 16],
    low: Vec<Bit>,
    terraced: bool,
    rough: Vec<Distribution>,
    exact: Vec<Distribution>,
}

const SHARES: [i32; 41] = [
    0, 0, 1, 1, 1, 1, 2, 3, 4, 6, 8, 11, 15, 21, 28, 38, 51, 67, 85, 106, 128, 150, 171, 189, 205, 218, 228, 235, 241,
    245, 248, 250, 252, 253, 254, 255, 255, 255, 255, 256, 256,
];

fn log(v: i32) -> i32 {
    v.ilog2() as i32
}

fn o(v: i32) -> i32 {
    let u = 2 * v + 2;
    2 * log(u) + (u >> (log(u) - 1) & 1) - 2
}

fn f(v: i32) -> i32 {
    let u = v + 4;
    4 * log(u) + (u >> (log(u) - 2) & 3)
}

impl Picture {
    fn new(width: usize, height: usize, depth: u32, phases: bool, terraced: bool) -> Self {
        let grid = || Grid::new(width, height);
        let values = Values { grid: grid(), above: vec![0; width] };
        let blocks = Grid::new(width.div_ceil(8), height.div_ceil(8));
        let mut weights = [0; 32];
        (weights[0], weights[4], weights[5]) = (6144, -2048, 4096);
        let prior = Distribution::of([
            300, 500, 800, 1200, 1800, 2600, 4000, 8768, 4000, 2600, 1800, 1200, 1200, 900, 600, 500,
        ]);
        let terrace = Distribution::of([30, 40, 60, 100, 200, 500, 3000, 24878, 3000, 500, 200, 100, 60, 40, 30, 30]);
        Self {
            depth,
            phases,
            first: true,
            values: values.clone(),
            before: values,
            traces: Traces::new(width, height),
            traces_before: Traces::new(width, height),
            errors: [grid(), grid()],
            skipped: blocks.clone(),
            skipped_before: blocks,
            skip: [EVEN; 32],
            spatial: vec![weights; 4],
            temporal: vec![weights; 16],
            same: vec![EVEN; 64 * 8],
            flat: vec![EVEN; 4 * 4 * 8],
            one: vec![prior.clone(); 13 * 24 * 8],
            two: vec![prior; 81 * 4 * 16],
            escape: [EVEN; 16],
            low: vec![EVEN; 13 * 16],
            terraced,
            rough: vec![terrace.clone(); 3usize.pow(8)],
            exact: vec![terrace; 7usize.pow(5)],
        }
    }

    fn shift(&self) -> u32 {
        12 - self.depth.min(12)
    }

    /// The next frame.
    fn decode(&mut self, decisions: &mut Decisions<'_>, a: &Traces, b: &Traces) {
        let (width, height) = self.traces.size();
        for top in (0..height).step_by(8) {
            for block in 0..width.div_ceil(8) {
                self.block(decisions, block as isize, top as isize / 8);
            }
            for y in top..height.min(top + 8) {
                for x in 0..width {
                    let (x, y) = (x as isize, y as isize);
                    if self.skipped.get(x / 8, y / 8) == 1 {
                        self.known(x, y, self.before.get(x, y), 1);
                    } else if self.terraced {
                        let value = self.terraced_sample(decisions, x, y);
                        self.known(x, y, value, 0);
                    } else {
                        self.sample(decisions, a, b, x, y);
                    }
                }
            }
        }
    }

    fn advance(&mut self) {
        let above = self.values.grid.cells[..self.values.grid.width].to_vec();
        self.before = self.values.clone();
        self.values.above = above;
        self.traces_before = self.traces.clone();
        self.skipped_before = self.skipped.clone();
        self.first = false;
    }

    fn block(&mut self, decisions: &mut Decisions<'_>, x: isize, y: isize) {
        let (now, before) = (&self.skipped, &self.skipped_before);
        let context = now.get(x - 1, y)
            | now.get(x, y - 1) << 1
            | now.get(x + 1, y - 1) << 2
            | before.get(x, y) << 3
            | before.get(x + 1, y) << 4;
        let skip = !self.first && decisions.bit(&mut self.skip[context as usize]);
        self.skipped.set(x, y, i32::from(skip));
    }

    /// A sample without residual.
    fn known(&mut self, x: isize, y: isize, value: i32, same: i32) {
        self.values.grid.set(x, y, value);
        self.traces.r.set(x, y, 0);
        self.traces.m.set(x, y, 0);
        self.traces.same.set(x, y, same);
        self.errors.iter_mut().for_each(|errors| errors.set(x, y, 0));
    }

    fn terraced_sample(&mut self, decisions: &mut Decisions<'_>, x: isize, y: isize) -> i32 {
        let v = |dx: isize, dy: isize| match (x + dx, dy) {
            (..0, 0) => self.values.get(0, y - 1),
            _ => self.values.get(x + dx, y + dy),
        };
        let (w, n, nw, ne) = (v(-1, 0), v(0, -1), v(-1, -1), v(1, -1));
        let p = if self.first { n } else { self.before.get(x, y) };
        let b = (w + n - nw).clamp(w.min(n), w.max(n));
        let shift = self.shift();
        let i = [v(2, -1), v(-2, -1), v(-1, -2), v(1, -2), v(-3, 0), n, w, p]
            .iter()
            .fold(0, |i, v| 3 * i + 1 + (v - b).signum());
        let j = [w, v(-2, 0), n, ne, p].iter().fold(0, |j, v| 7 * j + 3 + ((v - b) >> shift).clamp(-3, 3));
        let symbol = decisions.symbol(&mut self.rough[i as usize], &mut self.exact[j as usize]);
        let d = if symbol == 15 { decisions.escape(&mut self.escape) } else { symbol as i32 - 7 };
        let half = 1 << (self.depth - 1);
        (((b >> shift) + d + half).rem_euclid(2 * half) - half) << shift
    }

    fn sample(&mut self, decisions: &mut Decisions<'_>, a: &Traces, b: &Traces, x: isize, y: isize) {
        let first = self.first;
        // Values around: those to the left of the row are the N of its first sample.
        let v = |dx: isize, dy: isize| match (x + dx, dy) {
            (..0, 0) => self.values.get(0, y - 1),
            _ => self.values.get(x + dx, y + dy),
        };
        let p = |dx: isize, dy: isize| self.before.get(x + dx, y + dy);
        let (w, n, nw, ne) = (v(-1, 0), v(0, -1), v(-1, -1), v(1, -1));

        // 1
        let m = |dx: isize, dy: isize| self.traces.m.get(x + dx, y + dy);
        let mp = |dx: isize, dy: isize| self.traces_before.m.get(x + dx, y + dy);
        let e = 2 * m(-1, 0) + m(-2, 0) + 2 * m(0, -1) + m(-1, -1) + m(1, -1) + m(0, -2);
        let t = 2 * mp(0, 0) + mp(1, 0) + mp(0, 1);
        let cross = 2 * a.m.get(x, y) + a.m.get(x - 1, y) + a.m.get(x + 1, y) + 2 * b.m.get(x, y);

        // 2
        let same = |dx: isize, dy: isize| self.traces.same.get(x + dx, y + dy);
        let (same_a, same_b) = (a.same.get(x, y), b.same.get(x, y));
        let votes = same(-1, 0) + same(0, -1) + same(-1, -1) + same(1, -1) + (same_a | same_b);
        if !first && votes >= 4 {
            let context = same(-1, 0)
                | same(0, -1) << 1
                | same(-1, -1) << 2
                | same(1, -1) << 3
                | same_a << 4
                | self.traces_before.same.get(x, y) << 5;
            let value = p(0, 0);
            if decisions.bit(&mut self.same[(8 * context + o(e).min(7)) as usize]) {
                return self.known(x, y, value, 1);
            }
        }

        // 3
        if w == n && n == nw && nw == ne && e < 8 {
            let still = !first && p(0, 0) == n;
            let context = 4 * (4 * o(cross).min(7) + (e + 2) / 3) + 2 * i32::from(still) + i32::from(p(1, 0) == n);
            if decisions.bit(&mut self.flat[context as usize]) {
                return self.known(x, y, n, i32::from(still));
            }
        }

        // 4
        let mut taps: Vec<i32> = Vec::new();
        taps.extend([v(-1, 0), v(-2, 0), v(-3, 0), v(-4, 0)].map(|v| v - n));
        taps.extend([-1, 0, 1, 2].map(|dx| v(dx, -1) - n));
        taps.extend([-1, 0, 1, 2].map(|dx| v(dx, -2) - n));
        taps.extend([-1, 0, 1, 2].map(|dx| a.r.get(x + dx, y)));
        taps.extend([-1, 0, 1, 2].map(|dx| b.r.get(x + dx, y)));
        for dy in [0, 1, -1] {
            taps.extend([-1, 0, 1, 2].map(|dx| if first { 0 } else { p(dx, dy) - n }));
        }
        let taps: [i32; 32] = std::array::from_fn(|i| taps[i].clamp(-8190, 8190));

        // 5
        let (pw, pn) = (p(-1, 0), p(0, -1));
        let set = if first {
            0
        } else {
            let (t, s) = ((w - pw).abs() + (n - pn).abs(), (w - nw).abs() + (n - nw).abs());
            1 + usize::from(2 * t > s) + usize::from(t > 2 * s)
        };
        let phase = if self.phases { (x & 1 | (y & 1) << 1) as usize } else { 0 };
        let predict = |weights: &[i32]| {
            n + (taps.iter().zip(weights).fold(0i32, |sum, (tap, weight)| sum.wrapping_add(tap * weight)) >> 13)
        };

        // 6, 7
        let p_s = predict(&self.spatial[phase][..16]);
        let p_t = predict(&self.temporal[4 * set + phase]);
        let of = |errors: &Grid| {
            let e = |dx: isize, dy: isize| errors.get(x + dx, y + dy);
            f(2 * e(-1, 0) + e(-2, 0) + 2 * e(0, -1) + e(-1, -1) + e(1, -1))
        };
        let d = (of(&self.errors[0]) - of(&self.errors[1])).clamp(-20, 20);
        let share = SHARES[(d + 20) as usize];
        let (shift, half) = (self.shift(), 1i32 << (self.depth - 1));
        let exact = (p_s + (((p_t - p_s) * share + 128) >> 8)).clamp(-half << shift, (half - 1) << shift);
        let h = (1i32 << shift) >> 1;
        let q = ((exact + h) >> shift).min(half - 1);
        let fraction = if shift < 2 { 0 } else { exact >> (shift - 2) & 3 };

        // 8, 9
        let level = (e + e.max(t).max(cross)) >> 1;
        let k = (log(level | 1) - 3).clamp(0, 12);
        let g = (w + n - nw).clamp(w.min(n), w.max(n));
        let trend = if first { (n + ne) >> 1 } else { p(0, 0) + ((w - pw + n - pn) >> 1) };
        let off = |v: i32| (((v + h) >> shift) - q).clamp(-4, 4);

        // 10, 11
        let one = (24 * k + o(e).min(23)) * 8 + (o(cross) >> 1).min(7);
        let two = ((9 * (off(g) + 4) + off(trend) + 4) * 4 + fraction) * 16 + (o(level) >> 1).min(15);
        let symbol = decisions.symbol(&mut self.one[one as usize], &mut self.two[two as usize]);
        let bucket = if symbol == 15 { decisions.escape(&mut self.escape) } else { symbol as i32 - 7 };
        let mut r = bucket << k;
        if k > 0 {
            r += i32::from(decisions.bit(&mut self.low[16 * k as usize + symbol])) << (k - 1);
        }
        if k > 1 {
            r += decisions.plain(k as u32 - 1);
        }

        // 12
        let value = ((r + q + half).rem_euclid(2 * half) - half) << shift;
        let error = |p: i32| (value - p).clamp(-8190, 8190);
        let same = i32::from(!first && value == p(0, 0));
        self.values.grid.set(x, y, value);
        self.traces.r.set(x, y, error(exact));
        self.traces.m.set(x, y, r.abs().min(4095));
        self.traces.same.set(x, y, same);
        self.errors[0].set(x, y, error(p_s).abs());
        self.errors[1].set(x, y, error(p_t).abs());

        // 13
        let learn = |weights: &mut [i32], error: i32| {
            let taps = &taps[..weights.len()];
            let energy: i32 = taps.iter().map(|tap| tap * tap).sum();
            let z = ((i64::from(error) << 21) >> log(energy | 256)).clamp(-32767, 32767) as i32;
            for (weight, tap) in weights.iter_mut().zip(taps) {
                *weight = (*weight + ((tap * z + (1 << 14)) >> 15)).clamp(-32768, 32767);
            }
        };
        learn(&mut self.spatial[phase][..16], error(p_s));
        learn(&mut self.temporal[4 * set + phase], error(p_t));
    }
}

/// A plane of a strip.
struct Plane {
    width: usize,
    height: usize,
    /// A and B.
    cell: (u32, u32),
    centred: bool,
    picture: Picture,
    states: Grid,
    states_before: Grid,
    uneven: [Bit; 27],
    again: [Bit; 27],
    one: Vec<Distribution>,
    two: Vec<Distribution>,
    escape: [Bit; 16],
    samples: Vec<i32>,
}

impl Plane {
    fn new((width, height): (usize, usize), form: u64, depth: u32, phases: bool) -> Self {
        assert!(form < 16);
        let cell = ((form & 1) as u32, (form >> 1 & 1) as u32);
        let (cw, ch) = (width.div_ceil(1 << cell.0), height.div_ceil(1 << cell.1));
        let states = Grid::new(cw.div_ceil(8), ch.div_ceil(8));
        let even = Distribution::of([2048; 16]);
        Self {
            width,
            height,
            cell,
            centred: form >> 2 & 1 == 1,
            picture: Picture::new(cw, ch, depth, phases, form >> 3 == 1),
            states: states.clone(),
            states_before: states,
            uneven: [EVEN; 27],
            again: [EVEN; 27],
            one: vec![even.clone(); 15 * 16],
            two: vec![even; 16],
            escape: [EVEN; 16],
            samples: vec![0; width * height],
        }
    }

    fn decode(&mut self, decisions: &mut Decisions<'_>, done: &[Plane]) {
        let size = self.picture.traces.size();
        let of = |back: usize| {
            let other = done.len().checked_sub(back).map(|at| done[at].picture.traces.at_size(size));
            other.unwrap_or_else(|| Traces::new(size.0, size.1))
        };
        let first = self.picture.first;
        self.picture.decode(decisions, &of(1), &of(2));
        let before = self.samples.clone();
        let (across, down) = self.cell;
        let picture = &self.picture;
        let half = 1 << (picture.depth - 1);
        let leader = |x: usize, y: usize| {
            (picture.values.grid.get((x >> across) as isize, (y >> down) as isize) >> picture.shift()) + half
        };
        for (y, x) in places(0..self.width, 0..self.height) {
            self.samples[y * self.width + x] = leader(x, y);
        }
        if self.cell != (0, 0) {
            let guide = done.first().filter(|guide| (guide.width, guide.height) == (self.width, self.height));
            self.states_before = self.states.clone();
            for by in 0..self.states.height {
                for bx in 0..self.states.width {
                    self.cells(decisions, guide, &before, first, bx, by);
                }
            }
        }
    }

    /// A block of cells.
    fn cells(
        &mut self,
        decisions: &mut Decisions<'_>,
        guide: Option<&Plane>,
        before: &[i32],
        first: bool,
        bx: usize,
        by: usize,
    ) {
        let (across, down) = self.cell;
        let columns = (bx * 8) << across..self.width.min(((bx + 1) * 8) << across);
        let rows = (by * 8) << down..self.height.min(((by + 1) * 8) << down);
        let (bx, by) = (bx as isize, by as isize);
        let context =
            self.states.get(bx - 1, by) + 3 * self.states.get(bx, by - 1) + 9 * self.states_before.get(bx, by);
        self.states.set(bx, by, 0);
        if !decisions.bit(&mut self.uneven[context as usize]) {
            return;
        }
        if !first && decisions.bit(&mut self.again[context as usize]) {
            self.states.set(bx, by, 2);
            for (y, x) in places(columns, rows) {
                self.samples[y * self.width + x] = before[y * self.width + x];
            }
            return;
        }
        self.states.set(bx, by, 1);
        let half = 1 << (self.picture.depth - 1);
        let mut above = vec![0; self.width];
        for y in rows {
            let mut left = 0;
            for x in columns.clone() {
                let at = y * self.width + x;
                let leader = (y >> down << down) * self.width + (x >> across << across);
                if at == leader {
                    continue;
                }
                let g = guide.map_or(0, |guide| {
                    let difference: i32 = guide.samples[leader] - guide.samples[at];
                    ((difference + half).rem_euclid(2 * half) - half).clamp(-7, 7)
                });
                let c = left + 4 * above[x];
                let symbol = decisions.symbol(&mut self.one[(16 * (g + 7)) as usize + c], &mut self.two[c]);
                let difference = if symbol == 15 { decisions.escape(&mut self.escape) } else { symbol as i32 - 7 };
                self.samples[at] = (self.samples[leader] + difference).rem_euclid(2 * half);
                left = left / 2 + if difference != 0 { 2 } else { 0 };
                above[x] = above[x] / 2 + if difference != 0 { 2 } else { 0 };
            }
        }
    }
}

/// Places of a part of a picture, row by row: y, then x.
fn places(columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    rows.flat_map(move |y| columns.clone().map(move |x| (y, x)))
}

/// A strip on its way.
pub struct Strip<'a> {
    depth: u32,
    planes: Vec<Plane>,
    decisions: Decisions<'a>,
}

impl<'a> Strip<'a> {
    pub fn new(strip: &'a [u8], sizes: &[(usize, usize)], most_bits: usize) -> Self {
        let mut at = 0;
        let head = number(strip, &mut at, 1);
        let depth = (head & 127) as u32;
        assert!((1..=most_bits).contains(&(depth as usize)));
        let planes =
            sizes.iter().map(|&size| Plane::new(size, number(strip, &mut at, 1), depth, head >> 7 == 1)).collect();
        Self { depth, planes, decisions: Decisions::new(&strip[at..]) }
    }

    /// For each plane, in the order of the sizes, the samples of the next frame. Where something is expected, it is
    /// there for each plane.
    pub fn frame(&mut self, expected: Option<&[Vec<u64>]>) -> Vec<Vec<u64>> {
        let centre = 1 << (self.depth - 1);
        for (plane, expected) in self.planes.iter_mut().zip(expected.into_iter().flatten()) {
            let (across, down) = plane.cell;
            let values = &mut plane.picture.before.grid;
            let shift = 12 - self.depth.min(12);
            for (y, x) in places(0..values.width, 0..values.height) {
                let sample = expected[(y << down) * plane.width + (x << across)];
                let sample = if plane.centred { sample ^ centre } else { sample };
                values.cells[y * values.width + x] = (sample as i32 - centre as i32) << shift;
            }
        }
        let mut decoded = Vec::new();
        for index in 0..self.planes.len() {
            let (done, rest) = self.planes.split_at_mut(index);
            rest[0].decode(&mut self.decisions, done);
            let centre = if rest[0].centred { centre } else { 0 };
            decoded.push(rest[0].samples.iter().map(|&sample| sample as u64 ^ centre).collect());
        }
        self.planes.iter_mut().for_each(|plane| plane.picture.advance());
        decoded
    }

    pub fn finish(self) {
        self.decisions.finish();
    }
}

/// For each plane, in the order of `sizes`, the samples of all frames.
pub fn decode(strip: &[u8], frames: usize, sizes: &[(usize, usize)], most_bits: usize) -> Vec<Vec<u64>> {
    let mut strip = Strip::new(strip, sizes, most_bits);
    let mut decoded = vec![Vec::new(); sizes.len()];
    for _ in 0..frames {
        decoded.iter_mut().zip(strip.frame(None)).for_each(|(decoded, samples)| decoded.extend(samples));
    }
    strip.finish();
    decoded
}

/// Section 4.6.
pub fn decode_bytes(block: &[u8], length: usize, width: usize, picture: usize) -> Vec<u8> {
    let values: Vec<u8> = (0..=255).filter(|&value| block[usize::from(value) / 8] >> (value % 8) & 1 == 1).collect();
    let mut decisions = Decisions::new(&block[32..]);
    let (d, f) = (width.max(2), picture.max(2));
    let single = values.len() <= 16;
    let z = |v: usize| v.div_ceil(if single { 2 } else { 32 }).min(8);
    let set = |count| vec![Distribution::of([2048; 16]); count];
    let (mut first, mut second, mut third, mut fourth) = (set(4 * 729), set(64 * 32), set(16 * 81), set(16));
    let mut ranks: Vec<usize> = Vec::new();
    for i in 0..length {
        let v = |back: usize| i.checked_sub(back).map_or(0, |at| ranks[at]);
        let [w, n, nw, ne, p, q] = [1, d, d + 1, d - 1, f, f - 1].map(v);
        let near = 9 * z(w) + z(n);
        let sizes = ((9 * near + z(p)) * 2 + usize::from(nw > 0)) * 2 + usize::from(ne > 0);
        let sums = 32 * ((2 * w + 2 * n + nw + ne) / 2).min(63) + ((2 * p + q) / 2).min(31);
        let s = decisions.symbol_at([6, 7], &mut first[sizes], &mut second[sums]);
        let rank =
            if single { s } else { 16 * s + decisions.symbol_at([6, 7], &mut third[16 * near + s], &mut fourth[s]) };
        ranks.push(rank);
    }
    decisions.finish();
    ranks.into_iter().map(|rank| values[rank]).collect()
}

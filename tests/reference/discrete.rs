//! Section 4.4.

use std::ops::Range;

use super::ans::Code;
use super::number;

#[derive(Clone, Copy)]
struct Counter {
    p: u32,
    n: u32,
}

impl Default for Counter {
    fn default() -> Self {
        Self { p: 1 << 21, n: 0 }
    }
}

impl Counter {
    fn read(&mut self, code: &mut Code<'_>) -> usize {
        let bit = code.bit(self.p / 64);
        self.learn(bit, (1 << 22) - 1, 127);
        bit as usize
    }

    fn learn(&mut self, bit: u32, most: u32, most_n: u32) {
        let s = u64::from(131_072 / (2 * self.n + 3));
        let part = |p: u32| (u64::from(p) * s / 65536) as u32;
        if bit == 1 {
            self.p += part(most - self.p);
        } else {
            self.p -= part(self.p);
        }
        self.n = (self.n + 1).min(most_n);
    }
}

fn tree(code: &mut Code<'_>, counters: &mut [Counter], k: u32) -> usize {
    let mut i = 1;
    for _ in 0..k {
        i = 2 * i + counters[i].read(code);
    }
    i - (1 << k)
}

fn bits_of(v: usize) -> usize {
    (usize::BITS - v.leading_zeros()) as usize
}

const K: u64 = 0xD6E8_FEB8_6659_FD93;

fn part(v: u64, i: u32) -> u64 {
    let next = |k: u64| k.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let weight = (0..=i).fold(K, |k, _| next(k)) | 1;
    (v ^ v >> 29).wrapping_add(1).wrapping_mul(weight)
}

fn finish(s: u64) -> u64 {
    let g = (s ^ s >> 32).wrapping_mul(K);
    g ^ g >> 32
}

fn sum(parts: &[(u64, u32)]) -> u64 {
    parts.iter().fold(0, |sum, &(v, i)| sum.wrapping_add(part(v, i)))
}

/// What a place of the table of patterns holds.
#[derive(Clone)]
struct Expected {
    value: u64,
    check: u64,
    reliable: Counter,
}

const UNTRIED: Counter = Counter { p: 2048, n: 0 };

/// Counters and memories of a band.
struct Memory {
    a: Vec<Counter>,
    b: Vec<Counter>,
    c: Vec<Counter>,
    d: Vec<Counter>,
    h: Vec<Counter>,
    s: Vec<Counter>,
    t: Vec<Counter>,
    f: Vec<Counter>,
    g: Vec<Counter>,
    in_palette: Counter,
    places: Vec<Counter>,
    bytes: Vec<Counter>,
    expected: Vec<Expected>,
    /// Values and scores.
    recent: [Vec<(u64, usize)>; 2],
    palette: [u64; 256],
    patterns: bool,
    table_bits: usize,
}

/// A picture, row by row.
type Picture = Vec<u64>;

struct Band<'a> {
    code: Code<'a>,
    /// The bytes of plain units.
    units: Option<std::vec::IntoIter<u8>>,
    memory: Memory,
    width: usize,
    rows: Range<usize>,
    unit_bytes: usize,
}

/// The raw frames.
pub fn decode(block: &[u8], frames: usize, (width, height): (usize, usize), unit_bytes: usize) -> Vec<u8> {
    let mut at = 0;
    let count = number(block, &mut at, 1) as usize;
    let coding = number(block, &mut at, 1);
    assert!((1..=16).contains(&count) && coding <= if unit_bytes > 4 && coding == 1 { 0 } else { 2 });
    let lengths: Vec<_> = (0..count).map(|_| number(block, &mut at, 4) as usize).collect();
    let rows = 16 * height.div_ceil(16).div_ceil(count);
    let mut bands = Vec::new();
    for (b, length) in lengths.into_iter().enumerate() {
        let rows = b * rows..height.min((b + 1) * rows);
        assert!(!rows.is_empty());
        let (mut code, mut units) = (&block[at..at + length], None);
        at += length;
        if coding == 2 {
            let mut start = 0;
            let [decisions, bytes] = [0; 2].map(|_| number(code, &mut start, 4) as usize);
            let packed = &code[start + decisions..];
            let plain = zstd::bulk::decompress(packed, bytes).expect("a Zstandard frame");
            assert_eq!(plain.len(), bytes);
            (code, units) = (&code[start..start + decisions], Some(plain.into_iter()));
        }
        let memory = Memory::new(width * rows.len(), coding == 1);
        bands.push(Band { code: Code::new(code), units, memory, width, rows, unit_bytes });
    }
    assert_eq!(at, block.len());
    assert_eq!(bands[count - 1].rows.end, height);

    let mut before: Option<Picture> = None;
    let mut raw = Vec::new();
    for _ in 0..frames {
        let mut picture = vec![0; width * height];
        bands.iter_mut().for_each(|band| band.frame(&mut picture, before.as_ref()));
        raw.extend(picture.iter().flat_map(|unit| unit.to_le_bytes()[..unit_bytes].to_vec()));
        before = Some(picture);
    }
    assert!(bands.iter().all(|band| band.code.past == 3));
    assert!(bands.iter_mut().all(|band| band.units.as_mut().is_none_or(|units| units.next().is_none())));
    raw
}

impl Memory {
    fn new(units: usize, patterns: bool) -> Self {
        let counters = |count| vec![Counter::default(); count];
        let table_bits = (bits_of(units) - 1).clamp(8, 18);
        let recent = vec![(0, 0); 1 << table_bits.min(16)];
        Self {
            a: counters(16 * 16 * 16),
            b: counters(16 * 16 * 16),
            c: counters(16 * 16),
            d: counters(2 * 16),
            h: counters(16 * 16),
            s: counters(128 * 8),
            t: counters(2 * 4096),
            f: counters(6 * 16 * 2 * 4),
            g: counters(2 * 16),
            in_palette: Counter::default(),
            places: counters(256 * 256),
            bytes: counters(8 * 256),
            expected: vec![Expected { value: 0, check: 0, reliable: UNTRIED }; 1 << table_bits],
            recent: [recent.clone(), recent],
            palette: [0; 256],
            patterns,
            table_bits,
        }
    }
}

/// A unit's neighbours.
struct Around {
    w: u64,
    ww: u64,
    www: u64,
    n: u64,
    nw: u64,
    nww: u64,
    ne: u64,
    nee: u64,
    nn: u64,
    nnw: u64,
    nne: u64,
    /// R, RE, RW, RS, RN; not in the first frame.
    reference: Option<[u64; 5]>,
}

impl Band<'_> {
    fn frame(&mut self, picture: &mut Picture, before: Option<&Picture>) {
        let width = self.width;
        let height = picture.len() / width;
        let mut vectors = vec![(0, 0)];
        if before.is_some() {
            for _ in 0..self.code.plain(3) {
                let mut component = || self.code.plain(16) as u16 as i16 as isize;
                vectors.push((component(), component()));
            }
        }
        let columns = width.div_ceil(16);
        let mut above = vec![0; columns + 1];
        for top in self.rows.clone().step_by(16) {
            let bottom = self.rows.end.min(top + 16);
            let mut symbols = vec![0; columns + 1];
            for column in 0..columns {
                let w = if column == 0 { 0 } else { symbols[column - 1] };
                symbols[column] = if before.is_some() { self.symbol(w, above[column], above[column + 1]) } else { 1 };
            }
            // The first unit of a block's source.
            let source = |column: usize| -> (usize, usize) {
                let (dx, dy) = vectors[symbols[column] / 2];
                let x = (16 * column).checked_add_signed(dx).expect("a source in the picture");
                let y = top.checked_add_signed(dy).expect("a source in the picture");
                assert!(x + (width - 16 * column).min(16) <= width && y + (bottom - top) <= height);
                (x, y)
            };
            let coded = |column: usize| column < columns && symbols[column] % 2 == 1;
            if let Some(before) = before {
                for column in 0..columns {
                    let (from_x, from_y) = source(column);
                    if !coded(column) {
                        for (y, x) in
                            (top..bottom).flat_map(|y| (16 * column..width.min(16 * column + 16)).map(move |x| (y, x)))
                        {
                            picture[y * width + x] = before[(from_y + y - top) * width + from_x + x - 16 * column];
                        }
                    }
                }
            }
            if let Some(units) = &mut self.units {
                for (y, x) in
                    (top..bottom).flat_map(|y| (0..width).map(move |x| (y, x))).filter(|&(_, x)| coded(x / 16))
                {
                    let byte = |b: usize| u64::from(units.next().expect("a unit")) << (8 * b);
                    picture[y * width + x] = (0..self.unit_bytes).map(byte).sum();
                }
                above = symbols;
                continue;
            }
            let mut column = 0;
            while column < columns {
                if !coded(column) {
                    column += 1;
                    continue;
                }
                let first = column;
                while coded(column) && column < first + 64 {
                    column += 1;
                }
                let window = Window {
                    columns: 16 * first..width.min(16 * column),
                    rows: top..bottom,
                    cut: coded(column),
                    band: self.rows.clone(),
                    width,
                };
                let reference = before.map(|before| {
                    move |x: isize, y: isize| {
                        let nearest = x.clamp(16 * first as isize, window_end(width, column) as isize - 1);
                        let block = nearest as usize / 16;
                        let (from_x, from_y) = source(block);
                        let x = (from_x as isize + x - 16 * block as isize).clamp(0, width as isize - 1);
                        let y = (from_y as isize + y - top as isize).clamp(0, height as isize - 1);
                        before[y as usize * width + x as usize]
                    }
                });
                for y in top..bottom {
                    match &reference {
                        Some(reference) => self.row(picture, &window, y, Some(reference)),
                        None => self.row(picture, &window, y, None),
                    }
                }
            }
            above = symbols;
        }
    }

    fn symbol(&mut self, w: usize, n: usize, e: usize) -> usize {
        let Self { code, memory, .. } = self;
        let context = (16 * w + n) * 16 + e;
        if memory.a[context].read(code) == 1 {
            w
        } else if n != w && memory.b[context].read(code) == 1 {
            n
        } else {
            tree(code, &mut memory.c[16 * w..][..16], 4)
        }
    }

    /// A row of a window.
    fn row(
        &mut self,
        picture: &mut Picture,
        window: &Window,
        y: usize,
        reference: Option<&dyn Fn(isize, isize) -> u64>,
    ) {
        let f = usize::from(reference.is_some());
        let (mut x, row) = (window.columns.start as isize, y as isize);
        let end = window.columns.end as isize;
        while x < end {
            let at = |dx: isize, dy: isize| window.unit(picture, x + dx, row + dy);
            let w = at(-1, 0);
            let around = Around {
                w,
                ww: at(-2, 0),
                www: at(-3, 0),
                n: at(0, -1),
                nw: at(-1, -1),
                nww: at(-2, -1),
                ne: at(1, -1),
                nee: at(2, -1),
                nn: at(0, -2),
                nnw: at(-1, -2),
                nne: at(1, -2),
                reference: reference.map(|r| [r(x, row), r(x + 1, row), r(x - 1, row), r(x, row + 1), r(x, row - 1)]),
            };
            let template = around.template();
            let to = y * window.width;
            if template != 4095 {
                picture[to + x as usize] = self.unit(&around, template);
                x += 1;
                continue;
            }
            let flat = |i: isize| {
                at(2 + i, -1) == w
                    && at(i, -2) == w
                    && reference
                        .is_none_or(|r| r(x + 1 + i, row) == w && r(x + i, row - 1) == w && r(x + i, row + 1) == w)
            };
            let m = (0..(end - x).min(4096)).take_while(|&i| flat(i)).count();
            let (code, memory) = (&mut self.code, &mut self.memory);
            let whole = memory.d[16 * f + bits_of(m)].read(code) == 1;
            let (mut i, mut k) = (0, m);
            while !whole && k > 1 {
                if memory.h[16 * bits_of(m) + bits_of(k)].read(code) == 1 {
                    k /= 2;
                } else {
                    i += k / 2;
                    k -= k / 2;
                }
            }
            let run = if whole { m } else { i };
            picture[to + x as usize..][..run].fill(w);
            x += run as isize;
            if !whole {
                picture[to + x as usize] = self.other(&around, vec![w]);
                x += 1;
            }
        }
    }

    /// Patterns.
    fn unit(&mut self, around: &Around, template: usize) -> u64 {
        if !self.memory.patterns {
            return self.by_template(around, template, Vec::new());
        }
        let a = around;
        let pattern = finish(sum(&[
            (a.www, 0),
            (a.ww, 1),
            (a.w, 2),
            (a.nww, 3),
            (a.nw, 4),
            (a.n, 5),
            (a.ne, 6),
            (a.nee, 7),
            (a.nnw, 8),
            (a.nn, 9),
            (a.nne, 10),
        ]));
        let place = (pattern >> (64 - self.memory.table_bits)) as usize;
        let check = pattern & 0xFFFF | 1;
        let Expected { value, check: found, reliable } = self.memory.expected[place].clone();
        let mut excluded = Vec::new();
        if found == check {
            let is_reference = a.reference.is_some_and(|reference| reference[0] == value);
            let agreement = usize::from(value == a.w) + 2 * usize::from(is_reference) + 4 * usize::from(value == a.n);
            let context = (16 * reliable.n.min(7) + reliable.p / 256) as usize * 8 + agreement;
            let bit = self.memory.s[context].read(&mut self.code);
            self.memory.expected[place].reliable.learn(bit as u32, 4095, 15);
            if bit == 1 {
                return value;
            }
            excluded.push(value);
        }
        let unit = self.by_template(a, template, excluded);
        let expected = &mut self.memory.expected[place];
        if found != check || expected.reliable.p < 2500 {
            *expected = Expected { value: unit, check, reliable: UNTRIED };
        }
        unit
    }

    fn by_template(&mut self, around: &Around, template: usize, mut excluded: Vec<u64>) -> u64 {
        let f = usize::from(around.reference.is_some());
        if !excluded.contains(&around.w) {
            if self.memory.t[4096 * f + template].read(&mut self.code) == 1 {
                return around.w;
            }
            excluded.push(around.w);
        }
        self.other(around, excluded)
    }

    fn other(&mut self, around: &Around, mut excluded: Vec<u64>) -> u64 {
        let Self { code, memory, .. } = self;
        let a = around;
        let r = a.reference.map(|reference| reference[0]);
        let re = a.reference.map(|reference| reference[1]);
        for (j, c) in [Some(a.n), r, Some(a.ne), Some(a.nw), Some(a.ww), re].into_iter().enumerate() {
            let Some(c) = c.filter(|c| !excluded.contains(c)) else { continue };
            let d = usize::from(c == a.ne) + 2 * usize::from(r == Some(c));
            let context = ((16 * j + excluded.len()) * 2 + usize::from(a.n == a.nw)) * 4 + d;
            if memory.f[context].read(code) == 1 {
                return c;
            }
            excluded.push(c);
        }

        let small = [(a.w, 0), (a.n, 1), (a.nw, 2), (a.ne, 3)];
        let bits = memory.table_bits.min(16);
        let places = [4, 2].map(|count| (finish(sum(&small[..count])) >> (64 - bits)) as usize);
        let mut due = Vec::new();
        let mut unit = None;
        for (j, place) in places.into_iter().enumerate() {
            let (value, score) = memory.recent[j][place];
            if score == 0 {
                due.push(j);
            } else if !excluded.contains(&value) {
                let score = if memory.g[16 * j + score].read(code) == 1 {
                    unit = Some(value);
                    (score + 1).min(15)
                } else {
                    excluded.push(value);
                    if score / 2 == 0 {
                        due.push(j);
                    }
                    score / 2
                };
                memory.recent[j][place].1 = score;
                if unit.is_some() {
                    break;
                }
            }
        }

        let palette_place = |v: u64| (v.wrapping_mul(K) >> 56) as usize;
        let unit = unit.unwrap_or_else(|| {
            if memory.in_palette.read(code) == 1 {
                return memory.palette[tree(code, &mut memory.places[256 * palette_place(a.w)..][..256], 8)];
            }
            let byte = |b: usize| (tree(code, &mut memory.bytes[256 * b..][..256], 8) as u64) << (8 * b);
            let unit = (0..self.unit_bytes).map(byte).sum();
            memory.palette[palette_place(unit)] = unit;
            unit
        });
        for j in due {
            memory.recent[j][places[j]] = (unit, 1);
        }
        unit
    }
}

impl Around {
    fn template(&self) -> usize {
        let w = self.w;
        let bits = [self.n, self.ww, self.nw, self.ne, self.nn, self.nee, self.nww].map(|unit| unit == w);
        let of_reference =
            self.reference.map_or([true; 5], |[r, re, rw, rs, rn]| [r, re, rw, rs, rn].map(|unit| unit == w));
        bits.into_iter().chain(of_reference).fold(0, |template, bit| 2 * template + usize::from(bit))
    }
}

/// A window of a picture.
struct Window {
    columns: Range<usize>,
    rows: Range<usize>,
    /// Whether the block to the right is coded.
    cut: bool,
    band: Range<usize>,
    width: usize,
}

fn window_end(width: usize, column: usize) -> usize {
    width.min(16 * column)
}

impl Window {
    fn unit(&self, picture: &Picture, x: isize, y: isize) -> u64 {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return 0 };
        let outside = x >= self.width || !self.band.contains(&y);
        let later = self.cut && x >= self.columns.end && self.rows.contains(&y);
        if outside || later { 0 } else { picture[y * self.width + x] }
    }
}

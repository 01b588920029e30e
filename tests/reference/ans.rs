//! Sections 4.1, 4.3 and 6.3.

use super::number;

/// The arithmetic code of the model.
pub struct Code<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: std::slice::Iter<'a, u8>,
    /// Bytes read past the end.
    pub past: usize,
}

/// A set of probabilities; `P[0]` is not used.
type Set = [u32; 16];

impl<'a> Code<'a> {
    pub fn new(model: &'a [u8]) -> Self {
        let mut code = Self { low: 0, high: u32::MAX, code: 0, bytes: model.iter(), past: 0 };
        (0..4).for_each(|_| code.code = code.code << 8 | code.byte());
        code
    }

    fn byte(&mut self) -> u32 {
        self.past += usize::from(self.bytes.len() == 0);
        self.bytes.next().map_or(0, |&byte| byte.into())
    }

    pub fn bit(&mut self, p: u32) -> u32 {
        let x = self.low + (self.high - self.low) / 65536 * p;
        let bit = u32::from(self.code <= x);
        if bit == 1 {
            self.high = x;
        } else {
            self.low = x + 1;
        }
        while self.low >> 24 == self.high >> 24 {
            self.low <<= 8;
            self.high = self.high << 8 | 255;
            self.code = self.code << 8 | self.byte();
        }
        bit
    }

    pub fn plain(&mut self, bits: u32) -> u32 {
        (0..bits).fold(0, |value, _| 2 * value + self.bit(32768))
    }

    fn nibble(&mut self, set: &mut Set) -> usize {
        let mut k = 1;
        for _ in 0..4 {
            let bit = self.bit(set[k]);
            if bit == 1 {
                set[k] += (65535 - set[k]) / 16;
            } else {
                set[k] -= set[k] / 16;
            }
            k = 2 * k + bit as usize;
        }
        k - 16
    }
}

/// Frequencies of values.
pub type Table = Vec<u32>;

fn table(code: &mut Code<'_>, lengths: &mut [Set; 16]) -> Table {
    let (mut table, mut b) = (Vec::new(), 0);
    while table.iter().sum::<u32>() < 4096 {
        let n = code.nibble(&mut lengths[b]);
        table.push(if n == 0 { 0 } else { (1 << (n - 1)) + code.plain(n as u32 - 1) });
        b = n;
    }
    assert!(table.len() <= 256 && table.iter().sum::<u32>() == 4096);
    table
}

fn classes(code: &mut Code<'_>, count: usize) -> Vec<usize> {
    let mut by_class = [[32768; 16]; 16];
    let mut class = 0;
    let mut next = || {
        class = code.nibble(&mut by_class[class]);
        class
    };
    (0..count).map(|_| next()).collect()
}

/// States and words to groups of `size` bytes, by the table of each. No table: zeros.
pub fn groups(packed: &[u8], mut at: usize, size: usize, tables: &[Option<&Table>]) -> Vec<u8> {
    let mut states: Vec<u64> = (0..32).map(|_| number(packed, &mut at, 4)).collect();
    let mut bytes = Vec::new();
    for table in tables {
        let Some(table) = table else {
            bytes.resize(bytes.len() + size, 0);
            continue;
        };
        for byte in 0..size {
            let x = &mut states[byte % 32];
            let r = *x % 4096;
            let (mut v, mut below) = (0, 0);
            while below + u64::from(table[v]) <= r {
                below += u64::from(table[v]);
                v += 1;
            }
            *x = u64::from(table[v]) * (*x / 4096) + r - below;
            if *x < 1 << 15 {
                *x = 65536 * *x + number(packed, &mut at, 2);
            }
            bytes.push(v as u8);
        }
    }
    assert_eq!(at, packed.len());
    assert!(states.iter().all(|&x| x == 1 << 15));
    bytes
}

/// Section 6.3: the tables of each set.
pub fn tables(code: &[u8], sets: usize) -> Vec<Vec<Table>> {
    let mut code = Code::new(code);
    let mut lengths = [[32768; 16]; 16];
    let mut set = || {
        let t = code.plain(4);
        assert!(t > 0);
        (0..t).map(|_| table(&mut code, &mut lengths)).collect()
    };
    (0..sets).map(|_| set()).collect()
}

/// Section 4.1.
pub fn decode(packed: &[u8], m: usize) -> Vec<u8> {
    let model_length = number(packed, &mut 0, 4) as usize;
    let mut code = Code::new(&packed[4..4 + model_length]);
    let t = code.plain(4);
    let mut lengths = [[32768; 16]; 16];
    let tables: Vec<Table> = (0..t).map(|_| table(&mut code, &mut lengths)).collect();
    let classes = classes(&mut code, m.div_ceil(256));
    let tables: Vec<_> = classes.iter().map(|&class| class.checked_sub(1).map(|class| &tables[class])).collect();
    let mut block = groups(packed, 4 + model_length, 256, &tables);
    block.truncate(m);
    block
}

/// Section 4.3. `later` are the later blocks of the span.
pub fn decode_contexts(packed: &[u8], m: usize, width: usize, later: &[Vec<u8>]) -> Vec<u8> {
    let model_length = number(packed, &mut 0, 4) as usize;
    let mut code = Code::new(&packed[4..4 + model_length]);
    let neighbours = code.plain(1) == 1;
    let mut values: Vec<u8> = (0..=255).collect();
    if neighbours {
        let mut set = [32768; 16];
        let nibbles: Vec<usize> = (0..64).map(|_| code.nibble(&mut set)).collect();
        values.retain(|&value| nibbles[usize::from(value) / 4] >> (3 - value % 4) & 1 == 1);
    }
    let t = code.plain(4) as usize + 1;
    let mut lengths = [[32768; 16]; 16];
    let coded: Vec<(usize, Table)> =
        (0..t).map(|_| (code.plain(32) as usize, table(&mut code, &mut lengths))).collect();
    let classes = classes(&mut code, if neighbours { 1536 } else { 257 });

    let tables: Vec<_> =
        coded.iter().flat_map(|(run, table)| std::iter::repeat_n(Some(table), run.div_ceil(256))).collect();
    let ranks = groups(packed, 4 + model_length, 256, &tables);
    let mut runs = Vec::new();
    let mut start = 0;
    for (run, _) in &coded {
        runs.push(ranks[start..start + run].iter());
        start += run.div_ceil(256) * 256;
    }

    let mut taken: Vec<u8> = Vec::new();
    for i in 0..m {
        let large = |i: usize| later.iter().any(|block| block[i] != 0);
        let value = |back: usize| match i.checked_sub(back) {
            Some(j) if large(j) => 255,
            Some(j) => usize::from(taken[j]),
            None => 0,
        };
        let context = if neighbours {
            let d = width.max(2);
            let (l, u, c, r) = (value(1), value(d), value(d + 1), value(d - 1));
            let flag = |set: bool, weight| if set { weight } else { 0 };
            let s = l + u;
            let n = (usize::BITS - s.leading_zeros()) as usize;
            let step = if s < 32 { s } else { 32 + 4 * (n - 6) + (s >> (n - 3)) % 4 };
            48 * (flag(l != 0, 1) + flag(u != 0, 2) + flag(c != 0, 4) + flag(r != 0, 8) + flag(large(i), 16)) + step
        } else if large(i) {
            1 + usize::from(later[0][i])
        } else {
            0
        };
        taken.push(*runs[classes[context]].next().expect("a run that is long enough"));
    }
    assert!(runs.iter().all(|run| run.len() == 0));
    taken.iter().map(|&rank| values[usize::from(rank)]).collect()
}

//! Section 4.1.

use super::number;

/// The arithmetic code of the model.
struct Code<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: std::slice::Iter<'a, u8>,
}

/// A set of probabilities; `P[0]` is not used.
type Set = [u32; 16];

impl<'a> Code<'a> {
    fn new(model: &'a [u8]) -> Self {
        let mut code = Self { low: 0, high: u32::MAX, code: 0, bytes: model.iter() };
        (0..4).for_each(|_| code.code = code.code << 8 | code.byte());
        code
    }

    fn byte(&mut self) -> u32 {
        self.bytes.next().map_or(0, |&byte| byte.into())
    }

    fn bit(&mut self, p: u32) -> u32 {
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

    fn plain(&mut self, bits: u32) -> u32 {
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

pub fn decode(packed: &[u8], raw_length: usize) -> Vec<u8> {
    let mut at = 0;
    let model_length = number(packed, &mut at, 4) as usize;
    let mut code = Code::new(&packed[at..at + model_length]);
    at += model_length;

    let t = code.plain(4);
    let mut lengths = [[32768; 16]; 16];
    let tables: Vec<Vec<u32>> = (0..t)
        .map(|_| {
            let (mut table, mut b) = (Vec::new(), 0);
            while table.iter().sum::<u32>() < 4096 {
                let n = code.nibble(&mut lengths[b]);
                table.push(if n == 0 { 0 } else { (1 << (n - 1)) + code.plain(n as u32 - 1) });
                b = n;
            }
            assert!(table.len() <= 256 && table.iter().sum::<u32>() == 4096);
            table
        })
        .collect();
    let mut by_class = [[32768; 16]; 16];
    let mut class = 0;
    let classes: Vec<usize> = (0..raw_length.div_ceil(256))
        .map(|_| {
            class = code.nibble(&mut by_class[class]);
            class
        })
        .collect();

    let mut states: Vec<u64> = (0..32).map(|_| number(packed, &mut at, 4)).collect();
    let mut block = Vec::new();
    for class in classes {
        if class == 0 {
            block.extend([0; 256]);
            continue;
        }
        let table = &tables[class - 1];
        for byte in 0..256 {
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
            block.push(v as u8);
        }
    }
    assert_eq!(at, packed.len());
    assert!(states.iter().all(|&x| x == 1 << 15));
    block.truncate(raw_length);
    block
}

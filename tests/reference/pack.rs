//! Section 4.2.

use super::number;

pub fn decode(packed: &[u8], raw_length: usize) -> Vec<u8> {
    let mut numbers = 0;
    let numbers_length = number(packed, &mut numbers, 4) as usize;
    let runs = numbers + numbers_length;
    let groups = raw_length.div_ceil(16);
    let mut map = runs + groups.div_ceil(64);
    let run_is_set = |run: usize| packed[runs + run / 8] >> (run % 8) & 1 == 1;
    let maps = (0..8 * groups.div_ceil(64)).filter(|&run| run_is_set(run)).count();
    let mut at = map + maps;

    let mut block = Vec::new();
    let mut half = 0;
    for group in 0..groups {
        if group % 64 == 0 {
            at += half;
            half = 0;
        }
        let mut width = 0;
        if run_is_set(group / 8) {
            if packed[map] >> (group % 8) & 1 == 1 {
                width = u32::from(packed[at] >> (4 * half) & 15);
                at += half;
                half = 1 - half;
                assert!((1..=8).contains(&width));
            }
            if group % 8 == 7 || group == groups - 1 {
                map += 1;
            }
        }
        for _ in 0..2 {
            let word = number(packed, &mut numbers, width as usize);
            block.extend((0..8).map(|i| (u128::from(word) >> (i * width) & ((1 << width) - 1)) as u8));
        }
    }
    assert_eq!((numbers, map - runs - groups.div_ceil(64), at + half), (runs, maps, packed.len()));
    assert!(block[raw_length..].iter().all(|&byte| byte == 0));
    block.truncate(raw_length);
    block
}

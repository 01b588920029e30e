//! Filters of eight taps, of section 7.1: those of HEVC, VP9 and AV1, and MPEG-4's quarters.

/// Taps from one sample to halfway to the next.
type Table = &'static [[i32; 8]];

const HEVC: Table = &[[0, 0, 0, 64, 0, 0, 0, 0], [-1, 4, -10, 58, 17, -5, 1, 0], [-1, 4, -11, 40, 40, -11, 4, -1]];

const HEVC_OTHER: Table = &[
    [0, 0, 0, 64, 0, 0, 0, 0],
    [0, 0, -2, 58, 10, -2, 0, 0],
    [0, 0, -4, 54, 16, -2, 0, 0],
    [0, 0, -6, 46, 28, -4, 0, 0],
    [0, 0, -4, 36, 36, -4, 0, 0],
];

const VP9_REGULAR: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-1, 3, -10, 122, 18, -6, 2, 0],
    [-1, 4, -16, 112, 37, -11, 4, -1],
    [-1, 5, -19, 97, 58, -16, 5, -1],
    [-1, 6, -19, 78, 78, -19, 6, -1],
];

const VP9_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, -2, 29, 63, 41, 2, -3, 0],
    [-2, -3, 24, 62, 46, 5, -4, 0],
    [-1, -4, 18, 59, 51, 9, -4, 0],
    [-1, -4, 14, 55, 55, 14, -4, -1],
];

const VP9_SHARP: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, 5, -13, 125, 17, -6, 3, -1],
    [-4, 9, -20, 115, 37, -13, 6, -2],
    [-4, 10, -24, 100, 59, -19, 9, -3],
    [-4, 11, -23, 80, 80, -23, 11, -4],
];

const AV1_REGULAR: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 2, -10, 122, 18, -4, 0, 0],
    [0, 2, -14, 110, 38, -10, 2, 0],
    [0, 2, -16, 94, 58, -12, 2, 0],
    [0, 2, -14, 76, 76, -14, 2, 0],
];

const AV1_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, 26, 62, 36, 4, 0, 0],
    [0, 0, 20, 60, 42, 6, 0, 0],
    [0, 0, 16, 56, 46, 10, 0, 0],
    [0, -2, 14, 52, 52, 14, -2, 0],
];

const AV1_SHARP: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [-2, 6, -12, 124, 16, -6, 4, -2],
    [-4, 10, -22, 116, 38, -14, 6, -2],
    [-4, 10, -24, 100, 60, -20, 8, -2],
    [-4, 12, -24, 80, 80, -24, 12, -4],
];

const AV1_NARROW: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, -8, 122, 18, -4, 0, 0],
    [0, 0, -12, 110, 38, -8, 0, 0],
    [0, 0, -14, 94, 58, -10, 0, 0],
    [0, 0, -12, 76, 76, -12, 0, 0],
];

const AV1_NARROW_SMOOTH: Table = &[
    [0, 0, 0, 128, 0, 0, 0, 0],
    [0, 0, 26, 62, 36, 4, 0, 0],
    [0, 0, 20, 60, 42, 6, 0, 0],
    [0, 0, 16, 56, 46, 10, 0, 0],
    [0, 0, 12, 52, 52, 12, 0, 0],
];

/// What a filter of a number makes at a place between the sample in column x and row y and those to its right and below, in
/// eighths of the way to them; whether what moves is narrow, of other planes than the first, says how wide and how high it is.
pub fn between(
    filter: i32,
    is_first: bool,
    narrow: (bool, bool),
    s: &dyn Fn(i32, i32) -> i32,
    (x, y): (i32, i32),
    (right, down): (i32, i32),
) -> i32 {
    let (bits, across) = match filter {
        4 => (6, 0),
        5..=7 => (7, 7),
        _ => (7, 3),
    };
    let table = |narrow: bool| match (filter, is_first) {
        (4, true) => HEVC,
        (4, false) => HEVC_OTHER,
        (5, _) => VP9_REGULAR,
        (6, _) => VP9_SMOOTH,
        (7, _) => VP9_SHARP,
        (8 | 10, false) if narrow => AV1_NARROW,
        (9, false) if narrow => AV1_NARROW_SMOOTH,
        (8, _) => AV1_REGULAR,
        (9, _) => AV1_SMOOTH,
        (10, _) => AV1_SHARP,
        _ => panic!("filter {filter}"),
    };
    let tap = |table: Table, eighths: i32, i: i32| {
        let halfway = table.len() as i32 - 1;
        let at = eighths * halfway / 4;
        if at <= halfway { table[at as usize][i as usize] } else { table[(2 * halfway - at) as usize][7 - i as usize] }
    };
    let round = |sum: i32, bits: i32| (sum + ((1 << bits) >> 1)) >> bits;
    let row = |y: i32| {
        let value = round((0..8).map(|i| tap(table(narrow.0), right, i) * s(x + i - 3, y)).sum(), across);
        if across == bits { value.clamp(0, 255) } else { value }
    };
    round((0..8).map(|i| tap(table(narrow.1), down, i) * row(y + i - 3)).sum(), 2 * bits - across).clamp(0, 255)
}

/// MPEG-4's quarters: what is so many of them to the right and below a sample in a column and a row of a block, which begins in a
/// column and a row of a plane.
pub fn mpeg4(
    s: &dyn Fn(i32, i32) -> i32,
    block: [i32; 2],
    size: i32,
    within: [i32; 2],
    quarters: [i32; 2],
    down: i32,
) -> i32 {
    const TAPS: [i32; 8] = [-1, 3, -6, 20, 20, -6, 3, -1];
    let mirrored = |at: i32| {
        if at < 0 {
            -1 - at
        } else if at > size {
            2 * size + 1 - at
        } else {
            at
        }
    };
    let between = |of: &dyn Fn(i32) -> i32, at: i32, quarters: i32| {
        let half = || (0..8).map(|tap| TAPS[tap as usize] * of(mirrored(at + tap - 3))).sum::<i32>();
        let half = || ((half() + 16 - down) >> 5).clamp(0, 255);
        match quarters {
            0 => of(at),
            2 => half(),
            1 => (of(at) + half() + 1 - down) >> 1,
            _ => (of(at + 1) + half() + 1 - down) >> 1,
        }
    };
    let row = |y: i32| between(&|x| s(block[0] + x, block[1] + y), within[0], quarters[0]);
    between(&row, within[1], quarters[1])
}

/// The chroma vector of a block in halves, from what four vectors of luma in halves add up to: ITU-T H.263, table F.1.
pub fn of_four(sum: i32) -> i32 {
    const HALVES: [usize; 16] = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2];
    let length = sum.unsigned_abs() as usize;
    sum.signum() * (length / 16 * 2 + HALVES[length % 16]) as i32
}

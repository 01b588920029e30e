use super::between::{BEYOND, Between, Earlier, Rows};
use super::difference::{Area, Own};
use super::filter::{AFTER, BEFORE, SIDE, block, mean};
use super::room::Room;
use super::*;
use crate::cpu::{CpuBackend, SimdLevel};
use crate::schedule::trial::Random;

#[path = "../../tests/reference/taps.rs"]
mod taps;

const WIDTH: usize = 150;
const HEIGHT: usize = 90;

/// A plane of blurred noise: neighbours are alike.
fn plane(width: usize, height: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let noise: Vec<u32> = (0..(width + 8) * (height + 8)).map(|_| (random.bits() & 255) as u32).collect();
    let at = |x: usize, y: usize| -> u32 { (0..16).map(|i| noise[(y + i / 4) * (width + 8) + x + i % 4]).sum() };
    (0..width * height).map(|i| (at(i % width, i / width) / 16) as u8).collect()
}

/// A field of vectors up to so many quarters of a sample.
fn field(filter: Filter, width: usize, height: usize, most: i16, seed: u64) -> Field {
    let mut random = Random::new(seed);
    let mut field = Field { filter, ..Field::still(width, height) };
    let most = i32::from(most);
    let mut number = || ((random.unit() * f64::from(2 * most + 1)) as i32 - most) as i16;
    field.vectors.iter_mut().for_each(|vector| *vector = Vector { x: number(), y: number() });
    field
}

/// H.264 8.4.2.2.1, sample by sample as the text has it.
fn quarter(plane: &dyn Fn(i32, i32) -> i32, x: i32, y: i32, (right, down): (i32, i32)) -> i32 {
    let six = |of: &dyn Fn(i32) -> i32| of(-2) - 5 * of(-1) + 20 * of(0) + 20 * of(1) - 5 * of(2) + of(3);
    let clip = |value: i32| value.clamp(0, 255);
    let b1 = |x: i32, y: i32| six(&|i| plane(x + i, y));
    let h1 = |x: i32, y: i32| six(&|i| plane(x, y + i));
    let b = |x: i32, y: i32| clip((b1(x, y) + 16) >> 5);
    let h = |x: i32, y: i32| clip((h1(x, y) + 16) >> 5);
    let j = clip((six(&|i| b1(x, y + i)) + 512) >> 10);
    let (g, m, s) = (plane(x, y), h(x + 1, y), b(x, y + 1));
    let mean = |a: i32, b: i32| (a + b + 1) >> 1;
    match (right, down) {
        (0, 0) => g,
        (0, 1) => mean(g, h(x, y)),
        (0, 2) => h(x, y),
        (0, 3) => mean(h(x, y), plane(x, y + 1)),
        (1, 0) => mean(g, b(x, y)),
        (1, 1) => mean(b(x, y), h(x, y)),
        (1, 2) => mean(h(x, y), j),
        (1, 3) => mean(h(x, y), s),
        (2, 0) => b(x, y),
        (2, 1) => mean(b(x, y), j),
        (2, 2) => j,
        (2, 3) => mean(j, s),
        (3, 0) => mean(b(x, y), plane(x + 1, y)),
        (3, 1) => mean(b(x, y), m),
        (3, 2) => mean(j, m),
        (_, _) => mean(s, m),
    }
}

fn eighths(plane: &dyn Fn(i32, i32) -> i32, x: i32, y: i32, (right, down): (i32, i32), round: i32) -> i32 {
    let sum = (8 - right) * (8 - down) * plane(x, y)
        + right * (8 - down) * plane(x + 1, y)
        + (8 - right) * down * plane(x, y + 1)
        + right * down * plane(x + 1, y + 1);
    (sum + round) >> 6
}

fn units_of_block(field: &Field, unit: usize) -> [Vector; 4] {
    let block = unit / field.across / 2 * 2 * field.across + unit % field.across / 2 * 2;
    [0, 1, field.across, field.across + 1].map(|to| field.vectors[block + to])
}

/// Every filter, vectors of every length, odd sizes, at every SIMD level: as the standards say, sample by sample.
#[test]
fn pictures_are_what_the_standards_say() {
    for (width, height) in [(16, 16), (37, 29), (WIDTH, HEIGHT)] {
        let share = |is_first, across, down| Share { is_first, across, down };
        let shares = [share(true, 0, 0), share(false, 1, 1), share(false, 1, 0)];
        let sizes = shares.map(|share| (width.div_ceil(1 << share.across), height.div_ceil(1 << share.down)));
        let planes: Vec<Vec<u8>> = (1..).zip(sizes).map(|(seed, (w, h))| plane(w, h, seed)).collect();
        for filter in Filter::ALL {
            for most in [0, 3, 40, i16::MAX] {
                let field = field(filter, width, height, most, 7);
                let expected: Vec<Vec<u8>> = (0..3)
                    .map(|at| {
                        let ((w, h), share) = (sizes[at], shares[at]);
                        let sample = |x: i32, y: i32| {
                            let (x, y) = (x.clamp(0, w as i32 - 1), y.clamp(0, h as i32 - 1));
                            i32::from(planes[at][y as usize * w + x as usize])
                        };
                        let of = |i: usize| {
                            let (x, y) = (i % w, i / w);
                            let unit = ((y << share.down) / UNIT) * field.across + (x << share.across) / UNIT;
                            let (vx, vy) = (i32::from(field.vectors[unit].x), i32::from(field.vectors[unit].y));
                            let (x, y) = (x as i32, y as i32);
                            let is_mpeg4 = matches!(filter, Filter::Mpeg4Quarter | Filter::Mpeg4QuarterDown);
                            let moves_blocks = is_mpeg4 || matches!(filter, Filter::Mpeg4Half | Filter::Mpeg4HalfDown);
                            let is_down =
                                [Filter::HalfDown, Filter::Mpeg4HalfDown, Filter::Mpeg4QuarterDown].contains(&filter);
                            let units = units_of_block(&field, unit);
                            let falls_apart = units != [units[0]; 4];
                            let halves = |v: i32, share: u32| match (share, filter) {
                                (1, Filter::Mpeg2) => (v >> 1) / 2,
                                (1, _) if is_mpeg4 => ((v / 2) >> 1) | ((v / 2) & 1),
                                (_, _) if is_mpeg4 => v / 2,
                                (1, _) => (v >> 2) | (v >> 1 & 1),
                                _ => v >> 1,
                            };
                            let value = match (filter, at) {
                                (Filter::Whole, 0) => sample(x + (vx >> 2), y + (vy >> 2)),
                                (Filter::Quarter, 0) => {
                                    quarter(&sample, x + (vx >> 2), y + (vy >> 2), (vx & 3, vy & 3))
                                }
                                (_, 0) if is_mpeg4 => {
                                    let side = if falls_apart { UNIT } else { SIDE } as i32;
                                    let block = [x / side * side + (vx >> 2), y / side * side + (vy >> 2)];
                                    let within = [x % side, y % side];
                                    taps::mpeg4(&sample, block, side, within, [vx & 3, vy & 3], is_down.into())
                                }
                                (filter, _) if is_mpeg4 || filter.phases() == 2 => {
                                    let of_four = |way: fn(&Vector) -> i16| {
                                        taps::of_four(units.iter().map(|unit| halves(way(unit).into(), 0)).sum())
                                    };
                                    let (hx, hy) =
                                        if moves_blocks && falls_apart && (share.across, share.down) == (1, 1) {
                                            (of_four(|unit| unit.x), of_four(|unit| unit.y))
                                        } else {
                                            (halves(vx, share.across), halves(vy, share.down))
                                        };
                                    let at = (x + (hx >> 1), y + (hy >> 1));
                                    let down = i32::from(is_down);
                                    let sum = |n: i32, sum: i32, bits: u32| (sum + n - down) >> bits;
                                    let s = |dx: i32, dy: i32| sample(at.0 + dx, at.1 + dy);
                                    match (hx & 1, hy & 1) {
                                        (0, 0) => s(0, 0),
                                        (1, 0) => sum(1, s(0, 0) + s(1, 0), 1),
                                        (0, _) => sum(1, s(0, 0) + s(0, 1), 1),
                                        (_, _) => sum(2, s(0, 0) + s(1, 0) + s(0, 1) + s(1, 1), 2),
                                    }
                                }
                                (filter, _) => {
                                    let (sx, sy) = (2 + share.across, 2 + share.down);
                                    let part = |v: i32, shift: u32| (v & ((1 << shift) - 1)) << (3 - shift);
                                    let at = (x + (vx >> sx), y + (vy >> sy));
                                    let parts = (part(vx, sx), part(vy, sy));
                                    match filter.taps() {
                                        None => eighths(&sample, at.0, at.1, parts, 32),
                                        Some(_) => {
                                            let narrow = |halved: u32| falls_apart && halved == 1;
                                            let narrow = (narrow(share.across), narrow(share.down));
                                            taps::between(filter as i32, share.is_first, narrow, &sample, at, parts)
                                        }
                                    }
                                }
                            };
                            value as u8
                        };
                        (0..w * h).map(of).collect()
                    })
                    .collect();
                for simd in SimdLevel::available() {
                    for (((share, plane), (w, h)), expected) in
                        shares.into_iter().zip(&planes).zip(sizes).zip(&expected)
                    {
                        // Alone, and between the samples of two others.
                        let apart: Vec<u8> = plane.iter().flat_map(|&sample| [sample, !sample, 99]).collect();
                        for (samples, step) in [(plane, 1), (&apart, 3)] {
                            let earlier = Reference { samples, width: w, height: h, step };
                            let of = Compensation { field: &field, share, earlier };
                            let middle = (h / 2).next_multiple_of(SIDE >> share.down).min(h);
                            let mut out = vec![0; h * (w + 2)];
                            let (upper, lower) = out.split_at_mut(middle * (w + 2));
                            of.put(simd, 0..middle, upper, w + 2);
                            of.put(simd, middle..h, lower, w + 2);
                            let rows = out.chunks_exact(w + 2).zip(expected.chunks_exact(w));
                            for (y, (row, expected)) in rows.enumerate() {
                                let what = format!("{filter:?}, {w} x {h}, row {y}, up to {most}, {}", simd.name());
                                assert!(&row[..w] == expected && row[w..] == [0, 0], "{what}");
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What moved by one vector is found, with its filter, and nothing is left of it.
#[test]
fn what_moved_is_found() {
    let earlier = plane(WIDTH, HEIGHT, 3);
    let cpu = CpuBackend::new(SimdLevel::detect(), 2);
    // The same to the first plane as those of MPEG-4.
    let of_same_luma = |filter| matches!(filter, Filter::Half | Filter::HalfDown | Filter::Mpeg2);
    for filter in Filter::ALL.into_iter().skip(1).filter(|&filter| !of_same_luma(filter)) {
        let (x, y) = if filter.phase(1, 1) == (1, 1) { (13, -6) } else { (-22, 10) };
        let mut field = Field { filter, ..Field::still(WIDTH, HEIGHT) };
        field.vectors.fill(Vector { x, y });
        let mut moved = vec![0; earlier.len()];
        let share = Share { is_first: true, across: 0, down: 0 };
        let reference = Reference { samples: &earlier, width: WIDTH, height: HEIGHT, step: 1 };
        let make = |field: &Field, out: &mut [u8]| {
            Compensation { field, share, earlier: reference }.put(cpu.simd(), 0..HEIGHT, out, WIDTH)
        };
        make(&field, &mut moved);
        let still = Field::still(WIDTH, HEIGHT);
        let filters = Filters::choose(&[&earlier, &moved], WIDTH, &cpu).unwrap();
        let found = search([&earlier, &moved], WIDTH, filters, Some(&still), SearchEffort::Full, &cpu).unwrap();
        let mut expected = vec![0; earlier.len()];
        make(&found, &mut expected);
        assert!(expected == moved, "{filter:?}");
        assert_eq!(found.filter, filter);
        let as_moved = found.vectors.iter().filter(|&&vector| vector == Vector { x, y }).count();
        assert!(2 * as_moved > found.vectors.len(), "{filter:?}: {as_moved}");
        assert_eq!(search([&moved, &moved], WIDTH, filters, Some(&found), SearchEffort::Full, &cpu).unwrap(), still);
    }
}

/// A light search finds what is a few steps from where blocks went before.
#[test]
fn a_light_search_follows() {
    // Smooth, so that nearer is better.
    let earlier: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|at| {
            let (x, y) = ((at % WIDTH) as f32, (at / WIDTH) as f32);
            (128.0 + 60.0 * (x / 9.0).sin() + 60.0 * (y / 7.0 + x / 31.0).cos()) as u8
        })
        .collect();
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let mut truth = Field { filter: Filter::Quarter, ..Field::still(WIDTH, HEIGHT) };
    truth.vectors.fill(Vector { x: 13, y: -6 });
    let share = Share { is_first: true, across: 0, down: 0 };
    let reference = Reference { samples: &earlier, width: WIDTH, height: HEIGHT, step: 1 };
    let mut moved = vec![0; earlier.len()];
    Compensation { field: &truth, share, earlier: reference }.put(cpu.simd(), 0..HEIGHT, &mut moved, WIDTH);
    let mut last = Field::still(WIDTH, HEIGHT);
    last.vectors.fill(Vector { x: 0, y: 4 });
    let filters = Filters::choose(&[&earlier, &moved], WIDTH, &cpu).unwrap();
    let found = search([&earlier, &moved], WIDTH, filters, Some(&last), SearchEffort::Light, &cpu).unwrap();
    let mut expected = vec![0; earlier.len()];
    Compensation { field: &found, share, earlier: reference }.put(cpu.simd(), 0..HEIGHT, &mut expected, WIDTH);
    assert!(expected == moved);
}

/// Whoever searches, with whatever instructions and threads, finds the same.
#[test]
fn the_search_is_the_same_everywhere() {
    for (width, height) in [(16, 16), (61, 35), (WIDTH, HEIGHT)] {
        let (earlier, later) = (plane(width, height, 5), plane(width, height, 6));
        let last = field(Filter::Whole, width, height, i16::MAX, 8);
        let found: Vec<[Field; 2]> = SimdLevel::available()
            .into_iter()
            .flat_map(|simd| [1, 3].map(|threads| CpuBackend::new(simd, threads)))
            .map(|cpu| {
                let filters = Filters::choose(&[&earlier, &later], width, &cpu).unwrap();
                let search = |last, effort| search([&earlier, &later], width, filters, last, effort, &cpu).unwrap();
                assert_eq!(search(None, SearchEffort::Light), search(None, SearchEffort::Full));
                [SearchEffort::Light, SearchEffort::Full].map(|effort| search(Some(&last), effort))
            })
            .collect();
        assert!(found.iter().all(|fields| *fields == found[0]));
        assert!(found[0].iter().all(|field| field.vectors.len() == last.vectors.len()));
    }
}

/// What the search sees between the samples of a picture, beyond its edges too, is what is made of a window.
#[test]
fn the_search_sees_what_is_made() {
    let samples = plane(WIDTH, HEIGHT, 9);
    let cpu = CpuBackend::new(SimdLevel::detect(), 2);
    let earlier = Earlier::new(&samples, WIDTH, &cpu);
    let clamped = |x: i32, y: i32| {
        samples[y.clamp(0, HEIGHT as i32 - 1) as usize * WIDTH + x.clamp(0, WIDTH as i32 - 1) as usize]
    };
    let beyond = BEYOND as i32;
    let end = |length: usize| length as i32 + beyond - SIDE as i32;
    for filter in Filter::ALL {
        let between = Between::new(&earlier, filter, &cpu).unwrap();
        for (x, y) in [(-beyond, -beyond), (end(WIDTH), 11), (40, end(HEIGHT)), (23, 51), (60, 64)] {
            let mut room = Room::new();
            let (columns, rows) = (Room::taken(BEFORE + SIDE + AFTER), BEFORE + SIDE + AFTER);
            for (dy, row) in (y - BEFORE as i32..).zip(room.rows(columns, rows)) {
                (x - BEFORE as i32..).zip(row).for_each(|(x, to)| *to = clamped(x, dy));
            }
            for vector in (0..16).map(|at| Vector { x: at % 4, y: at / 4 }) {
                let phase = filter.phase(vector.x, vector.y);
                block(filter, phase, SIDE, &mut room);
                let (first, second) = between.rows(vector, (x, y)).unwrap();
                for (line, made) in room.block.chunks(room.stride).take(SIDE).enumerate() {
                    let row = |(samples, stride): Rows<'_>| samples[line * stride..][..SIDE].to_vec();
                    let mut seen = row(first);
                    second.into_iter().for_each(|second| mean(&mut seen, &row(second)));
                    assert!(seen == made[..SIDE], "{filter:?}, {phase:?} at {x}, {y}");
                }
            }
        }
    }
}

/// Skipping places by their sums finds what a search of all of them does.
#[test]
fn no_better_place_is_skipped() {
    let (earlier, samples) = (plane(WIDTH, HEIGHT, 10), plane(WIDTH, HEIGHT, 11));
    let cpu = CpuBackend::new(SimdLevel::detect(), 1);
    let earlier_sums = Earlier::new(&earlier, WIDTH, &cpu);
    let mut skipped = 0;
    for (left, top) in [(0, 0), (37, 20), (WIDTH - SIDE, HEIGHT - SIDE)] {
        let area = Area { left, top, columns: SIDE, rows: SIDE };
        let own = Own::of(&samples, WIDTH, area).unit_sums().unwrap();
        for y in 0..(HEIGHT - SIDE) as i32 {
            let at = earlier_sums.index(3, y);
            for limit in [500, 3000, u16::MAX] {
                let may_be = earlier_sums.sums().may_be_below(own, at, limit);
                for (x, may_be) in (3..).zip(may_be) {
                    let difference = |i: usize| {
                        let own = samples[(top + i / SIDE) * WIDTH + left + i % SIDE];
                        u32::from(own.abs_diff(earlier[(y as usize + i / SIDE) * WIDTH + x + i % SIDE]))
                    };
                    let sum: u32 = (0..SIDE * SIDE).map(difference).sum();
                    assert!(may_be || sum >= u32::from(limit), "{x}, {y}: {sum}, {limit}");
                    skipped += u32::from(!may_be);
                }
            }
        }
    }
    assert!(skipped > 1000, "{skipped}");
}

#[test]
fn what_is_expected_of_vectors() {
    let mut field = Field::still(32, 32);
    let v = |x: i16, y: i16| Vector { x, y };
    field.vectors = (0..16).map(|at| v(at, -at)).collect();
    assert_eq!(expected(&field, 0, 0, 2), v(0, 0), "nothing is known");
    assert_eq!(expected(&field, 2, 0, 2), v(0, 0), "one of three");
    assert_eq!(expected(&field, 0, 2, 2), v(4, -4), "none to the left; above and to its right");
    assert_eq!(expected(&field, 2, 2, 2), v(6, -6), "none above to the right: to the left");
    assert_eq!(expected(&field, 3, 3, 1), v(11, -11), "above to the left, because the right comes later");
}

#[test]
fn what_moves() {
    use crate::frame::{ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    let shares = |dtype, layout, frames| {
        shares(&Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), frames)).map(|shares| shares.len())
    };
    let gray = Layout::Gray { width: 40, height: 30 };
    assert_eq!(shares(Dtype::U8, gray.clone(), 2), Some(1));
    assert_eq!(shares(Dtype::U8, gray.clone(), 1), None);
    assert_eq!(shares(Dtype::U16, gray, 2), None);
    assert_eq!(shares(Dtype::U8, Layout::Gray { width: 15, height: 30 }, 2), None);
    let planar = |sampling| Layout::Yuv { width: 41, height: 31, sampling, chroma: ChromaOrder::Planar };
    for sampling in ChromaSampling::ALL {
        assert_eq!(shares(Dtype::U8, planar(sampling), 2), Some(3));
    }
}

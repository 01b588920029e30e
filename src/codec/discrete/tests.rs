use super::*;

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }
}

const fn picture(width: usize, height: usize, unit_bytes: usize) -> Picture {
    Picture { width, height, unit_bytes }
}

/// Frames of units that `value` gives for a frame, row and column.
fn frames(picture: Picture, frames: usize, mut value: impl FnMut(usize, usize, usize) -> u64) -> Vec<u8> {
    let mut raw = Vec::new();
    for frame in 0..frames {
        for y in 0..picture.height {
            for x in 0..picture.width {
                raw.extend_from_slice(&value(frame, y, x).to_le_bytes()[..picture.unit_bytes]);
            }
        }
    }
    raw
}

/// Discs of a few labels that move, with specks.
fn labels(picture: Picture, count: usize) -> Vec<u8> {
    let mut noise = Noise(3);
    frames(picture, count, |frame, y, x| {
        let disc = |label: usize| {
            let (dx, dy) = (x.abs_diff(23 * label + frame * label % 5), y.abs_diff(17 * label));
            dx * dx + dy * dy < 130
        };
        let label = (1..7).find(|&label| disc(label)).unwrap_or(0) as u64;
        if noise.next().is_multiple_of(500) { 9 } else { label * 0x0102_0304_0506_0708 }
    })
}

/// Lines of letters of two tints on a ground that scroll by 11 rows a frame, under a bar that stays.
fn text(picture: Picture, count: usize) -> Vec<u8> {
    let letters: Vec<[u32; 11]> =
        (0..7).map(|at| std::array::from_fn(|row| Noise(at * 77 + row as u32).next())).collect();
    frames(picture, count, |frame, y, x| {
        let line = y + 11 * frame;
        let letter = (Noise((line / 11 * 1000 + x / 9) as u32).next() % 9) as usize;
        match letters.get(letter) {
            _ if y < 8 => 0x0055_AA33,
            Some(letter) if line % 11 > 1 && x % 9 > 0 && letter[line % 11] >> (x % 9) & 1 == 1 => {
                0x00C0_FFEE ^ (u64::from(letter[line % 11] >> 9 & 1) << 7)
            }
            _ => 0x0010_1010,
        }
    })
}

fn noise(picture: Picture, count: usize) -> Vec<u8> {
    let mut noise = Noise(1);
    frames(picture, count, |_, _, _| {
        u64::from(noise.next()) << 48 | u64::from(noise.next()) << 16 | u64::from(noise.next())
    })
}

/// Encodes and decodes; the packed bytes.
fn round_trip(picture: Picture, raw: &[u8]) -> Vec<u8> {
    let mut smallest = Vec::new();
    for coding in
        [Coding::Templates, Coding::Patterns, Coding::Plain].into_iter().filter(|coding| coding.suits(picture))
    {
        let mut packed = Vec::new();
        let coded = encode_with(&[coding], 1, picture, &Crew::new(1), raw).unwrap();
        put(coding, &coded[0], &mut packed);
        let mut decoded = vec![0xA5; raw.len()];
        decode(picture, &Crew::new(1), &packed, &mut decoded).unwrap();
        assert!(decoded == raw, "{picture:?}, {} bytes, {coding:?}", raw.len());
        if smallest.is_empty() || packed.len() < smallest.len() {
            smallest = packed;
        }
    }
    smallest
}

#[test]
fn every_shape_and_unit_comes_back() {
    let shapes =
        [(1, 1), (1, 40), (40, 1), (16, 16), (17, 15), (15, 33), (3, 100), (2100, 3), (1024, 18), (1041, 20), (64, 48)];
    for (width, height) in shapes {
        for unit_bytes in 1..=8 {
            let picture = picture(width, height, unit_bytes);
            for count in [1, 2, 3] {
                round_trip(picture, &labels(picture, count));
                round_trip(picture, &text(picture, count));
            }
            round_trip(picture, &noise(picture, 2));
            round_trip(picture, &frames(picture, 2, |_, _, _| 0x0707));
            round_trip(picture, &frames(picture, 2, |_, y, x| (x * y) as u64));
        }
    }
}

/// Bands refer to the whole frame before, and threads change nothing.
#[test]
fn bands_come_back_on_any_number_of_threads() {
    let picture = picture(1100, 1111, 1);
    let raw = text(picture, 3);
    let mut packed = Vec::new();
    assert!(encode(picture, Effort::Usual, &Crew::new(1), &raw, &mut packed));
    assert_eq!(packed[0], 3, "bands");
    for (effort, threads) in [(Effort::Usual, 2), (Effort::Usual, 5), (Effort::Quick, 1), (Effort::Quick, 5)] {
        let mut again = Vec::new();
        assert!(encode(picture, effort, &Crew::new(threads), &raw, &mut again));
        assert!(again == packed || effort == Effort::Quick, "{threads} threads");
        let mut decoded = vec![1; raw.len()];
        decode(picture, &Crew::new(threads), &again, &mut decoded).unwrap();
        assert!(decoded == raw, "{threads} threads");
    }
}

#[test]
fn small_results_for_what_it_is_made_for() {
    let picture = picture(320, 240, 3);
    let raw = text(picture, 1);
    let first = round_trip(picture, &raw).len();
    let raw = text(picture, 12);
    let packed = round_trip(picture, &raw).len();
    // A line of letters comes up with each frame, 1 of 21.
    assert!(packed < first * 5 / 2, "{first} bytes for a frame, {packed} for twelve");
    let still = round_trip(picture, &raw[..picture.frame_bytes()].repeat(12)).len();
    assert!(still < first + 100, "{first} bytes for a frame, {still} for twelve of it");
    let picture = Picture { unit_bytes: 4, ..picture };
    let raw = labels(picture, 4);
    assert!(round_trip(picture, &raw).len() < raw.len() / 300);
}

#[test]
fn what_it_is_not_made_for_is_left() {
    let picture = picture(64, 64, 2);
    let raw = noise(picture, 2);
    assert!(!looks_discrete(picture, &raw));
    assert!(!encode(picture, Effort::Usual, &Crew::new(1), &raw, &mut Vec::new()));
    assert!(!encode(picture, Effort::Thorough, &Crew::new(1), &[], &mut Vec::new()));
    assert!(looks_discrete(picture, &labels(picture, 2)));
    let estimate = estimate(picture, Effort::Usual, 2, &labels(picture, 2)).unwrap();
    assert!((10..1000).contains(&estimate), "{estimate}");
}

#[test]
fn thorough_is_never_longer() {
    for raw_of in [labels, text] {
        let picture = picture(100, 80, 3);
        let raw = raw_of(picture, 3);
        let [mut quick, mut thorough] = [Vec::new(), Vec::new()];
        assert!(encode(picture, Effort::Usual, &Crew::new(1), &raw, &mut quick));
        assert!(encode(picture, Effort::Thorough, &Crew::new(1), &raw, &mut thorough));
        assert!(thorough.len() <= quick.len());
        let mut decoded = vec![0; raw.len()];
        decode(picture, &Crew::new(1), &thorough, &mut decoded).unwrap();
        assert!(decoded == raw);
    }
}

/// Patterns of many values are modelled where there is time for it.
#[test]
fn effort_chooses_the_coding() {
    let picture = picture(160, 96, 3);
    let icon = |y: usize, x: usize| (y / 16 * 31 + x / 8 * y % 64 * 77) as u64 % 1000 * 0x3171;
    let many = frames(picture, 3, |frame, y, x| icon(y, x + 16 * frame));
    let few = text(picture, 3);
    for (raw, effort, coding) in [
        (&few, Effort::Quick, Coding::Plain),
        (&few, Effort::Usual, Coding::Templates),
        (&many, Effort::Usual, Coding::Plain),
        (&many, Effort::Thorough, Coding::Patterns),
    ] {
        let mut packed = Vec::new();
        assert!(encode(picture, effort, &Crew::new(1), raw, &mut packed));
        assert_eq!(packed[1], coding as u8, "{effort:?}");
        let mut decoded = vec![0; raw.len()];
        decode(picture, &Crew::new(1), &packed, &mut decoded).unwrap();
        assert!(decoded == *raw, "{effort:?}");
    }
}

/// No cut decodes, and no flipped bit does anything but decode to something or be refused.
#[test]
fn damage_is_refused_or_harmless() {
    let picture = picture(33, 40, 3);
    let raw = text(picture, 3);
    for coding in [Coding::Templates, Coding::Patterns, Coding::Plain] {
        let mut packed = Vec::new();
        assert!(encode_by(&[coding], Effort::Usual, picture, &Crew::new(1), &raw, &mut packed));
        damage(picture, &raw, &packed);
    }
}

fn damage(picture: Picture, raw: &[u8], packed: &[u8]) {
    let mut decoded = vec![0; raw.len()];
    for cut in 0..packed.len() {
        assert!(decode(picture, &Crew::new(1), &packed[..cut], &mut decoded).is_err(), "cut at {cut}");
    }
    assert!(decode(picture, &Crew::new(1), &[packed, &[0]].concat(), &mut decoded).is_err(), "a byte too much");
    let mut changed = 0;
    for bit in 0..8 * packed.len() {
        let mut flipped = packed.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        changed += usize::from(decode(picture, &Crew::new(1), &flipped, &mut decoded).is_err() || decoded != raw);
    }
    assert!(changed > 8 * packed.len() * 9 / 10, "{changed} of {} bits tell", 8 * packed.len());
}

#[test]
fn noise_for_a_code_is_harmless() {
    let mut noise = Noise(5);
    for unit_bytes in [1, 3, 8] {
        for (width, height) in [(50, 40), (1, 1), (1500, 2)] {
            let picture = picture(width, height, unit_bytes);
            for coding in [0, 1, 2] {
                let code: Vec<u8> = (0..3000).map(|_| noise.next() as u8).collect();
                let mut packed = vec![1, coding];
                packed.extend((code.len() as u32).to_le_bytes());
                packed.extend(code);
                let _ = decode(picture, &Crew::new(1), &packed, &mut vec![0; 4 * picture.frame_bytes()]);
            }
        }
    }
}

#[test]
fn headers_are_checked() {
    let picture = picture(20, 20, 1);
    let raw = labels(picture, 2);
    let packed = round_trip(picture, &raw);
    for (at, value) in [(0, 0), (0, 2), (0, 17), (0, 255), (1, 3), (2, 255), (5, 255)] {
        let mut damaged = packed.clone();
        damaged[at] = value;
        assert!(decode(picture, &Crew::new(1), &damaged, &mut vec![0; raw.len()]).is_err(), "byte {at} = {value}");
    }
    assert!(decode(picture, &Crew::new(1), &packed, &mut vec![0; raw.len() - 1]).is_err(), "no whole frame");
    assert!(decode(Picture { unit_bytes: 9, ..picture }, &Crew::new(1), &packed, &mut vec![0; raw.len()]).is_err());
    assert!(decode(Picture { width: 0, ..picture }, &Crew::new(1), &packed, &mut vec![0; raw.len()]).is_err());
}

use super::*;
use crate::cpu::SimdLevel;
use crate::plan::KNOWN;

/// A sequence that looks random.
pub(crate) fn noise(seed: u32) -> impl FnMut() -> u8 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }
}

struct Planes {
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Planes {
    fn new(picture: Picture) -> Self {
        let Picture { width, height, sampling, .. } = picture;
        let (chroma_width, chroma_height) = sampling.chroma_size(width, height);
        let chroma = vec![0; chroma_width * chroma_height];
        Self { y: vec![0; width * height], u: chroma.clone(), v: chroma }
    }

    /// Smooth luma and chroma, which is within `reach` of neutral, so that little or much is clipped.
    fn random(picture: Picture, reach: u8) -> Self {
        let mut planes = Self::new(picture);
        let mut next = noise(7);
        let mut walk = |plane: &mut [u8], step: u8, low: u8, high: u8| {
            let mut at = 128;
            plane.iter_mut().for_each(|sample| {
                at = (at + next() % (2 * step + 1)).saturating_sub(step).clamp(low, high);
                *sample = at;
            });
        };
        walk(&mut planes.y, 5, 100 - reach / 2, 150 + reach / 2);
        walk(&mut planes.u, 2, 128 - reach, 128 + reach);
        walk(&mut planes.v, 2, 128 - reach, 128 + reach);
        planes
    }

    fn raw(&self, simd: SimdLevel, conversion: &Conversion, picture: Picture) -> Vec<u8> {
        let mut raw = vec![200; picture.width * picture.height * picture.channels];
        Converter::new(simd, conversion, picture).convert(&self.y, &self.u, &self.v, &mut raw);
        raw
    }
}

fn recovered(simd: SimdLevel, conversion: &Conversion, picture: Picture, raw: &[u8]) -> (Planes, Exceptions) {
    let mut planes = Planes::new(picture);
    let mut exceptions = Exceptions::default();
    let rows = PlaneRows { y: &mut planes.y, u: &mut planes.u, v: &mut planes.v };
    Recovery::new(simd, conversion, picture).recover(raw, None, 0, rows, |_| true, &mut exceptions);
    (planes, exceptions)
}

/// Recovers `raw` at every SIMD level, makes it again, and returns the share of pixels that are exceptions.
fn round_trip(conversion: &Conversion, picture: Picture, raw: &[u8]) -> f64 {
    let mut first: Option<(Vec<u8>, Exceptions)> = None;
    for simd in SimdLevel::available() {
        let (planes, exceptions) = recovered(simd, conversion, picture, raw);
        let mut made = planes.raw(simd, conversion, picture);
        for (&place, pixel) in exceptions.places.iter().zip(&exceptions.pixels) {
            made[picture.channels * place as usize..][..3].copy_from_slice(pixel);
        }
        let colours = |raw: &[u8]| -> Vec<u8> {
            raw.chunks_exact(picture.channels).flat_map(|pixel| pixel[..3].to_vec()).collect()
        };
        assert!(colours(&made) == colours(raw), "{picture:?}");
        let all = [planes.y, planes.u, planes.v].concat();
        let (before, others) = first.get_or_insert_with(|| (all.clone(), exceptions.clone()));
        assert!(*before == all && *others == exceptions, "SIMD levels differ");
    }
    let exceptions = first.map_or(0, |(_, exceptions)| exceptions.places.len());
    exceptions as f64 / (picture.width * picture.height) as f64
}

fn pictures() -> impl Iterator<Item = Picture> {
    let sizes = [(1, 1), (2, 2), (3, 5), (130, 6), (64, 3), (257, 4)];
    ChromaSampling::ALL.into_iter().flat_map(move |sampling| {
        sizes.into_iter().zip([3, 4, 3, 4, 3, 3]).zip([false, true, true, false, false, true]).map(
            move |(((width, height), channels), blue_first)| Picture { width, height, channels, blue_first, sampling },
        )
    })
}

#[test]
fn what_a_conversion_made_is_recovered() {
    for known in KNOWN {
        known.conversion.check().unwrap();
        for picture in pictures() {
            let raw = Planes::random(picture, 25).raw(SimdLevel::detect(), &known.conversion, picture);
            let share = round_trip(&known.conversion, picture, &raw);
            assert!(share == 0.0, "{}: {share} of {picture:?}", known.name);
        }
    }
}

#[test]
fn estimates_are_seldom_wrong() {
    for known in KNOWN {
        for sampling in [ChromaSampling::Cs420, ChromaSampling::Cs422] {
            let picture = Picture { width: 200, height: 60, channels: 3, blue_first: false, sampling };
            let raw = Planes::random(picture, 25).raw(SimdLevel::detect(), &known.conversion, picture);
            let row_bytes = picture.width * picture.channels * picture.block().1;
            let row = Picture { height: picture.block().1, ..picture };
            let inverse = Inverse::of(&known.conversion);
            let fitting = |raw| {
                let mut row = BlockRow::new(SimdLevel::detect(), row);
                row.load(raw);
                row.solve(&inverse, [&[]; 4]);
                row.misfits().len() - misfitting(row.misfits())
            };
            let (fitting, of) = (raw.chunks_exact(row_bytes).map(fitting).sum::<usize>(), raw.len() / row_bytes * 100);
            assert!(5 * fitting > 4 * of, "{}: {fitting} of {of} in {sampling:?}", known.name);
        }
    }
}

#[test]
fn what_is_clipped_is_seldom_an_exception() {
    for known in KNOWN {
        for sampling in ChromaSampling::ALL {
            let picture = Picture { width: 200, height: 60, channels: 3, blue_first: false, sampling };
            let raw = Planes::random(picture, 100).raw(SimdLevel::detect(), &known.conversion, picture);
            let share = round_trip(&known.conversion, picture, &raw);
            assert!(share < 0.02, "{}: {share} of {picture:?}", known.name);
        }
    }
}

#[test]
fn anything_else_comes_back_by_exceptions() {
    let mut next = noise(3);
    for picture in pictures() {
        let raw: Vec<u8> =
            std::iter::repeat_with(&mut next).take(picture.width * picture.height * picture.channels).collect();
        round_trip(&KNOWN[0].conversion, picture, &raw);
        // Nothing but what is clipped.
        let raw: Vec<u8> = raw.iter().map(|&byte| if byte > 128 { 255 } else { 0 }).collect();
        round_trip(&KNOWN[0].conversion, picture, &raw);
    }
}

#[test]
fn conversions_are_what_their_documentation_says() {
    let known = |name: &str| KNOWN.iter().find(|known| known.name == name).unwrap().conversion;
    let swscale = known("swscale, BT.601 limited");
    for (y, u, v) in [(16, 128, 128), (235, 128, 128), (81, 90, 240), (145, 54, 34), (41, 240, 110), (0, 0, 255)] {
        let [a, b, c] = [y, u, v].map(i32::from);
        let luma = ((a * 8 - 128) * 9539) >> 16;
        let r = luma + (((c * 8 - 1024) * 13075) >> 16);
        let g = luma + (((b * 8 - 1024) * -3209) >> 16) + (((c * 8 - 1024) * -6660) >> 16);
        let b = luma + (((b * 8 - 1024) * 16525) >> 16);
        assert_eq!(swscale.pixel(y, u, v), [r, g, b].map(|channel| channel.clamp(0, 255) as u8));
    }
}

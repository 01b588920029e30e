//! Which conversion made the packed frames of a batch, if one did.
//!
//! Few places of the batch are looked at: first whether pixels share chroma, then what each known conversion
//! would make of some blocks. A wrong guess costs time and nothing else, because what is recovered is compared.

use std::ops::Range;
use std::sync::LazyLock;

use super::{KNOWN, Making};
use crate::cpu::CpuBackend;
use crate::cpu::recover::{BlockRow, Inverse, Picture, misfitting};
use crate::frame::{Batch, ChromaSampling, Geometry};

/// Places that are looked at.
const PLACES: usize = 32;
/// Pixels of a place in a row.
const PLACE_WIDTH: usize = 64;
/// Pixels of the pieces that places are cut into where only a part of them may be made in some way.
const PIECE_WIDTH: usize = 16;
/// Rows of a place.
const PLACE_ROWS: usize = 2;
/// Blocks that every conversion is tried on.
const FIRST_BLOCKS: usize = 64;
/// Blocks that say something which must be seen at least.
const LEAST_TELLING: usize = 32;
/// Of so many of them, this many must be made by a conversion to try it on the whole batch.
const WANTED: (usize, usize) = (5, 4);
/// Of so many of them, this many must be made by it to see no need to look for a part of the frames that is not.
const ALL: (usize, usize) = (32, 31);
/// Of so many of them, this many must lie in places that are made by a conversion to look for the part of the frames that
/// is.
const PART: (usize, usize) = (4, 1);

/// What undoes the known conversions.
static INVERSES: LazyLock<Vec<Inverse<'static>>> =
    LazyLock::new(|| KNOWN.iter().map(|known| Inverse::of(&known.conversion)).collect());

/// How frames were made, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// In what way.
    pub making: Making,
    /// How much of them.
    pub extent: Extent,
}

/// How much of the frames is made in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Some places.
    Part,
    /// Most places.
    Most,
    /// All places, but for some blocks.
    All,
}

/// A known conversion, and whether blue comes first.
type Way = (usize, usize);

/// How the frames of a batch were made, if that can be seen.
pub fn choose_conversion(batch: Batch<'_>, cpu: &CpuBackend) -> Option<Found> {
    if !Making::suits(batch.geometry) || batch.raw.is_empty() {
        return None;
    }
    let places = Places::of(batch);
    let sampling = places.sampling();
    let all = places.telling(sampling);
    let most = best_way(&all, (2, 1), cpu).filter(|&(_, blocks)| WANTED.0 * blocks >= WANTED.1 * all.count);
    if let Some((way, blocks)) = most {
        let extent = if ALL.0 * blocks >= ALL.1 * all.count { Extent::All } else { Extent::Most };
        return Some(Found { making: making(way, sampling), extent });
    }
    part(&places.pieces(), cpu).map(|making| Found { making, extent: Extent::Part })
}

/// How some of the places were made, if their pixels are coloured and share chroma. Of pixels that do not, every fourth
/// is made by any conversion, and nearly every grey one: where a screen has few colours, so are whole places of it.
fn part(places: &Places, cpu: &CpuBackend) -> Option<Making> {
    [ChromaSampling::Cs420, ChromaSampling::Cs422].into_iter().find_map(|sampling| {
        let least = (places.telling(sampling).count * PART.1).div_ceil(PART.0).max(LEAST_TELLING);
        let sharing = places.filter(|place| place.is_coloured() && place.shares(sampling));
        let all = sharing.telling(sampling);
        if all.count < least {
            return None;
        }
        let (way, _) = best_way(&all, PART, cpu)?;
        // By place: what fits by chance is everywhere.
        let made = sharing.filter(|place| {
            let telling = place.telling(sampling);
            telling.count > 0 && WANTED.0 * telling.trials(cpu).fitting(way) >= WANTED.1 * telling.count
        });
        (made.telling(sampling).count >= least).then(|| making(way, sampling))
    })
}

fn making((known, order): Way, sampling: ChromaSampling) -> Making {
    Making { conversion: KNOWN[known].conversion, sampling, blue_first: order == 1 }
}

/// The way in which most blocks can be made, and how many; `None` if there are too few blocks, or if not `wanted` of them
/// can be.
fn best_way(all: &Blocks, wanted: (usize, usize), cpu: &CpuBackend) -> Option<(Way, usize)> {
    if all.count < LEAST_TELLING {
        return None;
    }
    let few = all.some(FIRST_BLOCKS);
    let mut trials = few.trials(cpu);
    let ways = (0..2 * KNOWN.len()).map(|way| (way / 2, way % 2));
    let mut tried: Vec<_> = ways.map(|way| (trials.fitting(way), way)).collect();
    let most = tried.iter().map(|&(blocks, _)| blocks).max()?;
    if wanted.0 * most < wanted.1 * few.count {
        return None;
    }
    tried.retain(|&(blocks, _)| 4 * blocks >= 3 * most);
    let mut trials = all.trials(cpu);
    // The first one of the best: the table has what is common first.
    let of_all = tried.into_iter().map(|(_, way)| (trials.fitting(way), way));
    let (blocks, way) = of_all.rev().max_by_key(|&(blocks, _)| blocks)?;
    Some((way, blocks))
}

/// The bytes that [`choose_conversion`] looks at, of frames that suit.
pub(crate) fn places(geometry: &Geometry) -> Vec<Range<usize>> {
    place_rows(geometry).collect()
}

/// Pixels of a row of a place, and their channels.
fn place_size(geometry: &Geometry) -> (usize, usize) {
    (geometry.planes[0].width.min(PLACE_WIDTH), geometry.planes.len())
}

/// The rows of each place.
fn place_rows(geometry: &Geometry) -> impl Iterator<Item = Range<usize>> {
    let (width, channels) = place_size(geometry);
    let plane = &geometry.planes[0];
    (0..PLACES).flat_map(move |place| {
        // Spread over frames evenly, over rows and columns by the fractions of the square roots of 2 and 3.
        let spread = |range: usize, fraction: usize| (range + 1) * (place * fraction % 1000) / 1000;
        let frame = place * geometry.frames / PLACES;
        let row = spread(plane.height.saturating_sub(PLACE_ROWS), 414) & !1;
        let column = spread(plane.width - width, 732) & !1;
        (row..row + PLACE_ROWS).map(move |row| {
            let row = row.min(plane.height - 1);
            let first = frame * geometry.frame_samples + (row * plane.width + column) * channels;
            first..first + width * channels
        })
    })
}

/// Pieces of frames, one above the other.
struct Places {
    pixels: Vec<u8>,
    width: usize,
    channels: usize,
}

impl Places {
    fn of(batch: Batch<'_>) -> Self {
        let (width, channels) = place_size(batch.geometry);
        let rows = place_rows(batch.geometry);
        let pixels = rows.flat_map(|row| &batch.raw[row]).copied().collect();
        Self { pixels, width, channels }
    }

    /// The places cut into narrower ones.
    fn pieces(&self) -> Self {
        let width = self.width.min(PIECE_WIDTH);
        let row_bytes = self.width * self.channels;
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for place in self.pixels.chunks_exact(PLACE_ROWS * row_bytes) {
            for column in 0..self.width / width {
                let bytes = column * width * self.channels..(column + 1) * width * self.channels;
                place.chunks_exact(row_bytes).for_each(|row| pixels.extend_from_slice(&row[bytes.clone()]));
            }
        }
        Self { pixels, width, ..*self }
    }

    /// Some of the places.
    fn filter(&self, keep: impl Fn(&Self) -> bool) -> Self {
        let places = self.pixels.chunks_exact(PLACE_ROWS * self.width * self.channels);
        let places = places.map(|pixels| Self { pixels: pixels.to_vec(), ..*self }).filter(keep);
        Self { pixels: places.flat_map(|place| place.pixels).collect(), ..*self }
    }

    /// Whether most pixels are not grey.
    fn is_coloured(&self) -> bool {
        let pixels = self.pixels.chunks_exact(self.channels);
        let grey = pixels.clone().filter(|pixel| pixel[0] == pixel[1] && pixel[2] == pixel[1]).count();
        2 * grey < pixels.len()
    }

    /// How many pixels share chroma in most blocks.
    fn sampling(&self) -> ChromaSampling {
        let shared = ChromaSampling::ALL.into_iter().find(|&sampling| self.shares(sampling));
        shared.unwrap_or(ChromaSampling::Cs444)
    }

    /// Whether the pixels of most blocks have the same differences of channels, but for rounding.
    fn shares(&self, sampling: ChromaSampling) -> bool {
        let squares = self.telling(ChromaSampling::Cs420);
        let (upper, lower) = (&squares.rows[0], &squares.rows[1]);
        let differences = |pixel: &[u8]| [0, 2].map(|channel| i16::from(pixel[channel]) - i16::from(pixel[1]));
        let same = |a: &[u8], b: &[u8]| differences(a).iter().zip(differences(b)).all(|(a, b)| (a - b).abs() <= 1);
        let [mut across, mut both] = [0; 2];
        for (upper, lower) in upper.chunks_exact(2 * self.channels).zip(lower.chunks_exact(2 * self.channels)) {
            let (left, right) = upper.split_at(self.channels);
            let (left_below, right_below) = lower.split_at(self.channels);
            let in_row = same(left, right);
            across += usize::from(in_row);
            both += usize::from(in_row && same(left, left_below) && same(left, right_below));
        }
        // What is drawn over frames is left out of account by this much.
        let most = |count: usize| 4 * count >= 3 * squares.count;
        match sampling {
            ChromaSampling::Cs420 => most(both),
            ChromaSampling::Cs422 => most(across),
            ChromaSampling::Cs444 => true,
        }
    }

    /// The blocks that say something: not just like their neighbours, and not clipped.
    fn telling(&self, sampling: ChromaSampling) -> Blocks {
        let (columns, rows) = sampling.block();
        let (row_bytes, block_bytes) = (self.width * self.channels, columns * self.channels);
        let mut blocks = Blocks { sampling, channels: self.channels, count: 0, rows: vec![Vec::new(); rows] };
        for place in self.pixels.chunks_exact(rows * row_bytes) {
            let mut before: Option<&[u8]> = None;
            for at in 0..self.width / columns {
                let rows = place.chunks_exact(row_bytes).map(|row| &row[at * block_bytes..][..block_bytes]);
                let (mut differs, mut inside) = (false, true);
                for pixel in rows.clone().flat_map(|row| row.chunks_exact(self.channels)) {
                    let colours = &pixel[..3];
                    differs |= before.is_some_and(|before| before != colours);
                    inside &= colours.iter().all(|channel| (1..255).contains(channel));
                    before = Some(colours);
                }
                if differs && inside {
                    blocks.rows.iter_mut().zip(rows).for_each(|(row, pixels)| row.extend_from_slice(pixels));
                    blocks.count += 1;
                }
            }
        }
        blocks
    }
}

/// Blocks of pixels, side by side.
struct Blocks {
    sampling: ChromaSampling,
    channels: usize,
    count: usize,
    rows: Vec<Vec<u8>>,
}

impl Blocks {
    /// So many of them, spread evenly; all if there are fewer.
    fn some(&self, count: usize) -> Self {
        let count = count.min(self.count);
        let bytes = self.rows[0].len() / self.count;
        let some = |row: &Vec<u8>| {
            let starts = (0..count).map(|at| at * self.count / count * bytes);
            starts.flat_map(|start| &row[start..start + bytes]).copied().collect()
        };
        Self { count, rows: self.rows.iter().map(some).collect(), ..*self }
    }

    fn trials(&self, cpu: &CpuBackend) -> Trials {
        let raw = self.rows.concat();
        let row = |blue_first| {
            let (columns, height) = self.sampling.block();
            let (width, channels) = (self.count * columns, self.channels);
            let picture = Picture { width, height, channels, blue_first, sampling: self.sampling };
            let mut row = BlockRow::new(cpu.simd(), picture);
            row.load(&raw);
            row
        };
        Trials([false, true].map(row))
    }
}

/// The same blocks in both orders of channels.
struct Trials([BlockRow; 2]);

impl Trials {
    /// Blocks that a known conversion makes, in an order of channels.
    fn fitting(&mut self, (known, order): Way) -> usize {
        let row = &mut self.0[order];
        row.solve(&INVERSES[known], [&[]; 4]);
        row.misfits().len() - misfitting(row.misfits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::recover::Converter;
    use crate::cpu::recover::tests::noise;
    use crate::frame::{ChannelOrder, Dtype, FrameFormat, Layout};
    use crate::plan::Conversion;

    /// Three frames of smooth planes, converted.
    fn made(making: &Making, geometry: &Geometry) -> Vec<u8> {
        let mut next = noise(5);
        let mut walk = |samples: usize, step: u8, low: u8, high: u8| -> Vec<u8> {
            let mut at = 128;
            let mut sample = || {
                at = (at + next() % (2 * step + 1)).saturating_sub(step).clamp(low, high);
                at
            };
            std::iter::repeat_with(&mut sample).take(samples).collect()
        };
        let planes = making.planes(geometry);
        let picture = making.picture(geometry);
        let mut raw = vec![255; geometry.raw_bytes()];
        for raw in raw.chunks_exact_mut(geometry.frame_samples) {
            let samples = |plane: usize| planes.planes[plane].frame_samples();
            let (y, u, v) = (walk(samples(0), 6, 60, 190), walk(samples(1), 2, 90, 160), walk(samples(2), 2, 90, 160));
            Converter::new(crate::cpu::SimdLevel::detect(), &making.conversion, picture).convert(&y, &u, &v, raw);
        }
        raw
    }

    fn geometry(order: ChannelOrder) -> Geometry {
        let format = FrameFormat::new(Dtype::U8, Layout::Packed { width: 147, height: 91, order }).unwrap();
        Geometry::new(&format, 3)
    }

    fn found(geometry: &Geometry, raw: &[u8]) -> Option<Found> {
        choose_conversion(Batch { geometry, raw }, &CpuBackend::new(crate::cpu::SimdLevel::detect(), 1))
    }

    /// What made most of the frames, if anything made a part of them.
    fn chosen(geometry: &Geometry, raw: &[u8]) -> Option<Making> {
        let found = found(geometry, raw)?;
        assert_ne!(found.extent, Extent::Part);
        Some(found.making)
    }

    /// Whether two conversions make the same pixels, but for one in a hundred.
    fn alike(a: &Conversion, b: &Conversion) -> bool {
        let mut next = noise(5);
        let pixels = std::iter::repeat_with(|| [60 + next() / 2, 90 + next() / 4, 90 + next() / 4]).take(10_000);
        pixels.filter(|&[y, u, v]| a.pixel(y, u, v) != b.pixel(y, u, v)).count() < 100
    }

    #[test]
    fn every_conversion_is_found() {
        for (known, sampling) in KNOWN.iter().flat_map(|known| ChromaSampling::ALL.map(|sampling| (known, sampling))) {
            for (blue_first, order) in [(false, ChannelOrder::Rgb), (true, ChannelOrder::Bgra)] {
                let (making, geometry) =
                    (Making { conversion: known.conversion, sampling, blue_first }, geometry(order));
                let found = chosen(&geometry, &made(&making, &geometry)).unwrap_or_else(|| panic!("{}", known.name));
                assert_eq!((found.sampling, found.blue_first), (sampling, blue_first), "{}", known.name);
                assert!(alike(&found.conversion, &known.conversion), "{}", known.name);
            }
        }
    }

    /// Pictures that cover most of a frame must not hide the rest, nor what is drawn over it.
    #[test]
    fn bars_and_overlays_do_not_hide_it() {
        let geometry = geometry(ChannelOrder::Rgb);
        let making = Making { conversion: KNOWN[0].conversion, sampling: ChromaSampling::Cs420, blue_first: false };
        let mut raw = made(&making, &geometry);
        let row_bytes = 3 * 147;
        for frame in raw.chunks_exact_mut(geometry.frame_samples) {
            frame[..30 * row_bytes].fill(0);
            frame[60 * row_bytes..].fill(0);
            for row in frame[40 * row_bytes..].chunks_exact_mut(row_bytes).take(10) {
                row[30..90].fill(200);
            }
        }
        assert_eq!(chosen(&geometry, &raw), Some(making));
    }

    /// A part is found as well, where pixels share chroma, and so is that it is only a part.
    #[test]
    fn parts_are_found() {
        for sampling in ChromaSampling::ALL {
            let geometry = geometry(ChannelOrder::Rgb);
            let making = Making { conversion: KNOWN[0].conversion, sampling, blue_first: false };
            let made = made(&making, &geometry);
            let mut next = noise(5);
            for (hidden, extent) in [(0, Extent::All), (9, Extent::Most), (40, Extent::Part), (60, Extent::Part)] {
                let mut raw = made.clone();
                for frame in raw.chunks_exact_mut(geometry.frame_samples) {
                    frame[..hidden * 441].iter_mut().for_each(|byte| *byte = 90 + next() % 16);
                }
                let is_found = extent > Extent::Part || sampling != ChromaSampling::Cs444;
                let expected = is_found.then_some(Found { making, extent });
                assert_eq!(found(&geometry, &raw), expected, "{sampling:?} {hidden}");
            }
            let mut raw = made;
            raw[..].chunks_exact_mut(geometry.frame_samples).for_each(|frame| {
                frame[..80 * 441].iter_mut().for_each(|byte| *byte = 90 + next() % 16);
            });
            assert_eq!(found(&geometry, &raw), None, "{sampling:?}");
        }
    }

    #[test]
    fn nothing_is_found_in_anything_else() {
        let geometry = geometry(ChannelOrder::Rgb);
        let mut next = noise(5);
        let mut frames = |sample: &mut dyn FnMut(usize, u8) -> u8| -> Vec<u8> {
            (0..geometry.raw_bytes()).map(|at| sample(at, next())).collect()
        };
        assert_eq!(chosen(&geometry, &frames(&mut |_, noise| noise)), None);
        assert_eq!(
            chosen(&geometry, &frames(&mut |at, noise| (at / 441 + at % 441 / 4) as u8 / 2 + 40 + noise % 8)),
            None
        );
        assert_eq!(chosen(&geometry, &frames(&mut |_, _| 90)), None);
        assert_eq!(chosen(&geometry, &frames(&mut |_, noise| if noise > 99 { 255 } else { 0 })), None);
    }
}

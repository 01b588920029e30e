//! Pictures of few values: masks, labels, palettes, screens.
//!
//! Neighbouring units (samples, or pixels of several channels) are mostly equal here, and where they
//! are not, the same small patterns return. So nothing is subtracted; the coder asks which neighbour a
//! unit is equal to.
//!
//! - A block of 16 x 16 units that is found in the frame before is copied from there, by one of a few
//!   vectors (block copy with hash search, as in the screen content tools of H.265).
//! - The other units are coded one by one, with adaptive binary arithmetic coding. *Is this the unit to the left?* is asked
//!   in the context of which of 12 neighbours, five of them in the frame before, are equal to that one
//!   (the templates of JBIG2, ITU-T T.88, for more than two values). If it is not, other
//!   neighbours are asked about, then what followed the same neighbours before, then a palette.
//! - Where all neighbours are equal, one decision stands for the run up to where they no longer are.
//! - For pictures with many values the first question is about what followed the same 11 neighbours
//!   before: letters and icons return.
//! - Where there is no time for any of that, the other units are left to Zstandard as they are. At the usual effort that is
//!   done where values are many: letters and icons return there as well, and the memory of patterns is slow, because it is
//!   large.
//!
//! Pictures are cut into up to 16 bands of rows. Each is coded by itself, but may refer to all of the
//! frame before; so the bands of a frame are decoded in parallel.

mod band;
mod counter;
mod model;
mod motion;
mod plain;
mod window;

#[cfg(test)]
mod tests;

use std::ops::Range;

use self::band::{Band, Choice, Units, Vector};
use self::model::Model;
use self::motion::Pair;
use self::plain::Plain;
use self::window::{Place, Window};
use crate::codec::bits::{BitDecoder, BitEncoder};
use crate::error::{Error, Result};
use crate::pool::{self, Crew};

/// Rows and columns of a block.
const BLOCK: usize = 16;
const MOST_BANDS: usize = 16;
/// A band has at least so many units, unless it is the only one.
const BAND_UNITS: usize = 3 << 17;
const HEADER_BYTES: usize = 2;
/// Most bytes of a unit.
pub const MOST_UNIT_BYTES: usize = 8;

/// How hard an encoder tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Units of coded blocks as they are, for Zstandard in a hurry.
    Quick,
    /// A model of the units where there are few values, or else Zstandard with more time.
    Usual,
    /// The smaller of the models with and without the memory of large patterns.
    Thorough,
}

impl Effort {
    /// The coding that a look at frames speaks for.
    fn likely(self, picture: Picture, raw: &[u8]) -> Coding {
        match self {
            Self::Quick => Coding::Plain,
            Self::Usual | Self::Thorough if !has_many_values(picture, raw) => Coding::Templates,
            Self::Usual => Coding::Plain,
            Self::Thorough => Coding::Patterns.suited(picture),
        }
    }

    /// The codings to try on frames.
    fn codings(self, picture: Picture, raw: &[u8]) -> Vec<Coding> {
        if self != Self::Thorough {
            return vec![self.likely(picture, raw)];
        }
        let mut codings = vec![Coding::Templates, Coding::Patterns.suited(picture)];
        codings.dedup();
        codings
    }

    /// The level of Zstandard, for units that are kept.
    fn zstd_level(self) -> i32 {
        match self {
            Self::Quick => 1,
            Self::Usual | Self::Thorough => 9,
        }
    }
}

/// How the units of coded blocks are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Coding {
    Templates = 0,
    Patterns = 1,
    Plain = 2,
}

impl Coding {
    fn of(id: u8) -> Option<Self> {
        [Self::Templates, Self::Patterns, Self::Plain].into_iter().find(|&coding| coding as u8 == id)
    }

    /// Of pictures whose units are too large to be remembered, none has patterns.
    fn suits(self, picture: Picture) -> bool {
        self != Self::Patterns || picture.unit_bytes <= model::PATTERN_BYTES
    }

    /// This, or what comes nearest to it in such pictures.
    fn suited(self, picture: Picture) -> Self {
        if self.suits(picture) { self } else { Self::Templates }
    }
}

/// The shape of frames whose units follow one another row by row without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Units in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bytes of a sample, or of a pixel whose channels lie side by side: 1 to 8.
    pub unit_bytes: usize,
}

impl Picture {
    fn row_bytes(self) -> usize {
        self.width * self.unit_bytes
    }

    fn frame_bytes(self) -> usize {
        self.row_bytes() * self.height
    }

    fn blocks_across(self) -> usize {
        self.width.div_ceil(BLOCK)
    }

    /// A block of a band of `height` rows.
    fn block(self, column: usize, row: usize, height: usize) -> Place {
        let (x, y) = (column * BLOCK, row * BLOCK);
        Place { x, y, width: BLOCK.min(self.width - x), height: BLOCK.min(height - y), cut: false }
    }

    /// Where in the picture a block of the band from row `top` on is by `vector`, if it is inside.
    fn moved(self, block: &Place, top: usize, vector: Vector) -> Option<(usize, usize)> {
        let x = block.x.checked_add_signed(isize::from(vector.x))?;
        let y = (top + block.y).checked_add_signed(isize::from(vector.y))?;
        (x + block.width <= self.width && y + block.height <= self.height).then_some((x, y))
    }

    /// Whether so many bytes are whole frames, at least one.
    fn fits(self, raw_bytes: usize) -> bool {
        let units = self.width.checked_mul(self.height).filter(|_| (1..=MOST_UNIT_BYTES).contains(&self.unit_bytes));
        let frame_bytes = units.and_then(|units| units.checked_mul(self.unit_bytes)).unwrap_or(0);
        raw_bytes > 0 && frame_bytes > 0 && raw_bytes.is_multiple_of(frame_bytes)
    }

    /// Bands that an encoder makes.
    fn bands(self) -> usize {
        (self.width * self.height / BAND_UNITS).clamp(1, MOST_BANDS)
    }

    /// Rows of every band but the last, which has what is left.
    fn band_rows(self, bands: usize) -> usize {
        self.height.div_ceil(BLOCK).div_ceil(bands) * BLOCK
    }
}

/// Appends the coded frames `raw` to `out` and returns true, or returns false if that would not be
/// shorter than `raw`; `out` may have grown all the same. The result does not depend on the number of threads.
pub fn encode(picture: Picture, effort: Effort, crew: &Crew, raw: &[u8], out: &mut Vec<u8>) -> bool {
    if !picture.fits(raw.len()) {
        return false;
    }
    encode_by(&effort.codings(picture, raw), effort, picture, crew, raw, out)
}

/// The same by one of these codings.
fn encode_by(codings: &[Coding], effort: Effort, picture: Picture, crew: &Crew, raw: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(mut coded) = encode_with(codings, effort.zstd_level(), picture, crew, raw) else { return false };
    let bytes = |codes: &[Vec<u8>]| codes.iter().map(Vec::len).sum::<usize>();
    let Some(shortest) = (0..codings.len()).min_by_key(|&at| bytes(&coded[at])) else { return false };
    let start = out.len();
    put(codings[shortest], &coded.swap_remove(shortest), out);
    out.len() - start < raw.len()
}

/// Appends the codes of the bands.
fn put(coding: Coding, codes: &[Vec<u8>], out: &mut Vec<u8>) {
    out.push(codes.len() as u8);
    out.push(coding as u8);
    for code in codes {
        // A code may be as long as 32 bits say at most: longer ones are never shorter than the frames.
        out.extend(u32::try_from(code.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    codes.iter().for_each(|code| out.extend(code));
}

/// After so many frames without movement it is searched for in one frame of so many only.
const SEARCHES: usize = 4;

/// The bands by each coding. What moved where is the same for all of them.
fn encode_with(
    codings: &[Coding],
    zstd_level: i32,
    picture: Picture,
    crew: &Crew,
    raw: &[u8],
) -> Result<Vec<Vec<Vec<u8>>>> {
    let band_rows = picture.band_rows(picture.bands());
    let tops: Vec<usize> = (0..picture.height).step_by(band_rows).collect();
    let of_bands = pool::map(crew, tops, |top| {
        let height = band_rows.min(picture.height - top);
        let units = |coding: &Coding| match coding {
            Coding::Plain => Units::Plain(Plain::default()),
            _ => modelled(*coding, picture, height),
        };
        let mut decisions = vec![Vec::new(); codings.len()];
        let mut bands: Vec<_> = decisions
            .iter_mut()
            .zip(codings)
            .map(|(decisions, coding)| Band::new(BitEncoder::new(decisions), picture, top, units(coding)))
            .collect();
        let mut before = None;
        let mut choice = Choice::default();
        let mut fruitless = 0;
        for (at, frame) in raw.chunks_exact(picture.frame_bytes()).enumerate() {
            let rows = &frame[top * picture.row_bytes()..][..height * picture.row_bytes()];
            if let Some(before) = before {
                let search = fruitless < SEARCHES || at % SEARCHES == 0;
                let pair = Pair { picture, top, rows, before };
                choice = match codings {
                    [Coding::Plain] => pair.choose_quickly(search, &choice.vectors),
                    _ => pair.choose(search),
                };
                if search {
                    fruitless = if choice.moves() { 0 } else { fruitless + 1 };
                }
            }
            bands.iter_mut().try_for_each(|band| band.frame(before, &choice, rows))?;
            before = Some(frame);
        }
        let finish = |band: Band<BitEncoder<'_>>| {
            let (coder, units) = band.into_parts();
            coder.finish();
            units
        };
        let units: Vec<Units> = bands.into_iter().map(finish).collect();
        let code = |(units, decisions): (Units, Vec<u8>)| match units {
            Units::Plain(plain) => plain.code(&decisions, zstd_level),
            Units::Modelled(..) => Ok(decisions),
        };
        units.into_iter().zip(decisions).map(code).collect::<Result<Vec<_>>>()
    })?;
    let mut by_coding = vec![Vec::with_capacity(of_bands.len()); codings.len()];
    for codes in of_bands {
        by_coding.iter_mut().zip(codes).for_each(|(bands, code)| bands.push(code));
    }
    Ok(by_coding)
}

fn modelled(coding: Coding, picture: Picture, height: usize) -> Units {
    let model = Model::new(height * picture.width, picture.unit_bytes, coding == Coding::Patterns);
    Units::Modelled(Box::new(model), Window::default())
}

/// Decodes frames to exactly `raw`.
pub fn decode(picture: Picture, crew: &Crew, packed: &[u8], raw: &mut [u8]) -> Result<()> {
    let short = || Error::corrupt("discrete block: it ends within its header");
    let Some((&[bands, coding], rest)) = packed.split_first_chunk::<HEADER_BYTES>() else { return Err(short()) };
    if !picture.fits(raw.len()) {
        return Err(Error::corrupt(format!("discrete block: {} bytes are no frames of {picture:?}", raw.len())));
    }
    let known = Coding::of(coding).filter(|coding| coding.suits(picture));
    let Some(coding) = known.filter(|_| (1..=MOST_BANDS).contains(&usize::from(bands))) else {
        return Err(Error::corrupt(format!("discrete block: {bands} bands, coding {coding}")));
    };
    let band_rows = picture.band_rows(usize::from(bands));
    let tops: Vec<usize> = (0..picture.height).step_by(band_rows).collect();
    if tops.len() != usize::from(bands) {
        return Err(Error::corrupt(format!("discrete block: {bands} bands of {} rows", picture.height)));
    }
    let (lengths, mut codes) = rest.split_at_checked(4 * tops.len()).ok_or_else(short)?;
    let mut coders = Vec::with_capacity(tops.len());
    for (top, &length) in tops.into_iter().zip(lengths.as_chunks::<4>().0) {
        let (code, others) = codes.split_at_checked(u32::from_le_bytes(length) as usize).ok_or_else(short)?;
        let height = band_rows.min(picture.height - top);
        let (units, decisions) = match coding {
            Coding::Plain => {
                let most = raw.len() / picture.height * height;
                let (plain, decisions) = Plain::read(code, most)?;
                (Units::Plain(plain), decisions)
            }
            _ => (modelled(coding, picture, height), code),
        };
        coders.push(Band::new(BitDecoder::new(decisions), picture, top, units));
        codes = others;
    }
    let mut decoded: &[u8] = &[];
    for frame in raw.chunks_exact_mut(picture.frame_bytes()) {
        let before = (!decoded.is_empty()).then_some(decoded);
        let rows = frame.chunks_mut(band_rows * picture.row_bytes());
        pool::for_each(crew, coders.iter_mut().zip(rows).collect(), |(band, rows)| {
            band.frame(before, &Choice::default(), rows)
        })?;
        decoded = frame;
    }
    if !codes.is_empty() || !coders.into_iter().all(is_finished) {
        return Err(Error::corrupt("discrete block: a code does not end with its frames"));
    }
    Ok(())
}

/// Whether all of a band's code was used.
fn is_finished(band: Band<BitDecoder<'_>>) -> bool {
    let (coder, units) = band.into_parts();
    coder.is_finished() && !matches!(units, Units::Plain(plain) if !plain.is_finished())
}

/// Units looked at to count values.
const COUNTED_UNITS: usize = 1 << 16;
/// Of 256 places that values fall on at random.
const MANY_PLACES: usize = 48;

/// Whether the first frame has so many values that patterns of values tell more than which are equal.
fn has_many_values(picture: Picture, raw: &[u8]) -> bool {
    let frame = &raw[..picture.frame_bytes()];
    let rows = COUNTED_UNITS.div_ceil(picture.width).clamp(1, picture.height);
    let mut seen = [false; 256];
    for row in frame.chunks_exact(picture.row_bytes()).step_by(picture.height / rows).take(rows) {
        for unit in row.chunks_exact(picture.unit_bytes).take(COUNTED_UNITS) {
            let mut wide = [0; 8];
            wide[..unit.len()].copy_from_slice(unit);
            seen[model::place(u64::from_le_bytes(wide))] = true;
        }
    }
    seen.iter().filter(|&&seen| seen).count() > MANY_PLACES
}

/// About the bytes that `raw`, a sample of some frames, adds to more of its kind, `frames` in all; nothing if
/// a look at a few rows says that this coder is not for it.
pub fn estimate(picture: Picture, effort: Effort, frames: usize, raw: &[u8]) -> Option<usize> {
    if !looks_discrete(picture, raw) {
        return None;
    }
    let coding = effort.likely(picture, raw);
    let packed_bytes = |raw: &[u8]| {
        let mut packed = Vec::new();
        encode_by(&[coding], effort, picture, &Crew::new(1), raw, &mut packed).then_some(packed.len())
    };
    if coding != Coding::Plain {
        return packed_bytes(raw);
    }
    // Without a model the first frame takes most: of a sample more than of a batch.
    let sampled = raw.len() / picture.frame_bytes();
    let (all, first) = (packed_bytes(raw)?, packed_bytes(&raw[..picture.frame_bytes()])?);
    let later = all.saturating_sub(first);
    Some(if sampled < 2 { all } else { (first + later / (sampled - 1) * (frames - 1)) * sampled / frames })
}

/// Rows looked at, of all frames.
const LOOKED_ROWS: usize = 64;

/// The rows that [`looks_discrete`] looks at in frames of so many bytes, each with the row above and that of the frame before,
/// as far as they are looked at.
fn looked_rows(picture: Picture, raw_bytes: usize) -> impl Iterator<Item = [Range<usize>; 3]> {
    let row_bytes = picture.row_bytes();
    let rows = raw_bytes / row_bytes;
    let looked = picture.unit_bytes * picture.width.min(COUNTED_UNITS);
    let step = rows.div_ceil(LOOKED_ROWS) | 1;
    (1..rows).step_by(step).map(move |row| {
        let before = row.checked_sub(picture.height).unwrap_or(row - 1);
        [row, row - 1, before].map(|row| row * row_bytes..row * row_bytes + looked)
    })
}

/// The bytes that [`looks_discrete`] looks at.
pub fn places(picture: Picture, raw_bytes: usize) -> Vec<Range<usize>> {
    if picture.fits(raw_bytes) { looked_rows(picture, raw_bytes).flatten().collect() } else { Vec::new() }
}

/// Whether most units are equal to their left or upper neighbour or to the same unit of the frame
/// before.
pub fn looks_discrete(picture: Picture, raw: &[u8]) -> bool {
    if !picture.fits(raw.len()) {
        return false;
    }
    let unit_bytes = picture.unit_bytes;
    let (mut looked, mut novel) = (0, 0);
    for rows in looked_rows(picture, raw.len()) {
        let [now, above, before] = rows.map(|row| raw[row].chunks_exact(unit_bytes));
        let mut west: &[u8] = &[];
        for ((now, above), before) in now.zip(above).zip(before) {
            looked += 1;
            novel += usize::from(now != west && now != above && now != before);
            west = now;
        }
    }
    // Screens, masks, labels, depth: up to 0.14. Camera and film: from 0.2 up.
    novel <= looked * 3 / 16
}

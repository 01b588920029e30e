//! Coding of tiles: a segment is some frames of a band.
//!
//! Predictors and classes are coded by adaptive models ([`side`]), the residuals of groups that are
//! not zero by 32 interleaved rANS coders, with a table per class that the batch records
//! ([`TileTables`]). Residuals too seldom for their table are stored apart.

mod escapes;
mod list;
mod nibbles;
pub mod packed;
mod side;
mod tables;

#[cfg(feature = "gpu")]
pub(crate) use escapes::check as check_escapes;
#[cfg(feature = "gpu")]
pub(crate) use list::TWO_CODES;
pub use tables::{TileClasses, TileCounts, TileTables};

use self::list::Listed;
use self::nibbles::{NibbleDecoder, NibbleEncoder};
use self::side::Side;
use self::tables::Encode;
use super::ans;
#[cfg(feature = "gpu")]
use super::ans::classes::LEVELS;
use super::ans::lanes::{self, DecodeTable, EncodeTable, Words};
use super::ans::segments;
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::{Band, CodedPlane, GROUP, TILE_GROUPS};
use crate::stage::{CodedSegment, SegmentParts, TiledFrames};

/// What an entry for encoding has no use for: states and frequencies are at most 2^12.
#[cfg(feature = "gpu")]
const ESCAPED_BIT: u32 = 1 << 15;
/// Set in the number of escapes of a segment that has two codes.
const TWO_CODES_MARK: u32 = 1 << 31;

/// Tables for encoding the segments of a batch.
pub struct TileEncoderTables {
    classes: TileClasses,
    sets: Vec<Vec<Encode>>,
}

impl TileEncoderTables {
    /// What [`TileCounts::tables`] gives, for encoding.
    pub fn new(tables: &TileTables, classes: TileClasses) -> Self {
        Self { classes, sets: (0..tables.sets()).map(|set| Encode::of_set(tables, set)).collect() }
    }

    /// All tables, as [`Backend::rans_encode`](crate::stage::Backend::rans_encode) takes them.
    pub fn all(&self) -> Vec<&EncodeTable> {
        self.sets.iter().flatten().map(|encode| &encode.table).collect()
    }

    /// Which of [all](Self::all) codes a group of `set` whose residuals sum to `sum`; none for zeros.
    pub fn table_of(&self, set: usize, sum: u16) -> Option<u16> {
        let class = self.classes.of(set, sum).checked_sub(1)?;
        let before: usize = self.sets[..set].iter().map(Vec::len).sum();
        Some(before as u16 + u16::from(class))
    }

    /// The first of [all](Self::all) tables of each set.
    #[cfg(feature = "gpu")]
    pub(crate) fn firsts(&self) -> Vec<usize> {
        firsts(&self.sets)
    }

    /// The class of groups of each level, from 1, set by set.
    #[cfg(feature = "gpu")]
    pub(crate) fn classes(&self) -> &[[u8; LEVELS]] {
        self.classes.as_slice()
    }

    /// All tables, with [`ESCAPED_BIT`] in the entries of byte values that are escaped.
    #[cfg(feature = "gpu")]
    pub(crate) fn marked(&self) -> Vec<[u32; 256]> {
        let marked = |encode: &Encode| {
            let mut entries = *encode.table.as_array();
            let escaped = entries.iter_mut().zip(&encode.escaped).filter(|&(_, &escaped)| escaped);
            escaped.for_each(|(entry, _)| *entry |= ESCAPED_BIT);
            entries
        };
        self.sets.iter().flatten().map(marked).collect()
    }

    /// Codes the groups of some frames of `band`. Returns their classes too.
    pub(crate) fn code(&self, simd: SimdLevel, band: &Band, frames: &TiledFrames) -> (Vec<u8>, CodedSegment<'static>) {
        let listed = Listed::new(self, band, &frames.sums, &frames.groups);
        let (first, second) = listed.codes();
        let codes = [Some(first).filter(|first| !first.is_empty()), second].into_iter().flatten();
        let codes = codes.map(|coded| segments::code(simd, coded)).collect();
        (listed.classes, CodedSegment { escapes: listed.escapes.into(), codes })
    }
}

/// The first of all tables of each set.
#[cfg(feature = "gpu")]
fn firsts<T>(sets: &[Vec<T>]) -> Vec<usize> {
    let first = |next: &mut usize, tables: &Vec<T>| Some(std::mem::replace(next, *next + tables.len()));
    sets.iter().scan(0, first).collect()
}

/// Codes the segments of a band, in order.
pub struct TileEncoder<'a> {
    simd: SimdLevel,
    tables: &'a TileEncoderTables,
    band: &'a Band,
    side: Side,
    nibbles: NibbleEncoder,
    words: Words,
}

impl<'a> TileEncoder<'a> {
    /// An encoder before the first segment.
    pub fn new(simd: SimdLevel, tables: &'a TileEncoderTables, band: &'a Band) -> Self {
        Self { simd, tables, band, side: Side::new(band), nibbles: NibbleEncoder::default(), words: Words::default() }
    }

    /// Goes on before the first segment of another band.
    pub fn turn_to(&mut self, band: &'a Band) {
        self.band = band;
        self.side = Side::new(band);
    }

    /// Appends the code of a segment.
    pub fn encode(&mut self, frames: &mut TiledFrames, out: &mut Vec<u8>) -> Result<()> {
        let mut listed = Listed::new(self.tables, self.band, &frames.sums, &frames.groups);
        let two_codes = listed.codes().1.is_some();
        self.begin(&mut frames.predictors, &mut listed.classes, &listed.escapes, two_codes, out)?;
        let (first, second) = listed.codes();
        if let Some(second) = second {
            let length_at = out.len();
            out.extend([0; 4]);
            ans::encode_groups(self.simd, first, &mut self.words, out);
            let first_bytes = (out.len() - length_at - 4) as u32;
            out[length_at..length_at + 4].copy_from_slice(&first_bytes.to_le_bytes());
            ans::encode_groups(self.simd, second, &mut self.words, out);
        } else if !first.is_empty() {
            ans::encode_groups(self.simd, first, &mut self.words, out);
        }
        Ok(())
    }

    /// The same of a segment whose groups are coded.
    pub(crate) fn put(&mut self, segment: SegmentParts<'_>, out: &mut Vec<u8>) -> Result<()> {
        let SegmentParts { predictors, classes, coded: CodedSegment { escapes, codes } } = segment;
        self.begin(predictors, classes, escapes, codes.len() > 1, out)?;
        if let [first, _] = codes.as_slice() {
            out.extend((first.bytes() as u32).to_le_bytes());
        }
        for code in codes {
            out.extend(code.states.iter().flat_map(|state| state.to_le_bytes()));
            out.extend(code.words.iter());
        }
        Ok(())
    }

    /// Appends what a segment has before its codes.
    fn begin(
        &mut self,
        predictors: &mut [u8],
        classes: &mut [u8],
        escapes: &[u8],
        two_codes: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let frame_tiles = self.band.tiles().max(1);
        for (predictors, classes) in
            predictors.chunks_mut(frame_tiles).zip(classes.chunks_mut(frame_tiles * TILE_GROUPS))
        {
            self.side.code(self.simd, &mut self.nibbles, self.band, predictors, classes)?;
        }
        let start = out.len();
        out.extend([0; 8]);
        self.nibbles.finish(out);
        let side_bytes = (out.len() - start - 8) as u32;
        let escape_bytes = u32::try_from(escapes.len()).ok().filter(|&bytes| bytes < TWO_CODES_MARK);
        let escape_bytes = escape_bytes.ok_or_else(|| Error::limit("tiles: more than 2 GiB of escaped residuals"))?;
        let mark = if two_codes { TWO_CODES_MARK } else { 0 };
        out[start..start + 4].copy_from_slice(&side_bytes.to_le_bytes());
        out[start + 4..start + 8].copy_from_slice(&(escape_bytes | mark).to_le_bytes());
        out.extend(escapes);
        Ok(())
    }
}

/// Tables for decoding the segments of a batch.
pub struct TileDecoderTables(Vec<Vec<DecodeTable>>);

impl TileDecoderTables {
    /// The tables of a batch, for decoding.
    pub fn new(tables: &TileTables) -> Self {
        Self(tables.decoders())
    }

    /// All tables, as [`Backend::rans_decode`](crate::stage::Backend::rans_decode) takes them: in the
    /// order of [`TileEncoderTables::all`].
    pub fn all(&self) -> Vec<&DecodeTable> {
        self.0.iter().flatten().collect()
    }

    /// The first of [all](Self::all) tables of each set.
    #[cfg(feature = "gpu")]
    pub(crate) fn firsts(&self) -> Vec<usize> {
        firsts(&self.0)
    }

    /// Hands on the table of each group of some frames of `band` that has one, and says how many these are.
    ///
    /// # Errors
    /// Corrupt if there are classes that there is no table for.
    pub(crate) fn of_groups<'t>(
        &'t self,
        band: &Band,
        classes: &[u8],
        mut each: impl FnMut(&'t DecodeTable),
    ) -> Result<usize> {
        let mut count = 0;
        let mut classes = classes.iter();
        while classes.len() > 0 && band.tiles() > 0 {
            for plane in &band.planes {
                let set = self.0.get(plane.set).map_or(&[][..], Vec::as_slice);
                for &class in classes.by_ref().take(groups_of(plane)).filter(|&&class| class > 0) {
                    let table = set.get(usize::from(class) - 1);
                    each(table.ok_or_else(|| Error::corrupt(format!("tiles: class {class} of {}", set.len())))?);
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Decodes the groups of some frames of `band`.
    ///
    /// # Errors
    /// Corrupt if `coded` is not of such groups.
    pub(crate) fn decode(
        &self,
        simd: SimdLevel,
        band: &Band,
        classes: &[u8],
        coded: &CodedSegment<'_>,
        out: &mut Vec<[u8; GROUP]>,
    ) -> Result<()> {
        let count = classes.iter().filter(|&&class| class > 0).count();
        coded.check(count)?;
        out.resize(count, [0; GROUP]);
        let mut groups = Vec::with_capacity(count);
        let mut unused = out.iter_mut();
        self.of_groups(band, classes, |table| groups.extend(unused.next().map(|group| (table, group))))?;
        match coded.codes.as_slice() {
            [] => {}
            [code] => lanes::decode(simd, &mut [ans::stream(code, &mut groups)])?,
            [first, second, ..] => {
                let half = groups.len().div_ceil(2);
                let (of_first, of_second) = groups.split_at_mut(half);
                lanes::decode(simd, &mut [ans::stream(first, of_first), ans::stream(second, of_second)])?;
            }
        }
        escapes::put(out, &coded.escapes)
    }
}

/// Decodes the segments of a band, in order.
pub struct TileDecoder<'a> {
    simd: SimdLevel,
    tables: &'a TileDecoderTables,
    band: &'a Band,
    side: Side,
}

/// A decoded segment.
#[derive(Default)]
pub struct DecodedTiles {
    /// Id of the predictor of each tile, which is valid.
    pub predictors: Vec<u8>,
    /// Class of each group; 0 for a group of zeros.
    pub classes: Vec<u8>,
    /// Residuals of the groups whose class is not 0, one after another.
    pub groups: Vec<[u8; GROUP]>,
}

impl<'a> TileDecoder<'a> {
    /// A decoder before the first segment.
    pub fn new(simd: SimdLevel, tables: &'a TileDecoderTables, band: &'a Band) -> Self {
        Self { simd, tables, band, side: Side::new(band) }
    }

    /// Decodes a segment of `frames` frames.
    ///
    /// # Errors
    /// Corrupt if `packed` is not such a segment.
    pub fn decode(&mut self, packed: &[u8], frames: usize, out: &mut DecodedTiles) -> Result<()> {
        let tiles = frames * self.band.tiles();
        out.predictors.resize(tiles, 0);
        out.classes.resize(tiles * TILE_GROUPS, 0);
        let coded = self.read(packed, &mut out.predictors, &mut out.classes)?;
        self.tables.decode(self.simd, self.band, &out.classes, &coded, &mut out.groups)
    }

    /// Decodes the predictors and classes of a segment, and finds the codes of its groups.
    ///
    /// # Errors
    /// Corrupt if `packed` is not a segment of so many tiles.
    pub(crate) fn read<'p>(
        &mut self,
        packed: &'p [u8],
        predictors: &mut [u8],
        classes: &mut [u8],
    ) -> Result<CodedSegment<'p>> {
        let (side_bytes, rest) = packed.split_first_chunk::<4>().ok_or_else(short)?;
        let (escape_bytes, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (side, rest) = rest.split_at_checked(u32::from_le_bytes(*side_bytes) as usize).ok_or_else(short)?;
        let escape_bytes = u32::from_le_bytes(*escape_bytes);
        let has_two_codes = escape_bytes & TWO_CODES_MARK != 0;
        let escape_bytes = (escape_bytes & !TWO_CODES_MARK) as usize;
        let (escapes, code) = rest.split_at_checked(escape_bytes).ok_or_else(short)?;

        let frame_tiles = self.band.tiles().max(1);
        let mut nibbles = NibbleDecoder::new(side)?;
        for (predictors, classes) in
            predictors.chunks_mut(frame_tiles).zip(classes.chunks_mut(frame_tiles * TILE_GROUPS))
        {
            self.side.code(self.simd, &mut nibbles, self.band, predictors, classes)?;
        }
        nibbles.finish()?;

        let mut codes = Vec::new();
        if has_two_codes {
            let (length, code) = code.split_first_chunk::<4>().ok_or_else(short)?;
            let (first, second) = code.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(short)?;
            codes.extend([ans::code(first)?, ans::code(second)?]);
        } else if !code.is_empty() {
            codes.push(ans::code(code)?);
        }
        Ok(CodedSegment { escapes: escapes.into(), codes })
    }
}

fn short() -> Error {
    Error::corrupt("tiles: the segment ends too early")
}

fn groups_of(plane: &CodedPlane) -> usize {
    plane.tiles() * TILE_GROUPS
}

/// Without a branch, so that it is done many bytes at a time.
fn largest(group: &[u8; GROUP]) -> u8 {
    group.iter().fold(0, |largest, &residual| largest.max(residual))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Dtype, FrameFormat, Geometry, Layout, Tiling};

    fn tiling(height: usize) -> Tiling {
        let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 512, height }).unwrap();
        Tiling::new(&Geometry::new(&format, 1), 1, false)
    }

    /// Frames whose every group has residuals.
    fn noisy(band: &Band) -> TiledFrames {
        let residual = |group: usize, at: usize| (group * 31 + at * at * 7 + 1) as u8 % 61;
        let groups = (0..4 * band.tiles()).map(|group| std::array::from_fn(|at| residual(group, at) | 1));
        let mut frames = TiledFrames::default();
        frames.extend(&vec![3; band.tiles()], &groups.collect::<Vec<_>>());
        frames
    }

    #[test]
    fn large_segments_have_two_codes_at_every_level() {
        // One group less than two codes take, as near as tiles come to it, and as many.
        for (height, two) in [(496, false), (512, true)] {
            let tiling = tiling(height);
            let band = &tiling.bands[0];
            let mut counts = TileCounts::new(tiling.sets);
            let frames = noisy(band);
            frames.sums.iter().zip(&frames.groups).for_each(|(&sum, group)| counts.count(0, sum, group));
            let (tables, classes) = counts.tables();
            let (encode, decode) = (TileEncoderTables::new(&tables, classes), TileDecoderTables::new(&tables));
            let mut expected = Vec::new();
            for level in SimdLevel::available() {
                let mut packed = Vec::new();
                TileEncoder::new(level, &encode, band).encode(&mut noisy(band), &mut packed).unwrap();
                assert_eq!(packed[7] >> 7 == 1, two);
                assert!(expected.is_empty() || packed == expected, "{level:?}");
                let mut out = DecodedTiles::default();
                TileDecoder::new(level, &decode, band).decode(&packed, 1, &mut out).unwrap();
                assert!(out.groups == frames.groups, "{level:?}");
                for length in (0..packed.len()).step_by(97) {
                    let mut decoder = TileDecoder::new(level, &decode, band);
                    assert!(decoder.decode(&packed[..length], 1, &mut out).is_err(), "{level:?}: {length}");
                }
                let mut damaged = packed.clone();
                damaged[7] ^= 0x80;
                assert!(TileDecoder::new(level, &decode, band).decode(&damaged, 1, &mut out).is_err(), "{level:?}");
                expected = packed;
            }
        }
    }
}

//! **What**: RGB frames that were made from YUV, back to YUV planes.
//!
//! **Forward**: U and V of a block of pixels that share them follow from the differences of its channels,
//! Y of each pixel from a channel that is not clipped: a linear estimate in fixed point, which is then
//! converted and compared. A block without such a pixel is given the chroma of the one to its left. Blocks that come
//! out otherwise are [repaired](repair): other chroma is tried, and pixels that no YUV gives are *exceptions*.
//!
//! **Inverse**: the conversion ([`Conversion`]). Exceptions are put in afterwards.
//!
//! **Wire parameters**: the conversion, the sampling of chroma, the order of channels
//! ([`RecoveredPlan`](crate::plan::RecoveredPlan)).
//!
//! **Twin**: `shaders/recover`.

#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod batch;
mod clipped;
mod convert;
mod estimates;
mod hidden;
mod narrow;
mod phases;
mod places;
mod repair;
mod row;
mod solve;
#[cfg(test)]
pub(crate) mod tests;

pub use convert::Converter;
pub use hidden::Hidden;
pub use places::RepairPlaces;
#[cfg(feature = "gpu")]
pub use places::SPAN_BLOCKS;
#[cfg(any(test, feature = "gpu"))]
pub use places::misfitting_of_spans;
pub use repair::Exceptions;
pub use row::{BlockRow, Inverse};

use self::phases::CHUNK;
use self::repair::Repair;
use super::simd::SimdLevel;
use crate::frame::ChromaSampling;
use crate::plan::Conversion;

/// Packed rows of a frame, and the planes that they become.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Channels of a pixel: the first three are colour.
    pub channels: usize,
    /// Whether the first channel is blue and the third one red.
    pub blue_first: bool,
    /// How many pixels share U and V.
    pub sampling: ChromaSampling,
}

impl Picture {
    /// Columns and rows of a block of pixels that share U and V.
    pub fn block(&self) -> (usize, usize) {
        self.sampling.block()
    }

    /// Blocks in a row of them.
    pub fn blocks(&self) -> usize {
        self.width.div_ceil(self.block().0)
    }

    /// The rows of blocks in some rows.
    fn block_rows<'a>(
        &self,
        raw: &'a [u8],
        PlaneRows { y, u, v }: PlaneRows<'a>,
    ) -> impl Iterator<Item = (&'a [u8], PlaneRows<'a>)> + use<'a> {
        let (_, rows) = self.block();
        let chroma = u.chunks_exact_mut(self.blocks()).zip(v.chunks_exact_mut(self.blocks()));
        let rows = raw.chunks(rows * self.width * self.channels).zip(y.chunks_mut(rows * self.width));
        rows.zip(chroma).map(|((raw, y), (u, v))| (raw, PlaneRows { y, u, v }))
    }
}

/// Rows of the planes Y, U and V.
pub struct PlaneRows<'a> {
    /// Y.
    pub y: &'a mut [u8],
    /// U.
    pub u: &'a mut [u8],
    /// V.
    pub v: &'a mut [u8],
}

/// The same rows of the frame before, recovered.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// Packed pixels.
    pub raw: &'a [u8],
    /// Y.
    pub y: &'a [u8],
    /// U.
    pub u: &'a [u8],
    /// V.
    pub v: &'a [u8],
}

impl Before<'_> {
    /// Row `at` of blocks of pictures like `picture`, of so many packed bytes.
    fn row(self, at: usize, picture: &Picture, raw_bytes: usize) -> Self {
        let first = at * picture.block().1 * picture.width;
        let blocks = at * picture.blocks();
        let raw = &self.raw[first * picture.channels..][..raw_bytes];
        Self { raw, y: &self.y[first..], u: &self.u[blocks..], v: &self.v[blocks..] }
    }
}

/// Recovers YUV from packed pixels.
pub struct Recovery<'a> {
    inverse: Inverse<'a>,
    picture: Picture,
    hidden: Option<&'a Hidden>,
    row: BlockRow,
}

impl<'a> Recovery<'a> {
    /// For pictures like `picture` that `conversion` may have made.
    pub fn new(simd: SimdLevel, conversion: &'a Conversion, picture: Picture) -> Self {
        Self { inverse: Inverse::of(conversion), picture, hidden: None, row: BlockRow::new(simd, picture) }
    }

    /// Leaves out what does not count.
    pub fn without(self, hidden: &'a Hidden) -> Self {
        Self { hidden: Some(hidden), ..self }
    }

    /// Recovers the planes of some rows, which know nothing of those above. Blocks that are the same as in `before` are
    /// repaired in the same way. Pixels that are not made of the planes are appended to `exceptions`, counted from
    /// `first_pixel`. Gives up, and returns false, when `repair` says so of a number of blocks to be repaired.
    pub fn recover(
        &mut self,
        raw: &[u8],
        before: Option<Before<'_>>,
        first_pixel: usize,
        planes: PlaneRows<'_>,
        repair: impl Fn(usize) -> bool,
        exceptions: &mut Exceptions,
    ) -> bool {
        let (_, rows) = self.picture.block();
        let first_row = first_pixel / self.picture.width % self.picture.height / rows;
        let mut above = None;
        let mut block_rows = self.picture.block_rows(raw, planes).enumerate().peekable();
        while let Some((at, (raw, planes))) = block_rows.next() {
            self.solve(raw, soon(block_rows.peek().map(|(_, next)| next)));
            if let Some(hidden) = self.hidden {
                hidden.hide(first_row + at, &mut self.row);
            }
            if !repair(misfitting(self.row.misfits())) {
                return false;
            }
            let before = before.map(|before| before.row(at, &self.picture, raw.len()));
            self.repair(raw, before, first_pixel + at * rows * self.picture.width, above, exceptions);
            above = Some(self.store(planes));
        }
        true
    }

    /// The estimates of a row of blocks, and which of their pixels come out otherwise. The next one needs memory `soon`.
    fn solve(&mut self, raw: &[u8], soon: [&[u8]; 4]) {
        self.row.load(raw);
        self.row.solve(&self.inverse, soon);
    }

    /// Repairs the blocks of the row that have misfits. `above` is the chroma of the row before.
    fn repair(
        &mut self,
        raw: &[u8],
        before: Option<Before<'_>>,
        first_pixel: usize,
        above: Option<(&[u8], &[u8])>,
        exceptions: &mut Exceptions,
    ) {
        let Picture { width, channels, .. } = self.picture;
        let BlockRow { pixels, luma, chroma, misfits, .. } = &mut self.row;
        let mut repair = Repair {
            raw,
            before,
            conversion: self.inverse.conversion,
            estimates: &self.inverse.estimates,
            clipped: &self.inverse.clipped,
            picture: self.picture,
            pixels,
            above,
            first_pixel,
            luma,
            chroma,
        };
        repair.row(misfits, raw.len() / (width * channels), exceptions);
    }

    /// Puts the planes of the row where they belong, and returns its chroma.
    fn store<'b>(&self, PlaneRows { y, u, v }: PlaneRows<'b>) -> (&'b [u8], &'b [u8]) {
        let BlockRow { pixels, luma, chroma, .. } = &self.row;
        u.copy_from_slice(&chroma[0][..u.len()]);
        v.copy_from_slice(&chroma[1][..v.len()]);
        pixels.join_luma(luma, y);
        (u, v)
    }
}

/// Memory that a row of blocks needs.
fn soon<'a>(row: Option<&'a (&[u8], PlaneRows<'_>)>) -> [&'a [u8]; 4] {
    row.map_or([&[]; 4], |(raw, PlaneRows { y, u, v })| [raw, y, u, v])
}

/// How many blocks have misfits.
pub fn misfitting(misfits: &[u8]) -> usize {
    let some = |misfits: &[u8]| misfits.iter().fold(0, |count, &misfits| count + u8::from(misfits != 0));
    let (chunks, rest) = misfits.as_chunks::<CHUNK>();
    chunks.iter().map(|chunk| usize::from(some(chunk))).sum::<usize>() + usize::from(some(rest))
}

//! **What**: per-tile prediction of 8-bit planes, band by band.
//!
//! **Forward**: raw rows become the coded planes of a band (colour transform, phases); each tile of
//! 16x16 samples gets the predictor with the smallest residuals; residuals are zigzag-mapped and put
//! in groups of 8x8.
//!
//! **Inverse**: tiles are restored row by row; every predictor is a function of rows above and of
//! the frame before, or a running sum along the row.
//!
//! **Wire parameters**: colour transform, chroma split, bands ([`TilePlan`](crate::plan::TilePlan)); a predictor per
//! tile.
//!
//! **Twin**: `shaders/tiles`, file by file.

mod batch;
mod buffer;
mod choose;
mod coded;
mod packed;
mod phases;
mod predict;
mod residual;
mod restore;
mod row;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use self::batch::{forward, inverse};
use self::buffer::PlaneBuffer;
pub(super) use self::coded::{decode, encode};
pub(super) use self::packed::{pack, unpack};
use self::phases::{RowCoder, Rows};
use self::residual::Groups;
use super::ahead::Ahead;
use super::sample::Sample;
use super::simd::{Kernel, SimdLevel};
use crate::frame::{Band, CodedPlane, GROUP, Geometry, Region, TILE, TILE_GROUPS, Tiling};
use crate::motion::Expectation;
use crate::plan::{Colour, TilePredictor};
use crate::stage::{TileEffort, TiledFrames};

/// The state of a band between frames.
pub struct BandState<'a> {
    simd: SimdLevel,
    band: &'a Band,
    regions: Vec<RowCoder<'a>>,
    rows: Rows,
    current: Vec<PlaneBuffer>,
    previous: Vec<PlaneBuffer>,
}

impl<'a> BandState<'a> {
    /// A band before its first frame; the frame before that is all zeros.
    pub fn new(simd: SimdLevel, colour: Colour, geometry: &Geometry, tiling: &'a Tiling, band: &'a Band) -> Self {
        let region = |region: &'a Region| {
            // The colour transform relates planes 0 to 2, which lie in one region.
            let colour = if region.planes.start == 0 && region.planes.len() >= 3 { colour } else { Colour::None };
            RowCoder::new(simd, colour, region, &geometry.planes)
        };
        // For any band.
        let tallest =
            |at: usize| tiling.bands.iter().map(move |band| &band.planes[at]).max_by_key(|plane| plane.rows());
        let buffers: Vec<PlaneBuffer> = (0..band.planes.len()).filter_map(tallest).map(PlaneBuffer::new).collect();
        Self {
            simd,
            band,
            regions: tiling.regions.iter().map(region).collect(),
            rows: Rows::default(),
            current: buffers.clone(),
            previous: buffers,
        }
    }

    /// Goes on with a frame of a band of which nothing is known but what is [expected](Self::expect): nothing of the first one.
    pub fn turn_to(&mut self, band: &'a Band, geometry: &Geometry, expected: Option<&Expectation<'_>>) {
        self.band = band;
        match expected {
            Some(expected) => self.expect(geometry, expected),
            None => self.current.iter_mut().for_each(PlaneBuffer::clear),
        }
    }

    /// Takes a frame in without coding it: the next one refers to it. `raw` holds the rows of the
    /// band, one slice per region.
    pub fn see(&mut self, raw: &[&[u8]]) {
        std::mem::swap(&mut self.current, &mut self.previous);
        for (coder, raw) in self.regions.iter().zip(raw) {
            let coded = coder.coded_planes(self.band);
            let buffers = &mut self.current[coded.clone()];
            coder.split(raw, &mut self.rows, &self.band.planes[coded], buffers);
        }
    }

    /// The frame that comes next refers to what is expected. Planes of frames that move are not transformed.
    pub fn expect(&mut self, geometry: &Geometry, expected: &Expectation<'_>) {
        for (coder, rows) in self.regions.iter().zip(&self.band.rows) {
            let coded = coder.coded_planes(self.band);
            for (coded, buffer) in self.band.planes[coded.clone()].iter().zip(&mut self.current[coded]) {
                let plane = (coded.plane, &geometry.planes[coded.plane]);
                buffer.put_rows(|out, stride| expected.put(self.simd, plane, rows.clone(), out, stride));
                buffer.fill_up(coded);
            }
        }
    }

    /// Codes a frame, appending to `out`. The rows of the one that comes next are needed `soon`.
    pub fn forward(&mut self, effort: TileEffort, raw: &[&[u8]], soon: &[&[u8]], out: &mut TiledFrames) {
        self.see(raw);
        let steps = self.band.planes.iter().map(predict::steps).sum();
        let mut ahead = Ahead::in_steps(soon.iter().copied(), steps);
        for ((plane, current), previous) in self.band.planes.iter().zip(&self.current).zip(&self.previous) {
            predict::predict(self.simd, effort, (plane, current, previous), &mut ahead, out);
        }
    }

    /// Restores a frame. `classes` are 0 for groups of zeros; `groups` yields the others, in order.
    pub fn inverse<'g>(
        &mut self,
        predictors: &[u8],
        classes: &[u8],
        groups: &mut std::slice::Iter<'g, [u8; GROUP]>,
        raw: &mut [&mut [u8]],
    ) {
        self.restore(predictors, classes, groups, raw);
        self.join(raw);
    }

    /// Restores the coded planes of a frame, of which [`row`](Self::row) are the rows, and which [`join`](Self::join) makes raw
    /// ones; the rest as for [`inverse`](Self::inverse). What is made of them will be written to `soon`.
    pub fn restore<'g>(
        &mut self,
        predictors: &[u8],
        classes: &[u8],
        groups: &mut std::slice::Iter<'g, [u8; GROUP]>,
        soon: &[&mut [u8]],
    ) {
        let ahead = &mut Ahead::in_steps(soon.iter().map(|rows| &**rows), self.band.tiles());
        std::mem::swap(&mut self.current, &mut self.previous);
        let mut first = 0;
        for ((plane, current), previous) in self.band.planes.iter().zip(&mut self.current).zip(&self.previous) {
            let tiles = first..first + plane.tiles();
            first = tiles.end;
            let predictors = &predictors[tiles.clone()];
            let classes = &classes[tiles.start * TILE_GROUPS..tiles.end * TILE_GROUPS];
            self.simd.run(Restore { plane, predictors, classes, groups, current, previous, ahead });
        }
    }

    /// The raw rows of the frame that was restored.
    pub fn join(&mut self, raw: &mut [&mut [u8]]) {
        for (coder, raw) in self.regions.iter().zip(raw) {
            let coded = coder.coded_planes(self.band);
            coder.join(&self.band.planes[coded.clone()], &self.current[coded], &mut self.rows, raw);
        }
    }

    /// Row `y` of a coded plane, counted from the first one of the band.
    pub fn row(&self, plane: usize, y: usize) -> &[u8] {
        self.current[plane].row(y, self.band.planes[plane].width)
    }
}

struct Restore<'a, 'g, 'm> {
    plane: &'a CodedPlane,
    predictors: &'a [u8],
    classes: &'a [u8],
    groups: &'a mut std::slice::Iter<'g, [u8; GROUP]>,
    current: &'a mut PlaneBuffer,
    previous: &'a PlaneBuffer,
    ahead: &'a mut Ahead<'m>,
}

impl Kernel for Restore<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let columns = self.plane.columns();
        let classes = self.classes.as_chunks::<TILE_GROUPS>().0;
        for (tile, (&predictor, classes)) in self.predictors.iter().zip(classes).enumerate() {
            self.ahead.step();
            let at = self.current.at(tile % columns * TILE, tile / columns * TILE);
            if predictor == TilePredictor::Previous as u8 && *classes == [0; TILE_GROUPS] {
                restore::copy(self.current, self.previous, at);
                continue;
            }
            let mut groups: Groups = [[0; GROUP]; TILE_GROUPS];
            for (group, &class) in groups.iter_mut().zip(classes) {
                if class > 0
                    && let Some(coded) = self.groups.next()
                {
                    for (residual, &zigzag) in group.iter_mut().zip(coded) {
                        *residual = zigzag.unzigzag();
                    }
                }
            }
            let predictor = TilePredictor::ALL[usize::from(predictor)];
            restore::restore(predictor, &groups, self.current, self.previous, at);
        }
    }
}

//! Bands and coded planes of the tiled path.
//!
//! A batch is cut into *bands*, ranges of rows that know nothing of one another. Within a band the
//! planes are coded as *coded planes*: each is a plane as it is, or one of the four phases of a
//! plane whose samples mostly repeat in 2x2 blocks. Coded planes are cut into *tiles* of 16x16
//! samples, filled up by repeating the last column and row.

use std::ops::Range;

use super::Geometry;

/// Rows and columns of a tile.
pub const TILE: usize = 16;
/// Samples of a tile.
pub const TILE_SAMPLES: usize = TILE * TILE;
/// Samples of a group, 8x8 of a tile: the groups of a tile are left above, right above, left below,
/// right below, each row by row.
pub const GROUP: usize = 64;
/// Groups of a tile.
pub const TILE_GROUPS: usize = TILE_SAMPLES / GROUP;

/// Which samples of a plane a coded plane holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All of them.
    Whole,
    /// Those of even column and row, the corners of 2x2 blocks.
    Corner,
    /// Those of odd column and even row, less the corner of their block.
    Right,
    /// Those of even column and odd row, less the corner of their block.
    Below,
    /// Those of odd column and row, less the corner of their block.
    Diagonal,
}

impl Phase {
    /// The phases of a plane that is split.
    pub const SPLIT: [Phase; 4] = [Phase::Corner, Phase::Right, Phase::Below, Phase::Diagonal];

    /// Columns (or rows) of a coded plane whose plane has `whole` columns and `height` rows.
    fn size(self, width: usize, height: usize) -> (usize, usize) {
        match self {
            Phase::Whole => (width, height),
            Phase::Corner => (width.div_ceil(2), height.div_ceil(2)),
            Phase::Right => (width / 2, height.div_ceil(2)),
            Phase::Below => (width.div_ceil(2), height / 2),
            Phase::Diagonal => (width / 2, height / 2),
        }
    }
}

/// A coded plane within a band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedPlane {
    /// Plane it is taken from.
    pub plane: usize,
    /// Which samples of it.
    pub phase: Phase,
    /// Statistics it shares with the same coded plane of other bands, and with others like it.
    pub set: usize,
    /// Samples in a row, before tiles are filled up.
    pub width: usize,
    /// Rows, before tiles are filled up.
    pub height: usize,
}

impl CodedPlane {
    /// Tiles side by side.
    pub fn columns(&self) -> usize {
        self.width.div_ceil(TILE)
    }

    /// Rows of tiles.
    pub fn rows(&self) -> usize {
        self.height.div_ceil(TILE)
    }

    /// Tiles in one frame.
    pub fn tiles(&self) -> usize {
        self.columns() * self.rows()
    }
}

/// Planes whose rows lie together in a raw frame: one plane, or interleaved ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The planes.
    pub planes: Range<usize>,
    /// First sample within the raw frame.
    pub offset: usize,
    /// Samples of one row, those of all planes together.
    pub row_samples: usize,
    /// Rows.
    pub height: usize,
}

/// A band: the rows it takes of each region, and its coded planes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Rows of each region.
    pub rows: Vec<Range<usize>>,
    /// The coded planes, in the order in which they are coded.
    pub planes: Vec<CodedPlane>,
}

impl Band {
    /// Tiles of all coded planes in one frame.
    pub fn tiles(&self) -> usize {
        self.planes.iter().map(CodedPlane::tiles).sum()
    }
}

/// How a batch is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiling {
    /// Regions of a raw frame.
    pub regions: Vec<Region>,
    /// The bands, from the top.
    pub bands: Vec<Band>,
    /// Sets of statistics.
    pub sets: usize,
}

impl Tiling {
    /// Least columns and rows of a plane that is tiled: below, filling up costs too much.
    const LEAST: usize = TILE;

    /// Whether frames of this geometry can be tiled.
    pub fn suits(geometry: &Geometry) -> bool {
        let large = |size: usize| size >= Self::LEAST;
        geometry.sample_bytes == 1
            && !geometry.planes.is_empty()
            && geometry.planes.iter().all(|plane| large(plane.width) && large(plane.height))
    }

    /// Most bands that a batch can have: one per row of tiles of its lowest plane.
    pub fn most_bands(geometry: &Geometry, split_chroma: bool) -> usize {
        let rows = geometry.planes.iter().map(|plane| plane.height).min().unwrap_or(0);
        rows.div_ceil(unit(split_chroma))
    }

    /// Sets of statistics: one per plane, and one for all differences from corners.
    pub fn sets(geometry: &Geometry, split_chroma: bool) -> usize {
        geometry.planes.len() + usize::from(split_chroma)
    }

    /// Cuts frames of `geometry`, which [suits](Self::suits), into `bands`, at most
    /// [`most_bands`](Self::most_bands). With `split_chroma`, planes 0 and 2 of colour frames are split
    /// into their phases.
    pub fn new(geometry: &Geometry, bands: usize, split_chroma: bool) -> Self {
        let regions = regions(geometry);
        let unit = unit(split_chroma);
        let band = |at: usize| {
            let rows: Vec<Range<usize>> =
                regions.iter().map(|region| rows_of_part(region.height, unit, bands, at)).collect();
            let mut planes = Vec::new();
            for (region, rows) in regions.iter().zip(&rows) {
                for plane in region.planes.clone() {
                    let split = split_chroma && (plane == 0 || plane == 2);
                    let phases: &[Phase] = if split { &Phase::SPLIT } else { &[Phase::Whole] };
                    for &phase in phases {
                        let details = !matches!(phase, Phase::Whole | Phase::Corner);
                        let set = if details { geometry.planes.len() } else { plane };
                        let (width, height) = phase.size(geometry.planes[plane].width, rows.len());
                        planes.push(CodedPlane { plane, phase, set, width, height });
                    }
                }
            }
            Band { rows, planes }
        };
        let bands = (0..bands).map(band).collect();
        Self { regions, bands, sets: Self::sets(geometry, split_chroma) }
    }

    /// Tiles of all bands in one frame.
    pub fn tiles(&self) -> usize {
        self.bands.iter().map(Band::tiles).sum()
    }

    /// The rows of each band in raw frames of `frame_samples` samples: band by band, frame by frame,
    /// one slice per region.
    pub fn rows_mut<'a>(&self, frame_samples: usize, raw: &'a mut [u8]) -> Vec<Vec<Vec<&'a mut [u8]>>> {
        let mut bands: Vec<_> = self.bands.iter().map(|_| Vec::new()).collect();
        for frame in raw.chunks_exact_mut(frame_samples) {
            let mut rest = frame;
            let mut of_frame: Vec<_> = self.bands.iter().map(|_| Vec::new()).collect();
            for (at, region) in self.regions.iter().enumerate() {
                for (band, rows) in self.bands.iter().zip(&mut of_frame) {
                    let (taken, tail) = rest.split_at_mut(band.rows[at].len() * region.row_samples);
                    rest = tail;
                    rows.push(taken);
                }
            }
            bands.iter_mut().zip(of_frame).for_each(|(frames, rows)| frames.push(rows));
        }
        bands
    }
}

/// The rows of part `at` of `parts` of a picture of `height` rows, in whole units of `unit` rows but for
/// the last.
pub fn rows_of_part(height: usize, unit: usize, parts: usize, at: usize) -> Range<usize> {
    let units = height.div_ceil(unit);
    let edge = |at: usize| (at * units / parts * unit).min(height);
    edge(at)..edge(at + 1)
}

/// Rows that bands are counted in.
fn unit(split_chroma: bool) -> usize {
    if split_chroma { 2 * TILE } else { TILE }
}

/// The regions of a raw frame.
pub(crate) fn regions(geometry: &Geometry) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for (at, plane) in geometry.planes.iter().enumerate() {
        let row_samples = plane.width * plane.step;
        match regions.last_mut() {
            Some(last)
                if last.row_samples == row_samples
                    && last.height == plane.height
                    && plane.offset == last.offset + last.planes.len()
                    && last.planes.len() < plane.step =>
            {
                last.planes.end = at + 1;
            }
            _ => regions.push(Region { planes: at..at + 1, offset: plane.offset, row_samples, height: plane.height }),
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

    fn geometry(layout: Layout) -> Geometry {
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), 2)
    }

    #[test]
    fn bands_cover_every_row_once() {
        let packed = Layout::Packed { width: 40, height: 75, order: ChannelOrder::Rgb };
        let yuv =
            Layout::Yuv { width: 64, height: 99, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::UvInterleaved };
        for (layout, split) in [(packed.clone(), false), (packed, true), (yuv, false)] {
            let geometry = geometry(layout);
            for bands in 1..=Tiling::most_bands(&geometry, split) {
                let tiling = Tiling::new(&geometry, bands, split);
                for (at, region) in tiling.regions.iter().enumerate() {
                    let mut next = 0;
                    for band in &tiling.bands {
                        assert_eq!(band.rows[at].start, next);
                        assert!(!band.rows[at].is_empty());
                        next = band.rows[at].end;
                    }
                    assert_eq!(next, region.height);
                }
                let samples: usize =
                    tiling.bands.iter().flat_map(|band| &band.planes).map(|plane| plane.width * plane.height).sum();
                assert_eq!(samples, geometry.frame_samples);
            }
        }
    }

    #[test]
    fn interleaved_planes_share_a_region() {
        let yuv =
            Layout::Yuv { width: 64, height: 48, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::UvInterleaved };
        let regions = Tiling::new(&geometry(yuv), 1, false).regions;
        assert_eq!(regions.iter().map(|region| region.planes.clone()).collect::<Vec<_>>(), [0..1, 1..3]);
        assert_eq!(regions[1], Region { planes: 1..3, offset: 64 * 48, row_samples: 64, height: 24 });
    }
}

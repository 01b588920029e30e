//! Frames beyond what a device can bind: some rows of all frames at a time.
//!
//! Some rows of all frames are a batch of their own, of planes that are less high. Where a row is predicted from the one
//! above, a part begins with the last row before its own.

use std::ops::Range;

use crate::error::Result;
use crate::frame::{Geometry, PlaneGeometry, Region, Tiling, regions, rows_of_part};

/// Some rows of all frames of a batch.
pub(super) struct Rows<'a> {
    pub whole: &'a Geometry,
    regions: Vec<Region>,
    /// Those of each region, with the ones before its own.
    pub rows: Vec<Range<usize>>,
    /// Rows before its own in each region: none or one.
    lead: usize,
    /// The batch that these rows are.
    pub geometry: Geometry,
}

impl<'a> Rows<'a> {
    /// Takes `rows` of each region, the first `lead` of which are not its own.
    pub fn new(whole: &'a Geometry, lead: usize, rows: Vec<Range<usize>>) -> Self {
        let regions = regions(whole);
        let mut planes = Vec::new();
        let mut frame_samples = 0;
        for (region, rows) in regions.iter().zip(&rows) {
            let of_part = |plane: &PlaneGeometry| {
                let offset = frame_samples + plane.offset - region.offset;
                PlaneGeometry { height: rows.len(), offset, ..plane.clone() }
            };
            planes.extend(whole.planes[region.planes.clone()].iter().map(of_part));
            frame_samples += region.row_samples * rows.len();
        }
        let geometry = Geometry { frame_samples, ..whole.clone() }.with_planes(planes);
        Self { whole, regions, rows, lead, geometry }
    }

    /// The rows of some bands.
    pub fn of_bands(whole: &'a Geometry, tiling: &Tiling, bands: &Range<usize>) -> Self {
        let bands = &tiling.bands[bands.clone()];
        let edges = |at: usize| bands[0].rows[at].start..bands[bands.len() - 1].rows[at].end;
        Self::new(whole, 0, (0..tiling.regions.len()).map(edges).collect())
    }

    /// The rows before its own alone, if there are any.
    pub fn above(&self) -> Option<Self> {
        let first = |rows: &Range<usize>| rows.start..rows.start + self.lead;
        (self.lead > 0).then(|| Self::new(self.whole, 0, self.rows.iter().map(first).collect()))
    }

    /// These rows of raw frames.
    pub fn take(&self, raw: &[u8]) -> Vec<u8> {
        let mut taken = vec![0; self.geometry.raw_bytes()];
        for (of_whole, own) in self.stretches() {
            taken[own].copy_from_slice(&raw[of_whole]);
        }
        taken
    }

    /// Puts these rows into raw frames.
    pub fn put(&self, taken: &[u8], raw: &mut [u8]) {
        for (of_whole, own) in self.stretches() {
            raw[of_whole].copy_from_slice(&taken[own]);
        }
    }

    /// Bytes of the raw frames of the batch, and the same ones of its own raw frames.
    fn stretches(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let sample_bytes = self.geometry.sample_bytes;
        let frame_bytes = move |geometry: &Geometry| geometry.frame_samples * sample_bytes;
        (0..self.geometry.frames).flat_map(move |frame| {
            let mut own = frame * frame_bytes(&self.geometry);
            let first = frame * frame_bytes(self.whole);
            self.regions.iter().zip(&self.rows).map(move |(region, rows)| {
                let at = |row: usize| first + (region.offset + row * region.row_samples) * sample_bytes;
                let of_whole = at(rows.start)..at(rows.end);
                own += of_whole.len();
                (of_whole.clone(), own - of_whole.len()..own)
            })
        })
    }

    /// Bytes of its own rows in a work buffer of the batch, and the same ones in a work buffer of these rows.
    pub fn residuals(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let regions = self.regions.iter().zip(&self.rows);
        regions.flat_map(move |(region, rows)| {
            let frames = move |plane| (0..self.geometry.frames).map(move |frame| (plane, frame));
            region.planes.clone().flat_map(frames).map(move |(plane, frame)| {
                let of_whole = work_bytes(self.whole, plane, frame, rows.start + self.lead..rows.end);
                (of_whole, work_bytes(&self.geometry, plane, frame, self.lead..rows.len()))
            })
        })
    }

    /// Bytes of the rows [`above`](Self::above) in a work buffer of those, and in one of these rows.
    pub fn lead_residuals(&self, above: &Self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let planes = (0..self.geometry.planes.len()).zip(std::iter::repeat(0..self.lead));
        planes.flat_map(move |(plane, rows)| {
            (0..self.geometry.frames).map(move |frame| {
                let own = work_bytes(&self.geometry, plane, frame, rows.clone());
                (work_bytes(&above.geometry, plane, frame, rows.clone()), own)
            })
        })
    }
}

/// Bytes of some rows of a plane in one frame in a work buffer.
fn work_bytes(geometry: &Geometry, plane: usize, frame: usize, rows: Range<usize>) -> Range<usize> {
    let PlaneGeometry { width, height, base, .. } = geometry.planes[plane];
    let row = |row: usize| base + (frame * height + row) * width * geometry.sample_bytes;
    row(rows.start)..row(rows.end)
}

/// Cuts batches into so many parts of about as many rows that each passes `check`. A region is cut where as many rows end as `unit`
/// says of it, and all but the first part have `lead` rows more.
///
/// # Errors
/// What `check` says of the least parts.
pub(super) fn row_parts<'a>(
    whole: &'a Geometry,
    unit: impl Fn(&Region) -> usize,
    lead: usize,
    check: impl Fn(&Geometry) -> Result<()>,
) -> Result<Vec<Rows<'a>>> {
    let regions = regions(whole);
    let most = regions.iter().map(|region| region.height.div_ceil(unit(region))).min().unwrap_or(1);
    let mut count = 1;
    loop {
        count = most.min(2 * count);
        let part = |at: usize| {
            let lead = lead.min(at);
            let rows = regions.iter().map(|region| rows_of_part(region.height, unit(region), count, at));
            Rows::new(whole, lead, rows.map(|rows| rows.start - lead..rows.end).collect())
        };
        let parts: Vec<_> = (0..count).map(part).collect();
        match parts.iter().try_for_each(|part| check(&part.geometry)) {
            Ok(()) => return Ok(parts),
            Err(error) if count == most => return Err(error),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};
    use crate::gpu::sample_bytes;

    fn geometry(dtype: Dtype, layout: Layout) -> Geometry {
        Geometry::new(&FrameFormat::new(dtype, layout).unwrap(), 3)
    }

    fn geometries() -> [Geometry; 3] {
        let yuv = |chroma| Layout::Yuv { width: 21, height: 13, sampling: ChromaSampling::Cs420, chroma };
        [
            geometry(Dtype::U16, Layout::Packed { width: 5, height: 9, order: ChannelOrder::Bgra }),
            geometry(Dtype::U8, yuv(ChromaOrder::UvInterleaved)),
            geometry(Dtype::F64, yuv(ChromaOrder::Planar)),
        ]
    }

    /// Parts that have at most so many rows of the first plane.
    fn parts(geometry: &Geometry, lead: usize, most: usize) -> Result<Vec<Rows<'_>>> {
        row_parts(
            geometry,
            |_| 1,
            lead,
            |part| match part.planes[0].height {
                height if height <= most => Ok(()),
                height => Err(Error::gpu(format!("{height} rows"))),
            },
        )
    }

    #[test]
    fn rows_are_put_back_where_they_were() {
        for geometry in geometries() {
            let raw = sample_bytes(geometry.raw_bytes(), 5);
            for lead in [0, 1] {
                let mut back = vec![0xA5; raw.len()];
                let parts = parts(&geometry, lead, 5).unwrap();
                assert!(parts.len() > 1);
                for part in parts {
                    part.put(&part.take(&raw), &mut back);
                }
                assert_eq!(back, raw);
            }
        }
    }

    /// Each residual is in one part, where it belongs to the same sample of these rows.
    #[test]
    fn residuals_are_those_of_the_same_samples() {
        for geometry in geometries() {
            let mut seen = vec![0; geometry.work_bytes()];
            for part in parts(&geometry, 1, 5).unwrap() {
                let mut own = vec![0; part.geometry.work_bytes()];
                for (of_whole, of_part) in part.residuals() {
                    assert_eq!(of_whole.len(), of_part.len());
                    seen[of_whole].iter_mut().for_each(|seen| *seen += 1);
                    own[of_part].iter_mut().for_each(|seen| *seen += 1);
                }
                if let Some(above) = part.above() {
                    for (of_above, of_part) in part.lead_residuals(&above) {
                        assert_eq!(of_above.len(), of_part.len());
                        own[of_part].iter_mut().for_each(|seen| *seen += 1);
                    }
                }
                for plane in 0..part.geometry.planes.len() {
                    assert!(own[part.geometry.plane_range(plane)].iter().all(|&seen| seen == 1));
                }
            }
            for plane in 0..geometry.planes.len() {
                assert!(seen[geometry.plane_range(plane)].iter().all(|&seen| seen == 1));
            }
        }
    }

    #[test]
    fn a_row_is_not_cut() {
        for geometry in geometries() {
            assert_eq!(parts(&geometry, 0, 0).err().unwrap().kind(), crate::ErrorKind::Gpu);
        }
    }

    /// Bands of the chroma planes are as many as those of the others.
    #[test]
    fn bands_are_rows_of_all_planes() {
        let yuv = Layout::Yuv { width: 40, height: 99, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar };
        let geometry = geometry(Dtype::U8, yuv);
        let tiling = Tiling::new(&geometry, 4, false);
        let rows = Rows::of_bands(&geometry, &tiling, &(1..3));
        let heights: Vec<_> = rows.geometry.planes.iter().map(|plane| plane.height).collect();
        let expected: Vec<_> =
            (0..3).map(|region| tiling.bands[1].rows[region].len() + tiling.bands[2].rows[region].len()).collect();
        assert_eq!(heights, expected);
        assert_eq!(rows.geometry.planes[2].offset, 40 * heights[0] + 20 * heights[1]);
    }
}

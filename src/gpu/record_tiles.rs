//! From a cut into tiles to the commands that carry it out.

use std::ops::Range;

use super::layout::groups;
use super::params::{self, MOST_PLANES};
use super::record_motion;
use super::recording::{Overrides, Recording, Slot, Work};
use super::shaders::{Kernel, Storage};
use crate::error::Result;
use crate::frame::{CodedPlane, Geometry, Phase, Region, TILE_GROUPS, TILE_SAMPLES, Tiling};
use crate::motion::Motion;
use crate::plan::{Colour, TileCut};
use crate::stage::{TileBatch, TileEffort};

/// Tiles whose predictors a workgroup chooses.
pub(super) const CHOSEN_TILES: usize = 4;

/// Samples that most kernels take in an invocation.
const WORD_SAMPLES: usize = 4;

const OVERRIDES: Overrides = Overrides { sample_bytes: 1, predictor: None };

/// Where the raw frames of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawFrames {
    /// They are uploaded.
    Uploaded,
    /// In a buffer that has them before, and after.
    Resident,
}

/// Length of the buffer of so many tiles with the classes of their groups, which come last.
pub(super) fn bytes_with_classes(tiles: usize) -> usize {
    TileBatch::bytes_of(tiles) + tiles * TILE_GROUPS
}

/// Hands out the samples of the tiles of the last frame, band by band, which go to offset `to` of the result and on.
pub(super) fn download_last(recording: &mut Recording, to: usize, samples: Slot, geometry: &Geometry, tiling: &Tiling) {
    let (mut first, mut to) = (0, to);
    for band in &tiling.bands {
        let last = first + (geometry.frames - 1) * band.tiles();
        first = last + band.tiles();
        recording.download_to(to, samples, last * TILE_SAMPLES..first * TILE_SAMPLES);
        to += band.tiles() * TILE_SAMPLES;
    }
}

/// Adds the dispatches of tiles to a recording.
pub(super) struct Recorder {
    pub recording: Recording,
    pub params: params::Tiles,
    coded_planes: Slot,
    /// What that has.
    rows: Vec<params::CodedPlane>,
    /// Tiles of the batch.
    pub tiles: usize,
}

impl Recorder {
    /// For tiles whose groups need no classes.
    pub fn new(geometry: &Geometry, cut: TileCut) -> Result<Self> {
        Self::with_tables(geometry, cut, &[])
    }

    /// For tiles that are coded: `first_tables` has the first table of each set.
    pub fn with_tables(geometry: &Geometry, cut: TileCut, first_tables: &[usize]) -> Result<Self> {
        let tiling = cut.tiling(geometry);
        groups(geometry)?;
        let tiles = tiling.tiles() * geometry.frames;
        let mut recording = Recording::default();
        let rows = coded_planes(geometry, cut.colour, &tiling, first_tables);
        let coded_planes = recording.table(&rows)?;
        Ok(Self { recording, params: params(geometry, &tiling, tiles), coded_planes, rows, tiles })
    }

    /// Tiles are tried with the predictors of `effort`.
    pub fn try_predictors(&mut self, effort: TileEffort) {
        self.params.rules = effort.predictors().iter().fold(0, |rules, &rule| rules | 1 << rule as u32);
    }

    /// `tiles` gets a [`TileBatch`] of the raw frames in `raw`, but for its groups of zeros, and with halves of groups in fewer
    /// bits a residual where they fit; then classes, which say which do. `earlier` has what frames but the first are predicted
    /// from, each in the place of the frame before.
    pub fn choose(&mut self, effort: TileEffort, raw: Slot, earlier: Slot, tiles: Slot) {
        self.try_predictors(effort);
        let workgroups = Work::Workgroups(self.tiles.div_ceil(CHOSEN_TILES));
        self.dispatch(Kernel::ChooseForward, &[raw, tiles, earlier], workgroups);
    }

    /// Lists the groups, by their classes, of `segments` segments, of all frames but the first `lead`.
    pub fn list(&mut self, lead: usize, tiles: Slot, list: Slot, segments: usize) -> Result<()> {
        let params = params::Tiles { frames: self.params.frames - lead as u32, ..self.params };
        let table = if lead == 0 {
            self.coded_planes
        } else {
            // To those who do not see the frames before, bands begin later.
            let later = |row: &params::CodedPlane| row.band_first + lead as u32 * row.frame_tiles;
            let rows: Vec<_> =
                self.rows.iter().map(|row| params::CodedPlane { band_first: later(row), ..*row }).collect();
            self.recording.table(&rows)?
        };
        let work = Work::Workgroups(segments);
        self.recording.dispatch(Kernel::ListForward, OVERRIDES, params, &[tiles, list, table], work);
        // Of tiles, classes alone.
        let [list, table] = [list, table].map(|slot| self.recording.buffers[slot.0] as usize);
        self.recording.moves_only(self.tiles * TILE_GROUPS + list + table);
        Ok(())
    }

    /// Makes raw frames of a [`TileBatch`]. Returns the buffer that has them, and one with the samples of its tiles: of the last
    /// frame at least.
    pub fn restore(&mut self, geometry: &Geometry, tiles: Slot, motion: Option<&Motion>) -> Result<[Slot; 2]> {
        let planes = self.recording.buffer(self.tiles * TILE_SAMPLES)?;
        let Some(motion) = motion else {
            // The residuals are done with once there are planes, which are as long as raw frames at least.
            let raw = tiles;
            self.restore_frames(geometry, 0..geometry.frames, [tiles, planes, raw]);
            return Ok([raw, planes]);
        };
        let raw = self.recording.buffer(geometry.raw_bytes())?;
        let vectors = record_motion::vectors(&mut self.recording, geometry, motion)?;
        for frame in 0..geometry.frames {
            if frame > 0 {
                self.expect_tiles(geometry, frame, [raw, planes, vectors]);
            }
            self.restore_frames(geometry, frame..frame + 1, [tiles, planes, raw]);
        }
        Ok([raw, planes])
    }

    fn restore_frames(&mut self, geometry: &Geometry, frames: Range<usize>, [tiles, planes, raw]: [Slot; 3]) {
        (self.params.first_frame, self.params.end_frame) = (frames.start as u32, frames.end as u32);
        let coded_planes = (self.params.bands * self.params.planes) as usize;
        self.dispatch(Kernel::RestoreInverse, &[tiles, planes], Work::Workgroups(coded_planes));
        self.moves_only_of(geometry, frames.len());
        let bytes =
            frames.start * geometry.frame_samples / WORD_SAMPLES * WORD_SAMPLES..frames.end * geometry.frame_samples;
        self.dispatch(Kernel::PhasesInverse, &[planes, raw], Work::Invocations(bytes.len().div_ceil(WORD_SAMPLES)));
        self.moves_only_of(geometry, frames.len());
    }

    /// The last dispatch makes of so many of the frames what is as long.
    pub fn moves_only_of(&mut self, geometry: &Geometry, frames: usize) {
        if frames < geometry.frames {
            self.recording.moves_only(2 * self.tiles / geometry.frames * frames * TILE_SAMPLES);
        }
    }

    /// `storage` is what the kernel is bound to besides the table of coded planes, if it is bound to that.
    pub fn dispatch(&mut self, kernel: Kernel, storage: &[Slot], work: Work) {
        let table = kernel.row().1.storage.iter().position(|&kind| kind == Storage::Table);
        let mut storage = storage.to_vec();
        storage.splice(table.unwrap_or(0)..table.unwrap_or(0), table.map(|_| self.coded_planes));
        self.recording.dispatch(kernel, OVERRIDES, self.params, &storage, work);
    }
}

/// Numbers that do not fit 32 bits belong to batches whose buffers are refused.
fn params(geometry: &Geometry, tiling: &Tiling, tiles: usize) -> params::Tiles {
    let planes = tiling.bands.first().map_or(&[][..], |band| &band.planes);
    let mut params = params::Tiles {
        tiles: tiles as u32,
        bands: tiling.bands.len() as u32,
        planes: planes.len() as u32,
        frames: geometry.frames as u32,
        frame_samples: geometry.frame_samples as u32,
        end_frame: geometry.frames as u32,
        regions: [[u32::MAX; 4]; MOST_PLANES],
        ..Default::default()
    };
    for (to, region) in params.regions.iter_mut().zip(&tiling.regions) {
        let step = geometry.planes[region.planes.start].step;
        *to = [region.offset, region.row_samples, step, region.planes.start].map(|number| number as u32);
    }
    for (plane, coded) in params.coded.iter_mut().enumerate() {
        *coded = planes.partition_point(|coded| coded.plane < plane) as u32;
    }
    params
}

/// The coded planes of all bands.
fn coded_planes(
    geometry: &Geometry,
    colour: Colour,
    tiling: &Tiling,
    first_tables: &[usize],
) -> Vec<params::CodedPlane> {
    let mut rows = Vec::new();
    let mut band_first = 0;
    for band in &tiling.bands {
        let mut first = 0;
        for coded in &band.planes {
            let own = |(region, _): &(&Region, _)| region.planes.contains(&coded.plane);
            let Some((region, band_rows)) = tiling.regions.iter().zip(&band.rows).find(own) else { continue };
            let plane = &geometry.planes[coded.plane];
            let is_difference = colour == Colour::SubtractGreen && matches!(coded.plane, 0 | 2);
            let green = if is_difference { geometry.planes[1].offset.wrapping_sub(plane.offset) } else { 0 };
            let numbers = [
                band_first,
                band.tiles(),
                first,
                coded.columns(),
                coded.rows(),
                coded.width,
                coded.height,
                phase_number(coded),
                band_rows.start,
                plane.offset + band_rows.start * region.row_samples,
                region.row_samples,
                plane.step,
                green,
                coded.set,
                first_tables.get(coded.set).copied().unwrap_or(0),
            ];
            rows.push(bytemuck::cast(numbers.map(|number| number as u32)));
            first += coded.tiles();
        }
        band_first += band.tiles() * geometry.frames;
    }
    rows
}

/// How the shaders number phases.
fn phase_number(coded: &CodedPlane) -> usize {
    match coded.phase {
        Phase::Whole => 0,
        Phase::Corner => 1,
        Phase::Right => 2,
        Phase::Below => 3,
        Phase::Diagonal => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

    const CUT: TileCut = TileCut { colour: Colour::SubtractGreen, split_chroma: true, bands: 2 };

    fn geometry(layout: Layout, frames: usize) -> Geometry {
        Geometry::new(&FrameFormat::new(Dtype::U8, layout).unwrap(), frames)
    }

    fn packed(width: usize, height: usize) -> Geometry {
        geometry(Layout::Packed { width, height, order: ChannelOrder::Bgr }, 3)
    }

    /// Numbers of tiles follow from the table as from the tiling.
    #[test]
    fn coded_planes_cover_every_tile_once() {
        let yuv =
            Layout::Yuv { width: 50, height: 99, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::UvInterleaved };
        let none = TileCut { colour: Colour::None, split_chroma: false, bands: 3 };
        for (geometry, cut) in [(packed(40, 97), CUT), (packed(40, 70), CUT), (geometry(yuv, 3), none)] {
            let tiling = cut.tiling(&geometry);
            let mut tiles = Vec::new();
            for plane in coded_planes(&geometry, cut.colour, &tiling, &[]) {
                for frame in 0..3 {
                    let first = plane.band_first + frame * plane.frame_tiles + plane.first;
                    tiles.extend(first..first + plane.columns * plane.rows);
                }
            }
            tiles.sort_unstable();
            assert_eq!(tiles, (0..3 * tiling.tiles() as u32).collect::<Vec<_>>());
        }
    }
}

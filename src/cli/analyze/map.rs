//! Where in a picture which kind of predictor is best.

use framepress::frame::{FrameFormat, Geometry};
use framepress::internal::{Batch, CpuBackend, MethodChoice, TILE_GROUPS, TileBatch, TileChoice, choose_methods};
use framepress::{Result, Settings, SimdLevel};

use super::super::report::Cell;

/// Rows and columns of a tile.
const TILE: usize = 16;

/// Kinds of tiles.
pub const KINDS: [&str; 4] =
    ["unchanged", "from the frame before", "from the frame before and neighbours", "from neighbours"];

/// A frame, tile by tile.
pub struct Map {
    /// Its number.
    pub frame: usize,
    /// How bright tiles are.
    pub picture: Vec<Vec<Cell>>,
    /// Of which of [`KINDS`] they are.
    pub kinds: Vec<Vec<Cell>>,
}

impl Map {
    /// The frame in the middle of a batch; `None` if it is not coded in tiles.
    pub fn of(format: &FrameFormat, frames: usize, raw: &[u8], settings: &Settings) -> Result<Option<Self>> {
        let geometry = Geometry::new(format, frames);
        let cpu = CpuBackend::new(SimdLevel::detect(), 1);
        let choices = choose_methods(Batch { geometry: &geometry, raw }, settings, &cpu, &cpu, None)?;
        match choices.into_iter().next() {
            Some(MethodChoice::Tiles(choice)) => {
                Self::of_tiles(Batch { geometry: &geometry, raw }, &choice, &cpu).map(Some)
            }
            Some(MethodChoice::Recovered(recovered, choice)) => match *choice {
                MethodChoice::Tiles(choice) => Self::of_tiles(recovered.batch(), &choice, &cpu).map(Some),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn of_tiles(batch: Batch<'_>, choice: &TileChoice, cpu: &CpuBackend) -> Result<Self> {
        let mut tiles = TileBatch::default();
        cpu.tiles_forward(batch, choice.plan.cut(), choice.effort, &mut tiles)?;
        let geometry = batch.geometry;
        let frame = geometry.frames / 2;
        let (mut picture, mut kinds) = (Vec::new(), Vec::new());
        let mut before = 0;
        for band in choice.plan.tiling(geometry).bands {
            // The first coded plane of a band: luma, or the only one, or green.
            let Some(plane) = band.planes.first() else { continue };
            let first = before + frame * band.tiles();
            for row in 0..plane.rows() {
                let at = first + row * plane.columns();
                kinds.push((at..at + plane.columns()).map(|tile| kind(&tiles, tile)).collect());
                let place = &geometry.planes[plane.plane];
                let top = (picture.len() * TILE).min(place.height.saturating_sub(1));
                let gray = |column: usize| brightness(batch, frame, plane.plane, top, column * TILE);
                picture.push((0..plane.columns()).map(gray).collect());
            }
            before += band.tiles() * geometry.frames;
        }
        Ok(Self { frame, picture, kinds })
    }
}

fn kind(tiles: &TileBatch, tile: usize) -> Cell {
    let is_zero =
        tiles.groups()[tile * TILE_GROUPS..][..TILE_GROUPS].as_flattened().iter().all(|&residual| residual == 0);
    Cell::Series(match tiles.predictors()[tile] {
        _ if is_zero => 0,
        0 => 1,
        4..=8 => 3,
        _ => 2,
    })
}

/// The mean of some samples of a tile.
fn brightness(batch: Batch<'_>, frame: usize, plane: usize, top: usize, left: usize) -> Cell {
    let plane = &batch.geometry.planes[plane];
    let start = frame * batch.geometry.frame_samples;
    let samples =
        (0..TILE).step_by(4).flat_map(|down| (0..TILE).step_by(4).map(move |right| (top + down, left + right)));
    let within = samples.filter(|&(row, column)| row < plane.height && column < plane.width);
    let (mut sum, mut count) = (0, 0);
    for (row, column) in within {
        sum += u32::from(batch.raw[start + plane.offset + (row * plane.width + column) * plane.step]);
        count += 1;
    }
    Cell::Gray((sum / u32::max(count, 1)) as u8)
}

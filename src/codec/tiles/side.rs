//! Predictors of tiles and classes of groups, each coded in the context of its neighbours.

use super::nibbles::{Model, Nibbles};
use crate::cpu::SimdLevel;
use crate::cpu::simd::Kernel;
use crate::error::{Error, Result};
use crate::frame::{Band, CodedPlane, Phase, TILE_GROUPS};
use crate::plan::TilePredictor;

/// The symbol of a tile that is what it was in the frame before.
const STILL: u8 = TilePredictor::ALL.len() as u8;
/// What a tile outside the plane counts as.
const OUTSIDE: u8 = 15;

/// Contexts of a tile's symbol: that of the tile left of it and that of the frame before.
const TILE_CONTEXTS: usize = 16 * 16;
/// Contexts of a group's class: those of the groups left, above, and of the frame before.
const CLASS_CONTEXTS: usize = 6 * 6 * 6;

/// Classes that contexts tell apart.
const COARSE: [u8; 16] = [0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5];

/// What is known of one coded plane.
struct Known {
    /// Symbol of each tile of the frame before, replaced as the frame goes on.
    tiles: Vec<u8>,
    /// Class of each group, likewise, as a picture with a row above and a column left of it.
    classes: Vec<u8>,
    stride: usize,
}

/// The state of a band between frames.
pub(super) struct Side {
    known: Vec<Known>,
    /// Models of planes and corners, then of differences from corners.
    models: Vec<[Model; TILE_CONTEXTS + CLASS_CONTEXTS]>,
}

impl Side {
    pub fn new(band: &Band) -> Self {
        let known = |plane: &CodedPlane| {
            let stride = 2 * plane.columns() + 1;
            Known { tiles: vec![STILL; plane.tiles()], classes: vec![0; stride * (2 * plane.rows() + 1)], stride }
        };
        Self {
            known: band.planes.iter().map(known).collect(),
            models: vec![[Model::default(); TILE_CONTEXTS + CLASS_CONTEXTS]; 2],
        }
    }

    /// Codes one frame: a predictor per tile, a class per group.
    ///
    /// # Errors
    /// Corrupt if `nibbles` decodes to what is no predictor.
    pub fn code(
        &mut self,
        simd: SimdLevel,
        nibbles: &mut impl Nibbles,
        band: &Band,
        predictors: &mut [u8],
        classes: &mut [u8],
    ) -> Result<()> {
        simd.run(Code { side: self, nibbles, band, predictors, classes })
    }
}

struct Code<'a, N> {
    side: &'a mut Side,
    nibbles: &'a mut N,
    band: &'a Band,
    predictors: &'a mut [u8],
    classes: &'a mut [u8],
}

impl<N: Nibbles> Kernel for Code<'_, N> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { side, nibbles, band, predictors, classes } = self;
        let mut tiles = predictors.iter_mut().zip(classes.as_chunks_mut::<TILE_GROUPS>().0);
        for (plane, known) in band.planes.iter().zip(&mut side.known) {
            let details = !matches!(plane.phase, Phase::Whole | Phase::Corner);
            let models = &mut side.models[usize::from(details)];
            for row in 0..plane.rows() {
                let mut left = OUTSIDE;
                for column in 0..plane.columns() {
                    let Some((predictor, classes)) = tiles.next() else { return Ok(()) };
                    let at = row * plane.columns() + column;
                    let context = usize::from(left) << 4 | usize::from(known.tiles[at]);
                    let still = *predictor == TilePredictor::Previous as u8 && *classes == [0; TILE_GROUPS];
                    let symbol = nibbles.code(&mut models[context], if still { STILL } else { *predictor });
                    if symbol > STILL {
                        return Err(Error::corrupt(format!("tiles: {symbol} is no predictor")));
                    }
                    (left, known.tiles[at]) = (symbol, symbol);
                    *predictor = if symbol == STILL { TilePredictor::Previous as u8 } else { symbol };
                    for (group, class) in classes.iter_mut().enumerate() {
                        let at = (2 * row + group / 2 + 1) * known.stride + 2 * column + group % 2 + 1;
                        if symbol == STILL {
                            (*class, known.classes[at]) = (0, 0);
                            continue;
                        }
                        let coarse = |at: usize| usize::from(COARSE[usize::from(known.classes[at])]);
                        let context = (coarse(at - 1) * 6 + coarse(at - known.stride)) * 6 + coarse(at);
                        *class = nibbles.code(&mut models[TILE_CONTEXTS + context], *class);
                        known.classes[at] = *class;
                    }
                }
            }
        }
        Ok(())
    }
}

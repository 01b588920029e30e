//! Which groups of a segment are coded, and in which of its codes; and which of their residuals are escaped.
//!
//! **Twin**: `shaders/tiles/list.wgsl`; what is escaped is found by `shaders/ans/lanes.wgsl`.

use super::TileEncoderTables;
use crate::codec::ans::lanes::EncodeTable;
use crate::frame::{Band, GROUP, TILE_GROUPS};

/// Segments of so many coded groups have two codes, each of half of the groups. They are decoded side by side: while
/// one waits for its states, the other has work.
pub const TWO_CODES: usize = 4096;

/// A group to be coded, with its table.
type Coded<'a> = (&'a EncodeTable, &'a [u8; GROUP]);

/// The groups of a segment.
pub(super) struct Listed<'a> {
    /// Class of each group, zeros included.
    pub classes: Vec<u8>,
    /// Groups that are coded.
    pub coded: Vec<Coded<'a>>,
    /// Residuals that their tables have no frequency for, in order.
    pub escapes: Vec<u8>,
}

impl<'a> Listed<'a> {
    /// Lists the groups of whole frames of `band`, as [`TiledFrames`](crate::stage::TiledFrames) has them.
    pub fn new(tables: &'a TileEncoderTables, band: &Band, sums: &[u16], groups: &'a [[u8; GROUP]]) -> Self {
        let mut classes = Vec::with_capacity(sums.len());
        let mut coded = Vec::with_capacity(groups.len());
        let mut escapes = Vec::new();
        let mut groups = groups.iter();
        let mut sums = sums.iter();
        while sums.len() > 0 && band.tiles() > 0 {
            for plane in &band.planes {
                for &sum in sums.by_ref().take(plane.tiles() * TILE_GROUPS) {
                    let class = tables.classes.of(plane.set, sum);
                    classes.push(class);
                    if class > 0
                        && let Some(group) = groups.next()
                    {
                        let encode = &tables.sets[plane.set][usize::from(class) - 1];
                        if super::largest(group) >= encode.sure {
                            escapes.extend(group.iter().filter(|&&residual| encode.escaped[usize::from(residual)]));
                        }
                        coded.push((&encode.table, group));
                    }
                }
            }
        }
        Self { classes, coded, escapes }
    }

    /// The groups of the first code, and those of the second if there is one.
    pub fn codes(&self) -> (&[Coded<'a>], Option<&[Coded<'a>]>) {
        if self.coded.len() < TWO_CODES {
            return (&self.coded, None);
        }
        let (first, second) = self.coded.split_at(self.coded.len().div_ceil(2));
        (first, Some(second))
    }
}

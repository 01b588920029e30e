//! Escaped residuals in their places.
//!
//! **Twin**: `shaders/tiles/escapes.wgsl`.

use super::largest;
use super::tables::ESCAPE;
use crate::error::{Error, Result};
use crate::frame::GROUP;

/// Puts the residuals that were escaped in their places.
pub(super) fn put(groups: &mut [[u8; GROUP]], escapes: &[u8]) -> Result<()> {
    let mut escapes = escapes.iter();
    for group in groups {
        if largest(group) == ESCAPE {
            for residual in group.iter_mut().filter(|residual| **residual == ESCAPE) {
                *residual = *escapes.next().ok_or_else(wrong)?;
            }
        }
    }
    if escapes.next().is_some() { Err(wrong()) } else { Ok(()) }
}

/// Checks that there are as many escaped residuals as places of them.
#[cfg(feature = "gpu")]
pub(crate) fn check(places: usize, escapes: &[u8]) -> Result<()> {
    if places == escapes.len() { Ok(()) } else { Err(wrong()) }
}

fn wrong() -> Error {
    Error::corrupt("tiles: the escaped residuals are not as many as their places")
}

//! A run of coded blocks as numbers, with the surroundings that the model looks at.

use super::{BLOCK, Picture};

/// Columns around the blocks; also the units of whole rows above them.
pub(super) const LEFT: usize = 4;
const RIGHT: usize = 4;
const ABOVE: usize = 2;

/// The most units a window is wide: bounds its memory.
pub(super) const WIDEST: usize = 64 * BLOCK;

/// Units of some blocks beside one another, two rows and some columns around them, and the same of
/// their reference.
#[derive(Default)]
pub(super) struct Window {
    /// Rows `-2..height`.
    pub units: Vec<u64>,
    /// Rows `-1..=height`.
    pub reference: Vec<u64>,
    pub stride: usize,
    pub width: usize,
}

/// Where a window is in a band.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
    /// Whether the block to the right is coded later.
    pub cut: bool,
}

impl Window {
    /// Index of the first unit of row `y` in `units`.
    pub fn start(&self, y: usize) -> usize {
        (y + ABOVE) * self.stride + LEFT
    }

    /// Index of the first unit of row `y` in `reference`.
    pub fn reference_start(&self, y: usize) -> usize {
        (y + 1) * self.stride + LEFT
    }

    /// Takes the units at `place` of a band's `rows`, and what is around them. What is outside the
    /// band, or is coded later, is 0.
    pub fn load(&mut self, picture: Picture, rows: &[u8], place: Place) {
        self.width = place.width;
        self.stride = LEFT + place.width + RIGHT;
        self.units.clear();
        self.units.resize((ABOVE + place.height) * self.stride, 0);
        let left = place.x.min(LEFT);
        let right = RIGHT.min(picture.width - place.x - place.width);
        for (row, units) in self.units.chunks_exact_mut(self.stride).enumerate() {
            let Some(y) = (place.y + row).checked_sub(ABOVE) else { continue };
            let right = if place.cut && row >= ABOVE { 0 } else { right };
            let from = (y * picture.width + place.x - left) * picture.unit_bytes;
            let units = &mut units[LEFT - left..LEFT + place.width + right];
            read(picture.unit_bytes, &rows[from..from + units.len() * picture.unit_bytes], units);
        }
    }

    /// Prepares the reference of a window of `height` rows to be taken block by block.
    pub fn clear_reference(&mut self, height: usize) {
        self.reference.clear();
        self.reference.resize((height + 2) * self.stride, 0);
    }

    /// Takes the reference of the window's units from column `from` on, so many, and of those around
    /// them, from a picture `before` at (`x`, `y`). Outside it, the nearest units stand in. Parts are
    /// taken from left to right.
    pub fn load_reference(&mut self, picture: Picture, before: &[u8], from: usize, width: usize, x: usize, y: usize) {
        let Picture { unit_bytes, .. } = picture;
        // The column to the left belongs to the part there, if there is one.
        let left = usize::from(from == 0);
        let nearest_left = x.saturating_sub(left);
        let nearest_right = (x + width).min(picture.width - 1);
        for (row, units) in self.reference.chunks_exact_mut(self.stride).enumerate() {
            let y = (y + row).saturating_sub(1).min(picture.height - 1);
            let before = &before[y * picture.width * unit_bytes..][..picture.width * unit_bytes];
            let at = LEFT + from;
            read(unit_bytes, &before[x * unit_bytes..][..width * unit_bytes], &mut units[at..at + width]);
            read(unit_bytes, &before[nearest_left * unit_bytes..][..left * unit_bytes], &mut units[at - left..at]);
            read(unit_bytes, &before[nearest_right * unit_bytes..][..unit_bytes], &mut units[at + width..=at + width]);
        }
    }

    /// Puts the units back where [`Window::load`] took them.
    pub fn store(&self, picture: Picture, rows: &mut [u8], place: Place) {
        for y in 0..place.height {
            let to = ((place.y + y) * picture.width + place.x) * picture.unit_bytes;
            let units = &self.units[self.start(y)..][..place.width];
            write(picture.unit_bytes, units, &mut rows[to..to + place.width * picture.unit_bytes]);
        }
    }
}

/// Little-endian units of 1 to 8 bytes as numbers.
fn read(unit_bytes: usize, bytes: &[u8], units: &mut [u64]) {
    fn of<const BYTES: usize>(bytes: &[u8], units: &mut [u64]) {
        for (unit, bytes) in units.iter_mut().zip(bytes.as_chunks::<BYTES>().0) {
            let mut wide = [0; 8];
            wide[..BYTES].copy_from_slice(bytes);
            *unit = u64::from_le_bytes(wide);
        }
    }
    match unit_bytes {
        1 => of::<1>(bytes, units),
        2 => of::<2>(bytes, units),
        3 => of::<3>(bytes, units),
        4 => of::<4>(bytes, units),
        5 => of::<5>(bytes, units),
        6 => of::<6>(bytes, units),
        7 => of::<7>(bytes, units),
        _ => of::<8>(bytes, units),
    }
}

/// The inverse of [`read`].
fn write(unit_bytes: usize, units: &[u64], bytes: &mut [u8]) {
    fn of<const BYTES: usize>(units: &[u64], bytes: &mut [u8]) {
        for (unit, bytes) in units.iter().zip(bytes.as_chunks_mut::<BYTES>().0) {
            bytes.copy_from_slice(&unit.to_le_bytes()[..BYTES]);
        }
    }
    match unit_bytes {
        1 => of::<1>(units, bytes),
        2 => of::<2>(units, bytes),
        3 => of::<3>(units, bytes),
        4 => of::<4>(units, bytes),
        5 => of::<5>(units, bytes),
        6 => of::<6>(units, bytes),
        7 => of::<7>(units, bytes),
        _ => of::<8>(units, bytes),
    }
}

//! **What**: some pages of a buffer, for those who need no more of it.
//!
//! **Forward**: to pages one after another.
//!
//! **Inverse**: back to where they were.
//!
//! **Wire parameters**: none: files have all of a batch.
//!
//! **Twin**: `shaders/pages.wgsl`.

use std::ops::Range;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 256;

/// The pages that have bytes of some places, in order.
pub fn of_places(places: &[Range<usize>]) -> Vec<u32> {
    let page = |place: &Range<usize>| place.start / PAGE_BYTES..place.end.div_ceil(PAGE_BYTES);
    let filled = places.iter().filter(|place| !place.is_empty());
    let mut pages: Vec<u32> = filled.flat_map(page).map(|page| page as u32).collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

/// Copies pages of `content`. What the last one has beyond that is left as it is.
pub fn forward(pages: &[u32], content: &[u8], out: &mut [u8]) {
    for (&page, out) in pages.iter().zip(out.chunks_exact_mut(PAGE_BYTES)) {
        let place = place(page, content.len());
        out[..place.len()].copy_from_slice(&content[place]);
    }
}

/// Copies pages to where they belong in `content`.
pub fn inverse(pages: &[u32], copied: &[u8], content: &mut [u8]) {
    for (&page, copied) in pages.iter().zip(copied.chunks_exact(PAGE_BYTES)) {
        let place = place(page, content.len());
        content[place.clone()].copy_from_slice(&copied[..place.len()]);
    }
}

/// What a page has of so many bytes.
fn place(page: u32, bytes: usize) -> Range<usize> {
    let first = (page as usize * PAGE_BYTES).min(bytes);
    first..bytes.min(first + PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_share_pages() {
        assert_eq!(of_places(&[600..601, 0..0, 10..20, 250..257, 511..513]), [0, 1, 2]);
        assert!(of_places(&[]).is_empty());
    }
}

//! The predictors of tiles, sample by sample.
//!
//! A prediction is made from the neighbours left (w), above (n), above left (nw) and above right
//! (ne; in the last column of a tile that is n again) and from the same places of the frame before
//! (p, pw, pn, pnw), all modulo 256. Every rule is one whose inverse needs no sample of its own row,
//! or is a running sum along it, so that a whole row is restored at a time.

/// What a rule sees.
#[derive(Clone, Copy)]
pub(super) struct Neighbours {
    pub w: u8,
    pub n: u8,
    pub nw: u8,
    pub ne: u8,
    pub p: u8,
    pub pw: u8,
    pub pn: u8,
    pub pnw: u8,
}

/// Half of a difference, rounded down.
#[inline(always)]
pub(super) fn half(difference: u8) -> u8 {
    (difference as i8 >> 1) as u8
}

/// Residuals of sample `x` under every rule, in the order of
/// [`TilePredictor`](crate::plan::TilePredictor).
#[inline(always)]
pub(super) fn residuals(x: u8, neighbours: Neighbours) -> [u8; 12] {
    let Neighbours { w, n, nw, ne, p, pw, pn, pnw } = neighbours;
    let sub = u8::wrapping_sub;
    let (t, dw, dn, dnw) = (sub(x, p), sub(w, pw), sub(n, pn), sub(nw, pnw));
    [
        t,
        sub(t, dw),
        sub(t, dn),
        sub(sub(t, dw), sub(dn, dnw)),
        sub(x, w),
        sub(x, n),
        sub(sub(x, w), sub(n, nw)),
        sub(sub(x, w), half(sub(n, nw))),
        sub(sub(x, w), half(sub(ne, nw))),
        sub(sub(t, dw), half(sub(dn, dnw))),
        sub(t, half(sub(n, p))),
        sub(t, half(dn)),
    ]
}

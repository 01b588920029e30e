// The predictors of tiles, four samples at a time. Twin: src/cpu/tiles/rules.rs.

// What a rule sees: the samples themselves and their neighbours, here and in the frame before.
struct Neighbours {
    x: u32,
    w: u32,
    n: u32,
    nw: u32,
    ne: u32,
    p: u32,
    pw: u32,
    pn: u32,
    pnw: u32,
}

// Word `q` of row `y` of a tile of the input, either of which may be -1; 0 beyond the coded plane.
fn samples_at(place: Place, y: i32, q: i32) -> u32 {
    if (place.row == 0u && y < 0) || (place.column == 0u && q < 0) {
        return 0u;
    }
    let above = select(0u, coded_planes[place.plane].columns, y < 0);
    let left = select(0u, 1u, q < 0);
    return input[(place.tile - above - left) * TILE_WORDS + (u32(y) & 15u) * ROW_WORDS + (u32(q) & 3u)];
}

fn neighbours(place: Place, y: i32, q: i32) -> Neighbours {
    var it: Neighbours;
    it.x = samples_at(place, y, q);
    it.w = bytes_shift_in(it.x, samples_at(place, y, q - 1));
    it.n = samples_at(place, y - 1, q);
    it.nw = bytes_shift_in(it.n, samples_at(place, y - 1, q - 1));
    // In the last column of a tile, above again.
    var right = it.n >> 24u;
    if q < 3 {
        right = samples_at(place, y - 1, q + 1);
    }
    it.ne = bytes_shift_out(it.n, right);
    it.p = 0u;
    it.pw = 0u;
    it.pn = 0u;
    it.pnw = 0u;
    if place.frame > 0u {
        var before = place;
        before.tile -= coded_planes[place.plane].frame_tiles;
        it.p = samples_at(before, y, q);
        it.pw = bytes_shift_in(it.p, samples_at(before, y, q - 1));
        it.pn = samples_at(before, y - 1, q);
        it.pnw = bytes_shift_in(it.pn, samples_at(before, y - 1, q - 1));
    }
    return it;
}

const RULES: u32 = 12u;

// Residuals under every rule.
fn residuals(it: Neighbours) -> array<u32, 12> {
    let t = bytes_sub(it.x, it.p);
    let s = bytes_sub(it.x, it.w);
    let dn = bytes_sub(it.n, it.pn);
    let ds = bytes_sub(t, bytes_sub(it.w, it.pw));
    let step = bytes_sub(it.n, it.nw);
    let dstep = bytes_sub(dn, bytes_sub(it.nw, it.pnw));
    return array<u32, 12>(
        t,
        ds,
        bytes_sub(t, dn),
        bytes_sub(ds, dstep),
        s,
        bytes_sub(it.x, it.n),
        bytes_sub(s, step),
        bytes_sub(s, bytes_half(step)),
        bytes_sub(s, bytes_half(bytes_sub(it.ne, it.nw))),
        bytes_sub(ds, bytes_half(dstep)),
        bytes_sub(t, bytes_half(bytes_sub(it.n, it.p))),
        bytes_sub(t, bytes_half(dn)),
    );
}

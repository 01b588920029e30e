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

fn residuals(rule: u32, it: Neighbours) -> u32 {
    let t = bytes_sub(it.x, it.p);
    let dw = bytes_sub(it.w, it.pw);
    let dn = bytes_sub(it.n, it.pn);
    let dnw = bytes_sub(it.nw, it.pnw);
    switch rule {
        case 0u: { return t; }
        case 1u: { return bytes_sub(t, dw); }
        case 2u: { return bytes_sub(t, dn); }
        case 3u: { return bytes_sub(bytes_sub(t, dw), bytes_sub(dn, dnw)); }
        case 4u: { return bytes_sub(it.x, it.w); }
        case 5u: { return bytes_sub(it.x, it.n); }
        case 6u: { return bytes_sub(bytes_sub(it.x, it.w), bytes_sub(it.n, it.nw)); }
        case 7u: { return bytes_sub(bytes_sub(it.x, it.w), bytes_half(bytes_sub(it.n, it.nw))); }
        case 8u: { return bytes_sub(bytes_sub(it.x, it.w), bytes_half(bytes_sub(it.ne, it.nw))); }
        case 9u: { return bytes_sub(bytes_sub(t, dw), bytes_half(bytes_sub(dn, dnw))); }
        case 10u: { return bytes_sub(t, bytes_half(bytes_sub(it.n, it.p))); }
        default: { return bytes_sub(t, bytes_half(dn)); }
    }
}

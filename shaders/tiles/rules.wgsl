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

// Words that a tile and the rows and columns before it have, here and in the frame before.
const SEEN_COLUMNS: u32 = ROW_WORDS + 1u;
const SEEN_WORDS: u32 = (TILE + 1u) * SEEN_COLUMNS;

// Those of the tiles of a workgroup: of each the words of its own frame, then those of the frame before.
var<workgroup> seen: array<u32, 680>;

// Word `q` of row `y`, either of which may be -1, from word `first` of those on.
fn seen_at(first: u32, y: i32, q: i32) -> u32 {
    return seen[first + u32(y + 1) * SEEN_COLUMNS + u32(q + 1)];
}

// Of tile `within` of the workgroup.
fn neighbours(within: u32, y: i32, q: i32) -> Neighbours {
    let here = within * 2u * SEEN_WORDS;
    let before = here + SEEN_WORDS;
    var it: Neighbours;
    it.x = seen_at(here, y, q);
    it.w = bytes_shift_in(it.x, seen_at(here, y, q - 1));
    it.n = seen_at(here, y - 1, q);
    it.nw = bytes_shift_in(it.n, seen_at(here, y - 1, q - 1));
    // In the last column of a tile, above again.
    var right = it.n >> 24u;
    if q < 3 {
        right = seen_at(here, y - 1, q + 1);
    }
    it.ne = bytes_shift_out(it.n, right);
    it.p = seen_at(before, y, q);
    it.pw = bytes_shift_in(it.p, seen_at(before, y, q - 1));
    it.pn = seen_at(before, y - 1, q);
    it.pnw = bytes_shift_in(it.pn, seen_at(before, y - 1, q - 1));
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

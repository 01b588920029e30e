// The predictor of each tile: the one with the smallest sum of residual magnitudes, each counted up to a most. The earliest
// wins a tie. Twin: src/cpu/tiles/choose.rs.

const MOST: u32 = 31u;

// Tiles of a workgroup: their predictors are a word. An invocation takes a row of a tile.
const WORKGROUP_TILES: u32 = 4u;
const WORKGROUP_LANES: u32 = 64u;
const TILE_GROUPS: u32 = 4u;

var<workgroup> places: array<Place, 4>;
var<workgroup> costs: array<atomic<u32>, 48>;
var<workgroup> best: array<u32, 4>;

fn cost(residuals: u32) -> u32 {
    let magnitudes = bytes_magnitude(residuals);
    return min(magnitudes & 255u, MOST) + min((magnitudes >> 8u) & 255u, MOST)
        + min((magnitudes >> 16u) & 255u, MOST) + min(magnitudes >> 24u, MOST);
}

// Whether a rule is one to choose from.
fn is_tried(rule: u32) -> bool {
    return ((params.rules >> rule) & 1u) == 1u;
}

// Tiles that a workgroup has from `first` on: the last workgroups may have fewer, or none.
fn tiles_from(first: u32) -> u32 {
    return min(params.tiles - min(first, params.tiles), WORKGROUP_TILES);
}

// Loads `tiles` tiles and chooses their predictors. Whatever was written to workgroup memory before is seen by all then.
fn choose(first: u32, tiles: u32, lane: u32) {
    if lane < WORKGROUP_TILES * RULES {
        atomicStore(&costs[lane], 0u);
    }
    if lane < tiles {
        places[lane] = located(first + lane);
    }
    workgroupBarrier();

    for (var word = lane; word < tiles * 2u * SEEN_WORDS; word += WORKGROUP_LANES) {
        var place = places[word / (2u * SEEN_WORDS)];
        let within = word % SEEN_WORDS;
        let is_before = word / SEEN_WORDS % 2u == 1u;
        var samples = 0u;
        if !is_before || place.frame > 0u {
            place.frame -= select(0u, 1u, is_before);
            samples = samples_of(place, is_before, i32(within / SEEN_COLUMNS) - 1, i32(within % SEEN_COLUMNS) - 1);
        }
        seen[word] = samples;
    }
    workgroupBarrier();

    let within = lane / TILE;
    let y = i32(lane % TILE);
    if within < tiles {
        var totals: array<u32, 12>;
        for (var rule = 0u; rule < RULES; rule += 1u) {
            totals[rule] = 0u;
        }
        for (var q = 0; q < 4; q += 1) {
            var found = residuals(neighbours(within, y, q));
            for (var rule = 0u; rule < RULES; rule += 1u) {
                if is_tried(rule) {
                    totals[rule] += cost(found[rule]);
                }
            }
        }
        for (var rule = 0u; rule < RULES; rule += 1u) {
            if is_tried(rule) {
                atomicAdd(&costs[within * RULES + rule], totals[rule]);
            }
        }
    }
    workgroupBarrier();

    if lane < tiles {
        var least = 0xffffffffu;
        best[lane] = 0u;
        for (var rule = 0u; rule < RULES; rule += 1u) {
            let sum = atomicLoad(&costs[lane * RULES + rule]);
            if is_tried(rule) && sum < least {
                least = sum;
                best[lane] = rule;
            }
        }
    }
    workgroupBarrier();
}

// Residuals of word `q` of the row of an invocation, zigzag-mapped, once a predictor is chosen.
fn chosen_residuals(lane: u32, q: u32) -> u32 {
    let within = lane / TILE;
    var found = residuals(neighbours(within, i32(lane % TILE), i32(q)));
    return bytes_zigzag(found[min(best[within], RULES - 1u)]);
}

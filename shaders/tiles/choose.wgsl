// Raw frames to tiles: the predictor of each tile, its residuals, zigzag-mapped, in the order of their groups, and the
// class of each group. Twin: src/cpu/tiles/choose.rs.
//
// The predictor is the one with the smallest sum of residual magnitudes, each counted up to a most. The earliest wins a
// tie. Raw frames are read once, and nothing but groups that have residuals is written of them.

const MOST: u32 = 31u;

// Tiles of a workgroup: their predictors are a word.
const WORKGROUP_TILES: u32 = 4u;
const WORKGROUP_LANES: u32 = 64u;
const TILE_GROUPS: u32 = 4u;

// Classes of groups, a byte each.
@group(0) @binding(3) var<storage, read_write> classes: array<u32>;

var<workgroup> places: array<Place, 4>;
var<workgroup> costs: array<atomic<u32>, 48>;
var<workgroup> best: array<u32, 4>;
// Of the residuals of each group.
var<workgroup> sums: array<atomic<u32>, 16>;

fn cost(residuals: u32) -> u32 {
    let magnitudes = bytes_magnitude(residuals);
    return min(magnitudes & 255u, MOST) + min((magnitudes >> 8u) & 255u, MOST)
        + min((magnitudes >> 16u) & 255u, MOST) + min(magnitudes >> 24u, MOST);
}

// Two levels an octave.
fn level(sum: u32) -> u32 {
    let exponent = firstLeadingBit(sum);
    if exponent == 0u {
        return 0u;
    }
    return min((exponent << 1u) | ((sum >> (exponent - 1u)) & 1u), 31u);
}

fn class_of(statistics: u32, sum: u32) -> u32 {
    if sum == 0u {
        return 0u;
    }
    let its_level = level(sum);
    return (params.classes[statistics][its_level / 8u] >> (4u * (its_level % 8u))) & 15u;
}

// An invocation takes a row of a tile.
@compute @workgroup_size(WORKGROUP_LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = workgroup_number(id, count) * WORKGROUP_TILES;
    // The last workgroups may have fewer tiles, or none.
    let tiles = min(params.tiles - min(first, params.tiles), WORKGROUP_TILES);
    if lane < WORKGROUP_TILES * RULES {
        atomicStore(&costs[lane], 0u);
    }
    if lane < WORKGROUP_TILES * TILE_GROUPS {
        atomicStore(&sums[lane], 0u);
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
            samples = samples_of(place, i32(within / SEEN_COLUMNS) - 1, i32(within % SEEN_COLUMNS) - 1);
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
                totals[rule] += cost(found[rule]);
            }
        }
        for (var rule = 0u; rule < RULES; rule += 1u) {
            atomicAdd(&costs[within * RULES + rule], totals[rule]);
        }
    }
    workgroupBarrier();

    if lane < tiles {
        var least = 0xffffffffu;
        best[lane] = 0u;
        for (var rule = 0u; rule < RULES; rule += 1u) {
            let sum = atomicLoad(&costs[lane * RULES + rule]);
            if ((params.rules >> rule) & 1u) == 1u && sum < least {
                least = sum;
                best[lane] = rule;
            }
        }
    }
    workgroupBarrier();

    // The row has parts of two groups, which are side by side.
    let group = within * TILE_GROUPS + lane % TILE / 8u * 2u;
    var row: array<u32, 4>;
    if within < tiles {
        for (var side = 0u; side < 2u; side += 1u) {
            var sum = 0u;
            for (var q = 2u * side; q < 2u * side + 2u; q += 1u) {
                var found = residuals(neighbours(within, y, i32(q)));
                row[q] = bytes_zigzag(found[min(best[within], RULES - 1u)]);
                let pairs = (row[q] & 0x00ff00ffu) + ((row[q] >> 8u) & 0x00ff00ffu);
                sum += (pairs & 0xffffu) + (pairs >> 16u);
            }
            atomicAdd(&sums[group + side], sum);
        }
    }
    workgroupBarrier();

    if within < tiles {
        for (var side = 0u; side < 2u; side += 1u) {
            if atomicLoad(&sums[group + side]) > 0u {
                // Groups have eight rows of two words.
                let to = (first * TILE_GROUPS + group + side) * 16u + lane % 8u * 2u;
                output[to] = row[2u * side];
                output[to + 1u] = row[2u * side + 1u];
            }
        }
    }
    if lane < tiles {
        let statistics = coded_planes[places[lane].plane].statistics;
        var of_tile = 0u;
        for (var at = 0u; at < TILE_GROUPS; at += 1u) {
            of_tile |= class_of(statistics, atomicLoad(&sums[lane * TILE_GROUPS + at])) << (8u * at);
        }
        classes[first + lane] = of_tile;
    }
    if lane == 0u && tiles > 0u {
        var predictors = 0u;
        for (var at = 0u; at < tiles; at += 1u) {
            predictors |= best[at] << (8u * at);
        }
        output[params.tiles * TILE_WORDS + first / WORKGROUP_TILES] = predictors;
    }
}

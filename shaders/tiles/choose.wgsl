// The predictor of each tile: the one with the smallest sum of residual magnitudes, each counted up
// to a most. The earliest wins a tie. Twin: src/cpu/tiles/choose.rs.

const MOST: u32 = 31u;

// Tiles of a workgroup: their predictors are a word.
const WORKGROUP_TILES: u32 = 4u;

var<workgroup> costs: array<atomic<u32>, 48>;

fn cost(residuals: u32) -> u32 {
    let magnitudes = bytes_magnitude(residuals);
    return min(magnitudes & 255u, MOST) + min((magnitudes >> 8u) & 255u, MOST)
        + min((magnitudes >> 16u) & 255u, MOST) + min(magnitudes >> 24u, MOST);
}

// An invocation adds up a row of a tile.
@compute @workgroup_size(64)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if lane < WORKGROUP_TILES * RULES {
        atomicStore(&costs[lane], 0u);
    }
    workgroupBarrier();

    let first = workgroup_number(id, count) * WORKGROUP_TILES;
    let tile = first + lane / TILE;
    if tile < params.tiles {
        let place = located(tile);
        var sums: array<u32, 12>;
        for (var rule = 0u; rule < RULES; rule += 1u) {
            sums[rule] = 0u;
        }
        for (var q = 0; q < 4; q += 1) {
            var found = residuals(neighbours(place, i32(lane % TILE), q));
            for (var rule = 0u; rule < RULES; rule += 1u) {
                sums[rule] += cost(found[rule]);
            }
        }
        for (var rule = 0u; rule < RULES; rule += 1u) {
            atomicAdd(&costs[lane / TILE * RULES + rule], sums[rule]);
        }
    }
    workgroupBarrier();

    if lane == 0u && first < params.tiles {
        var predictors = 0u;
        for (var within = 0u; within < min(WORKGROUP_TILES, params.tiles - first); within += 1u) {
            var least = 0xffffffffu;
            var best = 0u;
            for (var rule = 0u; rule < RULES; rule += 1u) {
                let sum = atomicLoad(&costs[within * RULES + rule]);
                if ((params.rules >> rule) & 1u) == 1u && sum < least {
                    least = sum;
                    best = rule;
                }
            }
            predictors |= best << (8u * within);
        }
        output[params.tiles * TILE_WORDS + first / WORKGROUP_TILES] = predictors;
    }
}

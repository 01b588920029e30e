// Raw frames to tiles: the predictor of each tile, its residuals, zigzag-mapped, in the order of their groups, and the
// class of each group. Twin: src/cpu/tiles/choose.rs.
//
// Raw frames are read once, and nothing but groups that have residuals is written of them.

// Classes of groups, a byte each.
@group(0) @binding(3) var<storage, read_write> classes: array<u32>;

// Of the residuals of each group.
var<workgroup> sums: array<atomic<u32>, 16>;

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

@compute @workgroup_size(WORKGROUP_LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = workgroup_number(id, count) * WORKGROUP_TILES;
    let tiles = tiles_from(first);
    if lane < WORKGROUP_TILES * TILE_GROUPS {
        atomicStore(&sums[lane], 0u);
    }
    choose(first, tiles, lane);

    // The row has parts of two groups, which are side by side.
    let within = lane / TILE;
    let group = within * TILE_GROUPS + lane % TILE / 8u * 2u;
    var row: array<u32, 4>;
    if within < tiles {
        for (var side = 0u; side < 2u; side += 1u) {
            var sum = 0u;
            for (var q = 2u * side; q < 2u * side + 2u; q += 1u) {
                row[q] = chosen_residuals(lane, q);
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

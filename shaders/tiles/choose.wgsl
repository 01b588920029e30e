// Raw frames to tiles: the predictor of each tile, its residuals, zigzag-mapped, in the order of their groups, and the
// class of each group. Twin: src/cpu/tiles/choose.rs.
//
// Raw frames are read once, and nothing but groups that have residuals is written of them, each half of them in as few
// bits a residual as all of it fits, of 8, 4, 2 and 1. How often 8 bits are halved is in two bits for each half above the class of a group.

// What frames but the first are predicted from: the input again, or frames that are expected.
@group(0) @binding(5) var<storage, read> earlier: array<u32>;

fn earlier_sample(at: u32) -> u32 {
    return (earlier[at / 4u] >> (8u * (at % 4u))) & 255u;
}

// Of the residuals of each group.
var<workgroup> sums: array<atomic<u32>, 16>;
// The bits that residuals of each half have, and its words if it is narrow.
var<workgroup> used_bits: array<atomic<u32>, 32>;
var<workgroup> narrow: array<atomic<u32>, 128>;

// How often 8 bits are halved for the residuals of a half.
fn halvings(half: u32) -> u32 {
    let words = atomicLoad(&used_bits[half]);
    let bytes = words | (words >> 16u);
    let bits = (bytes | (bytes >> 8u)) & 255u;
    return select(0u, 1u, bits < 16u) + select(0u, 1u, bits < 4u) + select(0u, 1u, bits < 2u);
}

// Four residuals in `bits` bits each: 4, 2 or 1.
fn narrowed(word: u32, bits: u32) -> u32 {
    let pairs = (word | (word >> (8u - bits))) & (((1u << (2u * bits)) - 1u) * 0x00010001u);
    return (pairs | (pairs >> (16u - 2u * bits))) & ((1u << (4u * bits)) - 1u);
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
    if lane < 32u {
        atomicStore(&used_bits[lane], 0u);
    }
    atomicStore(&narrow[lane], 0u);
    atomicStore(&narrow[lane + WORKGROUP_LANES], 0u);
    choose(first, tiles, lane);

    // The row has parts of two groups, which are side by side.
    let within = lane / TILE;
    let group = within * TILE_GROUPS + lane % TILE / 8u * 2u;
    // Where it is in a half of either.
    let half = lane % 8u / 4u;
    let half_row = lane % 4u;
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
            atomicOr(&used_bits[2u * (group + side) + half], row[2u * side] | row[2u * side + 1u]);
        }
    }
    workgroupBarrier();

    if within < tiles {
        for (var side = 0u; side < 2u; side += 1u) {
            let it = 2u * (group + side) + half;
            let bits = 8u >> halvings(it);
            if bits == 8u {
                // Groups have eight rows of two words.
                let to = (first * TILE_GROUPS + group + side) * 16u + lane % 8u * 2u;
                output[to] = row[2u * side];
                output[to + 1u] = row[2u * side + 1u];
            } else {
                let of_row = narrowed(row[2u * side], bits) | (narrowed(row[2u * side + 1u], bits) << (4u * bits));
                let at = half_row * 8u * bits;
                atomicOr(&narrow[4u * it + at / 32u], of_row << (at % 32u));
            }
        }
    }
    workgroupBarrier();

    if within < tiles {
        for (var side = 0u; side < 2u; side += 1u) {
            let it = 2u * (group + side) + half;
            // A half has as many words as a residual has bits.
            let words = 8u >> halvings(it);
            if words < 8u && half_row < words && atomicLoad(&sums[group + side]) > 0u {
                let to = (first * TILE_GROUPS + group + side) * 16u + half * 8u + half_row;
                output[to] = atomicLoad(&narrow[4u * it + half_row]);
            }
        }
    }
    if lane < tiles {
        let statistics = coded_planes[places[lane].plane].statistics;
        var of_tile = 0u;
        for (var at = 0u; at < TILE_GROUPS; at += 1u) {
            let it = lane * TILE_GROUPS + at;
            let its_class = class_of(statistics, atomicLoad(&sums[it]));
            let its_halvings = (halvings(2u * it) << 4u) | (halvings(2u * it + 1u) << 6u);
            of_tile |= select(0u, its_class | its_halvings, its_class > 0u) << (8u * at);
        }
        output[first_class() + first + lane] = of_tile;
    }
    if lane == 0u && tiles > 0u {
        var predictors = 0u;
        for (var at = 0u; at < tiles; at += 1u) {
            predictors |= best[at] << (8u * at);
        }
        output[params.tiles * TILE_WORDS + first / WORKGROUP_TILES] = predictors;
    }
}

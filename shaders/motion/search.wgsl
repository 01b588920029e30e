// What blocks find by themselves. Twin: src/motion/search.rs.

// Whole samples in each direction from the best of what is known beforehand.
const RANGE: i32 = 12;
const SIDE: u32 = 25u;
// Seeds, and no motion before them.
const SEEDS: u32 = 6u;
// Steps of a light search by whole samples: the first in quarters of one, the others half as far.
const LONG_STEPS: u32 = 3u;
const LONGEST_STEP: i32 = 16;
// How often a light search goes on by steps of a size.
const TIMES: u32 = 2u;
// Bits of the number of a place all around.
const PLACE_BITS: u32 = 10u;

// The least cost of what is all around, and below it the number of the place.
var<workgroup> least: atomic<u32>;

// Where a unit went in the frame before, as this filter would have it.
fn seed(column: i32, row: i32) -> vec2<i32> {
    if column < 0 || row < 0 || column >= i32(2u * params.across) || row >= i32(2u * params.down) {
        return vec2<i32>(0);
    }
    let vector = unpacked(output[params.last + u32(row) * 2u * params.across + u32(column)]);
    return vector & vec2<i32>(i32(~3u | params.phases));
}

// What a lane tries first: no motion, the block in the frame before, and those around it.
fn first_vector(place: vec2<u32>, at: u32) -> vec2<i32> {
    let unit = vec2<i32>(2u * place);
    switch at {
        case 1u: { return seed(unit.x, unit.y); }
        case 2u: { return seed(unit.x - 2, unit.y); }
        case 3u: { return seed(unit.x + 2, unit.y); }
        case 4u: { return seed(unit.x, unit.y - 2); }
        case 5u: { return seed(unit.x, unit.y + 2); }
        default: { return vec2<i32>(0); }
    }
}

// Left, right, up and down from the best to whatever is better.
fn descend(block: Area, lane: u32, before: Found, step: i32, goes_on: bool) -> Found {
    var best = before;
    for (var time = 0u; time < TIMES; time += 1u) {
        let at = lane / UNITS;
        let distance = select(-step, step, at % 2u == 1u);
        let to = select(vec2<i32>(0, distance), vec2<i32>(distance, 0), at < 2u);
        try_vector(block, block, lane, best.vector + to, goes_on && at < 4u);
        best = best_of_block(best, vec2<i32>(0), 4u);
    }
    return best;
}

// All whole samples around a vector, in rows from the top.
fn all_around(block: Area, lane: u32, before: Found, goes_on: bool) -> Found {
    let middle = before.vector & vec2<i32>(~3);
    if lane == 0u {
        atomicStore(&least, 0xffffffffu);
    }
    workgroupBarrier();
    if goes_on {
        var own_least = 0xffffffffu;
        for (var place = lane; place < SIDE * SIDE; place += WORKGROUP_LANES) {
            let vector = middle + 4 * vec2<i32>(i32(place % SIDE) - RANGE, i32(place / SIDE) - RANGE);
            if reaches(vector, block) {
                var cost = cost_beside(vector, vec2<i32>(0));
                for (var unit = 0u; unit < UNITS; unit += 1u) {
                    cost += unit_difference(block, unit, vector);
                }
                own_least = min(own_least, (cost << PLACE_BITS) | place);
            }
        }
        atomicMin(&least, own_least);
    }
    workgroupBarrier();
    let found = atomicLoad(&least);
    if (found >> PLACE_BITS) >= before.cost {
        return before;
    }
    let place = found & ((1u << PLACE_BITS) - 1u);
    let vector = middle + 4 * vec2<i32>(i32(place % SIDE) - RANGE, i32(place / SIDE) - RANGE);
    let cost = found >> PLACE_BITS;
    return Found(vector, cost - cost_beside(vector, vec2<i32>(0)), cost);
}

@compute @workgroup_size(WORKGROUP_LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.across * params.down {
        return;
    }
    let row = divided(number, params.across);
    let place = row.yx;
    let block = area_of(place, BLOCK);
    load_own(block, lane);
    let at = lane / UNITS;
    try_vector(block, block, lane, first_vector(place, at), at < SEEDS);
    var best = best_of_block(NOTHING, vec2<i32>(0), SEEDS);
    // Nothing is better than what leaves nothing. All lanes go along, because they wait for each other.
    let goes_on = best.difference > 0u;
    if params.follows != 0u {
        for (var step = 0u; step < LONG_STEPS; step += 1u) {
            best = descend(block, lane, best, LONGEST_STEP >> step, goes_on);
        }
        for (var step = 0u; step < params.steps; step += 1u) {
            best = descend(block, lane, best, step_length(step), goes_on);
        }
    } else {
        best = all_around(block, lane, best, goes_on);
        for (var step = 0u; step < params.steps; step += 1u) {
            let vector = best.vector + step_length(step) * place_around(at);
            try_vector(block, block, lane, vector, goes_on && at < 8u);
            best = best_of_block(best, vec2<i32>(0), 8u);
        }
    }
    if lane == 0u {
        output[params.found + number] = packed(best.vector);
    }
}

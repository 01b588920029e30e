// What the units of blocks move by, once it is known what all blocks found. Twin: src/motion/settle.rs.

// What it costs that a block falls into units.
const SPLIT_COST: u32 = 64u;
// What is known: of the block, what is expected, and of those around it.
const KNOWN: u32 = 10u;

struct Known {
    vector: vec2<i32>,
    exists: bool,
}

// What a block found.
fn found_at(place: vec2<i32>) -> Known {
    let blocks = vec2<i32>(i32(params.across), i32(params.down));
    if any(place < vec2<i32>(0)) || any(place >= blocks) {
        return Known(vec2<i32>(0), false);
    }
    return Known(unpacked(output[params.found + u32(place.y) * params.across + u32(place.x)]), true);
}

fn middle(a: vec2<i32>, b: vec2<i32>, c: vec2<i32>) -> vec2<i32> {
    return max(min(a, b), min(max(a, b), c));
}

// What the vector of a block is expected to be: src/motion/mod.rs.
fn expected(place: vec2<i32>) -> vec2<i32> {
    var corner = found_at(place + vec2<i32>(1, -1));
    if !corner.exists {
        corner = found_at(place - vec2<i32>(1));
    }
    return middle(found_at(place - vec2<i32>(1, 0)).vector, found_at(place - vec2<i32>(0, 1)).vector, corner.vector);
}

fn known(place: vec2<i32>, beside: vec2<i32>, at: u32) -> Known {
    if at == 0u {
        return found_at(place);
    }
    if at == 1u {
        return Known(beside, true);
    }
    if at >= KNOWN {
        return Known(vec2<i32>(0), false);
    }
    return found_at(place + place_around(at - 2u));
}

// The best for a unit of what the first lanes have tried, so many vectors for each.
fn best_of_unit(before: Found, beside: vec2<i32>, unit: u32, vectors: u32) -> Found {
    var best = before;
    for (var at = 0u; at < vectors; at += 1u) {
        let lane = at * UNITS + unit;
        best = better(best, unpacked(tried[lane]), differences[lane], beside);
    }
    return best;
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
    let place = vec2<i32>(divided(number, params.across).yx);
    let block = area_of(vec2<u32>(place), BLOCK);
    load_own(block, lane);
    let at = lane / UNITS;
    let unit = lane % UNITS;
    let beside = expected(place);
    let of_lane = known(place, beside, at);
    try_vector(block, block, lane, of_lane.vector, of_lane.exists);
    let best = best_of_block(NOTHING, beside, KNOWN);
    let may_split = best.difference > SPLIT_COST && all(block.size == vec2<i32>(i32(BLOCK)));

    // The best of the block, and then what is known, for each unit.
    let area = area_of(2u * vec2<u32>(place) + vec2<u32>(unit % 2u, unit / 2u), UNIT);
    let other = known(place, beside, max(at, 1u) - 1u);
    let vector = select(other.vector, best.vector, at == 0u);
    try_vector(block, area, lane, vector, may_split && at <= KNOWN && (at == 0u || other.exists));
    var of_unit = best_of_unit(NOTHING, best.vector, unit, KNOWN + 1u);
    if params.follows == 0u {
        for (var step = 0u; step < params.steps; step += 1u) {
            let around = of_unit.vector + step_length(step) * place_around(at);
            try_vector(block, area, lane, around, may_split && at < 8u);
            of_unit = best_of_unit(of_unit, best.vector, unit, 8u);
        }
    }
    workgroupBarrier();
    differences[lane] = of_unit.cost;
    workgroupBarrier();
    var sum = SPLIT_COST;
    if may_split {
        for (var other_unit = 0u; other_unit < UNITS; other_unit += 1u) {
            sum += differences[other_unit];
        }
    }
    let splits = may_split && sum < best.difference;
    if lane < UNITS {
        let of_field = 2u * vec2<u32>(place) + vec2<u32>(unit % 2u, unit / 2u);
        let moves = select(best.vector, of_unit.vector, splits);
        output[params.field + of_field.y * 2u * params.across + of_field.x] = packed(moves);
    }
}

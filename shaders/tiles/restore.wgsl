// Tiles from their residuals, row by row. Twin: src/cpu/tiles/restore.rs.
//
// A tile needs the ones left, above and above left, and the same four of the frame before. So tiles
// of which column, row and frame add up to the same number are restored side by side, a workgroup
// for each coded plane of a band. Where frames move, they are restored one by one, and the samples of the frame before are
// replaced by those that are expected (shaders/motion/expect.wgsl).

const WORKGROUP_LANES: u32 = 64u;

// The bits of the rules that work on the difference from the frame before.
const TEMPORAL: u32 = 0xa0fu;
// The bits of the rules that are running sums along a row.
const RUNNING: u32 = 0x3dau;

fn has(rules: u32, rule: u32) -> bool {
    return ((rules >> rule) & 1u) == 1u;
}

// Word `q` of row `y` of the frame before.
fn previous_at(place: Place, y: u32, q: u32) -> u32 {
    if place.frame == 0u {
        return 0u;
    }
    return output[(place.tile - coded_planes[place.plane].frame_tiles) * TILE_WORDS + y * ROW_WORDS + q];
}

// Word `q` of row `y` of a restored tile, as `rule` sees it.
fn restored(place: Place, rule: u32, y: u32, q: u32) -> u32 {
    let samples = output[place.tile * TILE_WORDS + y * ROW_WORDS + q];
    if has(TEMPORAL, rule) {
        return bytes_sub(samples, previous_at(place, y, q));
    }
    return samples;
}

// The same of another tile of this frame, `tiles` back, which is 0 where there is none.
fn restored_back(place: Place, rule: u32, tiles: u32, exists: bool, y: u32, q: u32) -> u32 {
    if !exists {
        return 0u;
    }
    var other = place;
    other.tile -= tiles;
    return restored(other, rule, y, q);
}

fn residual_at(tile: u32, y: u32, q: u32) -> u32 {
    let group = y / 8u * 2u + q / 2u;
    return bytes_unzigzag(input[tile * TILE_WORDS + group * 16u + y % 8u * 2u + q % 2u]);
}

// What is added to the residual; for running sums, before summing.
fn step_of(rule: u32, n: u32, nw: u32, ne: u32, p: u32) -> u32 {
    switch rule {
        case 2u, 5u: { return n; }
        case 3u, 6u: { return bytes_sub(n, nw); }
        case 7u, 9u: { return bytes_half(bytes_sub(n, nw)); }
        case 8u: { return bytes_half(bytes_sub(ne, nw)); }
        case 10u: { return bytes_add(p, bytes_half(bytes_sub(n, p))); }
        case 11u: { return bytes_half(n); }
        default: { return 0u; }
    }
}

fn restore(place: Place) {
    let rule = (input[params.tiles * TILE_WORDS + place.tile / 4u] >> (8u * (place.tile % 4u))) & 15u;
    let columns = coded_planes[place.plane].columns;
    let has_left = place.column > 0u;
    let has_above = place.row > 0u;
    var above: array<u32, 4>;
    for (var q = 0u; q < ROW_WORDS; q += 1u) {
        above[q] = restored_back(place, rule, columns, has_above, 15u, q);
    }
    var left_above = restored_back(place, rule, columns + 1u, has_left && has_above, 15u, 3u);
    for (var y = 0u; y < TILE; y += 1u) {
        let left_of_row = restored_back(place, rule, 1u, has_left, y, 3u);
        var left = left_of_row;
        for (var q = 0u; q < ROW_WORDS; q += 1u) {
            let n = above[q];
            let nw = bytes_shift_in(n, left_above);
            var right = n >> 24u;
            if q < 3u {
                right = above[q + 1u];
            }
            let ne = bytes_shift_out(n, right);
            let p = previous_at(place, y, q);
            var value = bytes_add(residual_at(place.tile, y, q), step_of(rule, n, nw, ne, p));
            if has(RUNNING, rule) {
                value = bytes_add(bytes_prefix_sum(value), (left >> 24u) * ONES);
            }
            let samples = select(value, bytes_add(value, p), has(TEMPORAL, rule));
            output[place.tile * TILE_WORDS + y * ROW_WORDS + q] = samples;
            left_above = n;
            left = value;
            above[q] = value;
        }
        left_above = left_of_row;
    }
}

@compute @workgroup_size(WORKGROUP_LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.bands * params.planes {
        return;
    }
    let plane = coded_planes[number];
    let all_frames = params.end_frame - params.first_frame;
    // A coded plane without tiles has no steps.
    let steps = select(0u, plane.columns + plane.rows + all_frames - 2u, plane.columns * plane.rows > 0u);
    // Frames of which a step has tiles, at most, less one.
    let reach = plane.columns + plane.rows - 2u;
    for (var step = 0u; step < steps; step += 1u) {
        let first_frame = step - min(step, reach);
        let frames = min(step, all_frames - 1u) + 1u - first_frame;
        for (var slot = lane; slot < frames * plane.rows; slot += WORKGROUP_LANES) {
            let within = divided(slot, plane.rows);
            let frame = first_frame + within.x;
            let row = within.y;
            let column = step - frame - row;
            if frame + row <= step && column < plane.columns {
                let of_batch = params.first_frame + frame;
                let of_frame = plane.band_first + of_batch * plane.frame_tiles + plane.first;
                restore(Place(of_frame + row * plane.columns + column, number, of_batch, column, row));
            }
        }
        // The next step reads what this one wrote.
        storageBarrier();
    }
}

// Raw frames to planes and back, with subtract-green. Twin: src/cpu/colour.rs.

struct Colour {
    frames: u32,
    // Samples of a raw frame.
    frame_samples: u32,
    // Forward: whether this plane is a difference from plane 1. Inverse: whether planes 0 and 2 are.
    subtract_green: u32,
    // Forward: offset of plane 1 in a raw frame.
    green_offset: u32,
    // Forward: the plane. Its first unit, its samples in a frame, and where they are in a raw frame.
    base: u32,
    plane_samples: u32,
    offset: u32,
    step: u32,
    // Inverse: first units of the padded planes.
    bases: vec4<u32>,
    // Inverse: the runs of a raw frame in which planes of one size take turns, as (planes, width,
    // height, units of a padded row).
    groups: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Colour;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let unit = workgroup_number(id, count) * LANES + lane;
    let samples = params.frames * params.plane_samples;
    let start = unit * UNIT_SAMPLES;
    if start >= samples {
        return;
    }
    var frame_start = (start / params.plane_samples) * params.frame_samples;
    var at = start % params.plane_samples;
    var value = vec2<u32>(0u, 0u);
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        if start + k >= samples {
            break;
        }
        let within = frame_start + at * params.step;
        var sample = input_sample(0u, within + params.offset);
        if params.subtract_green != 0u {
            sample = sample_sub(sample, input_sample(0u, within + params.green_offset));
        }
        value = unit_with(value, k, sample);
        at += 1u;
        if at == params.plane_samples {
            at = 0u;
            frame_start += params.frame_samples;
        }
    }
    store_output(params.base + unit, value);
}

// Sample `x` of row `row` (counted over all frames) of a padded plane.
fn padded_sample(plane: u32, row: u32, pitch: u32, x: u32) -> vec2<u32> {
    let unit = params.bases[plane & 3u] + row * pitch + x / UNIT_SAMPLES;
    return unit_sample(load_input(unit), x % UNIT_SAMPLES);
}

@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let unit = workgroup_number(id, count) * LANES + lane;
    let samples = params.frames * params.frame_samples;
    let start = unit * UNIT_SAMPLES;
    if start >= samples {
        return;
    }
    // Divisions find the first sample of the unit; the others follow by counting on.
    var frame = start / params.frame_samples;
    var within = start % params.frame_samples;
    var first_plane = 0u;
    var number = 0u;
    var group = params.groups[0];
    for (; number < 3u; number += 1u) {
        let length = group.x * group.y * group.z;
        if within < length {
            break;
        }
        within -= length;
        first_plane += group.x;
        group = params.groups[number + 1u];
    }
    var member = within % group.x;
    let pixel = within / group.x;
    var x = pixel % group.y;
    var y = pixel / group.y;

    var value = vec2<u32>(0u, 0u);
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        if start + k >= samples {
            break;
        }
        let plane = first_plane + member;
        let row = frame * group.z + y;
        var sample = padded_sample(plane, row, group.w, x);
        if params.subtract_green != 0u && (plane == 0u || plane == 2u) {
            sample = sample_add(sample, padded_sample(1u, row, group.w, x));
        }
        value = unit_with(value, k, sample);

        member += 1u;
        if member == group.x {
            member = 0u;
            x += 1u;
        }
        if x == group.y {
            x = 0u;
            y += 1u;
        }
        if y == group.z {
            y = 0u;
            first_plane += group.x;
            number += 1u;
            group = params.groups[number & 3u];
            if number == 4u || group.x == 0u {
                number = 0u;
                group = params.groups[0];
                first_plane = 0u;
                frame += 1u;
            }
        }
    }
    store_output(unit, value);
}

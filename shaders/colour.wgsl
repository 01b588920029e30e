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
    let last_frame = (params.frames - 1u) * params.frame_samples;
    let position = divided(start, params.plane_samples);
    var frame_start = position.x * params.frame_samples;
    var at = position.y;
    var value = vec2<u32>(0u, 0u);
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        // Past the last frame there is nothing to read, and what is stored there is unspecified.
        let within = min(frame_start, last_frame) + at * params.step;
        var sample = input_sample(0u, within + params.offset);
        if params.subtract_green != 0u {
            sample = sample_sub(sample, input_sample(0u, within + params.green_offset));
        }
        value = unit_with(value, k, sample);
        at += 1u;
        let next_frame = at == params.plane_samples;
        at = select(at, 0u, next_frame);
        frame_start += select(0u, params.frame_samples, next_frame);
    }
    store_output(params.base + unit, value);
}

// First unit of a padded plane, without a dynamic index.
fn padded_base(plane: u32) -> u32 {
    let bases = params.bases;
    return select(select(bases.x, bases.y, plane == 1u), select(bases.z, bases.w, plane == 3u), plane >= 2u);
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
    let position = divided(start, params.frame_samples);
    var frame = position.x;
    var within = position.y;
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
    let pixel = divided(within, group.x);
    var member = pixel.y;
    let row_column = divided(pixel.x, group.y);
    var y = row_column.x;
    var x = row_column.y;

    var value = vec2<u32>(0u, 0u);
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        // Past the last frame there is nothing to read, and what is stored there is unspecified.
        let row = min(frame, params.frames - 1u) * group.z + y;
        let within_plane = row * group.w + x / UNIT_SAMPLES;
        let plane = first_plane + member;
        var sample = unit_sample(load_input(padded_base(plane) + within_plane), x % UNIT_SAMPLES);
        if params.subtract_green != 0u {
            let green = unit_sample(load_input(params.bases.y + within_plane), x % UNIT_SAMPLES);
            sample = select(sample, sample_add(sample, green), plane == 0u || plane == 2u);
        }
        value = unit_with(value, k, sample);

        // Branches are dear where they part neighbours, so only the rare one is one.
        member += 1u;
        let next_x = member == group.x;
        member = select(member, 0u, next_x);
        x += select(0u, 1u, next_x);
        let next_y = x == group.y;
        x = select(x, 0u, next_y);
        y += select(0u, 1u, next_y);
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

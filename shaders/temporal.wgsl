// Differences of a plane from the frame before, and back. Twin: src/cpu/temporal.rs.

struct Temporal {
    // First unit of the plane.
    base: u32,
    frames: u32,
    // Forward: samples of a dense frame. Inverse: units of a padded frame.
    frame_length: u32,
}

@group(0) @binding(0) var<uniform> params: Temporal;

// All frames but the first.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = params.frame_length;
    let last = params.frames * params.frame_length;
    let unit = first / UNIT_SAMPLES + workgroup_number(id, count) * LANES + lane;
    let start = unit * UNIT_SAMPLES;
    if start >= last {
        return;
    }
    let previous = input_run_before(params.base, start, params.frame_length);
    let difference = unit_sub(load_input(params.base + unit), previous);
    store_samples(params.base, unit, difference, first, last);
}

// An invocation sums up one unit over all frames.
@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let within = workgroup_number(id, count) * LANES + lane;
    if within >= params.frame_length {
        return;
    }
    var unit = params.base + within;
    var sum = load_output(unit);
    for (var frame = 1u; frame < params.frames; frame += 1u) {
        unit += params.frame_length;
        sum = unit_add(sum, load_output(unit));
        store_output(unit, sum);
    }
}

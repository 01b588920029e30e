// Residuals of a spatial predictor and back. Twin: src/cpu/predict.rs.
//
// Forward goes from a dense plane to a dense plane. The inverse is made of parts:
// 1. `inverse_zigzag`: dense residuals to padded ones, zigzag undone;
// 2. in place, a running sum along rows (`inverse_left`), down columns (`inverse_up`), both of them
//    (gradient), or `inverse_wavefront` (average and median).

// The predictor's id in a plan.
override PREDICTOR: u32 = 0u;

const LEFT: u32 = 1u;
const UP: u32 = 2u;
const AVERAGE: u32 = 3u;
const GRADIENT: u32 = 4u;
const MEDIAN: u32 = 5u;

struct Predict {
    // First unit of the dense and of the padded plane.
    base: u32,
    padded_base: u32,
    width: u32,
    height: u32,
    // Units of a padded row.
    pitch: u32,
    // The frames to work on.
    first_frame: u32,
    frames: u32,
    zigzag: u32,
    // Flipping these bits makes signed order unsigned order.
    sign_low: u32,
    sign_high: u32,
}

@group(0) @binding(0) var<uniform> params: Predict;

fn sample_zigzag(sample: vec2<u32>) -> vec2<u32> {
    let doubled = sample_add(sample, sample);
    if SAMPLE_BYTES == 8u {
        return doubled ^ vec2<u32>(0u - (sample.y >> 31u));
    }
    let negative = sample.x > SAMPLE_MASK / 2u;
    return vec2<u32>(doubled.x ^ select(0u, SAMPLE_MASK, negative), 0u);
}

fn sample_unzigzag(sample: vec2<u32>) -> vec2<u32> {
    let negative = 0u - (sample.x & 1u);
    return sample_half(sample) ^ vec2<u32>(negative & SAMPLE_MASK, select(0u, negative, SAMPLE_BYTES == 8u));
}

fn sample_half(sample: vec2<u32>) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return vec2<u32>((sample.x >> 1u) | (sample.y << 31u), sample.y >> 1u);
    }
    return vec2<u32>(sample.x >> 1u, 0u);
}

// Prediction from left (a), up (b) and up-left (c).
fn prediction(a: vec2<u32>, b: vec2<u32>, c: vec2<u32>) -> vec2<u32> {
    let sign = vec2<u32>(params.sign_low, params.sign_high);
    if PREDICTOR == LEFT {
        return a;
    }
    if PREDICTOR == UP {
        return b;
    }
    if PREDICTOR == AVERAGE {
        let x = a ^ sign;
        let y = b ^ sign;
        return sample_add(x & y, sample_half(x ^ y)) ^ sign;
    }
    if PREDICTOR == GRADIENT {
        return sample_sub(sample_add(a, b), c);
    }
    if PREDICTOR == MEDIAN {
        let x = a ^ sign;
        let y = b ^ sign;
        let z = c ^ sign;
        let ordered = sample_less(x, y);
        let low = select(y, x, ordered);
        let high = select(x, y, ordered);
        let raised = select(z, low, sample_less(z, low));
        let clamped = select(raised, high, sample_less(high, raised));
        return sample_sub(sample_add(a, b), clamped ^ sign);
    }
    return vec2<u32>(0u, 0u);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let frame_samples = params.width * params.height;
    let first = params.first_frame * frame_samples;
    let last = first + params.frames * frame_samples;
    let unit = first / UNIT_SAMPLES + workgroup_number(id, count) * LANES + lane;
    let start = unit * UNIT_SAMPLES;
    if start >= last {
        return;
    }
    let samples = load_input(params.base + unit);
    let lefts = input_run_before(params.base, start, 1u);
    let ups = input_run_before(params.base, start, params.width);
    let up_lefts = input_run_before(params.base, start, params.width + 1u);
    let row_column = divided(start, params.width);
    var y = divided(row_column.x, params.height).y;
    var x = row_column.y;
    let zero = vec2<u32>(0u, 0u);
    var value = zero;
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        let a = select(zero, unit_sample(lefts, k), x > 0u);
        let b = select(zero, unit_sample(ups, k), y > 0u);
        let c = select(zero, unit_sample(up_lefts, k), x > 0u && y > 0u);
        var residual = sample_sub(unit_sample(samples, k), prediction(a, b, c));
        if params.zigzag != 0u {
            residual = sample_zigzag(residual);
        }
        value = unit_with(value, k, residual);
        x += 1u;
        let next_row = x == params.width;
        x = select(x, 0u, next_row);
        y += select(0u, 1u, next_row);
        y = select(y, 0u, y == params.height);
    }
    store_samples(params.base, unit, value, first, last);
}

@compute @workgroup_size(LANES)
fn inverse_zigzag(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let within = workgroup_number(id, count) * LANES + lane;
    let rows = params.frames * params.height;
    if within >= rows * params.pitch {
        return;
    }
    let first_row = params.first_frame * params.height;
    let row_unit = divided(within, params.pitch);
    let row = first_row + row_unit.x;
    let x = row_unit.y * UNIT_SAMPLES;
    var unit = input_run(params.base, row * params.width + x);
    if params.zigzag != 0u {
        var value = vec2<u32>(0u, 0u);
        for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
            value = unit_with(value, k, sample_unzigzag(unit_sample(unit, k)));
        }
        unit = value;
    }
    store_output(params.padded_base + first_row * params.pitch + within, unit);
}

// First unit of row `row` (counted over the frames to work on) of the padded plane.
fn padded_row(row: u32) -> u32 {
    return params.padded_base + (params.first_frame * params.height + row) * params.pitch;
}

// Invocations of a workgroup that shares a row, or a band of rows.
const ROW_LANES: u32 = 64u;
// Neighbouring units that one of them sums up alone.
const RUN_UNITS: u32 = 4u;

// Two sets, read and written in turn, so that one barrier a step is enough.
var<workgroup> shared_units: array<vec2<u32>, 128>;

// A workgroup per row: each invocation sums up a run of units, the totals are added up over the
// workgroup (Hillis and Steele's scan), and the next part of the row goes on from there.
@compute @workgroup_size(ROW_LANES)
fn inverse_left(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup_number(id, count);
    if row >= params.frames * params.height {
        return;
    }
    let row_start = padded_row(row);
    let last_sample = UNIT_SAMPLES - 1u;
    var carry = vec2<u32>(0u, 0u);
    for (var part = 0u; part < params.pitch; part += ROW_LANES * RUN_UNITS) {
        let start = part + lane * RUN_UNITS;
        let end = min(start + RUN_UNITS, params.pitch);
        var total = vec2<u32>(0u, 0u);
        for (var unit = start; unit < end; unit += 1u) {
            total = unit_add(total, load_output(row_start + unit));
        }
        var sum = vec2<u32>(0u, 0u);
        for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
            sum = sample_add(sum, unit_sample(total, k));
        }
        let own = sum;
        var half = 0u;
        for (var distance = 1u; distance < ROW_LANES; distance *= 2u) {
            shared_units[half + lane] = sum;
            workgroupBarrier();
            if lane >= distance {
                sum = sample_add(sum, shared_units[half + ((lane - distance) & (ROW_LANES - 1u))]);
            }
            half = ROW_LANES - half;
        }
        shared_units[half + lane] = sum;
        workgroupBarrier();
        let part_total = shared_units[half + ROW_LANES - 1u];

        var left = sample_add(carry, sample_sub(sum, own));
        for (var unit = start; unit < end; unit += 1u) {
            let residuals = load_output(row_start + unit);
            var value = vec2<u32>(0u, 0u);
            for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
                left = sample_add(left, unit_sample(residuals, k));
                value = unit_with(value, k, left);
            }
            store_output(row_start + unit, value);
        }
        carry = sample_add(carry, part_total);
        // The next part writes the set that its first step uses, which is read just above.
        workgroupBarrier();
    }
}

// An invocation sums up one unit down the rows of a frame.
@compute @workgroup_size(LANES)
fn inverse_up(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let column = workgroup_number(id, count) * LANES + lane;
    if column >= params.frames * params.pitch {
        return;
    }
    let frame_unit = divided(column, params.pitch);
    var unit = padded_row(frame_unit.x * params.height) + frame_unit.y;
    var sum = load_output(unit);
    for (var y = 1u; y < params.height; y += 1u) {
        unit += params.pitch;
        sum = unit_add(sum, load_output(unit));
        store_output(unit, sum);
    }
}

// A workgroup per frame, an invocation per row of a band. Each row runs one unit behind the row
// above it, which hands its units down through workgroup memory.
@compute @workgroup_size(ROW_LANES)
fn inverse_wavefront(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let frame = workgroup_number(id, count);
    if frame >= params.frames {
        return;
    }
    let zero = vec2<u32>(0u, 0u);
    let steps = params.pitch + ROW_LANES - 1u;
    for (var band = 0u; band < params.height; band += ROW_LANES) {
        let y = band + lane;
        let row_start = padded_row(frame * params.height + y);
        var a = zero;
        var c = zero;
        for (var step = 0u; step < steps; step += 1u) {
            let column = step - lane;
            let half = (step & 1u) * ROW_LANES;
            if step >= lane && column < params.pitch && y < params.height {
                var ups = zero;
                if lane > 0u {
                    ups = shared_units[ROW_LANES - half + ((lane - 1u) & (ROW_LANES - 1u))];
                } else if y > 0u {
                    ups = load_output(row_start - params.pitch + column);
                }
                let residuals = load_output(row_start + column);
                var value = zero;
                for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
                    let b = unit_sample(ups, k);
                    a = sample_add(unit_sample(residuals, k), prediction(a, b, c));
                    c = b;
                    value = unit_with(value, k, a);
                }
                store_output(row_start + column, value);
                shared_units[half + lane] = value;
            }
            workgroupBarrier();
        }
        // The first row of the next band reads the last one of this band.
        storageBarrier();
    }
}

// Bytes of equal significance together, span by span, and back. Twin: src/cpu/byte_shuffle.rs.

struct Span {
    // First word of the plane, which is dense.
    base: u32,
    // Samples of the plane and of a span.
    samples: u32,
    span_samples: u32,
}

@group(0) @binding(0) var<uniform> params: Span;

fn input_byte(at: u32) -> u32 {
    return (input[params.base + at / 4u] >> (8u * (at % 4u))) & 0xffu;
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    if 4u * word >= params.samples * SAMPLE_BYTES {
        return;
    }
    // Spans have a multiple of 8 samples, so a word lies within one span.
    let span = (4u * word) / (params.span_samples * SAMPLE_BYTES);
    let first = span * params.span_samples;
    let samples = min(params.span_samples, params.samples - first);
    let within = 4u * word - first * SAMPLE_BYTES;
    let position = divided(within, samples);
    var byte = position.x;
    var at = position.y;
    var value = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        if byte < SAMPLE_BYTES {
            value |= input_byte((first + at) * SAMPLE_BYTES + byte) << (8u * k);
        }
        at += 1u;
        let next_byte = at == samples;
        at = select(at, 0u, next_byte);
        byte += select(0u, 1u, next_byte);
    }
    output[params.base + word] = value;
}

@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    if 4u * word >= params.samples * SAMPLE_BYTES {
        return;
    }
    let span = (4u * word) / (params.span_samples * SAMPLE_BYTES);
    let first = span * params.span_samples;
    let samples = min(params.span_samples, params.samples - first);
    let within = 4u * word - first * SAMPLE_BYTES;
    var value = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        let at = (within + k) / SAMPLE_BYTES;
        let byte = (within + k) % SAMPLE_BYTES;
        if at < samples {
            value |= input_byte(first * SAMPLE_BYTES + byte * samples + at) << (8u * k);
        }
    }
    output[params.base + word] = value;
}

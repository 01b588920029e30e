// Bits of equal significance together, span by span, and back. Twin: src/cpu/bit_shuffle.rs.

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

// Byte `byte` of the four samples from `sample` on, a multiple of 4.
fn column(sample: u32, byte: u32) -> u32 {
    if SAMPLE_BYTES == 1u {
        return input[params.base + sample / 4u];
    }
    let at = sample * SAMPLE_BYTES + byte;
    return input_byte(at)
        | (input_byte(at + SAMPLE_BYTES) << 8u)
        | (input_byte(at + 2u * SAMPLE_BYTES) << 16u)
        | (input_byte(at + 3u * SAMPLE_BYTES) << 24u);
}

// Bit `bit` of each byte of `bytes`, as bits 0 to 3. The products do not overlap, so nothing carries.
fn gather(bytes: u32, bit: u32) -> u32 {
    return (((bytes >> bit) & 0x01010101u) * 0x10204080u) >> 28u;
}

// Bits 0 to 3 of `bits` as bit `bit` of each byte.
fn spread(bits: u32, bit: u32) -> u32 {
    return (((bits & 0xfu) * 0x00204081u) & 0x01010101u) << bit;
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    let bytes = params.samples * SAMPLE_BYTES;
    if 4u * word >= bytes {
        return;
    }
    // Spans have a multiple of 8 samples, so a word lies within one span.
    let span = (4u * word) / (params.span_samples * SAMPLE_BYTES);
    let first = span * params.span_samples;
    let lane_bytes = min(params.span_samples, params.samples - first) / 8u;
    let whole = lane_bytes * 8u * SAMPLE_BYTES;
    let within = 4u * word - first * SAMPLE_BYTES;
    // Where lanes have no bytes all of the span is its remainder.
    let position = divided(within, max(1u, lane_bytes));
    var bit = position.x;
    var group = position.y;
    var value = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        var byte = 0u;
        if within + k < whole {
            let sample = first + group * 8u;
            let low = gather(column(sample, bit / 8u), bit % 8u);
            let high = gather(column(sample + 4u, bit / 8u), bit % 8u);
            byte = low | (high << 4u);
        } else if 4u * word + k < bytes {
            byte = input_byte(4u * word + k);
        }
        value |= byte << (8u * k);
        group += 1u;
        let next_bit = group == lane_bytes;
        group = select(group, 0u, next_bit);
        bit += select(0u, 1u, next_bit);
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
    let bytes = params.samples * SAMPLE_BYTES;
    if 4u * word >= bytes {
        return;
    }
    let span = (4u * word) / (params.span_samples * SAMPLE_BYTES);
    let first = span * params.span_samples;
    let lane_bytes = min(params.span_samples, params.samples - first) / 8u;
    let whole = lane_bytes * 8u * SAMPLE_BYTES;
    let within = 4u * word - first * SAMPLE_BYTES;
    if SAMPLE_BYTES == 1u && within < whole {
        // The four samples of the word are one half of a group of 8.
        let at = first + within / 8u;
        var samples = 0u;
        for (var bit = 0u; bit < 8u; bit += 1u) {
            samples |= spread(input_byte(at + bit * lane_bytes) >> (within & 4u), bit);
        }
        output[params.base + word] = samples;
        return;
    }
    var value = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        let at = within + k;
        var byte = 0u;
        if at < whole {
            let sample = at / SAMPLE_BYTES;
            let lane_start = first * SAMPLE_BYTES + (at % SAMPLE_BYTES) * 8u * lane_bytes + sample / 8u;
            for (var bit = 0u; bit < 8u; bit += 1u) {
                byte |= ((input_byte(lane_start + bit * lane_bytes) >> (sample % 8u)) & 1u) << bit;
            }
        } else if 4u * word + k < bytes {
            byte = input_byte(4u * word + k);
        }
        value |= byte << (8u * k);
    }
    output[params.base + word] = value;
}

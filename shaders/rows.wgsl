// Frames whose rows lie at some distance of one another, to frames without gaps and back. Twin: src/cpu/rows.rs.
//
// Rows of one length that follow one another at one distance are a stretch: the whole frame, or a plane of it. All
// numbers are bytes, and an invocation writes a word.

struct Rows {
    // Words that are written.
    words: u32,
    frames: u32,
    frame_bytes: u32,
    stretches: u32,
    // Of each stretch: its first byte within a frame without gaps, the length of a row, rows.
    dense: array<vec4<u32>, 3>,
    // Its first byte, and the distances of rows and of frames, where there are gaps.
    pitched: array<vec4<u32>, 3>,
}

@group(0) @binding(0) var<uniform> params: Rows;

const NOWHERE: u32 = 0xffffffffu;

// Four bytes from `at` on, wherever that is.
fn word_at(at: u32) -> u32 {
    let word = at / 4u;
    let skipped = 8u * (at % 4u);
    let first = input[word];
    if skipped == 0u {
        return first;
    }
    return (first >> skipped) | (input[min(word + 1u, arrayLength(&input) - 1u)] << (32u - skipped));
}

fn byte_at(at: u32) -> u32 {
    return (input[at / 4u] >> (8u * (at % 4u))) & 0xffu;
}

// Where byte `at` of frames without gaps lies among those with gaps, and how many bytes its row has from there on.
fn pitched_place(at: u32) -> vec2<u32> {
    let frame = divided(at, params.frame_bytes);
    if frame.x >= params.frames {
        return vec2<u32>(NOWHERE, 0u);
    }
    var stretch = 0u;
    for (var next = 1u; next < params.stretches; next += 1u) {
        if frame.y >= params.dense[next].x {
            stretch = next;
        }
    }
    let dense = params.dense[stretch];
    let pitched = params.pitched[stretch];
    let row = divided(frame.y - dense.x, dense.y);
    return vec2<u32>(pitched.x + frame.x * pitched.z + row.x * pitched.y + row.y, dense.y - row.y);
}

// The other way round.
fn dense_place(at: u32) -> vec2<u32> {
    for (var stretch = 0u; stretch < params.stretches; stretch += 1u) {
        let dense = params.dense[stretch];
        let pitched = params.pitched[stretch];
        if at < pitched.x {
            continue;
        }
        let frame = divided(at - pitched.x, pitched.z);
        let row = divided(frame.y, pitched.y);
        if frame.x < params.frames && row.x < dense.z && row.y < dense.y {
            return vec2<u32>(frame.x * params.frame_bytes + dense.x + row.x * dense.y + row.y, dense.y - row.y);
        }
    }
    return vec2<u32>(NOWHERE, 0u);
}

// Writes a word of what the frames become: without gaps, or, the other way round, with them.
fn write_word(word: u32, inverse: bool) {
    if word >= params.words {
        return;
    }
    let place = place_of(4u * word, inverse);
    if place.y >= 4u {
        output[word] = word_at(place.x);
        return;
    }
    var bytes = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        let place = place_of(4u * word + k, inverse);
        if place.y > 0u {
            bytes |= byte_at(place.x) << (8u * k);
        }
    }
    output[word] = bytes;
}

fn place_of(at: u32, inverse: bool) -> vec2<u32> {
    if inverse {
        return dense_place(at);
    }
    return pitched_place(at);
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    write_word(workgroup_number(id, count) * LANES + lane, false);
}

@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    write_word(workgroup_number(id, count) * LANES + lane, true);
}

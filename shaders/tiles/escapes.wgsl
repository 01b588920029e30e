// Escaped residuals to their places. Twin: src/codec/tiles/escapes.rs.
//
// A workgroup takes the escaped bytes of a segment: those of its first code come first.

struct Escapes {
    segments: u32,
    // Where the ends of codes begin in the list, of which one number says how many bytes are escaped.
    ends: u32,
}

// Of a segment: its first escaped byte and the number of them; where the places of those of its first code are, with
// room for all of them, and then those of its second; its first code and the number of codes.
struct Segment {
    first: u32,
    bytes: u32,
    places: u32,
    code: u32,
    codes: u32,
}

const WORKGROUP_LANES: u32 = 64u;
// Numbers of an end, and which of them it is.
const END: u32 = 34u;
const ESCAPED: u32 = 33u;

@group(0) @binding(0) var<uniform> params: Escapes;
@group(0) @binding(3) var<storage, read_write> groups: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> segments: array<Segment>;

fn escaped_of(code: u32) -> u32 {
    return output[params.ends + code * END + ESCAPED];
}

@compute @workgroup_size(WORKGROUP_LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.segments {
        return;
    }
    let segment = segments[number];
    var of_first = 0u;
    var of_second = 0u;
    if segment.codes > 0u {
        of_first = escaped_of(segment.code);
    }
    if segment.codes > 1u {
        of_second = escaped_of(segment.code + 1u);
    }
    for (var at = lane; at < segment.bytes; at += WORKGROUP_LANES) {
        // Bytes beyond the places of both codes have none; the host sees that there are too many.
        let is_second = at >= of_first;
        let within = select(at, at - of_first, is_second);
        if !is_second || within < of_second {
            let place = output[segment.places + select(0u, segment.bytes, is_second) + within];
            let byte = input_sample(0u, segment.first + at).x;
            let shift = 8u * (place % 4u);
            // All bits of what is escaped are set.
            atomicAnd(&groups[place / 4u], (byte << shift) | ~(255u << shift));
        }
    }
}

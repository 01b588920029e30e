// Planes to packed pixels. Twin: src/cpu/recover/convert.rs.

fn sample(at: u32) -> u32 {
    return input_sample(0u, at).x;
}

// An invocation makes four neighbouring pixels: as many words as they have channels.
@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = 4u * (workgroup_number(id, count) * LANES + lane);
    let frame_pixels = params.width * params.height;
    let pixels = params.frames * frame_pixels;
    if first >= pixels {
        return;
    }
    let frame_blocks = params.chroma_width * params.chroma_height;
    let words = (pixels * params.channels + 3u) / 4u;
    var word = first / 4u * params.channels;
    // Bytes that are not a whole word yet, and the bits they have.
    var pending = 0u;
    var bits = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        // Past the last pixel it is repeated; what is stored there is unspecified.
        let of_frame = divided(min(first + k, pixels - 1u), frame_pixels);
        let place = divided(of_frame.y, params.width);
        let chroma = first_chroma(of_frame.x) + place.x / params.rows * params.chroma_width + place.y / params.columns;
        let terms = chroma_terms(i32(sample(chroma)), i32(sample(chroma + frame_blocks)));
        let y = sample(of_frame.x * params.frame_samples + of_frame.y);
        let made = vec3<u32>(channels_of(i32(y), terms));
        let ordered = select(made, made.zyx, params.blue_first != 0u);
        var value = ordered.x | (ordered.y << 8u) | (ordered.z << 16u);
        if params.channels > 3u {
            value |= sample(first_chroma(of_frame.x) + 2u * frame_blocks + of_frame.y) << 24u;
        }
        pending |= value << bits;
        let taken = bits + 8u * params.channels;
        if taken >= 32u {
            if word < words {
                output[word] = pending;
            }
            word += 1u;
            pending = select(value >> (32u - bits), 0u, bits == 0u);
        }
        bits = taken % 32u;
    }
}

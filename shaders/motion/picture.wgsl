// An earlier frame and what is between its samples, beyond its edges too. Twin: src/motion/picture.rs, with what
// src/motion/between.rs makes of it.
//
// Pictures follow one another: the samples themselves, and the halves to their right, below, and both; or all phases.

struct Picture {
    // Number of the first sample of the frame, and its size.
    first: u32,
    width: u32,
    height: u32,
    // Samples to the left of the frame and above it.
    margin: u32,
    // Samples of a row and rows, with the margins; whole words.
    stride: u32,
    rows: u32,
    pictures: u32,
    filter_number: u32,
}

@group(0) @binding(0) var<uniform> params: Picture;

// One word of a picture for each invocation.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    let row_words = params.stride / 4u;
    let in_row = divided(word, row_words);
    let in_picture = divided(in_row.x, params.rows);
    let picture = in_picture.x;
    if picture >= params.pictures {
        return;
    }
    var quarters = vec2<u32>(picture % 4u, picture / 4u);
    if params.pictures <= 4u {
        quarters = 2u * vec2<u32>(picture % 2u, picture / 2u);
    }
    let earlier = Reference(params.first, params.width, params.height, 1u);
    let lead = lead_of_first(params.filter_number, vec2<i32>(quarters));
    let place = vec2<i32>(vec2<u32>(4u * in_row.y, in_picture.y)) - i32(params.margin);
    var samples = 0u;
    for (var at = 0u; at < 4u; at += 1u) {
        samples |= between(earlier, lead, place + vec2<i32>(i32(at), 0)) << (8u * at);
    }
    output[word] = samples;
}

// How packed pixels are made from planes, and where both are. Twin: src/plan/conversion.rs.
//
// Linear functions are vectors of scale and offset. The planes Y, U, V and alpha, if there is one,
// follow one another in each frame; a block of pixels that share chroma has one sample of U and V.

struct Recover {
    // Linear functions of parts of R - G and of B - G, and their offsets: U, V.
    estimate_u: vec4<i32>,
    estimate_v: vec4<i32>,
    // What a channel, and what its term of chroma adds to an estimate of Y; the offset, and the low
    // bits of the term that are dropped.
    estimate_luma: vec4<i32>,
    // The same of sums of 16 bits: scale and offset.
    narrow: vec2<i32>,
    // The least sum of luma and chroma that makes 255, and the largest that makes 0.
    ends: vec2<i32>,
    luma: vec2<i32>,
    red: vec2<i32>,
    green_u: vec2<i32>,
    green_v: vec2<i32>,
    blue: vec2<i32>,
    output: vec2<i32>,
    luma_shift: u32,
    chroma_shift: u32,
    output_shift: u32,
    // Whether every step fits 16 bits.
    is_narrow: u32,
    // Whether sums are channels as they are.
    is_plain: u32,
    // Whether the first channel is blue and the third one red.
    blue_first: u32,
    frames: u32,
    width: u32,
    height: u32,
    channels: u32,
    // Columns and rows of a block.
    columns: u32,
    rows: u32,
    // Blocks in a row, and rows of them.
    chroma_width: u32,
    chroma_height: u32,
    // Samples of the planes of a frame.
    frame_samples: u32,
}

@group(0) @binding(0) var<uniform> params: Recover;

fn line(term: vec2<i32>, value: i32) -> i32 {
    return value * term.x + term.y;
}

// What U and V add to R, G and B.
fn chroma_terms(u: i32, v: i32) -> vec3<i32> {
    let shift = params.chroma_shift & 31u;
    let green = (line(params.green_u, u) >> shift) + (line(params.green_v, v) >> shift);
    return vec3<i32>(line(params.red, v) >> shift, green, line(params.blue, u) >> shift);
}

// What Y adds to every channel.
fn luma_term(y: i32) -> i32 {
    return line(params.luma, y) >> (params.luma_shift & 31u);
}

// R, G and B of a pixel from its Y and what chroma adds to them.
fn channels_of(y: i32, terms: vec3<i32>) -> vec3<i32> {
    let sums = (terms + luma_term(y)) * params.output.x + params.output.y;
    let shifted = sums >> vec3<u32>(params.output_shift & 31u);
    return clamp(shifted, vec3<i32>(0), vec3<i32>(255));
}

// Number of the first sample of U of a frame.
fn first_chroma(frame: u32) -> u32 {
    return frame * params.frame_samples + params.width * params.height;
}

// Blocks of pixels to their Y, U and V, where nothing is clipped. Twin: src/cpu/recover/solve.rs.

const FRACTION: u32 = 16u;
const LUMA_FRACTION: u32 = 20u;
// Differences are averaged over the pixels of a block in parts of this.
const PARTS: i32 = 12;

// The planes, then a byte for each block with a bit for each pixel that comes out otherwise. Blocks
// share words; all of it was cleared.
@group(0) @binding(3) var<storage, read_write> solved: array<atomic<u32>>;

fn put(byte: u32, value: u32) {
    atomicOr(&solved[byte / 4u], value << (8u * (byte % 4u)));
}

// R, G and B, and what is beyond them, of pixel `number` of the batch.
fn pixel(number: u32) -> vec4<i32> {
    let word = vec4<u32>(input_run(0u, number * params.channels).x);
    let bytes = vec4<i32>((word >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
    return select(bytes, bytes.zyxw, params.blue_first != 0u);
}

// Whether channels may not have been clipped.
fn inside(channels: vec3<i32>) -> vec3<bool> {
    return (channels >= vec3<i32>(1)) & (channels <= vec3<i32>(254));
}

fn estimate(factors: vec4<i32>, red_green: i32, blue_green: i32) -> i32 {
    return clamp((red_green * factors.x + blue_green * factors.y + factors.z) >> FRACTION, 0, 255);
}

// An invocation solves a block.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count) * LANES + lane;
    let frame_blocks = params.chroma_width * params.chroma_height;
    if number >= params.frames * frame_blocks {
        return;
    }
    let of_frame = divided(number, frame_blocks);
    let frame = of_frame.x;
    let block = divided(of_frame.y, params.chroma_width);
    let frame_pixels = params.width * params.height;

    // Pixels that the frame does not have repeat those before.
    var places: array<u32, 4>;
    var pixels: array<vec4<i32>, 4>;
    let phases = params.columns * params.rows;
    var differences = vec2<i32>(0);
    var counted = 0;
    for (var phase = 0u; phase < phases; phase += 1u) {
        let within = divided(phase, params.columns);
        let x = min(block.y * params.columns + within.y, params.width - 1u);
        let y = min(block.x * params.rows + within.x, params.height - 1u);
        let place = y * params.width + x;
        let it = pixel(frame * frame_pixels + place);
        places[phase] = place;
        pixels[phase] = it;
        if all(inside(it.xyz)) {
            differences += it.xz - it.yy;
            counted += 1;
        }
    }
    // Where nothing is counted the differences are none.
    let parts = differences * (PARTS / max(counted, 1));
    let u = estimate(params.estimate_u, parts.x, parts.y);
    let v = estimate(params.estimate_v, parts.x, parts.y);
    let terms = chroma_terms(u, v);
    let dropped = vec3<u32>(u32(params.estimate_luma.w) & 31u);
    let taken = (terms >> dropped) * params.estimate_luma.y + params.estimate_luma.z;

    let first = frame * params.frame_samples;
    let first_alpha = first_chroma(frame) + 2u * frame_blocks;
    var misfits = 0u;
    for (var phase = 0u; phase < phases; phase += 1u) {
        let it = pixels[phase];
        let is_inside = inside(it.xyz);
        var channel = select(vec2<i32>(it.z, taken.z), vec2<i32>(it.x, taken.x), is_inside.x);
        channel = select(channel, vec2<i32>(it.y, taken.y), is_inside.y);
        let y = clamp((channel.x * params.estimate_luma.x + channel.y) >> LUMA_FRACTION, 0, 255);
        misfits |= select(1u, 0u, all(channels_of(y, terms) == it.xyz)) << phase;
        // A place that is repeated gets the same again.
        put(first + places[phase], u32(y));
        if params.channels > 3u {
            put(first_alpha + places[phase], u32(it.w));
        }
    }
    let chroma = first_chroma(frame) + of_frame.y;
    put(chroma, u32(u));
    put(chroma + frame_blocks, u32(v));
    put(params.frames * params.frame_samples + number, misfits);
}

// Blocks of pixels to their Y, U and V. Twin: src/cpu/recover/solve.rs, narrow.rs and clipped.rs there.
//
// A workgroup takes a row of blocks, some side by side at a time, because blocks of clipped pixels have
// the chroma of the block to their left.

const ROW_LANES: u32 = 64u;

const PART_SHIFT: u32 = 3u;
const CHROMA_FRACTION: u32 = 6u;
const LUMA_FRACTION: u32 = 20u;
const NARROW_FRACTION: u32 = 4u;
const LEAST: i32 = -2147483648;
// Differences are averaged over the pixels of a block in parts of this.
const PARTS: i32 = 12;

// The planes, then a byte for each block with a bit for each pixel that comes out otherwise, then, from
// the next word on, how many of some blocks side by side have such pixels. Blocks share words; all of it was cleared.
@group(0) @binding(3) var<storage, read_write> solved: array<atomic<u32>>;

// A bit for each block of those side by side that has chroma of its own, and that chroma.
var<workgroup> own: array<atomic<u32>, 2>;
var<workgroup> chroma_of: array<vec2<i32>, 64>;

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
    // Products lose their lower halves, and the sum is of 16 bits.
    let red_green_part = ((red_green << PART_SHIFT) * factors.x) >> 16u;
    let blue_green_part = ((blue_green << PART_SHIFT) * factors.y) >> 16u;
    return clamp(((red_green_part + blue_green_part + factors.z) << 16u) >> (16u + CHROMA_FRACTION), 0, 255);
}

// The pixels of a block.
struct Block {
    // Where they are in the frame. Pixels that the frame does not have repeat those before.
    places: array<u32, 4>,
    pixels: array<vec4<i32>, 4>,
    // Sums of R - G and of B - G of those that are not clipped, and how many these are.
    differences: vec2<i32>,
    counted: i32,
}

fn block_at(frame: u32, row: u32, column: u32) -> Block {
    var block: Block;
    block.differences = vec2<i32>(0);
    block.counted = 0;
    for (var phase = 0u; phase < params.columns * params.rows; phase += 1u) {
        let within = divided(phase, params.columns);
        let x = min(column * params.columns + within.y, params.width - 1u);
        let y = min(row * params.rows + within.x, params.height - 1u);
        let place = y * params.width + x;
        let it = pixel(frame * params.width * params.height + place);
        block.places[phase] = place;
        block.pixels[phase] = it;
        if all(inside(it.xyz)) {
            block.differences += it.xz - it.yy;
            block.counted += 1;
        }
    }
    return block;
}

// U and V, from pixels that are not clipped.
fn estimated_chroma(differences: vec2<i32>, counted: i32) -> vec2<i32> {
    // Where nothing is counted the differences are none.
    let parts = differences * (PARTS / max(counted, 1));
    let chroma =
        vec2<i32>(estimate(params.estimate_u, parts.x, parts.y), estimate(params.estimate_v, parts.x, parts.y));
    if params.is_plain == 0u {
        return chroma;
    }
    // The differences of channels are known to the unit: what is off is moved by one.
    let terms = chroma_terms(chroma.x, chroma.y);
    let off = differences.yx - counted * (terms.zx - terms.yy);
    let far = abs(off);
    let steps = select(vec2<i32>(0), sign(off), vec2<bool>(far.x >= far.y, far.y >= far.x));
    return clamp(chroma + steps, vec2<i32>(0), vec2<i32>(255));
}

// Y from a channel that is not clipped and what chroma adds to it.
fn estimated_luma(channel: i32, term: i32) -> i32 {
    if params.is_narrow != 0u {
        // Sums and results are of 16 bits.
        let product = ((((channel - term) << 22u) >> 16u) * params.narrow.x) >> 16u;
        return clamp(((product + params.narrow.y) << 16u) >> (16u + NARROW_FRACTION), 0, 255);
    }
    let taken = (term >> (u32(params.estimate_luma.w) & 31u)) * params.estimate_luma.y + params.estimate_luma.z;
    return clamp((channel * params.estimate_luma.x + taken) >> LUMA_FRACTION, 0, 255);
}

// How many Y add less than `sum`.
fn luma_below(sum: i32) -> i32 {
    var below = 0;
    var end = 256;
    while below < end {
        let middle = (below + end) / 2;
        if luma_term(middle) < sum {
            below = middle + 1;
        } else {
            end = middle;
        }
    }
    return below;
}

// Y of a pixel whose channels are all clipped: the least that clips what is 255, or else the largest
// that clips what is 0.
fn clipped_luma(channels: vec3<i32>, terms: vec3<i32>) -> i32 {
    let white = channels == vec3<i32>(255);
    if any(white) {
        let least = select(vec3<i32>(LEAST), params.ends.x - terms, white);
        return min(luma_below(max(max(least.x, least.y), least.z)), 255);
    }
    let largest = params.ends.y - terms;
    return max(luma_below(min(min(largest.x, largest.y), largest.z) + 1) - 1, 0);
}

fn luma_of(channels: vec3<i32>, terms: vec3<i32>) -> i32 {
    let is_inside = inside(channels);
    if !any(is_inside) {
        return clipped_luma(channels, terms);
    }
    var known = select(vec2<i32>(channels.z, terms.z), vec2<i32>(channels.x, terms.x), is_inside.x);
    known = select(known, vec2<i32>(channels.y, terms.y), is_inside.y);
    return estimated_luma(known.x, known.y);
}

// Lanes of a word whose bits are below `lane`.
fn lanes_below(lane: u32) -> u32 {
    return select((1u << (lane & 31u)) - 1u, 0xffffffffu, lane >= 32u);
}

// The chroma of the last block before `lane` that has its own, or what is `left` of all.
fn chroma_before(lane: u32, left: vec2<i32>) -> vec2<i32> {
    let upper = atomicLoad(&own[1]) & select(lanes_below(lane - 32u), 0u, lane < 32u);
    if upper != 0u {
        return chroma_of[32u + firstLeadingBit(upper)];
    }
    let lower = atomicLoad(&own[0]) & lanes_below(lane);
    if lower != 0u {
        return chroma_of[firstLeadingBit(lower)];
    }
    return left;
}

@compute @workgroup_size(ROW_LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.frames * params.chroma_height {
        return;
    }
    let position = divided(number, params.chroma_height);
    let frame = position.x;
    let row = position.y;
    let frame_blocks = params.chroma_width * params.chroma_height;
    let first = frame * params.frame_samples;
    let first_alpha = first_chroma(frame) + 2u * frame_blocks;
    let first_misfits = params.frames * params.frame_samples;
    let spans = (params.chroma_width + ROW_LANES - 1u) / ROW_LANES;
    let first_span = (first_misfits + params.frames * frame_blocks + 3u) / 4u + number * spans;
    // Neutral, to the left of the first block.
    var left = vec2<i32>(128);
    for (var start = 0u; start < params.chroma_width; start += ROW_LANES) {
        // Others may still read what is cleared.
        workgroupBarrier();
        if lane < 2u {
            atomicStore(&own[lane], 0u);
        }
        workgroupBarrier();
        let column = start + lane;
        let exists = column < params.chroma_width;
        var block = block_at(frame, row, min(column, params.chroma_width - 1u));
        var chroma = estimated_chroma(block.differences, block.counted);
        if exists && block.counted > 0 {
            atomicOr(&own[lane / 32u], 1u << (lane % 32u));
            chroma_of[lane] = chroma;
        }
        workgroupBarrier();
        if block.counted == 0 {
            chroma = chroma_before(lane, left);
        }
        left = chroma_before(ROW_LANES, left);
        if exists {
            let terms = chroma_terms(chroma.x, chroma.y);
            var misfits = 0u;
            for (var phase = 0u; phase < params.columns * params.rows; phase += 1u) {
                let it = block.pixels[phase];
                let y = luma_of(it.xyz, terms);
                misfits |= select(1u, 0u, all(channels_of(y, terms) == it.xyz)) << phase;
                // A place that is repeated gets the same again.
                put(first + block.places[phase], u32(y));
                if params.channels > 3u {
                    put(first_alpha + block.places[phase], u32(it.w));
                }
            }
            let of_frame = row * params.chroma_width + column;
            put(first_chroma(frame) + of_frame, u32(chroma.x));
            put(first_chroma(frame) + frame_blocks + of_frame, u32(chroma.y));
            put(first_misfits + frame * frame_blocks + of_frame, misfits);
            if misfits != 0u {
                atomicAdd(&solved[first_span + start / ROW_LANES], 1u);
            }
        }
    }
}

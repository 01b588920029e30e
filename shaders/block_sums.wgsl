// What blocks of 1,024 bytes add to the eight accumulators of XXH3. Twin: src/cpu/block_sums.rs.
//
// Numbers have 64 bits: low and high word.

struct BlockSums {
    // Accumulators of all blocks.
    sums: u32,
}

@group(0) @binding(0) var<uniform> params: BlockSums;
@group(0) @binding(4) var<storage, read> secret: array<u32>;

const BLOCK_WORDS: u32 = 256u;
const STRIPE_WORDS: u32 = 16u;
const STRIPES: u32 = 16u;
const ACCUMULATORS: u32 = 8u;

fn sum_of(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// The product of two words, by halves.
fn product(a: u32, b: u32) -> vec2<u32> {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let low = a_low * b_low;
    // Neither exceeds a word.
    let first = a_low * b_high + (low >> 16u);
    let second = a_high * b_low + (first & 0xffffu);
    return vec2<u32>((second << 16u) | (low & 0xffffu), a_high * b_high + (first >> 16u) + (second >> 16u));
}

// One accumulator of one block for each invocation.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(id, count) * LANES + lane;
    if at >= params.sums {
        return;
    }
    let accumulator = at % ACCUMULATORS;
    let own = at / ACCUMULATORS * BLOCK_WORDS + 2u * accumulator;
    let neighbour = at / ACCUMULATORS * BLOCK_WORDS + 2u * (accumulator ^ 1u);
    var sum = vec2<u32>(0u, 0u);
    for (var stripe = 0u; stripe < STRIPES; stripe += 1u) {
        let word = stripe * STRIPE_WORDS;
        let key = 2u * (stripe + accumulator);
        let low = input[own + word] ^ secret[key];
        let high = input[own + word + 1u] ^ secret[key + 1u];
        sum = sum_of(sum, product(low, high));
        sum = sum_of(sum, vec2<u32>(input[neighbour + word], input[neighbour + word + 1u]));
    }
    output[2u * at] = sum.x;
    output[2u * at + 1u] = sum.y;
}

// Order-0 entropy of histograms in fixed point. Twin: src/cpu/entropy.rs.
//
// A workgroup per histogram, an invocation per bin. The result is two words, low and high.

struct Entropy {
    histograms: u32,
}

@group(0) @binding(0) var<uniform> params: Entropy;

const FRACTION_BITS: u32 = 12u;

var<workgroup> totals: array<u32, 256>;
var<workgroup> sums: array<vec2<u32>, 256>;

// log2 of a positive number, rounded down, with FRACTION_BITS fraction bits.
fn log2_fixed(value: u32) -> u32 {
    let exponent = firstLeadingBit(value);
    // The mantissa in [1, 2) with 15 fraction bits: its square fits 32 bits.
    var mantissa = select(value << ((15u - exponent) & 31u), value >> ((exponent - 15u) & 31u), exponent > 15u);
    var log = exponent;
    for (var bit = 0u; bit < FRACTION_BITS; bit += 1u) {
        mantissa = (mantissa * mantissa) >> 15u;
        let carry = mantissa >> 16u;
        mantissa >>= carry;
        log = (log << 1u) | carry;
    }
    return log;
}

// The 64-bit product of two words.
fn multiply(a: u32, b: u32) -> vec2<u32> {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 16u);
    let other = a_low * b_high + (middle & 0xffffu);
    return vec2<u32>((other << 16u) | (low & 0xffffu), a_high * b_high + (middle >> 16u) + (other >> 16u));
}

fn add_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let histogram = workgroup_number(id, workgroups);
    if histogram >= params.histograms {
        return;
    }
    let bin = input[histogram * 256u + lane];
    totals[lane] = bin;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            totals[lane] += totals[lane + half];
        }
        workgroupBarrier();
    }
    var bits = vec2<u32>(0u, 0u);
    if bin > 0u {
        bits = multiply(bin, log2_fixed(totals[0]) - log2_fixed(bin));
    }
    sums[lane] = bits;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            sums[lane] = add_wide(sums[lane], sums[lane + half]);
        }
        workgroupBarrier();
    }
    if lane == 0u {
        output[2u * histogram] = sums[0].x;
        output[2u * histogram + 1u] = sums[0].y;
    }
}

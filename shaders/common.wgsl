// What every kernel shares: samples of any width, units, and bindings. It is put before each shader.
//
// A *unit* is what one invocation loads and stores: one word with 4, 2 or 1 samples, or two words
// with one 8-byte sample (low word first). Samples and units are `vec2<u32>` of low and high word;
// the high word is 0 unless samples have 8 bytes, so compilers drop it then.
//
// Buffers hold planes in one of two layouts:
// - dense: rows and frames follow one another without gaps, so a unit may span rows and frames;
// - padded: each row starts a unit, so rows can be rewritten in place without sharing a word.

// Bytes of a sample: 1, 2, 4 or 8.
override SAMPLE_BYTES: u32 = 1u;

override SAMPLE_BITS: u32 = 8u * SAMPLE_BYTES;
// Samples in a unit.
override UNIT_SAMPLES: u32 = max(1u, 4u / SAMPLE_BYTES);
// The bits of a sample in the low word.
override SAMPLE_MASK: u32 = 0xffffffffu >> (32u - min(32u, SAMPLE_BITS));
// The highest bit of each sample in a one-word unit.
override SIGN_BITS: u32 = select(select(0x80000000u, 0x80008000u, SAMPLE_BYTES == 2u), 0x80808080u, SAMPLE_BYTES == 1u);

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

// Invocations in a workgroup of the kernels that have no workgroup memory.
const LANES: u32 = 256u;

// Number of a workgroup. Dispatches are two-dimensional only because a dimension has at most 65,535
// workgroups.
fn workgroup_number(id: vec3<u32>, count: vec3<u32>) -> u32 {
    return id.y * count.x + id.x;
}

// Quotient and remainder with one division.
fn divided(a: u32, b: u32) -> vec2<u32> {
    let quotient = a / b;
    return vec2<u32>(quotient, a - quotient * b);
}

fn sample_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    if SAMPLE_BYTES == 8u {
        return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
    }
    return vec2<u32>(low & SAMPLE_MASK, 0u);
}

fn sample_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x - b.x;
    if SAMPLE_BYTES == 8u {
        return vec2<u32>(low, a.y - b.y - select(0u, 1u, a.x < b.x));
    }
    return vec2<u32>(low & SAMPLE_MASK, 0u);
}

fn sample_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    if SAMPLE_BYTES == 8u {
        return a.y < b.y || (a.y == b.y && a.x < b.x);
    }
    return a.x < b.x;
}

// Sample by sample sum.
fn unit_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return sample_add(a, b);
    }
    // Without the highest bits no carry leaves a sample; they are added by xor.
    return vec2<u32>(((a.x & ~SIGN_BITS) + (b.x & ~SIGN_BITS)) ^ ((a.x ^ b.x) & SIGN_BITS), 0u);
}

// Sample by sample difference.
fn unit_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return sample_sub(a, b);
    }
    // With the highest bits set no borrow leaves a sample; they are put right by xor.
    return vec2<u32>(((a.x | SIGN_BITS) - (b.x & ~SIGN_BITS)) ^ ((a.x ^ ~b.x) & SIGN_BITS), 0u);
}

// Sample `k` of a unit.
fn unit_sample(unit: vec2<u32>, k: u32) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return unit;
    }
    return vec2<u32>((unit.x >> (k * SAMPLE_BITS)) & SAMPLE_MASK, 0u);
}

// `unit`, whose sample `k` is 0, with `sample` there.
fn unit_with(unit: vec2<u32>, k: u32, sample: vec2<u32>) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return sample;
    }
    return vec2<u32>(unit.x | (sample.x << (k * SAMPLE_BITS)), 0u);
}

fn load_input(unit: u32) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return vec2<u32>(input[2u * unit], input[2u * unit + 1u]);
    }
    return vec2<u32>(input[unit], 0u);
}

fn load_output(unit: u32) -> vec2<u32> {
    if SAMPLE_BYTES == 8u {
        return vec2<u32>(output[2u * unit], output[2u * unit + 1u]);
    }
    return vec2<u32>(output[unit], 0u);
}

fn store_output(unit: u32, value: vec2<u32>) {
    if SAMPLE_BYTES == 8u {
        output[2u * unit] = value.x;
        output[2u * unit + 1u] = value.y;
    } else {
        output[unit] = value.x;
    }
}

// Sample `sample` of the dense plane that starts at unit `base` of the input.
fn input_sample(base: u32, sample: u32) -> vec2<u32> {
    return unit_sample(load_input(base + sample / UNIT_SAMPLES), sample % UNIT_SAMPLES);
}

// A unit of samples from `sample` on, wherever it starts. What lies past the plane is unspecified.
fn input_run(base: u32, sample: u32) -> vec2<u32> {
    let unit = base + sample / UNIT_SAMPLES;
    let skipped = (sample % UNIT_SAMPLES) * SAMPLE_BITS;
    let first = load_input(unit);
    if skipped == 0u {
        return first;
    }
    let second = input[min(unit + 1u, arrayLength(&input) - 1u)];
    return vec2<u32>((first.x >> skipped) | (second << (32u - skipped)), 0u);
}

// A unit of the samples that lie `distance` before `sample`, 0 where that is before the plane.
fn input_run_before(base: u32, sample: u32, distance: u32) -> vec2<u32> {
    if sample >= distance {
        return input_run(base, sample - distance);
    }
    let missing = distance - sample;
    if missing >= UNIT_SAMPLES {
        return vec2<u32>(0u, 0u);
    }
    return vec2<u32>(load_input(base).x << (missing * SAMPLE_BITS), 0u);
}

// Stores those samples of unit `unit` of the dense plane at `base` that are within `first..last`.
// An earlier dispatch wrote the others; no other invocation of this one touches the unit.
fn store_samples(base: u32, unit: u32, value: vec2<u32>, first: u32, last: u32) {
    let start = unit * UNIT_SAMPLES;
    if start >= first && start + UNIT_SAMPLES <= last {
        store_output(base + unit, value);
        return;
    }
    var mask = 0u;
    for (var k = 0u; k < UNIT_SAMPLES; k += 1u) {
        if start + k >= first && start + k < last {
            mask |= SAMPLE_MASK << (k * SAMPLE_BITS);
        }
    }
    output[base + unit] = (output[base + unit] & ~mask) | (value.x & mask);
}

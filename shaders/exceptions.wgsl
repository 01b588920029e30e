// Pixels that recovered planes do not make, to their places in packed frames. Twin: src/codec/exceptions.rs.

struct Exceptions {
    count: u32,
    // Bytes of a pixel.
    channels: u32,
}

// A pixel: its place, which is within the frames, and its first three channels, the first one lowest.
struct Exception {
    place: u32,
    pixel: u32,
}

const CHANNELS_MASK: u32 = 0xffffffu;

@group(0) @binding(0) var<uniform> params: Exceptions;
@group(0) @binding(3) var<storage, read_write> frames: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> exceptions: array<Exception>;

// An invocation puts one. Words may have bytes of several pixels, each of which is cleared and set by one invocation.
@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = workgroup_number(id, count) * LANES + lane;
    if at >= params.count {
        return;
    }
    let exception = exceptions[at];
    let byte = exception.place * params.channels;
    let shift = 8u * (byte % 4u);
    put(byte / 4u, CHANNELS_MASK << shift, exception.pixel << shift);
    if shift > 8u {
        put(byte / 4u + 1u, CHANNELS_MASK >> (32u - shift), exception.pixel >> (32u - shift));
    }
}

fn put(word: u32, mask: u32, bits: u32) {
    atomicAnd(&frames[word], ~mask);
    atomicOr(&frames[word], bits);
}

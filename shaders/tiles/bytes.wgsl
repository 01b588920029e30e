// Arithmetic on the four bytes of a word, each modulo 256. Twin: src/cpu/tiles/row.rs.

const LOW_BITS: u32 = 0x7f7f7f7fu;
const HIGH_BITS: u32 = 0x80808080u;
const ONES: u32 = 0x01010101u;

fn bytes_add(a: u32, b: u32) -> u32 {
    // Without the highest bits no carry leaves a byte; they are added by xor.
    return ((a & LOW_BITS) + (b & LOW_BITS)) ^ ((a ^ b) & HIGH_BITS);
}

fn bytes_sub(a: u32, b: u32) -> u32 {
    // With the highest bits set no borrow leaves a byte; they are put right by xor.
    return ((a | HIGH_BITS) - (b & LOW_BITS)) ^ ((a ^ ~b) & HIGH_BITS);
}

// Half of each as a signed number, rounded down.
fn bytes_half(a: u32) -> u32 {
    return ((a >> 1u) & LOW_BITS) | (a & HIGH_BITS);
}

// 255 for each that is negative as a signed number, 0 for the others.
fn bytes_negative(a: u32) -> u32 {
    return ((a >> 7u) & ONES) * 255u;
}

fn bytes_magnitude(a: u32) -> u32 {
    let negative = bytes_negative(a);
    return (a ^ negative) + (negative & ONES);
}

fn bytes_zigzag(a: u32) -> u32 {
    return ((a & LOW_BITS) << 1u) ^ bytes_negative(a);
}

fn bytes_unzigzag(a: u32) -> u32 {
    return ((a >> 1u) & LOW_BITS) ^ ((a & ONES) * 255u);
}

// The sum of each byte and all before it.
fn bytes_prefix_sum(a: u32) -> u32 {
    let pairs = bytes_add(a, a << 8u);
    return bytes_add(pairs, pairs << 16u);
}

// Each byte's left neighbour, that of the first being the last of `left`.
fn bytes_shift_in(a: u32, left: u32) -> u32 {
    return (a << 8u) | (left >> 24u);
}

// Each byte's right neighbour, that of the last being the first of `right`.
fn bytes_shift_out(a: u32, right: u32) -> u32 {
    return (a >> 8u) | (right << 24u);
}

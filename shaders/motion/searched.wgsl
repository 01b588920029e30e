// A frame and the pictures of an earlier one, as the search sees them: a block, where vectors lead it, and which of some of
// them is the best. Twin: src/motion/search.rs.
//
// A workgroup has a block, and each lane a unit of it and a vector. All lanes come to the same best vector.

struct Search {
    // Number of the first sample of the frame, and its size.
    first: u32,
    width: u32,
    height: u32,
    // Blocks side by side, and below each other.
    across: u32,
    down: u32,
    // How many pictures there are, as of picture.wgsl, and samples of a row, of a picture, and to the left of the frame and
    // above it.
    pictures: u32,
    stride: u32,
    picture_samples: u32,
    margin: u32,
    // Samples beyond the edges to which blocks reach.
    beyond: i32,
    // Bits of a vector that say what is between samples.
    phases: u32,
    // Steps between whole samples.
    steps: u32,
    // Whether what moved before is followed.
    follows: u32,
    // Numbers of the first vectors: of units in the frame before, of what blocks find, and of units in this frame.
    last: u32,
    found: u32,
    field: u32,
}

@group(0) @binding(0) var<uniform> params: Search;
@group(0) @binding(5) var<storage, read> pictures: array<u32>;

const WORKGROUP_LANES: u32 = 64u;
// Samples on a side.
const BLOCK: u32 = 16u;
const UNIT: u32 = 8u;
// Units of a block.
const UNITS: u32 = 4u;
// Bound of a vector, in quarters of a sample.
const LONGEST: i32 = 8192;
// What a bit of a vector costs.
const BIT_COST: u32 = 4u;
// More than what any block differs by, and so does a unit.
const UNREACHED: u32 = 0x1000000u;
const HIGH: u32 = 0x80808080u;

// The samples of the block, in rows of four words; 0 beyond the edges.
var<workgroup> own: array<u32, 64>;
// What each lane has tried, and how much its unit differs.
var<workgroup> tried: array<u32, 64>;
var<workgroup> differences: array<u32, 64>;

// A vector with what is left of a block or unit, and with what it costs besides.
struct Found {
    vector: vec2<i32>,
    difference: u32,
    cost: u32,
}

const NOTHING: Found = Found(vec2<i32>(0), UNREACHED, 0xffffffffu);

// Part of a frame: its first column and row, and columns and rows that are inside.
struct Area {
    corner: vec2<i32>,
    size: vec2<i32>,
}

fn area_of(place: vec2<u32>, side: u32) -> Area {
    let corner = vec2<i32>(place * side);
    let size = vec2<i32>(i32(params.width), i32(params.height));
    return Area(corner, clamp(size - corner, vec2<i32>(0), vec2<i32>(i32(side))));
}

fn packed(vector: vec2<i32>) -> u32 {
    return (u32(vector.x) & 0xffffu) | (u32(vector.y) << 16u);
}

fn unpacked(vector: u32) -> vec2<i32> {
    return vec2<i32>(i32(vector << 16u) >> 16u, i32(vector) >> 16u);
}

// What a vector costs beside another one.
fn cost_beside(vector: vec2<i32>, beside: vec2<i32>) -> u32 {
    let bits = 32u - countLeadingZeros(vec2<u32>(abs(vector - beside)));
    return BIT_COST * (2u * (bits.x + bits.y) + 2u);
}

// Whether a vector is not too long, and does not lead an area too far outside.
fn reaches(vector: vec2<i32>, area: Area) -> bool {
    let at = area.corner + (vector >> vec2<u32>(2u));
    let end = vec2<i32>(i32(params.width), i32(params.height)) + params.beyond;
    return all(abs(vector) <= vec2<i32>(LONGEST)) && all(at >= vec2<i32>(-params.beyond)) && all(at + area.size <= end);
}

// How far what a vector leads to is from whole samples, in the pictures, and what it is a mean with: the same again if it is no
// mean.
fn sources(vector: vec2<i32>) -> vec2<u32> {
    let phase = vec2<u32>(vector) & vec2<u32>(params.phases);
    if params.pictures > 4u {
        return vec2<u32>((phase.y * 4u + phase.x) * params.picture_samples);
    }
    let is_between = (phase & vec2<u32>(1u)) == vec2<u32>(1u);
    let next = vec2<u32>(phase == vec2<u32>(3u)) * vec2<u32>(1u, params.stride);
    let halves = phase / 2u;
    if all(is_between) {
        return vec2<u32>(params.picture_samples + next.y, 2u * params.picture_samples + next.x);
    }
    if is_between.x {
        return vec2<u32>((1u + phase.y) * params.picture_samples, phase.y * params.picture_samples + next.x);
    }
    if is_between.y {
        return vec2<u32>((2u + halves.x) * params.picture_samples, halves.x * params.picture_samples + next.y);
    }
    return vec2<u32>((phase.y + halves.x) * params.picture_samples);
}

// Four samples of the pictures, from any on.
fn four_samples(number: u32) -> u32 {
    let skipped = 8u * (number % 4u);
    let first = pictures[number / 4u];
    if skipped == 0u {
        return first;
    }
    return (first >> skipped) | (pictures[number / 4u + 1u] << (32u - skipped));
}

fn mean_of(a: u32, b: u32) -> u32 {
    return (a | b) - (((a ^ b) >> 1u) & ~HIGH);
}

// The sum of the differences of four samples.
fn difference_of(a: u32, b: u32) -> u32 {
    let wrapped = ((a | HIGH) - (b & ~HIGH)) ^ ((a ^ ~b) & HIGH);
    let is_less = (((~a & b) | (~(a ^ b) & wrapped)) & HIGH) >> 7u;
    let distances = (wrapped ^ (is_less * 255u)) + is_less;
    let pairs = (distances & 0xff00ffu) + ((distances >> 8u) & 0xff00ffu);
    return (pairs & 0xffffu) + (pairs >> 16u);
}

// The bytes of a word that has so many columns.
fn columns_mask(columns: i32) -> u32 {
    let bytes = u32(clamp(columns, 0, 4));
    return select((1u << (8u * bytes)) - 1u, 0xffffffffu, bytes == 4u);
}

// How much a unit of a block differs from where a vector leads, which is not too far away.
fn unit_difference(block: Area, unit: u32, vector: vec2<i32>) -> u32 {
    let within = vec2<u32>(unit % 2u, unit / 2u) * UNIT;
    let size = block.size - vec2<i32>(within);
    let at = vec2<u32>(block.corner + (vector >> vec2<u32>(2u)) + i32(params.margin)) + within;
    let of_vector = sources(vector);
    var sum = 0u;
    for (var y = 0u; y < UNIT; y += 1u) {
        if i32(y) < size.y {
            for (var word = 0u; word < 2u; word += 1u) {
                let place = (at.y + y) * params.stride + at.x + 4u * word;
                var expected = four_samples(of_vector.x + place);
                if of_vector.y != of_vector.x {
                    expected = mean_of(expected, four_samples(of_vector.y + place));
                }
                let mask = columns_mask(size.x - 4 * i32(word));
                sum += difference_of(own[(within.y + y) * 4u + within.x / 4u + word], expected & mask);
            }
        }
    }
    return sum;
}

// Each lane has a word of the block.
fn load_own(block: Area, lane: u32) {
    let place = vec2<i32>(vec2<u32>(lane % 4u * 4u, lane / 4u));
    var word = 0u;
    for (var at = 0; at < 4; at += 1) {
        if place.x + at < block.size.x && place.y < block.size.y {
            let sample = vec2<u32>(block.corner + place + vec2<i32>(at, 0));
            let number = params.first + sample.y * params.width + sample.x;
            word |= ((input[number / 4u] >> (8u * (number % 4u))) & 255u) << (8u * u32(at));
        }
    }
    own[lane] = word;
    workgroupBarrier();
}

// A lane tries a vector on its unit, if that is to be tried and leads the area not too far away.
fn try_vector(block: Area, area: Area, lane: u32, vector: vec2<i32>, is_tried: bool) {
    // Others may still look at what was tried before.
    workgroupBarrier();
    tried[lane] = packed(vector);
    differences[lane] = UNREACHED;
    if is_tried && reaches(vector, area) {
        differences[lane] = unit_difference(block, lane % UNITS, vector);
    }
    workgroupBarrier();
}

fn better(best: Found, vector: vec2<i32>, difference: u32, beside: vec2<i32>) -> Found {
    let cost = difference + cost_beside(vector, beside);
    if difference < UNREACHED && cost < best.cost {
        return Found(vector, difference, cost);
    }
    return best;
}

// The best for the block of what the first lanes have tried, so many vectors for all units each.
fn best_of_block(before: Found, beside: vec2<i32>, vectors: u32) -> Found {
    var best = before;
    for (var at = 0u; at < vectors; at += 1u) {
        var difference = 0u;
        for (var unit = 0u; unit < UNITS; unit += 1u) {
            difference += differences[at * UNITS + unit];
        }
        best = better(best, unpacked(tried[at * UNITS]), difference, beside);
    }
    return best;
}

// One of the eight places around another, in rows from the top.
fn place_around(at: u32) -> vec2<i32> {
    let place = at + select(0u, 1u, at >= 4u);
    return vec2<i32>(i32(place % 3u) - 1, i32(place / 3u) - 1);
}

// How far a step between whole samples is, in quarters of one.
fn step_length(step: u32) -> i32 {
    return select(1, 2, step == 0u);
}

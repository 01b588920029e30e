// What is between the samples of a plane, where a vector leads. Twins: src/motion/compensate.rs, filter.rs, taps.rs.
//
// Every filter is a weighted sum of eight samples across, of which another one is taken down, or the mean of two such sums. The
// weights are in a table (src/motion/weights.rs) at the beginning of `motion`: for each filter, by its number, the places of
// the first plane by phase, the eighths of other planes, what brings vectors of these nearer to 0, whether the first plane is
// MPEG-4's (mpeg4.wgsl), how sums are rounded, and the weights by eighths.

@group(0) @binding(5) var<storage, read> motion: array<u32>;

// Words of a filter.
const FILTER_WORDS: u32 = 126u;
const FILTERS: u32 = 16u;
// Where they are among these: by share, eighths and what is added to vectors below 0; whether chroma moves block by block; what
// is added to sums of MPEG-4's quarters, and 0 of others; rounding (four words), and weights (four words each).
const EIGHTHS: u32 = 16u;
const ADDED_BELOW_ZERO: u32 = 18u;
const MOVES_BLOCKS: u32 = 20u;
const MPEG4_ROUND: u32 = 21u;
const ROUNDING_OF_FIRST: u32 = 22u;
const ROUNDING_OF_OTHERS: u32 = 26u;
const WEIGHTS_OF_FIRST: u32 = 30u;
const WEIGHTS_OF_OTHERS: u32 = 62u;
const WEIGHTS_OF_NARROW: u32 = 94u;
// No column or row is further away.
const FAR: i32 = 0x1000000;
// What moves is narrow if it is at most so wide, or high.
const NARROW: u32 = 4u;

// A plane of the frame that is referred to, in the input: its first sample, and the distance of neighbours.
struct Reference {
    first: u32,
    width: u32,
    height: u32,
    step: u32,
}

// Where a vector leads.
struct Lead {
    // Whole samples to the right, and down.
    whole: vec2<i32>,
    // Between which samples it ends: two places of 8 bits, which are the same unless a mean is taken. Of each the eighths to the
    // right and down, three bits each, and whether it is one sample further to the right, or down.
    places: u32,
    // Words of the table: the weights across and down, and the rounding.
    weights: vec2<u32>,
    rounding: u32,
    // What is added to sums of MPEG-4's quarters; 0 of other filters.
    mpeg4_round: i32,
    // The first column and row that those see, and the last ones.
    window: vec4<i32>,
}

// Of the first plane, the vector in quarters of a sample; nothing is mirrored.
fn lead_of_first(filter_number: u32, vector: vec2<i32>) -> Lead {
    let its = filter_number * FILTER_WORDS;
    let places = motion[its + u32(vector.y & 3) * 4u + u32(vector.x & 3)];
    let weights = vec2<u32>(its + WEIGHTS_OF_FIRST);
    let round = i32(motion[its + MPEG4_ROUND]);
    let window = vec4<i32>(-FAR, -FAR, FAR, FAR);
    return Lead(vector >> vec2<u32>(2u), places, weights, its + ROUNDING_OF_FIRST, round, window);
}

// Eighths of a sample of another plane: a nibble for each end of a vector.
fn eighths(its: u32, share: u32, vector: i32) -> u32 {
    let end = u32(vector) & ((4u << share) - 1u);
    return (motion[its + EIGHTHS + share] >> (4u * end)) & 7u;
}

// A vector, so that rounding down brings it nearer to 0 where that is the filter's way.
fn towards_zero(its: u32, vector: vec2<i32>, share: vec2<u32>) -> vec2<i32> {
    let added = vec2<u32>(motion[its + ADDED_BELOW_ZERO + share.x], motion[its + ADDED_BELOW_ZERO + share.y]);
    return vector + select(vec2<i32>(0), vec2<i32>(added), vector < vec2<i32>(0));
}

// Of another plane: log2 of its share of the first one across and down, and how many of its samples move together.
fn lead_of_other(filter_number: u32, in_quarters: vec2<i32>, share: vec2<u32>, size: vec2<u32>) -> Lead {
    let its = filter_number * FILTER_WORDS;
    // What is rounded down then.
    let vector = towards_zero(its, in_quarters, share);
    let place = eighths(its, share.x, vector.x) | (eighths(its, share.y, vector.y) << 3u);
    let narrow = size <= vec2<u32>(NARROW);
    let weights = its + select(vec2<u32>(WEIGHTS_OF_OTHERS), vec2<u32>(WEIGHTS_OF_NARROW), narrow);
    return Lead(vector >> (share + 2u), place | (place << 8u), weights, its + ROUNDING_OF_OTHERS, 0, vec4<i32>());
}

// Of a plane of half the width and height, for a block whose units move apart, by their vectors: sixteenths of a sample are taken
// for halves (ITU-T H.263, table F.1).
fn lead_of_four(filter_number: u32, vectors: array<vec2<i32>, 4>) -> Lead {
    let its = filter_number * FILTER_WORDS;
    var sum = vec2<i32>();
    for (var unit = 0u; unit < 4u; unit += 1u) {
        sum += towards_zero(its, vectors[unit], vec2<u32>(1u)) >> vec2<u32>(1u);
    }
    let length = abs(sum);
    let sixteenths = length & vec2<i32>(15);
    let halves = 2 * (length >> vec2<u32>(4u)) + vec2<i32>(sixteenths > vec2<i32>(2)) + vec2<i32>(sixteenths > vec2<i32>(13));
    let signed = halves * sign(sum);
    let eighths = 4u * vec2<u32>(signed & vec2<i32>(1));
    let place = eighths.x | (eighths.y << 3u);
    let weights = vec2<u32>(its + WEIGHTS_OF_OTHERS);
    let whole = signed >> vec2<u32>(1u);
    return Lead(whole, place | (place << 8u), weights, its + ROUNDING_OF_OTHERS, 0, vec4<i32>());
}

// Two weights of a word.
fn two_weights(word: u32) -> vec2<i32> {
    let signed = bitcast<i32>(motion[word]);
    return vec2<i32>((signed << 16u) >> 16u, signed >> 16u);
}

fn four_weights(word: u32) -> vec4<i32> {
    return vec4<i32>(two_weights(word), two_weights(word + 1u));
}

// A sample of the row that begins at `row`; beyond the edges those at the edges.
fn reference_sample(plane: Reference, row: u32, x: i32) -> i32 {
    let column = u32(clamp(x, 0, i32(plane.width) - 1));
    return i32(input_sample(0u, row + column * plane.step).x);
}

// Four of them, which are loaded at once if they lie side by side.
fn reference_samples(plane: Reference, row: u32, x: i32) -> vec4<i32> {
    if plane.step == 1u && x >= 0 && x + 4 <= i32(plane.width) {
        let run = input_run(0u, row + u32(x)).x;
        return vec4<i32>((vec4<u32>(run) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
    }
    return vec4<i32>(
        reference_sample(plane, row, x),
        reference_sample(plane, row, x + 1),
        reference_sample(plane, row, x + 2),
        reference_sample(plane, row, x + 3),
    );
}

// A rounded sum across. `weights` are those of three samples to the left and the sample itself, and of the four to its right.
fn sum_across(plane: Reference, weights: array<vec4<i32>, 2>, rounding: u32, is_whole: bool, x: i32, y: i32) -> i32 {
    let row = plane.first + u32(clamp(y, 0, i32(plane.height) - 1)) * plane.width * plane.step;
    var sum = 0;
    if is_whole {
        sum = weights[0].w * reference_sample(plane, row, x);
    } else {
        sum = dot(weights[0], reference_samples(plane, row, x - 3));
        sum += dot(weights[1], reference_samples(plane, row, x + 1));
    }
    let shift = motion[rounding];
    sum = (sum + ((1 << shift) >> 1u)) >> shift;
    return select(sum, clamp(sum, 0, 255), motion[rounding + 1u] == 1u);
}

// What is at one of the places of a lead, seen from a column and a row.
fn weighted(plane: Reference, lead: Lead, place: u32, at: vec2<i32>) -> i32 {
    let x = at.x + lead.whole.x + i32((place >> 6u) & 1u);
    let y = at.y + lead.whole.y + i32((place >> 7u) & 1u);
    let right = place & 7u;
    let down = (place >> 3u) & 7u;
    let across = lead.weights.x + 4u * right;
    let weights = array<vec4<i32>, 2>(four_weights(across), four_weights(across + 2u));
    var sum = i32(motion[lead.rounding + 3u]);
    for (var row = 0u; row < 8u; row += 1u) {
        let pair = two_weights(lead.weights.y + 4u * down + row / 2u);
        let weight = select(pair.x, pair.y, row % 2u == 1u);
        if weight != 0 {
            sum += weight * sum_across(plane, weights, lead.rounding, right == 0u, x, y + i32(row) - 3);
        }
    }
    return clamp(sum >> motion[lead.rounding + 2u], 0, 255);
}

// The sample that a lead gives for one in that column and row.
fn between(plane: Reference, lead: Lead, at: vec2<i32>) -> u32 {
    if lead.mpeg4_round != 0 {
        return mpeg4_between(plane, lead, at);
    }
    let first = lead.places & 255u;
    let second = lead.places >> 8u;
    let sample = weighted(plane, lead, first, at);
    if first == second {
        return u32(sample);
    }
    return u32((sample + weighted(plane, lead, second, at) + 1) >> 1u);
}

// The frames that are expected: what vectors make of the frame before. Twins: src/motion/expect.rs; src/cpu/tiles/mod.rs.
//
// After the filters `motion` has a row for each plane, how many units are side by side, how many words a field has, and the
// fields of all frames but the first: the number of the filter, and the vector of each unit, right in the lower half.

const PLANES: u32 = FILTERS * FILTER_WORDS;
// First sample within a raw frame, width, height, step, and log2 of the share of the first plane across and down.
const PLANE_WORDS: u32 = 6u;
const UNITS_ACROSS: u32 = PLANES + 4u * PLANE_WORDS;
const FIELD_WORDS: u32 = UNITS_ACROSS + 1u;
const FIELDS: u32 = UNITS_ACROSS + 2u;

// Log2 of the samples of a unit across the first plane, and down.
const UNIT_BITS: u32 = 3u;

// A plane that moves.
struct Moving {
    reference: Reference,
    share: vec2<u32>,
    is_first: bool,
    // First word of the field.
    field: u32,
}

// Plane `plane` of `frame`, which is not the first.
fn moving_plane(plane: u32, frame: u32) -> Moving {
    let row = PLANES + plane * PLANE_WORDS;
    let first = (frame - 1u) * params.frame_samples + motion[row];
    let reference = Reference(first, motion[row + 1u], motion[row + 2u], motion[row + 3u]);
    let field = FIELDS + (frame - 1u) * motion[FIELD_WORDS];
    return Moving(reference, vec2<u32>(motion[row + 4u], motion[row + 5u]), plane == 0u, field);
}

// Where the vector of a sample leads.
fn lead_at(plane: Moving, at: vec2<u32>) -> Lead {
    let unit = at >> (UNIT_BITS - plane.share);
    let across = motion[UNITS_ACROSS];
    let units = plane.field + 1u;
    let vector = vector_of(units + unit.y * across + unit.x);
    let block = units + (unit.y & ~1u) * across + (unit.x & ~1u);
    let filter_number = motion[plane.field];
    if !plane.is_first {
        let bits = bits_of_part(block, across);
        let is_small = all(plane.share == vec2<u32>(1u));
        if bits == UNIT_BITS && is_small && motion[filter_number * FILTER_WORDS + MOVES_BLOCKS] == 1u {
            let below = block + across;
            let vectors = array<vec2<i32>, 4>(vector_of(block), vector_of(block + 1u), vector_of(below), vector_of(below + 1u));
            return lead_of_four(filter_number, vectors);
        }
        return lead_of_other(filter_number, vector, plane.share, vec2<u32>(1u) << (bits - plane.share));
    }
    var lead = lead_of_first(filter_number, vector);
    if lead.mpeg4_round != 0 {
        let bits = bits_of_part(block, across);
        let first = vec2<i32>((at >> vec2<u32>(bits)) << vec2<u32>(bits)) + lead.whole;
        lead.window = vec4<i32>(first, first + (1 << bits));
    }
    return lead;
}

fn vector_of(word: u32) -> vec2<i32> {
    let packed = motion[word];
    return vec2<i32>(bitcast<i32>(packed << 16u), bitcast<i32>(packed)) >> vec2<u32>(16u);
}

// Log2 of the side of what moves as one in a block, by the word of its first unit: it itself where its units move alike.
fn bits_of_part(block: u32, across: u32) -> u32 {
    let is_one = motion[block] == motion[block + 1u] && motion[block] == motion[block + across]
        && motion[block] == motion[block + across + 1u];
    return UNIT_BITS + select(0u, 1u, is_one);
}

// What is expected in a column and a row.
fn expected_sample(plane: Moving, at: vec2<u32>) -> u32 {
    return between(plane.reference, lead_at(plane, at), vec2<i32>(at));
}

// Raw frames to the frames that are expected, as raw ones: of all frames but the first. An invocation makes four neighbouring
// samples.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    let samples = (params.frames - 1u) * params.frame_samples;
    if word * 4u >= samples {
        return;
    }
    var value = 0u;
    for (var k = 0u; k < min(4u, samples - word * 4u); k += 1u) {
        let place = raw_place(word * 4u + k);
        let pixel = divided(place.within, place.region.z);
        let plane = moving_plane(place.region.w + pixel.y, place.frame + 1u);
        value |= expected_sample(plane, vec2<u32>(pixel.x, place.row)) << (8u * k);
    }
    output[word] = value;
}

// The raw frame before `first_frame` to tiles that are expected of that frame, which take the place of those of the frame before.
// An invocation makes a word.
@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    let within = divided(word, TILE_WORDS);
    // Bands follow one another within a frame as they do within the batch.
    let of_frames = within.x * params.frames;
    if of_frames >= params.tiles {
        return;
    }
    let band = coded_planes[located(of_frames).plane];
    let tile = band.band_first + (params.first_frame - 1u) * band.frame_tiles + within.x - band.band_first / params.frames;
    let place = located(tile);
    let coded = coded_planes[place.plane];
    let plane = moving_plane(place.plane % params.planes, params.first_frame);
    let row = coded.first_row + min(place.row * TILE + within.y / ROW_WORDS, coded.height - 1u);
    var value = 0u;
    for (var k = 0u; k < 4u; k += 1u) {
        let column = min(place.column * TILE + within.y % ROW_WORDS * 4u + k, coded.width - 1u);
        value |= expected_sample(plane, vec2<u32>(column, row)) << (8u * k);
    }
    output[tile * TILE_WORDS + within.y] = value;
}

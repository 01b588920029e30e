// Raw frames to packed tiles, and packed tiles to residuals. Twin: src/codec/tiles/packed.rs.
//
// A group has four *parts* of 16 residuals, two rows of it: these are the groups of the packer, and are numbers of as many
// bits as the largest of them needs, its width. The four widths of a group are half a word. A workgroup packs its tiles in
// its own memory, so that no residuals leave it, and stores a *piece* of whole words: the widths of its groups that have
// residuals, then the numbers of all parts. Pieces lie in the order in which workgroups come to that.

// Words that pieces have taken so far; then for each workgroup its tiles as a segment begins with them (predictor, and a bit
// for each group that has residuals) and where its piece begins.
@group(0) @binding(3) var<storage, read_write> head: array<atomic<u32>>;

// Frames are predicted from the ones before, as they are.
fn earlier_sample(at: u32) -> u32 {
    return input_sample(0u, at).x;
}

const TILE_PARTS: u32 = 16u;
// Words that have the widths of a workgroup's parts.
const WIDTH_WORDS: u32 = 8u;

// All residuals of each part, bit by bit.
var<workgroup> bits: array<atomic<u32>, 64>;
var<workgroup> widths: array<atomic<u32>, 8>;
// A piece: widths and numbers of all parts at most, and two words that the last of them may reach into.
var<workgroup> piece: array<atomic<u32>, 266>;
var<workgroup> place: u32;

// The part that the left half of a row is in; that of the right half is four further.
fn part_of(lane: u32) -> u32 {
    return lane / TILE * TILE_PARTS + lane % TILE / 8u * 8u + lane % 8u / 2u;
}

// The sum of the eight widths in a word.
fn sum_of_widths(word: u32) -> u32 {
    let pairs = (word & 0x0f0f0f0fu) + ((word >> 4u) & 0x0f0f0f0fu);
    return (pairs * ONES) >> 24u;
}

// As much of the widths of word `word` as is of parts before `part`.
fn widths_before(widths: u32, word: u32, part: u32) -> u32 {
    let own = part / 8u;
    if word > own {
        return 0u;
    }
    return select(widths, widths & ((1u << (4u * (part % 8u))) - 1u), word == own);
}

// The lower half of `high:low` after `by` of at most 32 bits are gone.
fn funnel(low: u32, high: u32, by: u32) -> u32 {
    if by == 0u {
        return low;
    }
    if by == 32u {
        return high;
    }
    return (low >> by) | (high << (32u - by));
}

// Four bytes of up to `width` bits to numbers of `width` bits, the first one lowest.
fn join(bytes: u32, width: u32) -> u32 {
    return (bytes & 255u) | (((bytes >> 8u) & 255u) << width) | (((bytes >> 16u) & 255u) << (2u * width))
        | ((bytes >> 24u) << (3u * width));
}

// What `join` joined; bits past it do not matter.
fn split(numbers: u32, width: u32) -> u32 {
    let ones = (1u << width) - 1u;
    return (numbers & ones) | (((numbers >> width) & ones) << 8u) | (((numbers >> (2u * width)) & ones) << 16u)
        | (((numbers >> (3u * width)) & ones) << 24u);
}

// Adds bytes to the piece, from byte `at` on.
fn put(at: u32, low: u32, high: u32) {
    let word = at / 4u;
    let by = 8u * (at % 4u);
    atomicOr(&piece[word], low << by);
    if by == 0u {
        atomicOr(&piece[word + 1u], high);
    } else {
        atomicOr(&piece[word + 1u], funnel(low, high, 32u - by));
        atomicOr(&piece[word + 2u], high >> (32u - by));
    }
}

@compute @workgroup_size(WORKGROUP_LANES)
fn encode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    let first = number * WORKGROUP_TILES;
    let tiles = tiles_from(first);
    atomicStore(&bits[lane], 0u);
    if lane < WIDTH_WORDS {
        atomicStore(&widths[lane], 0u);
    }
    for (var at = lane; at < 266u; at += WORKGROUP_LANES) {
        atomicStore(&piece[at], 0u);
    }
    choose(first, tiles, lane);

    let part = part_of(lane);
    var row: array<u32, 4>;
    for (var q = 0u; q < 4u; q += 1u) {
        row[q] = 0u;
        if lane / TILE < tiles {
            row[q] = chosen_residuals(lane, q);
        }
    }
    for (var side = 0u; side < 2u; side += 1u) {
        let of_half = row[2u * side] | row[2u * side + 1u];
        let halves = of_half | (of_half >> 16u);
        atomicOr(&bits[part + 4u * side], (halves | (halves >> 8u)) & 255u);
    }
    workgroupBarrier();

    let width = 32u - countLeadingZeros(atomicLoad(&bits[lane]));
    atomicOr(&widths[lane / 8u], width << (4u * (lane % 8u)));
    workgroupBarrier();

    // Groups that have residuals, a bit each, and the widths of parts before each half of the row.
    var groups = 0u;
    var all = 0u;
    var before = vec2<u32>(0u, 0u);
    for (var word = 0u; word < WIDTH_WORDS; word += 1u) {
        let of_word = atomicLoad(&widths[word]);
        groups |= (select(0u, 1u, (of_word & 0xffffu) > 0u) | select(0u, 2u, (of_word >> 16u) > 0u)) << (2u * word);
        all += sum_of_widths(of_word);
        before.x += sum_of_widths(widths_before(of_word, word, part));
        before.y += sum_of_widths(widths_before(of_word, word, part + 4u));
    }
    let numbers = 2u * countOneBits(groups);
    if lane < WORKGROUP_TILES * TILE_GROUPS && ((groups >> lane) & 1u) == 1u {
        let of_group = (atomicLoad(&widths[lane / 2u]) >> (16u * (lane % 2u))) & 0xffffu;
        put(2u * countOneBits(groups & ((1u << lane) - 1u)), of_group, 0u);
    }
    for (var side = 0u; side < 2u; side += 1u) {
        let its_part = part + 4u * side;
        let its_width = (atomicLoad(&widths[its_part / 8u]) >> (4u * (its_part % 8u))) & 15u;
        if its_width > 0u {
            let first_four = join(row[2u * side], its_width);
            let last_four = join(row[2u * side + 1u], its_width);
            let unused = 32u - 4u * its_width;
            let at = numbers + 2u * select(before.x, before.y, side == 1u) + lane % 2u * its_width;
            put(at, funnel(first_four << unused, last_four, unused), funnel(last_four, 0u, unused));
        }
    }
    let words = (numbers + 2u * all + 3u) / 4u;
    if lane == 0u && tiles > 0u {
        var of_tiles = 0u;
        for (var at = 0u; at < tiles; at += 1u) {
            of_tiles |= (best[at] | (((groups >> (4u * at)) & 15u) << 4u)) << (8u * at);
        }
        place = atomicAdd(&head[0], words);
        atomicStore(&head[1u + 2u * number], of_tiles);
        atomicStore(&head[2u + 2u * number], place);
    }
    workgroupBarrier();
    for (var at = lane; at < words; at += WORKGROUP_LANES) {
        output[place + at] = atomicLoad(&piece[at]);
    }
}

// Of the tiles of each workgroup how many half words of numbers are before theirs, and the widths of their parts; then the
// numbers, in the order of tiles, and two words that the last of them may reach into. The widths add up to the numbers.
@compute @workgroup_size(WORKGROUP_LANES)
fn decode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    let tile = number * WORKGROUP_TILES + lane / TILE;
    if tile >= params.tiles {
        return;
    }
    let table = number * (1u + WIDTH_WORDS);
    let numbers = (params.tiles + WORKGROUP_TILES - 1u) / WORKGROUP_TILES * (1u + WIDTH_WORDS);
    for (var side = 0u; side < 2u; side += 1u) {
        let part = part_of(lane) + 4u * side;
        let width = (input[table + 1u + part / 8u] >> (4u * (part % 8u))) & 15u;
        var before = input[table];
        for (var word = 0u; word < WIDTH_WORDS; word += 1u) {
            before += sum_of_widths(widths_before(input[table + 1u + word], word, part));
        }
        var bytes = vec2<u32>(0u, 0u);
        if width > 0u {
            let at = 2u * before + lane % 2u * width;
            let word = numbers + at / 4u;
            let by = 8u * (at % 4u);
            let low = funnel(input[word], input[word + 1u], by);
            let high = funnel(input[word + 1u], input[word + 2u], by);
            bytes = vec2<u32>(split(low, width), split(funnel(low, high, 4u * width), width));
        }
        let to = (tile * TILE_GROUPS + lane % TILE / 8u * 2u + side) * 16u + lane % 8u * 2u;
        output[to] = bytes.x;
        output[to + 1u] = bytes.y;
    }
}

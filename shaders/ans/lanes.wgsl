// 32 interleaved rANS coders for each code. Twin: src/codec/ans/lanes.rs.
//
// A workgroup makes or reads a code, an invocation is one of its coders. At each step the coders that give or take a
// word are marked in a shared mask, by which each of them finds its own; so are those whose byte is escaped.
//
// The groups of a code are entries of a list: the number of a group, with that of its table in the upper bits.

const CODERS: u32 = 32u;
const GROUP_WORDS: u32 = 16u;
const SCALE_BITS: u32 = 12u;
const LOW: u32 = 0x8000u;
const TABLE_SHIFT: u32 = 25u;
const GROUP_MASK: u32 = 0x1ffffffu;

struct Rans {
    codes: u32,
    // Where entries begin in the list.
    entries: u32,
    // Encoding: most 16-bit words of a group, which are even, and where words begin in `code`.
    most_words: u32,
    words: u32,
    // Encoding: where the bytes of groups begin in `output`, in which two of the upper bits for each half of a group say how
    // often the 8 bits of its residuals are halved.
    halvings: u32,
    // Decoding: where the rows of codes begin in `tables`.
    rows: u32,
    // Decoding: where the ends of codes begin in `code`.
    ends: u32,
}

@group(0) @binding(0) var<uniform> params: Rans;
@group(0) @binding(3) var<storage, read_write> code: array<u32>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;

// Two marks for each of three steps: one is in use, one is still read by others, and one is made ready for the next.
var<workgroup> masks: array<atomic<u32>, 6>;

fn clear_masks(lane: u32) {
    if lane < 6u {
        atomicStore(&masks[lane], 0u);
    }
    workgroupBarrier();
}

// A bit for each coder that gives or takes a word, and for each whose byte is escaped. `step` counts calls.
fn marked(step: u32, lane: u32, word: bool, escaped: bool) -> vec2<u32> {
    let now = step % 3u * 2u;
    if word {
        atomicOr(&masks[now], 1u << lane);
    }
    if escaped {
        atomicOr(&masks[now + 1u], 1u << lane);
    }
    if lane < 2u {
        atomicStore(&masks[(step + 1u) % 3u * 2u + lane], 0u);
    }
    workgroupBarrier();
    return vec2<u32>(atomicLoad(&masks[now]), atomicLoad(&masks[now + 1u]));
}

// Numbers that describe a code after encoding and after decoding: states first.
const ENCODED_ENDS: u32 = 36u;
const DECODED_ENDS: u32 = 34u;

// In an entry for encoding.
const FREQUENCY_MASK: u32 = 0x1fffu;
const ESCAPED_BIT: u32 = 0x8000u;

// What is given is put aside until there are 32 of it, because neighbours share a word of memory: as many are stored at
// a time, some steps later, when as many more may have been put aside twice.
const BATCH: u32 = 32u;
const ASIDE: u32 = 128u;
var<workgroup> words_aside: array<u32, 128>;
var<workgroup> escapes_aside: array<u32, 128>;

// Stores two words, which end `2 * pair` words before `end`. Of the last pair the earlier one may never have been put
// aside: it is anything then.
fn store_pair(end: u32, pair: u32) {
    let later = words_aside[(2u * pair) % ASIDE];
    let earlier = words_aside[(2u * pair + 1u) % ASIDE];
    code[params.words + end / 2u - 1u - pair] = (earlier & 0xffffu) | (later << 16u);
}

// Stores four escaped bytes, which end `4 * four` bytes before `end`; the same goes for the earlier ones.
fn store_four(end: u32, four: u32) {
    var value = 0u;
    for (var at = 0u; at < 4u; at += 1u) {
        value = (value << 8u) | (escapes_aside[(4u * four + at) % ASIDE] & 255u);
    }
    output[end / 4u - 1u - four] = value;
}

// A list and groups in; out, for each code its states, its first word and the one after its last, its first escaped
// byte and the one after its last; then the words. Those of a code end where as many would end as its groups can have
// at most. Escaped bytes take the place of the last groups of their code, which have been read by then.
@compute @workgroup_size(CODERS)
fn encode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.codes {
        return;
    }
    clear_masks(lane);
    let first = input[2u * number];
    let end = input[2u * number + 1u];
    let end_word = end * params.most_words;
    var end_byte = 0u;
    if end > first {
        end_byte = ((input[params.entries + end - 1u] & GROUP_MASK) + 1u) * GROUP_WORDS * 4u;
    }
    var state = LOW;
    var step = 0u;
    // Words and escaped bytes that were given, and those of them that are stored.
    var given = vec2<u32>(0u, 0u);
    var stored = vec2<u32>(0u, 0u);
    for (var at = end; at > first; at -= 1u) {
        let entry = input[params.entries + at - 1u];
        let number_of_group = entry & GROUP_MASK;
        let group = number_of_group * GROUP_WORDS;
        let its_halvings = output[params.halvings + number_of_group / 4u] >> (number_of_group % 4u * 8u + 4u);
        let table = (entry >> TABLE_SHIFT) * 256u;
        for (var half = 2u; half > 0u; half -= 1u) {
            let bits = 8u >> ((its_halvings >> (2u * (half - 1u))) & 3u);
            let several = output[group + (half - 1u) * 8u + lane * bits / 32u];
            let byte = (several >> (lane * bits % 32u)) & ((1u << bits) - 1u);
            let row = tables[table + byte];
            let frequency = row & FREQUENCY_MASK;
            let full = state >= frequency << (31u - SCALE_BITS);
            let is_escaped = (row & ESCAPED_BIT) != 0u;
            let mask = marked(step, lane, full, is_escaped);
            step += 1u;
            // What earlier steps put aside is seen by all since then.
            if given.x - stored.x >= BATCH {
                if lane < BATCH / 2u {
                    store_pair(end_word, stored.x / 2u + lane);
                }
                stored.x += BATCH;
            }
            if given.y - stored.y >= BATCH {
                if lane < BATCH / 4u {
                    store_four(end_byte, stored.y / 4u + lane);
                }
                stored.y += BATCH;
            }
            // The last coder goes first.
            let before = countOneBits((mask >> vec2<u32>(lane, lane)) >> vec2<u32>(1u, 1u));
            if full {
                words_aside[(given.x + before.x) % ASIDE] = state & 0xffffu;
                state >>= 16u;
            }
            if is_escaped {
                escapes_aside[(given.y + before.y) % ASIDE] = byte;
            }
            given += countOneBits(mask);
            let part = divided(state, frequency);
            state = (part.x << SCALE_BITS) + part.y + (row >> 16u);
        }
    }
    workgroupBarrier();
    // Fewer than 64 of either are left.
    if lane < (given.x - stored.x + 1u) / 2u {
        store_pair(end_word, stored.x / 2u + lane);
    }
    if lane < (given.y - stored.y + 3u) / 4u {
        store_four(end_byte, stored.y / 4u + lane);
    }
    let own = number * ENCODED_ENDS;
    code[own + lane] = state;
    if lane == 0u {
        code[own + CODERS] = end_word - given.x;
        code[own + CODERS + 1u] = end_word;
        code[own + CODERS + 2u] = end_byte - given.y;
        code[own + CODERS + 3u] = end_byte;
    }
}

// Numbers of the row of a code: its first entry and the one after its last, its first word and the one after its last,
// where the places of its escaped bytes go and how many of them there can be; then its states.
const ROW: u32 = 38u;
const ESCAPE: u32 = 255u;

// Two sets, written in turn.
var<workgroup> symbols: array<u32, 64>;

// Words in, and a list in `code`; out, the groups, and in `code`, where each of them is escaped, and for each code the
// states, how many words it took, and how many bytes are escaped.
@compute @workgroup_size(CODERS)
fn decode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.codes {
        return;
    }
    clear_masks(lane);
    let own_row = params.rows + number * ROW;
    let first = tables[own_row];
    let end = tables[own_row + 1u];
    let first_word = tables[own_row + 2u];
    let end_word = tables[own_row + 3u];
    let first_place = tables[own_row + 4u];
    let most_places = tables[own_row + 5u];
    var state = tables[own_row + 6u + lane];
    let below = vec2<u32>((1u << lane) - 1u, (1u << lane) - 1u);
    // Words and escaped bytes so far.
    var taken = vec2<u32>(0u, 0u);
    var step = 0u;
    for (var at = first; at < end; at += 1u) {
        let entry = code[params.entries + at];
        let group = (entry & GROUP_MASK) * GROUP_WORDS;
        let table = (entry >> TABLE_SHIFT) << SCALE_BITS;
        for (var half = 0u; half < 2u; half += 1u) {
            let slot = tables[table + (state & ((1u << SCALE_BITS) - 1u))];
            let symbol = slot & 255u;
            symbols[half * CODERS + lane] = symbol;
            state = (((slot >> 8u) & 0xfffu) + 1u) * (state >> SCALE_BITS) + (slot >> 20u);
            let low = state < LOW;
            let mask = marked(step, lane, low, symbol == ESCAPE);
            step += 1u;
            let own = taken + countOneBits(mask & below);
            if low {
                // Zeros follow the last word; the host sees that too many were taken.
                let word = first_word + own.x;
                var next = 0u;
                if word < end_word {
                    next = (input[word / 2u] >> (16u * (word % 2u))) & 0xffffu;
                }
                state = (state << 16u) | next;
            }
            if symbol == ESCAPE && own.y < most_places {
                code[first_place + own.y] = (group + half * 8u) * 4u + lane;
            }
            taken += countOneBits(mask);
            if lane < 8u {
                let four = half * CODERS + 4u * lane;
                output[group + half * 8u + lane] = symbols[four] | (symbols[four + 1u] << 8u)
                    | (symbols[four + 2u] << 16u) | (symbols[four + 3u] << 24u);
            }
        }
    }
    let own_ends = params.ends + number * DECODED_ENDS;
    code[own_ends + lane] = state;
    if lane == 0u {
        code[own_ends + CODERS] = taken.x;
        code[own_ends + CODERS + 1u] = taken.y;
    }
}

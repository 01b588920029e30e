// 32 interleaved rANS coders for each segment. Twin: src/codec/ans/lanes.rs.
//
// A workgroup codes a segment, an invocation is one of its coders. At each step the coders that give
// or take a word are marked in a shared mask, by which each of them finds its own.

const CODERS: u32 = 32u;
const GROUP_BYTES: u32 = 64u;
const SCALE_BITS: u32 = 12u;
const LOW: u32 = 0x8000u;

struct Rans {
    segments: u32,
    // Where these begin in `tables`: for each segment its first group, and the number of groups; for
    // each group where its table begins.
    first_groups: u32,
    group_tables: u32,
    // Decoding: for each segment its first 16-bit word, and the number of words; the states.
    first_words: u32,
    states: u32,
    // The output has two parts, of which the second one begins there.
    second_part: u32,
}

@group(0) @binding(0) var<uniform> params: Rans;
@group(0) @binding(3) var<storage, read_write> code: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;

// One is in use, one is still read by others, and one is made ready for the next step.
var<workgroup> masks: array<atomic<u32>, 3>;
// Two sets, written in turn.
var<workgroup> symbols: array<u32, 64>;

fn clear_masks(lane: u32) {
    if lane < 3u {
        atomicStore(&masks[lane], 0u);
    }
    workgroupBarrier();
}

// A bit for each coder whose `mark` is set. `step` counts calls.
fn marked(step: u32, lane: u32, mark: bool) -> u32 {
    let now = step % 3u;
    if mark {
        atomicOr(&masks[now], 1u << lane);
    }
    if lane == 0u {
        atomicStore(&masks[(step + 1u) % 3u], 0u);
    }
    workgroupBarrier();
    return atomicLoad(&masks[now]);
}

// Groups in; out, for each segment the states and where its words begin, then the words: those of a
// segment end where as many would end as it has bytes.
@compute @workgroup_size(CODERS)
fn encode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let segment = workgroup_number(id, count);
    if segment >= params.segments {
        return;
    }
    clear_masks(lane);
    let first = tables[params.first_groups + segment];
    let end = tables[params.first_groups + segment + 1u];
    var at = end * GROUP_BYTES;
    var state = LOW;
    var step = 0u;
    for (var group = end; group > first; group -= 1u) {
        let table = tables[params.group_tables + group - 1u];
        for (var half = 2u; half > 0u; half -= 1u) {
            let byte = (group - 1u) * GROUP_BYTES + (half - 1u) * CODERS + lane;
            let entry = tables[table + input_sample(0u, byte).x];
            let frequency = entry & 0xffffu;
            let full = state >= frequency << (31u - SCALE_BITS);
            let mask = marked(step, lane, full);
            step += 1u;
            if full {
                // The last coder goes first.
                let word = at - countOneBits(mask >> lane);
                atomicOr(&code[params.second_part + word / 2u], (state & 0xffffu) << (16u * (word % 2u)));
                state >>= 16u;
            }
            at -= countOneBits(mask);
            let part = divided(state, frequency);
            state = (part.x << SCALE_BITS) + part.y + (entry >> 16u);
        }
    }
    let own = segment * (CODERS + 1u);
    atomicStore(&code[own + lane], state);
    if lane == 0u {
        atomicStore(&code[own + CODERS], at);
    }
}

// Words in; out, the groups, then for each segment the states and how many words it took.
@compute @workgroup_size(CODERS)
fn decode(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let segment = workgroup_number(id, count);
    if segment >= params.segments {
        return;
    }
    clear_masks(lane);
    let first = tables[params.first_groups + segment];
    let end = tables[params.first_groups + segment + 1u];
    let first_word = tables[params.first_words + segment];
    let words = tables[params.first_words + segment + 1u] - first_word;
    var at = 0u;
    var state = tables[params.states + segment * CODERS + lane];
    var step = 0u;
    for (var group = first; group < end; group += 1u) {
        let table = tables[params.group_tables + group];
        for (var half = 0u; half < 2u; half += 1u) {
            let entry = tables[table + (state & ((1u << SCALE_BITS) - 1u))];
            symbols[half * CODERS + lane] = entry & 255u;
            state = (((entry >> 8u) & 0xfffu) + 1u) * (state >> SCALE_BITS) + (entry >> 20u);
            let low = state < LOW;
            let mask = marked(step, lane, low);
            step += 1u;
            if low {
                let word = at + countOneBits(mask & ((1u << lane) - 1u));
                // Zeros follow the last word; the host sees that too many were taken.
                var next = 0u;
                if word < words {
                    next = (input[(first_word + word) / 2u] >> (16u * ((first_word + word) % 2u))) & 0xffffu;
                }
                state = (state << 16u) | next;
            }
            at += countOneBits(mask);
            if lane < 8u {
                let own = half * CODERS + 4u * lane;
                output[(group * 2u + half) * 8u + lane] = symbols[own] | (symbols[own + 1u] << 8u)
                    | (symbols[own + 2u] << 16u) | (symbols[own + 3u] << 24u);
            }
        }
    }
    let own = params.second_part + segment * (CODERS + 1u);
    output[own + lane] = state;
    if lane == 0u {
        output[own + CODERS] = at;
    }
}

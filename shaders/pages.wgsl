// Some pages of a buffer to one after another, and back. Twin: src/cpu/pages.rs.
//
// A workgroup copies a page, and an invocation a word.

struct Pages {
    count: u32,
}

const PAGE_WORDS: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Pages;
// Where the pages are in the buffer.
@group(0) @binding(4) var<storage, read> pages: array<u32>;

@compute @workgroup_size(PAGE_WORDS)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.count {
        return;
    }
    let word = pages[number] * PAGE_WORDS + lane;
    // The last one may end with the buffer.
    if word < arrayLength(&input) {
        output[number * PAGE_WORDS + lane] = input[word];
    }
}

@compute @workgroup_size(PAGE_WORDS)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    if number >= params.count {
        return;
    }
    let word = pages[number] * PAGE_WORDS + lane;
    if word < arrayLength(&output) {
        output[word] = input[number * PAGE_WORDS + lane];
    }
}

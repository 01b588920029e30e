// Copies words: the rate that other kernels are measured by. Twin: src/cpu/copy.rs.

struct Copy {
    words: u32,
}

@group(0) @binding(0) var<uniform> params: Copy;

@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    if word < params.words {
        output[word] = input[word];
    }
}

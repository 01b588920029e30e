// Residuals of tiles, zigzag-mapped, in the order of their groups. Twin: src/cpu/tiles/residual.rs.

// An invocation makes four neighbouring residuals.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let word = workgroup_number(id, count) * LANES + lane;
    if word >= params.tiles * TILE_WORDS {
        return;
    }
    let tile = word / TILE_WORDS;
    let within = word % TILE_WORDS;
    // Groups have eight rows of two words; two groups are side by side.
    let group = within / 16u;
    let y = group / 2u * 8u + within % 16u / 2u;
    let q = group % 2u * 2u + within % 2u;
    let rule = (output[params.tiles * TILE_WORDS + tile / 4u] >> (8u * (tile % 4u))) & 255u;
    var found = residuals(neighbours(located(tile), i32(y), i32(q)));
    output[word] = bytes_zigzag(found[min(rule, RULES - 1u)]);
}

// Which groups are coded, and which code of their segment they are in. Twin: src/codec/tiles/list.rs.
//
// A workgroup lists the groups of a segment: their numbers, with that of their frequency table in the upper bits. The
// list begins with the two codes of each segment, for each of which its first entry and the one after its last are
// given. Entries of a segment begin at the number of its first group.

const TABLE_SHIFT: u32 = 25u;

var<workgroup> counts: array<u32, LANES>;

// An invocation lists the groups of a tile at a time.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = workgroup_number(id, count);
    let of_band = (params.frames + params.segment_frames - 1u) / params.segment_frames;
    let segments = params.bands * of_band;
    if number >= segments {
        return;
    }
    let segment = divided(number, of_band);
    let band = coded_planes[segment.x * params.planes];
    let first_frame = segment.y * params.segment_frames;
    let first = band.band_first + first_frame * band.frame_tiles;
    let end = first + min(params.frames - first_frame, params.segment_frames) * band.frame_tiles;
    let first_entry = 4u * first;
    let classes_at = first_class();
    var listed = first_entry;
    for (var tiles = first; tiles < end; tiles += LANES) {
        let tile = tiles + lane;
        var classes = 0u;
        if tile < end {
            classes = input[classes_at + tile];
        }
        var own = 0u;
        for (var at = 0u; at < 4u; at += 1u) {
            own += select(0u, 1u, ((classes >> (8u * at)) & 15u) > 0u);
        }
        counts[lane] = own;
        workgroupBarrier();
        for (var distance = 1u; distance < LANES; distance *= 2u) {
            var sum = counts[lane];
            if lane >= distance {
                sum += counts[lane - distance];
            }
            workgroupBarrier();
            counts[lane] = sum;
            workgroupBarrier();
        }
        if own > 0u {
            var to = listed + counts[lane] - own;
            let first_table = coded_planes[located(tile).plane].first_table;
            for (var at = 0u; at < 4u; at += 1u) {
                let its_class = (classes >> (8u * at)) & 15u;
                if its_class > 0u {
                    output[4u * segments + to] = ((first_table + its_class - 1u) << TABLE_SHIFT) | (4u * tile + at);
                    to += 1u;
                }
            }
        }
        listed += counts[LANES - 1u];
        // The next round writes what this one reads.
        workgroupBarrier();
    }
    if lane == 0u {
        let groups = listed - first_entry;
        let of_first = select(groups, (groups + 1u) / 2u, groups >= params.two_codes);
        output[4u * number] = first_entry;
        output[4u * number + 1u] = first_entry + of_first;
        output[4u * number + 2u] = first_entry + of_first;
        output[4u * number + 3u] = listed;
    }
}

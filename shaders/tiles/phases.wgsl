// Samples of tiles to raw frames: phases, colour transform. Twin: src/cpu/tiles/phases.rs.

// A sample of a coded plane, by the index of the latter.
fn tile_sample(index: u32, frame: u32, x: u32, y: u32) -> u32 {
    let plane = coded_planes[index];
    let of_frame = plane.band_first + frame * plane.frame_tiles + plane.first;
    let tile = of_frame + y / TILE * plane.columns + x / TILE;
    return input_sample(tile * TILE_WORDS, y % TILE * TILE + x % TILE).x;
}

// A sample of a plane before the colour transform is undone, by the index of its first coded plane.
fn joined_sample(index: u32, frame: u32, x: u32, y: u32) -> u32 {
    if coded_planes[index].phase == WHOLE {
        return tile_sample(index, frame, x, y);
    }
    let corner = tile_sample(index, frame, x / 2u, y / 2u);
    let number = x % 2u + 2u * (y % 2u);
    if number == 0u {
        return corner;
    }
    return (corner + tile_sample(index + number, frame, x / 2u, y / 2u)) & 255u;
}

// Where a raw sample comes from.
struct Source {
    frame: u32,
    region: vec4<u32>,
    // First coded plane of the band.
    band: u32,
    // Row within the band.
    y: u32,
    // Samples of the row that are before it, those of all planes together.
    within: u32,
}

fn source(sample: u32) -> Source {
    let place = raw_place(sample);
    let coded = params.coded[place.region.w];
    var band = 0u;
    var end = params.bands;
    while end - band > 1u {
        let middle = (band + end) / 2u;
        if coded_planes[middle * params.planes + coded].first_row <= place.row {
            band = middle;
        } else {
            end = middle;
        }
    }
    let first = band * params.planes;
    return Source(place.frame, place.region, first, place.row - coded_planes[first + coded].first_row, place.within);
}

// The frames that are restored. An invocation makes four neighbouring samples.
@compute @workgroup_size(LANES)
fn inverse(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = params.first_frame * params.frame_samples;
    let end = params.end_frame * params.frame_samples;
    let word = first / 4u + workgroup_number(id, count) * LANES + lane;
    if word * 4u >= end {
        return;
    }
    // Others of the word are of the frame before.
    let skipped = first - min(first, word * 4u);
    var from_row = source(word * 4u + skipped);
    var value = 0u;
    for (var k = skipped; k < min(4u, end - word * 4u); k += 1u) {
        if from_row.within == from_row.region.y {
            from_row = source(word * 4u + k);
        }
        let pixel = divided(from_row.within, from_row.region.z);
        let index = from_row.band + params.coded[from_row.region.w + pixel.y];
        var sample = joined_sample(index, from_row.frame, pixel.x, from_row.y);
        if coded_planes[index].green != 0u {
            sample += joined_sample(from_row.band + params.coded[1], from_row.frame, pixel.x, from_row.y);
        }
        value |= (sample & 255u) << (8u * k);
        from_row.within += 1u;
    }
    store_samples(0u, word, vec2<u32>(value, 0u), first, end);
}

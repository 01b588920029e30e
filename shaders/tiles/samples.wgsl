// Samples of coded planes from raw frames: colour transform, phases, filling up. Twin: src/cpu/tiles/phases.rs.

// A sample of a plane, `x` and `y` within its band, after the colour transform.
fn plane_sample(plane: CodedPlane, frame: u32, x: u32, y: u32) -> u32 {
    let at = frame * params.frame_samples + plane.start + y * plane.row_samples + x * plane.step;
    let sample = input_sample(0u, at).x;
    if plane.green == 0u {
        return sample;
    }
    return (sample - input_sample(0u, at + plane.green).x) & 255u;
}

fn coded_sample(plane: CodedPlane, frame: u32, x: u32, y: u32) -> u32 {
    if plane.phase == WHOLE {
        return plane_sample(plane, frame, x, y);
    }
    let corner = plane_sample(plane, frame, 2u * x, 2u * y);
    // Corner, right, below, diagonal.
    let number = plane.phase - 1u;
    if number == 0u {
        return corner;
    }
    return (plane_sample(plane, frame, 2u * x + number % 2u, 2u * y + number / 2u) - corner) & 255u;
}

// Word `q` of row `y` of a tile, either of which may be -1; 0 beyond the coded plane. Of word -1 only the last sample
// is made.
fn samples_of(place: Place, y: i32, q: i32) -> u32 {
    if (place.row == 0u && y < 0) || (place.column == 0u && q < 0) {
        return 0u;
    }
    let plane = coded_planes[place.plane];
    let row = min(u32(i32(place.row * TILE) + y), plane.height - 1u);
    let column = i32(place.column * TILE) + q * 4;
    var samples = 0u;
    for (var k = select(0, 3, q < 0); k < 4; k += 1) {
        let x = min(u32(column + k), plane.width - 1u);
        samples |= coded_sample(plane, place.frame, x, row) << (8u * u32(k));
    }
    return samples;
}

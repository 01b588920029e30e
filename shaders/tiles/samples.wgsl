// Samples of coded planes from raw frames: colour transform, phases, filling up. Twin: src/cpu/tiles/phases.rs.
//
// Each frame is predicted from an earlier one, which lies where the frame before does: that one itself, or what vectors make of it.
// Who uses this says by `earlier_sample` where those are.

// A sample of a raw frame, or of what the frame after it is predicted from.
fn frame_sample(is_earlier: bool, at: u32) -> u32 {
    if is_earlier {
        return earlier_sample(at);
    }
    return input_sample(0u, at).x;
}

// A sample of a plane, `x` and `y` within its band, after the colour transform.
fn plane_sample(plane: CodedPlane, frame: u32, is_earlier: bool, x: u32, y: u32) -> u32 {
    let at = frame * params.frame_samples + plane.start + y * plane.row_samples + x * plane.step;
    let sample = frame_sample(is_earlier, at);
    if plane.green == 0u {
        return sample;
    }
    return (sample - frame_sample(is_earlier, at + plane.green)) & 255u;
}

fn coded_sample(plane: CodedPlane, frame: u32, is_earlier: bool, x: u32, y: u32) -> u32 {
    if plane.phase == WHOLE {
        return plane_sample(plane, frame, is_earlier, x, y);
    }
    let corner = plane_sample(plane, frame, is_earlier, 2u * x, 2u * y);
    // Corner, right, below, diagonal.
    let number = plane.phase - 1u;
    if number == 0u {
        return corner;
    }
    let sample = plane_sample(plane, frame, is_earlier, 2u * x + number % 2u, 2u * y + number / 2u);
    return (sample - corner) & 255u;
}

// Word `q` of row `y` of a tile, either of which may be -1; 0 beyond the coded plane. Of word -1 only the last sample
// is made. With `is_earlier`, of what the frame after that of `place` is predicted from.
fn samples_of(place: Place, is_earlier: bool, y: i32, q: i32) -> u32 {
    if (place.row == 0u && y < 0) || (place.column == 0u && q < 0) {
        return 0u;
    }
    let plane = coded_planes[place.plane];
    let row = min(u32(i32(place.row * TILE) + y), plane.height - 1u);
    let column = i32(place.column * TILE) + q * 4;
    var samples = 0u;
    for (var k = select(0, 3, q < 0); k < 4; k += 1) {
        let x = min(u32(column + k), plane.width - 1u);
        samples |= coded_sample(plane, place.frame, is_earlier, x, row) << (8u * u32(k));
    }
    return samples;
}

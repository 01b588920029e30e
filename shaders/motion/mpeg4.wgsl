// MPEG-4's quarter samples. Twin: src/motion/mpeg4.rs.

// Eight taps: of three samples to the left and the sample itself, and of the four to its right.
const TAPS_BEFORE: vec4<i32> = vec4<i32>(-1, 3, -6, 20);
const TAPS_AFTER: vec4<i32> = vec4<i32>(20, -6, 3, -1);

// What is `quarters` of the way from one sample to the next, from the sum of the taps and the nearer one of the two.
fn quarter_of_mpeg4(sum: i32, nearer: i32, quarters: u32, round: i32) -> i32 {
    let half = clamp((sum + round) >> 5u, 0, 255);
    return select((half + nearer + round - 15) >> 1u, half, quarters == 2u);
}

// The first and the last column or row of what taps see are mirrored.
fn mirrored(at: i32, first: i32, last: i32) -> i32 {
    return select(select(at, 2 * last + 1 - at, at > last), 2 * first - 1 - at, at < first);
}

fn mpeg4_across(plane: Reference, lead: Lead, quarters: u32, x: i32, y: i32) -> i32 {
    let row = plane.first + u32(clamp(y, 0, i32(plane.height) - 1)) * plane.width * plane.step;
    let nearer = reference_sample(plane, row, x + i32(quarters / 3u));
    if quarters == 0u {
        return nearer;
    }
    var before: vec4<i32>;
    var after: vec4<i32>;
    if x - 3 >= lead.window.x && x + 4 <= lead.window.z {
        before = reference_samples(plane, row, x - 3);
        after = reference_samples(plane, row, x + 1);
    } else {
        for (var tap = 0; tap < 4; tap += 1) {
            before[tap] = reference_sample(plane, row, mirrored(x + tap - 3, lead.window.x, lead.window.z));
            after[tap] = reference_sample(plane, row, mirrored(x + tap + 1, lead.window.x, lead.window.z));
        }
    }
    return quarter_of_mpeg4(dot(TAPS_BEFORE, before) + dot(TAPS_AFTER, after), nearer, quarters, lead.mpeg4_round);
}

// The sample that a lead gives for one in that column and row.
fn mpeg4_between(plane: Reference, lead: Lead, at: vec2<i32>) -> u32 {
    let place = at + lead.whole;
    let right = (lead.places & 7u) / 2u;
    let down = ((lead.places >> 3u) & 7u) / 2u;
    let nearer = mpeg4_across(plane, lead, right, place.x, place.y + i32(down / 3u));
    if down == 0u {
        return u32(nearer);
    }
    var sum = 0;
    for (var tap = 0; tap < 8; tap += 1) {
        let row = mirrored(place.y + tap - 3, lead.window.y, lead.window.w);
        let weight = select(TAPS_AFTER[tap % 4], TAPS_BEFORE[tap % 4], tap < 4);
        sum += weight * mpeg4_across(plane, lead, right, place.x, row);
    }
    return u32(quarter_of_mpeg4(sum, nearer, down, lead.mpeg4_round));
}

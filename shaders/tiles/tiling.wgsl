// Which coded plane a tile is of, and where in it. Twin: src/frame/tiling.rs.
//
// Tiles are numbered as the CPU orders them: band by band, frame by frame, coded plane by coded
// plane, row by row. Samples of a tile are 64 words, row by row; its residuals are as many, group by
// group. So the tile to the left is the one before, and the same tile of the frame before is as many
// tiles back as the band has in a frame.

const TILE: u32 = 16u;
const TILE_WORDS: u32 = 64u;
const ROW_WORDS: u32 = 4u;

struct Tiles {
    // Tiles of the batch.
    tiles: u32,
    bands: u32,
    // Coded planes of a band.
    planes: u32,
    frames: u32,
    // Samples of a raw frame.
    frame_samples: u32,
    // A bit for each predictor to choose from.
    rules: u32,
    // Frames of a band that are coded together.
    segment_frames: u32,
    // Segments of so many coded groups have two codes.
    two_codes: u32,
    // The frames that are restored: the first, and the one after the last.
    first_frame: u32,
    end_frame: u32,
    // First sample within a raw frame, samples of a row, step and first plane of each region; unused
    // ones begin past the frame.
    regions: array<vec4<u32>, 4>,
    // First coded plane of each plane.
    coded: vec4<u32>,
    // For each set of statistics the class of each level, 4 bits each.
    classes: array<vec4<u32>, 5>,
}

struct CodedPlane {
    // First tile of the band.
    band_first: u32,
    // Tiles of the band in a frame.
    frame_tiles: u32,
    // First tile within a frame of the band.
    first: u32,
    columns: u32,
    rows: u32,
    // Samples in a row, and rows, before tiles are filled up.
    width: u32,
    height: u32,
    phase: u32,
    // First row of the plane that is in the band, and where it starts in a raw frame.
    first_row: u32,
    start: u32,
    row_samples: u32,
    step: u32,
    // How far the green sample is that each sample is a difference from; 0 for none.
    green: u32,
    // Set of statistics, and the first of its frequency tables.
    statistics: u32,
    first_table: u32,
}

@group(0) @binding(0) var<uniform> params: Tiles;
// Band by band.
@group(0) @binding(4) var<storage, read> coded_planes: array<CodedPlane>;

const WHOLE: u32 = 0u;

struct Place {
    tile: u32,
    // Index of the coded plane.
    plane: u32,
    frame: u32,
    column: u32,
    row: u32,
}

// Where classes begin after the groups and predictors of all tiles: a byte for each group, a word for each tile. The lower half
// is the class, 0 for a group of zeros.
fn first_class() -> u32 {
    return params.tiles * TILE_WORDS + (params.tiles + 3u) / 4u;
}

// Where a raw sample is.
struct RawPlace {
    frame: u32,
    region: vec4<u32>,
    row: u32,
    // Samples of the row that are before it, those of all planes together.
    within: u32,
}

fn raw_place(sample: u32) -> RawPlace {
    let frame = divided(sample, params.frame_samples);
    var region = params.regions[0];
    for (var at = 1u; at < 4u; at += 1u) {
        let next = params.regions[at];
        if next.x <= frame.y {
            region = next;
        }
    }
    let row = divided(frame.y - region.x, region.y);
    return RawPlace(frame.x, region, row.x, row.y);
}

fn located(tile: u32) -> Place {
    var band = 0u;
    var end = params.bands;
    while end - band > 1u {
        let middle = (band + end) / 2u;
        if coded_planes[middle * params.planes].band_first <= tile {
            band = middle;
        } else {
            end = middle;
        }
    }
    let first = band * params.planes;
    let frame = divided(tile - coded_planes[first].band_first, coded_planes[first].frame_tiles);
    // Coded planes without tiles begin where the next one does.
    var plane = first;
    for (var at = first + 1u; at < first + params.planes; at += 1u) {
        plane = select(plane, at, coded_planes[at].first <= frame.y);
    }
    let row = divided(frame.y - coded_planes[plane].first, coded_planes[plane].columns);
    return Place(tile, plane, frame.x, row.y, row.x);
}

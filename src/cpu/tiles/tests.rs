use super::*;
use crate::frame::{ChannelOrder, ChromaOrder, ChromaSampling, Dtype, FrameFormat, Layout};

/// Raw frames with still, moving and noisy parts.
fn frames(bytes: usize, count: usize) -> Vec<Vec<u8>> {
    let mut state = 7u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let frame = |frame: usize| {
        let sample = |at: usize| match at * 5 / bytes {
            0 => 40,
            1 => (at / 3 + frame) as u8,
            2 => noise() & 3,
            3 => ((at * at) >> 9) as u8,
            _ => noise(),
        };
        (0..bytes).map(sample).collect()
    };
    (0..count).map(frame).collect()
}

fn slices<'a>(tiling: &Tiling, band: &Band, frame: &'a [u8]) -> Vec<&'a [u8]> {
    let slice = |(region, rows): (&Region, &std::ops::Range<usize>)| {
        &frame[region.offset + rows.start * region.row_samples..region.offset + rows.end * region.row_samples]
    };
    tiling.regions.iter().zip(&band.rows).map(slice).collect()
}

#[test]
fn bands_round_trip_at_every_level_alike() {
    let layouts = [
        (Layout::Gray { width: 37, height: 50 }, false),
        (Layout::Packed { width: 75, height: 67, order: ChannelOrder::Bgr }, true),
        (Layout::Packed { width: 64, height: 32, order: ChannelOrder::Rgb }, false),
        (Layout::Packed { width: 33, height: 40, order: ChannelOrder::Rgba }, true),
        // The last band has one row, so some phases have none.
        (Layout::Packed { width: 17, height: 33, order: ChannelOrder::Rgb }, true),
        (
            Layout::Yuv { width: 64, height: 48, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::VuInterleaved },
            false,
        ),
        (Layout::Yuv { width: 50, height: 66, sampling: ChromaSampling::Cs420, chroma: ChromaOrder::Planar }, false),
    ];
    for (layout, split) in layouts {
        let format = FrameFormat::new(Dtype::U8, layout).unwrap();
        let geometry = Geometry::new(&format, 3);
        let raws = frames(format.frame_bytes(), 3);
        let tiling = Tiling::new(&geometry, Tiling::most_bands(&geometry, split).min(2), split);
        let colour = if geometry.colour { Colour::SubtractGreen } else { Colour::None };
        for effort in [TileEffort::Few, TileEffort::Some, TileEffort::All] {
            for band in &tiling.bands {
                let mut expected: Option<Vec<TiledFrames>> = None;
                for simd in SimdLevel::available() {
                    let mut state = BandState::new(simd, colour, &geometry, &tiling, band);
                    let mut coded = Vec::new();
                    for raw in &raws {
                        let mut frame = TiledFrames::default();
                        state.forward(effort, &slices(&tiling, band, raw), &[], &mut frame);
                        coded.push(frame);
                    }
                    assert!(*expected.get_or_insert_with(|| coded.clone()) == coded, "{format:?} {simd:?}");
                    let mut state = BandState::new(simd, colour, &geometry, &tiling, band);
                    for (raw, frame) in raws.iter().zip(&coded) {
                        let classes: Vec<_> = frame.sums.iter().map(|&sum| u8::from(sum > 0)).collect();
                        let expected = slices(&tiling, band, raw);
                        let mut out: Vec<Vec<u8>> = expected.iter().map(|rows| vec![0; rows.len()]).collect();
                        let mut outs: Vec<&mut [u8]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                        state.inverse(&frame.predictors, &classes, &mut frame.groups.iter(), &mut outs);
                        assert!(
                            out.iter().zip(&expected).all(|(out, expected)| out == expected),
                            "{format:?} {simd:?}"
                        );
                    }
                }
            }
        }
    }
}

/// Every predictor restores what it predicted, whether it was the best or not.
#[test]
fn every_predictor_round_trips() {
    let format = FrameFormat::new(Dtype::U8, Layout::Gray { width: 48, height: 32 }).unwrap();
    let geometry = Geometry::new(&format, 2);
    let raws = frames(format.frame_bytes(), 2);
    let tiling = Tiling::new(&geometry, 1, false);
    let band = &tiling.bands[0];
    for simd in SimdLevel::available() {
        for &predictor in TilePredictor::ALL {
            let mut state = BandState::new(simd, Colour::None, &geometry, &tiling, band);
            let mut inverse = BandState::new(simd, Colour::None, &geometry, &tiling, band);
            for raw in &raws {
                state.see(&[raw]);
                let plane = &band.planes[0];
                let (current, previous) = (&state.current[0], &state.previous[0]);
                let at = |tile: usize| current.at(tile % plane.columns() * TILE, tile / plane.columns() * TILE);
                let tile = |tile| simd.run(OneTile { predictor, current, previous, at: at(tile) });
                let mut groups: Vec<_> = (0..band.tiles()).flat_map(tile).collect();
                let predictors = vec![predictor as u8; band.tiles()];
                let classes: Vec<u8> = groups.iter().map(|group| u8::from(*group != [0; GROUP])).collect();
                groups.retain(|group| *group != [0; GROUP]);
                let mut out = vec![0; raw.len()];
                inverse.inverse(&predictors, &classes, &mut groups.iter(), &mut [&mut out]);
                assert!(&out == raw, "{predictor:?} {simd:?}");
            }
        }
    }
}

struct OneTile<'a> {
    predictor: TilePredictor,
    current: &'a PlaneBuffer,
    previous: &'a PlaneBuffer,
    at: usize,
}

impl Kernel for OneTile<'_> {
    type Output = Groups;

    #[inline(always)]
    fn run(self) -> Groups {
        let mut groups = [[0; GROUP]; TILE_GROUPS];
        residual::residual(self.predictor, self.current, self.previous, self.at, &mut groups);
        groups
    }
}
